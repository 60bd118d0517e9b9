#include "core/service/cube_fields.h"

#include "core/base/text.h"

static const struct {
  const char *name;
  enum cube_kind kind;
  bool person; /* only persons have it */
  const char *codelist;
} COMPUTED[] = {
    {"year", CUBE_YEAR, false, NULL},
    {"period", CUBE_PERIOD, false, NULL},
    {"month", CUBE_MONTH, false, NULL},
    {"region", CUBE_REGION, false, "region"},
    {"department", CUBE_DEPARTMENT, false, "place"},
    {"province", CUBE_PROVINCE, false, "place"},
    {"stage", CUBE_STAGE, false, "stage"},
    {"decision", CUBE_DECISION, false, "decision"},
    {"purpose_group", CUBE_PURPOSE_GROUP, false, "purpose_group"},
    {"age", CUBE_AGE, true, NULL},
    {"age_band", CUBE_AGE_BAND, true, NULL},
};
enum { COMPUTED_COUNT = sizeof COMPUTED / sizeof *COMPUTED, NAMES_MOST = 256 };

/* The column's position, added where it is not there yet; -1: no more room. */
static int need(struct columns *columns, const char *name) {
  for (size_t i = 0; i < columns->count; i++) {
    if (strcmp(columns->names[i], name) == 0) {
      return (int)i;
    }
  }
  if (columns->count == GRID_COLUMNS_MOST) {
    return -1;
  }
  columns->names[columns->count] = name;
  return (int)columns->count++;
}

/* Whether a table by it were a list of single persons or cases: who they are, numbers, whole dates. */
static bool singles_out(const struct field *field) {
  return field->local || field->sensitivity == SENSITIVITY_IDENTIFIER || field->type == FIELD_DATE
         || (field->sensitivity != SENSITIVITY_OPEN && field->type == FIELD_TEXT);
}

static const struct field *field_of(const struct model *model, const char *entity, const char *name) {
  const struct entity *found = model_entity(model, entity);
  return found == NULL ? NULL : entity_field(found, slice_of(name));
}

static const struct field *countable_field(const struct model *model, const char *entity, const char *name) {
  const struct field *field = field_of(model, entity, name);
  return field == NULL || singles_out(field) ? NULL : field;
}

static size_t add_names(const struct model *model, const char *entity, const char **names, size_t count) {
  const struct entity *found = model_entity(model, entity);
  for (size_t i = 0; found != NULL && i < found->field_count && count < NAMES_MOST; i++) {
    if (!singles_out(&found->fields[i])) {
      names[count++] = found->fields[i].name;
    }
  }
  return count;
}

static enum status unknown_field(const struct cube_request *request, const char *name, struct error *error) {
  const struct model *model = request->workspace->model;
  const char *names[NAMES_MOST];
  size_t count = 0;
  bool person = request->indicator->unit == UNIT_PERSON;
  for (size_t i = 0; i < COMPUTED_COUNT; i++) {
    if (person || !COMPUTED[i].person) {
      names[count++] = COMPUTED[i].name;
    }
  }
  count = person ? add_names(model, "involvement", names, count) : count;
  count = person ? add_names(model, "person", names, count) : count;
  count = add_names(model, "case", names, count);
  const char *nearest = text_nearest(slice_of(name), names, count);
  error_set(error, ERR_USAGE, _("indicator '%s' has no field '%s'"), request->indicator->name, name);
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  } else {
    error_hint(error, "%s",
               person ? _("year, period, month, region, department, province, purpose_group, stage, decision, age, "
                          "age_band, or a field of involvement, person or case")
                      : _("year, period, month, region, department, province, purpose_group, stage, decision, or a "
                          "field of case"));
  }
  return ERR_USAGE;
}

/* Told apart from a name that is written wrongly. */
static enum status no_such_field(const struct cube_request *request, const char *name, struct error *error) {
  const struct model *model = request->workspace->model;
  bool person = request->indicator->unit == UNIT_PERSON;
  const struct field *field = person ? field_of(model, "involvement", name) : NULL;
  field = field == NULL && person ? field_of(model, "person", name) : field;
  field = field == NULL ? field_of(model, "case", name) : field;
  if (field == NULL) {
    return unknown_field(request, name, error);
  }
  error_set(error, ERR_USAGE, _("'%s' tells single persons or cases apart: nothing is counted by it"), name);
  if (field->type == FIELD_DATE) {
    error_hint(error, "%s", _("age or age_band of a person; year, period or month of a case"));
  } else {
    error_hint(error, "%s",
               _("`puente explain person|case ID --reveal --purpose TEXT` shows it of one; the log records it"));
  }
  return ERR_USAGE;
}

static bool resolve_computed(const struct cube_request *request, const char *name, struct cube_field *field) {
  for (size_t i = 0; i < COMPUTED_COUNT; i++) {
    if (strcmp(COMPUTED[i].name, name) == 0 && (!COMPUTED[i].person || request->indicator->unit == UNIT_PERSON)) {
      *field = (struct cube_field){.name = COMPUTED[i].name,
                                   .kind = COMPUTED[i].kind,
                                   .many = COMPUTED[i].kind == CUBE_DECISION,
                                   .codelist = COMPUTED[i].codelist,
                                   .involvement = -1,
                                   .person = -1,
                                   .record = -1};
      return true;
    }
  }
  return false;
}

static enum status resolve(struct cube_plan *plan, const char *name, struct cube_field *field, struct error *error) {
  const struct cube_request *request = plan->request;
  const struct model *model = request->workspace->model;
  if (strcmp(name, "purpose_group") == 0) {
    enum status status = resolve(plan, "purposes", field, error);
    field->name = "purpose_group";
    field->kind = CUBE_PURPOSE_GROUP;
    field->codelist = "purpose_group";
    return status;
  }
  if (resolve_computed(request, name, field)) {
    return OK;
  }
  *field = (struct cube_field){.name = name, .kind = CUBE_FIELD, .involvement = -1, .person = -1, .record = -1};
  if (request->indicator->unit == UNIT_PERSON) {
    const struct field *part = countable_field(model, "involvement", name),
                       *person = countable_field(model, "person", name);
    field->involvement = part == NULL ? -1 : need(&plan->parts, part->name);
    field->person = person == NULL ? -1 : need(&plan->people, person->name);
    field->field = part != NULL ? part : person;
  }
  const struct field *record = countable_field(model, "case", name);
  field->record = record == NULL ? -1 : need(&plan->cases, record->name);
  field->field = field->field != NULL ? field->field : record;
  if (field->field == NULL) {
    return no_such_field(request, name, error);
  }
  field->name = field->field->name;
  field->codelist = field->field->codelist;
  field->many = field->field->many;
  return OK;
}

bool cube_plan_has(const struct cube_plan *plan, enum cube_kind kind) {
  bool found = false;
  for (size_t i = 0; i < plan->request->by_count; i++) {
    found = found || plan->by[i].kind == kind;
  }
  for (size_t i = 0; i < plan->condition_count; i++) {
    found = found || plan->conditions[i].kind == kind;
  }
  return found;
}

static enum status unknown_value(const char *field, const char *value, const char *const *names, size_t count,
                                 struct error *error) {
  const char *nearest = text_nearest(slice_of(value), names, count);
  error_set(error, ERR_USAGE, _("'%s' is no value of '%s'"), value, field);
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  }
  return ERR_USAGE;
}

/* A code, or any text that the list knows for it. */
static enum status want_code(const struct codelist *list, const struct cube_field *field, const char **value,
                             struct error *error) {
  const struct code *code = codelist_lookup(list, NULL, slice_of(*value), (struct date){.precision = DATE_NONE});
  if (code != NULL) {
    *value = code->code;
    return OK;
  }
  const char *names[NAMES_MOST];
  size_t count = codelist_size(list) < NAMES_MOST ? codelist_size(list) : NAMES_MOST;
  for (size_t i = 0; i < count; i++) {
    names[i] = codelist_at(list, i)->code;
  }
  unknown_value(field->name, *value, names, count, error);
  if (error->hint[0] == '\0') {
    error_hint(error, _("`puente codelist list %s` shows them all"), codelist_name(list));
  }
  return ERR_USAGE;
}

static enum status want_band(const struct indicator *indicator, const char *value, struct error *error) {
  const char *names[INDICATOR_BANDS_MOST];
  for (size_t i = 0; i < indicator->band_count; i++) {
    names[i] = indicator->bands[i].name;
    if (strcmp(names[i], value) == 0) {
      return OK;
    }
  }
  return unknown_value("age_band", value, names, indicator->band_count, error);
}

static enum status want_period(const struct indicator *indicator, const char *value, struct error *error) {
  char period[INDICATOR_PERIOD_TEXT] = "";
  bool year = indicator_period(slice_of(value), indicator->period, period);
  if (year && strcmp(period, value) == 0) {
    return OK;
  }
  error_set(error, ERR_USAGE, _("'%s' is no value of '%s'"), value, "period");
  if (year) {
    error_hint(error, _("did you mean '%s'?"), period);
  }
  return ERR_USAGE;
}

static bool is_frozen(const struct cube_request *request, const struct cube_field *field) {
  return request->group != NULL && (field->kind == CUBE_REGION || field->kind == CUBE_PURPOSE_GROUP);
}

/* A group that was frozen: the list of today may not have it. */
static void want_group(const struct codelist *list, const char **value) {
  const struct code *code =
      list == NULL ? NULL : codelist_lookup(list, NULL, slice_of(*value), (struct date){.precision = DATE_NONE});
  *value = code == NULL ? *value : code->code;
}

/* A condition that nothing can meet is a mistake of typing, not a figure of zero. */
static enum status want(const struct cube_request *request, const struct cube_field *field, const char **value,
                        struct error *error) {
  static const char *const answers[] = {"yes", "no"};
  if (**value == '\0') {
    return OK;
  }
  const struct codelist *list =
      field->codelist == NULL ? NULL : codelists_find(request->workspace->lists, field->codelist);
  if (is_frozen(request, field)) {
    want_group(list, value);
    return OK;
  }
  if (list != NULL) {
    return want_code(list, field, value, error);
  }
  if (field->kind == CUBE_AGE_BAND) {
    return want_band(request->indicator, *value, error);
  }
  if (field->kind == CUBE_PERIOD) {
    return want_period(request->indicator, *value, error);
  }
  if (field->field != NULL && field->field->type == FIELD_BOOLEAN) {
    bool yes = strcmp(*value, "yes") == 0 || strcmp(*value, "1") == 0;
    if (!yes && strcmp(*value, "no") != 0 && strcmp(*value, "0") != 0) {
      return unknown_value(field->name, *value, answers, 2, error);
    }
    *value = yes ? "1" : "0";
  }
  return OK;
}

static enum status add_condition(struct cube_plan *plan, const struct condition *condition, struct error *error) {
  if (plan->condition_count == CUBE_CONDITIONS_MOST) {
    return error_set(error, ERR_LIMIT, _("a figure has at most %d conditions"), CUBE_CONDITIONS_MOST);
  }
  size_t at = plan->condition_count++;
  plan->wanted[at] = condition->value;
  enum status status = resolve(plan, condition->field, &plan->conditions[at], error);
  plan->conditions[at].axes = plan->request->indicator;
  return status == OK ? want(plan->request, &plan->conditions[at], &plan->wanted[at], error) : status;
}

/* Of a field that was asked for twice; with axes of several indicators a name may stand for several. */
static enum status once(const struct cube_request *request, struct error *error) {
  const char *twice = NULL;
  for (size_t i = 1; i < request->by_count && request->axes == NULL; i++) {
    for (size_t j = 0; j < i; j++) {
      twice = strcmp(request->by[i], request->by[j]) == 0 ? request->by[i] : twice;
    }
  }
  if (twice != NULL) {
    return error_set(error, ERR_USAGE, _("a table has each field once: '%s' is there twice"), twice);
  }
  for (size_t i = 1; i < request->condition_count; i++) {
    for (size_t j = 0; j < i; j++) {
      twice = strcmp(request->conditions[i].field, request->conditions[j].field) == 0 ? request->conditions[i].field
                                                                                      : twice;
    }
  }
  if (twice != NULL) {
    error_set(error, ERR_USAGE, _("one value of each field can be asked for: '%s' is there twice"), twice);
    error_hint(error, _("--by %s shows all of them"), twice);
    return ERR_USAGE;
  }
  return OK;
}

enum status cube_plan_make(const struct cube_request *request, struct cube_plan *plan, struct error *error) {
  bool own = request->source != NULL;
  *plan = (struct cube_plan){
      .request = request,
      .parts = {{"person_id", "case_id", "row_id", "record_id", "source", "role", "age"}, PART_FIXED},
      .people = {{"person_id", "birth_date", "residence"}, WHO_FIXED},
      .cases = {{"case_id", own ? "row_id" : "records", own ? "record_id" : "case_id", "place", "facts_on",
                 "reported_on", "registered_on"},
                CASE_FIXED}};
  if (request->by_count > CUBE_AXES_MOST) {
    return error_set(error, ERR_USAGE, _("a figure is broken down by at most %d fields"), CUBE_AXES_MOST);
  }
  enum status status = once(request, error);
  for (size_t i = 0; i < request->by_count && status == OK; i++) {
    status = resolve(plan, request->by[i], &plan->by[i], error);
    plan->by[i].axes = request->axes == NULL ? request->indicator : request->axes[i];
  }
  for (size_t i = 0; i < request->indicator->condition_count && status == OK; i++) {
    status = add_condition(plan, &request->indicator->conditions[i], error);
  }
  for (size_t i = 0; i < request->condition_count && status == OK; i++) {
    status = add_condition(plan, &request->conditions[i], error);
  }
  return status;
}
