/* Memory of one batch: allocated piece by piece, freed together. The creator frees the arena; nothing in it is freed
 * by itself. Blocks are kept over a reset, so that a steady pipeline stops allocating after its first batch. */
#ifndef PUENTE_BASE_ARENA_H
#define PUENTE_BASE_ARENA_H

#include "core/base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* NULL when out of memory. `limit` bounds the bytes handed out between two resets; 0 means 1 GiB. */
struct arena *arena_new(size_t limit);
void arena_free(struct arena *arena); /* NULL allowed */
void arena_reset(struct arena *arena);
size_t arena_used(const struct arena *arena);
/* Something that was asked for since the last reset could not be had: for callers to whom NULL may also mean none. */
bool arena_failed(const struct arena *arena);

/* Zeroed memory aligned for any type; NULL when out of memory or past the limit. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t count, size_t size); /* overflow-checked */
/* Not zeroed, not aligned: for text on the hot path. */
char *arena_bytes(struct arena *arena, size_t size);
char *arena_text(struct arena *arena, struct slice text);        /* a terminated copy */
struct slice arena_copy(struct arena *arena, struct slice text); /* data is NULL when it failed and len was not 0 */
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
