#include "core/disclose/disclose.h"

#include "core/disclose/engine.h"

#include <stdlib.h>

enum { TURNS_MOST = 100, BOX_SIDE = 6 };
#define STRETCH 1e6 /* more than all that is shown costs */

/* ---- worlds ---- */

/* What the world moves each cell. */
static void swing(struct engine *engine, const struct world *world) {
  const struct system *system = &engine->system;
  memset(engine->swing, 0, system->cell_count * sizeof *engine->swing);
  for (size_t i = 0; i < world->count; i++) {
    const struct move *move = &world->moves[i];
    for (int at = system->starts[move->place]; at < system->starts[move->place + 1]; at++) {
      engine->swing[system->columns[at]] += move->by;
    }
  }
}

/* Whether it is a set of units that could be: none negative, no hidden cell less than it is known to be, what is known
 * as it is. */
static bool is_possible(const struct engine *engine, const struct world *world) {
  const struct system *system = &engine->system;
  for (size_t i = 0; i < world->count; i++) {
    if (system->loose[world->moves[i].place] + world->moves[i].by < 0) {
      return false;
    }
  }
  for (size_t i = 0; i < system->cell_count; i++) {
    const struct cell *cell = &system->cells[i];
    if (engine->swing[i] != 0 && (cell->known || cell->count + engine->swing[i] < cell->floor)) {
      return false;
    }
  }
  return true;
}

/* Widens what is possible of each hidden cell. */
static void learn(struct engine *engine) {
  for (size_t i = 0; i < engine->system.cell_count; i++) {
    struct cell *cell = &engine->system.cells[i];
    int64_t count = cell->count + engine->swing[i];
    cell->least = count < cell->least ? count : cell->least;
    cell->most = count > cell->most ? count : cell->most;
  }
}

/* Hides what the world moves. */
static void hide(struct engine *engine) {
  for (size_t i = 0; i < engine->system.cell_count; i++) {
    struct cell *cell = &engine->system.cells[i];
    if (engine->swing[i] != 0 && cell->status == DISCLOSE_SHOWN) {
      cell->status = DISCLOSE_BESIDE;
    }
  }
}

/* The world in engine->moved; it is kept if it is possible. */
static enum status take_world(struct engine *engine, bool *taken, struct error *error) {
  const struct system *system = &engine->system;
  struct world world = {.count = 0};
  *taken = false;
  for (size_t i = 0; i < system->place_count; i++) {
    world.count += engine->moved[i] != 0;
  }
  world.moves = arena_array(system->arena, world.count + 1, sizeof *world.moves);
  if (engine->count == engine->capacity) {
    size_t capacity = engine->capacity == 0 ? 256 : engine->capacity * 2;
    struct world *grown = realloc(engine->worlds, capacity * sizeof *grown);
    if (grown == NULL) {
      return error_memory(error);
    }
    engine->worlds = grown;
    engine->capacity = capacity;
  }
  if (world.moves == NULL) {
    return error_memory(error);
  }
  world.count = 0;
  for (size_t i = 0; i < system->place_count; i++) {
    if (engine->moved[i] != 0) {
      world.moves[world.count++] = (struct move){.place = (uint32_t)i, .by = engine->moved[i]};
    }
  }
  swing(engine, &world);
  if (is_possible(engine, &world)) {
    hide(engine);
    learn(engine);
    engine->worlds[engine->count++] = world;
    *taken = true;
  }
  return OK;
}

/* ---- protection ---- */

static bool is_hidden(const struct cell *cell) {
  return cell->status != DISCLOSE_SHOWN;
}

static bool is_protected(const struct cell *cell) {
  return cell->most >= cell->room.most && cell->most - cell->least >= cell->room.width;
}

static enum status check_stop(const struct engine *engine, struct error *error) {
  const atomic_bool *stop = engine->system.problem->stop;
  return stop != NULL && atomic_load(stop) ? error_set(error, ERR_INTERRUPTED, "%s", _("stopped")) : OK;
}

enum status engine_solve(struct engine *engine, struct programme *programme, bool *reached, struct error *error) {
  enum status status = check_stop(engine, error);
  *reached = false;
  engine->system.result->solved++;
  return status == OK && programme_solve(programme, engine->moved) ? take_world(engine, reached, error) : status;
}

/* A number from a cell and a turn, always the same. */
static uint64_t draw(uint64_t cell, uint64_t turn) {
  uint64_t x = (cell + 1) * 0x9e3779b97f4a7c15u + (turn + 1) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

/* How well a class of one of the cell's levels would do as the other side of a move: what is hidden there already costs
 * nothing, what is empty cannot move. */
static uint64_t promise(const struct system *system, size_t at, size_t level, const uint32_t *values, uint32_t class) {
  const struct cell *cell = &system->cells[at];
  const struct disclose_table *table = &system->problem->tables[cell->table];
  uint32_t changed[DISCLOSE_AXES_MOST], group = system->groups[cell->table][level][class];
  if (group == DISCLOSE_NONE) {
    return 0;
  }
  memcpy(changed, values, sizeof changed);
  changed[level] = group;
  uint32_t other = system->cell_at[cell->table][disclose_place(table, changed)];
  uint64_t noise = draw(at, class) >> 4;
  uint64_t good = group == values[level] ? 3 : other == DISCLOSE_NONE ? 0 : is_hidden(&system->cells[other]) ? 2 : 1;
  return noise | good << 61;
}

/* Keeps the classes of a level that promise most, of the cell's own group or of the others. */
static void keep_best(struct engine *engine, size_t at, size_t level, const uint32_t *values, bool own) {
  const struct system *system = &engine->system;
  const struct cell *cell = &system->cells[at];
  uint32_t axis = system->problem->tables[cell->table].levels[level].axis;
  for (uint32_t kept = 0; kept < BOX_SIDE; kept++) {
    uint32_t best = DISCLOSE_NONE;
    uint64_t most = 0;
    for (uint32_t class = 0; class < system->classes[axis]; class ++) {
      bool here = (system->groups[cell->table][level][class] == values[level]) == own;
      uint64_t good = engine->keep[axis][class] || !here ? 0 : promise(system, at, level, values, class);
      best = good > most ? class : best;
      most = good > most ? good : most;
    }
    if (best == DISCLOSE_NONE) {
      return;
    }
    engine->keep[axis][best] = true;
  }
}

/* Of each of the cell's levels a few classes of its own and a few others; all of the other axes. */
static void choose_box(struct engine *engine, size_t at) {
  const struct system *system = &engine->system;
  const struct disclose_table *table = &system->problem->tables[system->cells[at].table];
  uint32_t values[DISCLOSE_AXES_MOST];
  size_t rest = system->cells[at].place;
  for (size_t i = table->level_count; i-- > 0;) {
    values[i] = (uint32_t)(rest % table->levels[i].groups);
    rest /= table->levels[i].groups;
  }
  for (size_t axis = 0; axis < system->problem->axis_count; axis++) {
    memset(engine->keep[axis], true, system->classes[axis]);
  }
  for (size_t i = 0; i < table->level_count; i++) {
    uint32_t count = system->classes[table->levels[i].axis];
    memset(engine->keep[table->levels[i].axis], count <= BOX_SIDE, count);
    if (count > BOX_SIDE) {
      keep_best(engine, at, i, values, true);
      keep_best(engine, at, i, values, false);
    }
  }
  for (size_t p = 0; p < system->place_count; p++) {
    uint32_t classes[DISCLOSE_AXES_MOST];
    key_split(system, system->keys[p], classes);
    engine->kept[p] = true;
    for (size_t axis = 0; axis < system->problem->axis_count; axis++) {
      engine->kept[p] = engine->kept[p] && engine->keep[axis][classes[axis]];
    }
  }
}

static enum status aim_at(struct engine *engine, struct programme *programme, enum hold hold, size_t cell, int64_t by,
                          bool up, bool *reached, struct error *error) {
  *reached = false;
  programme_begin(programme, hold);
  return programme_aim(programme, cell, by, up) ? engine_solve(engine, programme, reached, error) : OK;
}

/* `cell` up to, or down to, `aim`: with the places near it or, where that cannot be, with all. */
static enum status reach(struct engine *engine, size_t cell, int64_t aim, bool up, struct error *error) {
  int64_t count = engine->system.cells[cell].count, by = up ? aim - count : count - aim;
  struct programme *near;
  bool reached = false;
  choose_box(engine, cell);
  enum status status = programme_new(&engine->system, engine->kept, &near, error);
  if (status == OK) {
    status = aim_at(engine, near, HOLD_LOWER, cell, by, up, &reached, error);
    programme_free(near);
  }
  if (status == OK && !reached) {
    status = aim_at(engine, engine->programme, HOLD_LOWER, cell, by, up, &reached, error);
  }
  if (status == OK && !reached && engine->lower != NULL) {
    status = aim_at(engine, engine->programme, HOLD_KNOWN, cell, by, up, &reached, error);
  }
  return status;
}

/* As near to `aim` as can be, whatever it costs. */
static enum status stretch(struct engine *engine, size_t at, int64_t aim, bool up, struct error *error) {
  const struct cell *cell = &engine->system.cells[at];
  int64_t by = up ? aim - cell->count : cell->count - aim;
  bool reached;
  if (by <= 0 || (up ? cell->most >= aim : cell->least <= aim)) {
    return OK;
  }
  programme_begin(engine->programme, HOLD_KNOWN);
  programme_wish(engine->programme, at, by, up, STRETCH);
  return engine_solve(engine, engine->programme, &reached, error);
}

/* No more is asked for than there is. */
static void keep_room(struct cell *cell) {
  int64_t width = cell->most - cell->least;
  cell->room.most = cell->most < cell->room.most ? cell->most : cell->room.most;
  cell->room.width = width < cell->room.width ? width : cell->room.width;
}

/* First up, until a count of k is possible; then down, as far as a cell that is not empty can go; then up for the rest
 * of the width. */
static enum status protect(struct engine *engine, size_t at, struct error *error) {
  struct cell *cell = &engine->system.cells[at];
  enum status status = OK;
  if (cell->most < cell->room.most) {
    status = reach(engine, at, cell->room.most, true, error);
  }
  int64_t floor = cell->fixed > cell->floor ? cell->fixed : cell->floor, low = cell->most - cell->room.width;
  if (status == OK && !is_protected(cell) && floor < cell->least) {
    status = reach(engine, at, low > floor ? low : floor, false, error);
  }
  if (status == OK && !is_protected(cell)) {
    status = reach(engine, at, cell->least + cell->room.width, true, error);
  }
  if (status == OK && cell->modest && !is_protected(cell)) {
    status = stretch(engine, at, cell->room.most, true, error);
    status = status == OK ? stretch(engine, at, floor, false, error) : status;
    keep_room(cell);
  }
  cell->exposed = !is_protected(cell);
  return status;
}

/* Tables with fewer levels first, then the smaller counts: their worlds serve most others. */
static int by_need(const void *a, const void *b, void *context) {
  const struct system *system = context;
  const struct cell *left = &system->cells[*(const uint32_t *)a], *right = &system->cells[*(const uint32_t *)b];
  size_t x = system->problem->tables[left->table].level_count, y = system->problem->tables[right->table].level_count;
  if (x != y) {
    return x < y ? -1 : 1;
  }
  if (left->count != right->count) {
    return left->count < right->count ? -1 : 1;
  }
  return left < right ? -1 : left > right;
}

bool engine_needs(const struct cell *cell) {
  return is_hidden(cell) && !cell->exposed && !is_protected(cell);
}

static size_t count_needs(const struct system *system) {
  size_t count = 0;
  for (size_t i = 0; i < system->cell_count; i++) {
    count += engine_needs(&system->cells[i]);
  }
  return count;
}

/* Many at once, with shown cells held: some of the hidden ones take from others. Wishes of very different strength,
 * so that some are met in full rather than all in part; other ones in the next turn. */
static enum status protect_each_other(struct engine *engine, struct error *error) {
  struct system *system = &engine->system;
  enum status status = OK;
  size_t left = count_needs(system);
  for (int turn = 0, vain = 0; status == OK && left > 0 && turn < TURNS_MOST && vain < 3; turn++) {
    bool reached;
    size_t before = left;
    programme_begin(engine->programme, HOLD_SHOWN);
    for (size_t i = 0; i < system->cell_count; i++) {
      const struct cell *cell = &system->cells[i];
      int64_t most = cell->least + cell->room.width;
      most = most > cell->room.most ? most : cell->room.most;
      if (engine_needs(cell)) {
        programme_wish(engine->programme, i, most - cell->count, true, (double)(1u << draw(i, (uint64_t)turn) % 12));
      }
    }
    status = engine_solve(engine, engine->programme, &reached, error);
    left = count_needs(system);
    vain = (before - left) * 50 < left ? vain + 1 : 0;
  }
  return status;
}

/* A strict problem ends with the first cell that cannot be protected. */
static bool gives_up(const struct system *system, size_t cell) {
  return system->problem->strict && system->cells[cell].exposed;
}

static enum status protect_singly(struct engine *engine, struct error *error) {
  struct system *system = &engine->system;
  uint32_t *order = malloc((system->cell_count + 1) * sizeof *order);
  enum status status = order == NULL ? error_memory(error) : OK;
  bool again = status == OK;
  for (uint32_t i = 0; status == OK && i < system->cell_count; i++) {
    order[i] = i;
  }
  if (status == OK) {
    qsort_r(order, system->cell_count, sizeof *order, by_need, system);
  }
  while (again && status == OK) {
    again = false;
    for (size_t i = 0; i < system->cell_count && status == OK; i++) {
      if (engine_needs(&system->cells[order[i]])) {
        status = protect(engine, order[i], error);
        again = !gives_up(system, order[i]);
        if (!again) {
          break;
        }
      }
    }
  }
  free(order);
  return status;
}

static enum status protect_all(struct engine *engine, struct error *error) {
  enum status status = protect_each_other(engine, error);
  return status == OK ? protect_singly(engine, error) : status;
}

/* ---- what was hidden for nothing ---- */

/* Anew from the worlds that are left. */
static void learn_all(struct engine *engine) {
  for (size_t i = 0; i < engine->system.cell_count; i++) {
    engine->system.cells[i].least = engine->system.cells[i].most = engine->system.cells[i].count;
  }
  for (size_t w = 0; w < engine->count; w++) {
    if (!engine->worlds[w].dropped) {
      swing(engine, &engine->worlds[w]);
      learn(engine);
    }
  }
}

static bool all_protected(const struct system *system) {
  for (size_t i = 0; i < system->cell_count; i++) {
    const struct cell *cell = &system->cells[i];
    if (is_hidden(cell) && !cell->exposed && !is_protected(cell)) {
      return false;
    }
  }
  return true;
}

/* Shows the cell again, without the worlds that move it; false, and nothing done, where others need one of them. */
static bool show_again(struct engine *engine, size_t at) {
  struct cell *cell = &engine->system.cells[at];
  for (size_t w = 0; w < engine->count; w++) {
    swing(engine, &engine->worlds[w]);
    engine->worlds[w].dropped = engine->worlds[w].dropped || engine->swing[at] != 0;
  }
  cell->status = DISCLOSE_SHOWN;
  learn_all(engine);
  return all_protected(&engine->system);
}

static int by_cost(const void *a, const void *b, void *context) {
  const struct system *system = context;
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  double x = system->cells[left].cost, y = system->cells[right].cost;
  return x != y ? (x > y ? -1 : 1) : left < right ? -1 : left > right;
}

/* A cell that was hidden for one world may not be needed any more since others were found: the most costly first. */
static enum status show_spared(struct engine *engine, struct error *error) {
  struct system *system = &engine->system;
  uint32_t *order = malloc((system->cell_count + 1) * sizeof *order);
  bool *dropped = malloc(engine->count + 1);
  size_t count = 0;
  if (order == NULL || dropped == NULL) {
    free(order);
    free(dropped);
    return error_memory(error);
  }
  for (uint32_t i = 0; i < system->cell_count; i++) {
    if (system->cells[i].status == DISCLOSE_BESIDE && !system->cells[i].exposed) {
      order[count++] = i;
    }
  }
  qsort_r(order, count, sizeof *order, by_cost, system);
  enum status status = OK;
  for (size_t i = 0; i < count && (status = check_stop(engine, error)) == OK; i++) {
    for (size_t w = 0; w < engine->count; w++) {
      dropped[w] = engine->worlds[w].dropped;
    }
    if (!show_again(engine, order[i])) {
      system->cells[order[i]].status = DISCLOSE_BESIDE;
      for (size_t w = 0; w < engine->count; w++) {
        engine->worlds[w].dropped = dropped[w];
      }
    }
  }
  learn_all(engine);
  free(order);
  free(dropped);
  return status;
}

/* ---- the end ---- */

/* Once more from nothing: every world that is left keeps every shown figure, and the cells that are not protected by
 * what they show are told. */
static enum status audit(struct engine *engine, struct error *error) {
  struct system *system = &engine->system;
  struct disclose_result *result = system->result;
  for (size_t w = 0; w < engine->count; w++) {
    if (engine->worlds[w].dropped) {
      continue;
    }
    swing(engine, &engine->worlds[w]);
    for (size_t i = 0; i < system->cell_count; i++) {
      if (engine->swing[i] != 0 && !is_hidden(&system->cells[i])) {
        return error_set(error, ERR_INTERNAL, "%s", _("disclosure control: a world does not keep what is shown"));
      }
    }
    if (!is_possible(engine, &engine->worlds[w])) {
      return error_set(error, ERR_INTERNAL, "%s", _("disclosure control: a world does not keep what is shown"));
    }
    result->worlds++;
  }
  learn_all(engine);
  for (size_t i = 0; i < system->cell_count; i++) {
    const struct cell *cell = &system->cells[i];
    bool own = system->problem->tables[cell->table].earlier == NULL;
    result->filled += own;
    result->small += own && cell->status == DISCLOSE_SMALL;
    result->beside += own && cell->status == DISCLOSE_BESIDE;
    result->exposed += is_hidden(cell) && !is_protected(cell);
    if (result->tables[cell->table].room != NULL) {
      result->tables[cell->table].room[cell->place] = cell->room;
    }
    result->tables[cell->table].status[cell->place] = cell->status;
  }
  return OK;
}

/* ---- units that are still seen ---- */

static int by_unit(const void *a, const void *b) {
  const struct disclose_row *left = a, *right = b;
  return left->unit < right->unit ? -1 : left->unit > right->unit;
}

/* Whether one of the tables counts the row, and whether in a shown cell of a finest one. */
static void look(const struct system *system, const struct disclose_row *row, size_t finest, bool *counted,
                 bool *seen) {
  uint32_t classes[DISCLOSE_AXES_MOST];
  for (size_t axis = 0; axis < system->problem->axis_count; axis++) {
    classes[axis] = system->class_of[axis][row->atoms[axis]];
  }
  for (size_t t = 0; t < system->problem->table_count; t++) {
    const struct disclose_table *table = &system->problem->tables[t];
    size_t place = table->earlier != NULL ? SIZE_MAX : table_place(system, t, classes);
    if (place != SIZE_MAX) {
      *counted = true;
      *seen = *seen || (table->level_count == finest && system->result->tables[t].status[place] == DISCLOSE_SHOWN);
    }
  }
}

static enum status count_seen(const struct system *system, struct error *error) {
  const struct disclose_problem *problem = system->problem;
  struct disclose_row *rows = malloc((problem->row_count + 1) * sizeof *rows);
  size_t finest = 0;
  if (rows == NULL) {
    return error_memory(error);
  }
  for (size_t t = 0; t < problem->table_count; t++) {
    if (problem->tables[t].earlier == NULL && problem->tables[t].level_count > finest) {
      finest = problem->tables[t].level_count;
    }
  }
  if (problem->row_count > 0) {
    memcpy(rows, problem->rows, problem->row_count * sizeof *rows);
  }
  qsort(rows, problem->row_count, sizeof *rows, by_unit);
  for (size_t from = 0, to; from < problem->row_count; from = to) {
    bool counted = false, seen = false;
    for (to = from; to < problem->row_count && rows[to].unit == rows[from].unit; to++) {
      look(system, &rows[to], finest, &counted, &seen);
    }
    system->result->units += counted;
    system->result->seen += seen;
  }
  free(rows);
  return OK;
}

static bool has_hidden(const struct system *system) {
  for (size_t i = 0; i < system->cell_count; i++) {
    if (is_hidden(&system->cells[i])) {
      return true;
    }
  }
  return false;
}

static enum status run(struct engine *engine, struct error *error) {
  const struct system *system = &engine->system;
  engine->moved = calloc(system->place_count + 1, sizeof *engine->moved);
  engine->kept = calloc(system->place_count + 1, sizeof *engine->kept);
  engine->swing = calloc(system->cell_count + 1, sizeof *engine->swing);
  if (engine->moved == NULL || engine->kept == NULL || engine->swing == NULL) {
    return error_memory(error);
  }
  for (size_t axis = 0; axis < system->problem->axis_count; axis++) {
    engine->keep[axis] = arena_array(system->arena, system->classes[axis], sizeof **engine->keep);
    if (engine->keep[axis] == NULL) {
      return error_memory(error);
    }
  }
  enum status status = OK;
  if (has_hidden(system)) {
    status = programme_new(system, NULL, &engine->programme, error);
    status = status == OK && engine->lower != NULL ? carry_worlds(engine, error) : status;
    status = status == OK ? protect_all(engine, error) : status;
    status = status == OK ? show_spared(engine, error) : status;
  }
  status = status == OK ? audit(engine, error) : status;
  return status == OK ? count_seen(system, error) : status;
}

/* The worlds that are left, which the next tier starts from. */
static void leave(const struct engine *engine, struct lower *left) {
  const struct system *system = &engine->system;
  memcpy(left->classes, system->classes, sizeof left->classes);
  for (size_t axis = 0; axis < system->problem->axis_count; axis++) {
    left->class_of[axis] = system->class_of[axis];
  }
  left->keys = system->keys;
  struct world *worlds = arena_array(system->arena, engine->count + 1, sizeof *worlds);
  for (size_t w = 0; worlds != NULL && w < engine->count; w++) { /* without them the next one finds its own */
    if (!engine->worlds[w].dropped) {
      worlds[left->count++] = engine->worlds[w];
    }
  }
  left->worlds = worlds;
}

enum status tier_run(const struct disclose_problem *problem, const struct lower *lower, struct arena *arena,
                     struct disclose_result *result, struct lower *left, struct error *error) {
  struct engine engine = {.lower = lower};
  *result = (struct disclose_result){0};
  enum status status = system_make(problem, lower, arena, result, &engine.system, error);
  status = status == OK ? run(&engine, error) : status;
  if (status == OK) {
    leave(&engine, left);
  }
  programme_free(engine.programme);
  free(engine.worlds);
  free(engine.moved);
  free(engine.kept);
  free(engine.swing);
  return status;
}
