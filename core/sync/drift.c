#include "core/sync/drift_tree.h"

#include "core/base/text.h"

enum { FIELDS_MOST = 4000, DEPTH_MOST = 24, NAME_MOST = 128, DIGITS_MOST = 5, FIRST_RECORDS = 8, SAMPLE = 32 };
enum { DRIFT_MEMORY = 8 << 20 };

/* ---- the tree ---- */

/* A member's name that holds a long number or an '@' inside is a key of a map, perhaps a person's. */
static struct slice name_kept(const struct drift_watch *watch, struct slice name) {
  size_t digits = 0;
  if (watch->flat) {
    return name;
  }
  if (name.len > NAME_MOST) {
    return slice_of("*");
  }
  for (size_t i = 0; i < name.len; i++) {
    digits = name.data[i] >= '0' && name.data[i] <= '9' ? digits + 1 : 0;
    if (digits > DIGITS_MOST || name.data[i] == '/' || (name.data[i] == '@' && i > 0)) {
      return slice_of("*");
    }
  }
  return name;
}

struct seen *drift_child(struct drift_watch *watch, struct seen *parent, struct slice name, struct seen *hint) {
  if (hint != NULL && slice_equal(hint->name, name)) {
    return hint;
  }
  for (struct seen *child = parent->children; child != NULL; child = child->next) {
    if (slice_equal(child->name, name)) {
      return child;
    }
  }
  struct slice kept = name_kept(watch, name);
  if (kept.data != name.data) {
    return drift_child(watch, parent, kept, NULL);
  }
  if (watch->count == FIELDS_MOST) {
    return NULL;
  }
  struct seen *made = arena_array(watch->arena, 1, sizeof *made);
  if (made == NULL) {
    return NULL;
  }
  *made = (struct seen){.name = arena_copy(watch->arena, name), .parent = parent};
  if (made->name.data == NULL && name.len > 0) {
    return NULL;
  }
  if (parent->last == NULL) {
    parent->children = made;
  } else {
    parent->last->next = made;
  }
  parent->last = made;
  watch->count++;
  return made;
}

struct seen *drift_at(struct drift_watch *watch, struct slice path) {
  struct seen *at = &watch->root;
  if (watch->flat) {
    return drift_child(watch, at, path, NULL);
  }
  while (at != NULL && path.len > 0) {
    const char *end = memchr(path.data, '/', path.len);
    size_t len = end == NULL ? path.len : (size_t)(end - path.data);
    at = drift_child(watch, at, slice_make(path.data, len), NULL);
    path = end == NULL ? slice_make(NULL, 0) : slice_make(end + 1, path.len - len - 1);
  }
  return at;
}

struct slice drift_path(struct drift_watch *watch, const struct seen *field) {
  size_t len = 0;
  for (const struct seen *at = field; at->parent != NULL; at = at->parent) {
    len += at->name.len + 1;
  }
  char *text = len == 0 ? NULL : arena_bytes(watch->arena, len);
  if (text == NULL) {
    return slice_make(NULL, 0);
  }
  char *end = text + len;
  for (const struct seen *at = field; at->parent != NULL; at = at->parent) {
    if (at != field) {
      *--end = '/';
    }
    end -= at->name.len;
    memcpy(end, at->name.data, at->name.len);
  }
  return slice_make(end, (size_t)(text + len - end));
}

/* Without recursion: its depth is the source's. */
const struct seen *drift_following(const struct seen *root, const struct seen *at) {
  if (at->children != NULL) {
    return at->children;
  }
  while (at != root && at->next == NULL) {
    at = at->parent;
  }
  return at == root ? NULL : at->next;
}

/* What the mapping reads is known before anything came. */
static void take_paths(struct drift_watch *watch, const struct plan *plan) {
  for (const char *const *path = plan_paths(plan); *path != NULL; path++) {
    for (struct seen *at = drift_at(watch, slice_of(*path)); at != NULL; at = at->parent) {
      at->mapped = true;
    }
  }
}

enum status drift_watch_new(const struct plan *plan, struct drift_watch **watch, struct error *error) {
  struct arena *arena = arena_new(DRIFT_MEMORY);
  struct drift_watch *made = arena == NULL ? NULL : arena_array(arena, 1, sizeof *made);
  if (made == NULL) {
    arena_free(arena);
    return error_memory(error);
  }
  const char *format = plan_format(plan)->name;
  *made = (struct drift_watch){.arena = arena, .flat = strcmp(format, "csv") == 0 || strcmp(format, "row") == 0};
  take_paths(made, plan);
  *watch = made;
  return OK;
}

void drift_watch_free(struct drift_watch *watch) {
  if (watch != NULL) {
    arena_free(watch->arena);
  }
}

/* ---- looking ---- */

/* An empty text tells no kind, as null does; an XML element of attributes alone is a text that is not there. */
static int kind_of(const struct node *node) {
  switch (node->kind) {
  case NODE_TEXT:
    return node->text.len == 0 ? KIND_NULL : KIND_TEXT;
  case NODE_NUMBER:
    return KIND_NUMBER;
  case NODE_TRUE:
  case NODE_FALSE:
    return KIND_BOOLEAN;
  case NODE_LIST:
    return KIND_LIST;
  case NODE_OBJECT:
    for (uint32_t i = 0; i < node->count; i++) {
      if (node->children[i].name.len == 0 || node->children[i].name.data[0] != '@') {
        return KIND_OBJECT;
      }
    }
    return node->text.len > 0 ? KIND_TEXT : KIND_NULL;
  default:
    return KIND_NULL;
  }
}

static void look(struct drift_watch *watch, struct seen *field, const struct node *node, int depth);

static void look_members(struct drift_watch *watch, struct seen *object, const struct node *node, int depth) {
  uint64_t stamp = ++watch->stamp;
  struct seen *hint = object->children;
  object->instances++;
  for (uint32_t i = 0; i < node->count; i++) {
    struct seen *child = drift_child(watch, object, node->children[i].name, hint);
    if (child == NULL) {
      continue;
    }
    hint = child->next;
    if (child->stamp != stamp) {
      child->stamp = stamp;
      child->had++;
    }
    look(watch, child, &node->children[i], depth + 1);
  }
}

static void look(struct drift_watch *watch, struct seen *field, const struct node *node, int depth) {
  field->kinds |= kind_of(node);
  if (depth == DEPTH_MOST) {
    return;
  }
  if (node->kind == NODE_OBJECT) {
    look_members(watch, field, node, depth);
  } else if (node->kind == NODE_LIST) {
    for (uint32_t i = 0; i < node->count; i++) {
      look(watch, field, &node->children[i], depth + 1);
    }
  }
}

void drift_document(struct drift_watch *watch) {
  if (watch == NULL) {
    return;
  }
  watch->records = 0;
}

void drift_look(struct drift_watch *watch, const struct node *record) {
  int64_t number = watch->records++;
  if (number < FIRST_RECORDS || number % SAMPLE == 0) {
    look(watch, &watch->root, record, 0);
  }
}

enum status drift_columns(struct drift_watch *watch, struct slice context, struct error *error) {
  struct node *root = NULL;
  if (watch == NULL || !watch->flat || context.len == 0) {
    return OK;
  }
  struct slice copy = arena_copy(watch->arena, context); /* names borrow from it */
  enum status status = copy.data == NULL ? error_memory(error) : json_read(copy, watch->arena, &root, error);
  const struct node *columns = status == OK ? node_at(root, "columns") : NULL;
  if (columns == NULL || columns->kind != NODE_LIST) {
    return status;
  }
  watch->root.instances++;
  for (uint32_t i = 0; i < columns->count; i++) {
    struct seen *column = drift_child(watch, &watch->root, columns->children[i].text, NULL);
    if (column != NULL) {
      column->had++;
    }
  }
  return OK;
}

/* ---- a pass in several runs ---- */

void drift_note(const struct drift_watch *watch, struct buffer *out) {
  const struct seen *root = &watch->root;
  buffer_char(out, '[');
  for (const struct seen *field = root; field != NULL; field = drift_following(root, field)) {
    int depth = 0;
    for (const struct seen *at = field; at->parent != NULL; at = at->parent) {
      depth++;
    }
    buffer_printf(out, "%s[%d,", field == root ? "" : ",", depth);
    buffer_json(out, field->name);
    buffer_printf(out, ",%lld,%lld,%d]", (long long)field->instances, (long long)field->had, field->kinds);
  }
  buffer_char(out, ']');
}

static int64_t number_at(const struct node *list, uint32_t position) {
  int64_t number = 0;
  bool read =
      list->kind == NODE_LIST && list->count > position && text_to_int64(list->children[position].text, &number);
  return read ? number : -1;
}

enum status drift_recall(struct drift_watch *watch, struct slice note, struct error *error) {
  struct node *root = NULL;
  struct seen *above[DEPTH_MOST + 2] = {NULL};        /* the last one of each depth */
  struct slice copy = arena_copy(watch->arena, note); /* names borrow from it */
  enum status status = copy.data == NULL ? error_memory(error) : json_read(copy, watch->arena, &root, error);
  for (uint32_t i = 0; status == OK && root->kind == NODE_LIST && i < root->count; i++) {
    const struct node *row = &root->children[i];
    int64_t depth = number_at(row, 0), instances = number_at(row, 2), had = number_at(row, 3),
            kinds = number_at(row, 4);
    if (depth < 0 || depth > DEPTH_MOST + 1 || instances < 0 || had < 0 || kinds < 0
        || (depth > 0 && above[depth - 1] == NULL)) {
      continue;
    }
    struct seen *field = depth == 0 ? &watch->root : drift_child(watch, above[depth - 1], row->children[1].text, NULL);
    above[depth] = field;
    if (field != NULL) {
      field->instances += instances;
      field->had += had;
      field->kinds |= (int)kinds;
    }
  }
  return status;
}
