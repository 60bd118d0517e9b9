#include "core/disclose/disclose.h"
#include "core/service/cube_cells.h"
#include "core/service/cube_fields.h"

#include <stdio.h>
#include <stdlib.h>

/* What may be shown of a count is decided on the widest table that it belongs to: its own fields, those that are
 * printed beside it (request->with), and the fields of its filters, with all margins. So the same cell is shown or
 * hidden whichever of these tables is asked for, and two filters cannot be taken from each other. */

enum { AXES_MOST = CUBE_FIELDS_MOST };

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
  struct disclose_row *rows;
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
    if (has_axis(wide, request->conditions[i].field) || !add_axis(wide, request->conditions[i].field)) {
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

/* The table and the place of a cell: its own values, and those of the filters that are axes. */
static bool is_hidden(const struct wide *wide, const struct cube *cube, const uint32_t *values) {
  const struct cube_request *request = wide->request;
  uint32_t atoms[AXES_MOST] = {0}, chosen = 0, order[AXES_MOST];
  size_t count = 0;
  for (size_t i = 0; i < request->condition_count; i++) {
    size_t axis = position_of(wide, request->conditions[i].field);
    if (axis < wide->axis_count) {
      const char *wanted = wide->plan.wanted[request->indicator->condition_count + i];
      atoms[axis] = map_get(wide->values[axis], slice_of(wanted));
      chosen |= 1u << axis;
    }
  }
  for (size_t i = 0; values != NULL && i < request->by_count; i++) {
    size_t axis = position_of(wide, request->by[i]);
    atoms[axis] = map_get(wide->values[axis], text_of(cube, values[i]));
    chosen |= 1u << axis;
  }
  for (size_t axis = 0; axis < wide->axis_count; axis++) {
    if ((chosen >> axis & 1) != 0) {
      if (atoms[axis] == MAP_NONE) {
        return false; /* nobody */
      }
      order[count++] = atoms[axis];
    }
  }
  size_t place = disclose_place(&wide->tables[chosen], order);
  return !disclose_is_shown(wide->result.tables[chosen].status[place]);
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
  cube->filled = wide->result.filled;
  cube->kept = wide->result.filled - wide->result.small - wide->result.beside;
  cube->share = disclose_share(wide->result.seen, wide->result.units, wide->request->workspace->config->disclosure.k);
}

static enum status decide(struct wide *wide, struct cube *cube, struct error *error) {
  const struct disclosure_config *settings = &wide->request->workspace->config->disclosure;
  struct arena *arena = arena_new(0);
  if (arena == NULL) {
    return error_memory(error);
  }
  make_tables(wide);
  const struct disclose_problem problem = {.settings = {.k = settings->k, .width = settings->width},
                                           .axes = wide->counts,
                                           .axis_count = wide->axis_count,
                                           .rows = wide->rows,
                                           .row_count = wide->cube.tuple_count,
                                           .tables = wide->tables,
                                           .table_count = wide->table_count};
  enum status status = disclose_run(&problem, arena, &wide->result, error);
  if (status == OK) {
    mark(wide, cube);
  }
  arena_free(arena);
  return status;
}

enum status cube_suppress(const struct cube_request *request, struct cube *cube, struct error *error) {
  struct wide *wide = calloc(1, sizeof *wide);
  if (wide == NULL) {
    return error_memory(error);
  }
  wide->request = request;
  choose_axes(wide);
  struct cube_request asked = *request;
  asked.by = wide->axes;
  asked.by_count = wide->axis_count;
  asked.conditions = wide->conditions;
  asked.condition_count = wide->condition_count;
  asked.suppress = false;
  asked.keep = true;
  enum status status = cube_plan_make(request, &wide->plan, error);
  status = status == OK ? cube_run(&asked, &wide->cube, error) : status;
  status = status == OK ? make_rows(wide, error) : status;
  status = status == OK ? decide(wide, cube, error) : status;
  for (size_t axis = 0; axis < AXES_MOST; axis++) {
    map_free(wide->values[axis]);
  }
  free(wide->rows);
  cube_free(&wide->cube);
  free(wide);
  return status;
}
