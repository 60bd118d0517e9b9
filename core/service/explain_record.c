#include "core/service/explain.h"

#include "core/service/access.h"
#include "core/service/proof.h"
#include "core/service/purpose.h"
#include "core/service/telling.h"
#include "core/sync/encode.h"

#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_SIZE = 24, VERSIONS_MOST = 1000, MAPPING_LIMIT = 4 << 20 };

struct record_view {
  struct workspace *workspace;
  const struct explain_request *request;
  const struct source_config *source; /* NULL: the configuration no longer has it */
  int64_t record_id;
  struct arena *arena;
  json_t *answer, *versions, *trace;
  /* the newest version */
  int64_t raw_id, plan_id;
  struct plan *plan;
  struct batch batch;
  const struct entity *entity; /* while rows are compared */
  size_t staged, equal;
};

static const char *state_name(enum record_state state) {
  static const char *const names[] = {"mapped", "quarantined", "withheld", "dismissed"};
  return names[state];
}

/* ---- versions and issues ---- */

static enum status take_version(void *context, const struct raw_version *version, struct error *error) {
  struct record_view *view = context;
  view->raw_id = version->raw_id;
  view->plan_id = version->plan_id;
  const char *plan;
  enum status status = explain_plan(view->workspace, view->arena, version->plan_id, &plan, error);
  if (status != OK) {
    return status;
  }
  json_t *one =
      json_pack("{sI ss ss sI so sI so sI sI}", "raw_id", (json_int_t)version->raw_id, "state",
                state_name(version->state), "plan", plan, "from_run", (json_int_t)version->from_run, "to_run",
                version->to_run == 0 ? json_null() : json_integer(version->to_run), "bytes",
                (json_int_t)version->bytes.len, "page", explain_slice(view->arena, true, slice_of(version->origin)),
                "chunk", (json_int_t)version->chunk_id, "offset", (json_int_t)version->offset);
  return json_array_append_new(view->versions, one) == 0 ? OK : error_memory(error);
}

static enum status read_versions(struct record_view *view, struct error *error) {
  enum status status = OK;
  for (int64_t ordinal = 1; status == OK && ordinal <= VERSIONS_MOST; ordinal++) {
    int64_t raw_id = (view->record_id << ORDINAL_BITS) + ordinal;
    status = store_raw(view->workspace->store, raw_id, take_version, view, error);
  }
  if (status == ERR_NOT_FOUND && view->raw_id != 0) {
    return OK;
  }
  if (status == ERR_NOT_FOUND) {
    error_set(error, ERR_NOT_FOUND, _("there is no record %lld"), (long long)view->record_id);
    error_hint(error, "%s", _("give a record's number, or SOURCE:KEY"));
  }
  return status;
}

static enum status read_issues(struct record_view *view, struct error *error) {
  static const char *const columns[] = {"level", "field", "reason", "path", "shape", "hint", "line"};
  char number[NUMBER_SIZE];
  snprintf(number, sizeof number, "%lld", (long long)view->raw_id);
  struct filter filter = {.column = "raw_id", .text = number};
  struct selection selection = {
      .view = "issues", .columns = columns, .column_count = 7, .filters = &filter, .filter_count = 1};
  struct result *result = NULL;
  json_t *issues = json_array();
  json_object_set_new(view->answer, "issues", issues);
  enum status status = store_select(view->workspace->store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    json_t *issue = json_object();
    for (size_t i = 0; i < 6; i++) {
      json_object_set_new(issue, columns[i], explain_slice(view->arena, true, result_text(result, i)));
    }
    json_object_set_new(issue, "line", json_integer(result_integer(result, 6)));
    json_array_append_new(issues, issue);
  }
  result_free(result);
  return status == END ? OK : status;
}

/* ---- the trace, recomputed from the landed bytes and the mapping as it was ---- */

static const struct field *field_of(const struct record_view *view, const char *entity, const char *field) {
  const struct entity *of = model_entity(view->workspace->model, entity);
  return of == NULL ? NULL : entity_field(of, slice_of(field));
}

static const char *text_or_empty(const char *text) {
  return text == NULL ? "" : text;
}

static json_t *shown_key(const struct record_view *view, struct slice key) {
  const char *source = view->source == NULL ? "" : view->source->code;
  return telling_key(view->workspace, view->arena, view->request->reveal, source, key);
}

static enum status take_step(void *context, const struct trace_step *step) {
  struct record_view *view = context;
  const struct field *field = field_of(view, text_or_empty(step->entity), text_or_empty(step->field));
  bool open = view->request->reveal || (field != NULL && field->sensitivity == SENSITIVITY_OPEN);
  json_t *one =
      json_pack("{ss so ss ss so ss so si}", "entity", text_or_empty(step->entity), "key", shown_key(view, step->key),
                "field", text_or_empty(step->field), "path", text_or_empty(step->path), "input",
                explain_of(view->arena, open, field, step->input), "transforms", text_or_empty(step->transforms),
                "output", explain_of(view->arena, open, field, step->output), "line", step->line);
  return json_array_append_new(view->trace, one) == 0 ? OK : ERR_MEMORY;
}

bool explain_same_cell(const struct cell *a, const struct cell *b) {
  bool empty_a = a->kind == CELL_NULL || (a->kind == CELL_TEXT && a->len == 0);
  bool empty_b = b->kind == CELL_NULL || (b->kind == CELL_TEXT && b->len == 0);
  if (empty_a || empty_b) {
    return empty_a == empty_b;
  }
  if (a->kind != b->kind) {
    return false;
  }
  return a->kind == CELL_INTEGER ? a->integer == b->integer
                                 : slice_equal(slice_make(a->text, a->len), slice_make(b->text, b->len));
}

/* Whether a staged row is what the recomputation made too. */
static enum status compare_row(void *context, const struct row *row, struct error *error) {
  struct record_view *view = context;
  const struct rows *made = &view->batch.rows[view->entity->index];
  json_t *one = json_pack("{ss so sI}", "entity", view->entity->name, "key", shown_key(view, row->key), "row_id",
                          (json_int_t)row->row_id);
  if (json_array_append_new(json_object_get(view->answer, "rows"), one) != 0) {
    return error_memory(error);
  }
  view->staged++;
  for (size_t i = 0; i < made->count; i++) {
    if (!slice_equal(made->heads[i].key, row->key)) {
      continue;
    }
    bool equal = true;
    for (size_t c = 0; equal && c < view->entity->column_count; c++) {
      equal = view->entity->columns[c].field->type == FIELD_ENCODING
              || explain_same_cell(&rows_cells(made, i)[c], &row->cells[c]);
    }
    view->equal += equal;
  }
  return OK;
}

static enum status compare_rows(struct record_view *view, struct error *error) {
  const struct model *model = view->workspace->model;
  size_t made = 0;
  enum status status = OK;
  for (size_t i = 0; status == OK && i < model->entity_count; i++) {
    struct row_filter filter = {.identity = true, .record_id = view->record_id};
    view->entity = &model->entities[i];
    made += view->batch.rows[i].count;
    status = store_visit_rows(view->workspace->store, view->entity, &filter, compare_row, view, error);
  }
  bool same = view->staged == made && view->equal == made;
  json_object_set_new(view->answer, "recomputed", json_string(same ? "same" : "different"));
  return status;
}

static enum status trace_parsed(struct record_view *view, const struct node *root, struct error *error) {
  enum outcome outcome;
  enum status status = plan_trace(view->plan, &view->batch, root, take_step, view, error);
  if (status != OK) {
    return status == ERR_MEMORY ? error_memory(error) : status;
  }
  batch_reset(&view->batch);
  status = plan_apply(view->plan, &view->batch, root, 0, &outcome, error);
  return status == OK ? compare_rows(view, error) : status;
}

static enum status trace_version(void *context, const struct raw_version *version, struct error *error) {
  struct record_view *view = context;
  const struct format *format = format_find(version->format);
  struct decoder *decoder = NULL;
  struct node *root = NULL;
  struct error broken;
  if (format == NULL) {
    return error_set(error, ERR_STORE, _("landed bytes of unknown format %s"), version->format);
  }
  if (version->bytes.len == 0) {
    json_object_set_new(view->answer, "recomputed", json_string("bytes not kept"));
    return OK;
  }
  struct slice bytes = arena_copy(view->arena, encoded_record(version->bytes));
  if (bytes.data == NULL) {
    return error_memory(error);
  }
  enum status status = format->decoder_new(version->context, &decoder, &broken);
  status = status == OK ? format->parse(decoder, bytes, view->arena, &root, &broken) : status;
  if (status == OK) {
    status = trace_parsed(view, root, error);
  } else if (status == ERR_MEMORY) {
    *error = broken;
  } else {
    json_object_set_new(view->answer, "recomputed", json_string("unreadable"));
    status = OK;
  }
  if (decoder != NULL) {
    format->decoder_free(decoder);
  }
  return status;
}

/* Whether the mapping in force today is the one that made the record. */
static enum status compare_plans(struct record_view *view, struct error *error) {
  struct plan *current = NULL;
  json_object_set_new(view->answer, "plan_is_current", json_null());
  if (view->source == NULL) {
    return OK;
  }
  enum status status = plan_load_approved(view->source->mapping, view->workspace->texts, view->workspace->model,
                                          view->workspace->lists, &current, NULL, error);
  if (status != OK) {
    json_object_set_new(view->answer, "plan_is_current", json_false());
    return status == ERR_MEMORY || status == ERR_IO ? status : OK; /* gone, refused or mistaken it is another one */
  }
  char digest[2 * SHA256_SIZE + 1];
  struct sha256 now = plan_digest(current);
  hex_format(now.bytes, SHA256_SIZE, digest);
  const char *then;
  status = explain_plan(view->workspace, view->arena, view->plan_id, &then, error);
  json_object_set_new(view->answer, "plan_is_current",
                      json_boolean(then[0] != '\0' && strncmp(digest, then, strlen(then)) == 0));
  plan_free(current);
  return status;
}

static enum status read_trace(struct record_view *view, struct error *error) {
  struct buffer text;
  buffer_init(&text, MAPPING_LIMIT);
  const char *digest = "";
  enum status status = store_plan_text(view->workspace->store, view->plan_id, &text, error);
  if (status == OK) {
    status = explain_plan(view->workspace, view->arena, view->plan_id, &digest, error);
  }
  json_object_set_new(view->answer, "plan", json_string(digest));
  if (status == OK) {
    const char *name = view->source == NULL ? "mapping" : view->source->mapping;
    status =
        plan_parse(name, buffer_view(&text), view->workspace->model, view->workspace->lists, &view->plan, NULL, error);
  }
  buffer_free(&text);
  if (status != OK && status != ERR_MEMORY) {
    /* A mapping of an older engine, model or code list may not compile any more: the record is told of without it. */
    json_object_set_new(view->answer, "recomputed", json_string("plan does not compile"));
    return OK;
  }
  status = status == OK ? batch_init(&view->batch, view->workspace->model, error) : status;
  return status == OK ? store_raw(view->workspace->store, view->raw_id, trace_version, view, error) : status;
}

static void find_source(struct record_view *view) {
  for (size_t i = 0; i < view->workspace->config->source_count; i++) {
    if (view->workspace->source_ids[i] == source_of_record(view->record_id)) {
      view->source = &view->workspace->config->sources[i];
    }
  }
  json_object_set_new(view->answer, "source", json_string(view->source == NULL ? "" : view->source->code));
  json_object_set_new(view->answer, "institution", json_string(view->source == NULL ? "" : view->source->institution));
}

/* The staged values themselves, in the place of a trace. */
static enum status list_row(void *context, const struct row *row, struct error *error) {
  struct record_view *view = context;
  json_t *one = json_pack("{ss so sI}", "entity", view->entity->name, "key", shown_key(view, row->key), "row_id",
                          (json_int_t)row->row_id);
  if (json_array_append_new(json_object_get(view->answer, "rows"), one) != 0) {
    return error_memory(error);
  }
  for (size_t i = 0; i < view->entity->column_count; i++) {
    const struct column *column = &view->entity->columns[i];
    if (row->cells[i].kind == CELL_NULL || column->own) {
      continue;
    }
    json_t *value = explain_value(view->arena, view->request, column->field, &row->cells[i]);
    one = json_pack("{ss so ss ss ss ss sO si}", "entity", view->entity->name, "key", shown_key(view, row->key),
                    "field", column->name, "path", "", "input", "", "transforms", "", "output", value, "line", 0);
    json_decref(value);
    if (json_array_append_new(view->trace, one) != 0) {
      return error_memory(error);
    }
  }
  return OK;
}

static enum status list_rows(struct record_view *view, struct error *error) {
  const struct model *model = view->workspace->model;
  enum status status = OK;
  for (size_t i = 0; status == OK && i < model->entity_count; i++) {
    struct row_filter filter = {.identity = true, .record_id = view->record_id};
    view->entity = &model->entities[i];
    status = store_visit_rows(view->workspace->store, view->entity, &filter, list_row, view, error);
  }
  return status;
}

/* Bytes, rows and outcome against the log. A record that is no more has no rows to compare. */
static enum status check_log(struct record_view *view, struct error *error) {
  struct proof *proof = NULL;
  struct proof_fault fault;
  int64_t entry = 0;
  const json_t *newest = json_array_get(view->versions, json_array_size(view->versions) - 1);
  if (!json_is_null(json_object_get(newest, "to_run"))) {
    json_object_set_new(view->answer, "log_entry", json_null());
    json_object_set_new(view->answer, "wrong", json_null());
    return OK;
  }
  enum status status = proof_open(view->workspace, &proof, error);
  status = status == OK ? proof_record(proof, view->raw_id, &entry, &fault, error) : status;
  if (status == OK) {
    json_object_set_new(view->answer, "log_entry", entry == 0 ? json_null() : json_integer(entry));
    json_object_set_new(view->answer, "wrong",
                        fault.found ? json_pack("{ss ss}", "at", fault.place, "what", fault.what) : json_null());
  }
  proof_close(proof);
  return status;
}

static enum status describe(struct record_view *view, struct error *error) {
  json_object_set_new(view->answer, "record_id", json_integer(view->record_id));
  json_object_set(view->answer, "versions", view->versions);
  json_object_set_new(view->answer, "rows", json_array());
  find_source(view);
  /* Landed bytes lie in pages with those of others: only the service reads them. */
  if (access_restricted(view->workspace)) {
    json_object_set_new(view->answer, "issues", json_array());
    json_object_set_new(view->answer, "plan", json_string(""));
    json_object_set_new(view->answer, "plan_is_current", json_null());
    json_object_set(view->answer, "trace", view->trace);
    enum status listed = list_rows(view, error);
    json_object_set_new(view->answer, "recomputed", json_string("not shown"));
    return listed;
  }
  enum status status = read_versions(view, error);
  status = status == OK ? read_issues(view, error) : status;
  status = status == OK ? compare_plans(view, error) : status;
  status = status == OK ? read_trace(view, error) : status;
  status = status == OK ? check_log(view, error) : status;
  json_object_set(view->answer, "trace", view->trace);
  return status == OK ? explain_erased(view->workspace, &view->record_id, 1, view->answer, error) : status;
}

enum status explain_record(struct workspace *workspace, const char *reference, const struct explain_request *request,
                           json_t **answer, struct error *error) {
  char body[64];
  struct record_view view = {.workspace = workspace, .request = request};
  *answer = NULL;
  enum status status = store_record_id(workspace->store, reference, &view.record_id, error);
  if (status != OK) {
    return status;
  }
  view.arena = arena_new(0);
  view.answer = json_pack("{ss}", "kind", "record");
  view.versions = json_array();
  view.trace = json_array();
  bool made = view.arena != NULL && view.answer != NULL && view.versions != NULL && view.trace != NULL;
  snprintf(body, sizeof body, "{\"record_id\":%lld}", (long long)view.record_id);
  if (made && request->reveal) {
    status = purpose_require(workspace, source_of_record(view.record_id), request->purpose, error);
  }
  status = !made ? error_memory(error) : status == OK ? explain_log(workspace, request, body, NULL, error) : status;
  status = status == OK ? telling_look(workspace, request->reveal, error) : status;
  status = status == OK ? describe(&view, error) : status;
  if (view.plan != NULL) {
    batch_free(&view.batch);
    plan_free(view.plan);
  }
  arena_free(view.arena);
  json_decref(view.versions);
  json_decref(view.trace);
  if (status != OK) {
    json_decref(view.answer);
    return status;
  }
  *answer = view.answer;
  return OK;
}
