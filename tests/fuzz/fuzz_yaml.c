/* The tree of a YAML file: every node stands somewhere, and the same bytes give the same tree. */
#include "core/base/yaml.h"
#include "tests/fuzz/fuzz.h"

static size_t count(const struct yaml *node, int depth) {
  size_t nodes = 1;
  promise(node->line > 0 && node->column > 0 && node->file != NULL, "a node has a place");
  promise(node->kind != YAML_SCALAR || node->text != NULL, "a scalar has text");
  promise(depth <= 64, "a tree has a depth");
  for (size_t i = 0; i < node->count; i++) {
    promise((node->children[i].key != NULL) == (node->kind == YAML_MAP), "entries of maps alone have keys");
    if (node->kind == YAML_MAP) {
      promise(yaml_get(node, node->children[i].key) == &node->children[i], "an entry is found by its key");
    }
    nodes += count(&node->children[i], depth + 1);
  }
  return nodes;
}

static void read_values(const struct yaml *map, struct arena *arena) {
  struct error error = {.code = OK};
  for (size_t i = 0; map->kind == YAML_MAP && i < map->count; i++) {
    const char *key = map->children[i].key, **items = NULL;
    size_t length = 0;
    bool yes = false;
    int64_t number = 0;
    enum status status = yaml_bool(map, key, &yes, &error);
    promise(status == OK || status == ERR_CONFIG, "a value is yes, no, or refused");
    status = yaml_int(map, key, -5, 500, &number, &error);
    promise(status == OK ? number >= -5 && number <= 500 : status == ERR_CONFIG, "a number is within its bounds");
    status = yaml_texts(map, key, arena, &items, &length, &error);
    promise(status == OK || status == ERR_CONFIG, "a list of texts, or refused");
    read_values(&map->children[i], arena);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct slice text = slice_make((const char *)data, size);
  struct arena *arena = fuzz_arena();
  struct error error = {.code = OK};
  struct yaml *root = NULL, *again = NULL;
  enum status status = yaml_parse("fuzz.yaml", text, arena, &root, &error);
  if (status != OK) {
    promise_error(status, &error);
    return 0;
  }
  size_t nodes = count(root, 0);
  promise(yaml_parse("fuzz.yaml", text, arena, &again, &error) == OK && count(again, 0) == nodes, "the same tree");
  read_values(root, arena);
  return 0;
}
