/* The five simulated registries into SQLite and into PostgreSQL: both stores hold the same. */
#include "tests/support/peru.h"
#include "tests/support/postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_postgres_equals_sqlite(void **state) {
  (void)state;
  const char *store = postgres_start();
  struct peru peru;
  peru_start(&peru, 500, 777, NULL);
  char yaml[512];
  snprintf(yaml, sizeof yaml, "{postgres: \"%s\"}", store);
  char *left = peru_workspace(&peru, "embedded", "{sqlite: puente.db}");
  char *right = peru_workspace(&peru, "server", yaml);
  for (int round = 1; round <= 2; round++) {
    for (int i = 0; i < 2; i++) {
      assert_int_equal(workspace_run(i == 0 ? left : right, "--quiet run", NULL), 0);
    }
    assert_true(workspace_number(left, "SELECT count(*) FROM persons") > 100);
    assert_true(peru_same(left, right, true));
    peru_advance(&peru);
  }
  free(left);
  free(right);
  peru_stop(&peru);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_postgres_equals_sqlite)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
