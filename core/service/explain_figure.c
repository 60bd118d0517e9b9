#include "core/service/figure.h"

#include <stdio.h>

enum { NUMBER_SIZE = 24 };

/* The plan that decided the record, as the figure counts it; 0: unknown. */
static enum status plan_of(struct workspace *workspace, int64_t record_id, int64_t as_of_run, int64_t *plan_id,
                           struct error *error) {
  static const char *const columns[] = {"plan_id"};
  char number[NUMBER_SIZE];
  snprintf(number, sizeof number, "%lld", (long long)record_id);
  const struct filter filter = {.column = "record_id", .text = number};
  const struct selection selection = {
      .view = "records", .columns = columns, .column_count = 1, .filters = &filter, .filter_count = 1};
  struct result *result = NULL;
  *plan_id = 0;
  if (as_of_run != 0) {
    return store_plan_then(workspace->store, record_id, as_of_run, plan_id, error);
  }
  enum status status = store_select(workspace->store, &selection, &result, error);
  if (status == OK && (status = result_next(result, error)) == OK) {
    *plan_id = result_integer(result, 0);
  }
  result_free(result);
  return status == END ? OK : status;
}

/* Where a row came from, as members of an object. */
static enum status add_row(struct workspace *workspace, const struct figure *figure, struct arena *arena,
                           int64_t row_id, json_t *object, struct error *error) {
  int64_t plan_id;
  int64_t record_id = record_of(row_id);
  const char *source = "", *institution = "";
  for (size_t i = 0; i < workspace->config->source_count; i++) {
    if (workspace->source_ids[i] == source_of_record(record_id)) {
      source = workspace->config->sources[i].code;
      institution = workspace->config->sources[i].institution;
    }
  }
  enum status status = plan_of(workspace, record_id, figure->as_of_run, &plan_id, error);
  const char *plan = "";
  if (status == OK && plan_id != 0) {
    status = explain_plan(workspace, arena, plan_id, &plan, error);
  }
  json_object_set_new(object, "row_id", json_integer(row_id));
  json_object_set_new(object, "record_id", json_integer(record_id));
  json_object_set_new(object, "source", json_string(source));
  json_object_set_new(object, "institution", json_string(institution));
  json_object_set_new(object, "plan", json_string(plan));
  return status;
}

/* ---- the value that a condition was met by ---- */

struct was {
  const struct explain_request *sight;
  struct arena *arena;
  const struct field *field;
  json_t *value;
};

static enum status take_cell(void *context, const struct row *row, struct error *error) {
  struct was *was = context;
  (void)error;
  json_decref(was->value);
  was->value = explain_value(was->arena, was->sight, was->field, &row->cells[was->field->column]);
  return OK;
}

/* The staged row that survived in a field of a consolidated person or case, and by which rule. */
static enum status find_survivor(struct workspace *workspace, int64_t as_of_run, const char *kind, int64_t id,
                                 const char *field, struct arena *arena, int64_t *row_id, const char **rule,
                                 struct error *error) {
  static const char *const columns[] = {"row_id", "rule"};
  char number[NUMBER_SIZE];
  snprintf(number, sizeof number, "%lld", (long long)id);
  const struct filter filters[] = {
      {.column = "id", .text = number}, {.column = "kind", .text = kind}, {.column = "field", .text = field}};
  const struct selection selection = {.view = "origins",
                                      .columns = columns,
                                      .column_count = 2,
                                      .filters = filters,
                                      .filter_count = 3,
                                      .as_of_run = as_of_run};
  struct result *result = NULL;
  enum status status = store_select(workspace->store, &selection, &result, error);
  if (status == OK && (status = result_next(result, error)) == OK) {
    *row_id = result_integer(result, 0);
    *rule = arena_text(arena, result_text(result, 1));
  }
  result_free(result);
  return status == END ? OK : status;
}

static enum status add_origin(struct workspace *workspace, const struct figure *figure, const struct figure_unit *unit,
                              const struct cube_origin *origin, const struct explain_request *sight,
                              struct arena *arena, json_t *value, struct error *error) {
  int64_t row_id = origin->row_id;
  const char *rule = NULL;
  enum status status = OK;
  bool person = figure->indicator.unit == UNIT_PERSON;
  bool whole = strcmp(origin->entity, "involvement") != 0;
  if (whole) {
    bool of_case = strcmp(origin->entity, "case") == 0;
    status = find_survivor(workspace, figure->as_of_run, origin->entity, of_case || !person ? unit->case_id : unit->id,
                           origin->field, arena, &row_id, &rule, error);
  }
  const struct entity *entity = model_entity(workspace->model, origin->entity);
  struct was was = {
      .sight = sight, .arena = arena, .field = entity == NULL ? NULL : entity_field(entity, slice_of(origin->field))};
  if (status == OK && row_id != 0 && was.field != NULL) {
    const struct row_filter filter = {
        .rows = &row_id, .count = 1, .history = figure->as_of_run == 0, .as_of_run = figure->as_of_run};
    status = store_visit_rows(workspace->store, entity, &filter, take_cell, &was, error);
  }
  json_object_set_new(value, "column", json_string(origin->field));
  json_object_set_new(value, "was", was.value == NULL ? json_null() : was.value);
  json_object_set_new(value, "rule", json_string(!whole ? "precedence" : rule == NULL ? "" : rule));
  return status == OK && row_id != 0 ? add_row(workspace, figure, arena, row_id, value, error) : status;
}

/* ---- a unit ---- */

/* Rows of a consolidated case. */
static enum status add_members(struct workspace *workspace, const struct figure *figure, struct arena *arena,
                               int64_t case_id, json_t *rows, struct error *error) {
  static const char *const columns[] = {"row_id"};
  char number[NUMBER_SIZE];
  snprintf(number, sizeof number, "%lld", (long long)case_id);
  const struct filter filters[] = {{.column = "id", .text = number}, {.column = "kind", .text = "case"}};
  const struct selection selection = {.view = "members",
                                      .columns = columns,
                                      .column_count = 1,
                                      .filters = filters,
                                      .filter_count = 2,
                                      .order = "row_id",
                                      .as_of_run = figure->as_of_run};
  struct result *result = NULL;
  size_t from = json_array_size(rows);
  enum status status = store_select(workspace->store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    json_array_append_new(rows, json_integer(result_integer(result, 0)));
  }
  result_free(result);
  status = status == END ? OK : status;
  for (size_t i = from; i < json_array_size(rows) && status == OK; i++) {
    json_t *row = json_object();
    status = add_row(workspace, figure, arena, json_integer_value(json_array_get(rows, i)), row, error);
    json_array_set_new(rows, i, row);
  }
  return status;
}

enum status figure_unit_json(struct workspace *workspace, const struct figure *figure, const struct figure_unit *unit,
                             const struct explain_request *sight, struct arena *arena, json_t **answer,
                             struct error *error) {
  bool person = figure->indicator.unit == UNIT_PERSON;
  json_t *rows = json_array(), *values = json_array();
  enum status status = OK;
  *answer = json_pack("{sI so so so}", "id", (json_int_t)unit->id, "case_id",
                      unit->case_id == 0 ? json_null() : json_integer(unit->case_id), "rows", rows, "values", values);
  if (*answer == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < unit->row_count && status == OK; i++) {
    json_t *row = json_object();
    status = add_row(workspace, figure, arena, unit->rows[i], row, error);
    json_array_append_new(rows, row);
  }
  status = status == OK && !person ? add_members(workspace, figure, arena, unit->id, rows, error) : status;
  for (size_t i = 0; i < figure->condition_count && status == OK; i++) {
    const struct cube_origin *origin = &unit->origins[i];
    json_t *value = json_pack("{ss ss so}", "field", figure->fields[i], "value", figure->wanted[i], "from",
                              origin->entity == NULL ? json_null() : json_string(origin->entity));
    if (origin->entity != NULL && origin->field != NULL) {
      status = add_origin(workspace, figure, unit, origin, sight, arena, value, error);
    }
    json_array_append_new(values, value);
  }
  if (status != OK) {
    json_decref(*answer);
    *answer = NULL;
  }
  return status;
}

/* ---- all ---- */

static enum status add_units(struct workspace *workspace, const struct figure *figure,
                             const struct explain_request *sight, json_t *units, struct error *error) {
  struct arena *arena = arena_new(0);
  enum status status = arena == NULL ? error_memory(error) : OK;
  for (size_t i = 0; i < figure->count && status == OK; i++) {
    json_t *unit = NULL;
    arena_reset(arena);
    status = figure_unit_json(workspace, figure, &figure->units[i], sight, arena, &unit, error);
    if (status == OK) {
      json_array_append_new(units, unit);
    }
  }
  arena_free(arena);
  return status;
}

enum status figure_json(struct workspace *workspace, const struct figure *figure, const struct explain_request *sight,
                        json_t **answer, struct error *error) {
  const struct indicator *indicator = &figure->indicator;
  json_t *where = json_array(), *units = json_array();
  for (size_t i = 0; i < figure->condition_count; i++) {
    json_array_append_new(where, json_pack("{ss ss}", "field", figure->fields[i], "value", figure->wanted[i]));
  }
  *answer = json_pack("{ss ss ss ss ss so sI sI sI so}", "kind", "figure", "indicator", indicator->name, "label_en",
                      indicator->label_en, "label_es", indicator->label_es, "unit",
                      indicator->unit == UNIT_PERSON ? "person" : "case", "where", where, "figure",
                      (json_int_t)figure->extent.figure, "least", (json_int_t)figure->extent.least, "records",
                      (json_int_t)figure->extent.records, "units", units);
  return *answer == NULL ? error_memory(error) : add_units(workspace, figure, sight, units, error);
}

enum status explain_figure(struct workspace *workspace, const struct figure_request *request, json_t **answer,
                           struct error *error) {
  struct figure figure;
  *answer = NULL;
  enum status status = figure_find(workspace, request, &figure, error);
  status = status == OK ? figure_json(workspace, &figure, &request->sight, answer, error) : status;
  if (status != OK) {
    json_decref(*answer);
    *answer = NULL;
  }
  figure_free(&figure);
  return status;
}
