/* Paths: compiled to steps, each with a hint of where its name stood in the record before. */
#include "mapping/plan_internal.h"

#include "core/base/text.h"

#include <stdlib.h>

static bool step_parse(struct compiler *compiler, const struct yaml *at, const char **cursor, struct path_step *step) {
  const char *from = *cursor, *end;
  if (*from == '\'') {
    end = strchr(from + 1, '\'');
    if (end == NULL || (end[1] != '\0' && end[1] != '/')) {
      compile_mistake(compiler, at, NULL, _("path has a quote without its end"));
      return false;
    }
    step->name = slice_make(from + 1, (size_t)(end - from - 1));
    end += 1;
  } else {
    end = from + strcspn(from, "/");
    step->name = slice_make(from, (size_t)(end - from));
    step->kind = slice_is(step->name, "..") ? STEP_UP : slice_is(step->name, ".") ? STEP_SELF : STEP_NAME;
  }
  if (step->name.len == 0) {
    compile_mistake(compiler, at, NULL, _("path '%.100s' has an empty step"), at->text);
    return false;
  }
  int64_t index;
  step->index = step->name.len < 7 && text_to_int64(step->name, &index) && index >= 0 ? (int32_t)index : -1;
  *cursor = *end == '/' ? end + 1 : end;
  if (*end == '/' && end[1] == '\0') {
    compile_mistake(compiler, at, NULL, _("path '%.100s' ends with '/'"), at->text);
    return false;
  }
  return true;
}

static const struct path *let_path(struct compiler *compiler, const struct yaml *at, struct path *path) {
  for (size_t i = compiler->let_count; i-- > 0;) {
    if (strcmp(compiler->lets[i], path->text + 1) == 0) {
      path->let = (int)i;
      return path;
    }
  }
  compile_mistake(compiler, at, compile_nearest(compiler, path->text + 1, compiler->lets, compiler->let_count),
                  _("no value '%.64s' is named under let"), path->text + 1);
  return NULL;
}

/* Appends the names of `path` to the way from the root; `..` takes one back. */
static size_t way_walk(const struct path *path, const struct slice **names, size_t count) {
  for (size_t i = 0; path != NULL && i < path->count; i++) {
    const struct path_step *step = &path->steps[i];
    if (step->kind == STEP_ROOT) {
      count = 0;
    } else if (step->kind == STEP_UP) {
      count -= count > 0;
    } else if (step->kind == STEP_NAME && count < (size_t)2 * PATH_STEPS_MOST) {
      names[count++] = &step->name;
    }
  }
  return count;
}

/* Notes the path as seen from the record's root, once. */
static void path_note(struct compiler *compiler, struct path *path, const struct path *base) {
  const struct slice *names[2 * PATH_STEPS_MOST];
  size_t count = way_walk(path, names, way_walk(base, names, 0)), len = 0;
  for (size_t i = 0; i < count; i++) {
    len += names[i]->len + 1;
  }
  char *text = count == 0 ? NULL : compile_alloc(compiler, len, 1);
  if (text == NULL) {
    return;
  }
  char *at = text;
  for (size_t i = 0; i < count; i++) {
    memcpy(at, names[i]->data, names[i]->len);
    at += names[i]->len;
    *at++ = i + 1 < count ? '/' : '\0';
  }
  path->whole = text;
  struct plan *plan = compiler->plan;
  for (size_t i = 0; i < compiler->path_count; i++) {
    if (strcmp(plan->paths[i], text) == 0) {
      return;
    }
  }
  void *items = plan->paths;
  if (compile_grow(compiler, &items, compiler->path_count + 1, &compiler->path_capacity, sizeof *plan->paths)) {
    plan->paths = items;
    plan->paths[compiler->path_count++] = text;
    plan->paths[compiler->path_count] = NULL;
  }
}

static bool steps_parse(struct compiler *compiler, const struct yaml *at, const char *text, struct path *path,
                        struct path_step *steps) {
  if (compiler->flat && strcmp(text, ".") != 0) {
    steps[path->count++] = (struct path_step){.name = slice_of(text), .index = -1};
    return true;
  }
  if (*text == '/') {
    steps[path->count++] = (struct path_step){.kind = STEP_ROOT, .index = -1};
    text++;
  }
  while (*text != '\0') {
    if (path->count == PATH_STEPS_MOST) {
      compile_mistake(compiler, at, NULL, _("path has more than %d steps"), PATH_STEPS_MOST);
      return false;
    }
    steps[path->count] = (struct path_step){.index = -1};
    if (!step_parse(compiler, at, &text, &steps[path->count])) {
      return false;
    }
    path->count++;
  }
  return true;
}

const struct path *path_compile(struct compiler *compiler, const struct yaml *at, const char *text,
                                const struct path *base) {
  struct path *path = compile_alloc(compiler, 1, sizeof *path);
  struct path_step steps[PATH_STEPS_MOST + 1] = {0};
  if (path == NULL || text == NULL) {
    return NULL;
  }
  *path = (struct path){.let = -1, .text = compile_text(compiler, text)};
  if (path->text == NULL) {
    return NULL;
  }
  if (*text == '\0') {
    compile_mistake(compiler, at, NULL, _("path is empty"));
    return NULL;
  }
  if (*text == '$') {
    return let_path(compiler, at, path);
  }
  if (!steps_parse(compiler, at, path->text, path, steps)) {
    return NULL;
  }
  for (size_t i = 0; i < path->count; i++) {
    steps[i].hint = compiler->plan->hint_count++;
  }
  struct path_step *own = compile_alloc(compiler, path->count + 1, sizeof *own);
  if (own == NULL) {
    return NULL;
  }
  memcpy(own, steps, path->count * sizeof *own);
  path->steps = own;
  path_note(compiler, path, base);
  return path;
}

/* ---- walking ---- */

static const struct node *node_up(const struct node *node) {
  const struct node *up = node->parent;
  while (up != NULL && up->kind == NODE_LIST) {
    up = up->parent;
  }
  return up;
}

/* The first element of a list, and of a list in it; NULL of an empty one. */
static const struct node *list_first(const struct node *node, bool *several) {
  for (int depth = 0; node != NULL && node->kind == NODE_LIST; depth++) {
    *several = *several || node->count > 1;
    node = node->count == 0 || depth == LISTS_NESTED_MOST ? NULL : &node->children[0];
  }
  return node;
}

/* Names are short: compared by words, without a call. */
static inline bool name_is(struct slice name, struct slice wanted) {
  if (name.len != wanted.len) {
    return false;
  }
  const char *a = name.data, *b = wanted.data;
  uint64_t left, right;
  size_t i = 0;
  for (; i + 8 <= wanted.len; i += 8) {
    memcpy(&left, a + i, 8);
    memcpy(&right, b + i, 8);
    if (left != right) {
      return false;
    }
  }
  for (; i < wanted.len; i++) {
    if (a[i] != b[i]) {
      return false;
    }
  }
  return true;
}

static bool repeats(const struct node *parent, const struct node *child) {
  size_t next = (size_t)(child - parent->children) + 1;
  return next < parent->count && child->name.len > 0 && name_is(parent->children[next].name, child->name);
}

/* Where the name stood in the record before, it mostly stands again. */
static inline const struct node *child_named(struct run *run, const struct path_step *step, const struct node *node) {
  uint32_t *hint = &run->scratch->hints[step->hint], at = *hint;
  if (at < node->count && name_is(node->children[at].name, step->name)
      && (at == 0 || !name_is(node->children[at - 1].name, step->name))) {
    return &node->children[at];
  }
  return node_child(node, step->name, hint);
}

static const struct node *step_into(struct run *run, const struct path_step *step, const struct node *node,
                                    bool *several) {
  if (node->kind == NODE_LIST) {
    if (step->index >= 0) {
      return (uint32_t)step->index < node->count ? &node->children[step->index] : NULL;
    }
    node = list_first(node, several);
  }
  if (node == NULL || node->kind != NODE_OBJECT) {
    return NULL;
  }
  const struct node *child = child_named(run, step, node);
  if (child != NULL && repeats(node, child)) {
    *several = true;
  }
  return child;
}

const struct node *path_first(struct run *run, const struct path *path, const struct node *from, bool *several) {
  const struct node *node = from;
  *several = false;
  for (size_t i = 0; node != NULL && i < path->count; i++) {
    const struct path_step *step = &path->steps[i];
    switch ((enum step_kind)step->kind) {
    case STEP_NAME:
      node = step_into(run, step, node, several);
      break;
    case STEP_UP:
      node = node_up(node);
      break;
    case STEP_ROOT:
      node = run->root;
      break;
    case STEP_SELF:
      break;
    }
  }
  return node == NULL || node->kind != NODE_LIST ? node : list_first(node, several);
}

static bool node_push(struct run *run, const struct node *node) {
  struct plan_scratch *scratch = run->scratch;
  if (scratch->node_count == scratch->node_capacity) {
    size_t capacity = scratch->node_capacity == 0 ? 64 : scratch->node_capacity * 2;
    const struct node **nodes =
        capacity > (size_t)4 * RECORD_ROWS_MOST ? NULL : realloc(scratch->nodes, capacity * sizeof *nodes);
    if (nodes == NULL) {
      run->failed = capacity > (size_t)4 * RECORD_ROWS_MOST ? ERR_LIMIT : ERR_MEMORY;
      return false;
    }
    scratch->nodes = nodes;
    scratch->node_capacity = capacity;
  }
  scratch->nodes[scratch->node_count++] = node;
  return true;
}

static bool walk_all(struct run *run, const struct path *path, size_t at, const struct node *node, int lists);

static bool walk_list(struct run *run, const struct path *path, size_t at, const struct node *list, int lists) {
  if (at < path->count && path->steps[at].kind == STEP_NAME && path->steps[at].index >= 0) {
    uint32_t index = (uint32_t)path->steps[at].index;
    return walk_all(run, path, at + 1, index < list->count ? &list->children[index] : NULL, lists);
  }
  for (uint32_t i = 0; lists < LISTS_NESTED_MOST && i < list->count; i++) {
    if (!walk_all(run, path, at, &list->children[i], lists + 1)) {
      return false;
    }
  }
  return true;
}

static bool walk_named(struct run *run, const struct path *path, size_t at, const struct node *node, int lists) {
  for (uint32_t i = 0; node->kind == NODE_OBJECT && i < node->count; i++) {
    if (slice_equal(node->children[i].name, path->steps[at].name)
        && !walk_all(run, path, at + 1, &node->children[i], lists)) {
      return false;
    }
  }
  return true;
}

static bool walk_all(struct run *run, const struct path *path, size_t at, const struct node *node, int lists) {
  if (node == NULL) {
    return true;
  }
  if (node->kind == NODE_LIST) {
    return walk_list(run, path, at, node, lists);
  }
  if (at == path->count) {
    return node_push(run, node);
  }
  switch ((enum step_kind)path->steps[at].kind) {
  case STEP_UP:
    return walk_all(run, path, at + 1, node_up(node), lists);
  case STEP_ROOT:
    return walk_all(run, path, at + 1, run->root, lists);
  case STEP_SELF:
    return walk_all(run, path, at + 1, node, lists);
  case STEP_NAME:
    break;
  }
  return walk_named(run, path, at, node, lists);
}

bool path_all(struct run *run, const struct path *path, const struct node *from) {
  return walk_all(run, path, 0, from, 0);
}

bool node_value(const struct node *node, struct slice *text) {
  switch ((enum node_kind)node->kind) {
  case NODE_TRUE:
    *text = slice_of("true");
    return true;
  case NODE_FALSE:
    *text = slice_of("false");
    return true;
  case NODE_TEXT:
  case NODE_NUMBER:
  case NODE_OBJECT: {
    struct slice raw = node->text;
    unsigned char first = raw.len == 0 ? ' ' : (unsigned char)raw.data[0];
    unsigned char last = raw.len == 0 ? ' ' : (unsigned char)raw.data[raw.len - 1];
    bool plain = first > ' ' && first < 0x7f && last > ' ' && last < 0x7f;
    *text = plain ? raw : slice_trim(raw);
    return text->len > 0;
  }
  case NODE_NULL:
  case NODE_LIST:
    break;
  }
  return false;
}
