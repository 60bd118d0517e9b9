#include "mapping/compile.h"

#include "core/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void mistake_add(struct compiler *compiler, int line, int column, const char *place, const char *hint,
                        const char *message) {
  for (size_t i = 0; i < compiler->mistake_count; i++) {
    const struct mistake *known = &compiler->mistakes[i];
    if (known->line == line && known->column == column && strcmp(known->message, message) == 0) {
      return;
    }
  }
  if (compiler->mistakes == NULL) {
    compiler->mistakes = compile_alloc(compiler, MISTAKES_MOST, sizeof *compiler->mistakes);
  }
  if (compiler->mistakes == NULL || compiler->mistake_count == MISTAKES_MOST) {
    return;
  }
  struct mistake *mistake = &compiler->mistakes[compiler->mistake_count++];
  *mistake = (struct mistake){.line = line, .column = column};
  mistake->place = compile_text(compiler, place);
  mistake->message = compile_text(compiler, message);
  mistake->hint = hint == NULL ? NULL : compile_text(compiler, hint);
  compiler->mistake_count -= mistake->message == NULL || mistake->place == NULL;
}

static void mistake_at(struct compiler *compiler, const char *file, int line, int column, const char *hint,
                       const char *message) {
  char place[320];
  snprintf(place, sizeof place, "%s:%d:%d", file, line, column);
  mistake_add(compiler, line, column, place, hint, message);
}

void compile_take(struct compiler *compiler, const struct error *error) {
  int line = 0, column = 0;
  const char *colon = strchr(error->place, ':');
  if (colon == NULL || sscanf(colon, ":%d:%d", &line, &column) != 2) {
    line = 0;
  }
  mistake_add(compiler, line, column, error->place, error->hint[0] == '\0' ? NULL : error->hint, error->message);
}

static int mistake_compare(const void *a, const void *b) {
  const struct mistake *left = a, *right = b;
  int order = (left->line > right->line) - (left->line < right->line);
  order = order != 0 ? order : (left->column > right->column) - (left->column < right->column);
  return order != 0 ? order : strcmp(left->message, right->message);
}

void compile_report(struct compiler *compiler, struct buffer *out, struct error *error) {
  if (compiler->mistake_count == 0) {
    return;
  }
  qsort(compiler->mistakes, compiler->mistake_count, sizeof *compiler->mistakes, mistake_compare);
  for (size_t i = 0; out != NULL && i < compiler->mistake_count; i++) {
    const struct mistake *mistake = &compiler->mistakes[i];
    buffer_printf(out, "%s: %s\n", mistake->place, mistake->message);
    if (mistake->hint != NULL) {
      buffer_printf(out, "  hint: %s\n", mistake->hint);
    }
  }
  error_set(error, ERR_CONFIG, "%s", compiler->mistakes[0].message);
  error_place(error, "%s", compiler->mistakes[0].place);
  if (compiler->mistakes[0].hint != NULL) {
    error_hint(error, "%s", compiler->mistakes[0].hint);
  }
}

void compile_mistake(struct compiler *compiler, const struct yaml *at, const char *hint, const char *format, ...) {
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  mistake_at(compiler, at->file, at->line, at->column, hint, message);
}

void compile_key_mistake(struct compiler *compiler, const struct yaml *at, const char *hint, const char *format, ...) {
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  mistake_at(compiler, at->file, at->key_line, at->key_column, hint, message);
}

const char *compile_nearest(struct compiler *compiler, const char *name, const char *const *candidates, size_t count) {
  const char *nearest = text_nearest(slice_of(name), candidates, count);
  return nearest == NULL ? NULL : arena_printf(compiler->arena, _("did you mean '%s'?"), nearest);
}

static size_t count_names(const char *const *names) {
  size_t count = 0;
  while (names[count] != NULL) {
    count++;
  }
  return count;
}

void compile_check_keys(struct compiler *compiler, const struct yaml *map, const char *const *known) {
  for (size_t i = 0; i < map->count; i++) {
    const struct yaml *entry = &map->children[i];
    bool found = false;
    for (const char *const *name = known; *name != NULL && !found; name++) {
      found = strcmp(*name, entry->key) == 0;
    }
    if (!found) {
      compile_key_mistake(compiler, entry, compile_nearest(compiler, entry->key, known, count_names(known)),
                          _("unknown name '%.64s'"), entry->key);
    }
  }
}

void *compile_alloc(struct compiler *compiler, size_t count, size_t size) {
  void *memory = arena_array(compiler->arena, count, size);
  compiler->out_of_memory |= memory == NULL;
  return memory;
}

char *compile_text(struct compiler *compiler, const char *text) {
  char *copy = arena_text(compiler->arena, slice_of(text));
  compiler->out_of_memory |= copy == NULL;
  return copy;
}

bool compile_grow(struct compiler *compiler, void **items, size_t count, size_t *capacity, size_t size) {
  if (count < *capacity) {
    return true;
  }
  size_t wanted = *capacity == 0 ? 8 : *capacity * 2;
  void *larger = compile_alloc(compiler, wanted, size);
  if (larger == NULL) {
    return false;
  }
  if (*items != NULL) {
    memcpy(larger, *items, *capacity * size);
  }
  *items = larger;
  *capacity = wanted;
  return true;
}

static const char *nearest_list(struct compiler *compiler, const char *name) {
  size_t count = codelists_count(compiler->lists);
  const char **names = compile_alloc(compiler, count + 1, sizeof *names);
  for (size_t i = 0; names != NULL && i < count; i++) {
    names[i] = codelist_name(codelists_at(compiler->lists, i));
  }
  return names == NULL ? NULL : compile_nearest(compiler, name, names, count);
}

const struct codelist *compile_list(struct compiler *compiler, const struct yaml *at, const char *name) {
  const struct codelist *list = codelists_find(compiler->lists, name);
  if (list == NULL) {
    compile_mistake(compiler, at, nearest_list(compiler, name), _("there is no code list '%.64s'"), name);
    return NULL;
  }
  for (size_t i = 0; i < compiler->used_count; i++) {
    if (compiler->used[i] == list) {
      return list;
    }
  }
  void *items = compiler->used;
  if (compile_grow(compiler, &items, compiler->used_count, &compiler->used_capacity, sizeof *compiler->used)) {
    compiler->used = items;
    compiler->used[compiler->used_count++] = list;
  }
  return list;
}

const char *const *compile_systems(struct compiler *compiler, const struct yaml *rule, const struct codelist *list) {
  const struct yaml *node = rule->kind == YAML_MAP ? yaml_get(rule, "system") : NULL;
  if (node == NULL) {
    node = yaml_get(compiler->defaults.system, codelist_name(list));
  }
  const char **systems = NULL;
  size_t count = node == NULL ? 0 : compile_texts(compiler, node, &systems);
  for (size_t i = 0; i < count; i++) {
    if (!codelist_has_system(list, systems[i])) {
      size_t known = 0;
      const char *const *names = codelist_systems(list, &known);
      compile_mistake(compiler, node->kind == YAML_LIST ? &node->children[i] : node,
                      compile_nearest(compiler, systems[i], names, known), _("code list '%s' has no system '%.64s'"),
                      codelist_name(list), systems[i]);
      return NULL;
    }
  }
  return count == 0 ? NULL : systems;
}

const struct code *compile_code(struct compiler *compiler, const struct yaml *at, const struct codelist *list,
                                bool reasons) {
  const char *text = compile_scalar(compiler, at);
  const struct code *code = text == NULL ? NULL : codelist_code(list, slice_of(text));
  if (code != NULL || text == NULL) {
    return code;
  }
  size_t count = codelist_size(list);
  const char **codes = compile_alloc(compiler, count + MISSING_COUNT, sizeof *codes);
  for (size_t i = 0; codes != NULL && i < count; i++) {
    codes[i] = codelist_at(list, i)->code;
  }
  for (int i = 0; codes != NULL && reasons && i < MISSING_COUNT; i++) {
    codes[count++] = missing_name((enum missing)i);
  }
  compile_mistake(compiler, at, codes == NULL ? NULL : compile_nearest(compiler, text, codes, count),
                  _("code list '%s' has no code '%.64s'"), codelist_name(list), text);
  return NULL;
}

const char *compile_scalar(struct compiler *compiler, const struct yaml *node) {
  if (node->kind != YAML_SCALAR) {
    compile_mistake(compiler, node, NULL, _("one text is expected here"));
    return NULL;
  }
  return node->text;
}

size_t compile_texts(struct compiler *compiler, const struct yaml *node, const char ***texts) {
  bool list = node->kind == YAML_LIST;
  size_t count = list ? node->count : 1;
  const char **items = compile_alloc(compiler, count + 1, sizeof *items);
  if (count == 0 || count > 256 || node->kind == YAML_MAP || items == NULL) {
    compile_mistake(compiler, node, NULL, _("one text, or a list of up to 256, is expected here"));
    return 0;
  }
  for (size_t i = 0; i < count; i++) {
    const char *text = compile_scalar(compiler, list ? &node->children[i] : node);
    items[i] = text == NULL ? NULL : compile_text(compiler, text);
    if (items[i] == NULL) {
      return 0;
    }
  }
  *texts = items;
  return count;
}
