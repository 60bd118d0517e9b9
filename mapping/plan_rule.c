/* Compiles field rules: each part of the language checked against the field's type, then laid out in the order in which
 * parts are applied. */
#include "mapping/plan_internal.h"

#include "core/base/text.h"

#include <stdio.h>

struct making { /* one rule in the making */
  struct compiler *compiler;
  const struct yaml *node;
  const struct entity *entity;
  const struct field *field;
  const struct path *base;
  struct rule *rule;
};

static const char *type_name(enum field_type type) {
  static const char *const names[] = {"text", "integer", "decimal", "date", "boolean", "code"};
  return names[type];
}

static bool constant_number(struct compiler *compiler, const struct yaml *node, const struct field *field,
                            const char *text, struct cell *cell) {
  int64_t value;
  if (!text_to_int64(slice_of(text), &value)) {
    compile_mistake(compiler, node, NULL, _("'%s' takes a whole number"), field->name);
    return false;
  }
  if (value < field->least || value > field->most) {
    compile_mistake(compiler, node, NULL, _("'%s' goes from %lld to %lld"), field->name, (long long)field->least,
                    (long long)field->most);
    return false;
  }
  *cell = (struct cell){.kind = CELL_INTEGER, .integer = value};
  return true;
}

static bool constant_code(struct compiler *compiler, const struct yaml *node, const struct field *field, bool reasons,
                          struct cell *cell) {
  const struct codelist *list = compile_list(compiler, node, field->codelist);
  const struct code *code = list == NULL ? NULL : compile_code(compiler, node, list, reasons);
  if (code != NULL) {
    *cell = (struct cell){.kind = CELL_TEXT, .len = (uint32_t)strlen(code->code), .text = code->code};
  }
  return code != NULL;
}

static bool constant_compile(struct compiler *compiler, const struct yaml *node, const struct field *field,
                             struct cell *cell) {
  const char *text = compile_scalar(compiler, node);
  if (text == NULL) {
    return false;
  }
  if (field != NULL && field->type == FIELD_CODE) {
    return constant_code(compiler, node, field, false, cell);
  }
  if (field != NULL && field->type == FIELD_INTEGER) {
    return constant_number(compiler, node, field, text, cell);
  }
  if (field != NULL && field->type == FIELD_BOOLEAN) {
    bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    *cell = (struct cell){.kind = CELL_INTEGER, .integer = yes};
    if (!yes && strcmp(text, "false") != 0 && strcmp(text, "0") != 0) {
      compile_mistake(compiler, node, NULL, _("'%s' takes true or false"), field->name);
      return false;
    }
    return true;
  }
  struct date date;
  if (field != NULL && field->type == FIELD_DATE && !date_parse_iso(slice_of(text), &date)) {
    compile_mistake(compiler, node, _("for example 2019-03-31, 2019-03 or 2019"), _("'%s' takes a date"), field->name);
    return false;
  }
  const char *own = compile_text(compiler, text);
  *cell = (struct cell){.kind = CELL_TEXT, .len = (uint32_t)strlen(text), .text = own};
  return own != NULL;
}

static void from_compile(struct making *making, const struct yaml *from) {
  struct compiler *compiler = making->compiler;
  struct rule *rule = making->rule;
  const char **texts = NULL;
  size_t count = compile_texts(compiler, from, &texts);
  if (count > RULE_PATHS_MOST) {
    compile_mistake(compiler, from, NULL, _("more than %d paths"), RULE_PATHS_MOST);
    count = 0;
  }
  const struct path **paths = compile_alloc(compiler, count + 1, sizeof *paths);
  size_t len = 0;
  for (size_t i = 0; paths != NULL && i < count; i++) {
    paths[i] = path_compile(compiler, from->kind == YAML_LIST ? &from->children[i] : from, texts[i], making->base);
    if (paths[i] == NULL) {
      return;
    }
    len += strlen(texts[i]) + 2;
  }
  rule->paths = paths;
  rule->path_count = paths == NULL ? 0 : count;
  char *text = compile_alloc(compiler, len + 1, 1);
  for (size_t i = 0; text != NULL && i < rule->path_count; i++) {
    strncat(text, i == 0 ? "" : ", ", len - strlen(text));
    strncat(text, texts[i], len - strlen(text));
  }
  rule->path_text = text;
}

static void add_cleaning(struct making *making, const struct yaml *at, const char *name) {
  struct rule *rule = making->rule;
  const struct transform *transform = transform_find(name, TRANSFORM_CLEAN);
  if (transform == NULL) {
    size_t count, names = 0;
    const struct transform *table = transform_table(&count);
    const char *candidates[32];
    for (size_t i = 0; i < count && names < 32; i++) {
      if (table[i].use == TRANSFORM_CLEAN) {
        candidates[names++] = table[i].name;
      }
    }
    compile_mistake(making->compiler, at, compile_nearest(making->compiler, name, candidates, names),
                    _("unknown transform '%.64s'"), name);
    return;
  }
  struct rule_step *steps =
      rule->cleaning == NULL ? compile_alloc(making->compiler, RULE_STEPS_MOST, sizeof *steps) : making->rule->cleaning;
  if (steps == NULL || rule->cleaning_count == RULE_STEPS_MOST) {
    compile_mistake(making->compiler, at, NULL, _("more than %d transforms"), RULE_STEPS_MOST);
    return;
  }
  steps[rule->cleaning_count++] = (struct rule_step){.transform = transform};
  rule->cleaning = steps;
  rule->kept = rule->kept || transform->kept;
}

static void cleaning_compile(struct making *making) {
  const struct yaml *repair = yaml_get(making->node, "repair");
  repair = repair == NULL ? making->compiler->defaults.repair : repair;
  if (repair != NULL && compile_scalar(making->compiler, repair) != NULL) {
    if (strcmp(repair->text, "double_encoding") == 0) {
      add_cleaning(making, repair, "double_encoding");
      making->rule->repairs = true;
    } else if (strcmp(repair->text, "none") != 0) {
      compile_mistake(making->compiler, repair, NULL, _("repair takes double_encoding or none"));
    }
  }
  const struct yaml *clean = yaml_get(making->node, "clean");
  if (clean == NULL) {
    return;
  }
  const char **names = NULL;
  size_t count = compile_texts(making->compiler, clean, &names);
  for (size_t i = 0; i < count; i++) {
    add_cleaning(making, clean->kind == YAML_LIST ? &clean->children[i] : clean, names[i]);
  }
}

/* The one part that gives the value its kind; `node` NULL: implied by the field's type. */
static void part_set(struct making *making, const struct transform *transform, const struct yaml *node) {
  const struct field *field = making->field;
  struct rule *rule = making->rule;
  if (node != NULL && field != NULL && (transform->types & (1U << field->type)) == 0) {
    compile_key_mistake(making->compiler, node, NULL, _("'%s' does not fit the field '%s' of type %s"), transform->name,
                        field->name, _(type_name(field->type)));
    return;
  }
  rule->part.transform = transform;
  rule->part.settings = transform->compile == NULL
                            ? NULL
                            : transform->compile(making->compiler, node, making->node, making->entity, making->field);
  rule->kept = rule->kept || transform->kept;
}

static void part_compile(struct making *making) {
  static const char *const implied[] = {
      [FIELD_INTEGER] = "decimal", [FIELD_DECIMAL] = "decimal", [FIELD_DATE] = "date",
      [FIELD_BOOLEAN] = "boolean", [FIELD_CODE] = "lookup",     [FIELD_ENCODING] = NULL};
  const struct yaml *found = NULL;
  for (size_t i = 0; making->node->kind == YAML_MAP && i < making->node->count; i++) {
    const struct yaml *entry = &making->node->children[i];
    const struct transform *transform = transform_find(entry->key, TRANSFORM_PART);
    if (transform == NULL) {
      continue;
    }
    if (found != NULL) {
      compile_key_mistake(making->compiler, entry, NULL, _("'%s' and '%s' cannot stand together"), found->key,
                          entry->key);
      return;
    }
    found = entry;
    part_set(making, transform, entry);
  }
  const char *name = making->field == NULL ? NULL : implied[making->field->type];
  if (found == NULL && name != NULL) {
    const struct transform *transform = transform_find(name, TRANSFORM_PART);
    part_set(making, transform == NULL ? transform_find(name, TRANSFORM_IMPLIED) : transform, NULL);
  }
}

static void else_compile(struct making *making, const struct yaml *node) {
  struct rule *rule = making->rule;
  const char *text = compile_scalar(making->compiler, node);
  enum missing missing;
  if (text == NULL || strcmp(text, "null") == 0) {
    return;
  }
  if (strcmp(text, "quarantine") == 0) {
    rule->otherwise = OTHERWISE_QUARANTINE;
    return;
  }
  bool coded = making->field != NULL && making->field->type == FIELD_CODE;
  const struct codelist *list = coded ? compile_list(making->compiler, node, making->field->codelist) : NULL;
  if (missing_parse(slice_of(text), &missing) && (list == NULL || codelist_code(list, slice_of(text)) == NULL)) {
    rule->otherwise = OTHERWISE_MISSING;
    rule->else_missing = (uint8_t)missing;
    return;
  }
  if (!coded) {
    compile_mistake(making->compiler, node, NULL, _("else takes null, quarantine, or a missing reason"));
  } else if (list != NULL && constant_code(making->compiler, node, making->field, true, &rule->else_cell)) {
    rule->otherwise = OTHERWISE_CODE;
  }
}

static void many_compile(struct making *making, const struct yaml *node) {
  const char *text = compile_scalar(making->compiler, node);
  size_t len = text == NULL ? 0 : strlen(text);
  if (making->field != NULL && !making->field->many) {
    compile_key_mistake(making->compiler, node, NULL, _("the field '%s' takes one value"), making->field->name);
  } else if (text != NULL && (len == 0 || len > sizeof making->rule->separator)) {
    compile_mistake(making->compiler, node, _("for example many: \";\""), _("many takes a separator of up to 8 bytes"));
  } else if (text != NULL) {
    memcpy(making->rule->separator, text, len);
    making->rule->separator_len = (uint8_t)len;
  }
}

static void flag_compile(struct making *making, const char *name, bool *flag) {
  struct error error;
  if (yaml_bool(making->node, name, flag, &error) != OK) {
    compile_mistake(making->compiler, yaml_get(making->node, name), NULL, _("%s takes true or false"), name);
  }
}

/* Parts that mean something only beside another one. */
static void companions_check(struct making *making) {
  static const struct {
    const char *part, *needs;
  } table[] = {{"join", "from"}, {"part", "split_name"}, {"type", "document"}, {"text", "from"}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    const struct yaml *entry = yaml_get(making->node, table[i].part);
    if (entry != NULL && yaml_get(making->node, table[i].needs) == NULL) {
      compile_key_mistake(making->compiler, entry, NULL, _("'%s' needs '%s' beside it"), table[i].part, table[i].needs);
    }
  }
  static const char *const coded[] = {"text", "system", "at"};
  for (size_t i = 0; i < sizeof coded / sizeof *coded; i++) {
    const struct yaml *entry = yaml_get(making->node, coded[i]);
    if (entry != NULL && making->field != NULL && making->field->type != FIELD_CODE) {
      compile_key_mistake(making->compiler, entry, NULL, _("'%s' does not fit the field '%s' of type %s"), coded[i],
                          making->field->name, _(type_name(making->field->type)));
    }
  }
}

static void describe(struct making *making) {
  static const char *const shown[] = {"join",   "repair",  "clean",  "values", "split_name", "part",
                                      "date",   "decimal", "phone",  "dni",    "document",   "lookup",
                                      "system", "at",      "ubigeo", "value"};
  char text[256] = "";
  for (size_t i = 0; making->node->kind == YAML_MAP && i < sizeof shown / sizeof *shown; i++) {
    const struct yaml *entry = yaml_get(making->node, shown[i]);
    if (entry == NULL) {
      continue;
    }
    size_t len = strlen(text);
    const char *words = entry->kind == YAML_SCALAR ? entry->text : "";
    snprintf(text + len, sizeof text - len, "%s%s%s%.40s", len == 0 ? "" : ", ", shown[i], *words == '\0' ? "" : " ",
             words);
  }
  making->rule->transforms_text = compile_text(making->compiler, text);
}

static void optional_parts(struct making *making) {
  struct compiler *compiler = making->compiler;
  struct rule *rule = making->rule;
  const struct yaml *node = making->node, *entry;
  if ((entry = yaml_get(node, "when")) != NULL) {
    rule->when = condition_compile(compiler, entry, making->base, 0);
  }
  if ((entry = yaml_get(node, "join")) != NULL && compile_scalar(compiler, entry) != NULL) {
    rule->joined = true;
    rule->join = slice_of(compile_text(compiler, entry->text));
  }
  if ((entry = yaml_get(node, "many")) != NULL) {
    many_compile(making, entry);
  }
  if ((entry = yaml_get(node, "text")) != NULL) {
    rule->text = path_compile(compiler, entry, compile_scalar(compiler, entry), making->base);
  }
  if ((entry = yaml_get(node, "else")) != NULL) {
    else_compile(making, entry);
  }
  if ((entry = yaml_get(node, "default")) != NULL) {
    rule->has_fallback = constant_compile(compiler, entry, making->field, &rule->fallback);
  }
  flag_compile(making, "required", &rule->required);
}

static void words_parts(struct making *making) {
  struct compiler *compiler = making->compiler;
  const struct field *field = making->field;
  const struct yaml *values = yaml_get(making->node, "values");
  making->rule->missing =
      words_compile(compiler, yaml_get(making->node, "missing"), compiler->defaults.missing, field, NULL, true);
  if (values != NULL) {
    const char *name = field != NULL && field->type == FIELD_CODE ? field->codelist : NULL;
    const struct codelist *list = name == NULL ? NULL : compile_list(compiler, values, name);
    making->rule->values =
        name != NULL && list == NULL ? NULL : words_compile(compiler, values, NULL, field, list, false);
  }
}

static void map_compile(struct making *making) {
  struct compiler *compiler = making->compiler;
  const struct yaml *node = making->node;
  const struct yaml *from = yaml_get(node, "from"), *value = yaml_get(node, "value");
  compile_check_keys(compiler, node, language_keys("rule"));
  if ((from == NULL) == (value == NULL)) {
    compile_mistake(compiler, value == NULL ? node : value, NULL,
                    value == NULL ? _("the rule says neither from nor value")
                                  : _("from and value cannot stand together"));
    return;
  }
  if (value != NULL) {
    making->rule->has_constant = constant_compile(compiler, value, making->field, &making->rule->constant);
  } else {
    from_compile(making, from);
  }
  companions_check(making);
  optional_parts(making);
  words_parts(making);
}

static void short_compile(struct making *making) {
  making->rule->missing =
      words_compile(making->compiler, NULL, making->compiler->defaults.missing, making->field, NULL, true);
  from_compile(making, making->node);
}

void rule_compile(struct compiler *compiler, const struct yaml *node, const struct entity *entity,
                  const struct field *field, const struct path *base, struct rules *rules) {
  void *items = rules->items;
  if (!compile_grow(compiler, &items, rules->count, &rules->capacity, sizeof *rules->items)) {
    return;
  }
  rules->items = items;
  struct rule *rule = &rules->items[rules->count++];
  *rule = (struct rule){.field = field,
                        .target = field == NULL ? (int)compiler->let_count : field->column,
                        .line = node->line,
                        .number = compiler->plan->rule_count++,
                        .path_text = "",
                        .many = field != NULL && field->many};
  rule->name = arena_printf(compiler->arena, "%s.%s", field == NULL ? "let" : entity->name, node->key);
  compiler->out_of_memory |= rule->name == NULL;
  struct making making = {
      .compiler = compiler, .node = node, .entity = entity, .field = field, .base = base, .rule = rule};
  if (node->kind == YAML_SCALAR) {
    short_compile(&making);
  } else if (node->kind == YAML_MAP) {
    map_compile(&making);
  } else {
    compile_mistake(compiler, node, _("several paths stand under from: [...]"), _("a field takes a path or a map"));
  }
  if (!rule->has_constant) {
    cleaning_compile(&making);
    part_compile(&making);
  }
  describe(&making);
  rule->late = node->kind == YAML_MAP && (yaml_get(node, "at") != NULL || yaml_get(node, "type") != NULL);
  rule->kept = (rule->kept || rule->values != NULL) && !rule->late;
  rule->single = rule->path_count == 1 && !rule->many && !rule->joined && rule->paths[0]->let < 0;
}

void lets_compile(struct compiler *compiler, const struct yaml *node, const struct path *base, struct rules *rules) {
  if (node->kind != YAML_MAP) {
    compile_mistake(compiler, node, NULL, _("let is a map of names and rules"));
    return;
  }
  for (size_t i = 0; i < node->count; i++) {
    rule_compile(compiler, &node->children[i], NULL, NULL, base, rules);
    void *items = compiler->lets;
    if (!compile_grow(compiler, &items, compiler->let_count, &compiler->let_capacity, sizeof *compiler->lets)) {
      return;
    }
    compiler->lets = items;
    compiler->lets[compiler->let_count++] = compile_text(compiler, node->children[i].key);
    if (compiler->out_of_memory) {
      return;
    }
    int slots = (int)compiler->let_count;
    compiler->plan->let_count = slots > compiler->plan->let_count ? slots : compiler->plan->let_count;
  }
}

void key_compile(struct compiler *compiler, const struct yaml *node, const struct path *base, struct key_rule *key) {
  const char **texts = NULL;
  size_t count = compile_texts(compiler, node, &texts), len = 0;
  if (count > RULE_PATHS_MOST) {
    compile_mistake(compiler, node, NULL, _("more than %d paths"), RULE_PATHS_MOST);
    return;
  }
  const struct path **paths = compile_alloc(compiler, count + 1, sizeof *paths);
  for (size_t i = 0; paths != NULL && i < count; i++) {
    paths[i] = path_compile(compiler, node->kind == YAML_LIST ? &node->children[i] : node, texts[i], base);
    if (paths[i] == NULL) {
      return;
    }
    len += strlen(texts[i]) + 2;
  }
  char *text = compile_alloc(compiler, len + 1, 1);
  for (size_t i = 0; text != NULL && i < count; i++) {
    strncat(text, i == 0 ? "" : ", ", len - strlen(text));
    strncat(text, texts[i], len - strlen(text));
  }
  *key = (struct key_rule){.paths = paths, .count = paths == NULL ? 0 : count, .text = text, .line = node->line};
}
