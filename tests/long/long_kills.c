/* Two hundred random kills of a run over the five simulated registries, each on SQLite and on PostgreSQL. The last line
 * counts the moments, and those after which both stores equalled the undisturbed ones in every table. */
#include "tests/support/kills.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct kills_count counted;

static void test_kills(void **state) {
  (void)state;
  const char *seed = getenv("SEED"); /* to repeat one that failed, or to try others */
  const struct kills_wanted wanted = {
      .population = 450, .seed = seed == NULL ? 20260331 : strtoull(seed, NULL, 10), .runs = 200, .others = 10};
  counted = kills_do(&wanted);
  assert_int_equal(counted.kills, wanted.runs);
  assert_int_equal(counted.identical, counted.kills);
  assert_int_equal(counted.other_kills, 6 * wanted.others);
  assert_int_equal(counted.other_identical, counted.other_kills);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_kills)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  printf("fault ok: kills=%d identical=%d\n", counted.kills, counted.identical);
  return failed;
}
