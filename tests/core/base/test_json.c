/* The JSON reader against jansson, over fixed cases, generated texts, and mutations of them. */
#include "core/base/buffer.h"
#include "core/base/node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

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

/* The last member of that name, as jansson keeps it; our readers take the first, so texts with repeated names are
 * compared by the last here. */
static const struct node *last_child(const struct node *node, const char *name, size_t length) {
  for (uint32_t i = node->count; i-- > 0;) {
    if (slice_equal(node->children[i].name, slice_make(name, length))) {
      return &node->children[i];
    }
  }
  return NULL;
}

static size_t distinct_names(const struct node *node) {
  size_t count = 0;
  for (uint32_t i = 0; i < node->count; i++) {
    count += last_child(node, node->children[i].name.data, node->children[i].name.len) == &node->children[i];
  }
  return count;
}

static bool same(const struct node *node, json_t *value);

static bool same_object(const struct node *node, json_t *value) {
  const char *key;
  size_t length;
  json_t *child;
  if (node->kind != NODE_OBJECT || distinct_names(node) != json_object_size(value)) {
    return false;
  }
  json_object_keylen_foreach(value, key, length, child) {
    const struct node *found = last_child(node, key, length);
    if (found == NULL || found->parent != node || !same(found, child)) {
      return false;
    }
  }
  return true;
}

static bool same_list(const struct node *node, json_t *value) {
  if (node->kind != NODE_LIST || node->count != json_array_size(value)) {
    return false;
  }
  for (uint32_t i = 0; i < node->count; i++) {
    if (node->children[i].parent != node || !same(&node->children[i], json_array_get(value, i))) {
      return false;
    }
  }
  return true;
}

static bool same_number(const struct node *node, json_t *value) {
  char text[512];
  if (node->kind != NODE_NUMBER || node->text.len >= sizeof text) {
    return false;
  }
  memcpy(text, node->text.data, node->text.len);
  text[node->text.len] = '\0';
  return strtod(text, NULL) == json_real_value(value);
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

/* Both readers agree on text: refused by both, or the same tree. */
static void compare(struct slice text) {
  struct node *root = NULL;
  struct error error = {0};
  json_error_t theirs;
  arena_reset(arena);
  /* An own allocation of the exact size, so that a read past the end is caught. */
  char *exact = malloc(text.len == 0 ? 1 : text.len);
  assert_non_null(exact);
  if (text.len > 0) {
    memcpy(exact, text.data, text.len);
  }
  json_t *value = json_loadb(exact, text.len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &theirs);
  enum status status = json_read(slice_make(exact, text.len), arena, &root, &error);
  /* A number past the range of a double is refused by jansson only: here it stays as written. */
  bool overflow = value == NULL && json_error_code(&theirs) == json_error_numeric_overflow;
  if (!overflow && ((status == OK) != (value != NULL) || (value != NULL && !same(root, value)))) {
    fail_msg("readers differ on: %.*s\n  here: %s (%s)\n  jansson: %s", SLICE_ARG(text), error.message, error.place,
             value == NULL ? theirs.text : "read");
  }
  json_decref(value);
  free(exact);
}

static const char *const fixed_texts[] = {
    "",
    " ",
    "null",
    "nul",
    "true ",
    "falsey",
    "0",
    "-0",
    "-",
    "01",
    "1.",
    ".5",
    "1.5e",
    "1e+",
    "1E-7",
    "123456789012345678901234567890",
    "\"\"",
    "\"a",
    "\"\\",
    "\"\\\"",
    "\"\\u00d1\\n\\/\\b\\f\\r\\t\\\\\"",
    "\"\\u0000\"",
    "\"\\u12\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "\"\\ude00\"",
    "\"\\ud83d\\u0041\"",
    "\"\\x\"",
    "\"tab\there\"",
    "\"\xC3\x91\"",
    "\"\xC3\"",
    "\"\xED\xA0\x80\"",
    "\"\\\xC3\x91\"",
    "[]",
    "[",
    "[1,]",
    "[1 2]",
    "[,1]",
    "[1,2,[3,[4]]]",
    "{}",
    "{",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{a:1}",
    "{\"a\":1}}",
    "{\"a\":1} x",
    "{\"a\":1,\"b\":{\"c\":[{},{\"d\":null}]}}",
    "{\"a\":1,\"a\":2}",
    "{\"\":1}",
    "{\"\\u0061\":1}",
    "\t\r\n [ 1 , 2 ] \n",
    "\v1",
    "/* */ 1",
    "'a'",
    "[1]\xC2\xA0",
};

static void fixed_texts_agree(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof fixed_texts / sizeof fixed_texts[0]; i++) {
    compare(slice_of(fixed_texts[i]));
  }
}

static uint64_t random_state = 88172645463325252U;

static uint32_t draw(uint32_t bound) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)(random_state >> 33) % bound;
}

static void generate(struct buffer *out, int depth);

static void generate_string(struct buffer *out) {
  static const char *const parts[] = {"a",        "Quispe", "\\\"", "\\\\", "\\n", "\\u00d1",      "\\ud83d\\ude00",
                                      "\xC3\x91", " ",      "\\/",  "0",    "x",   "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
  buffer_char(out, '"');
  for (uint32_t i = draw(6); i > 0; i--) {
    buffer_text(out, parts[draw(sizeof parts / sizeof parts[0])]);
  }
  buffer_char(out, '"');
}

static void generate_container(struct buffer *out, int depth, bool object) {
  uint32_t count = draw(depth > 3 ? 3 : 9);
  buffer_char(out, object ? '{' : '[');
  for (uint32_t i = 0; i < count; i++) {
    buffer_text(out, i > 0 ? draw(2) ? "," : " ,\n" : "");
    if (object) {
      generate_string(out);
      buffer_text(out, draw(2) ? ":" : " : ");
    }
    generate(out, depth + 1);
  }
  buffer_char(out, object ? '}' : ']');
}

static void generate(struct buffer *out, int depth) {
  static const char *const scalars[] = {"null", "true", "false", "0", "-1", "3.25", "1e3", "-0.5E-2", "12345678"};
  uint32_t kind = draw(depth > 5 ? 2 : 5);
  if (kind == 0) {
    buffer_text(out, scalars[draw(sizeof scalars / sizeof scalars[0])]);
  } else if (kind == 1) {
    generate_string(out);
  } else {
    generate_container(out, depth, kind != 2);
  }
}

static void mutate(struct buffer *text) {
  static const char bytes[] = "{}[]\",:\\u0e-.tn \x01\x80\xC3\xFF";
  if (text->len == 0) {
    return;
  }
  uint32_t at = draw((uint32_t)text->len);
  switch (draw(3)) {
  case 0:
    text->data[at] = bytes[draw(sizeof bytes - 1)]; /* no zero byte: jansson loses one that follows a number */
    break;
  case 1:
    memmove(text->data + at, text->data + at + 1, text->len - at - 1);
    text->len--;
    break;
  default:
    text->len = at;
  }
}

static void generated_and_mutated_texts_agree(void **state) {
  (void)state;
  struct buffer text;
  buffer_init(&text, 1 << 20);
  for (int i = 0; i < 4000; i++) {
    buffer_reset(&text);
    generate(&text, 0);
    assert_int_equal(text.failed, OK);
    compare(buffer_view(&text));
    for (uint32_t changes = 1 + draw(3); changes > 0; changes--) {
      mutate(&text);
      compare(buffer_view(&text));
    }
  }
  buffer_free(&text);
}

static void wide_objects_grow_past_the_stack(void **state) {
  (void)state;
  struct buffer text;
  buffer_init(&text, 1 << 20);
  buffer_char(&text, '[');
  for (int i = 0; i < 1000; i++) {
    buffer_printf(&text, "%s{\"k%d\":[%d,{\"x\":%d}]}", i > 0 ? "," : "", i, i, i);
  }
  buffer_char(&text, ']');
  compare(buffer_view(&text));
  buffer_free(&text);
}

static void nodes_know_their_bytes(void **state) {
  (void)state;
  struct node *root;
  struct error error;
  const char *text = " {\"a\": [10, \"b\\n\"], \"c\" : {} }";
  assert_int_equal(json_read(slice_of(text), arena, &root, &error), OK);
  static const struct {
    const char *path, *bytes;
  } cases[] = {{"", "{\"a\": [10, \"b\\n\"], \"c\" : {} }"},
               {"a", "[10, \"b\\n\"]"},
               {"a.0", "10"},
               {"/a/1", "\"b\\n\""},
               {"c", "{}"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const struct node *node = node_at(root, cases[i].path);
    assert_non_null(node);
    assert_true(slice_is(slice_make(text + node->begin, node->end - node->begin), cases[i].bytes));
  }
  assert_null(node_at(root, "a.2"));
  assert_null(node_at(root, "a.x"));
  assert_null(node_at(root, "b"));
  assert_null(node_at(root, "a.0.z"));
}

static void children_are_found_by_hint(void **state) {
  (void)state;
  struct node *root;
  struct error error;
  uint32_t hint = 0;
  assert_int_equal(json_read(slice_of("{\"a\":1,\"b\":2,\"b\":3}"), arena, &root, &error), OK);
  assert_true(slice_is(node_child(root, slice_of("b"), &hint)->text, "2"));
  assert_int_equal(hint, 1);
  assert_true(slice_is(node_child(root, slice_of("b"), &hint)->text, "2"));
  hint = 2;
  assert_true(slice_is(node_child(root, slice_of("b"), &hint)->text, "2"));
  hint = 99;
  assert_true(slice_is(node_child(root, slice_of("a"), &hint)->text, "1"));
  assert_null(node_child(root, slice_of("z"), &hint));
}

static void mistakes_say_where(void **state) {
  (void)state;
  static const struct {
    const char *text, *message, *place;
  } cases[] = {
      {"{\"a\":1,}", "not JSON: a member name was expected", "byte 7"},
      {"[1 2]", "not JSON: a comma or a closing bracket was expected", "byte 3"},
      {"<html>", "not JSON: a value was expected", "byte 0"},
      {"{\"a\":\"x", "not JSON: the text ends inside a string", "byte 7"},
      {"{} x", "not JSON: more text after the value", "byte 3"},
      {"[\"\\ud800\"]", "not JSON: an escape that is none, a zero character, or half of a surrogate pair", "byte 2"},
      {"[\"\x80\"]", "not JSON: a string that is not UTF-8", "byte 3"},
      {"", "not JSON: the text ends where a value was expected", "byte 0"},
      {"{\"a\" 1}", "not JSON: a colon was expected", "byte 5"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct node *root;
    struct error error;
    assert_int_equal(json_read(slice_of(cases[i].text), arena, &root, &error), ERR_INPUT);
    assert_null(root);
    assert_string_equal(error.message, cases[i].message);
    assert_string_equal(error.place, cases[i].place);
  }
}

static void depth_is_bounded(void **state) {
  (void)state;
  char text[300];
  struct node *root;
  struct error error;
  memset(text, '[', 128);
  memset(text + 128, ']', 128);
  assert_int_equal(json_read(slice_make(text, 256), arena, &root, &error), OK);
  memset(text, '[', 200);
  assert_int_equal(json_read(slice_make(text, 200), arena, &root, &error), ERR_LIMIT);
  assert_string_equal(error.message, "JSON is nested deeper than 128 levels");
  assert_string_equal(error.place, "byte 128");
}

static void a_byte_order_mark_is_passed_over(void **state) {
  (void)state;
  struct node *root;
  struct error error;
  assert_int_equal(json_read(slice_of("\xEF\xBB\xBF[1]"), arena, &root, &error), OK);
  assert_int_equal(root->begin, 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fixed_texts_agree),
      cmocka_unit_test(generated_and_mutated_texts_agree),
      cmocka_unit_test(wide_objects_grow_past_the_stack),
      cmocka_unit_test(nodes_know_their_bytes),
      cmocka_unit_test(children_are_found_by_hint),
      cmocka_unit_test(mistakes_say_where),
      cmocka_unit_test(depth_is_bounded),
      cmocka_unit_test(a_byte_order_mark_is_passed_over),
  };
  return cmocka_run_group_tests(tests, open_arena, close_arena);
}
