/* Deletion of what a complete pass did not bring any more. */
#ifndef PUENTE_SYNC_SWEEP_H
#define PUENTE_SYNC_SWEEP_H

#include "core/sync/land.h"
#include "core/sync/sync.h"

/* In the pass's last transaction. Deletes, or sets result->sweep_refused and result->warning. `faults`: records of the
 * pass that could not be told by their key, so that nobody knows which ones are missing. */
enum status sweep_run(struct lander *lander, int64_t faults, struct sync_result *result,
                      struct error *error) MUST_CHECK;

#endif
