/* Our reader of JSON against jansson: both refuse a text, or both read the same. */
#include "core/base/node.h"
#include "tests/fuzz/fuzz.h"

#include <jansson.h>
#include <stdlib.h>

/* The last member of that name, as jansson keeps it. */
static const struct node *last_child(const struct node *node, struct slice name) {
  for (uint32_t i = node->count; i-- > 0;) {
    if (slice_equal(node->children[i].name, name)) {
      return &node->children[i];
    }
  }
  return NULL;
}

static bool same(const struct node *node, json_t *value);

static bool same_object(const struct node *node, json_t *value) {
  const char *key;
  size_t length, distinct = 0;
  json_t *child;
  if (node->kind != NODE_OBJECT) {
    return false;
  }
  for (uint32_t i = 0; i < node->count; i++) {
    distinct += last_child(node, node->children[i].name) == &node->children[i];
  }
  json_object_keylen_foreach(value, key, length, child) {
    const struct node *found = last_child(node, slice_make(key, length));
    if (found == NULL || found->parent != node || !same(found, child)) {
      return false;
    }
  }
  return distinct == json_object_size(value);
}

static bool same_list(const struct node *node, json_t *value) {
  bool equal = node->kind == NODE_LIST && node->count == json_array_size(value);
  for (uint32_t i = 0; equal && i < node->count; i++) {
    equal = node->children[i].parent == node && same(&node->children[i], json_array_get(value, i));
  }
  return equal;
}

static bool same_number(const struct node *node, json_t *value) {
  char *text = strndup(node->text.data, node->text.len);
  bool equal = node->kind == NODE_NUMBER && text != NULL && strtod(text, NULL) == json_real_value(value);
  free(text);
  return equal;
}

static bool same(const struct node *node, json_t *value) {
  switch (json_typeof(value)) {
  case JSON_OBJECT:
    return same_object(node, value);
  case JSON_ARRAY:
    return same_list(node, value);
  case JSON_STRING:
    return node->kind == NODE_TEXT
           && slice_equal(node->text, slice_make(json_string_value(value), json_string_length(value)));
  case JSON_INTEGER:
  case JSON_REAL:
    return same_number(node, value);
  case JSON_TRUE:
    return node->kind == NODE_TRUE;
  case JSON_FALSE:
    return node->kind == NODE_FALSE;
  default:
    return node->kind == NODE_NULL;
  }
}

/* Arrays and objects within each other, as the reader counts them: jansson allows more. */
static bool is_deep(struct slice text) {
  int depth = 0, deepest = 0;
  for (size_t i = 0; i < text.len; i++) {
    depth += text.data[i] == '[' || text.data[i] == '{';
    depth -= text.data[i] == ']' || text.data[i] == '}';
    deepest = depth > deepest ? depth : deepest;
  }
  return deepest >= 128;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct slice text = slice_make((const char *)data, size);
  bool marked = size >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0; /* a byte order mark is read over here */
  struct node *root = NULL;
  struct error error = {.code = OK};
  json_error_t theirs;
  json_t *value =
      json_loadb(text.data + 3 * marked, size - 3 * marked, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &theirs);
  enum status status = json_read(text, fuzz_arena(), &root, &error);
  if (status != OK) {
    promise_error(status, &error);
  }
  /* A number past the range of a double is refused by jansson only: here it stays as written. A zero byte outside of a
   * string is read over by jansson only. */
  bool overflow = value == NULL && json_error_code(&theirs) == json_error_numeric_overflow;
  bool zero = status != OK && size > 0 && memchr(data, '\0', size) != NULL;
  if (!overflow && !zero && !is_deep(text)) {
    promise((status == OK) == (value != NULL), "both read it or both refuse it");
    promise(value == NULL || same(root, value), "both read the same");
  }
  json_decref(value);
  return 0;
}
