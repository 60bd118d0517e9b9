#include "core/disclose/system.h"

#include <stdlib.h>

size_t table_size(const struct disclose_table *table) {
  size_t size = 1;
  for (size_t i = 0; i < table->level_count; i++) {
    size *= table->levels[i].groups;
    if (size > DISCLOSE_CELLS_MOST) {
      return SIZE_MAX;
    }
  }
  return size;
}

size_t disclose_place(const struct disclose_table *table, const uint32_t *values) {
  size_t place = 0;
  for (size_t i = 0; i < table->level_count; i++) {
    place = place * table->levels[i].groups + values[i];
  }
  return place;
}

size_t table_place(const struct system *system, size_t table, const uint32_t *classes) {
  const struct disclose_table *own = &system->problem->tables[table];
  uint32_t values[DISCLOSE_AXES_MOST];
  for (size_t i = 0; i < own->level_count; i++) {
    values[i] = system->groups[table][i][classes[own->levels[i].axis]];
    if (values[i] == DISCLOSE_NONE) {
      return SIZE_MAX;
    }
  }
  return disclose_place(own, values);
}

void key_split(const struct system *system, uint64_t key, uint32_t *classes) {
  for (size_t i = system->problem->axis_count; i-- > 0;) {
    classes[i] = (uint32_t)(key % system->classes[i]);
    key /= system->classes[i];
  }
}

/* ---- what comes in ---- */

static enum status refuse(const char *what, const char *name, struct error *error) {
  return error_set(error, ERR_INPUT, _("disclosure control: %s of table '%s' is out of bounds"), what,
                   name == NULL ? "" : name);
}

static enum status check_table(const struct disclose_problem *problem, const struct disclose_table *table,
                               struct error *error) {
  if (table->level_count > DISCLOSE_AXES_MOST) {
    return refuse(_("the number of levels"), table->name, error);
  }
  for (size_t i = 0; i < table->level_count; i++) {
    const struct disclose_level *level = &table->levels[i];
    if (level->axis >= problem->axis_count || level->groups == 0
        || (level->group == NULL && level->groups != problem->axes[level->axis])) {
      return refuse(_("a level"), table->name, error);
    }
    for (uint32_t atom = 0; level->group != NULL && atom < problem->axes[level->axis]; atom++) {
      if (level->group[atom] >= level->groups && level->group[atom] != DISCLOSE_NONE) {
        return refuse(_("a group"), table->name, error);
      }
    }
  }
  size_t size = table_size(table);
  for (size_t i = 0; size != SIZE_MAX && table->earlier != NULL && i < size; i++) {
    if (table->earlier[i] > DISCLOSE_ABSENT) {
      return refuse(_("a status"), table->name, error);
    }
  }
  return OK;
}

static enum status check_rows(const struct disclose_problem *problem, struct error *error) {
  for (size_t i = 0; i < problem->row_count; i++) {
    for (size_t axis = 0; axis < problem->axis_count; axis++) {
      if (problem->rows[i].atoms[axis] >= problem->axes[axis]) {
        return error_set(error, ERR_INPUT, "%s", _("disclosure control: a value is not one of its axis"));
      }
    }
  }
  return OK;
}

static enum status check(const struct disclose_problem *problem, struct error *error) {
  const struct disclose_settings *settings = &problem->settings;
  if (settings->k < 1 || settings->k > DISCLOSE_K_MOST || settings->width < 0 || settings->width > DISCLOSE_K_MOST
      || problem->axis_count > DISCLOSE_AXES_MOST) {
    return error_set(error, ERR_INPUT, _("disclosure control: k is 1 to %d, and so is the width"), DISCLOSE_K_MOST);
  }
  if (problem->table_count > DISCLOSE_TABLES_MOST || problem->row_count > DISCLOSE_ROWS_MOST) {
    return error_set(error, ERR_LIMIT, _("disclosure control: more than %d tables, or too many rows"),
                     DISCLOSE_TABLES_MOST);
  }
  for (size_t i = 0; i < problem->axis_count; i++) {
    if (problem->axes[i] == 0 || problem->axes[i] > DISCLOSE_ATOMS_MOST) {
      return error_set(error, ERR_INPUT, "%s", _("disclosure control: an axis has no values, or too many"));
    }
  }
  size_t cells = 0;
  for (size_t i = 0; i < problem->table_count; i++) {
    enum status status = check_table(problem, &problem->tables[i], error);
    if (status != OK) {
      return status;
    }
    size_t size = table_size(&problem->tables[i]);
    if (size == SIZE_MAX || (cells += size) > DISCLOSE_CELLS_MOST) {
      error_set(error, ERR_LIMIT, _("disclosure control: the tables have more than %d cells"), DISCLOSE_CELLS_MOST);
      error_hint(error, "%s", _("ask for fewer fields, or add --where FIELD=VALUE"));
      return ERR_LIMIT;
    }
  }
  return check_rows(problem, error);
}

/* ---- classes: atoms that no table tells apart ---- */

static uint32_t group_of(const struct disclose_level *level, uint32_t atom) {
  return level->group == NULL ? atom : level->group[atom];
}

/* Splits the classes of the axis by one level's grouping: atoms stay together where they were and have one group. */
static void split_classes(struct system *system, const struct disclose_level *level, uint32_t *fresh, uint32_t *first) {
  uint32_t *class_of = system->class_of[level->axis], atoms = system->problem->axes[level->axis], count = 0;
  for (uint32_t atom = 0; atom < atoms; atom++) {
    uint32_t same = 0;
    while (same < count
           && (class_of[first[same]] != class_of[atom] || group_of(level, first[same]) != group_of(level, atom))) {
      same++;
    }
    if (same == count) {
      first[count++] = atom;
    }
    fresh[atom] = same;
  }
  memcpy(class_of, fresh, atoms * sizeof *fresh);
  system->classes[level->axis] = count;
}

static enum status make_classes(struct system *system, struct error *error) {
  const struct disclose_problem *problem = system->problem;
  uint64_t product = 1;
  for (uint32_t axis = 0; axis < problem->axis_count; axis++) {
    uint32_t *fresh = arena_array(system->arena, problem->axes[axis], sizeof *fresh);
    uint32_t *first = arena_array(system->arena, problem->axes[axis], sizeof *first);
    system->class_of[axis] = arena_array(system->arena, problem->axes[axis], sizeof *fresh);
    if (fresh == NULL || first == NULL || system->class_of[axis] == NULL) {
      return error_memory(error);
    }
    system->classes[axis] = 1;
    for (size_t t = 0; t < problem->table_count; t++) {
      for (size_t i = 0; i < problem->tables[t].level_count; i++) {
        if (problem->tables[t].levels[i].axis == axis) {
          split_classes(system, &problem->tables[t].levels[i], fresh, first);
        }
      }
    }
    if (product > UINT64_MAX / 2 / system->classes[axis]) {
      return error_set(error, ERR_LIMIT, "%s", _("disclosure control: the tables have too many fields together"));
    }
    product *= system->classes[axis];
  }
  return OK;
}

static enum status make_groups(struct system *system, struct error *error) {
  const struct disclose_problem *problem = system->problem;
  system->groups = arena_array(system->arena, problem->table_count + 1, sizeof *system->groups);
  if (system->groups == NULL) {
    return error_memory(error);
  }
  for (size_t t = 0; t < problem->table_count; t++) {
    for (size_t i = 0; i < problem->tables[t].level_count; i++) {
      const struct disclose_level *level = &problem->tables[t].levels[i];
      uint32_t *groups = arena_array(system->arena, system->classes[level->axis], sizeof *groups);
      if (groups == NULL) {
        return error_memory(error);
      }
      for (uint32_t atom = 0; atom < problem->axes[level->axis]; atom++) {
        groups[system->class_of[level->axis][atom]] = group_of(level, atom);
      }
      system->groups[t][i] = groups;
    }
  }
  return OK;
}

/* ---- counting ---- */

struct lying {
  uint32_t unit;
  uint64_t key;
};

static int by_unit(const void *a, const void *b) {
  const struct lying *left = a, *right = b;
  if (left->unit != right->unit) {
    return left->unit < right->unit ? -1 : 1;
  }
  return left->key < right->key ? -1 : left->key > right->key;
}

static int by_key(const void *a, const void *b) {
  const struct lying *left = a, *right = b;
  return left->key < right->key ? -1 : left->key > right->key;
}

static size_t sort_rows(const struct system *system, struct lying *lying) {
  const struct disclose_problem *problem = system->problem;
  size_t kept = 0;
  for (size_t i = 0; i < problem->row_count; i++) {
    uint64_t key = 0;
    for (size_t axis = 0; axis < problem->axis_count; axis++) {
      key = key * system->classes[axis] + system->class_of[axis][problem->rows[i].atoms[axis]];
    }
    lying[i] = (struct lying){.unit = problem->rows[i].unit, .key = key};
  }
  qsort(lying, problem->row_count, sizeof *lying, by_unit);
  for (size_t i = 0; i < problem->row_count; i++) {
    if (kept == 0 || by_unit(&lying[i], &lying[kept - 1]) != 0) {
      lying[kept++] = lying[i];
    }
  }
  return kept;
}

/* One unit into each cell that it lies in, once. `mark` is by place of the table: the unit last counted there. */
static void count_unit(const struct system *system, const struct lying *lying, size_t count, size_t table,
                       uint64_t turn, uint64_t *mark, int64_t *fixed) {
  for (size_t i = 0; i < count; i++) {
    uint32_t classes[DISCLOSE_AXES_MOST];
    key_split(system, lying[i].key, classes);
    size_t place = table_place(system, table, classes);
    if (place != SIZE_MAX && mark[place] != turn) {
      mark[place] = turn;
      system->result->tables[table].counts[place]++;
      fixed[place] += count > 1;
    }
  }
}

static enum status count_table(struct system *system, const struct lying *lying, size_t count, size_t table,
                               int64_t *fixed, struct error *error) {
  struct disclose_figures *figures = &system->result->tables[table];
  uint64_t *mark = calloc(figures->size + 1, sizeof *mark), turn = 0;
  if (mark == NULL) {
    return error_memory(error);
  }
  for (size_t from = 0, to; from < count; from = to) {
    for (to = from + 1; to < count && lying[to].unit == lying[from].unit;) {
      to++;
    }
    count_unit(system, lying + from, to - from, table, ++turn, mark, fixed);
  }
  free(mark);
  return OK;
}

/* A cell of a table with fewer levels is worth more: it is in more readers' tables. */
static double cost_of(const struct system *system, size_t table, int64_t count) {
  const struct disclose_table *own = &system->problem->tables[table];
  double weight = 1;
  for (size_t i = own->level_count; i < DISCLOSE_AXES_MOST; i++) {
    weight *= 4;
  }
  weight /= 16384; /* of one level: 1 */
  double size = 1;
  for (int64_t rest = count; rest > 1; rest /= 2) {
    size++;
  }
  return weight * size;
}

static void add_cell(struct system *system, const uint8_t *begun, size_t table, size_t place, int64_t fixed) {
  const struct disclose_table *own = &system->problem->tables[table];
  const uint8_t *earlier = own->earlier;
  struct disclose_figures *figures = &system->result->tables[table];
  int64_t count = figures->counts[place];
  bool small = count < system->k;
  if (earlier != NULL) {
    small = earlier[place] == DISCLOSE_SMALL || earlier[place] == DISCLOSE_BESIDE;
  }
  figures->status[place] = small ? DISCLOSE_SMALL : begun != NULL ? begun[place] : DISCLOSE_SHOWN;
  const struct disclose_room asked = {.most = system->k, .width = system->width};
  system->cell_at[table][place] = (uint32_t)system->cell_count;
  system->cells[system->cell_count++] = (struct cell){.table = (uint32_t)table,
                                                      .place = place,
                                                      .count = count,
                                                      .fixed = fixed,
                                                      .floor = own->quiet ? 0 : 1,
                                                      .room = own->room != NULL ? own->room[place] : asked,
                                                      .modest = own->quiet && earlier == NULL,
                                                      .least = count,
                                                      .most = count,
                                                      .cost = cost_of(system, table, count),
                                                      .status = figures->status[place],
                                                      .known = earlier != NULL && !small,
                                                      .held = begun != NULL,
                                                      .guarded = small};
}

static enum status add_table(struct system *system, const uint8_t *begun, const struct lying *lying, size_t count,
                             size_t table, struct error *error) {
  struct disclose_figures *figures = &system->result->tables[table];
  const uint8_t *earlier = system->problem->tables[table].earlier;
  figures->size = table_size(&system->problem->tables[table]);
  figures->counts = arena_array(system->arena, figures->size, sizeof *figures->counts);
  figures->status = arena_array(system->arena, figures->size, sizeof *figures->status);
  system->cell_at[table] = arena_array(system->arena, figures->size, sizeof **system->cell_at);
  int64_t *fixed = arena_array(system->arena, figures->size, sizeof *fixed);
  bool quiet = system->problem->tables[table].quiet;
  if (quiet) {
    figures->room = arena_array(system->arena, figures->size, sizeof *figures->room);
  }
  if ((quiet && figures->room == NULL) || figures->counts == NULL || figures->status == NULL
      || system->cell_at[table] == NULL || fixed == NULL) {
    return error_memory(error);
  }
  enum status status = count_table(system, lying, count, table, fixed, error);
  for (size_t place = 0; status == OK && place < figures->size; place++) {
    system->cell_at[table][place] = DISCLOSE_NONE;
    bool empty = figures->counts[place] == 0;
    if (earlier != NULL ? earlier[place] == DISCLOSE_ABSENT : empty && quiet) {
      figures->status[place] = DISCLOSE_ABSENT;
    } else if (!empty) {
      add_cell(system, begun, table, place, fixed[place]);
    }
  }
  return status;
}

/* Where units lie, with the loose ones of each place; reorders `lying`. */
static enum status gather_places(struct system *system, struct lying *lying, size_t count, struct error *error) {
  uint64_t *keys = malloc((count + 1) * sizeof *keys);
  int64_t *loose = malloc((count + 1) * sizeof *loose);
  size_t kept = 0;
  enum status status = keys == NULL || loose == NULL ? error_memory(error) : OK;
  for (size_t from = 0, to; status == OK && from < count; from = to) {
    for (to = from + 1; to < count && lying[to].unit == lying[from].unit;) {
      to++;
    }
    for (size_t i = from; i < to; i++) {
      lying[i].unit = to - from == 1; /* from here on: whether it is loose */
    }
  }
  if (status == OK) {
    qsort(lying, count, sizeof *lying, by_key);
  }
  for (size_t i = 0; status == OK && i < count; i++) {
    if (kept == 0 || keys[kept - 1] != lying[i].key) {
      keys[kept] = lying[i].key;
      loose[kept++] = 0;
    }
    loose[kept - 1] += lying[i].unit;
  }
  status = status == OK ? places_make(system, keys, loose, kept, error) : status;
  free(keys);
  free(loose);
  return status;
}

static enum status count_all(struct system *system, const struct lower *lower, struct error *error) {
  const struct disclose_problem *problem = system->problem;
  size_t cells = 0;
  for (size_t t = 0; t < problem->table_count; t++) {
    cells += table_size(&problem->tables[t]);
  }
  system->result->tables = arena_array(system->arena, problem->table_count + 1, sizeof *system->result->tables);
  system->cell_at = arena_array(system->arena, problem->table_count + 1, sizeof *system->cell_at);
  system->cells = arena_array(system->arena, cells + 1, sizeof *system->cells);
  struct lying *lying = malloc((problem->row_count + 1) * sizeof *lying);
  enum status status =
      system->result->tables == NULL || system->cell_at == NULL || system->cells == NULL || lying == NULL
          ? error_memory(error)
          : OK;
  size_t count = status == OK ? sort_rows(system, lying) : 0;
  for (size_t t = 0; t < problem->table_count && status == OK; t++) {
    status = add_table(system, lower == NULL ? NULL : lower->begun[t], lying, count, t, error);
  }
  status = status == OK ? gather_places(system, lying, count, error) : status;
  free(lying);
  return status;
}

enum status system_make(const struct disclose_problem *problem, const struct lower *lower, struct arena *arena,
                        struct disclose_result *result, struct system *system, struct error *error) {
  *system = (struct system){.problem = problem, .arena = arena, .result = result, .k = problem->settings.k};
  system->width = problem->settings.width > 0 ? problem->settings.width : system->k - 1;
  enum status status = check(problem, error);
  status = status == OK ? make_classes(system, error) : status;
  status = status == OK ? make_groups(system, error) : status;
  return status == OK ? count_all(system, lower, error) : status;
}
