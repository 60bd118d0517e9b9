#include "core/service/release_told.h"

#include <string.h>

struct telling {
  const struct workspace *workspace;
  const struct release_before *before;
  const struct release_level *fields;
  const struct release_layout *layouts;
  struct arena *arena;
  struct release_counted then;
};

/* Place of the values of a published cell among today's; false: no unit of today has such values. */
static bool place_of(const struct telling *telling, const struct ledger_cell *cell, unsigned *left_out, size_t *place) {
  uint32_t at[RELEASE_FIELDS_MOST] = {0};
  *left_out = 0;
  for (size_t f = 0; f < telling->before->table->by_count; f++) {
    const char *value = cell->values[f] == NULL ? RELEASE_TOTAL : cell->values[f];
    const struct release_level *level = &telling->fields[f];
    if (strcmp(value, RELEASE_TOTAL) == 0) {
      *left_out |= 1U << f;
      continue;
    }
    while (at[f] < level->count && strcmp(level->values[at[f]], value) != 0) {
      at[f]++;
    }
    if (at[f] == level->count) {
      return false;
    }
  }
  *place = 0;
  for (size_t f = 0; f < telling->before->table->by_count; f++) {
    *place += at[f] * telling->layouts[*left_out].strides[f];
  }
  return true;
}

/* Who compares releases knows a figure of today as well as he knows that less than k units came and went since: what
 * changed more than that, or is small only now, was not told. */
static uint8_t told_now(bool hidden, int64_t then, int64_t now, int k) {
  bool near = then - now < k && now - then < k;
  if (!hidden) {
    return then == now || (near && now >= k) ? DISCLOSE_SHOWN : DISCLOSE_ABSENT;
  }
  return now == 0 || (now >= k && !near) ? DISCLOSE_ABSENT : DISCLOSE_SMALL;
}

/* Counts of the table as they were when it was published. */
static enum status count_then(const struct telling *telling, struct release_counted *counted, struct error *error) {
  const struct release_request request = {.workspace = telling->workspace,
                                          .as_of_run = telling->before->run,
                                          .settings = {.k = 1},
                                          .tables = &telling->before->table,
                                          .count = 1};
  return release_count(&request, telling->arena, counted, error);
}

static int64_t figure_then(const struct release_counted *counted, size_t by_count, const struct ledger_cell *cell) {
  unsigned left_out = 0;
  size_t place = 0;
  for (size_t f = 0; f < by_count; f++) {
    const char *value = cell->values[f] == NULL ? RELEASE_TOTAL : cell->values[f];
    left_out |= strcmp(value, RELEASE_TOTAL) == 0 ? 1U << f : 0;
  }
  for (size_t f = 0; f < by_count; f++) {
    size_t at = 0;
    while ((left_out >> f & 1) == 0 && at < counted->sizes[f] && strcmp(counted->values[f][at], cell->values[f]) != 0) {
      at++;
    }
    if ((left_out >> f & 1) == 0 && at == counted->sizes[f]) {
      return 0;
    }
    place += at * counted->subsets[left_out].strides[f];
  }
  return counted->subsets[left_out].counts[place];
}

/* Of a layout: one more than what each cell is told to be; 0: it was not listed, which says that it was zero. */
static enum status read_cells(const struct telling *telling, int k, uint8_t *listed[RELEASE_SUBSETS],
                              struct error *error) {
  size_t by_count = telling->before->table->by_count;
  for (unsigned s = 0; s < 1U << by_count; s++) {
    listed[s] = arena_alloc(telling->arena, telling->layouts[s].size + 1);
    if (listed[s] == NULL) {
      return error_memory(error);
    }
  }
  for (size_t i = 0; i < telling->before->cell_count; i++) {
    const struct ledger_cell *cell = &telling->before->cells[i];
    unsigned left_out = 0;
    size_t place = 0;
    if (place_of(telling, cell, &left_out, &place)) {
      int64_t then = cell->hidden ? figure_then(&telling->then, by_count, cell) : cell->figure;
      listed[left_out][place] = (uint8_t)(1 + told_now(cell->hidden, then, telling->layouts[left_out].now[place], k));
    }
  }
  return OK;
}

enum status release_told(const struct workspace *workspace, const struct release_before *before,
                         const struct release_level *fields, const struct release_layout *layouts, int k,
                         struct arena *arena, struct error *error) {
  struct telling telling = {
      .workspace = workspace, .before = before, .fields = fields, .layouts = layouts, .arena = arena};
  uint8_t *listed[RELEASE_SUBSETS] = {NULL};
  enum status status = count_then(&telling, &telling.then, error);
  status = status == OK ? read_cells(&telling, k, listed, error) : status;
  for (unsigned s = 0; s < 1U << before->table->by_count && status == OK; s++) {
    for (size_t i = 0; i < layouts[s].size; i++) {
      uint8_t told = listed[s][i] > 0         ? (uint8_t)(listed[s][i] - 1)
                     : layouts[s].now[i] == 0 ? DISCLOSE_SHOWN
                                              : DISCLOSE_ABSENT;
      layouts[s].earlier[i] = told == DISCLOSE_ABSENT ? layouts[s].earlier[i] : told;
    }
  }
  return status;
}
