/* Sums of a run's counts. */
#ifndef PUENTE_SYNC_COUNTS_H
#define PUENTE_SYNC_COUNTS_H

#include "core/store/store.h"

/* source_count is taken over where `more` has one. */
void counts_add(struct counts *counts, const struct counts *more);
/* One record more of that state. */
void counts_state(struct counts *counts, enum record_state state);
/* Which records the outcomes of an entry are of, so that its Merkle root can be made again from the store: landed ones
 * by their chunks, ones that were mapped again (no chunk) by their raw ids alone. records 0: none. */
struct covered {
  int64_t records, chunk_first, chunk_last, raw_first, raw_last;
};
/* As a canonical JSON object, keys sorted, with the plan's digest and the run's state among them; NULL: none. `covered`
 * may be NULL. */
enum status counts_json(const struct counts *counts, const struct sha256 *plan, const char *state,
                        const struct covered *covered, struct buffer *out);

#endif
