#include "core/disclose/system.h"

#include <stdlib.h>

/* The places that other worlds may use. Any choice is sound, since fewer places prove less; the choice here is all of
 * them where they are few enough, else those that units lie in and their neighbours along one axis. */

struct placing {
  struct system *system;
  uint64_t *keys;
  size_t count, tried;
  uint32_t classes[DISCLOSE_AXES_MOST];
  /* By axis: the tables whose levels are all known once this axis is. */
  uint16_t *ready[DISCLOSE_AXES_MOST];
  size_t ready_count[DISCLOSE_AXES_MOST];
  size_t reach; /* tables that a place lies in */
  bool full;
};

/* Whether a published cell with nobody in it would have somebody. */
static bool is_barred(const struct placing *placing, size_t table) {
  const struct system *system = placing->system;
  size_t place = table_place(system, table, placing->classes);
  return place != SIZE_MAX && system->cell_at[table][place] == DISCLOSE_NONE
         && system->result->tables[table].status[place] != DISCLOSE_ABSENT;
}

static void walk(struct placing *placing, size_t axis, uint64_t key) {
  const struct system *system = placing->system;
  if (axis == system->problem->axis_count) {
    if (placing->count == PLACES_MOST || placing->count * placing->reach > ENTRIES_MOST) {
      placing->full = true;
    } else {
      placing->keys[placing->count++] = key;
    }
    return;
  }
  for (uint32_t value = 0; value < system->classes[axis] && !placing->full; value++) {
    bool barred = false;
    placing->classes[axis] = value;
    for (size_t i = 0; i < placing->ready_count[axis] && !barred; i++) {
      barred = is_barred(placing, placing->ready[axis][i]);
    }
    placing->full = ++placing->tried > PLACES_TRIED_MOST;
    if (!barred && !placing->full) {
      walk(placing, axis + 1, key * system->classes[axis] + value);
    }
  }
}

static enum status list_ready(struct placing *placing, struct error *error) {
  const struct disclose_problem *problem = placing->system->problem;
  for (size_t axis = 0; axis < problem->axis_count; axis++) {
    placing->ready[axis] = arena_array(placing->system->arena, problem->table_count + 1, sizeof **placing->ready);
    if (placing->ready[axis] == NULL) {
      return error_memory(error);
    }
  }
  for (size_t t = 0; t < problem->table_count; t++) {
    size_t last = 0;
    for (size_t i = 0; i < problem->tables[t].level_count; i++) {
      size_t axis = problem->tables[t].levels[i].axis;
      last = axis > last ? axis : last;
    }
    if (problem->axis_count > 0 && problem->tables[t].level_count > 0) {
      placing->ready[last][placing->ready_count[last]++] = (uint16_t)t;
    }
  }
  return OK;
}

static int by_key(const void *a, const void *b) {
  uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
  return left < right ? -1 : left > right;
}

static size_t without_repeats(uint64_t *keys, size_t count) {
  size_t kept = 0;
  qsort(keys, count, sizeof *keys, by_key);
  for (size_t i = 0; i < count; i++) {
    if (kept == 0 || keys[kept - 1] != keys[i]) {
      keys[kept++] = keys[i];
    }
  }
  return kept;
}

/* What lies one step along an axis from a place that is used, as far as there is room. */
static void add_neighbours(struct placing *placing, const uint64_t *seen, size_t count) {
  const struct system *system = placing->system;
  size_t axes = system->problem->axis_count, room = (size_t)PLACES_MOST * 2;
  room = room * placing->reach > ENTRIES_MOST ? ENTRIES_MOST / placing->reach : room;
  for (size_t i = 0; i < count && placing->count < room; i++) {
    uint64_t scale = 1;
    key_split(system, seen[i], placing->classes);
    for (size_t axis = axes; axis-- > 0; scale *= system->classes[axis]) {
      uint32_t own = placing->classes[axis];
      for (uint32_t value = 0; value < system->classes[axis] && placing->count < room; value++) {
        bool barred = value == own;
        placing->classes[axis] = value;
        for (size_t t = 0; t < system->problem->table_count && !barred; t++) {
          barred = is_barred(placing, t);
        }
        if (!barred) {
          placing->keys[placing->count++] = seen[i] - own * scale + value * scale;
        }
      }
      placing->classes[axis] = own;
    }
  }
}

static enum status fill_columns(struct system *system, size_t reach, struct error *error) {
  size_t count = system->place_count, used = 0;
  system->starts = arena_array(system->arena, count + 1, sizeof *system->starts);
  system->columns = arena_array(system->arena, count * reach + 1, sizeof *system->columns);
  if (system->starts == NULL || system->columns == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < count; i++) {
    uint32_t classes[DISCLOSE_AXES_MOST];
    key_split(system, system->keys[i], classes);
    for (size_t t = 0; t < system->problem->table_count; t++) {
      size_t place = table_place(system, t, classes);
      if (place != SIZE_MAX && system->cell_at[t][place] != DISCLOSE_NONE) {
        system->columns[used++] = (int)system->cell_at[t][place];
      }
    }
    system->starts[i + 1] = (int)used;
  }
  return OK;
}

static enum status keep(struct placing *placing, const uint64_t *seen, const int64_t *loose, size_t count,
                        struct error *error) {
  struct system *system = placing->system;
  system->place_count = placing->count;
  system->keys = arena_array(system->arena, placing->count + 1, sizeof *system->keys);
  system->loose = arena_array(system->arena, placing->count + 1, sizeof *system->loose);
  if (system->keys == NULL || system->loose == NULL) {
    return error_memory(error);
  }
  memcpy(system->keys, placing->keys, placing->count * sizeof *placing->keys);
  for (size_t i = 0, at = 0; i < count; i++) {
    while (at < placing->count && system->keys[at] < seen[i]) {
      at++;
    }
    if (at < placing->count && system->keys[at] == seen[i]) {
      system->loose[at] = loose[i];
    }
  }
  return fill_columns(system, placing->reach, error);
}

enum status places_make(struct system *system, const uint64_t *seen, const int64_t *loose, size_t count,
                        struct error *error) {
  size_t room = count + (size_t)PLACES_MOST * 2;
  struct placing placing = {.system = system, .reach = system->problem->table_count + 1};
  placing.keys = malloc((room + 1) * sizeof *placing.keys);
  enum status status = placing.keys == NULL ? error_memory(error) : list_ready(&placing, error);
  if (status == OK) {
    walk(&placing, 0, 0);
  }
  if (status == OK && placing.full) {
    placing.count = 0;
    for (size_t i = 0; i < count && (placing.count + 1) * placing.reach < ENTRIES_MOST; i++) {
      placing.keys[placing.count++] = seen[i];
    }
    add_neighbours(&placing, seen, count);
    placing.count = without_repeats(placing.keys, placing.count);
  }
  status = status == OK ? keep(&placing, seen, loose, count, error) : status;
  free(placing.keys);
  return status;
}
