/* Lists of whom sights show: the text of some, and of random ones that each number and no other is found in it. */
#include "core/audit/shown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NUMBERS = 3000, ROUNDS = 40 };

static void make(struct shown *shown, const int64_t *ids, size_t count) {
  struct error error;
  shown_init(shown);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(shown_add(shown, ids[i], &error), OK);
  }
  assert_int_equal(shown_finish(shown, &error), OK);
  assert_int_equal(shown->persons, count);
}

static void test_texts(void **state) {
  (void)state;
  static const struct {
    int64_t ids[6];
    size_t count;
    const char *text;
  } CASES[] = {{{0}, 0, ""},
               {{1}, 1, "1"},
               {{1, 2, 3, 7}, 4, "1+2 4"},
               {{5, 6, 9, 11, 12, 13}, 6, "5+1 3 2+2"},
               {{1000000, 1000001, INT64_C(4000000000000)}, 3, "1000000+1 3999998999999"}};
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    struct shown shown;
    make(&shown, CASES[i].ids, CASES[i].count);
    assert_string_equal(shown.ids.data, CASES[i].text);
    struct sha256 digest = sha256_of(slice_of(CASES[i].text));
    assert_memory_equal(&digest, &shown.digest, sizeof digest);
    shown_free(&shown);
  }
}

static void test_each_number_is_found(void **state) {
  (void)state;
  static bool in[NUMBERS + 2];
  static int64_t ids[NUMBERS];
  uint64_t random = 7;
  for (int round = 0; round < ROUNDS; round++) {
    size_t count = 0;
    memset(in, 0, sizeof in);
    for (int64_t id = 1; id <= NUMBERS; id++) {
      random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
      if ((int)((random >> 33) % ROUNDS) <= round) {
        in[id] = true;
        ids[count++] = id;
      }
    }
    struct shown shown;
    make(&shown, ids, count);
    for (int64_t id = 1; id <= NUMBERS + 1; id++) {
      assert_int_equal(shown_has(buffer_view(&shown.ids), &id, 1), in[id]);
    }
    int64_t others[] = {NUMBERS + 1, 0, count == 0 ? -1 : ids[count - 1]};
    assert_int_equal(shown_has(buffer_view(&shown.ids), others, 3), count > 0);
    assert_int_equal(shown_has(buffer_view(&shown.ids), others, 2), false);
    shown_free(&shown);
  }
}

static void test_order(void **state) {
  (void)state;
  struct shown shown;
  struct error error;
  shown_init(&shown);
  assert_int_equal(shown_add(&shown, 3, &error), OK);
  assert_int_equal(shown_add(&shown, 3, &error), ERR_INTERNAL);
  assert_int_equal(shown_add(&shown, 2, &error), ERR_INTERNAL);
  shown_free(&shown);
}

static void test_bodies(void **state) {
  (void)state;
  char body[256], hex[2 * SHA256_SIZE + 1];
  struct sha256 digest = sha256_of(slice_of("1+2 4")), found, none = {{0}};
  hex_format(digest.bytes, SHA256_SIZE, hex);
  snprintf(body, sizeof body, "{\"persons\":4,\"shown\":\"%s\",\"where\":{}}", hex);
  assert_true(shown_named(body, &found));
  assert_memory_equal(&found, &digest, sizeof found);
  snprintf(body, sizeof body, "{\"shown\":\"%s\"}", hex);
  assert_true(shown_named(body, &found));
  /* What is no digest is of no list, and what stands in a text is no member. */
  assert_true(shown_named("{\"shown\":\"any\"}", &found));
  assert_memory_equal(&found, &none, sizeof found);
  assert_false(shown_named("{\"reason\":\"x,\\\"shown\\\":\\\"y\"}", &found));
  assert_false(shown_named("{}", &found));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts), cmocka_unit_test(test_each_number_is_found),
                                     cmocka_unit_test(test_order), cmocka_unit_test(test_bodies)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
