#include "core/base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void sets_message_and_clears_the_rest(void **state) {
  (void)state;
  struct error error = {.place = "old", .hint = "old"};
  assert_int_equal(error_set(&error, ERR_INPUT, "page %d is not JSON", 3), ERR_INPUT);
  assert_int_equal(error.code, ERR_INPUT);
  assert_string_equal(error.message, "page 3 is not JSON");
  assert_string_equal(error.place, "");
  assert_string_equal(error.hint, "");
}

static void places_grow_outwards(void **state) {
  (void)state;
  struct error error;
  error_set(&error, ERR_INPUT, "x");
  error_place(&error, "byte %d", 17);
  error_place(&error, "page %d", 3);
  error_place(&error, "source %s", "reta");
  assert_string_equal(error.place, "source reta, page 3, byte 17");
}

static void long_places_keep_the_outer_part(void **state) {
  (void)state;
  struct error error;
  error_set(&error, ERR_INPUT, "x");
  char longer[400];
  memset(longer, 'a', sizeof longer - 1);
  longer[sizeof longer - 1] = '\0';
  error_place(&error, "%s", longer);
  assert_int_equal(strlen(error.place), sizeof error.place - 1);
  error_place(&error, "source reta");
  assert_int_equal(strlen(error.place), sizeof error.place - 1);
  assert_memory_equal(error.place, "source reta, aaa", 16);
}

static void statuses_have_names_and_exit_codes(void **state) {
  (void)state;
  for (int status = OK; status < STATUS_COUNT; status++) {
    assert_non_null(status_name((enum status)status));
    assert_true(strlen(status_name((enum status)status)) > 1);
  }
  assert_int_equal(status_exit_code(OK), 0);
  assert_int_equal(status_exit_code(ERR_STORE), 1);
  assert_int_equal(status_exit_code(ERR_CONFIG), 2);
  assert_int_equal(status_exit_code(ERR_USAGE), 2);
  assert_int_equal(status_exit_code(ERR_BALANCE), 3);
  assert_true(status_is_transient(ERR_NETWORK));
  assert_false(status_is_transient(ERR_AUTH));
  assert_string_equal(status_name((enum status)999), "unknown");
}

static void memory_has_its_own_message(void **state) {
  (void)state;
  struct error error;
  assert_int_equal(error_memory(&error), ERR_MEMORY);
  assert_string_equal(error.message, "out of memory");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sets_message_and_clears_the_rest), cmocka_unit_test(places_grow_outwards),
      cmocka_unit_test(long_places_keep_the_outer_part),  cmocka_unit_test(statuses_have_names_and_exit_codes),
      cmocka_unit_test(memory_has_its_own_message),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
