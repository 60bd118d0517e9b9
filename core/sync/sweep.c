#include "core/sync/sweep.h"

#include <stdio.h>

enum status sweep_run(struct lander *lander, int64_t faults, struct sync_result *result, struct error *error) {
  struct store *store = lander->bench->store;
  int64_t current = 0, unseen = 0, deleted = 0;
  enum status status = store_sweep_count(store, lander->source_id, &current, &unseen, error);
  if (status != OK || unseen == 0) {
    return status;
  }
  double given = lander->options->max_drop; /* by a person who knows */
  double most = given > 0 ? given : lander->source->max_drop;
  if (faults > 0 && given <= 0) {
    result->sweep_refused = true;
    snprintf(result->warning, sizeof result->warning,
             _("%lld records came without a readable key, so nobody knows which of %lld unseen ones are gone: "
               "none was deleted"),
             (long long)faults, (long long)unseen);
    return OK;
  }
  if ((double)unseen > most * (double)current) {
    result->sweep_refused = true;
    snprintf(result->warning, sizeof result->warning,
             _("%lld of %lld records were not in the source any more, more than max_drop (%.0f %%): none was deleted"),
             (long long)unseen, (long long)current, most * 100);
    return OK;
  }
  status = store_sweep(store, lander->source_id, lander->run, &deleted, error);
  lander->counts.deleted += deleted;
  return status;
}
