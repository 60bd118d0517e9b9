/* Mappings and records that no official and no registry would write: bounded, without a crash, with a clear outcome. */
#include "core/base/file.h"
#include "core/base/folder.h"
#include "tests/mapping/mapping_bench.h"

#include <stdlib.h>

static uint64_t random_state;

static unsigned draw(unsigned below) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (unsigned)(random_state >> 33) % below;
}

static enum outcome apply(const struct mapping_bench *bench, const struct plan *plan, struct slice input,
                          struct batch *batch) {
  struct arena *arena = arena_new(0);
  struct node *root;
  struct error error;
  enum outcome outcome = OUTCOME_MAPPED;
  (void)bench;
  assert_int_equal(json_read(input, arena, &root, &error), OK);
  assert_int_equal(plan_apply(plan, batch, root, 0, &outcome, &error), OK);
  arena_free(arena);
  return outcome;
}

#define MAPPING                                                                                                        \
  "source: d\nformat: json\nkey: id\ncase: {}\nperson:\n  each: p\n  key: k\n  given_names: n\n"                       \
  "measure:\n  each: p/m\n  type: {from: t, else: other}\n"

/* One record of very many people and measures takes time in proportion, and its rows have a limit. */
static void test_huge_lists(void **state) {
  struct plan *plan = plan_of(*state, MAPPING);
  struct batch batch;
  struct error error;
  assert_int_equal(batch_init(&batch, ((struct mapping_bench *)*state)->model, &error), OK);
  for (int round = 0; round < 2; round++) {
    unsigned people = round == 0 ? 40000 : 60000;
    struct buffer text;
    buffer_init(&text, (size_t)64 << 20);
    buffer_text(&text, "{\"id\": 1, \"p\": [");
    for (unsigned i = 0; i < people; i++) {
      buffer_printf(&text, "%s{\"k\": %u, \"m\": {\"t\": \"x\"}}", i == 0 ? "" : ",", i);
    }
    buffer_text(&text, "]}");
    enum outcome outcome = apply(*state, plan, buffer_view(&text), &batch);
    assert_int_equal(outcome, round == 0 ? OUTCOME_MAPPED : OUTCOME_QUARANTINED);
    if (round == 1) {
      assert_int_equal(batch.issue_count, 1);
      assert_string_equal(batch.issues[0].reason, "rows_limit");
    }
    batch_reset(&batch);
    buffer_free(&text);
  }
  batch_free(&batch);
  plan_free(plan);
}

/* A key that comes back late in a long list is still seen. */
static void test_repeated_key_in_long_list(void **state) {
  struct plan *plan = plan_of(*state, MAPPING);
  struct batch batch;
  struct error error;
  assert_int_equal(batch_init(&batch, ((struct mapping_bench *)*state)->model, &error), OK);
  for (unsigned people = 2; people < 60; people++) {
    struct buffer text;
    buffer_init(&text, (size_t)1 << 20);
    buffer_text(&text, "{\"id\": 1, \"p\": [");
    for (unsigned i = 0; i < people; i++) {
      buffer_printf(&text, "%s{\"k\": %u}", i == 0 ? "" : ",", i);
    }
    buffer_text(&text, ",{\"k\": 0, \"n\": \"Ana\"}]}");
    assert_int_equal(apply(*state, plan, buffer_view(&text), &batch), OUTCOME_QUARANTINED);
    assert_string_equal(batch.issues[0].reason, "key_repeated");
    batch_reset(&batch);
    buffer_free(&text);
  }
  batch_free(&batch);
  plan_free(plan);
}

static void test_many_issues(void **state) {
  struct plan *plan =
      plan_of(*state, "source: d\nformat: json\nkey: id\nperson:\n  each: p\n  key: k\n  birth_date: b\n");
  struct batch batch;
  struct error error;
  struct buffer text;
  assert_int_equal(batch_init(&batch, ((struct mapping_bench *)*state)->model, &error), OK);
  buffer_init(&text, (size_t)4 << 20);
  buffer_text(&text, "{\"id\": 1, \"p\": [");
  for (unsigned i = 0; i < 5000; i++) {
    buffer_printf(&text, "%s{\"k\": %u, \"b\": \"x\"}", i == 0 ? "" : ",", i);
  }
  buffer_text(&text, "]}");
  assert_int_equal(apply(*state, plan, buffer_view(&text), &batch), OUTCOME_MAPPED);
  assert_int_equal(batch.issue_count, 1001);
  assert_string_equal(batch.issues[1000].reason, "issues_limit");
  buffer_free(&text);
  batch_free(&batch);
  plan_free(plan);
}

static void test_nesting_and_long_values(void **state) {
  struct plan *plan = plan_of(*state, "source: d\nformat: json\nkey: id\nperson:\n  each: l\n  key: .\n  aliases: /l\n"
                                      "case: {police_unit: u, means: m}\n");
  struct batch batch;
  struct error error;
  struct buffer text;
  assert_int_equal(batch_init(&batch, ((struct mapping_bench *)*state)->model, &error), OK);
  buffer_init(&text, (size_t)4 << 20);
  buffer_text(&text, "{\"id\": 1, \"l\": ");
  for (int i = 0; i < 120; i++) {
    buffer_char(&text, '[');
  }
  buffer_text(&text, "\"x\"");
  for (int i = 0; i < 120; i++) {
    buffer_char(&text, ']');
  }
  buffer_text(&text, ", \"u\": \"");
  for (int i = 0; i < 70000; i++) {
    buffer_char(&text, 'a');
  }
  buffer_text(&text, "\", \"m\": [{\"a\": []}, [[]], null, true]}");
  assert_int_equal(apply(*state, plan, buffer_view(&text), &batch), OUTCOME_MAPPED);
  assert_int_equal(batch.issue_count, 2);
  assert_string_equal(batch.issues[0].reason, "value_too_long");
  assert_string_equal(batch.issues[1].reason, "code_unknown");
  buffer_free(&text);
  batch_free(&batch);
  plan_free(plan);
}

/* A reader that lets a zero byte through does not bring it into the store. */
static void test_zero_bytes(void **state) {
  struct plan *plan = plan_of(*state, "source: d\nformat: csv\nkey: id\ncase: {police_unit: u}\n");
  struct node columns[2] = {{.name = slice_of("id"), .kind = NODE_TEXT, .text = slice_of("7")},
                            {.name = slice_of("u"), .kind = NODE_TEXT, .text = slice_make("a\0b", 3)}};
  struct node root = {.kind = NODE_OBJECT, .children = columns, .count = 2};
  struct batch batch;
  struct error error;
  enum outcome outcome;
  columns[0].parent = columns[1].parent = &root;
  assert_int_equal(batch_init(&batch, ((struct mapping_bench *)*state)->model, &error), OK);
  assert_int_equal(plan_apply(plan, &batch, &root, 0, &outcome, &error), OK);
  assert_int_equal(outcome, OUTCOME_MAPPED);
  assert_int_equal(batch.issue_count, 1);
  assert_string_equal(batch.issues[0].reason, "text_unreadable");
  columns[0].text = slice_make("7\0", 2);
  assert_int_equal(plan_apply(plan, &batch, &root, 1, &outcome, &error), OK);
  assert_int_equal(outcome, OUTCOME_QUARANTINED);
  batch_free(&batch);
  plan_free(plan);
}

static void mutate(struct buffer *text) {
  static const char signs[] = "{}[]:,\"'\n -|%$/.*?&!#\xC3\xB1\xFF\0a9";
  for (unsigned i = 0, changes = 1 + draw(4); i < changes && text->len > 4; i++) {
    size_t at = draw((unsigned)text->len);
    switch (draw(4)) {
    case 0:
      text->data[at] = signs[draw(sizeof signs - 1)];
      break;
    case 1: {
      size_t from = draw((unsigned)text->len), len = draw(40);
      len = from + len > text->len ? text->len - from : len;
      len = at + len > text->len ? text->len - at : len;
      memmove(text->data + at, text->data + from, len);
      break;
    }
    case 2:
      text->len -= draw(4);
      break;
    default:
      buffer_drop_front(text, draw(3));
      break;
    }
  }
}

/* Sections of the case files, so that mutations start from what the language can say. */
static void mutated_rounds(const struct mapping_bench *bench, const struct buffer *file, unsigned rounds) {
  for (unsigned round = 0; round < rounds; round++) {
    struct buffer text, out;
    struct error error;
    struct plan *plan = NULL;
    buffer_init(&text, (size_t)1 << 20);
    buffer_init(&out, (size_t)4 << 20);
    const char *begin = strstr(file->data + draw((unsigned)file->len / 2), "--- mapping\n");
    const char *end = begin == NULL ? NULL : strstr(begin + 4, "--- ");
    const char *input = begin == NULL ? NULL : strstr(begin, "--- input\n"), *input_end = NULL;
    if (end != NULL && input != NULL && (input_end = strstr(input + 4, "--- ")) != NULL) {
      buffer_append(&text, begin + 12, (size_t)(end - begin - 12));
      if (draw(3) > 0) {
        mutate(&text);
      }
      if (plan_parse("m", buffer_view(&text), bench->model, bench->lists, &plan, &out, &error) == OK) {
        buffer_reset(&text);
        buffer_reset(&out);
        buffer_append(&text, input + 10, (size_t)(input_end - input - 10));
        mutate(&text);
        enum status status = mapping_show(plan, bench->model, buffer_view(&text), false, &out, &error);
        assert_true(status == OK || status == ERR_INPUT || status == ERR_LIMIT);
      } else {
        assert_true(error.message[0] != '\0');
      }
    }
    plan_free(plan);
    buffer_free(&text);
    buffer_free(&out);
  }
}

static void test_mutations(void **state) {
  struct arena *arena = arena_new(0);
  const char *const *paths;
  size_t count;
  struct error error;
  random_state = UINT64_C(0x5EED5EED12345678);
  assert_int_equal(folder_list("tests/mapping/cases", ".case", arena, &paths, &count, &error), OK);
  for (size_t i = 0; i < count; i++) {
    struct buffer file;
    buffer_init(&file, (size_t)1 << 20);
    assert_int_equal(file_read(paths[i], (size_t)1 << 20, &file, &error), OK);
    mutated_rounds(*state, &file, 300);
    buffer_free(&file);
  }
  arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_huge_lists),  cmocka_unit_test(test_repeated_key_in_long_list),
      cmocka_unit_test(test_many_issues), cmocka_unit_test(test_nesting_and_long_values),
      cmocka_unit_test(test_zero_bytes),  cmocka_unit_test(test_mutations),
  };
  return cmocka_run_group_tests_name("bad input to mappings", tests, bench_setup, bench_teardown);
}
