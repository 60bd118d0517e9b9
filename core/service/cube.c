#include "core/service/cube.h"

#include "core/base/date.h"
#include "core/base/text.h"
#include "core/service/cube_cells.h"
#include "core/service/cube_fields.h"

#include <stdio.h>
#include <stdlib.h>

struct counting {
  const struct cube_request *request;
  struct cube_plan plan;
  struct map *dictionary;
  struct grid parts, people, cases;
  uint32_t *person_row, *case_row, *record_row; /* by dictionary value */
  size_t known;                                 /* values that the three indexes cover */
  const struct codelist *places;
  struct cube_progress progress;
  uint32_t wanted[CUBE_CONDITIONS_MOST];
  uint32_t *order; /* rows of parts, grouped by person and case, the source that speaks first in front */
  int *precedence; /* by dictionary value of a source */
  struct tuple *tuples;
  size_t count, capacity;
  int64_t unlinked, records; /* records: of all groups that are counted */
  bool keep_parts;
  int64_t *kept; /* row ids of the groups that are counted */
  size_t part_count, part_capacity;
};

/* The rows that tell of one unit in one case. */
struct group {
  const uint32_t *parts;
  size_t part_count;
  uint32_t person, record; /* rows of people and cases, or MAP_NONE */
};

/* ---- values of a group ---- */

/* The number in a cell; 0: it has none. */
static int64_t number_at(const struct counting *counting, const struct grid *grid, uint32_t row, size_t column) {
  uint32_t value = grid_value(grid, row, column);
  int64_t number = 0;
  return value != MAP_NONE && text_to_int64(map_key(counting->dictionary, value), &number) ? number : 0;
}

static uint32_t intern(struct counting *counting, struct slice text) {
  return map_intern(counting->dictionary, text);
}

static uint32_t case_date(const struct counting *counting, const struct group *group, enum indicator_date axis) {
  size_t column = axis == DATE_OF_FACTS ? CASE_FACTS : axis == DATE_OF_FILING ? CASE_FILING : CASE_REGISTRATION;
  return group->record == MAP_NONE ? MAP_NONE : grid_value(&counting->cases, group->record, column);
}

static uint32_t first_part(const struct counting *counting, const struct group *group, size_t column) {
  for (size_t i = 0; i < group->part_count; i++) {
    uint32_t value = grid_value(&counting->parts, group->parts[i], column);
    if (value != MAP_NONE) {
      return value;
    }
  }
  return MAP_NONE;
}

static uint32_t cut_date(struct counting *counting, const struct group *group, const struct indicator *axes,
                         size_t len) {
  uint32_t value = case_date(counting, group, axes->date);
  if (value == MAP_NONE) {
    return MAP_NONE;
  }
  struct slice text = map_key(counting->dictionary, value);
  len = text.len < len && counting->request->deepest ? 4 : len;
  return text.len < len ? MAP_NONE : intern(counting, slice_make(text.data, len));
}

/* The place's ancestor: level 0 the department, 1 the province. */
static uint32_t place_at(struct counting *counting, const struct group *group, const struct indicator *axes,
                         int level) {
  uint32_t value = MAP_NONE;
  if (axes->place == PLACE_OF_RESIDENCE) {
    value = group->person == MAP_NONE ? MAP_NONE : grid_value(&counting->people, group->person, WHO_RESIDENCE);
  } else if (group->record != MAP_NONE) {
    value = grid_value(&counting->cases, group->record, CASE_PLACE);
  }
  const char *above = NULL;
  for (int at = level; at >= 0 && above == NULL && value != MAP_NONE; at = counting->request->deepest ? at - 1 : -1) {
    above = cube_ancestor(counting->places, map_key(counting->dictionary, value), at);
  }
  return above == NULL ? MAP_NONE : intern(counting, slice_of(above));
}

/* As recorded, else from the birth date at the indicator's reference; -1: neither is known. */
static int age_of(const struct counting *counting, const struct group *group, const struct indicator *axes) {
  struct date birth, at;
  uint32_t recorded = first_part(counting, group, PART_AGE);
  if (recorded != MAP_NONE) {
    return cube_number(map_key(counting->dictionary, recorded));
  }
  uint32_t born = group->person == MAP_NONE ? MAP_NONE : grid_value(&counting->people, group->person, WHO_BIRTH);
  uint32_t then = case_date(counting, group, axes->age);
  if (born == MAP_NONE || then == MAP_NONE || !date_parse_iso(map_key(counting->dictionary, born), &birth)
      || !date_parse_iso(map_key(counting->dictionary, then), &at)) {
    return -1;
  }
  return date_age(birth, at);
}

static uint32_t age_value(struct counting *counting, const struct group *group, const struct indicator *axes,
                          bool banded) {
  char text[16];
  int age = age_of(counting, group, axes);
  if (age < 0) {
    return MAP_NONE;
  }
  for (size_t i = 0; banded && i < axes->band_count; i++) {
    if (age >= axes->bands[i].least && age <= axes->bands[i].most) {
      return intern(counting, slice_of(axes->bands[i].name));
    }
  }
  snprintf(text, sizeof text, "%d", age);
  return banded ? MAP_NONE : intern(counting, slice_of(text));
}

static uint32_t progress_value(struct counting *counting, const struct group *group, enum cube_kind kind) {
  if (group->record == MAP_NONE) {
    return MAP_NONE;
  }
  uint32_t id = grid_value(&counting->cases, group->record, CASE_ID);
  return kind == CUBE_STAGE ? cube_stage(&counting->progress, counting->dictionary, id)
                            : cube_decisions(&counting->progress, counting->dictionary, id);
}

static uint32_t field_value(const struct counting *counting, const struct group *group,
                            const struct cube_field *field) {
  uint32_t value = field->involvement < 0 ? MAP_NONE : first_part(counting, group, (size_t)field->involvement);
  if (value == MAP_NONE && field->person >= 0 && group->person != MAP_NONE) {
    value = grid_value(&counting->people, group->person, (size_t)field->person);
  }
  if (value == MAP_NONE && field->record >= 0 && group->record != MAP_NONE) {
    value = grid_value(&counting->cases, group->record, (size_t)field->record);
  }
  return value;
}

static uint32_t fine_value(struct counting *counting, const struct group *group, const struct cube_field *field) {
  switch (field->kind) {
  case CUBE_PERIOD:
  case CUBE_YEAR:
    return cut_date(counting, group, field->axes, 4);
  case CUBE_MONTH:
    return cut_date(counting, group, field->axes, 7);
  case CUBE_REGION:
  case CUBE_DEPARTMENT:
    return place_at(counting, group, field->axes, 0);
  case CUBE_PROVINCE:
    return place_at(counting, group, field->axes, 1);
  case CUBE_STAGE:
  case CUBE_DECISION:
    return progress_value(counting, group, field->kind);
  case CUBE_AGE:
    return age_value(counting, group, field->axes, false);
  case CUBE_AGE_BAND:
    return age_value(counting, group, field->axes, true);
  default:
    return field_value(counting, group, field);
  }
}

static uint32_t value_of(struct counting *counting, const struct group *group, const struct cube_field *field) {
  uint32_t value = fine_value(counting, group, field);
  bool coarser = field->kind == CUBE_PERIOD || field->kind == CUBE_REGION || field->kind == CUBE_PURPOSE_GROUP;
  return coarser ? cube_coarser(counting->request, field, counting->dictionary, value) : value;
}

/* ---- conditions and cells ---- */

static bool matches(struct counting *counting, const struct group *group, size_t condition) {
  const struct cube_field *field = &counting->plan.conditions[condition];
  uint32_t value = value_of(counting, group, field), wanted = counting->wanted[condition];
  if (value == wanted || value == MAP_NONE || !field->many) {
    return value == wanted;
  }
  struct slice rest = map_key(counting->dictionary, value);
  struct slice sought = wanted == MAP_NONE ? slice_of(NULL) : map_key(counting->dictionary, wanted);
  while (rest.len > 0) {
    if (slice_equal(cube_next_value(&rest), sought)) {
      return true;
    }
  }
  return false;
}

static enum status add_tuple(struct counting *counting, const struct tuple *tuple, struct error *error) {
  if (counting->count == counting->capacity) {
    size_t capacity = counting->capacity == 0 ? 4096 : counting->capacity * 2;
    struct tuple *moved = realloc(counting->tuples, capacity * sizeof *moved);
    if (moved == NULL) {
      return error_memory(error);
    }
    counting->tuples = moved;
    counting->capacity = capacity;
  }
  counting->tuples[counting->count++] = *tuple;
  return OK;
}

/* Every combination of the values from field `at` on. */
static enum status spread(struct counting *counting, const struct group *group, size_t at, struct tuple *tuple,
                          struct error *error) {
  if (at == counting->request->by_count) {
    return add_tuple(counting, tuple, error);
  }
  const struct cube_field *field = &counting->plan.by[at];
  uint32_t value = value_of(counting, group, field);
  bool many = value != MAP_NONE && field->many;
  struct slice rest = many ? map_key(counting->dictionary, value) : slice_of(NULL);
  enum status status = OK;
  do {
    struct slice next = many ? cube_next_value(&rest) : slice_of(NULL);
    tuple->values[at] = !many ? value : next.len == 0 ? MAP_NONE : intern(counting, next);
    status = spread(counting, group, at + 1, tuple, error);
  } while (status == OK && rest.len > 0);
  return status;
}

/* ---- what is behind a figure ---- */

static struct cube_origin part_origin(const struct counting *counting, const struct group *group, size_t column) {
  for (size_t i = 0; i < group->part_count; i++) {
    if (grid_value(&counting->parts, group->parts[i], column) != MAP_NONE) {
      return (struct cube_origin){.entity = "involvement",
                                  .field = counting->plan.parts.names[column],
                                  .row_id = number_at(counting, &counting->parts, group->parts[i], PART_ROW)};
    }
  }
  return (struct cube_origin){.entity = NULL};
}

static struct cube_origin whole_origin(const char *entity, const struct grid *grid, const struct columns *columns,
                                       uint32_t row, int column) {
  bool recorded = row != MAP_NONE && column >= 0 && grid_value(grid, row, (size_t)column) != MAP_NONE;
  return (struct cube_origin){.entity = recorded ? entity : NULL, .field = recorded ? columns->names[column] : NULL};
}

static struct cube_origin case_origin(const struct counting *counting, const struct group *group, int column) {
  return whole_origin("case", &counting->cases, &counting->plan.cases, group->record, column);
}

static struct cube_origin person_origin(const struct counting *counting, const struct group *group, int column) {
  return whole_origin("person", &counting->people, &counting->plan.people, group->person, column);
}

static struct cube_origin field_origin(const struct counting *counting, const struct group *group,
                                       const struct cube_field *field) {
  struct cube_origin origin = {.entity = NULL};
  if (field->involvement >= 0) {
    origin = part_origin(counting, group, (size_t)field->involvement);
  }
  origin = origin.entity == NULL ? person_origin(counting, group, field->person) : origin;
  return origin.entity == NULL ? case_origin(counting, group, field->record) : origin;
}

static struct cube_origin origin_of(const struct counting *counting, const struct group *group,
                                    const struct cube_field *field) {
  const struct indicator *indicator = counting->request->indicator;
  struct cube_origin origin = {.entity = NULL};
  switch (field->kind) {
  case CUBE_YEAR:
  case CUBE_PERIOD:
  case CUBE_MONTH:
    return case_origin(counting, group,
                       indicator->date == DATE_OF_FACTS    ? CASE_FACTS
                       : indicator->date == DATE_OF_FILING ? CASE_FILING
                                                           : CASE_REGISTRATION);
  case CUBE_REGION:
  case CUBE_DEPARTMENT:
  case CUBE_PROVINCE:
    return indicator->place == PLACE_OF_RESIDENCE ? person_origin(counting, group, WHO_RESIDENCE)
                                                  : case_origin(counting, group, CASE_PLACE);
  case CUBE_AGE:
  case CUBE_AGE_BAND:
    origin = part_origin(counting, group, PART_AGE);
    return origin.entity == NULL ? person_origin(counting, group, WHO_BIRTH) : origin;
  case CUBE_STAGE:
  case CUBE_DECISION:
    origin.entity = group->record == MAP_NONE ? NULL : "proceeding";
    return origin;
  default:
    return field_origin(counting, group, field);
  }
}

static enum status tell_unit(struct counting *counting, const struct group *group, uint32_t unit, struct error *error) {
  struct cube_origin origins[CUBE_CONDITIONS_MOST];
  struct slice values[CUBE_CONDITIONS_MOST];
  uint32_t positions[CUBE_CONDITIONS_MOST];
  int64_t *rows = malloc((group->part_count + 1) * sizeof *rows);
  if (rows == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < group->part_count; i++) {
    rows[i] = number_at(counting, &counting->parts, group->parts[i], PART_ROW);
  }
  for (size_t i = 0; i < counting->plan.condition_count; i++) {
    positions[i] = value_of(counting, group, &counting->plan.conditions[i]);
    origins[i] = origin_of(counting, group, &counting->plan.conditions[i]);
  }
  for (size_t i = 0; i < counting->plan.condition_count; i++) { /* texts move while values are added */
    values[i] = positions[i] == MAP_NONE ? slice_of(NULL) : map_key(counting->dictionary, positions[i]);
  }
  struct cube_unit told = {.rows = rows,
                           .row_count = group->part_count,
                           .fields = counting->plan.conditions,
                           .origins = origins,
                           .values = values,
                           .count = counting->plan.condition_count};
  if (!text_to_int64(map_key(counting->dictionary, unit), &told.id)) {
    told.id = 0;
  }
  if (group->record != MAP_NONE) {
    told.case_id = number_at(counting, &counting->cases, group->record, CASE_ID);
  }
  enum status status = counting->request->visit(counting->request->context, &told, error);
  free(rows);
  return status;
}

static enum status keep_parts(struct counting *counting, const struct group *group, struct tuple *tuple,
                              struct error *error) {
  tuple->part = (uint32_t)counting->part_count;
  tuple->part_count = (uint32_t)group->part_count;
  size_t needed = counting->part_count + group->part_count;
  if (needed > UINT32_MAX) {
    return error_set(error, ERR_LIMIT, "%s", _("there are too many records to count"));
  }
  if (needed > counting->part_capacity) {
    size_t capacity = needed < 2048 ? 4096 : needed * 2;
    int64_t *moved = realloc(counting->kept, capacity * sizeof *moved);
    if (moved == NULL) {
      return error_memory(error);
    }
    counting->kept = moved;
    counting->part_capacity = capacity;
  }
  for (size_t i = 0; i < group->part_count; i++) {
    counting->kept[counting->part_count++] = number_at(counting, &counting->parts, group->parts[i], PART_ROW);
  }
  return OK;
}

/* `records`: those behind the group. */
static enum status count_group(struct counting *counting, const struct group *group, uint32_t unit, int64_t records,
                               struct error *error) {
  for (size_t i = 0; i < counting->plan.condition_count; i++) {
    if (!matches(counting, group, i)) {
      return OK;
    }
  }
  struct tuple tuple = {.unit = unit, .root = unit, .records = (uint32_t)records};
  memset(tuple.values, 0xff, sizeof tuple.values); /* MAP_NONE */
  counting->records += records;
  enum status status = counting->keep_parts ? keep_parts(counting, group, &tuple, error) : OK;
  if (status == OK && counting->request->visit != NULL) {
    status = tell_unit(counting, group, unit, error);
  }
  return status == OK ? spread(counting, group, 0, &tuple, error) : status;
}

/* ---- groups ---- */

static uint32_t row_at(const struct counting *counting, const uint32_t *index, uint32_t value) {
  return value == MAP_NONE || value >= counting->known ? MAP_NONE : index[value];
}

static int by_group(const void *a, const void *b, void *context) {
  const struct counting *counting = context;
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  for (size_t column = PART_PERSON; column <= PART_CASE; column++) {
    uint32_t x = grid_value(&counting->parts, left, column), y = grid_value(&counting->parts, right, column);
    if (x != y) {
      return x < y ? -1 : 1;
    }
  }
  int x = counting->precedence[grid_value(&counting->parts, left, PART_SOURCE)];
  int y = counting->precedence[grid_value(&counting->parts, right, PART_SOURCE)];
  return x != y ? (x < y ? -1 : 1) : left < right ? -1 : left > right;
}

static bool same_group(const struct counting *counting, uint32_t a, uint32_t b) {
  return counting->request->source == NULL
         && grid_value(&counting->parts, a, PART_PERSON) == grid_value(&counting->parts, b, PART_PERSON)
         && grid_value(&counting->parts, a, PART_CASE) == grid_value(&counting->parts, b, PART_CASE);
}

/* Rows of the indicator's role, in order; without those that belong to no consolidated person. */
static enum status order_parts(struct counting *counting, size_t *count, struct error *error) {
  const struct indicator *indicator = counting->request->indicator;
  const struct config *config = counting->request->workspace->config;
  uint32_t role = indicator->role == NULL ? MAP_NONE : map_get(counting->dictionary, slice_of(indicator->role));
  counting->order = malloc((counting->parts.count + 1) * sizeof *counting->order);
  counting->precedence = calloc(counting->known + 1, sizeof *counting->precedence);
  if (counting->order == NULL || counting->precedence == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < config->source_count; i++) {
    uint32_t source = map_get(counting->dictionary, slice_of(config->sources[i].code));
    if (source != MAP_NONE && source < counting->known) {
      counting->precedence[source] = config_turn(config, &config->sources[i]);
    }
  }
  *count = 0;
  for (size_t row = 0; row < counting->parts.count; row++) {
    if (indicator->role != NULL && grid_value(&counting->parts, row, PART_ROLE) != role) {
      continue;
    }
    bool linked = grid_value(&counting->parts, row, PART_PERSON) != MAP_NONE;
    counting->unlinked += !linked;
    if (linked || counting->request->source != NULL) {
      counting->order[(*count)++] = (uint32_t)row;
    }
  }
  if (counting->request->source == NULL) {
    qsort_r(counting->order, *count, sizeof *counting->order, by_group, counting);
  }
  return OK;
}

static enum status count_persons(struct counting *counting, struct error *error) {
  size_t count = 0;
  enum status status = order_parts(counting, &count, error);
  for (size_t from = 0, to; from < count && status == OK; from = to) {
    uint32_t first = counting->order[from];
    for (to = from + 1; to < count && same_group(counting, first, counting->order[to]);) {
      to++;
    }
    struct group group = {.parts = counting->order + from, .part_count = to - from};
    group.person = row_at(counting, counting->person_row, grid_value(&counting->parts, first, PART_PERSON));
    group.record = MAP_NONE;
    if (counting->request->source != NULL) { /* the case that came in the same record says it best */
      group.record = row_at(counting, counting->record_row, grid_value(&counting->parts, first, PART_RECORD));
    }
    if (group.record == MAP_NONE) {
      group.record = row_at(counting, counting->case_row, grid_value(&counting->parts, first, PART_CASE));
    }
    size_t unit = counting->request->source == NULL ? PART_PERSON : PART_ROW;
    status = count_group(counting, &group, grid_value(&counting->parts, first, unit), (int64_t)group.part_count, error);
  }
  return status;
}

static enum status count_cases(struct counting *counting, struct error *error) {
  enum status status = OK;
  bool own = counting->request->source != NULL;
  for (size_t row = 0; row < counting->cases.count && status == OK; row++) {
    const struct group group = {.person = MAP_NONE, .record = (uint32_t)row};
    uint32_t number = own ? MAP_NONE : grid_value(&counting->cases, row, CASE_RECORDS);
    int64_t records = 1;
    if (number != MAP_NONE && !text_to_int64(map_key(counting->dictionary, number), &records)) {
      records = 1;
    }
    status = count_group(counting, &group, grid_value(&counting->cases, row, own ? CASE_ROW : CASE_ID), records, error);
  }
  return status;
}

/* ---- all ---- */

static enum status load(struct counting *counting, struct error *error) {
  const struct cube_request *request = counting->request;
  struct store *store = request->workspace->store;
  bool persons = request->indicator->unit == UNIT_PERSON;
  const struct cube_plan *plan = &counting->plan;
  const struct grid_scope scope = {.source = request->source, .as_of_run = request->as_of_run};
  const struct grid_scope all = {.as_of_run = request->as_of_run};
  enum status status = grid_load(store, request->source == NULL ? "cases" : "case_records", plan->cases.names,
                                 plan->cases.count, scope, counting->dictionary, &counting->cases, error);
  if (status == OK && persons) {
    status = grid_load(store, "persons", plan->people.names, plan->people.count, all, counting->dictionary,
                       &counting->people, error);
  }
  if (status == OK && persons) {
    status = grid_load(store, "involvements", plan->parts.names, plan->parts.count, scope, counting->dictionary,
                       &counting->parts, error);
  }
  if (status == OK && (cube_plan_has(plan, CUBE_STAGE) || cube_plan_has(plan, CUBE_DECISION))) {
    status = cube_progress_load(request, counting->dictionary, &counting->progress, error);
  }
  if (status != OK) {
    return status;
  }
  counting->known = map_count(counting->dictionary);
  counting->case_row = grid_index(&counting->cases, CASE_ID, counting->known);
  counting->record_row = grid_index(&counting->cases, CASE_RECORD, counting->known);
  counting->person_row = grid_index(&counting->people, WHO_PERSON, counting->known);
  if (counting->case_row == NULL || counting->record_row == NULL || counting->person_row == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < plan->condition_count; i++) {
    const char *wanted = plan->wanted[i];
    counting->wanted[i] = wanted[0] == '\0' ? MAP_NONE : intern(counting, slice_of(wanted));
  }
  return OK;
}

static void free_counting(struct counting *counting) {
  grid_free(&counting->parts);
  grid_free(&counting->people);
  grid_free(&counting->cases);
  free(counting->person_row);
  free(counting->case_row);
  free(counting->record_row);
  free(counting->order);
  cube_progress_free(&counting->progress);
  free(counting->precedence);
  free(counting->tuples);
  free(counting->kept);
}

/* Tuples of all units; the dictionary and the fields are those of the caller's result. */
static enum status count_all(struct counting *counting, struct map *dictionary, struct cube_field *fields,
                             size_t fields_size, struct error *error) {
  counting->dictionary = dictionary;
  counting->places = codelists_find(counting->request->workspace->lists, "place");
  enum status status =
      dictionary == NULL ? error_memory(error) : cube_plan_make(counting->request, &counting->plan, error);
  if (status == OK) {
    memcpy(fields, counting->plan.by, fields_size);
    status = load(counting, error);
  }
  if (status != OK) {
    return status;
  }
  return counting->request->indicator->unit == UNIT_PERSON ? count_persons(counting, error)
                                                           : count_cases(counting, error);
}

static enum status protect(const struct cube_request *request, struct cube *cube, struct error *error) {
  int base = request->workspace->config->disclosure.base;
  if (request->suppress || (request->guard && base == 0)) {
    return cube_suppress(request, cube, error);
  }
  return request->guard ? cube_round(request, cube, error) : OK;
}

enum status cube_run(const struct cube_request *request, struct cube *cube, struct error *error) {
  struct counting counting = {.request = request};
  *cube = (struct cube){.dictionary = map_new(), .field_count = request->by_count};
  enum status status = OK;
  if (request->by_count > CUBE_FIELDS_MOST) {
    status = error_set(error, ERR_USAGE, _("a figure is broken down by at most %d fields"), CUBE_FIELDS_MOST);
  }
  status = status == OK ? count_all(&counting, cube->dictionary, cube->fields, sizeof cube->fields, error) : status;
  if (status == OK) {
    status = cube_cells_make(request, counting.tuples, counting.count, cube, error);
    cube->total.records = counting.records;
    cube->unlinked = counting.unlinked;
  }
  free_counting(&counting);
  status = status == OK ? protect(request, cube, error) : status;
  if (status != OK) {
    cube_free(cube);
  }
  return status;
}

enum status cube_rows_read(const struct cube_request *request, struct cube_rows *rows, struct error *error) {
  struct counting counting = {.request = request, .keep_parts = true};
  *rows = (struct cube_rows){.dictionary = map_new(), .field_count = request->by_count};
  enum status status = count_all(&counting, rows->dictionary, rows->fields, sizeof rows->fields, error);
  rows->rows = status == OK ? calloc(counting.count + 1, sizeof *rows->rows) : NULL;
  if (status == OK && rows->rows == NULL) {
    status = error_memory(error);
  }
  for (size_t i = 0; i < counting.count && status == OK; i++) {
    const struct tuple *tuple = &counting.tuples[i];
    rows->rows[i] = (struct cube_row){.unit = tuple->unit, .part = tuple->part, .part_count = tuple->part_count};
    memcpy(rows->rows[i].values, tuple->values, sizeof tuple->values);
  }
  rows->count = counting.count;
  rows->unlinked = counting.unlinked;
  rows->parts = counting.kept;
  rows->part_count = counting.part_count;
  counting.kept = NULL;
  free_counting(&counting);
  if (status != OK) {
    cube_rows_free(rows);
  }
  return status;
}

void cube_rows_free(struct cube_rows *rows) {
  map_free(rows->dictionary);
  free(rows->rows);
  free(rows->parts);
  *rows = (struct cube_rows){0};
}
