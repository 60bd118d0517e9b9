#include "core/disclose/engine.h"

#include <stdlib.h>

/* A world of the lower tier moves units between places that new tables split: it is looked for again in the parts of
 * its own places alone, which is far less than looking for it among all, and without hiding more: where that cannot be,
 * others are found. */

struct part {
  uint64_t under; /* key of the place of the lower tier that it is a part of */
  uint32_t place;
};
struct carrying {
  struct engine *engine;
  struct part *parts; /* ascending */
  int64_t *swing;     /* by cell of lower tables: what the world moves it */
};

static int by_under(const void *a, const void *b) {
  const struct part *left = a, *right = b;
  if (left->under != right->under) {
    return left->under < right->under ? -1 : 1;
  }
  return left->place < right->place ? -1 : left->place > right->place;
}

static enum status list_parts(struct carrying *carrying, struct error *error) {
  const struct system *system = &carrying->engine->system;
  const struct lower *lower = carrying->engine->lower;
  uint32_t *under[DISCLOSE_AXES_MOST] = {NULL}; /* by class: that of the lower tier */
  for (size_t axis = 0; axis < system->problem->axis_count; axis++) {
    under[axis] = arena_array(system->arena, system->classes[axis], sizeof **under);
    if (under[axis] == NULL) {
      return error_memory(error);
    }
    for (uint32_t atom = 0; atom < system->problem->axes[axis]; atom++) {
      under[axis][system->class_of[axis][atom]] = lower->class_of[axis][atom];
    }
  }
  for (size_t p = 0; p < system->place_count; p++) {
    uint32_t classes[DISCLOSE_AXES_MOST];
    struct part *part = &carrying->parts[p];
    key_split(system, system->keys[p], classes);
    *part = (struct part){.place = (uint32_t)p};
    for (size_t axis = 0; axis < system->problem->axis_count; axis++) {
      part->under = part->under * lower->classes[axis] + under[axis][classes[axis]];
    }
  }
  qsort(carrying->parts, system->place_count, sizeof *carrying->parts, by_under);
  return OK;
}

/* The first part of a place of the lower tier; place_count: there is none. */
static size_t first_part(const struct carrying *carrying, uint64_t key) {
  size_t least = 0, most = carrying->engine->system.place_count;
  while (least < most) {
    size_t middle = least + (most - least) / 2;
    if (carrying->parts[middle].under < key) {
      least = middle + 1;
    } else {
      most = middle;
    }
  }
  bool found = least < carrying->engine->system.place_count && carrying->parts[least].under == key;
  return found ? least : carrying->engine->system.place_count;
}

/* Keeps the parts of the world's places, and adds up what it moves; false: one of them has no part. */
static bool keep_parts(const struct carrying *carrying, const struct world *world) {
  const struct system *system = &carrying->engine->system;
  memset(carrying->engine->kept, 0, system->place_count * sizeof *carrying->engine->kept);
  memset(carrying->swing, 0, system->cell_count * sizeof *carrying->swing);
  for (size_t i = 0; i < world->count; i++) {
    uint64_t key = carrying->engine->lower->keys[world->moves[i].place];
    size_t first = first_part(carrying, key);
    if (first == system->place_count) {
      return false;
    }
    uint32_t place = carrying->parts[first].place; /* all parts lie in the same cells of lower tables */
    for (int at = system->starts[place]; at < system->starts[place + 1]; at++) {
      carrying->swing[system->columns[at]] += system->cells[system->columns[at]].held ? world->moves[i].by : 0;
    }
    for (size_t p = first; p < system->place_count && carrying->parts[p].under == key; p++) {
      carrying->engine->kept[carrying->parts[p].place] = true;
    }
  }
  return true;
}

/* Whether it would tell more of a cell than is known. */
static bool serves(const struct carrying *carrying) {
  const struct system *system = &carrying->engine->system;
  for (size_t i = 0; i < system->cell_count; i++) {
    const struct cell *cell = &system->cells[i];
    int64_t count = cell->count + carrying->swing[i];
    if (engine_needs(cell) && (count < cell->least || count > cell->most)) {
      return true;
    }
  }
  return false;
}

static enum status look_again(const struct carrying *carrying, struct error *error) {
  struct engine *engine = carrying->engine;
  const struct system *system = &engine->system;
  struct programme *programme;
  bool can = true, reached;
  enum status status = programme_new(system, engine->kept, &programme, error);
  if (status != OK) {
    return status;
  }
  programme_begin(programme, HOLD_SHOWN);
  for (size_t i = 0; i < system->cell_count && can; i++) {
    int64_t by = carrying->swing[i];
    if (by != 0) {
      can = programme_has(programme, i) && programme_aim(programme, i, by > 0 ? by : -by, by > 0);
    }
  }
  status = can ? engine_solve(engine, programme, &reached, error) : OK;
  programme_free(programme);
  return status;
}

enum status carry_worlds(struct engine *engine, struct error *error) {
  const struct system *system = &engine->system;
  struct carrying carrying = {.engine = engine,
                              .parts = calloc(system->place_count + 1, sizeof *carrying.parts),
                              .swing = calloc(system->cell_count + 1, sizeof *carrying.swing)};
  enum status status =
      carrying.parts == NULL || carrying.swing == NULL ? error_memory(error) : list_parts(&carrying, error);
  for (size_t w = 0; w < engine->lower->count && status == OK; w++) {
    if (keep_parts(&carrying, &engine->lower->worlds[w]) && serves(&carrying)) {
      status = look_again(&carrying, error);
    }
  }
  free(carrying.parts);
  free(carrying.swing);
  return status;
}
