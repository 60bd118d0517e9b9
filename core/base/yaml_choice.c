#include "core/base/text.h"
#include "core/base/yaml.h"

static size_t count_of(const char *const *choices) {
  size_t count = 0;
  while (choices[count] != NULL) {
    count++;
  }
  return count;
}

static enum status unknown_choice(const struct yaml *node, const char *key, const char *const *choices,
                                  struct error *error) {
  size_t count = count_of(choices);
  const char *nearest = text_nearest(slice_of(node->text), choices, count);
  yaml_error(node, error, _("%s: unknown value '%s'"), key, node->text);
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
    return ERR_CONFIG;
  }
  char names[sizeof error->hint - 32];
  size_t used = 0;
  for (size_t i = 0; i < count; i++) {
    size_t len = strlen(choices[i]);
    if (used + len + 3 > sizeof names) {
      break;
    }
    memcpy(names + used, i == 0 ? "" : ", ", i == 0 ? 0 : 2);
    used += i == 0 ? 0 : 2;
    memcpy(names + used, choices[i], len);
    used += len;
  }
  error_hint(error, _("one of: %.*s"), (int)used, names);
  return ERR_CONFIG;
}

enum status yaml_choice(const struct yaml *map, const char *key, const char *const *choices, int *value,
                        struct error *error) {
  const struct yaml *node = yaml_get(map, key);
  if (node == NULL) {
    return OK;
  }
  if (node->kind != YAML_SCALAR) {
    return yaml_error(node, error, _("%s: one text is expected here"), key);
  }
  for (int i = 0; choices[i] != NULL; i++) {
    if (strcmp(choices[i], node->text) == 0) {
      *value = i;
      return OK;
    }
  }
  return unknown_choice(node, key, choices, error);
}

enum status yaml_texts(const struct yaml *map, const char *key, struct arena *arena, const char ***items, size_t *count,
                       struct error *error) {
  const struct yaml *node = yaml_get(map, key);
  *items = NULL;
  *count = 0;
  if (node == NULL) {
    return OK;
  }
  if (node->kind == YAML_MAP) {
    return yaml_error(node, error, _("%s: a list of texts is expected here"), key);
  }
  size_t most = node->kind == YAML_LIST ? node->count : 1;
  *items = arena_array(arena, most + 1, sizeof **items);
  if (*items == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < most; i++) {
    const struct yaml *item = node->kind == YAML_LIST ? &node->children[i] : node;
    if (item->kind != YAML_SCALAR) {
      return yaml_error(item, error, _("%s: a text is expected here"), key);
    }
    (*items)[i] = item->text;
  }
  *count = most;
  return OK;
}
