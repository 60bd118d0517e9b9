#include "core/base/node.h"

const struct node *node_child(const struct node *node, struct slice name, uint32_t *hint) {
  if (*hint < node->count && slice_equal(node->children[*hint].name, name)) {
    /* Of members that repeat a name the first one counts, whatever the hint says. */
    if (*hint == 0 || !slice_equal(node->children[*hint - 1].name, name)) {
      return &node->children[*hint];
    }
  }
  for (uint32_t i = 0; i < node->count; i++) {
    if (slice_equal(node->children[i].name, name)) {
      *hint = i;
      return &node->children[i];
    }
  }
  return NULL;
}

static const struct node *list_item(const struct node *list, struct slice position) {
  size_t index = 0;
  for (size_t i = 0; i < position.len; i++) {
    if (position.data[i] < '0' || position.data[i] > '9' || index > UINT32_MAX) {
      return NULL;
    }
    index = index * 10 + (size_t)(position.data[i] - '0');
  }
  return position.len > 0 && index < list->count ? &list->children[index] : NULL;
}

const struct node *node_at(const struct node *root, const char *path) {
  const struct node *node = root;
  while (node != NULL && *path != '\0') {
    size_t length = strcspn(path, "./");
    struct slice step = slice_make(path, length);
    uint32_t hint = 0;
    if (length > 0) {
      node = node->kind == NODE_LIST ? list_item(node, step) : node_child(node, step, &hint);
    }
    path += length;
    path += *path != '\0';
  }
  return node;
}
