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

/* ---- what may be shown of counts of records by groups of persons ---- */

/* Fields that records are grouped by, and the last axis: bits of what linking did with a record. */
enum { LINKAGE_FIELDS = 5, LINKAGE_AXES = LINKAGE_FIELDS + 1, LINKAGE_ATOMS_MOST = 64 };
/* Of each group: its records, and those with each bit. */
enum { LINKAGE_RECORDS, LINKAGE_ACROSS, LINKAGE_LINKED, LINKAGE_WAITING, LINKAGE_UNLINKABLE, LINKAGE_PARTS };
struct linkage_told {
  int64_t person;
  uint32_t atoms[LINKAGE_AXES];
};
/* By field (LINKAGE_FIELDS: all records), atom and part. */
struct linkage_hidden {
  bool hidden[LINKAGE_FIELDS + 1][LINKAGE_ATOMS_MOST][LINKAGE_PARTS];
};
/* All counts are protected together: those of fewer than k records, and those of fewer than k persons. */
enum status linkage_guard(const struct workspace *workspace, struct linkage_told *told, size_t count,
                          struct linkage_hidden *hidden, struct error *error) MUST_CHECK;

/* --by rule, reason, size, cluster: of pairs; of persons by the number of their records, in bands of k persons and
 * more; and persons one by one, which is a sight of exact data. */
enum status report_linkage_rules(const struct workspace *workspace, struct report *report,
                                 struct error *error) MUST_CHECK;
enum status report_linkage_reasons(const struct workspace *workspace, struct report *report,
                                   struct error *error) MUST_CHECK;
enum status report_linkage_sizes(const struct linkage *linkage, struct report *report) MUST_CHECK;
enum status report_linkage_doubtful(const struct linkage *linkage, struct report *report,
                                    struct error *error) MUST_CHECK;

#endif
