#include "mapping/codelist_build.h"

#include "core/base/file.h"
#include "core/base/folder.h"
#include "core/base/text.h"

enum { FILE_MOST = 16 << 20 };

static enum status read_date(const struct yaml *map, const char *key, struct date *date, struct error *error) {
  const struct yaml *node = yaml_get(map, key);
  if (node == NULL) {
    return OK;
  }
  if (node->kind != YAML_SCALAR || !date_parse_iso(slice_of(node->text), date)) {
    yaml_error(node, error, _("'%s' has to be a date"), key);
    error_hint(error, "%s", _("for example 2021-03-31"));
    return ERR_CONFIG;
  }
  return OK;
}

/* An error of filling gets the place of the node that asked for it. */
static enum status place(const struct yaml *node, enum status status, struct error *error) {
  if (status == ERR_CONFIG && error->place[0] == '\0') {
    error_place(error, "%s:%d:%d", node->file, node->line, node->column);
  }
  return status;
}

/* One text that means the code: plain, or {code: TEXT, from: DATE, to: DATE}. */
static enum status read_meaning(const struct yaml *node, struct codelist *list, size_t system, uint32_t position,
                                struct error *error) {
  static const char *const known[] = {"code", "from", "to", NULL};
  struct meaning meaning = {.code = position};
  const char *text = node->text;
  enum status status = OK;
  if (node->kind == YAML_LIST) {
    return yaml_error(node, error, "%s", _("a text is expected here"));
  }
  if (node->kind == YAML_MAP) {
    text = yaml_text(node, "code", NULL);
    status = yaml_check_keys(node, known, error);
    status = status == OK ? read_date(node, "from", &meaning.from, error) : status;
    status = status == OK ? read_date(node, "to", &meaning.to, error) : status;
    if (status == OK && text == NULL) {
      return yaml_error(node, error, "%s", _("code: TEXT is missing"));
    }
  }
  if (status != OK) {
    return status;
  }
  return place(node, codelist_add_meaning(list, system, text, &meaning, CLASH_REFUSED, error), error);
}

static enum status read_meanings(const struct yaml *node, struct codelist *list, size_t system, uint32_t position,
                                 struct error *error) {
  if (node == NULL || node->kind != YAML_LIST) {
    return node == NULL ? OK : read_meaning(node, list, system, position, error);
  }
  enum status status = OK;
  for (size_t i = 0; i < node->count && status == OK; i++) {
    status = read_meaning(&node->children[i], list, system, position, error);
  }
  return status;
}

static enum status unknown_system(const struct yaml *node, const struct codelist *list, struct error *error) {
  const char *nearest = text_nearest(slice_of(node->key), list->system_names, list->system_count - 1);
  struct yaml key = *node; /* the mistake is the key, not its value */
  key.line = node->key_line;
  key.column = node->key_column;
  yaml_error(&key, error, _("code list '%s' declares no system '%s'"), list->name, node->key);
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  } else {
    error_hint(error, _("add it under systems: of this file"));
  }
  return ERR_CONFIG;
}

static enum status read_systems_of_code(const struct yaml *map, struct codelist *list, uint32_t position,
                                        struct error *error) {
  if (map != NULL && map->kind != YAML_MAP) {
    return yaml_error(map, error, "%s", _("in: systems and the texts that they use are expected here"));
  }
  for (size_t i = 0; map != NULL && i < map->count; i++) {
    const struct yaml *entry = &map->children[i];
    size_t system = 1;
    while (system < list->system_count && strcmp(list->systems[system].name, entry->key) != 0) {
      system++;
    }
    if (system == list->system_count) {
      return unknown_system(entry, list, error);
    }
    enum status status = read_meanings(entry, list, system, position, error);
    if (status != OK) {
      return status;
    }
  }
  return OK;
}

/* A further entry for a code that `from:` brought adds to it, and its labels win. */
static enum status find_or_add(const struct yaml *node, struct codelist *list, const struct code *code,
                               uint32_t *position, struct error *error) {
  *position = map_get(list->by_code, slice_of(node->key));
  if (*position != MAP_NONE) {
    struct code *known = &list->codes[*position];
    known->label_en = yaml_text(node, "en", known->label_en);
    known->label_es = yaml_text(node, "es", known->label_es);
    known->group = code->group;
    return OK;
  }
  return place(node, codelist_add_code(list, code, position, error), error);
}

static enum status read_code(const struct yaml *node, struct codelist *list, struct error *error) {
  static const char *const known[] = {"en", "es", "parent", "group", "from", "to", "alias", "in", NULL};
  struct code code = {.code = node->key};
  uint32_t position = 0;
  enum status status = yaml_check_keys(node, known, error);
  status = status == OK ? read_date(node, "from", &code.valid_from, error) : status;
  status = status == OK ? read_date(node, "to", &code.valid_to, error) : status;
  if (status != OK) {
    return status;
  }
  code.label_en = yaml_text(node, "en", yaml_text(node, "es", code.code));
  code.label_es = yaml_text(node, "es", code.label_en);
  code.parent = yaml_text(node, "parent", NULL);
  code.group = yaml_text(node, "group", NULL);
  status = find_or_add(node, list, &code, &position, error);
  status = status == OK ? read_meanings(yaml_get(node, "alias"), list, 0, position, error) : status;
  return status == OK ? read_systems_of_code(yaml_get(node, "in"), list, position, error) : status;
}

static enum status read_systems(const struct yaml *map, struct codelist *list, struct error *error) {
  if (map != NULL && map->kind != YAML_MAP) {
    return yaml_error(map, error, "%s", _("systems: names and what they are, are expected here"));
  }
  for (size_t i = 0; map != NULL && i < map->count; i++) {
    if (codelist_add_system(list, map->children[i].key) == 0) {
      return yaml_error(&map->children[i], error, _("code list '%s' has more than %d systems"), list->name,
                        CODELIST_SYSTEMS_MOST);
    }
  }
  return OK;
}

static enum status read_codes(const struct yaml *map, struct codelist *list, struct error *error) {
  if (map != NULL && map->kind != YAML_MAP) {
    return yaml_error(map, error, "%s", _("codes: CODE: {en: …, es: …} is expected here"));
  }
  for (size_t i = 0; map != NULL && i < map->count; i++) {
    enum status status = read_code(&map->children[i], list, error);
    if (status != OK) {
      return status;
    }
  }
  /* Labels last: an alias says it outright, a label only lends its name. */
  for (uint32_t i = 0; i < list->count; i++) {
    enum status status = codelist_add_labels(list, i, error);
    if (status != OK) {
      return status;
    }
  }
  return OK;
}

static enum status read_root(const struct yaml *root, struct arena *arena, struct codelist *list, struct error *error) {
  static const char *const known[] = {"list", "label", "groups", "systems", "from", "include", "codes", NULL};
  enum status status = yaml_check_keys(root, known, error);
  if (status != OK) {
    return status;
  }
  const char *name = yaml_text(root, "list", "");
  if (strcmp(name, list->name) != 0) {
    yaml_error(root, error, _("list '%s' stands in the file of '%s'"), name, list->name);
    error_hint(error, _("write list: %s, or rename the file"), list->name);
    return ERR_CONFIG;
  }
  list->label_en = yaml_text(yaml_get(root, "label"), "en", list->name);
  list->label_es = yaml_text(yaml_get(root, "label"), "es", list->label_en);
  list->groups = yaml_get(root, "groups");
  list->nodes = yaml_get(root, "codes");
  list->line = yaml_get(root, "include") == NULL ? 0 : yaml_get(root, "include")->line;
  status = yaml_texts(root, "include", arena, &list->included, &list->included_count, error);
  status = status == OK ? read_systems(yaml_get(root, "systems"), list, error) : status;
  if (status == OK && yaml_get(root, "from") != NULL) {
    status = codelist_read_iso(yaml_get(root, "from"), arena, list, error);
  }
  return status == OK ? read_codes(yaml_get(root, "codes"), list, error) : status;
}

enum status codelist_parse(const char *path, struct slice text, struct arena *arena, struct codelist **list,
                           struct error *error) {
  struct yaml *root = NULL;
  const char *name = folder_stem(arena, path);
  struct codelist *made = name == NULL ? NULL : codelist_new(name, path);
  *list = NULL;
  if (made == NULL) {
    return error_memory(error);
  }
  made->digest = sha256_of(text);
  enum status status = yaml_parse(path, text, arena, &root, error);
  status = status == OK ? read_root(root, arena, made, error) : status;
  if (status != OK) {
    if (error->place[0] == '\0') {
      error_place(error, "%s", path);
    }
    codelist_free(made);
    return status;
  }
  *list = made;
  return OK;
}

enum status codelist_read(const char *path, struct arena *arena, struct codelist **list, struct error *error) {
  struct buffer text;
  *list = NULL;
  enum status status = file_read(path, FILE_MOST, &text, error);
  if (status != OK) {
    if (error->place[0] == '\0') {
      error_place(error, "%s", path);
    }
    return status;
  }
  status = codelist_parse(path, buffer_view(&text), arena, list, error);
  buffer_free(&text);
  return status;
}
