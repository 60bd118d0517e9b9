/* A simulated month of the daemon in some minutes. */
#include "tests/support/soak.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_month(void **state) {
  (void)state;
  soak_check(&(const struct soak_wanted){.days = 30, .rate = 20000});
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_month)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
