#include "core/base/map.h"
#include "core/service/cube.h"
#include "core/service/grid.h"
#include "core/service/release_between.h"
#include "core/service/release_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Why a figure changed: the records behind the cell after the one run and after the other are compared, and the runs
 * that brought, changed or took them name the cause. Causes are told without numbers. */

enum {
  CAUSE_NEW,
  CAUSE_CHANGED,
  CAUSE_DELETED,
  CAUSE_MAPPING,
  CAUSE_LINKING,
  CAUSE_GONE,
  CAUSE_WITHDRAWN,
  CAUSE_TERMS,
  CAUSE_DEFINITION,
  CAUSES,
  CAUSE_OTHERS = CAUSES /* told of another record of the same person */
};
static const char *const CAUSE_NAMES[CAUSES] = {"new_records", "changed_records", "deleted_records",
                                                "mapping",     "linking",         "erasure",
                                                "withdrawn",   "terms",           "definition"};

/* A cell whose figure is another one now. */
struct restated {
  const struct ledger_cell *was, *is;    /* NULL: it counted nobody */
  uint32_t causes[RELEASE_SOURCES_MOST]; /* by source number modulo: bits of causes; 0: of no source */
};

struct behind {
  uint32_t cell; /* position among the restated */
  uint32_t unit; /* person or case of that moment that it is of */
  int64_t row_id;
};
struct moment {
  int64_t run;
  struct behind *rows; /* ascending, each once */
  size_t count, capacity;
  int64_t *units; /* by restated cell */
};

/* A row's life, and what is known of the runs. */
struct life {
  int64_t row_id, from_run, to_run;
};
struct restating {
  const struct release_restating *request;
  const struct release_between *between;
  const struct release_table_plan *plan;
  struct arena *arena;
  struct restated *cells;
  size_t count;
  struct moment then, now;
  struct life *lives; /* ascending by row */
  size_t life_count, life_capacity;
};

/* ---- rows behind the cells ---- */

static int by_place(const void *a, const void *b) {
  const struct behind *left = a, *right = b;
  if (left->cell != right->cell) {
    return left->cell < right->cell ? -1 : 1;
  }
  return (left->row_id > right->row_id) - (left->row_id < right->row_id);
}

static enum status add_behind(struct moment *moment, uint32_t cell, uint32_t unit, int64_t row_id,
                              struct error *error) {
  if (moment->count == moment->capacity) {
    size_t capacity = moment->capacity == 0 ? 1024 : moment->capacity * 2;
    struct behind *moved = realloc(moment->rows, capacity * sizeof *moved);
    if (moved == NULL) {
      return error_memory(error);
    }
    moment->rows = moved;
    moment->capacity = capacity;
  }
  moment->rows[moment->count++] = (struct behind){.cell = cell, .unit = unit, .row_id = row_id};
  return OK;
}

#define ANY_VALUE (MAP_NONE - 1)

/* A cell's values in the dictionary of a count; false: no row has one of them. */
static bool wanted_of(const struct restating *restating, const struct cube_rows *rows, const struct ledger_cell *cell,
                      uint32_t wanted[RELEASE_FIELDS_MOST]) {
  for (size_t f = 0; f < restating->plan->by_count; f++) {
    const char *value = cell->values[f];
    if (value == NULL || strcmp(value, RELEASE_TOTAL) == 0) {
      wanted[f] = ANY_VALUE;
    } else if (strcmp(value, RELEASE_NOT_RECORDED) == 0) {
      wanted[f] = MAP_NONE;
    } else {
      wanted[f] = map_get(rows->dictionary, slice_of(value));
      if (wanted[f] == MAP_NONE) {
        return false;
      }
    }
  }
  return true;
}

static bool lies_in(const struct restating *restating, const struct cube_row *row, const uint32_t *wanted) {
  for (size_t f = 0; f < restating->plan->by_count; f++) {
    if (wanted[f] != ANY_VALUE && wanted[f] != row->values[f]) {
      return false;
    }
  }
  return true;
}

/* Rows of cases, by case: the involvements of a person come with the count. */
static enum status add_case(struct moment *moment, uint32_t cell, const struct cube_rows *rows, uint32_t unit,
                            const struct grid *records, const struct map *dictionary, struct error *error) {
  enum status status = OK;
  uint32_t wanted = map_get(dictionary, map_key(rows->dictionary, unit));
  for (size_t i = 0; i < records->count && status == OK && wanted != MAP_NONE; i++) {
    if (grid_value(records, i, 1) == wanted) {
      struct slice row = map_key(dictionary, grid_value(records, i, 0));
      char text[24];
      snprintf(text, sizeof text, "%.*s", SLICE_ARG(row));
      status = add_behind(moment, cell, unit, strtoll(text, NULL, 10), error);
    }
  }
  return status;
}

static enum status add_row(struct moment *moment, uint32_t cell, const struct cube_rows *rows,
                           const struct cube_row *row, struct error *error) {
  enum status status = OK;
  for (uint32_t p = 0; p < row->part_count && status == OK; p++) {
    status = add_behind(moment, cell, row->unit, rows->parts[row->part + p], error);
  }
  return status;
}

/* Rows and units behind one cell. */
static enum status look_behind_cell(const struct restating *restating, struct moment *moment, size_t at,
                                    const struct cube_rows *rows, const struct grid *records,
                                    const struct map *dictionary, struct error *error) {
  const struct restated *cell = &restating->cells[at];
  uint32_t wanted[RELEASE_FIELDS_MOST];
  bool any = wanted_of(restating, rows, cell->is != NULL ? cell->is : cell->was, wanted);
  struct map *units = map_new();
  enum status status = units == NULL ? error_memory(error) : OK;
  for (size_t i = 0; any && i < rows->count && status == OK; i++) {
    const struct cube_row *row = &rows->rows[i];
    if (!lies_in(restating, row, wanted)) {
      continue;
    }
    uint32_t before = map_count(units);
    bool fresh = map_intern(units, slice_make((const char *)&row->unit, sizeof row->unit)) == before;
    status = add_row(moment, (uint32_t)at, rows, row, error);
    if (status == OK && fresh && row->part_count == 0) {
      status = add_case(moment, (uint32_t)at, rows, row->unit, records, dictionary, error);
    }
  }
  if (status == OK) {
    moment->units[at] = map_count(units);
  }
  map_free(units);
  return status;
}

static enum status look_behind(const struct restating *restating, struct moment *moment, const struct cube_rows *rows,
                               const struct grid *records, const struct map *dictionary, struct error *error) {
  enum status status = OK;
  for (size_t c = 0; c < restating->count && status == OK; c++) {
    status = look_behind_cell(restating, moment, c, rows, records, dictionary, error);
  }
  if (moment->count > 0) {
    qsort(moment->rows, moment->count, sizeof *moment->rows, by_place);
  }
  return status;
}

static enum status count_moment(struct restating *restating, struct moment *moment, struct error *error) {
  static const char *const columns[] = {"row_id", "case_id"};
  const struct workspace *workspace = restating->request->workspace;
  const struct cube_request request = {.workspace = workspace,
                                       .indicator = &restating->plan->indicator,
                                       .by = restating->plan->by,
                                       .by_count = restating->plan->by_count,
                                       .as_of_run = moment->run};
  struct map *dictionary = map_new();
  struct grid records = {0};
  struct cube_rows rows = {0};
  moment->units = arena_array(restating->arena, restating->count + 1, sizeof *moment->units);
  enum status status = dictionary == NULL || moment->units == NULL ? error_memory(error) : OK;
  status = status == OK ? cube_rows_read(&request, &rows, error) : status;
  if (status == OK && restating->plan->indicator.unit == UNIT_CASE) {
    status = grid_load(workspace->store, "case_records", columns, 2, (struct grid_scope){.as_of_run = moment->run},
                       dictionary, &records, error);
  }
  status = status == OK ? look_behind(restating, moment, &rows, &records, dictionary, error) : status;
  cube_rows_free(&rows);
  grid_free(&records);
  map_free(dictionary);
  return status;
}

/* ---- what became of them ---- */

static enum status take_life(void *context, const struct row *row, struct error *error) {
  struct restating *restating = context;
  if (restating->life_count == restating->life_capacity) {
    size_t capacity = restating->life_capacity == 0 ? 1024 : restating->life_capacity * 2;
    struct life *moved = realloc(restating->lives, capacity * sizeof *moved);
    if (moved == NULL) {
      return error_memory(error);
    }
    restating->lives = moved;
    restating->life_capacity = capacity;
  }
  restating->lives[restating->life_count++] =
      (struct life){.row_id = row->row_id, .from_run = row->from_run, .to_run = row->to_run};
  return OK;
}

static int by_row(const void *a, const void *b) {
  int64_t x = ((const struct life *)a)->row_id, y = ((const struct life *)b)->row_id;
  return (x > y) - (x < y);
}

static int by_number(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* Rows that are behind the one figure and not the other: `lost` from then, else those that came. */
static bool differs(const struct moment *here, size_t at, const struct moment *there) {
  const struct behind *row = &here->rows[at];
  return there->count == 0 || bsearch(row, there->rows, there->count, sizeof *row, by_place) == NULL;
}

/* All versions of all rows of the records that differ: what a person or a case is told by stands beside the row that is
 * counted. */
static enum status read_lives(struct restating *restating, struct error *error) {
  const struct workspace *workspace = restating->request->workspace;
  size_t count = 0, kept = 0;
  int64_t *records = calloc(restating->then.count + restating->now.count + 1, sizeof *records);
  if (records == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < restating->then.count; i++) {
    records[count] = record_of(restating->then.rows[i].row_id);
    count += differs(&restating->then, i, &restating->now);
  }
  for (size_t i = 0; i < restating->now.count; i++) {
    records[count] = record_of(restating->now.rows[i].row_id);
    count += differs(&restating->now, i, &restating->then);
  }
  qsort(records, count, sizeof *records, by_number);
  for (size_t i = 0; i < count; i++) {
    if (i == 0 || records[i] != records[i - 1]) {
      records[kept++] = records[i];
    }
  }
  const struct row_filter filter = {.history = true, .records = records, .count = kept};
  enum status status = OK;
  for (size_t e = 0; e < workspace->model->entity_count && kept > 0 && status == OK; e++) {
    status = store_visit_rows(workspace->store, &workspace->model->entities[e], &filter, take_life, restating, error);
  }
  free(records);
  if (restating->life_count > 0) {
    qsort(restating->lives, restating->life_count, sizeof *restating->lives, by_row);
  }
  return status;
}

/* Of the first row of a record: rows stand by record. */
static size_t first_life(const struct restating *restating, int64_t record) {
  size_t low = 0, high = restating->life_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (record_of(restating->lives[middle].row_id) < record) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/* Whether another version of the row's record stood after a run. */
static bool record_stood(const struct restating *restating, int64_t row_id, int64_t run) {
  int64_t record = record_of(row_id);
  for (size_t i = first_life(restating, record); i < restating->life_count; i++) {
    const struct life *life = &restating->lives[i];
    if (record_of(life->row_id) != record) {
      return false;
    }
    if (life->from_run <= run && (life->to_run == 0 || life->to_run > run)) {
      return true;
    }
  }
  return false;
}

static bool between(const struct restating *restating, int64_t run) {
  return run > restating->then.run && run <= restating->now.run;
}

/* A run between the two moments that opened or closed a row of the record; 0: none did. */
static int64_t changing_run(const struct restating *restating, int64_t row_id) {
  int64_t record = record_of(row_id);
  for (size_t i = first_life(restating, record); i < restating->life_count; i++) {
    const struct life *life = &restating->lives[i];
    if (record_of(life->row_id) != record) {
      break;
    }
    if (between(restating, life->from_run) || between(restating, life->to_run)) {
      return between(restating, life->from_run) ? life->from_run : life->to_run;
    }
  }
  return 0;
}

/* Whether a record of the same person or case tells why it moved to another cell. */
static bool unit_changed(const struct restating *restating, const struct moment *here, size_t at) {
  const struct behind *row = &here->rows[at];
  for (size_t i = at; i > 0 && here->rows[i - 1].cell == row->cell; i--) {
    if (here->rows[i - 1].unit == row->unit && changing_run(restating, here->rows[i - 1].row_id) != 0) {
      return true;
    }
  }
  for (size_t i = at; i < here->count && here->rows[i].cell == row->cell; i++) {
    if (here->rows[i].unit == row->unit && changing_run(restating, here->rows[i].row_id) != 0) {
      return true;
    }
  }
  return false;
}

/* The row stayed as it was, and is behind another figure. */
static int cause_of_move(const struct restating *restating, const struct moment *here, size_t at) {
  int64_t run = changing_run(restating, here->rows[at].row_id);
  if (run != 0) {
    return release_between_mapped(restating->between, run) ? CAUSE_MAPPING : CAUSE_CHANGED;
  }
  return unit_changed(restating, here, at) ? CAUSE_OTHERS : CAUSE_LINKING;
}

static int cause_of(const struct restating *restating, const struct moment *here, size_t at, bool came) {
  int64_t row_id = here->rows[at].row_id;
  const struct life wanted = {.row_id = row_id};
  const struct life *life = restating->life_count == 0 ? NULL
                                                       : bsearch(&wanted, restating->lives, restating->life_count,
                                                                 sizeof *restating->lives, by_row);
  if (life == NULL) {
    return CAUSE_GONE;
  }
  if (came && life->from_run > restating->then.run) {
    if (release_between_mapped(restating->between, life->from_run)) {
      return CAUSE_MAPPING;
    }
    return record_stood(restating, row_id, restating->then.run) ? CAUSE_CHANGED : CAUSE_NEW;
  }
  if (!came && life->to_run != 0 && life->to_run <= restating->now.run) {
    if (release_between_mapped(restating->between, life->to_run)) {
      return CAUSE_MAPPING;
    }
    return record_stood(restating, row_id, restating->now.run) ? CAUSE_CHANGED : CAUSE_DELETED;
  }
  return cause_of_move(restating, here, at);
}

static size_t source_at(const struct restating *restating, int64_t row_id) {
  const struct workspace *workspace = restating->request->workspace;
  int source = source_of_record(record_of(row_id));
  for (size_t i = 0; i < workspace->config->source_count; i++) {
    if (workspace->source_ids[i] == source) {
      return i + 1;
    }
  }
  return 0;
}

static void note_causes(struct restating *restating, const struct moment *here, const struct moment *there, bool came) {
  for (size_t i = 0; i < here->count; i++) {
    if (!differs(here, i, there)) {
      continue;
    }
    int cause = cause_of(restating, here, i, came);
    if (cause == CAUSE_OTHERS) {
      continue;
    }
    size_t source = cause == CAUSE_LINKING ? 0 : source_at(restating, here->rows[i].row_id);
    uint32_t *causes = &restating->cells[here->rows[i].cell].causes[source < RELEASE_SOURCES_MOST ? source : 0];
    *causes |= 1U << cause;
    if (source > 0 && restating->between->terms[(source - 1) % RELEASE_SOURCES_MOST]) {
      *causes |= 1U << CAUSE_TERMS; /* nobody can tell what the source changed from what its terms cut */
    }
  }
}

/* Of whom is not in the store any more: by what was taken out since. */
static uint32_t causes_of_leaving(const struct release_between *between) {
  uint32_t causes = 0;
  causes |= between->taken[ERASE_REQUEST] ? 1U << CAUSE_GONE : 0;
  causes |= between->taken[ERASE_WITHDRAWN] ? 1U << CAUSE_WITHDRAWN : 0;
  causes |= between->taken[ERASE_NO_CONSENT] || between->taken[ERASE_RETENTION] ? 1U << CAUSE_TERMS : 0;
  return causes == 0 ? 1U << CAUSE_GONE : causes;
}

/* What the rows do not tell: units joined or parted, and records that are not in the store any more. */
static void note_rest(struct restating *restating, bool same_definition) {
  for (size_t c = 0; c < restating->count; c++) {
    struct restated *cell = &restating->cells[c];
    int64_t was = cell->was == NULL ? 0 : cell->was->figure;
    if (cell->was != NULL && cell->was->hidden) {
      continue;
    }
    if (!same_definition) {
      cell->causes[0] |= 1U << CAUSE_DEFINITION;
    } else if (restating->then.units[c] != was) {
      cell->causes[0] |= causes_of_leaving(restating->between);
    }
    uint32_t any = 0;
    for (size_t s = 0; s < RELEASE_SOURCES_MOST; s++) {
      any |= cell->causes[s];
    }
    if (any == 0) {
      cell->causes[0] |= 1U << CAUSE_LINKING;
    }
  }
}

/* ---- cells and text ---- */

static const struct ledger_cell *same_cell(const struct ledger_cell *cells, size_t count,
                                           const struct ledger_cell *wanted) {
  for (size_t i = 0; i < count; i++) {
    if (release_cell_same(&cells[i], wanted)) {
      return &cells[i];
    }
  }
  return NULL;
}

static bool reads_same(const struct ledger_cell *a, const struct ledger_cell *b) {
  return a != NULL && b != NULL && a->hidden == b->hidden && a->figure == b->figure;
}

/* What a reader of both releases sees to be another one. */
static void list_cells(struct restating *restating, const struct ledger_cell *was, size_t was_count,
                       const struct ledger_table *is) {
  for (size_t i = 0; i < is->cell_count; i++) {
    const struct ledger_cell *before = same_cell(was, was_count, &is->cells[i]);
    if (!reads_same(before, &is->cells[i])) {
      restating->cells[restating->count++] = (struct restated){.was = before, .is = &is->cells[i]};
    }
  }
  for (size_t i = 0; i < was_count; i++) {
    if (same_cell(is->cells, is->cell_count, &was[i]) == NULL) {
      restating->cells[restating->count++] = (struct restated){.was = &was[i]};
    }
  }
}

static void put_figure(const struct ledger_cell *cell, struct buffer *out) {
  if (cell == NULL) {
    buffer_text(out, ",0");
  } else if (cell->hidden) {
    buffer_text(out, ",hidden");
  } else {
    buffer_printf(out, ",%lld", (long long)cell->figure);
  }
}

static bool is_hidden(const struct restated *cell) {
  return (cell->was != NULL && cell->was->hidden) || (cell->is != NULL && cell->is->hidden);
}

static void put_causes(const struct restating *restating, const struct restated *cell, struct buffer *out) {
  const struct config *config = restating->request->workspace->config;
  const char *between = ",";
  for (size_t s = 0; s < RELEASE_SOURCES_MOST; s++) {
    for (int cause = 0; cause < CAUSES; cause++) {
      if ((cell->causes[s] >> cause & 1) == 0) {
        continue;
      }
      buffer_printf(out, "%s%s", between, CAUSE_NAMES[cause]);
      if (s > 0 && s <= config->source_count) {
        buffer_printf(out, ":%s", config->sources[s - 1].code);
      }
      between = ";";
    }
  }
}

static void put_cells(const struct restating *restating, struct buffer *out) {
  for (size_t i = 0; i < restating->count; i++) {
    const struct restated *cell = &restating->cells[i];
    release_text_put(out, restating->plan->name);
    buffer_char(out, ',');
    release_text_put(out,
                     release_cell_name(restating->plan, cell->is != NULL ? cell->is : cell->was, restating->arena));
    put_figure(cell->was, out);
    put_figure(cell->is, out);
    if (is_hidden(cell)) { /* the cause would tell of it */
      buffer_text(out, ",hidden");
    } else if (restating->request->rounded) {
      buffer_text(out, ",rounded");
    } else {
      put_causes(restating, cell, out);
    }
    buffer_char(out, '\n');
  }
}

static enum status restate_table(const struct release_restating *request, const struct release_between *between,
                                 size_t at, const struct released_table *was, struct arena *arena, struct buffer *out,
                                 size_t *restated, struct error *error) {
  struct restating restating = {.request = request,
                                .between = between,
                                .plan = &request->plan->tables[at],
                                .arena = arena,
                                .then.run = request->earlier->run,
                                .now.run = request->run};
  struct ledger_cell *cells = NULL;
  size_t count = 0;
  enum status status = release_cells_read(request->workspace, request->earlier->id, was, arena, &cells, &count, error);
  restating.cells = arena_array(arena, count + request->tables[at].cell_count + 1, sizeof *restating.cells);
  if (status == OK && restating.cells == NULL) {
    return error_memory(error);
  }
  if (status == OK) {
    list_cells(&restating, cells, count, &request->tables[at]);
  }
  if (status == OK && request->rounded) {
    put_cells(&restating, out);
    *restated += restating.count;
  } else if (status == OK && restating.count > 0) {
    status = count_moment(&restating, &restating.then, error);
    status = status == OK ? count_moment(&restating, &restating.now, error) : status;
    status = status == OK ? read_lives(&restating, error) : status;
    if (status == OK) {
      note_causes(&restating, &restating.then, &restating.now, false);
      note_causes(&restating, &restating.now, &restating.then, true);
      note_rest(&restating, strcmp(was->settings, request->tables[at].settings) == 0);
      put_cells(&restating, out);
      *restated += restating.count;
    }
  }
  free(restating.then.rows);
  free(restating.now.rows);
  free(restating.lives);
  return status;
}

enum status release_restate(const struct release_restating *restating, struct arena *arena, struct ledger_table *table,
                            size_t *restated, struct error *error) {
  struct buffer body;
  buffer_init(&body, RELEASE_TEXT_LIMIT);
  buffer_text(&body, "table,cell,earlier,now,cause\n");
  struct release_between *between = arena_alloc(arena, sizeof *between);
  enum status status = between == NULL ? error_memory(error) : OK;
  *restated = 0;
  if (status == OK && restating->earlier != NULL && !restating->rounded) {
    status = release_between_read(restating, arena, between, error);
  }
  for (size_t i = 0; restating->earlier != NULL && i < restating->plan->count && status == OK; i++) {
    for (size_t k = 0; k < restating->earlier->count && status == OK; k++) {
      const struct released_table *was = &restating->earlier->tables[k];
      bool same = was->settings != NULL && strcmp(was->name, restating->plan->tables[i].name) == 0
                  && strcmp(was->fields, restating->tables[i].fields) == 0;
      status = same ? restate_table(restating, between, i, was, arena, &body, restated, error) : OK;
    }
  }
  if (status != OK) {
    buffer_free(&body);
    return status;
  }
  return release_text_finish(&body, "restatements", arena, table, error);
}
