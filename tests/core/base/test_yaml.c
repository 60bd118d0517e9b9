#include "core/base/yaml.h"
#include "tests/support/temp.h"

#include "core/base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

static struct arena *arena;

static int open_arena(void **state) {
  (void)state;
  arena = arena_new(0);
  return arena == NULL;
}

static int close_arena(void **state) {
  (void)state;
  arena_free(arena);
  return 0;
}

static struct yaml *parse(const char *text) {
  struct yaml *root = NULL;
  struct error error;
  if (yaml_parse("a.yaml", slice_of(text), arena, &root, &error) != OK) {
    fail_msg("%s at %s", error.message, error.place);
  }
  return root;
}

static void trees_remember_places(void **state) {
  (void)state;
  const struct yaml *root = parse("# comment\nname: Ñandú\nlist:\n  - one\n  - {k: \"no\"}\nempty:\n");
  assert_int_equal(root->kind, YAML_MAP);
  assert_int_equal(root->count, 3);
  assert_string_equal(yaml_text(root, "name", NULL), "Ñandú");
  const struct yaml *list = yaml_get(root, "list");
  assert_int_equal(list->kind, YAML_LIST);
  assert_string_equal(list->children[0].text, "one");
  assert_int_equal(list->children[0].line, 4);
  assert_int_equal(list->children[0].column, 5);
  assert_null(list->children[0].key);
  const struct yaml *quoted = yaml_get(&list->children[1], "k");
  assert_true(quoted->quoted);
  assert_int_equal(quoted->key_line, 5);
  assert_int_equal(quoted->key_column, 6);
  assert_string_equal(yaml_text(root, "empty", "x"), "");
  assert_string_equal(yaml_text(root, "absent", "x"), "x");
  assert_string_equal(yaml_text(root, "list", "x"), "x");
  assert_null(yaml_get(NULL, "x"));
}

static void empty_files_are_empty_maps(void **state) {
  (void)state;
  static const char *const texts[] = {"", "# nothing\n", "---\n", "\n\n"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    const struct yaml *root = parse(texts[i]);
    assert_int_equal(root->kind, YAML_MAP);
    assert_int_equal(root->count, 0);
  }
}

static void mistakes_have_a_place(void **state) {
  (void)state;
  static const struct {
    const char *text, *message, *place, *hint;
  } cases[] = {
      {"a: 1\nb: 2\na: 3\n", "the key 'a' stands twice in one map", "a.yaml:3:1", "it was first given in line 1"},
      {"a: &x 1\n", "anchors (&name) are not allowed here", "a.yaml:1:4", ""},
      {"a: [*x]\n", "aliases (*name) are not allowed here", "a.yaml:1:5", ""},
      {"a: !!str 1\n", "tags (!name) are not allowed here", "a.yaml:1:4", ""},
      {"? [a, b]\n: 1\n", "a key has to be a word", "a.yaml:1:3", ""},
      {"a: 1\n---\nb: 2\n", "a second document is not allowed in one file", "a.yaml:3:1", ""},
      {"a: \"x\\0y\"\n", "a zero character is not allowed here", "a.yaml:1:4", ""},
      {"a: b: c\n", "not YAML: mapping values are not allowed in this context", "a.yaml:1:5",
       "look for a tab, a missing space after a colon, or a quote that does not close"},
      {"a: [1, 2\n", "not YAML: did not find expected ',' or ']'", "a.yaml:2:1", ""},
      {"a: \xFF\n", "not YAML: invalid leading UTF-8 octet", "a.yaml, byte 3", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct yaml *root;
    struct error error;
    assert_int_equal(yaml_parse("a.yaml", slice_of(cases[i].text), arena, &root, &error), ERR_CONFIG);
    assert_null(root);
    assert_string_equal(error.message, cases[i].message);
    assert_string_equal(error.place, cases[i].place);
    assert_string_equal(error.hint, cases[i].hint);
  }
}

static void depth_is_bounded(void **state) {
  (void)state;
  char text[200];
  struct yaml *root;
  struct error error;
  memset(text, '[', sizeof text);
  assert_int_equal(yaml_parse("a.yaml", slice_make(text, sizeof text), arena, &root, &error), ERR_CONFIG);
  assert_string_equal(error.message, "maps and lists are nested too deeply");
}

static void duplicates_are_found_in_large_maps(void **state) {
  (void)state;
  struct buffer text;
  struct yaml *root;
  struct error error;
  buffer_init(&text, 1 << 20);
  for (int i = 0; i < 3000; i++) {
    buffer_printf(&text, "k%d: x\n", i);
  }
  assert_int_equal(yaml_parse("a.yaml", buffer_view(&text), arena, &root, &error), OK);
  buffer_text(&text, "k1234: y\n");
  assert_int_equal(yaml_parse("a.yaml", buffer_view(&text), arena, &root, &error), ERR_CONFIG);
  assert_string_equal(error.message, "the key 'k1234' stands twice in one map");
  assert_string_equal(error.place, "a.yaml:3001:1");
  buffer_free(&text);
}

static void readers_check_types(void **state) {
  (void)state;
  struct error error;
  const struct yaml *root = parse("yes_word: yes\ntext: \"yes\"\nnumber: 12\nfar: 1000\nlist: []\n");
  bool flag = false;
  int64_t number = 5;
  assert_int_equal(yaml_bool(root, "yes_word", &flag, &error), OK);
  assert_true(flag);
  assert_int_equal(yaml_bool(root, "absent", &flag, &error), OK);
  assert_true(flag);
  assert_int_equal(yaml_bool(root, "text", &flag, &error), ERR_CONFIG);
  assert_string_equal(error.message, "'text' has to be true or false");
  assert_string_equal(error.place, "a.yaml:2:7");
  assert_int_equal(yaml_int(root, "number", 0, 100, &number, &error), OK);
  assert_int_equal(number, 12);
  assert_int_equal(yaml_int(root, "far", 0, 100, &number, &error), ERR_CONFIG);
  assert_string_equal(error.message, "'far' has to be a whole number from 0 to 100");
  assert_int_equal(yaml_int(root, "list", 0, 100, &number, &error), ERR_CONFIG);
  assert_int_equal(number, 12);
}

static void unknown_keys_have_a_hint(void **state) {
  (void)state;
  static const char *const known[] = {"source", "format", "record", NULL};
  struct error error;
  const struct yaml *root = parse("source: x\nfromat: y\n");
  assert_int_equal(yaml_check_keys(root, known, &error), ERR_CONFIG);
  assert_string_equal(error.message, "unknown key 'fromat'");
  assert_string_equal(error.place, "a.yaml:2:1");
  assert_string_equal(error.hint, "did you mean 'format'?");
  assert_int_equal(yaml_check_keys(parse("record: 1"), known, &error), OK);
  assert_int_equal(yaml_check_keys(parse("- 1"), known, &error), ERR_CONFIG);
  assert_string_equal(error.message, "a map (key: value) was expected");
}

static void files_are_loaded(void **state) {
  (void)state;
  char *folder = temp_make();
  char path[512];
  struct yaml *root;
  struct error error;
  snprintf(path, sizeof path, "%s/x.yaml", folder);
  assert_int_equal(yaml_load(path, arena, &root, &error), ERR_CONFIG);
  assert_string_equal(error.message, "cannot open the file: No such file or directory");
  assert_string_equal(error.place, path);
  assert_int_equal(file_write(path, slice_of("a: 1\n"), 0600, &error), OK);
  assert_int_equal(yaml_load(path, arena, &root, &error), OK);
  assert_string_equal(root->children[0].file, path);
  temp_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(trees_remember_places),
      cmocka_unit_test(empty_files_are_empty_maps),
      cmocka_unit_test(mistakes_have_a_place),
      cmocka_unit_test(depth_is_bounded),
      cmocka_unit_test(duplicates_are_found_in_large_maps),
      cmocka_unit_test(readers_check_types),
      cmocka_unit_test(unknown_keys_have_a_hint),
      cmocka_unit_test(files_are_loaded),
  };
  return cmocka_run_group_tests(tests, open_arena, close_arena);
}
