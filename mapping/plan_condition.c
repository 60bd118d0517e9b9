/* Conditions: when a block, a field or a record applies. Comparison leaves case and accents aside, so that a lower-case
 * "no" withholds a record as surely as "NO". */
#include "mapping/plan_internal.h"

#include "core/base/text.h"

static const struct slice *fold_texts(struct compiler *compiler, const char **texts, size_t count) {
  struct slice *values = compile_alloc(compiler, count + 1, sizeof *values);
  for (size_t i = 0; values != NULL && i < count; i++) {
    values[i] = text_fold(compiler->arena, slice_trim(slice_of(texts[i])), true);
    compiler->out_of_memory |= values[i].data == NULL && values[i].len > 0;
  }
  return values;
}

static void parts_compile(struct compiler *compiler, const struct yaml *list, const struct path *base, int depth,
                          struct condition *condition) {
  if (list->kind != YAML_LIST || list->count == 0) {
    compile_mistake(compiler, list, NULL, _("a list of conditions is expected"));
    return;
  }
  struct condition const **parts = compile_alloc(compiler, list->count, sizeof *parts);
  for (size_t i = 0; parts != NULL && i < list->count; i++) {
    parts[i] = condition_compile(compiler, &list->children[i], base, depth + 1);
    if (parts[i] == NULL) {
      return;
    }
  }
  condition->parts = parts;
  condition->count = parts == NULL ? 0 : list->count;
}

static void present_compile(struct compiler *compiler, const struct yaml *node, struct condition *condition) {
  const char *text = compile_scalar(compiler, node);
  condition->kind = CONDITION_PRESENT;
  condition->wanted = text != NULL && strcmp(text, "true") == 0;
  if (text != NULL && !condition->wanted && strcmp(text, "false") != 0) {
    compile_mistake(compiler, node, NULL, _("present takes true or false"));
  }
}

static const struct condition *test_compile(struct compiler *compiler, const struct yaml *map, const struct path *path,
                                            int depth);

/* `not: {equals: X}` beside a path. */
static struct condition *not_compile(struct compiler *compiler, const struct yaml *node, const struct path *path,
                                     struct condition *condition, int depth) {
  struct condition const **parts = compile_alloc(compiler, 1, sizeof *parts);
  if (node->kind != YAML_MAP) {
    compile_mistake(compiler, node, NULL, _("not takes a test, such as {equals: X}"));
    return NULL;
  }
  if (parts == NULL) {
    return NULL;
  }
  parts[0] = test_compile(compiler, node, path, depth + 1);
  condition->kind = CONDITION_NOT;
  condition->parts = parts;
  condition->count = parts[0] != NULL;
  return parts[0] == NULL ? NULL : condition;
}

/* The one test in a map beside `path`; NULL after a mistake. */
static const struct yaml *test_of(struct compiler *compiler, const struct yaml *map) {
  const struct yaml *test = NULL;
  for (size_t i = 0; i < map->count; i++) {
    const struct yaml *entry = &map->children[i];
    if (strcmp(entry->key, "path") != 0 && test != NULL) {
      compile_key_mistake(compiler, entry, _("put them under all: or any:, each with its path"),
                          _("a condition takes one test"));
      return NULL;
    }
    test = strcmp(entry->key, "path") != 0 ? entry : test;
  }
  if (test == NULL) {
    compile_mistake(compiler, map, _("one of equals, in, matches, present, not"), _("the condition has no test"));
  }
  return test;
}

static const struct condition *words_test(struct compiler *compiler, const struct yaml *test,
                                          struct condition *condition) {
  const char **texts = NULL;
  bool list = strcmp(test->key, "in") == 0;
  if (!list && compile_scalar(compiler, test) == NULL) {
    return NULL;
  }
  condition->kind = strcmp(test->key, "matches") == 0 ? CONDITION_MATCHES : CONDITION_IN;
  condition->count = compile_texts(compiler, test, &texts);
  condition->values = fold_texts(compiler, texts, condition->count);
  return condition->count == 0 ? NULL : condition;
}

static const struct condition *test_compile(struct compiler *compiler, const struct yaml *map, const struct path *path,
                                            int depth) {
  struct condition *condition = compile_alloc(compiler, 1, sizeof *condition);
  if (condition == NULL || depth > CONDITION_DEPTH_MOST) {
    compile_mistake(compiler, map, NULL, _("conditions are nested too deeply"));
    return NULL;
  }
  const struct yaml *test = test_of(compiler, map);
  if (test == NULL) {
    return NULL;
  }
  condition->path = path;
  if (strcmp(test->key, "not") == 0) {
    return not_compile(compiler, test, path, condition, depth);
  }
  if (strcmp(test->key, "present") == 0) {
    present_compile(compiler, test, condition);
    return condition;
  }
  if (strcmp(test->key, "all") == 0 || strcmp(test->key, "any") == 0) {
    compile_key_mistake(compiler, test, NULL, _("'%s' stands alone, without a path beside it"), test->key);
    return NULL;
  }
  return words_test(compiler, test, condition);
}

static const struct condition *group_compile(struct compiler *compiler, const struct yaml *group,
                                             const struct path *base, int depth) {
  struct condition *condition = compile_alloc(compiler, 1, sizeof *condition);
  if (condition == NULL) {
    return NULL;
  }
  condition->kind = strcmp(group->key, "any") == 0   ? CONDITION_ANY
                    : strcmp(group->key, "not") == 0 ? CONDITION_NOT
                                                     : CONDITION_ALL;
  if (condition->kind != CONDITION_NOT) {
    parts_compile(compiler, group, base, depth, condition);
    return condition;
  }
  struct condition const **parts = compile_alloc(compiler, 1, sizeof *parts);
  const struct condition *part = condition_compile(compiler, group, base, depth + 1);
  if (parts == NULL || part == NULL) {
    return NULL;
  }
  parts[0] = part;
  condition->parts = parts;
  condition->count = 1;
  return condition;
}

const struct condition *condition_compile(struct compiler *compiler, const struct yaml *node, const struct path *base,
                                          int depth) {
  if (depth > CONDITION_DEPTH_MOST) {
    compile_mistake(compiler, node, NULL, _("conditions are nested too deeply"));
    return NULL;
  }
  if (node->kind == YAML_LIST) {
    struct condition *condition = compile_alloc(compiler, 1, sizeof *condition);
    if (condition != NULL) {
      parts_compile(compiler, node, base, depth, condition);
    }
    return condition;
  }
  if (node->kind != YAML_MAP) {
    compile_mistake(compiler, node, _("for example {path: Estado, equals: ANULADO}"), _("a condition is a map"));
    return NULL;
  }
  size_t before = compiler->mistake_count;
  compile_check_keys(compiler, node, language_keys("condition"));
  if (compiler->mistake_count > before) {
    return NULL;
  }
  const struct yaml *path_node = yaml_get(node, "path");
  if (path_node != NULL) {
    const struct path *path = path_compile(compiler, path_node, compile_scalar(compiler, path_node), base);
    return path == NULL ? NULL : test_compile(compiler, node, path, depth);
  }
  if (node->count != 1) {
    compile_mistake(compiler, node, NULL, _("a condition has a path and one test, or one of all, any, not"));
    return NULL;
  }
  const struct yaml *group = &node->children[0];
  if (strcmp(group->key, "all") != 0 && strcmp(group->key, "any") != 0 && strcmp(group->key, "not") != 0) {
    compile_key_mistake(compiler, group, NULL, _("'%s' needs a path beside it"), group->key);
    return NULL;
  }
  return group_compile(compiler, group, base, depth);
}

/* ---- testing ---- */

/* `*` any run of bytes, `?` one character. Linear backtracking to the last star. */
static bool glob_matches(struct slice pattern, struct slice text) {
  size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
  while (t < text.len) {
    if (p < pattern.len && pattern.data[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.len && pattern.data[p] == '?') {
      p++;
      do {
        t++;
      } while (t < text.len && ((unsigned char)text.data[t] & 0xC0) == 0x80);
    } else if (p < pattern.len && pattern.data[p] == text.data[t]) {
      p++;
      t++;
    } else if (star != SIZE_MAX) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.len && pattern.data[p] == '*') {
    p++;
  }
  return p == pattern.len;
}

static bool text_passes(struct run *run, const struct condition *condition, struct slice text) {
  for (size_t i = 0; condition->kind == CONDITION_IN && i < condition->count; i++) {
    if (slice_equal(condition->values[i], text)) {
      return true;
    }
  }
  if (text.len > VALUE_BYTES_MOST) {
    return false;
  }
  struct slice folded = text_fold(run->batch->arena, text, true);
  if (folded.data == NULL && folded.len > 0) {
    run->failed = ERR_MEMORY;
    return false;
  }
  for (size_t i = 0; i < condition->count; i++) {
    if (condition->kind == CONDITION_IN ? slice_equal(condition->values[i], folded)
                                        : glob_matches(condition->values[i], folded)) {
      return true;
    }
  }
  return false;
}

static bool node_passes(struct run *run, const struct condition *condition, const struct node *node) {
  struct slice text = {0};
  bool there = node_value(node, &text);
  if (condition->kind == CONDITION_PRESENT) {
    return there || (node->kind == NODE_OBJECT && node->count > 0);
  }
  return text_passes(run, condition, there ? text : slice_of(""));
}

/* `equals: ""` holds where the path finds nothing, too. */
static bool path_passes(struct run *run, const struct condition *condition, const struct node *node) {
  if (condition->path->let >= 0) {
    const struct let_value *let = &run->scratch->lets[condition->path->let];
    bool there = !let->absent && let->text.len > 0;
    return condition->kind == CONDITION_PRESENT ? there : text_passes(run, condition, there ? let->text : slice_of(""));
  }
  bool several = false;
  const struct node *first = path_first(run, condition->path, node, &several);
  if (first == NULL) {
    return condition->kind != CONDITION_PRESENT && text_passes(run, condition, slice_of(""));
  }
  if (!several) {
    return node_passes(run, condition, first);
  }
  size_t before = run->scratch->node_count;
  bool passes = false;
  if (path_all(run, condition->path, node)) {
    for (size_t i = before; !passes && i < run->scratch->node_count; i++) {
      passes = node_passes(run, condition, run->scratch->nodes[i]);
    }
  }
  run->scratch->node_count = before;
  return passes;
}

bool condition_holds(struct run *run, const struct condition *condition, const struct node *node) {
  switch (condition->kind) {
  case CONDITION_ALL:
  case CONDITION_ANY:
    for (size_t i = 0; i < condition->count; i++) {
      if (condition_holds(run, condition->parts[i], node) != (condition->kind == CONDITION_ALL)) {
        return condition->kind == CONDITION_ANY;
      }
    }
    return condition->kind == CONDITION_ALL;
  case CONDITION_NOT:
    return condition->count > 0 && !condition_holds(run, condition->parts[0], node);
  case CONDITION_PRESENT:
    return path_passes(run, condition, node) == condition->wanted;
  case CONDITION_IN:
  case CONDITION_MATCHES:
    break;
  }
  return path_passes(run, condition, node);
}
