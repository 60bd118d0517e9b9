/* A hash map from bytes to uint32_t, insertion-ordered dictionary and set at once. Keys are copied into its own
 * arena. */
#ifndef PUENTE_BASE_MAP_H
#define PUENTE_BASE_MAP_H

#include "core/base/error.h"
#include "core/base/slice.h"

#include <stdint.h>

struct map;
#define MAP_NONE UINT32_MAX

struct map *map_new(void); /* NULL when out of memory */
void map_free(struct map *map);
void map_clear(struct map *map);
uint32_t map_count(const struct map *map);
uint32_t map_get(const struct map *map, struct slice key); /* the value, or MAP_NONE */
/* The dictionary code of key: its present value, or count() given to a new key; MAP_NONE when out of memory. */
uint32_t map_intern(struct map *map, struct slice key);
/* The same for many keys, several times as fast for a large map, since it waits for memory less often; an empty key
 * gives MAP_NONE and is not put in. */
enum status map_intern_all(struct map *map, const struct slice *keys, size_t count, uint32_t *values) MUST_CHECK;
enum status map_put(struct map *map, struct slice key, uint32_t value) MUST_CHECK;
struct slice map_key(const struct map *map, uint32_t position); /* in order of first insertion */

#endif
