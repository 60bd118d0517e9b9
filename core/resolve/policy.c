#include "core/resolve/policy.h"

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/base/yaml.h"
#include "core/resolve/columns.h"

#include <stdlib.h>

#define FILE_LIMIT ((size_t)1024 * 1024)

const char *const survival_names[SURVIVAL_COUNT] = {"precedence", "recent", "complete", "frequent"};

struct reader {
  struct policy *policy;
  const struct model *model;
  const char *folder;
  struct error *error;
};

/* The file's bytes take part in the digest of the policy. */
static enum status digest_text(struct policy *policy, struct slice text) {
  struct sha256 own = sha256_of(text);
  policy->digest = sha256_pair(1, &policy->digest, &own);
  return OK;
}

static enum status read_file(const struct reader *r, const char *path, struct yaml **root) {
  struct buffer bytes;
  enum status status = approved_texts_read(r->policy->texts, TEXT_LINK, path, FILE_LIMIT, &bytes, r->error);
  if (status != OK) {
    r->error->code = status == ERR_NOT_FOUND ? ERR_CONFIG : status;
    return r->error->code;
  }
  status = digest_text(r->policy, buffer_view(&bytes));
  struct slice text = arena_copy(r->policy->arena, buffer_view(&bytes));
  buffer_free(&bytes);
  if (status != OK || text.data == NULL) {
    return error_memory(r->error);
  }
  return yaml_parse(path, text, r->policy->arena, root, r->error);
}

static enum status unknown_field(const struct reader *r, const struct yaml *node, const struct entity *entity,
                                 const char *name) {
  const char *names[ENTITY_COLUMNS_MOST];
  size_t count = entity->field_count < ENTITY_COLUMNS_MOST ? entity->field_count : ENTITY_COLUMNS_MOST;
  for (size_t i = 0; i < count; i++) {
    names[i] = entity->fields[i].name;
  }
  const char *nearest = text_nearest(slice_of(name), names, count);
  enum status status = yaml_error(node, r->error, _("%s has no field '%s'"), entity->name, name);
  if (nearest != NULL) {
    error_hint(r->error, _("did you mean '%s'?"), nearest);
  }
  return status;
}

static enum status find_field(const struct reader *r, const struct yaml *node, const struct entity *entity,
                              const char *name, const struct field **field) {
  *field = entity_field(entity, slice_of(name));
  return *field == NULL ? unknown_field(r, node, entity, name) : OK;
}

/* {entity: involvement, field: consent, codes: [none]} */
static enum status read_policy_field(const struct reader *r, const struct yaml *node, struct policy_field *out) {
  static const char *const known[] = {"entity", "field", "codes", NULL};
  const char *entity = yaml_text(node, "entity", "");
  const struct yaml *codes = yaml_get(node, "codes");
  enum status status = yaml_check_keys(node, known, r->error);
  if (status != OK) {
    return status;
  }
  out->entity = model_entity(r->model, entity);
  if (out->entity == NULL) {
    return yaml_error(node, r->error, _("the model has no entity '%s'"), entity);
  }
  status = find_field(r, node, out->entity, yaml_text(node, "field", ""), &out->field);
  if (status == OK && codes != NULL && (codes->kind != YAML_LIST || codes->count > CODES_MOST)) {
    status = yaml_error(codes, r->error, _("'codes' has to be a list of at most %d codes"), CODES_MOST);
  }
  for (size_t i = 0; status == OK && codes != NULL && i < codes->count; i++) {
    if (codes->children[i].kind != YAML_SCALAR) {
      return yaml_error(&codes->children[i], r->error, "%s", _("a code was expected"));
    }
    out->codes[out->code_count++] = codes->children[i].text;
  }
  return status;
}

static enum status read_sealed(const struct reader *r, const struct yaml *list) {
  if (list == NULL) {
    return OK;
  }
  if (list->kind != YAML_LIST || list->count > SEALED_MOST) {
    return yaml_error(list, r->error, _("'sealed' has to be a list of at most %d entries"), SEALED_MOST);
  }
  enum status status = OK;
  for (size_t i = 0; status == OK && i < list->count; i++) {
    status = read_policy_field(r, &list->children[i], &r->policy->sealed[r->policy->sealed_count++]);
  }
  return status;
}

/* {persons: FILE, cases: FILE} */
static enum status read_start(const struct reader *r, const struct yaml *node) {
  static const char *const known[] = {"persons", "cases", NULL};
  enum status status = node == NULL ? OK : yaml_check_keys(node, known, r->error);
  for (int i = 0; status == OK && node != NULL && i < 2; i++) {
    const char *name = yaml_text(node, known[i], NULL);
    r->policy->start[i] = name == NULL ? NULL : path_join(r->policy->arena, r->folder, name);
    status = name != NULL && r->policy->start[i] == NULL ? error_memory(r->error) : OK;
  }
  return status;
}

/* {approvals: 2} */
static enum status read_review(const struct reader *r, const struct yaml *node) {
  static const char *const known[] = {"approvals", NULL};
  int64_t approvals = 1;
  enum status status = node == NULL ? OK : yaml_check_keys(node, known, r->error);
  status = status == OK ? yaml_int(node, "approvals", 1, 2, &approvals, r->error) : status;
  r->policy->approvals = (int)approvals;
  return status;
}

/* ---- survivorship ---- */

static enum status read_survival(const struct reader *r, const struct yaml *node, enum survival *rule) {
  for (int i = 0; node->kind == YAML_SCALAR && i < SURVIVAL_COUNT; i++) {
    if (strcmp(node->text, survival_names[i]) == 0) {
      *rule = (enum survival)i;
      return OK;
    }
  }
  enum status status = yaml_error(node, r->error, "%s", _("a survivorship rule was expected"));
  error_hint(r->error, "%s", _("one of: precedence, recent, complete, frequent"));
  return status;
}

static enum status read_fields(const struct reader *r, const struct yaml *fields, struct survivorship *out) {
  enum status status = OK;
  for (size_t i = 0; status == OK && fields != NULL && i < fields->count; i++) {
    const struct yaml *node = &fields->children[i];
    const struct field *field;
    if (fields->kind != YAML_MAP) {
      return yaml_error(fields, r->error, "%s", _("a map (key: value) was expected"));
    }
    status = find_field(r, node, out->entity, node->key, &field);
    status = status == OK ? read_survival(r, node, &out->rules[field - out->entity->fields]) : status;
  }
  return status;
}

static enum status read_together(const struct reader *r, const struct yaml *lists, const struct entity *entity,
                                 int *lead) {
  enum status status = OK;
  for (size_t i = 0; status == OK && lists != NULL && i < lists->count; i++) {
    const struct yaml *list = &lists->children[i];
    const struct field *first = NULL;
    if (lists->kind != YAML_LIST || list->kind != YAML_LIST) {
      return yaml_error(list, r->error, "%s", _("a list of fields was expected"));
    }
    for (size_t j = 0; status == OK && j < list->count; j++) {
      const struct field *field;
      const char *name = list->children[j].kind == YAML_SCALAR ? list->children[j].text : "";
      status = find_field(r, &list->children[j], entity, name, &field);
      if (status == OK && j > 0) {
        lead[field - entity->fields] = (int)(first - entity->fields);
      } else if (status == OK) {
        first = field;
      }
    }
  }
  return status;
}

static enum status read_entity(const struct reader *r, const struct yaml *root, const char *name, enum survival rule,
                               struct survivorship *out) {
  static const char *const known[] = {"fields", "together", NULL};
  const struct yaml *node = yaml_get(root, name);
  out->entity = model_entity(r->model, name);
  if (out->entity == NULL) {
    return error_set(r->error, ERR_CONFIG, _("the model has no entity '%s'"), name);
  }
  out->rules = arena_array(r->policy->arena, out->entity->field_count, sizeof *out->rules);
  int *lead = arena_array(r->policy->arena, out->entity->field_count, sizeof *lead);
  if (out->rules == NULL || lead == NULL) {
    return error_memory(r->error);
  }
  for (size_t i = 0; i < out->entity->field_count; i++) {
    out->rules[i] = rule;
    lead[i] = -1;
  }
  out->lead = lead;
  enum status status = yaml_check_keys(node, known, r->error);
  status = status == OK ? read_fields(r, yaml_get(node, "fields"), out) : status;
  return status == OK ? read_together(r, yaml_get(node, "together"), out->entity, lead) : status;
}

static enum status read_survivorship(const struct reader *r, const char *path) {
  static const char *const known[] = {"default", "person", "case", NULL};
  struct yaml *root;
  enum survival rule = SURVIVAL_PRECEDENCE;
  enum status status = read_file(r, path, &root);
  status = status == OK ? yaml_check_keys(root, known, r->error) : status;
  const struct yaml *otherwise = status == OK ? yaml_get(root, "default") : NULL;
  status = otherwise != NULL ? read_survival(r, otherwise, &rule) : status;
  status = status == OK ? read_entity(r, root, "person", rule, &r->policy->person) : status;
  return status == OK ? read_entity(r, root, "case", rule, &r->policy->one_case) : status;
}

/* ---- the whole ---- */

/* Every column of a plan is a field: of its entity, or after "case." of a case. */
static enum status check_columns(const struct reader *r, const struct link_plan *plan, const char *path,
                                 const char *name) {
  const char *const *columns;
  size_t count = link_plan_columns(plan, &columns);
  for (size_t i = 0; i < count; i++) {
    if (columns_is_computed(columns[i])) {
      continue;
    }
    bool of_case = strncmp(columns[i], "case.", 5) == 0;
    const struct entity *entity = model_entity(r->model, of_case ? "case" : name);
    const char *field = columns[i] + (of_case ? 5 : 0);
    if (entity == NULL || entity_field(entity, slice_of(field)) == NULL) {
      struct yaml at = {.file = path, .line = 1, .column = 1};
      return entity == NULL ? yaml_error(&at, r->error, _("the model has no entity '%s'"), name)
                            : unknown_field(r, &at, entity, field);
    }
  }
  return OK;
}

static enum status read_plan(const struct reader *r, const struct yaml *root, const char *key, const char *entity,
                             struct link_plan **plan) {
  const char *name = yaml_text(root, key, NULL);
  if (name == NULL) {
    return yaml_error(root, r->error, _("'%s' is missing: a file of rules"), key);
  }
  const char *path = path_join(r->policy->arena, r->folder, name);
  if (path == NULL) {
    return error_memory(r->error);
  }
  enum status status = link_plan_load_approved(path, r->policy->texts, plan, r->error);
  status = status == OK ? check_columns(r, *plan, path, entity) : status;
  return status == OK ? digest_text(r->policy, link_plan_text(*plan)) : status;
}

static enum status read_policy(const struct reader *r, const char *path) {
  static const char *const known[] = {"persons", "cases", "survivorship", "apart", "sealed", "review", "start", NULL};
  struct policy *policy = r->policy;
  struct yaml *root;
  enum status status = read_file(r, path, &root);
  status = status == OK ? yaml_check_keys(root, known, r->error) : status;
  status = status == OK ? read_plan(r, root, "persons", "person", &policy->persons) : status;
  status = status == OK ? read_plan(r, root, "cases", "case", &policy->cases) : status;
  if (status != OK) {
    return status;
  }
  const char *name = yaml_text(root, "survivorship", NULL);
  const char *survivorship = name == NULL ? NULL : path_join(policy->arena, r->folder, name);
  if (survivorship == NULL) {
    return name == NULL ? yaml_error(root, r->error, _("'%s' is missing: a file of rules"), "survivorship")
                        : error_memory(r->error);
  }
  status = read_survivorship(r, survivorship);
  if (status == OK && yaml_get(root, "apart") != NULL) {
    status = read_policy_field(r, yaml_get(root, "apart"), &policy->apart);
  }
  status = status == OK ? read_review(r, yaml_get(root, "review")) : status;
  status = status == OK ? read_start(r, yaml_get(root, "start")) : status;
  return status == OK ? read_sealed(r, yaml_get(root, "sealed")) : status;
}

enum status policy_load(const char *path, const struct approved_texts *texts, const struct model *model,
                        struct policy **policy, struct error *error) {
  *policy = NULL;
  struct policy *made = calloc(1, sizeof *made);
  if (made == NULL) {
    return error_memory(error);
  }
  made->texts = texts;
  made->arena = arena_new(0);
  const char *folder = made->arena == NULL ? NULL : path_folder(made->arena, path);
  struct reader reader = {.policy = made, .model = model, .folder = folder, .error = error};
  enum status status = folder == NULL ? error_memory(error) : read_policy(&reader, path);
  if (status != OK) {
    policy_free(made);
    return status;
  }
  *policy = made;
  return OK;
}

void policy_free(struct policy *policy) {
  if (policy != NULL) {
    link_plan_free(policy->persons);
    link_plan_free(policy->cases);
    arena_free(policy->arena);
    free(policy);
  }
}

int policy_match(const struct policy_field *field, const struct cell *cells) {
  const struct cell *cell = &cells[field->field->column];
  if (cell->kind == CELL_NULL || (cell->kind == CELL_TEXT && cell->len == 0)) {
    return -1;
  }
  if (field->code_count == 0) {
    return 0;
  }
  for (size_t i = 0; cell->kind == CELL_TEXT && i < field->code_count; i++) {
    if (slice_is(slice_make(cell->text, cell->len), field->codes[i])) {
      return (int)i;
    }
  }
  return -1;
}
