/* Stable ids: what each cluster is called now, given what its records were called before. Private to core/resolve. */
#ifndef PUENTE_RESOLVE_HISTORY_H
#define PUENTE_RESOLVE_HISTORY_H

#include "core/resolve/closure.h"
#include "core/resolve/resolve.h"
#include "core/resolve/staged.h"

struct history {
  int64_t *id;     /* by row: the consolidated id it belongs to now */
  int64_t *closed; /* rows whose membership ends */
  size_t closed_count;
  struct member *opened; /* memberships that begin */
  size_t opened_count;
  struct redirect *redirects;
  size_t redirect_count;
};

/* Reads the present memberships, those of the rows `among` where it is not NULL (then all that they have to do with is
 * among them: closed rows too), decides, and takes new ids from the store; writes nothing else. Adds to `counts`. */
enum status history_decide(struct store *store, enum cluster_kind kind, const struct staged_rows *rows,
                           const struct row_set *among, const uint32_t *cluster, struct history *history,
                           struct resolve_counts *counts, struct error *error) MUST_CHECK;
void history_free(struct history *history);

#endif
