/* SIGKILL at many moments of a sync over the five registries; what is run again afterwards gives the store of a run
 * that nothing disturbed. */
#include "core/base/date.h"
#include "tests/support/peru.h"
#include "tests/support/postgres.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

enum { KILLS = 12 };

static void sleep_micros(int64_t micros) {
  nanosleep(&(struct timespec){.tv_sec = micros / 1000000, .tv_nsec = micros % 1000000 * 1000}, NULL);
}

/* True where the program was still running. */
static bool kill_after(const char *folder, int64_t micros) {
  pid_t child = workspace_start(folder, "--quiet sync");
  sleep_micros(micros);
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status);
}

/* One round: undisturbed in `calm`, killed again and again in `shaken`. */
static int disturb(const char *calm, const char *shaken) {
  int64_t began = clock_monotonic();
  assert_int_equal(workspace_run(calm, "--quiet sync", NULL), 0);
  int64_t took = clock_monotonic() - began;
  int killed = 0;
  for (int i = 1; i <= KILLS; i++) {
    killed += kill_after(shaken, took * i / (KILLS + 1));
  }
  assert_int_equal(workspace_run(shaken, "--quiet sync", NULL), 0);
  return killed;
}

/* `store` of the workspace that is killed; the calm one is always SQLite. */
static void shake(unsigned population, uint64_t seed, const char *store) {
  struct peru peru;
  peru_start(&peru, population, seed, NULL);
  char *calm = peru_workspace(&peru, "calm", "{sqlite: puente.db}");
  char *shaken = peru_workspace(&peru, "shaken", store);
  int killed = disturb(calm, shaken);
  peru_advance(&peru);
  killed += disturb(calm, shaken);
  printf("note: killed while running: %d of %d\n", killed, 2 * KILLS);
  assert_true(killed > 0);
  assert_int_equal(workspace_run(calm, "--quiet link", NULL), 0);
  assert_int_equal(workspace_run(shaken, "--quiet link", NULL), 0);
  assert_true(workspace_number(calm, "SELECT count(*) FROM persons") > population / 3);
  assert_true(peru_same(calm, shaken, false));
  free(calm);
  free(shaken);
  peru_stop(&peru);
}

static void test_sqlite_killed(void **state) {
  (void)state;
  shake(1500, 5150, "{sqlite: puente.db}");
}

static void test_postgres_killed(void **state) {
  (void)state;
  char yaml[512];
  snprintf(yaml, sizeof yaml, "{postgres: \"%s\"}", postgres_start());
  shake(700, 60606, yaml);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sqlite_killed), cmocka_unit_test(test_postgres_killed)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
