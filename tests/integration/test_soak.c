/* Two simulated days of the daemon; a month of them is tests/long/long_soak.c. */
#include "tests/support/soak.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void two_days(void **state) {
  (void)state;
  soak_check(&(const struct soak_wanted){.days = 2, .rate = 6000});
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(two_days)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
