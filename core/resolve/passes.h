/* When a staged row was settled: the run that completed the pass in which it came. A pass that was cut short is gone on
 * with by later runs, so the run that staged a row says when the program ran, and not which of two rows is the newer.
 */
#ifndef PUENTE_RESOLVE_PASSES_H
#define PUENTE_RESOLVE_PASSES_H

#include "core/store/store.h"

struct passes;

/* Reads the completed runs of all sources. */
enum status passes_read(struct store *store, struct passes **passes, struct error *error) MUST_CHECK;
void passes_free(struct passes *passes); /* NULL allowed */
/* The first completed run of the source that is not before `run`; INT64_MAX where its pass is still under way. */
int64_t passes_settled(const struct passes *passes, int source_id, int64_t run);

#endif
