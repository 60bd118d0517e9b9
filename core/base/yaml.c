#include "core/base/yaml.h"

#include "core/base/date.h"
#include "core/base/file.h"
#include "core/base/map.h"
#include "core/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#define DEFAULT_LIMIT ((size_t)4 * 1024 * 1024)
#define DEPTH_MOST 64
#define FEW_KEYS 32

/* Children of maps and lists that are still open stand on `stack`; a closing one copies its own to the arena. */
struct loader {
  yaml_parser_t parser;
  const char *file;
  struct arena *arena;
  struct error *error;
  struct yaml *stack;
  size_t used, capacity;
};

static enum status fail_at(struct loader *l, yaml_mark_t mark, const char *message) {
  error_set(l->error, ERR_CONFIG, "%s", message);
  error_place(l->error, "%s:%zu:%zu", l->file, mark.line + 1, mark.column + 1);
  return ERR_CONFIG;
}

static enum status next_event(struct loader *l, yaml_event_t *event) {
  if (yaml_parser_parse(&l->parser, event)) {
    return OK;
  }
  if (l->parser.error == YAML_MEMORY_ERROR) {
    return error_memory(l->error);
  }
  yaml_mark_t mark = l->parser.problem_mark;
  if (l->parser.error == YAML_READER_ERROR) {
    error_set(l->error, ERR_CONFIG, _("not YAML: %s"), l->parser.problem);
    error_place(l->error, _("%s, byte %zu"), l->file, l->parser.problem_offset);
    return ERR_CONFIG;
  }
  error_set(l->error, ERR_CONFIG, _("not YAML: %s"), l->parser.problem == NULL ? "?" : l->parser.problem);
  error_place(l->error, "%s:%zu:%zu", l->file, mark.line + 1, mark.column + 1);
  if (l->parser.error == YAML_SCANNER_ERROR) {
    error_hint(l->error, "%s", _("look for a tab, a missing space after a colon, or a quote that does not close"));
  }
  return ERR_CONFIG;
}

static bool push(struct loader *l, const struct yaml *node) {
  if (l->used == l->capacity) {
    size_t capacity = l->capacity == 0 ? 64 : l->capacity * 2;
    struct yaml *stack = realloc(l->stack, capacity * sizeof *stack);
    if (stack == NULL) {
      return false;
    }
    l->stack = stack;
    l->capacity = capacity;
  }
  l->stack[l->used++] = *node;
  return true;
}

static enum status fail_duplicate(struct loader *l, const struct yaml *again, const struct yaml *first) {
  error_set(l->error, ERR_CONFIG, _("the key '%s' stands twice in one map"), again->key);
  error_place(l->error, "%s:%d:%d", l->file, again->key_line, again->key_column);
  error_hint(l->error, _("it was first given in line %d"), first->key_line);
  return ERR_CONFIG;
}

static enum status check_many(struct loader *l, const struct yaml *node) {
  struct map *seen = map_new();
  enum status status = seen == NULL ? error_memory(l->error) : OK;
  for (size_t i = 0; status == OK && i < node->count; i++) {
    uint32_t position = map_intern(seen, slice_of(node->children[i].key));
    if (position == MAP_NONE) {
      status = error_memory(l->error);
    } else if (position != i) {
      status = fail_duplicate(l, &node->children[i], &node->children[position]);
    }
  }
  map_free(seen);
  return status;
}

static enum status check_duplicates(struct loader *l, const struct yaml *node) {
  if (node->count > FEW_KEYS) {
    return check_many(l, node);
  }
  for (size_t i = 1; i < node->count; i++) {
    for (size_t j = 0; j < i; j++) {
      if (strcmp(node->children[i].key, node->children[j].key) == 0) {
        return fail_duplicate(l, &node->children[i], &node->children[j]);
      }
    }
  }
  return OK;
}

static enum status close_container(struct loader *l, size_t base, struct yaml *node) {
  size_t count = l->used - base;
  node->children = arena_array(l->arena, count == 0 ? 1 : count, sizeof *node->children);
  if (node->children == NULL) {
    return error_memory(l->error);
  }
  if (count > 0) {
    memcpy(node->children, l->stack + base, count * sizeof *node->children);
  }
  node->count = count;
  l->used = base;
  return node->kind == YAML_MAP ? check_duplicates(l, node) : OK;
}

static enum status refuse_extras(struct loader *l, const yaml_event_t *event, const yaml_char_t *anchor,
                                 const yaml_char_t *tag) {
  if (anchor != NULL) {
    return fail_at(l, event->start_mark, _("anchors (&name) are not allowed here"));
  }
  return tag == NULL ? OK : fail_at(l, event->start_mark, _("tags (!name) are not allowed here"));
}

static enum status take_scalar(struct loader *l, const yaml_event_t *event, struct yaml *node) {
  const char *value = (const char *)event->data.scalar.value;
  struct slice text = slice_make(value, event->data.scalar.length);
  enum status status = refuse_extras(l, event, event->data.scalar.anchor, event->data.scalar.tag);
  if (status != OK) {
    return status;
  }
  if (memchr(value, '\0', text.len) != NULL) {
    return fail_at(l, event->start_mark, _("a zero character is not allowed here"));
  }
  node->kind = YAML_SCALAR;
  node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  node->text = arena_text(l->arena, text);
  return node->text == NULL ? error_memory(l->error) : OK;
}

static enum status load_container(struct loader *l, struct yaml *node, int depth);

/* The node that `event` begins; reads on to its end. */
static enum status load_node(struct loader *l, const yaml_event_t *event, struct yaml *node, int depth) {
  enum status status = OK;
  node->line = (int)event->start_mark.line + 1;
  node->column = (int)event->start_mark.column + 1;
  node->file = l->file;
  switch (event->type) {
  case YAML_SCALAR_EVENT:
    return take_scalar(l, event, node);
  case YAML_SEQUENCE_START_EVENT:
    node->kind = YAML_LIST;
    status = refuse_extras(l, event, event->data.sequence_start.anchor, event->data.sequence_start.tag);
    break;
  case YAML_MAPPING_START_EVENT:
    node->kind = YAML_MAP;
    status = refuse_extras(l, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
    break;
  default:
    return fail_at(l, event->start_mark, _("aliases (*name) are not allowed here"));
  }
  if (status == OK && depth == DEPTH_MOST) {
    status = fail_at(l, event->start_mark, _("maps and lists are nested too deeply"));
  }
  return status != OK ? status : load_container(l, node, depth + 1);
}

static enum status take_key(struct loader *l, const yaml_event_t *event, struct yaml *child) {
  struct yaml key = {0};
  if (event->type != YAML_SCALAR_EVENT) {
    return fail_at(l, event->start_mark, _("a key has to be a word"));
  }
  enum status status = take_scalar(l, event, &key);
  child->key = key.text;
  child->key_line = (int)event->start_mark.line + 1;
  child->key_column = (int)event->start_mark.column + 1;
  return status;
}

/* One child, or END at the end of the container. */
static enum status load_child(struct loader *l, const struct yaml *node, struct yaml *child, int depth) {
  yaml_event_t event;
  enum status status = next_event(l, &event);
  if (status != OK) {
    return status;
  }
  if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT) {
    yaml_event_delete(&event);
    return END;
  }
  if (node->kind == YAML_MAP) {
    status = take_key(l, &event, child);
    yaml_event_delete(&event);
    status = status != OK ? status : next_event(l, &event);
    if (status != OK) {
      return status;
    }
  }
  status = load_node(l, &event, child, depth);
  yaml_event_delete(&event);
  return status;
}

static enum status load_container(struct loader *l, struct yaml *node, int depth) {
  size_t base = l->used;
  for (;;) {
    struct yaml child = {0};
    enum status status = load_child(l, node, &child, depth);
    if (status == END) {
      return close_container(l, base, node);
    }
    if (status == OK && !push(l, &child)) {
      status = error_memory(l->error);
    }
    if (status != OK) {
      return status;
    }
  }
}

/* Takes events up to the document's first node or the end of the stream. */
static enum status load_document(struct loader *l, struct yaml *root) {
  bool loaded = false;
  *root = (struct yaml){.kind = YAML_MAP, .line = 1, .column = 1, .file = l->file};
  for (;;) {
    yaml_event_t event;
    enum status status = next_event(l, &event);
    if (status != OK) {
      return status;
    }
    bool last = event.type == YAML_STREAM_END_EVENT;
    bool frame = last || event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_START_EVENT
                 || event.type == YAML_DOCUMENT_END_EVENT;
    if (!frame && loaded) {
      status = fail_at(l, event.start_mark, _("a second document is not allowed in one file"));
    } else if (!frame) {
      loaded = true;
      status = load_node(l, &event, root, 0);
    }
    yaml_event_delete(&event);
    if (status != OK || last) {
      return status;
    }
  }
}

enum status yaml_parse(const char *name, struct slice text, struct arena *arena, struct yaml **root,
                       struct error *error) {
  struct loader l = {.arena = arena, .error = error};
  *root = NULL;
  l.file = arena_text(arena, slice_of(name));
  struct yaml *made = arena_alloc(arena, sizeof *made);
  if (l.file == NULL || made == NULL || !yaml_parser_initialize(&l.parser)) {
    return error_memory(error);
  }
  yaml_parser_set_input_string(&l.parser, (const unsigned char *)(text.len == 0 ? "" : text.data), text.len);
  enum status status = load_document(&l, made);
  /* An empty document is one empty plain scalar: an empty map to its readers. */
  if (status == OK && made->kind == YAML_SCALAR && !made->quoted && made->text[0] == '\0') {
    made->kind = YAML_MAP;
    made->text = NULL;
  }
  yaml_parser_delete(&l.parser);
  free(l.stack);
  if (status == OK) {
    *root = made;
  }
  return status;
}

enum status yaml_load(const char *path, struct arena *arena, struct yaml **root, struct error *error) {
  struct buffer bytes;
  *root = NULL;
  enum status status = file_read(path, DEFAULT_LIMIT, &bytes, error);
  if (status != OK) {
    error->code = status == ERR_NOT_FOUND || status == ERR_LIMIT ? ERR_CONFIG : status;
    return error->code;
  }
  status = yaml_parse(path, buffer_view(&bytes), arena, root, error);
  buffer_free(&bytes);
  return status;
}

const struct yaml *yaml_get(const struct yaml *map, const char *key) {
  if (map == NULL || map->kind != YAML_MAP) {
    return NULL;
  }
  for (size_t i = 0; i < map->count; i++) {
    if (strcmp(map->children[i].key, key) == 0) {
      return &map->children[i];
    }
  }
  return NULL;
}

const char *yaml_text(const struct yaml *map, const char *key, const char *otherwise) {
  const struct yaml *node = yaml_get(map, key);
  return node == NULL || node->kind != YAML_SCALAR ? otherwise : node->text;
}

enum status yaml_bool(const struct yaml *map, const char *key, bool *value, struct error *error) {
  static const char *const words[] = {"true", "yes", "on", "false", "no", "off"};
  const struct yaml *node = yaml_get(map, key);
  if (node == NULL) {
    return OK;
  }
  for (size_t i = 0; node->kind == YAML_SCALAR && !node->quoted && i < sizeof words / sizeof words[0]; i++) {
    if (strcmp(node->text, words[i]) == 0) {
      *value = i < 3;
      return OK;
    }
  }
  return yaml_error(node, error, _("'%s' has to be true or false"), key);
}

enum status yaml_int(const struct yaml *map, const char *key, int64_t least, int64_t most, int64_t *value,
                     struct error *error) {
  const struct yaml *node = yaml_get(map, key);
  int64_t number;
  if (node == NULL) {
    return OK;
  }
  if (node->kind != YAML_SCALAR || !text_to_int64(slice_of(node->text), &number) || number < least || number > most) {
    return yaml_error(node, error, _("'%s' has to be a whole number from %lld to %lld"), key, (long long)least,
                      (long long)most);
  }
  *value = number;
  return OK;
}

enum status yaml_duration(const struct yaml *map, const char *key, int64_t least, int64_t most, int64_t *value,
                          struct error *error) {
  const struct yaml *node = yaml_get(map, key);
  int64_t micros;
  if (node == NULL) {
    return OK;
  }
  if (node->kind != YAML_SCALAR || !clock_parse_duration(slice_of(node->text), &micros)) {
    yaml_error(node, error, _("%s: a duration is expected here"), key);
    error_hint(error, "%s", _("for example 30s, 10m, 2h, 7d"));
    return ERR_CONFIG;
  }
  if (micros < least || micros > most) {
    yaml_error(node, error, _("%s: the duration is out of bounds"), key);
    error_hint(error, _("from %lld to %lld seconds"), (long long)(least / 1000000), (long long)(most / 1000000));
    return ERR_CONFIG;
  }
  *value = micros;
  return OK;
}

enum status yaml_share(const struct yaml *map, const char *key, double *value, struct error *error) {
  const struct yaml *node = yaml_get(map, key);
  if (node == NULL) {
    return OK;
  }
  char *end = NULL;
  double share = node->kind == YAML_SCALAR ? strtod(node->text, &end) : -1;
  if (end == NULL || end == node->text || *end != '\0' || !(share >= 0 && share <= 1)) {
    return yaml_error(node, error, _("%s: a share from 0 to 1 is expected here"), key);
  }
  *value = share;
  return OK;
}

enum status yaml_check_keys(const struct yaml *map, const char *const *known, struct error *error) {
  size_t count = 0;
  if (map == NULL) {
    return OK;
  }
  if (map->kind != YAML_MAP) {
    return yaml_error(map, error, "%s", _("a map (key: value) was expected"));
  }
  while (known[count] != NULL) {
    count++;
  }
  for (size_t i = 0; i < map->count; i++) {
    const struct yaml *child = &map->children[i];
    bool found = false;
    for (size_t j = 0; j < count && !found; j++) {
      found = strcmp(child->key, known[j]) == 0;
    }
    if (!found) {
      const char *nearest = text_nearest(slice_of(child->key), known, count);
      error_set(error, ERR_CONFIG, _("unknown key '%s'"), child->key);
      error_place(error, "%s:%d:%d", child->file, child->key_line, child->key_column);
      if (nearest != NULL) {
        error_hint(error, _("did you mean '%s'?"), nearest);
      }
      return ERR_CONFIG;
    }
  }
  return OK;
}

enum status yaml_error(const struct yaml *node, struct error *error, const char *format, ...) {
  char message[sizeof error->message];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  error_set(error, ERR_CONFIG, "%s", message);
  if (node != NULL) {
    error_place(error, "%s:%d:%d", node->file, node->line, node->column);
  }
  return ERR_CONFIG;
}
