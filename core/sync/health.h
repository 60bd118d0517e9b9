/* What a run says about its source: the health that the store keeps, and warnings that a person should read. */
#ifndef PUENTE_SYNC_HEALTH_H
#define PUENTE_SYNC_HEALTH_H

#include "core/store/watch.h"
#include "core/sync/sync.h"

/* The health that an error of a pull means: unreachable (network, an answer 5xx, 429), refused (credentials,
 * certificate, permission, another answer 4xx), changed (what came is not what the mapping is written for), failed (our
 * own disk, store, configuration). */
enum health health_of(const struct error *error);
/* In the last transaction of a run that pulled: upserts the health after this try. `error` NULL: it succeeded; then
 * empty where a complete pass found nothing and the store holds nothing of the source, changed where a mapped field is
 * missing or retyped by open drift. An interrupted run changes nothing. */
enum status health_observe(struct store *store, int source_id, const struct sync_result *result,
                           const struct error *error) MUST_CHECK;
/* A complete pass whose volume is out of line with the last ones of its kind (less than half of their median, of at
 * least three): a sentence in `words`, else "". Never a reason to delete anything. */
enum status health_volume(struct store *store, int source_id, const struct counts *counts, char words[320],
                          struct error *error) MUST_CHECK;

#endif
