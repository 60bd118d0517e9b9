/* Rows of a documented view in memory, every value as its position in one dictionary, so that counting compares
 * numbers. */
#ifndef PUENTE_SERVICE_GRID_H
#define PUENTE_SERVICE_GRID_H

#include "core/base/map.h"
#include "core/store/store.h"

enum { GRID_COLUMNS_MOST = 48 };

struct grid {
  uint32_t *values; /* row by row; MAP_NONE: null or empty */
  size_t columns, count, capacity;
};

/* Which rows: `source` (NULL: all) filters the column of that name; as_of_run as store_select has it. */
struct grid_scope {
  const char *source;
  int64_t as_of_run;
};
/* Loads the named columns of a view, in their order. The owner frees the grid, also after a failure. */
enum status grid_load(struct store *store, const char *view, const char *const *columns, size_t count,
                      struct grid_scope scope, struct map *dictionary, struct grid *grid,
                      struct error *error) MUST_CHECK;
void grid_free(struct grid *grid);
static inline uint32_t grid_value(const struct grid *grid, size_t row, size_t column) {
  return grid->values[row * grid->columns + column];
}
/* For each value of the dictionary the first row that has it in `column`, or MAP_NONE: `count` entries, the caller
 * frees. NULL when out of memory. */
uint32_t *grid_index(const struct grid *grid, size_t column, size_t count);

#endif
