#include "core/disclose/disclose.h"
#include "core/service/cube_cells.h"
#include "core/service/cube_fields.h"

#include <stdio.h>
#include <stdlib.h>

/* What may be shown of a count is decided on the widest table that it belongs to: its own fields, those that are
 * printed beside it (request->with), and the fields of its filters, with all margins. So the same cell is shown or
 * hidden whichever of these tables is asked for, and two filters cannot be taken from each other. */

enum { AXES_MOST = CUBE_FIELDS_MOST };

/* The table that was asked for, as part of the wide one: some axes are its fields, some stand at the value of a filter.
 */
struct sought {
  uint32_t fields, fixed; /* axes, by bit */
  uint32_t atoms[AXES_MOST];
  bool nobody; /* no unit has the value of a filter */
};

struct wide {
  const struct cube_request *request;
  struct cube_plan plan; /* what filters mean: a label is its code, "yes" is 1 */
  const char *axes[AXES_MOST];
  size_t axis_count;
  struct condition conditions[CUBE_CONDITIONS_MOST]; /* filters that found no room as axes */
  size_t condition_count;
  struct cube cube;
  struct map *values[AXES_MOST]; /* atoms, by text; the first is what is not recorded */
  uint32_t counts[AXES_MOST];
  struct sought sought;
  struct disclose_row *rows; /* of a unit together */
  struct disclose_table tables[DISCLOSE_TABLES_MOST];
  size_t table_count;
  struct disclose_result result;
};

static bool has_axis(const struct wide *wide, const char *name) {
  for (size_t i = 0; i < wide->axis_count; i++) {
    if (strcmp(wide->axes[i], name) == 0) {
      return true;
    }
  }
  return false;
}

static bool add_axis(struct wide *wide, const char *name) {
  if (has_axis(wide, name)) {
    return true;
  }
  if (wide->axis_count == AXES_MOST) {
    return false;
  }
  wide->axes[wide->axis_count++] = name;
  return true;
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whether an earlier filter is of the same field. */
static bool filters_before(const struct cube_request *request, size_t at) {
  for (size_t i = 0; i < at; i++) {
    if (strcmp(request->conditions[i].field, request->conditions[at].field) == 0) {
      return true;
    }
  }
  return false;
}

/* In the order of their names, so that the outcome does not hang on the order of the question. */
static void choose_axes(struct wide *wide) {
  const struct cube_request *request = wide->request;
  for (size_t i = 0; i < request->by_count; i++) {
    add_axis(wide, request->by[i]);
  }
  for (size_t i = 0; i < request->with_count; i++) {
    add_axis(wide, request->with[i]);
  }
  for (size_t i = 0; i < request->condition_count; i++) {
    if (filters_before(request, i) || !add_axis(wide, request->conditions[i].field)) {
      wide->conditions[wide->condition_count++] = request->conditions[i];
    }
  }
  qsort(wide->axes, wide->axis_count, sizeof *wide->axes, by_name);
}

static struct slice text_of(const struct cube *cube, uint32_t value) {
  return value == MAP_NONE ? slice_of("") : map_key(cube->dictionary, value);
}

static enum status make_rows(struct wide *wide, struct error *error) {
  struct cube *cube = &wide->cube;
  wide->rows = calloc(cube->tuple_count + 1, sizeof *wide->rows);
  if (wide->rows == NULL) {
    return error_memory(error);
  }
  for (size_t axis = 0; axis < wide->axis_count; axis++) {
    wide->values[axis] = map_new();
    if (wide->values[axis] == NULL || map_intern(wide->values[axis], slice_of("")) == MAP_NONE) {
      return error_memory(error);
    }
    for (size_t i = 0; i < cube->tuple_count; i++) {
      uint32_t atom = map_intern(wide->values[axis], text_of(cube, cube->tuples[i].values[axis]));
      if (atom == MAP_NONE) {
        return error_memory(error);
      }
      wide->rows[i].unit = cube->tuples[i].unit;
      wide->rows[i].atoms[axis] = atom;
    }
    wide->counts[axis] = map_count(wide->values[axis]);
  }
  return OK;
}

/* Every choice of the axes is a table, the bits of its position say which. */
static void make_tables(struct wide *wide) {
  for (size_t chosen = 0; chosen < (size_t)1 << wide->axis_count; chosen++) {
    struct disclose_table *table = &wide->tables[wide->table_count++];
    *table = (struct disclose_table){.name = wide->request->indicator->name};
    for (uint32_t axis = 0; axis < wide->axis_count; axis++) {
      if ((chosen >> axis & 1) != 0) {
        table->levels[table->level_count++] = (struct disclose_level){.axis = axis, .groups = wide->counts[axis]};
      }
    }
  }
}

static size_t position_of(const struct wide *wide, const char *name) {
  size_t axis = 0;
  while (axis < wide->axis_count && strcmp(wide->axes[axis], name) != 0) {
    axis++;
  }
  return axis;
}

/* Of two filters of one field the first is an axis: the other one was applied before. */
static void make_sought(struct wide *wide) {
  const struct cube_request *request = wide->request;
  struct sought *sought = &wide->sought;
  for (size_t i = 0; i < request->condition_count; i++) {
    size_t axis = position_of(wide, request->conditions[i].field);
    if (axis < wide->axis_count && (sought->fixed >> axis & 1) == 0) {
      const char *wanted = wide->plan.wanted[request->indicator->condition_count + i];
      sought->atoms[axis] = map_get(wide->values[axis], slice_of(wanted));
      sought->fixed |= 1U << axis;
      sought->nobody = sought->nobody || sought->atoms[axis] == MAP_NONE;
    }
  }
  for (size_t i = 0; i < request->by_count; i++) {
    sought->fields |= 1U << position_of(wide, request->by[i]);
  }
}

/* The chosen axes' cell in their table. */
static size_t place_of(const struct wide *wide, uint32_t chosen, const uint32_t *atoms) {
  uint32_t order[AXES_MOST];
  size_t count = 0;
  for (size_t axis = 0; axis < wide->axis_count; axis++) {
    if ((chosen >> axis & 1) != 0) {
      order[count++] = atoms[axis];
    }
  }
  return disclose_place(&wide->tables[chosen], order);
}

static bool is_shown(const struct wide *wide, uint32_t chosen, const uint32_t *atoms) {
  return disclose_is_shown(wide->result.tables[chosen].status[place_of(wide, chosen, atoms)]);
}

/* values NULL: the total. A unit with several values of a field is counted under each, also under others than the one
 * that a filter of that field asks for: no table of the wide one has that cell. */
static bool is_hidden(const struct wide *wide, const struct cube *cube, const uint32_t *values) {
  const struct sought *sought = &wide->sought;
  uint32_t atoms[AXES_MOST], chosen = sought->fixed;
  memcpy(atoms, sought->atoms, sizeof atoms);
  for (size_t i = 0; values != NULL && i < wide->request->by_count; i++) {
    size_t axis = position_of(wide, wide->request->by[i]);
    uint32_t atom = map_get(wide->values[axis], text_of(cube, values[i]));
    if ((sought->fixed >> axis & 1) != 0 && atom != atoms[axis]) {
      return wide->request->workspace->config->disclosure.k > 1;
    }
    atoms[axis] = atom;
    chosen |= 1U << axis;
  }
  return !sought->nobody && !is_shown(wide, chosen, atoms);
}

static void hide(struct extent *extent) {
  *extent = (struct extent){.hidden = true, .unlinkable = -1};
}

static void mark(const struct wide *wide, struct cube *cube) {
  for (size_t i = 0; i < cube->count && cube->field_count > 0; i++) {
    if (is_hidden(wide, cube, cube->cells[i].values)) {
      hide(&cube->cells[i].extent);
      cube->hidden++;
    }
  }
  if (is_hidden(wide, cube, NULL)) {
    hide(&cube->total);
  }
}

/* ---- what is told of the table asked for ---- */

/* Its cells with these fields, and those of them that are shown. */
static void count_cells(const struct wide *wide, uint32_t fields, struct cube_shown *shown) {
  const struct sought *sought = &wide->sought;
  uint32_t chosen = sought->fixed | fields;
  const struct disclose_figures *figures = &wide->result.tables[chosen];
  for (size_t place = 0; place < figures->size; place++) {
    size_t rest = place;
    bool within = true;
    for (size_t axis = wide->axis_count; axis-- > 0;) {
      if ((chosen >> axis & 1) != 0) {
        within = within && ((sought->fixed >> axis & 1) == 0 || rest % wide->counts[axis] == sought->atoms[axis]);
        rest /= wide->counts[axis];
      }
    }
    shown->filled += within && figures->counts[place] > 0;
    shown->kept += within && figures->counts[place] > 0 && disclose_is_shown(figures->status[place]);
  }
}

static bool is_within(const struct wide *wide, const struct disclose_row *row) {
  for (size_t axis = 0; axis < wide->axis_count; axis++) {
    if ((wide->sought.fixed >> axis & 1) != 0 && row->atoms[axis] != wide->sought.atoms[axis]) {
      return false;
    }
  }
  return true;
}

static void count_units(const struct wide *wide, int64_t *units, int64_t *seen, uint32_t *valued) {
  const struct sought *sought = &wide->sought;
  for (size_t from = 0, to; from < wide->cube.tuple_count; from = to) {
    bool counted = false, visible = false;
    for (to = from; to < wide->cube.tuple_count && wide->rows[to].unit == wide->rows[from].unit; to++) {
      const struct disclose_row *row = &wide->rows[to];
      if (is_within(wide, row)) {
        counted = true;
        visible = visible || is_shown(wide, sought->fixed | sought->fields, row->atoms);
        for (size_t axis = 0; axis < wide->axis_count; axis++) {
          *valued |= (uint32_t)(row->atoms[axis] != 0) << axis;
        }
      }
    }
    *units += counted;
    *seen += visible;
  }
}

/* Of a total that is hidden no share is told: it would say how large it is at least. */
static void tell_shown(const struct wide *wide, struct cube_shown *shown) {
  const struct sought *sought = &wide->sought;
  uint32_t own = sought->fields & ~sought->fixed, fields = own, valued = 0;
  int64_t units = 0, seen = 0;
  *shown = (struct cube_shown){.rows = wide->cube.tuple_count, .share = -1};
  if (sought->nobody) {
    return;
  }
  count_cells(wide, 0, shown);
  for (; fields > 0; fields = (fields - 1) & own) {
    count_cells(wide, fields, shown);
  }
  count_units(wide, &units, &seen, &valued);
  shown->valued = (sought->fields & ~valued) == 0;
  if (is_shown(wide, sought->fixed, sought->atoms)) {
    shown->share = disclose_share(seen, units, wide->request->workspace->config->disclosure.k);
  }
}

static enum status run(struct wide *wide, int k, struct arena *arena, struct error *error) {
  const struct disclosure_config *settings = &wide->request->workspace->config->disclosure;
  const struct disclose_problem problem = {.settings = {.k = k, .width = settings->width},
                                           .axes = wide->counts,
                                           .axis_count = wide->axis_count,
                                           .rows = wide->rows,
                                           .row_count = wide->cube.tuple_count,
                                           .tables = wide->tables,
                                           .table_count = wide->table_count};
  return disclose_run(&problem, arena, &wide->result, error);
}

/* The wide table has more cells than that: they are counted, and nothing is decided. */
static enum status is_larger(struct wide *wide, size_t most, struct arena *arena, bool *larger, struct error *error) {
  enum status status = most == SIZE_MAX ? OK : run(wide, 1, arena, error);
  *larger = most != SIZE_MAX && wide->result.filled > most;
  return status;
}

static enum status decide(struct wide *wide, size_t most, struct arena *arena, struct cube_shown *shown,
                          struct error *error) {
  bool larger = false;
  make_tables(wide);
  enum status status = is_larger(wide, most, arena, &larger, error);
  if (status != OK || larger) {
    *shown = (struct cube_shown){.filled = SIZE_MAX, .share = -1};
    return status;
  }
  status = run(wide, wide->request->workspace->config->disclosure.k, arena, error);
  if (status == OK) {
    make_sought(wide);
    tell_shown(wide, shown);
  }
  return status;
}

/* `cube` NULL: only what is told of all of it. */
static enum status suppress(const struct cube_request *request, size_t most, struct cube *cube,
                            struct cube_shown *shown, struct error *error) {
  struct wide *wide = calloc(1, sizeof *wide);
  struct arena *arena = arena_new(0);
  if (wide == NULL || arena == NULL) {
    free(wide);
    arena_free(arena);
    return error_memory(error);
  }
  wide->request = request;
  choose_axes(wide);
  struct cube_request asked = *request;
  asked.by = wide->axes;
  asked.by_count = wide->axis_count;
  asked.conditions = wide->conditions;
  asked.condition_count = wide->condition_count;
  asked.suppress = asked.guard = false;
  asked.keep = true;
  asked.visit = NULL; /* the units of the table asked for were told */
  enum status status = cube_plan_make(request, &wide->plan, error);
  status = status == OK ? cube_run(&asked, &wide->cube, error) : status;
  status = status == OK ? make_rows(wide, error) : status;
  status = status == OK ? decide(wide, most, arena, shown, error) : status;
  if (status == OK && cube != NULL) {
    mark(wide, cube);
  }
  for (size_t axis = 0; axis < AXES_MOST; axis++) {
    map_free(wide->values[axis]);
  }
  arena_free(arena);
  free(wide->rows);
  cube_free(&wide->cube);
  free(wide);
  return status;
}

enum status cube_suppress(const struct cube_request *request, struct cube *cube, struct error *error) {
  return suppress(request, SIZE_MAX, cube, &cube->shown, error);
}

enum status cube_show(const struct cube_request *request, size_t cells_most, struct cube_shown *shown,
                      struct error *error) {
  return suppress(request, cells_most, NULL, shown, error);
}
