#include "core/schedule/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
static const struct retry_policy POLICY = {
    .first = 60 * SECOND, .most = 3600 * SECOND, .breaks = 8, .open = 6 * 3600 * SECOND};

static void test_pauses_double_up_to_the_longest(void **state) {
  (void)state;
  static const int64_t seconds[] = {60, 120, 240, 480, 960, 1920, 3600};
  for (int failures = 1; failures <= 7; failures++) {
    int64_t pause = seconds[failures - 1] * SECOND, least = INT64_MAX, most = 0;
    for (int i = 0; i < 200; i++) {
      char name[32];
      snprintf(name, sizeof name, "sync:s%d", i);
      int64_t wait = retry_at(&POLICY, name, failures, ERR_NETWORK, 5) - 5;
      assert_true(wait >= pause / 2 && wait <= pause);
      assert_true(wait == retry_at(&POLICY, name, failures, ERR_REMOTE, 5) - 5); /* the same after a restart */
      least = wait < least ? wait : least;
      most = wait > most ? wait : most;
    }
    assert_true(least < pause * 11 / 20 && most > pause * 19 / 20);
  }
}

static void test_circuit(void **state) {
  (void)state;
  int64_t at = retry_at(&POLICY, "sync:reta", 8, ERR_NETWORK, 0);
  assert_true(at >= 3 * 3600 * SECOND && at <= 6 * 3600 * SECOND);
  assert_int_equal(retry_circuit(&POLICY, 7, at, 0), CIRCUIT_CLOSED);
  assert_int_equal(retry_circuit(&POLICY, 8, at, at - 1), CIRCUIT_OPEN);
  assert_int_equal(retry_circuit(&POLICY, 8, at, at), CIRCUIT_HALF_OPEN);
  assert_int_equal(retry_circuit(&POLICY, 1000000, at, at), CIRCUIT_HALF_OPEN);
  struct retry_policy never = POLICY;
  never.breaks = 0;
  assert_int_equal(retry_circuit(&never, 1000000, at, 0), CIRCUIT_CLOSED);
  assert_true(retry_at(&never, "sync:reta", 1000000, ERR_NETWORK, 0) <= 3600 * SECOND);
}

/* What a person has to mend is not asked for again before the next due moment. */
static void test_what_a_retry_cannot_mend(void **state) {
  (void)state;
  static const enum status mendable[] = {ERR_NETWORK, ERR_REMOTE, ERR_IO, ERR_FULL, ERR_STORE, ERR_BUSY, ERR_MEMORY};
  static const enum status others[] = {ERR_AUTH, ERR_CONFIG, ERR_USAGE, ERR_INPUT, ERR_LIMIT, ERR_VERSION};
  for (size_t i = 0; i < sizeof mendable / sizeof *mendable; i++) {
    assert_true(retry_at(&POLICY, "sync:reta", 1, mendable[i], 0) <= 60 * SECOND);
  }
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    assert_true(retry_at(&POLICY, "sync:reta", 1, others[i], 0) == INT64_MAX);
    assert_int_equal(retry_circuit(&POLICY, 9, INT64_MAX, INT64_MAX - 1), CIRCUIT_OPEN);
  }
  assert_true(retry_at(&POLICY, "sync:reta", 0, ERR_NETWORK, 0) == INT64_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_pauses_double_up_to_the_longest),
                                     cmocka_unit_test(test_circuit), cmocka_unit_test(test_what_a_retry_cannot_mend)};
  return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
