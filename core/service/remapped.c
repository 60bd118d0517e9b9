#include "core/service/remapped.h"

bool remapped_entity_differs(const struct remap_entity *entity) {
  return entity->changed + entity->appeared + entity->vanished > 0;
}

bool remapped_field_differs(const struct remap_field *field) {
  return field->changed + field->appeared + field->vanished > 0;
}

static json_t *text_or_null(const char *text, bool given) {
  return given && text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *transition_json(const struct remap_transition *one) {
  return json_pack("{so so so so sI}", "from", text_or_null(one->from.text, !one->from.empty), "from_missing",
                   text_or_null(one->from.text, one->from.empty), "to", text_or_null(one->to.text, !one->to.empty),
                   "to_missing", text_or_null(one->to.text, one->to.empty), "rows", (json_int_t)one->rows);
}

static json_t *field_json(const struct remap_field *field) {
  json_t *often = json_array();
  for (size_t i = 0; i < field->transition_count && i < REMAP_TOP; i++) {
    json_array_append_new(often, transition_json(&field->transitions[i]));
  }
  return json_pack("{ss sb sb sI sI sI so}", "field", field->column->name, "masked", (int)field->masked, "crowded",
                   (int)field->crowded, "changed", (json_int_t)field->changed, "appeared", (json_int_t)field->appeared,
                   "vanished", (json_int_t)field->vanished, "most_frequent", often);
}

static json_t *entity_json(const struct remap_entity *entity) {
  json_t *fields = json_array();
  for (size_t i = 0; i < entity->entity->column_count; i++) {
    if (remapped_field_differs(&entity->fields[i])) {
      json_array_append_new(fields, field_json(&entity->fields[i]));
    }
  }
  return json_pack("{ss sI sI sI sI so}", "entity", entity->entity->name, "changed", (json_int_t)entity->changed,
                   "appeared", (json_int_t)entity->appeared, "vanished", (json_int_t)entity->vanished, "unchanged",
                   (json_int_t)entity->same, "fields", fields);
}

static json_t *quarantine_json(const struct remap_report *report) {
  json_t *reasons = json_array();
  for (size_t i = 0; i < report->reason_count; i++) {
    const struct remap_reason *reason = &report->reasons[i];
    json_array_append_new(reasons, json_pack("{ss sI sI}", "reason", reason->code, "before", (json_int_t)reason->before,
                                             "after", (json_int_t)reason->after));
  }
  return json_pack("{sI sI so}", "before", (json_int_t)report->quarantined_before, "after",
                   (json_int_t)report->quarantined_after, "reasons", reasons);
}

json_t *remapped_json(const struct remap_report *report) {
  json_t *entities = json_array(), *former = json_array();
  for (size_t e = 0; e < report->entity_count; e++) {
    if (remapped_entity_differs(&report->entities[e])) {
      json_array_append_new(entities, entity_json(&report->entities[e]));
    }
  }
  for (size_t i = 0; i < report->former_count; i++) {
    const struct remap_plan *plan = &report->former[i];
    json_array_append_new(
        former, json_pack("{so sI}", "plan", text_or_null(plan->digest, true), "records", (json_int_t)plan->records));
  }
  return json_pack("{ss so sI so so}", "plan", report->plan, "former", former, "rekeyed", (json_int_t)report->rekeyed,
                   "quarantine", quarantine_json(report), "entities", entities);
}
