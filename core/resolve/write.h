/* What came of linking one kind of entity goes to the store: memberships with their history, consolidated rows, pairs.
 * Private to core/resolve. */
#ifndef PUENTE_RESOLVE_WRITE_H
#define PUENTE_RESOLVE_WRITE_H

#include "core/resolve/closure.h"
#include "core/resolve/resolve.h"
#include "core/resolve/survive.h"

struct writing {
  struct store *store;
  int64_t run;
  enum cluster_kind kind;
  const struct link_plan *plan;
  const struct survivorship *rules;
  const struct staged_rows *rows;
  const struct row_set *among; /* rows whose pairs and memberships are written anew, closed ones too; NULL: all */
  const int *precedence;       /* by source id, lower wins */
  const struct succession *succession;
  struct arena *arena;     /* scratch */
  struct merkle *outcomes; /* of the audit entry; leaves are added */
  const struct progress *progress;
  struct error *error;
};
enum status write_linked(const struct writing *writing, const struct link_result *linked,
                         struct resolve_counts *counts) MUST_CHECK;

#endif
