/* Standardising: names, sounds, short forms and values as cases of text; and input that nobody would write. */
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/link/diminutives.h"
#include "core/link/standard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

enum { CASE_BYTES_MOST = 1 << 16, FIELDS = 3, WORDS_MOST = 16 };

static struct standard standard;
static struct error error;

static int set_up(void **state) {
  (void)state;
  return standard_init(&standard, &error) == OK ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  standard_free(&standard);
  return 0;
}

/* The next line that is neither empty nor a comment; false at the end. */
static bool next_line(struct slice *text, struct slice *line) {
  while (text->len > 0) {
    const char *end = memchr(text->data, '\n', text->len);
    size_t length = end == NULL ? text->len : (size_t)(end - text->data);
    *line = slice_make(text->data, length);
    size_t taken = length + (end != NULL);
    *text = slice_make(text->data + taken, text->len - taken);
    if (length > 0 && line->data[0] != '#') {
      return true;
    }
  }
  return false;
}

/* The text up to the next `mark`, trimmed; the rest stays in `line`. */
static struct slice take(struct slice *line, char mark) {
  const char *end = line->len == 0 ? NULL : memchr(line->data, mark, line->len);
  size_t length = end == NULL ? line->len : (size_t)(end - line->data);
  struct slice field = slice_trim(slice_make(line->data, length));
  size_t taken = length + (end != NULL);
  *line = slice_make(line->data + taken, line->len - taken);
  return field;
}

static struct slice read_cases(const char *path, struct buffer *file) {
  if (file_read(path, CASE_BYTES_MOST, file, &error) != OK) {
    fail_msg("%s", error.message);
  }
  return buffer_view(file);
}

static uint32_t token_of(struct slice text) {
  struct name name;
  assert_int_equal(standard_name(&standard, text, &name, &error), OK);
  if (name.count != 1) {
    fail_msg("\"%.*s\" has %u tokens", SLICE_ARG(text), name.count);
  }
  return name.tokens[0];
}

/* The tokens with `mark` between them. */
static size_t write_tokens(const uint32_t *tokens, uint32_t count, char mark, char *out) {
  size_t length = 0;
  for (uint32_t i = 0; i < count; i++) {
    struct slice token = standard_token(&standard, tokens[i]);
    if (i > 0) {
      out[length++] = mark;
    }
    memcpy(out + length, token.data, token.len);
    length += token.len;
  }
  return length;
}

static void check(const char *what, struct slice input, struct slice found, struct slice expected) {
  if (!slice_equal(found, expected)) {
    fail_msg("%s \"%.*s\": \"%.*s\", not \"%.*s\"", what, SLICE_ARG(input), SLICE_ARG(found), SLICE_ARG(expected));
  }
}

static void test_names(void **state) {
  struct buffer file;
  struct slice line;
  char out[NAME_TOKENS_MOST * 256];
  size_t count = 0;
  (void)state;
  struct slice text = read_cases("tests/core/link/cases/names.txt", &file);
  while (next_line(&text, &line)) {
    struct name name;
    struct slice input = take(&line, '|');
    struct slice tokens = take(&line, '|');
    struct slice written = take(&line, '|');
    assert_int_equal(standard_name(&standard, input, &name, &error), OK);
    check("name", input, slice_make(out, write_tokens(name.tokens, name.count, ' ', out)), tokens);
    if (written.len == 0) {
      assert_memory_equal(name.tokens, name.written, name.count * sizeof *name.tokens);
    } else {
      check("written", input, slice_make(out, write_tokens(name.written, name.count, '/', out)), written);
    }
    count++;
  }
  assert_true(count > 50);
  buffer_free(&file);
}

/* All words of the line have one key, or each its own. */
static void check_keys(struct slice line, size_t (*key_of)(struct slice, char *), bool apart) {
  char keys[WORDS_MOST][NAME_TOKEN_BYTES_MOST + 1];
  struct slice words[WORDS_MOST];
  size_t lengths[WORDS_MOST];
  size_t count = 0;
  line = slice_trim(line);
  for (; line.len > 0 && count < WORDS_MOST; count++) {
    words[count] = take(&line, ' ');
    lengths[count] = key_of(words[count], keys[count]);
  }
  assert_true(count >= 2);
  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j < i; j++) {
      struct slice a = slice_make(keys[i], lengths[i]);
      struct slice b = slice_make(keys[j], lengths[j]);
      if (slice_equal(a, b) == apart) {
        fail_msg("%.*s is %.*s, %.*s is %.*s", SLICE_ARG(words[i]), SLICE_ARG(a), SLICE_ARG(words[j]), SLICE_ARG(b));
      }
    }
  }
}

static void test_sounds(void **state) {
  struct buffer file;
  struct slice line;
  (void)state;
  struct slice text = read_cases("tests/core/link/cases/sounds.txt", &file);
  while (next_line(&text, &line)) {
    struct slice kind = take(&line, ':');
    bool andean = kind.data[0] == 'a';
    bool apart = slice_is(kind, "andean apart") || slice_is(kind, "spanish apart");
    check_keys(line, andean ? standard_andean : standard_sound, apart);
  }
  buffer_free(&file);
}

static void test_diminutives(void **state) {
  struct buffer file;
  struct slice line;
  (void)state;
  struct slice text = read_cases("tests/core/link/cases/diminutives.txt", &file);
  while (next_line(&text, &line)) {
    bool expected = slice_is(take(&line, ':'), "yes");
    line = slice_trim(line);
    struct slice left = take(&line, ' ');
    uint32_t a = token_of(left);
    uint32_t b = token_of(line);
    if (standard_diminutive(&standard, a, b) != expected || standard_diminutive(&standard, b, a) != expected) {
      fail_msg("%.*s, %.*s: not as expected", SLICE_ARG(left), SLICE_ARG(line));
    }
  }
  buffer_free(&file);
}

static struct slice value_of(struct slice kind, struct slice input, char room[DATE_TEXT_SIZE]) {
  struct date date;
  if (slice_is(kind, "document")) {
    return standard_document(standard.arena, input);
  }
  if (slice_is(kind, "number")) {
    return standard_number(standard.arena, input);
  }
  if (slice_is(kind, "text")) {
    return standard_text(standard.arena, input);
  }
  if (slice_is(kind, "code")) {
    return standard_code(standard.arena, input);
  }
  assert_true(slice_is(kind, "date"));
  return slice_make(room, standard_date(input, &date) ? date_format(date, room) : 0);
}

static void test_values(void **state) {
  struct buffer file;
  struct slice line;
  char room[DATE_TEXT_SIZE];
  size_t count = 0;
  (void)state;
  struct slice text = read_cases("tests/core/link/cases/values.txt", &file);
  for (; next_line(&text, &line); count++) {
    struct slice kind = take(&line, '|');
    struct slice input = take(&line, '|');
    struct slice expected = take(&line, '|');
    check("value", input, value_of(kind, input, room), expected);
  }
  assert_true(count > 50);
  buffer_free(&file);
}

static void test_pairs_of_tokens(void **state) {
  (void)state;
  uint32_t rosa = token_of(slice_of("Rosa"));
  uint32_t roza = token_of(slice_of("Roza"));
  uint32_t r = token_of(slice_of("R"));
  uint32_t huaman = token_of(slice_of("Huamán"));
  uint32_t waman = token_of(slice_of("Waman"));
  uint32_t mamani = token_of(slice_of("Mamani"));
  assert_true(standard_initial(&standard, r, rosa) && standard_initial(&standard, rosa, r));
  assert_false(standard_initial(&standard, r, r) || standard_initial(&standard, rosa, roza));
  assert_true(standard_sounds_alike(&standard, rosa, roza));
  assert_false(standard_sounds_alike(&standard, huaman, waman));
  assert_true(standard_andean_alike(&standard, huaman, waman));
  assert_false(standard_andean_alike(&standard, huaman, mamani) || standard_sounds_alike(&standard, r, r));
}

/* Bytes in no encoding, lengths without end, and text of every two bytes: bounded, and never a false name. */
static void test_bad_input(void **state) {
  struct name name, other;
  char *long_text = malloc(10000);
  (void)state;
  assert_non_null(long_text);
  memset(long_text, 'A', 10000);
  assert_int_equal(standard_name(&standard, slice_make(long_text, 10000), &name, &error), OK);
  assert_true(name.count == 0 && name.overlong);
  for (size_t i = 4; i < 10000; i += 5) {
    long_text[i] = ' ';
  }
  assert_int_equal(standard_name(&standard, slice_make(long_text, 10000), &name, &error), OK);
  assert_true(name.count == 0 && name.overlong);
  assert_int_equal(standard_name(&standard, slice_make(long_text, 1000), &name, &error), OK);
  assert_int_equal(name.count, NAME_TOKENS_MOST);
  /* "QUISPE" and a word without end is no person of whom the surname alone is known. */
  memcpy(long_text + 60, " QUISPE ", 8);
  memset(long_text, 'A', 60);
  assert_int_equal(standard_name(&standard, slice_make(long_text, 68), &name, &error), OK);
  assert_true(name.count == 0 && name.overlong);
  assert_int_equal(standard_document(standard.arena, slice_make(long_text, 10000)).len, 0);
  assert_int_equal(standard_number(standard.arena, slice_make(long_text, 10000)).len, 9999);
  for (size_t i = 0; i < NAME_TOKEN_BYTES_MOST; i++) {
    long_text[i] = "ST"[i % 2]; /* its key is a letter longer */
  }
  assert_int_equal(standard_name(&standard, slice_make(long_text, NAME_TOKEN_BYTES_MOST), &name, &error), OK);
  assert_int_equal(name.count, 1);
  assert_int_equal(map_key(standard.sounds, standard.token[name.tokens[0]].sound).len, NAME_TOKEN_BYTES_MOST + 1);
  assert_int_equal(standard_name(&standard, slice_make(long_text, NAME_TOKEN_BYTES_MOST + 1), &name, &error), OK);
  assert_int_equal(name.count, 0);
  free(long_text);
  assert_int_equal(standard_name(&standard, slice_of("Mu\xF1oz"), &name, &error), OK);
  assert_int_equal(standard_name(&standard, slice_of("Muñoz"), &other, &error), OK);
  assert_int_equal(name.count, 1);
  assert_int_equal(name.written[0], other.written[0]);
  for (unsigned i = 0; i < 1 << 16; i++) {
    char bytes[4] = {'A', (char)(i & 0xFF), (char)(i >> 8), 'B'};
    struct slice text = slice_make(bytes, 1 + i % 4);
    struct date date;
    assert_int_equal(standard_name(&standard, text, &name, &error), OK);
    assert_true(name.count <= text.len);
    assert_true(standard_text(standard.arena, text).data != NULL && standard_code(standard.arena, text).data != NULL);
    assert_true(standard_number(standard.arena, text).data != NULL);
    assert_false(standard_date(text, &date));
    if (i % 1024 == 0) {
      arena_reset(standard.arena);
    }
  }
}

/* Written forms never pass for folded tokens, and each token is known once. */
static void test_written_apart(void **state) {
  struct name plain, full;
  (void)state;
  assert_int_equal(standard_name(&standard, slice_of("San Martin"), &full, &error), OK);
  assert_int_equal(standard_name(&standard, slice_of("Sanmartin"), &plain, &error), OK);
  assert_int_equal(full.tokens[0], plain.tokens[0]);
  assert_int_not_equal(full.written[0], plain.written[0]);
  assert_int_equal(standard.token[full.written[0]].sound, MAP_NONE);
  assert_int_not_equal(standard.token[full.tokens[0]].sound, MAP_NONE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_sounds, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_diminutives, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_values, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_pairs_of_tokens, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_bad_input, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_written_apart, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
