#include "core/service/grid.h"

#include <stdlib.h>

static enum status grow(struct grid *grid, struct error *error) {
  if (grid->count < grid->capacity) {
    return OK;
  }
  size_t capacity = grid->capacity == 0 ? 1024 : grid->capacity * 2;
  uint32_t *moved = realloc(grid->values, capacity * grid->columns * sizeof *moved);
  if (moved == NULL) {
    return error_memory(error);
  }
  grid->values = moved;
  grid->capacity = capacity;
  return OK;
}

static enum status add_row(const struct result *result, struct map *dictionary, struct grid *grid,
                           struct error *error) {
  enum status status = grow(grid, error);
  for (size_t c = 0; c < grid->columns && status == OK; c++) {
    uint32_t *value = &grid->values[grid->count * grid->columns + c];
    struct slice text = result_null(result, c) ? slice_of("") : result_text(result, c);
    *value = MAP_NONE;
    if (text.len > 0) {
      *value = map_intern(dictionary, text);
      status = *value == MAP_NONE ? error_memory(error) : OK;
    }
  }
  grid->count += status == OK;
  return status;
}

enum status grid_load(struct store *store, const char *view, const char *const *columns, size_t count,
                      struct grid_scope scope, struct map *dictionary, struct grid *grid, struct error *error) {
  const struct filter filter = {.column = "source", .text = scope.source};
  const struct selection selection = {.view = view,
                                      .columns = columns,
                                      .column_count = count,
                                      .filters = &filter,
                                      .filter_count = scope.source == NULL ? 0 : 1,
                                      .as_of_run = scope.as_of_run};
  struct result *result = NULL;
  *grid = (struct grid){.columns = count};
  enum status status = store_select(store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    status = add_row(result, dictionary, grid, error);
  }
  result_free(result);
  return status == END ? OK : status;
}

void grid_free(struct grid *grid) {
  free(grid->values);
  *grid = (struct grid){0};
}

uint32_t *grid_index(const struct grid *grid, size_t column, size_t count) {
  uint32_t *index = malloc((count + 1) * sizeof *index);
  if (index == NULL) {
    return NULL;
  }
  for (size_t i = 0; i <= count; i++) {
    index[i] = MAP_NONE;
  }
  for (size_t row = grid->count; row-- > 0;) {
    uint32_t value = grid_value(grid, row, column);
    if (value != MAP_NONE && value < count) {
      index[value] = (uint32_t)row;
    }
  }
  return index;
}
