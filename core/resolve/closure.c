#include "core/resolve/closure.h"

#include <stdlib.h>

enum status row_set_add(struct row_set *set, int64_t id, struct error *error) {
  if (set->count == set->capacity) {
    size_t capacity = set->capacity == 0 ? 64 : set->capacity * 2;
    int64_t *grown = realloc(set->ids, capacity * sizeof *grown);
    if (grown == NULL) {
      return error_memory(error);
    }
    set->ids = grown;
    set->capacity = capacity;
  }
  set->ids[set->count++] = id;
  return OK;
}

enum status row_set_add_all(struct row_set *set, const struct row_set *others, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; status == OK && i < others->count; i++) {
    status = row_set_add(set, others->ids[i], error);
  }
  return status;
}

static int by_id(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a;
  int64_t y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

void row_set_sort(struct row_set *set) {
  size_t kept = 0;
  if (set->count == 0) {
    return;
  }
  qsort(set->ids, set->count, sizeof *set->ids, by_id);
  for (size_t i = 0; i < set->count; i++) {
    if (i == 0 || set->ids[i] != set->ids[kept - 1]) {
      set->ids[kept++] = set->ids[i];
    }
  }
  set->count = kept;
}

bool row_set_has(const struct row_set *set, int64_t id) {
  return set->count > 0 && bsearch(&id, set->ids, set->count, sizeof *set->ids, by_id) != NULL;
}

void row_set_free(struct row_set *set) {
  free(set->ids);
  *set = (struct row_set){0};
}

enum status row_set_records(const struct row_set *set, struct row_set *records, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; status == OK && i < set->count; i++) {
    status = row_set_add(records, record_of(set->ids[i]), error);
  }
  row_set_sort(records);
  return status;
}

/* Rows met on the way outwards. */
struct growing {
  const struct row_set *inside;
  struct row_set found;
};

static enum status take_end(struct growing *growing, int64_t row, struct error *error) {
  return row_set_has(growing->inside, row) ? OK : row_set_add(&growing->found, row, error);
}

static enum status take_pair(void *context, const struct link_pair_row *pair, struct error *error) {
  enum status status = take_end(context, pair->row_a, error);
  return status == OK ? take_end(context, pair->row_b, error) : status;
}

enum status closure_grow(struct store *store, enum cluster_kind kind, struct row_set *set, struct error *error) {
  struct row_set frontier = {0};
  enum status status = OK;
  for (size_t i = 0; status == OK && i < set->count; i++) {
    status = row_set_add(&frontier, set->ids[i], error);
  }
  while (status == OK && frontier.count > 0) {
    struct growing growing = {.inside = set};
    status = store_visit_pairs(store, kind, frontier.ids, frontier.count, take_pair, &growing, error);
    row_set_sort(&growing.found);
    for (size_t i = 0; status == OK && i < growing.found.count; i++) {
      status = row_set_add(set, growing.found.ids[i], error);
    }
    row_set_sort(set);
    row_set_free(&frontier);
    frontier = growing.found;
  }
  row_set_free(&frontier);
  return status;
}
