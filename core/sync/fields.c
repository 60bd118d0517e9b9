#include "core/sync/fields.h"

enum { DEPTH_MOST = 256 };

struct search {
  const struct terms_config *terms;
  struct arena *arena;
  const char **paths;
  size_t count;
  bool whole, failed;
};

/* Whether `path` is `of`, or lies below it. */
static bool below(const char *path, const char *of) {
  size_t len = strlen(of);
  return strncmp(path, of, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

bool fields_allow(const struct terms_config *terms, const char *path) {
  for (size_t i = 0; i < terms->field_count; i++) {
    if (below(path, terms->fields[i])) {
      return true;
    }
  }
  return false;
}

static bool leads_on(const struct search *search, const char *path) {
  for (size_t i = 0; i < search->terms->field_count; i++) {
    if (path[0] == '\0' || below(search->terms->fields[i], path)) {
      return true;
    }
  }
  return false;
}

static void add(struct search *search, const char *path) {
  if (path[0] == '\0' || search->count == FIELDS_MOST) {
    search->whole = false;
    return;
  }
  for (size_t i = search->count; i > 0; i--) {
    if (strcmp(search->paths[i - 1], path) == 0) {
      return;
    }
  }
  search->paths[search->count++] = path;
}

static bool is_empty(const struct node *node) {
  return node->kind == NODE_NULL || (node->count == 0 && node->text.len == 0 && node->kind <= NODE_NUMBER);
}

static bool is_blank(struct slice text) {
  for (size_t i = 0; i < text.len; i++) {
    if (strchr(" \t\r\n", text.data[i]) == NULL) {
      return false;
    }
  }
  return true;
}

/* Whether it goes as a whole: a value, or something that no allowed path lies in. */
static bool goes(const struct search *search, const struct node *node, const char *path, int depth) {
  bool holds = node->kind == NODE_OBJECT || node->kind == NODE_LIST || node->count > 0;
  return !holds || !is_blank(node->text) || !leads_on(search, path) || depth == DEPTH_MOST;
}

static void look(struct search *search, const struct node *node, const char *path, int depth) {
  if (search->failed || fields_allow(search->terms, path) || is_empty(node)) {
    return;
  }
  if (goes(search, node, path, depth)) {
    add(search, path);
    return;
  }
  for (uint32_t i = 0; i < node->count && !search->failed; i++) {
    const struct node *child = &node->children[i];
    const char *deeper = path;
    if (node->kind != NODE_LIST) {
      deeper = arena_printf(search->arena, "%s%s%.*s", path, path[0] == '\0' ? "" : "/", (int)child->name.len,
                            child->name.len == 0 ? "" : child->name.data);
    }
    search->failed = deeper == NULL;
    if (deeper != NULL) {
      look(search, child, deeper, depth + 1);
    }
  }
}

enum status fields_forbidden(const struct terms_config *terms, const struct node *root, struct arena *arena,
                             const char ***paths, size_t *count, bool *whole, struct error *error) {
  struct search search = {
      .terms = terms, .arena = arena, .paths = arena_array(arena, FIELDS_MOST, sizeof *search.paths), .whole = true};
  if (search.paths == NULL) {
    return error_memory(error);
  }
  look(&search, root, "", 0);
  *paths = search.paths;
  *count = search.count;
  *whole = search.whole;
  return search.failed ? error_memory(error) : OK;
}
