/* Bodies that are sealed open at their own place alone, and no byte of them can be changed. */
#include "core/base/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char TEXT[] = "QUISPE HUAMAN, MARIA ELENA 41234567";
enum { LEN = sizeof TEXT - 1, SEALED = LEN + SEAL_EXTRA };
static const struct seal_key KEY = {.id = 0x01020304, .bytes = "0123456789abcdefghijklmnopqrstu"};
static const struct seal_place PLACE = {.part = "identity.body", .id = 77, .from = 3};

static void seal_text(char sealed[SEALED]) {
  struct seal_nonces nonces;
  seal_start(&nonces);
  seal_close(&KEY, &nonces, &PLACE, slice_of(TEXT), sealed);
}

static void test_there_and_back(void **state) {
  char sealed[SEALED], text[LEN];
  (void)state;
  seal_text(sealed);
  struct slice body = slice_make(sealed, SEALED);
  assert_true(seal_is(body));
  assert_int_equal(seal_key_id(body), KEY.id);
  assert_null(memmem(sealed, SEALED, "QUISPE", 6));
  assert_true(seal_open(&KEY, &PLACE, body, text));
  assert_memory_equal(text, TEXT, LEN);
}

/* The text may lie where its ciphertext goes. */
static void test_in_place(void **state) {
  char sealed[SEALED], text[LEN];
  struct seal_nonces nonces;
  (void)state;
  seal_start(&nonces);
  memcpy(sealed + SEAL_HEAD, TEXT, LEN);
  seal_close(&KEY, &nonces, &PLACE, slice_make(sealed + SEAL_HEAD, LEN), sealed);
  assert_true(seal_open(&KEY, &PLACE, slice_make(sealed, SEALED), text));
  assert_memory_equal(text, TEXT, LEN);
}

static void test_nonces_differ(void **state) {
  char one[SEALED], two[SEALED];
  struct seal_nonces nonces;
  (void)state;
  seal_start(&nonces);
  seal_close(&KEY, &nonces, &PLACE, slice_of(TEXT), one);
  seal_close(&KEY, &nonces, &PLACE, slice_of(TEXT), two);
  assert_memory_not_equal(one + SEAL_NAMED, two + SEAL_NAMED, SEAL_NONCE);
  assert_memory_not_equal(one + SEAL_HEAD, two + SEAL_HEAD, LEN);
  seal_text(two);
  assert_memory_not_equal(one + SEAL_NAMED, two + SEAL_NAMED, SEAL_NONCE);
}

static void test_other_places(void **state) {
  static const struct seal_place others[] = {{.part = "identity.body", .id = 78, .from = 3},
                                             {.part = "identity.body", .id = 77, .from = 4},
                                             {.part = "person_identity.body", .id = 77, .from = 3},
                                             {.part = "identity.bod", .id = 77, .from = 3}};
  char sealed[SEALED], text[LEN];
  struct seal_key other = KEY;
  (void)state;
  seal_text(sealed);
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    assert_false(seal_open(&KEY, &others[i], slice_make(sealed, SEALED), text));
  }
  other.bytes[0] ^= 1;
  assert_false(seal_open(&other, &PLACE, slice_make(sealed, SEALED), text));
}

static void test_every_byte_counts(void **state) {
  char sealed[SEALED], text[LEN];
  (void)state;
  seal_text(sealed);
  for (size_t i = 0; i < SEALED; i++) {
    sealed[i] ^= 1;
    assert_false(seal_open(&KEY, &PLACE, slice_make(sealed, SEALED), text));
    sealed[i] ^= 1;
  }
  for (size_t len = 0; len < SEALED; len++) {
    assert_false(seal_open(&KEY, &PLACE, slice_make(sealed, len), text));
  }
}

static void test_wrapped(void **state) {
  const struct subkey wrapping = {.bytes = "a wrapping key of thirty-two by"}, other = {.bytes = "another"};
  uint8_t wrapped[SEAL_WRAPPED], secret[KEY_SIZE];
  struct keyed_digest one = seal_wrapper(&wrapping), two = seal_wrapper(&other);
  (void)state;
  seal_wrap(&wrapping, 5, "body", KEY.bytes, wrapped);
  assert_true(seal_unwrap(&wrapping, 5, "body", wrapped, secret));
  assert_memory_equal(secret, KEY.bytes, KEY_SIZE);
  assert_false(seal_unwrap(&wrapping, 6, "body", wrapped, secret));
  assert_false(seal_unwrap(&wrapping, 5, "digest", wrapped, secret));
  assert_false(seal_unwrap(&other, 5, "body", wrapped, secret));
  assert_memory_not_equal(&one, &two, sizeof one);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_there_and_back),    cmocka_unit_test(test_in_place),
      cmocka_unit_test(test_nonces_differ),     cmocka_unit_test(test_other_places),
      cmocka_unit_test(test_every_byte_counts), cmocka_unit_test(test_wrapped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
