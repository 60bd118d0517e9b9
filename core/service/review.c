#include "core/service/review.h"

#include "core/base/date.h"
#include "core/link/model.h"
#include "core/service/telling.h"

#include <stdlib.h>

/* Reading the queue; review_decide.c writes. */

enum { SIDES = 2 };

static const char *source_code(const struct workspace *workspace, int64_t row_id) {
  for (size_t i = 0; i < workspace->config->source_count; i++) {
    if (workspace->source_ids[i] == source_of_record(record_of(row_id))) {
      return workspace->config->sources[i].code;
    }
  }
  return "?";
}

static const struct entity *entity_of(const struct workspace *workspace, enum cluster_kind kind) {
  return model_entity(workspace->model, kind == CLUSTER_PERSON ? "person" : "case");
}

/* ---- the list ---- */

struct gathering {
  struct workspace *workspace;
  struct review_list *list;
  enum cluster_kind kind;
};

static const char *keep(struct review_list *list, const char *text) {
  return text == NULL ? "" : arena_text(list->memory, slice_of(text));
}

static const char *shown_key(const struct gathering *gathering, const char *source, struct slice key) {
  struct arena *memory = gathering->list->memory;
  return arena_text(memory, telling_text(gathering->workspace, memory, false, source, key));
}

static enum status take_waiting(void *context, const struct waiting_pair *found, struct error *error) {
  const struct gathering *gathering = context;
  struct review_list *list = gathering->list;
  const struct link_pair_row *pair = &found->pair;
  struct review_item item = {
      .kind = gathering->kind,
      .a = {.row_id = pair->row_a, .source = keep(list, source_code(gathering->workspace, pair->row_a))},
      .b = {.row_id = pair->row_b, .source = keep(list, source_code(gathering->workspace, pair->row_b))},
      .weight = pair->weight,
      .probability = link_probability(pair->weight),
      .rule = keep(list, pair->rule),
      .verdict = keep(list, pair->verdict),
      .reason = keep(list, pair->reason),
      .since = found->since,
      .proposed = found->proposed};
  if (item.a.source != NULL && item.b.source != NULL) {
    item.a.key = shown_key(gathering, item.a.source, found->key_a);
    item.b.key = shown_key(gathering, item.b.source, found->key_b);
  }
  if (item.a.source == NULL || item.b.source == NULL || item.rule == NULL || item.verdict == NULL || item.reason == NULL
      || item.a.key == NULL || item.b.key == NULL) {
    return error_memory(error);
  }
  list->items[list->count++] = item;
  return OK;
}

static int by_weight(const void *a, const void *b) {
  const struct review_item *x = a;
  const struct review_item *y = b;
  if (x->weight > y->weight || x->weight < y->weight) {
    return x->weight > y->weight ? -1 : 1;
  }
  if (x->a.row_id != y->a.row_id) {
    return x->a.row_id > y->a.row_id ? -1 : 1;
  }
  return (x->b.row_id < y->b.row_id) - (x->b.row_id > y->b.row_id);
}

static enum status read_kind(struct gathering *gathering, size_t most, struct error *error) {
  struct store *store = gathering->workspace->store;
  int64_t waiting = 0;
  int64_t decided = 0;
  enum status status = store_count_waiting(store, gathering->kind, &waiting, &decided, error);
  gathering->list->waiting += waiting;
  gathering->list->decided += decided;
  return status == OK ? store_visit_waiting(store, gathering->kind, (int64_t)most, take_waiting, gathering, error)
                      : status;
}

enum status review_read(struct workspace *workspace, int kind, size_t most, struct review_list *list,
                        struct error *error) {
  struct gathering gathering = {.workspace = workspace, .list = list};
  *list = (struct review_list){.memory = arena_new(0)};
  list->items = list->memory == NULL ? NULL : arena_array(list->memory, 2 * most + 1, sizeof *list->items);
  enum status status = list->items == NULL ? error_memory(error) : telling_look(workspace, false, error);
  for (int i = CLUSTER_PERSON; i <= CLUSTER_CASE && status == OK; i++) {
    gathering.kind = (enum cluster_kind)i;
    status = kind < 0 || kind == i ? read_kind(&gathering, most, error) : OK;
  }
  if (status != OK) {
    review_free(list);
    return status;
  }
  if (list->count > 0) {
    qsort(list->items, list->count, sizeof *list->items, by_weight);
  }
  list->count = list->count > most ? most : list->count;
  return OK;
}

void review_free(struct review_list *list) {
  arena_free(list->memory);
  *list = (struct review_list){.memory = NULL};
}

/* ---- one pair ---- */

struct pair_showing {
  struct workspace *workspace;
  const struct explain_request *request;
  const struct entity *entity;
  int64_t rows[SIDES];
  struct arena *arena;
  json_t *answer;
  json_t **values[SIDES]; /* by field of the entity; NULL: the row says nothing */
  json_t *records[SIDES];
};

static enum status take_row(void *context, const struct row *row, struct error *error) {
  struct pair_showing *showing = context;
  int side = row->row_id == showing->rows[0] ? 0 : 1;
  showing->records[side] =
      json_pack("{sI sI ss so}", "row_id", (json_int_t)row->row_id, "record_id", (json_int_t)record_of(row->row_id),
                "source", source_code(showing->workspace, row->row_id), "key",
                telling_key(showing->workspace, showing->arena, showing->request->reveal,
                            source_code(showing->workspace, row->row_id), row->key));
  for (size_t i = 0; i < showing->entity->field_count; i++) {
    const struct field *field = &showing->entity->fields[i];
    const struct cell *cell = &row->cells[field->column];
    if (!field->local && cell->kind != CELL_NULL) {
      showing->values[side][i] = explain_value(showing->arena, showing->request, field, cell);
    }
  }
  return showing->records[side] == NULL ? error_memory(error) : OK;
}

static json_t *value_or_null(json_t *value) {
  return value == NULL ? json_null() : value;
}

static enum status write_fields(struct pair_showing *showing, struct error *error) {
  struct row_filter filter = {.identity = true, .rows = showing->rows, .count = SIDES};
  json_t *fields = json_array();
  json_object_set_new(showing->answer, "fields", fields);
  for (int side = 0; side < SIDES; side++) {
    showing->values[side] = arena_array(showing->arena, showing->entity->field_count + 1, sizeof(json_t *));
    if (showing->values[side] == NULL) {
      return error_memory(error);
    }
  }
  enum status status = store_visit_rows(showing->workspace->store, showing->entity, &filter, take_row, showing, error);
  for (size_t i = 0; i < showing->entity->field_count; i++) {
    const struct field *field = &showing->entity->fields[i];
    json_t *a = showing->values[0][i];
    json_t *b = showing->values[1][i];
    if (a != NULL || b != NULL) {
      json_array_append_new(fields,
                            json_pack("{ss ss ss so so}", "field", field->name, "label_en", field->label_en, "label_es",
                                      field->label_es, "a", value_or_null(a), "b", value_or_null(b)));
    }
  }
  json_object_set_new(showing->answer, "records",
                      json_pack("[o,o]", value_or_null(showing->records[0]), value_or_null(showing->records[1])));
  return status;
}

static json_t *text_or_null(const char *text) {
  return text == NULL || text[0] == '\0' ? json_null() : json_string(text);
}

static enum status take_pair(void *context, const struct link_pair_row *pair, struct error *error) {
  static const char *const outcomes[] = {"joined", "waiting", "apart"};
  const struct pair_showing *showing = context;
  bool upward = pair->row_a == showing->rows[0] && pair->row_b == showing->rows[1];
  bool downward = pair->row_a == showing->rows[1] && pair->row_b == showing->rows[0];
  if (!upward && !downward) {
    return OK;
  }
  int outcome = pair->outcome < 0 || pair->outcome > PAIR_APART ? PAIR_APART : pair->outcome;
  json_t *one = json_pack("{sf sf so so ss so}", "weight", pair->weight, "probability", link_probability(pair->weight),
                          "rule", text_or_null(pair->rule), "verdict", text_or_null(pair->verdict), "outcome",
                          outcomes[outcome], "reason", text_or_null(pair->reason));
  return json_object_set_new(showing->answer, "pair", one) == 0 ? OK : error_memory(error);
}

static json_t *moment(int64_t micros) {
  char text[TIMESTAMP_TEXT_SIZE];
  if (micros == 0) {
    return json_null();
  }
  clock_format(micros, text);
  return json_string(text);
}

static enum status take_decision(void *context, const struct review_decision *decision, struct error *error) {
  static const char *const states[] = {"proposed", "standing", "revoked"};
  json_t *one =
      json_pack("{sI ss ss ss so ss so so so}", "id", (json_int_t)decision->id, "decision",
                decision->same ? "same" : "different", "state", states[decision->state], "actor", decision->actor, "at",
                moment(decision->at), "reason", decision->reason, "approved_by", text_or_null(decision->approved_by),
                "approved_at", moment(decision->approved_at), "revoked_at", moment(decision->revoked_at));
  return json_array_append_new(context, one) == 0 ? OK : error_memory(error);
}

static enum status complete(struct pair_showing *showing, enum cluster_kind kind, struct error *error) {
  struct store *store = showing->workspace->store;
  json_t *decisions = json_array();
  json_object_set_new(showing->answer, "kind", json_string("review"));
  json_object_set_new(showing->answer, "id",
                      json_sprintf("%lld-%lld", (long long)showing->rows[0], (long long)showing->rows[1]));
  json_object_set_new(showing->answer, "pair", json_null());
  json_object_set_new(showing->answer, "decisions", decisions);
  enum status status = write_fields(showing, error);
  status = status == OK ? store_visit_pairs(store, kind, showing->rows, 1, take_pair, showing, error) : status;
  return status == OK
             ? store_pair_decisions(store, kind, showing->rows[0], showing->rows[1], take_decision, decisions, error)
             : status;
}

enum status review_show(struct workspace *workspace, int64_t row_a, int64_t row_b,
                        const struct explain_request *request, json_t **answer, struct error *error) {
  struct pair_showing showing = {
      .workspace = workspace, .request = request, .rows = {row_a, row_b}, .arena = arena_new(0)};
  *answer = NULL;
  /* A reveal is logged there, before anything is read. */
  enum status status = showing.arena == NULL ? error_memory(error)
                                             : explain_pair(workspace, row_a, row_b, request, &showing.answer, error);
  status = status == OK ? telling_look(workspace, request->reveal, error) : status;
  const char *of = json_string_value(json_object_get(showing.answer, "of"));
  if (status == OK && of == NULL) { /* it had no memory for it */
    status = error_memory(error);
  }
  if (status == OK) {
    enum cluster_kind kind = strcmp(of, "person") == 0 ? CLUSTER_PERSON : CLUSTER_CASE;
    showing.entity = entity_of(workspace, kind);
    status = complete(&showing, kind, error);
  }
  arena_free(showing.arena);
  if (status != OK) {
    json_decref(showing.answer);
    return status;
  }
  *answer = showing.answer;
  return OK;
}
