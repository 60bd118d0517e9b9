/* Sums of a run's counts. */
#ifndef PUENTE_SYNC_COUNTS_H
#define PUENTE_SYNC_COUNTS_H

#include "core/store/store.h"

/* source_count is taken over where `more` has one. */
void counts_add(struct counts *counts, const struct counts *more);
/* One record more of that state. */
void counts_state(struct counts *counts, enum record_state state);
/* As a canonical JSON object, keys sorted, with the plan's digest and the run's state among them; NULL: none. */
enum status counts_json(const struct counts *counts, const struct sha256 *plan, const char *state, struct buffer *out);

#endif
