/* The range of a backfill as a person gave it: dates and times, or numbers where the marks of a source are numbers. */
#ifndef PUENTE_SYNC_RANGE_H
#define PUENTE_SYNC_RANGE_H

#include "core/sync/sync.h"

/* Before anything is asked of the source. ERR_USAGE where options->since or options->until is no mark that the source
 * could know (one whose own marks are neither times nor numbers takes any text), where they are in the wrong order, or
 * where the source cannot stop at `until`. Where it cannot begin at `since` it gives everything, which is right but
 * long: result->warning says so. */
enum status range_check(struct store *store, const struct source_config *source, int source_id,
                        const struct sync_options *options, struct sync_result *result, struct error *error) MUST_CHECK;

#endif
