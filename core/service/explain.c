#include "core/service/explain.h"

#include "core/audit/audit.h"
#include "core/base/text.h"
#include "core/service/access.h"
#include "core/service/purpose.h"
#include "core/service/showing.h"
#include "core/service/telling.h"
#include "core/store/access.h"

#include <stdio.h>
#include <stdlib.h>

enum { SHAPE_MOST = 40, NUMBER_SIZE = 24, PLAN_DIGITS = 12, MEMBERS_MOST = 10000 };

/* ---- shared ---- */

/* Officers' logins: the database writes the entry itself, and shows their rows of what it names. */
static enum status sight(struct workspace *workspace, const struct explain_request *request, const char *body,
                         struct error *error) {
  char kind[8];
  long long id = 0;
  if (sscanf(body, "{\"%7[a-z]_id\":%lld}", kind, &id) != 2) {
    error_set(error, ERR_AUTH, "%s", _("your role shows persons, cases and records, one by one"));
    error_hint(error, "%s", _("ask for person ID, case ID or record SOURCE:KEY"));
    return ERR_AUTH;
  }
  return store_sight(workspace->store, kind, id, request->purpose, error);
}

enum status explain_log(struct workspace *workspace, const struct explain_request *request, const char *body,
                        const struct shown *shown, struct error *error) {
  if (!request->reveal) {
    return OK;
  }
  if (request->purpose == NULL || request->purpose[0] == '\0') {
    error_set(error, ERR_USAGE, "%s",
              request->exact ? _("a purpose is needed to see what a table does not show")
                             : _("a purpose is needed to reveal values"));
    error_hint(error, "%s",
               request->exact ? _("--exact --purpose \"why you have to see it\": the log records it")
                              : _("--reveal --purpose \"why you have to see them\": the log records it"));
    return ERR_USAGE;
  }
  enum status status = access_require(workspace, RIGHT_SIGHT, error);
  if (status == OK && access_restricted(workspace)) {
    return sight(workspace, request, body, error);
  }
  status = status == OK ? access_person(workspace, error) : status;
  if (status != OK) {
    return status;
  }
  const struct audit_event event = {
      .event = "reveal", .actor = workspace->actor, .purpose = request->purpose, .body = body, .shown = shown};
  status = store_begin(workspace->store, error);
  if (status != OK) {
    return status;
  }
  status = audit_append(workspace->store, &event, error);
  status = status == OK ? store_commit(workspace->store, error) : status;
  if (status != OK) {
    store_rollback(workspace->store);
  }
  return status;
}

json_t *explain_slice(struct arena *arena, bool reveal, struct slice text) {
  return explain_of(arena, reveal, NULL, text);
}

json_t *explain_of(struct arena *arena, bool reveal, const struct field *field, struct slice text) {
  struct slice shown = reveal ? text : field_mask(field, arena, text, SHAPE_MOST);
  json_t *value = json_stringn(shown.len == 0 ? "" : shown.data, shown.len);
  /* Bytes that are no UTF-8 are shown by shape whatever was asked. */
  if (value == NULL) {
    shown = text_shape(arena, text, SHAPE_MOST);
    value = json_stringn(shown.len == 0 ? "" : shown.data, shown.len);
  }
  return value;
}

json_t *explain_value(struct arena *arena, const struct explain_request *request, const struct field *field,
                      const struct cell *cell) {
  char text[NUMBER_SIZE];
  bool open = request->reveal || field->sensitivity == SENSITIVITY_OPEN;
  struct slice written = slice_make(cell->text, cell->len);
  if (cell->kind == CELL_NULL) {
    return json_null();
  }
  if (cell->kind == CELL_INTEGER) {
    int length = snprintf(text, sizeof text, "%lld", (long long)cell->integer);
    written = slice_make(text, (size_t)length);
  }
  return explain_of(arena, open, field, written);
}

/* Rows of a view where `column` is a number and, unless NULL, `kind` is the kind. */
static enum status select_by(struct workspace *workspace, const char *view, const char *const *columns, size_t count,
                             const char *kind, const char *column, int64_t number, struct result **result,
                             struct error *error) {
  char text[NUMBER_SIZE];
  snprintf(text, sizeof text, "%lld", (long long)number);
  struct filter filters[2] = {{.column = column, .text = text}, {.column = "kind", .text = kind}};
  struct selection selection = {.view = view,
                                .columns = columns,
                                .column_count = count,
                                .filters = filters,
                                .filter_count = kind == NULL ? 1 : 2};
  return store_select(workspace->store, &selection, result, error);
}

enum status explain_plan(struct workspace *workspace, struct arena *arena, int64_t plan_id, const char **digest,
                         struct error *error) {
  static const char *const columns[] = {"digest"};
  struct result *result = NULL;
  *digest = "";
  enum status status = select_by(workspace, "plans", columns, 1, NULL, "plan_id", plan_id, &result, error);
  if (status == OK && (status = result_next(result, error)) == OK) {
    struct slice text = result_text(result, 0);
    text.len = text.len > PLAN_DIGITS ? PLAN_DIGITS : text.len;
    const char *copy = arena_text(arena, text);
    *digest = copy == NULL ? "" : copy;
    status = copy == NULL ? error_memory(error) : OK;
  }
  result_free(result);
  return status == END ? OK : status;
}

/* ---- a person or a case ---- */

struct member_row {
  int64_t row_id, record_id, from_run;
  const char *source, *institution, *key, *plan;
  struct cell *cells; /* NULL until the row was read */
};

struct cluster_view {
  struct workspace *workspace;
  const struct explain_request *request;
  const struct entity *entity;
  const char *kind;
  int64_t id;
  struct arena *arena;
  struct member_row *members;
  size_t count;
  json_t *answer;
  bool lacks; /* a text that there was no memory for */
};

static enum status read_redirect(struct cluster_view *view, struct error *error) {
  static const char *const columns[] = {"into_id"};
  struct result *result = NULL;
  enum status status = select_by(view->workspace, "redirects", columns, 1, view->kind, "id", view->id, &result, error);
  if (status != OK) {
    return status;
  }
  json_object_set_new(view->answer, "merged_into", json_null());
  json_object_set_new(view->answer, "dissolved", json_false());
  while ((status = result_next(result, error)) == OK) {
    int64_t into = result_integer(result, 0);
    json_object_set_new(view->answer, "dissolved", json_boolean(into == 0));
    json_object_set_new(view->answer, "merged_into", into == 0 ? json_null() : json_integer(into));
  }
  result_free(result);
  return status == END ? OK : status;
}

static const char *keep(struct cluster_view *view, struct slice text) {
  const char *copy = arena_text(view->arena, text);
  view->lacks = view->lacks || copy == NULL;
  return copy == NULL ? "" : copy;
}

static enum status read_members(struct cluster_view *view, struct error *error) {
  static const char *const columns[] = {"row_id", "record_id", "source", "from_run"};
  struct result *result = NULL;
  enum status status = select_by(view->workspace, "members", columns, 4, view->kind, "id", view->id, &result, error);
  if (status != OK) {
    return status;
  }
  view->members = arena_array(view->arena, MEMBERS_MOST, sizeof *view->members);
  if (view->members == NULL) {
    result_free(result);
    return error_memory(error);
  }
  while (view->count < MEMBERS_MOST && (status = result_next(result, error)) == OK) {
    view->members[view->count++] = (struct member_row){.row_id = result_integer(result, 0),
                                                       .record_id = result_integer(result, 1),
                                                       .source = keep(view, result_text(result, 2)),
                                                       .from_run = result_integer(result, 3),
                                                       .institution = "",
                                                       .key = "",
                                                       .plan = ""};
  }
  result_free(result);
  return status == END ? OK : status;
}

/* Cells outlive the visit: texts are copied. */
static enum status take_row(void *context, const struct row *row, struct error *error) {
  struct cluster_view *view = context;
  for (size_t i = 0; i < view->count; i++) {
    struct member_row *member = &view->members[i];
    if (member->row_id != row->row_id) {
      continue;
    }
    member->institution = keep(view, row->institution);
    member->key = keep(view, row->key);
    member->cells = arena_array(view->arena, view->entity->column_count, sizeof *member->cells);
    if (member->cells == NULL) {
      return error_memory(error);
    }
    memcpy(member->cells, row->cells, view->entity->column_count * sizeof *member->cells);
    for (size_t c = 0; c < view->entity->column_count; c++) {
      struct cell *cell = &member->cells[c];
      if (cell->kind == CELL_TEXT) {
        cell->text = keep(view, slice_make(cell->text, cell->len));
      }
    }
  }
  return OK;
}

static enum status read_cells(struct cluster_view *view, struct error *error) {
  static const char *const columns[] = {"plan_id"};
  enum status status = OK;
  for (size_t i = 0; status == OK && i < view->count; i++) {
    struct member_row *member = &view->members[i];
    struct row_filter filter = {.identity = true, .history = true, .record_id = member->record_id};
    if (member->cells == NULL) {
      status = store_visit_rows(view->workspace->store, view->entity, &filter, take_row, view, error);
    }
    struct result *result = NULL;
    if (status == OK) {
      status = select_by(view->workspace, "records", columns, 1, NULL, "record_id", member->record_id, &result, error);
    }
    if (status == OK && (status = result_next(result, error)) == OK) {
      status = explain_plan(view->workspace, view->arena, result_integer(result, 0), &member->plan, error);
    }
    result_free(result);
    status = status == END ? OK : status;
  }
  return status;
}

static void write_members(struct cluster_view *view) {
  json_t *list = json_array();
  for (size_t i = 0; i < view->count; i++) {
    const struct member_row *member = &view->members[i];
    json_array_append_new(list, json_pack("{sI sI ss ss so sI ss}", "row_id", (json_int_t)member->row_id, "record_id",
                                          (json_int_t)member->record_id, "source", member->source, "institution",
                                          member->institution, "key",
                                          telling_key(view->workspace, view->arena, view->request->reveal,
                                                      member->source, slice_of(member->key)),
                                          "run", (json_int_t)member->from_run, "plan", member->plan));
  }
  json_object_set_new(view->answer, "members", list);
}

static bool same_cell(const struct cell *a, const struct cell *b) {
  if (a->kind != b->kind) {
    return false;
  }
  return a->kind == CELL_INTEGER ? a->integer == b->integer
                                 : slice_equal(slice_make(a->text, a->len), slice_make(b->text, b->len));
}

/* What other members say of the field: every value that is not the surviving one. */
static json_t *write_others(struct cluster_view *view, const struct field *field, const struct member_row *winner) {
  json_t *others = json_array();
  for (size_t i = 0; i < view->count; i++) {
    const struct member_row *member = &view->members[i];
    const struct cell *cell = member->cells == NULL ? NULL : &member->cells[field->column];
    if (cell == NULL || member == winner || cell->kind == CELL_NULL || same_cell(cell, &winner->cells[field->column])) {
      continue;
    }
    json_array_append_new(others,
                          json_pack("{so ss sI}", "value", explain_value(view->arena, view->request, field, cell),
                                    "source", member->source, "record_id", (json_int_t)member->record_id));
  }
  return others;
}

static const struct member_row *member_at(const struct cluster_view *view, int64_t row_id) {
  for (size_t i = 0; i < view->count; i++) {
    if (view->members[i].row_id == row_id && view->members[i].cells != NULL) {
      return &view->members[i];
    }
  }
  return NULL;
}

static enum status write_values(struct cluster_view *view, struct error *error) {
  static const char *const columns[] = {"field", "row_id", "rule"};
  struct result *result = NULL;
  json_t *values = json_array();
  json_object_set_new(view->answer, "values", values);
  enum status status = select_by(view->workspace, "origins", columns, 3, view->kind, "id", view->id, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    const struct field *field = entity_field(view->entity, result_text(result, 0));
    const struct member_row *winner = member_at(view, result_integer(result, 1));
    if (field == NULL || winner == NULL) {
      continue;
    }
    const char *rule = keep(view, result_text(result, 2));
    json_array_append_new(values,
                          json_pack("{ss ss ss so ss ss sI ss ss so}", "field", field->name, "label_en",
                                    field->label_en, "label_es", field->label_es, "value",
                                    explain_value(view->arena, view->request, field, &winner->cells[field->column]),
                                    "source", winner->source, "institution", winner->institution, "record_id",
                                    (json_int_t)winner->record_id, "rule", rule, "plan", winner->plan, "others",
                                    write_others(view, field, winner)));
  }
  result_free(result);
  return status == END ? OK : status;
}

static json_t *text_or_null(const char *text) {
  return text == NULL || text[0] == '\0' ? json_null() : json_string(text);
}

static enum status take_pair(void *context, const struct link_pair_row *pair, struct error *error) {
  static const char *const outcomes[] = {"joined", "waiting", "apart"};
  json_t *pairs = context;
  bool known = pair->outcome >= PAIR_JOINED && pair->outcome <= PAIR_APART;
  json_t *one = json_pack("{sI sI sf so sb ss ss so so}", "row_a", (json_int_t)pair->row_a, "row_b",
                          (json_int_t)pair->row_b, "weight", pair->weight, "rule", text_or_null(pair->rule), "joined",
                          (int)(pair->outcome == PAIR_JOINED), "outcome", known ? outcomes[pair->outcome] : "",
                          "reason", pair->reason == NULL ? "" : pair->reason, "verdict", text_or_null(pair->verdict),
                          "since", pair->since == 0 ? json_null() : json_integer(pair->since));
  return json_array_append_new(pairs, one) == 0 ? OK : error_memory(error);
}

/* Pairs of its members, with one another and with others that were not joined to it. */
static enum status write_pairs(struct cluster_view *view, struct error *error) {
  json_t *pairs = json_array();
  int64_t *rows = arena_array(view->arena, view->count + 1, sizeof *rows);
  enum cluster_kind kind = strcmp(view->kind, "person") == 0 ? CLUSTER_PERSON : CLUSTER_CASE;
  json_object_set_new(view->answer, "pairs", pairs);
  if (rows == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < view->count; i++) {
    rows[i] = view->members[i].row_id;
  }
  return view->count == 0 ? OK
                          : store_visit_pairs(view->workspace->store, kind, rows, view->count, take_pair, pairs, error);
}

/* ---- what became of it from run to run ---- */

static json_t *step(int64_t run, const char *event, const char *of, int64_t number) {
  return json_pack("{sI ss sI}", "run", (json_int_t)run, "event", event, of, (json_int_t)number);
}

static enum status read_memberships(struct cluster_view *view, json_t *history, struct error *error) {
  static const char *const columns[] = {"row_id", "from_run", "to_run"};
  struct result *result = NULL;
  enum status status =
      select_by(view->workspace, "member_history", columns, 3, view->kind, "id", view->id, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    json_array_append_new(history, step(result_integer(result, 1), "joined", "row_id", result_integer(result, 0)));
    if (!result_null(result, 2)) {
      json_array_append_new(history, step(result_integer(result, 2), "left", "row_id", result_integer(result, 0)));
    }
  }
  result_free(result);
  return status == END ? OK : status;
}

/* Redirects where `column` is this id: into it, or of it. */
static enum status read_redirects(struct cluster_view *view, const char *column, json_t *history, struct error *error) {
  static const char *const columns[] = {"id", "into_id", "run"};
  struct result *result = NULL;
  enum status status =
      select_by(view->workspace, "redirects", columns, 3, view->kind, column, view->id, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    int64_t id = result_integer(result, 0), into = result_integer(result, 1), run = result_integer(result, 2);
    const char *event = id != view->id ? "merged_from" : into == 0 ? "dissolved" : "merged_into";
    json_array_append_new(history, step(run, event, "id", id != view->id ? id : into));
  }
  result_free(result);
  return status == END ? OK : status;
}

static int by_run(const void *a, const void *b) {
  const json_t *const *x = a;
  const json_t *const *y = b;
  const char *const keys[] = {"run", "id", "row_id"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    json_int_t left = json_integer_value(json_object_get(*x, keys[i]));
    json_int_t right = json_integer_value(json_object_get(*y, keys[i]));
    if (left != right) {
      return left < right ? -1 : 1;
    }
  }
  return 0;
}

static enum status write_history(struct cluster_view *view, struct error *error) {
  json_t *found = json_array(), *history = json_array();
  enum status status = found == NULL || history == NULL ? error_memory(error) : read_memberships(view, found, error);
  status = status == OK ? read_redirects(view, "id", found, error) : status;
  status = status == OK ? read_redirects(view, "into_id", found, error) : status;
  size_t count = json_array_size(found);
  const json_t **steps = status == OK ? arena_array(view->arena, count + 1, sizeof *steps) : NULL;
  if (status == OK && steps == NULL) {
    status = error_memory(error);
  }
  for (size_t i = 0; i < count && steps != NULL; i++) {
    steps[i] = json_array_get(found, i);
  }
  if (steps != NULL && count > 0) {
    qsort(steps, count, sizeof *steps, by_run);
  }
  for (size_t i = 0; i < count && steps != NULL; i++) {
    json_array_append_new(history, json_deep_copy(steps[i]));
  }
  json_object_set_new(view->answer, "history", history);
  json_decref(found);
  return status;
}

/* Of all records that are or were joined in it. */
static enum status write_erased(struct cluster_view *view, struct error *error) {
  const json_t *history = json_object_get(view->answer, "history"), *one;
  size_t count = 0, i;
  int64_t *records = arena_array(view->arena, json_array_size(history) + 1, sizeof *records);
  if (records == NULL) {
    return error_memory(error);
  }
  json_array_foreach(history, i, one) {
    const json_t *row = json_object_get(one, "row_id");
    if (row != NULL) {
      records[count++] = record_of(json_integer_value(row));
    }
  }
  return explain_erased(view->workspace, records, count, view->answer, error);
}

static enum status describe(struct cluster_view *view, struct error *error) {
  enum status status = read_redirect(view, error);
  status = status == OK ? read_members(view, error) : status;
  if (status == OK && view->count == 0 && json_is_null(json_object_get(view->answer, "merged_into"))
      && json_is_false(json_object_get(view->answer, "dissolved"))) {
    error_set(error, ERR_NOT_FOUND, _("there is no %s %lld"), view->kind, (long long)view->id);
    error_hint(error, "%s",
               _("numbers are those of `puente query --purpose TEXT \"SELECT * FROM persons\"`, or of cases"));
    return ERR_NOT_FOUND;
  }
  status = status == OK ? read_cells(view, error) : status;
  if (status == OK) {
    write_members(view);
  }
  status = status == OK ? write_values(view, error) : status;
  status = status == OK ? write_pairs(view, error) : status;
  status = status == OK ? write_history(view, error) : status;
  status = status == OK ? write_erased(view, error) : status;
  return status == OK && view->lacks ? error_memory(error) : status;
}

/* A case is a sight of whoever is involved in it; of whom it is of an officer's, the database says. */
static enum status log_case(const struct cluster_view *view, struct error *error) {
  char body[192];
  struct shown shown;
  shown_init(&shown);
  enum status status = access_restricted(view->workspace)
                           ? shown_finish(&shown, error)
                           : showing_involved(view->workspace, &view->id, 1, &shown, error);
  snprintf(body, sizeof body, "{\"case_id\":%lld,\"persons\":%lld,\"shown\":\"%s\"}", (long long)view->id,
           (long long)shown.persons, shown.hex);
  status = status == OK ? explain_log(view->workspace, view->request, body, &shown, error) : status;
  shown_free(&shown);
  return status;
}

static enum status log_cluster(const struct cluster_view *view, struct error *error) {
  char body[64];
  if (!view->request->reveal) {
    return OK;
  }
  enum status status = purpose_require_cluster(view->workspace, view->kind, view->id, view->request->purpose, error);
  if (status != OK || strcmp(view->kind, "case") == 0) {
    return status == OK ? log_case(view, error) : status;
  }
  snprintf(body, sizeof body, "{\"person_id\":%lld}", (long long)view->id);
  return explain_log(view->workspace, view->request, body, NULL, error);
}

enum status explain_cluster(struct workspace *workspace, enum cluster_kind kind, int64_t id,
                            const struct explain_request *request, json_t **answer, struct error *error) {
  struct cluster_view view = {.workspace = workspace,
                              .request = request,
                              .kind = kind == CLUSTER_PERSON ? "person" : "case",
                              .id = id,
                              .arena = arena_new(0)};
  *answer = NULL;
  view.entity = model_entity(workspace->model, view.kind);
  view.answer = json_pack("{ss sI}", "kind", view.kind, "id", (json_int_t)id);
  bool made = view.arena != NULL && view.answer != NULL && view.entity != NULL;
  enum status status = made ? log_cluster(&view, error) : error_memory(error);
  status = status == OK ? telling_look(workspace, request->reveal, error) : status;
  status = status == OK ? describe(&view, error) : status;
  arena_free(view.arena);
  if (status != OK) {
    json_decref(view.answer);
    return status;
  }
  *answer = view.answer;
  return OK;
}
