#include "core/model/read.h"

#include "core/base/buffer.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/base/yaml.h"

#include <ctype.h>

enum { NAME_MOST = 48, KEYS_MOST = 8, FILE_MOST = 1 << 20 };

static const char *const TYPES[] = {"text", "integer", "decimal", "date", "boolean", "code", "encoding", NULL};
static const char *const SENSITIVITIES[] = {"open", "quasi", "sensitive", "identifier", NULL};
static const char *const OWNERS[] = {"case", "person", NULL};

/* Columns that the store adds to the rows of every entity; a field may not be called so. */
static const char *const RESERVED[] = {"key",       "case_key",  "person_key",  "row_id",  "raw_id",   "record_id",
                                       "source",    "source_id", "institution", "region",  "from_run", "to_run",
                                       "id",        "plan_id",   "records",     "missing", "identity", "origins",
                                       "person_id", "case_id",   NULL};

static bool is_name(const char *text) {
  size_t len = strlen(text);
  if (len == 0 || len > NAME_MOST || !islower((unsigned char)text[0])) {
    return false;
  }
  for (size_t i = 0; i < len; i++) {
    if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) && text[i] != '_') {
      return false;
    }
  }
  return true;
}

static bool is_reserved(const char *name) {
  size_t len = strlen(name);
  if (len > 4 && strcmp(name + len - 4, "_own") == 0) {
    return true;
  }
  for (size_t i = 0; RESERVED[i] != NULL; i++) {
    if (strcmp(RESERVED[i], name) == 0) {
      return true;
    }
  }
  return false;
}

/* The key of a map's entry as a node, for a mistake that is the key and not its value. */
static struct yaml key_of(const struct yaml *node) {
  struct yaml key = *node;
  key.line = node->key_line;
  key.column = node->key_column;
  return key;
}

static enum status check_name(const struct yaml *node, const char *name, struct error *error) {
  if (!is_name(name)) {
    yaml_error(node, error, _("'%s' is no name for the model"), name);
    error_hint(error, _("a name has lower-case letters, digits and '_', begins with a letter, and has at most %d"),
               NAME_MOST);
    return ERR_CONFIG;
  }
  return OK;
}

static enum status check_field(const struct yaml *node, const struct field *field, struct error *error) {
  if (field->type == FIELD_CODE && field->codelist == NULL) {
    yaml_error(node, error, _("field '%s' is a code and names no code list"), field->name);
    error_hint(error, "%s", _("add codelist: NAME"));
    return ERR_CONFIG;
  }
  if (field->type != FIELD_CODE && field->codelist != NULL) {
    yaml_error(node, error, _("field '%s' names a code list and is no code"), field->name);
    error_hint(error, "%s", _("use type: code, or remove codelist"));
    return ERR_CONFIG;
  }
  if (field->least > field->most) {
    return yaml_error(node, error, _("field '%s': least is greater than most"), field->name);
  }
  return OK;
}

static enum status read_numbers(const struct yaml *node, struct field *field, struct error *error) {
  field->least = INT64_MIN;
  field->most = INT64_MAX;
  if (field->type != FIELD_INTEGER && (yaml_get(node, "least") != NULL || yaml_get(node, "most") != NULL)) {
    return yaml_error(node, error, _("field '%s': only an integer has least and most"), field->name);
  }
  enum status status = yaml_int(node, "least", INT64_MIN, INT64_MAX, &field->least, error);
  if (status == OK) {
    status = yaml_int(node, "most", INT64_MIN, INT64_MAX, &field->most, error);
  }
  return status;
}

static enum status read_field(const struct yaml *node, struct arena *arena, struct field *field, struct error *error) {
  static const char *const known[] = {"type",  "many", "local", "codelist", "sensitivity", "htcds",
                                      "least", "most", "of",    "en",       "es",          NULL};
  int type = -1, sensitivity = SENSITIVITY_OPEN;
  const struct yaml key = key_of(node);
  field->name = node->key;
  enum status status = check_name(&key, node->key, error);
  if (status == OK && is_reserved(node->key)) {
    yaml_error(&key, error, _("'%s' is the name of a column that every row has"), node->key);
    error_hint(error, "%s", _("choose another name; names ending with _own are taken too"));
    return ERR_CONFIG;
  }
  if (status == OK && node->kind != YAML_MAP) {
    return yaml_error(node, error, _("field '%s' needs {type: …}"), node->key);
  }
  status = status == OK ? yaml_check_keys(node, known, error) : status;
  status = status == OK ? yaml_choice(node, "type", TYPES, &type, error) : status;
  status = status == OK ? yaml_choice(node, "sensitivity", SENSITIVITIES, &sensitivity, error) : status;
  status = status == OK ? yaml_bool(node, "many", &field->many, error) : status;
  status = status == OK ? yaml_bool(node, "local", &field->local, error) : status;
  if (status != OK) {
    return status;
  }
  if (type < 0) {
    yaml_error(node, error, _("field '%s' has no type"), node->key);
    error_hint(error, "%s", _("one of: text, integer, decimal, date, boolean, code, encoding"));
    return ERR_CONFIG;
  }
  field->type = (enum field_type)type;
  field->sensitivity = (enum sensitivity)sensitivity;
  field->codelist = yaml_text(node, "codelist", NULL);
  field->htcds = yaml_text(node, "htcds", NULL);
  field->label_en = yaml_text(node, "en", field->name);
  field->label_es = yaml_text(node, "es", field->label_en);
  const char **of = NULL;
  status = read_numbers(node, field, error);
  status = status == OK ? yaml_texts(node, "of", arena, &of, &field->of_count, error) : status;
  field->of = of;
  return status == OK ? check_field(node, field, error) : status;
}

static enum status read_fields(const struct yaml *map, struct arena *arena, struct entity *entity,
                               struct error *error) {
  if (map == NULL || map->kind != YAML_MAP || map->count == 0) {
    error_set(error, ERR_CONFIG, _("entity '%s' has no fields"), entity->name);
    error_hint(error, "%s", _("add fields: and under it name: {type: …}"));
    return ERR_CONFIG;
  }
  struct field *fields = arena_array(arena, map->count, sizeof *fields);
  if (fields == NULL) {
    return error_memory(error);
  }
  int column = 0;
  for (size_t i = 0; i < map->count; i++) {
    enum status status = read_field(&map->children[i], arena, &fields[i], error);
    if (status != OK) {
      return status;
    }
    fields[i].column = column;
    column += fields[i].type == FIELD_CODE ? 2 : 1;
    if (column > ENTITY_COLUMNS_MOST) {
      yaml_error(&map->children[i], error, _("entity '%s' has more than %d columns"), entity->name,
                 ENTITY_COLUMNS_MOST);
      error_hint(error, "%s", _("a code takes two; move fields to an entity of their own"));
      return ERR_CONFIG;
    }
  }
  entity->fields = fields;
  entity->field_count = map->count;
  entity->column_count = (size_t)column;
  return OK;
}

static enum status make_columns(struct arena *arena, struct entity *entity, struct error *error) {
  struct column *columns = arena_array(arena, entity->column_count, sizeof *columns);
  if (columns == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < entity->field_count; i++) {
    const struct field *field = &entity->fields[i];
    columns[field->column] = (struct column){.name = field->name, .field = field};
    if (field->type == FIELD_CODE) {
      const char *own = arena_printf(arena, "%s_own", field->name);
      if (own == NULL) {
        return error_memory(error);
      }
      columns[field->column + 1] = (struct column){.name = own, .field = field, .own = true};
    }
  }
  entity->columns = columns;
  return OK;
}

static enum status unknown_field(const struct yaml *node, const struct entity *entity, struct arena *arena,
                                 struct error *error) {
  const char **names = arena_array(arena, entity->field_count, sizeof *names);
  if (names == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < entity->field_count; i++) {
    names[i] = entity->fields[i].name;
  }
  const char *nearest = text_nearest(slice_of(node->text), names, entity->field_count);
  yaml_error(node, error, _("entity '%s' has no field '%s'"), entity->name, node->text);
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  }
  return ERR_CONFIG;
}

static enum status read_key(const struct yaml *node, struct arena *arena, const struct entity *entity,
                            struct equality_key *key, struct error *error) {
  const struct yaml name = key_of(node);
  enum status status = check_name(&name, node->key, error);
  if (status != OK) {
    return status;
  }
  if (node->kind != YAML_LIST || node->count == 0) {
    yaml_error(node, error, _("key '%s' needs a list of fields"), node->key);
    error_hint(error, "%s", _("for example document: [document_type, document_number]"));
    return ERR_CONFIG;
  }
  key->name = node->key;
  key->count = node->count;
  key->fields = arena_array(arena, node->count, sizeof(const struct field *));
  if (key->fields == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < node->count; i++) {
    const struct yaml *item = &node->children[i];
    if (item->kind != YAML_SCALAR) {
      return yaml_error(item, error, _("key '%s' needs a list of fields"), node->key);
    }
    key->fields[i] = entity_field(entity, slice_of(item->text));
    if (key->fields[i] == NULL) {
      return unknown_field(item, entity, arena, error);
    }
  }
  return OK;
}

static enum status read_keys(const struct yaml *map, struct arena *arena, struct entity *entity, struct error *error) {
  if (map == NULL) {
    return OK;
  }
  if (map->kind != YAML_MAP || map->count > KEYS_MOST) {
    return yaml_error(map, error, _("keys: at most %d, each name: [fields]"), KEYS_MOST);
  }
  struct equality_key *keys = arena_array(arena, map->count, sizeof *keys);
  if (keys == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < map->count; i++) {
    enum status status = read_key(&map->children[i], arena, entity, &keys[i], error);
    if (status != OK) {
      return status;
    }
  }
  entity->keys = keys;
  entity->key_count = map->count;
  return OK;
}

/* Its text fields are names, its one date is that of birth. */
static enum status read_encoded(const struct yaml *map, const struct entity *entity, const struct field *field,
                                struct arena *arena, struct error *error) {
  const struct yaml *list = yaml_get(map, "of");
  size_t dates = 0;
  for (size_t i = 0; i < field->of_count; i++) {
    const struct field *of = entity_field(entity, slice_of(field->of[i]));
    if (of == NULL) {
      return unknown_field(list->kind == YAML_LIST ? &list->children[i] : list, entity, arena, error);
    }
    dates += of->type == FIELD_DATE;
    bool name = of->type == FIELD_TEXT && of->sensitivity == SENSITIVITY_IDENTIFIER;
    if ((!name && of->type != FIELD_DATE) || dates > 1 || dates == field->of_count) {
      yaml_error(list, error, _("field '%s' cannot encode '%s'"), field->name, of->name);
      error_hint(error, "%s", _("of: names, which are text and identifiers, and at most one date"));
      return ERR_CONFIG;
    }
  }
  return OK;
}

/* An entity's one encoding, which is no less an identifier than what it is of. */
static enum status read_encodings(const struct yaml *map, struct arena *arena, struct entity *entity,
                                  struct error *error) {
  for (size_t i = 0; i < entity->field_count; i++) {
    const struct field *field = &entity->fields[i];
    bool encoding = field->type == FIELD_ENCODING;
    if (encoding != (field->of_count > 0) || (encoding && entity->encoding != NULL)
        || (encoding && (field->many || field->sensitivity != SENSITIVITY_IDENTIFIER))) {
      yaml_error(&map->children[i], error, _("field '%s' is no proper encoding"), field->name);
      error_hint(error, "%s", _("one of an entity: {type: encoding, of: [fields], sensitivity: identifier}"));
      return ERR_CONFIG;
    }
    if (encoding) {
      entity->encoding = field;
      enum status status = read_encoded(&map->children[i], entity, field, arena, error);
      if (status != OK) {
        return status;
      }
    }
  }
  return OK;
}

static enum status read_owners(const struct yaml *root, struct entity *entity, struct error *error) {
  const struct yaml *list = yaml_get(root, "belongs_to");
  if (list == NULL) {
    return OK;
  }
  if (list->kind != YAML_LIST) {
    return yaml_error(list, error, "%s", _("belongs_to: a list is expected here"));
  }
  for (size_t i = 0; i < list->count; i++) {
    /* An item read as the only entry of a map, so that a wrong one gets the same words as any other choice. */
    struct yaml item = list->children[i];
    item.key = "belongs_to";
    const struct yaml map = {.kind = YAML_MAP, .children = &item, .count = 1, .file = item.file};
    int owner = -1;
    enum status status = yaml_choice(&map, "belongs_to", OWNERS, &owner, error);
    if (status != OK) {
      return status;
    }
    entity->has_case = entity->has_case || owner == 0;
    entity->has_person = entity->has_person || owner == 1;
  }
  return OK;
}

static enum status read_entity(const struct yaml *root, const char *stem, struct arena *arena, struct entity *entity,
                               struct error *error) {
  static const char *const known[] = {"entity", "label", "belongs_to", "aggregate", "fields", "keys", NULL};
  static const char *const languages[] = {"en", "es", NULL};
  enum status status = yaml_check_keys(root, known, error);
  if (status == OK) {
    status = yaml_check_keys(yaml_get(root, "label"), languages, error);
  }
  if (status != OK) {
    return status;
  }
  entity->name = yaml_text(root, "entity", "");
  const struct yaml *name = yaml_get(root, "entity");
  if (strcmp(entity->name, stem) != 0) {
    yaml_error(name == NULL ? root : name, error, _("entity '%s' stands in the file of '%s'"), entity->name, stem);
    error_hint(error, _("write entity: %s, or rename the file"), stem);
    return ERR_CONFIG;
  }
  entity->label_en = yaml_text(yaml_get(root, "label"), "en", entity->name);
  entity->label_es = yaml_text(yaml_get(root, "label"), "es", entity->label_en);
  status = check_name(root, entity->name, error);
  status = status == OK ? yaml_bool(root, "aggregate", &entity->aggregate, error) : status;
  status = status == OK ? read_owners(root, entity, error) : status;
  status = status == OK ? read_fields(yaml_get(root, "fields"), arena, entity, error) : status;
  status = status == OK ? read_encodings(yaml_get(root, "fields"), arena, entity, error) : status;
  status = status == OK ? make_columns(arena, entity, error) : status;
  return status == OK ? read_keys(yaml_get(root, "keys"), arena, entity, error) : status;
}

enum status entity_read(const char *path, struct arena *arena, struct entity *entity, struct sha256 *digest,
                        struct error *error) {
  struct buffer text;
  struct yaml *root = NULL;
  buffer_init(&text, FILE_MOST);
  enum status status = file_read(path, FILE_MOST, &text, error);
  if (status == OK) {
    *digest = sha256_of(buffer_view(&text));
    status = yaml_parse(path, buffer_view(&text), arena, &root, error);
  }
  if (status == OK) {
    const char *stem = folder_stem(arena, path);
    status = stem == NULL ? error_memory(error) : read_entity(root, stem, arena, entity, error);
  }
  if (status != OK && error->place[0] == '\0') {
    error_place(error, "%s", path);
  }
  buffer_free(&text);
  return status;
}
