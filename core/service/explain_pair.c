#include "core/service/explain.h"

#include "core/link/clk.h"
#include "core/resolve/resolve.h"
#include "core/service/purpose.h"
#include "core/service/weights.h"

#include <stdio.h>

enum { CASE_PREFIX = 5 };

struct pair_view {
  const struct explain_request *request;
  const struct model *model;
  enum cluster_kind kind;
  struct arena *arena;
  json_t *answer;
};

/* The field that a column of a link plan reads. */
static const struct field *field_of(const struct pair_view *view, const char *column) {
  bool of_case = strncmp(column, "case.", CASE_PREFIX) == 0;
  const char *entity = of_case || view->kind == CLUSTER_CASE ? "case" : "person";
  const struct entity *found = model_entity(view->model, entity);
  return found == NULL ? NULL : entity_field(found, slice_of(column + (of_case ? CASE_PREFIX : 0)));
}

static json_t *shown(const struct pair_view *view, const struct field *field, struct slice text) {
  bool open = view->request->reveal || (field != NULL && field->sensitivity == SENSITIVITY_OPEN);
  return text.len == 0 ? json_null() : explain_of(view->arena, open, field, text);
}

static json_t *comparison_json(const struct pair_view *view, const struct resolve_pair *pair, size_t at) {
  const struct link_comparison *comparison = &pair->explanation->comparisons[at];
  json_t *values = json_array();
  for (size_t i = 0; i < comparison->column_count; i++) {
    const struct field *field = field_of(view, comparison->columns[i]);
    json_array_append_new(values, json_pack("{ss so so}", "field", comparison->columns[i], "a",
                                            shown(view, field, pair->values[0][at][i]), "b",
                                            shown(view, field, pair->values[1][at][i])));
  }
  return json_pack("{ss ss sf so}", "comparison", comparison->name, "level", comparison->level, "weight",
                   (double)comparison->weight + (double)comparison->adjustment, "values", values);
}

static enum status take_pair(void *context, const struct resolve_pair *pair) {
  struct pair_view *view = context;
  const struct link_explanation *explanation = pair->explanation;
  json_t *comparisons = json_array();
  for (size_t i = 0; i < explanation->count; i++) {
    json_array_append_new(comparisons, comparison_json(view, pair, i));
  }
  int failed = json_object_set_new(view->answer, "comparisons", comparisons);
  failed |= json_object_set_new(view->answer, "weights", weights_json(explanation));
  failed |= json_object_set_new(view->answer, "rule", pair->block == NULL ? json_null() : json_string(pair->block));
  failed |=
      json_object_set_new(view->answer, "verdict", pair->verdict == NULL ? json_null() : json_string(pair->verdict));
  if (pair->encoded) {
    failed |=
        json_object_set_new(view->answer, "encoding",
                            json_pack("{sf sf ss}", "dice", pair->dice, "least", CLK_LEAST, "version", CLK_VERSION));
  }
  failed |= json_object_set_new(view->answer, "reason", json_string(link_reason_name(explanation->reason)));
  return failed == 0 ? OK : ERR_MEMORY;
}

/* The id that a row belongs to; 0 where it belongs to none. */
static enum status member_id(struct workspace *workspace, enum cluster_kind kind, int64_t row_id, int64_t *id,
                             struct error *error) {
  static const char *const columns[] = {"id"};
  char number[24];
  snprintf(number, sizeof number, "%lld", (long long)row_id);
  struct filter filters[2] = {{.column = "row_id", .text = number},
                              {.column = "kind", .text = kind == CLUSTER_PERSON ? "person" : "case"}};
  struct selection selection = {
      .view = "members", .columns = columns, .column_count = 1, .filters = filters, .filter_count = 2};
  struct result *result = NULL;
  *id = 0;
  enum status status = store_select(workspace->store, &selection, &result, error);
  if (status == OK && (status = result_next(result, error)) == OK) {
    *id = result_integer(result, 0);
  }
  result_free(result);
  return status == END ? OK : status;
}

static enum status compare(struct pair_view *view, struct workspace *workspace, int64_t row_a, int64_t row_b,
                           json_t *answer, struct error *error) {
  int64_t ids[2] = {0, 0};
  view->kind = CLUSTER_PERSON;
  enum status status = member_id(workspace, CLUSTER_PERSON, row_a, &ids[0], error);
  if (status == OK && ids[0] == 0) {
    view->kind = CLUSTER_CASE;
    status = member_id(workspace, CLUSTER_CASE, row_a, &ids[0], error);
  }
  status = status == OK ? member_id(workspace, view->kind, row_b, &ids[1], error) : status;
  if (status == OK && (ids[0] == 0 || ids[1] == 0)) {
    error_set(error, ERR_NOT_FOUND, "%s", _("a row belongs to no person and to no case"));
    error_hint(error, "%s", _("`puente explain person ID` lists rows; new ones need `puente link`"));
    return ERR_NOT_FOUND;
  }
  if (status == OK) {
    status = resolve_explain(workspace->store, workspace->config, workspace->texts, workspace->model, view->kind, row_a,
                             row_b, take_pair, view, error);
  }
  if (status == OK) {
    json_object_set_new(answer, "of", json_string(view->kind == CLUSTER_PERSON ? "person" : "case"));
    json_object_set_new(answer, "ids", json_pack("[I,I]", (json_int_t)ids[0], (json_int_t)ids[1]));
    json_object_set_new(answer, "same", json_boolean(ids[0] == ids[1]));
  }
  return status;
}

enum status explain_pair(struct workspace *workspace, int64_t row_a, int64_t row_b,
                         const struct explain_request *request, json_t **answer, struct error *error) {
  char body[96];
  json_t *made = json_pack("{ss s[I,I]}", "kind", "pair", "rows", (json_int_t)row_a, (json_int_t)row_b);
  struct pair_view view = {.request = request, .model = workspace->model, .arena = arena_new(0), .answer = made};
  *answer = NULL;
  snprintf(body, sizeof body, "{\"rows\":[%lld,%lld]}", (long long)row_a, (long long)row_b);
  bool ready = view.arena != NULL && made != NULL;
  enum status status = ready ? OK : error_memory(error);
  for (int i = 0; i < 2 && status == OK && request->reveal; i++) {
    status = purpose_require(workspace, source_of_record(record_of(i == 0 ? row_a : row_b)), request->purpose, error);
  }
  status = status == OK ? explain_log(workspace, request, body, NULL, error) : status;
  status = status == OK ? compare(&view, workspace, row_a, row_b, made, error) : status;
  arena_free(view.arena);
  if (status != OK) {
    json_decref(made);
    return status;
  }
  *answer = made;
  return OK;
}
