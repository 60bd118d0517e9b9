/* A few random kills on both stores; tests/long/long_kills.c does two hundred. */
#include "tests/support/kills.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_kills(void **state) {
  (void)state;
  const struct kills_wanted wanted = {.population = 250, .seed = 5150, .runs = 8, .others = 1};
  struct kills_count count = kills_do(&wanted);
  assert_int_equal(count.kills, wanted.runs);
  assert_int_equal(count.identical, count.kills);
  assert_true(count.other_kills > 0);
  assert_int_equal(count.other_identical, count.other_kills);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_kills)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
