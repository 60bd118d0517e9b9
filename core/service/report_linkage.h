/* What the report `linkage` stands on: current members with what linking did with them. Private to
 * core/service/report_linkage*.c. */
#ifndef PUENTE_SERVICE_REPORT_LINKAGE_H
#define PUENTE_SERVICE_REPORT_LINKAGE_H

#include "core/service/report.h"

struct linkage_row {
  int64_t row_id, id;
  uint32_t size;                  /* records of its person */
  bool across, waits, unlinkable; /* across: with a record of another source */
};
struct linkage {
  const struct workspace *workspace;
  enum cluster_kind kind;
  struct linkage_row *rows; /* by row */
  size_t count;
};
enum status linkage_read(const struct workspace *workspace, enum cluster_kind kind, struct linkage *linkage,
                         struct error *error) MUST_CHECK;
void linkage_free(struct linkage *linkage);
struct linkage_row *linkage_find(const struct linkage *linkage, int64_t row_id); /* NULL: it is no member */

/* --by rule, reason, size, cluster. */
enum status report_linkage_rules(const struct workspace *workspace, struct report *report,
                                 struct error *error) MUST_CHECK;
enum status report_linkage_reasons(const struct workspace *workspace, struct report *report,
                                   struct error *error) MUST_CHECK;
enum status report_linkage_sizes(const struct linkage *linkage, struct report *report) MUST_CHECK;
enum status report_linkage_doubtful(const struct linkage *linkage, struct report *report,
                                    struct error *error) MUST_CHECK;

#endif
