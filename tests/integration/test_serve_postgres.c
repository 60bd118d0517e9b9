/* `puente serve` on PostgreSQL: two daemons on one store, and a store that goes away. */
#include "core/base/date.h"
#include "core/store/watch.h"
#include "tests/support/postgres.h"
#include "tests/support/serving.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct serving serving;

static int teardown(void **state) {
  (void)state;
  serving_remove(&serving);
  return 0;
}

static void make(const char *schema, const char *serve) {
  char store[512];
  snprintf(store, sizeof store, "{postgres: \"%s\", schema: %s}", postgres_start(), schema);
  serving_make(&serving, store, serve);
}

static int64_t number(const char *sql) {
  return workspace_number(serving.folder, sql);
}

/* Each run after the first belongs to a due moment of its own, whoever made it. */
static void assert_each_once(const char *source, int minutes) {
  char sql[160];
  snprintf(sql, sizeof sql, "SELECT started FROM runs WHERE kind = 'sync' AND source = '%s' ORDER BY run_id", source);
  char *rows = workspace_rows(serving.folder, sql), *rest = rows;
  int64_t former = 0, moment = 0;
  size_t count = 0;
  for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0'; count++, former = moment) {
    assert_true(clock_parse(slice_of(line), &moment));
    moment /= minutes * INT64_C(60) * 1000000;
    if (count > 1) {
      assert_int_equal(moment, former + 1);
    }
  }
  assert_true(count >= 4);
  free(rows);
}

static void two_daemons_share_the_work(void **state) {
  (void)state;
  make("shared", "{timezone: UTC, status: off, schedule: '*/20 * * * *'}");
  static const char *const codes[] = {"alpha", "beta", "gamma"};
  for (size_t i = 0; i < 3; i++) {
    serving_files(&serving, codes[i], "");
    serving_drop(&serving, codes[i], 1);
  }
  assert_int_equal(workspace_run(serving.folder, "store init", NULL), 0);
  pid_t one = serving_start(&serving, "one", "PUENTE_CLOCK='2026-03-02T00:05:00Z x300'", "");
  pid_t two = serving_start(&serving, "two", "PUENTE_CLOCK='2026-03-02T00:05:00Z x300'", "");
  for (int i = 0; i < 400 && number("SELECT count(*) FROM runs WHERE kind = 'sync'") < 15; i++) {
    shell("sleep 0.1");
  }
  assert_int_equal(serving_end(one, SIGTERM), 0);
  assert_int_equal(serving_end(two, SIGTERM), 0);
  for (size_t i = 0; i < 3; i++) {
    assert_each_once(codes[i], 20);
  }
  assert_int_equal(number("SELECT count(*) FROM runs WHERE state <> 'done'"), 0);
  assert_int_equal(number("SELECT count(*) FROM records"), 3);
}

static void waits_for_the_store(void **state) {
  (void)state;
  make("away", "{timezone: UTC, status: off, schedule: '*/20 * * * *'}");
  serving_files(&serving, "alpha", "");
  serving_drop(&serving, "alpha", 1);
  postgres_stop(1);
  pid_t daemon = serving_start(&serving, "serve", "PUENTE_CLOCK='2026-03-02T00:05:00Z x400'", "");
  assert_true(serving_hears(&serving, "serve", "the PostgreSQL server cannot be reached", 1, 20));
  assert_true(serving_hears(&serving, "serve", "the store does not answer: syncs wait until it does", 1, 20));
  postgres_again();
  assert_true(serving_hears(&serving, "serve", "source alpha: 1 pulled, 1 new", 1, 30)); /* made, then filled */
  assert_int_equal(serving_says(&serving, "serve", "the store answers"), 1);
  postgres_stop(1);
  assert_true(serving_hears(&serving, "serve", "the store does not answer: syncs wait until it does", 2, 20));
  serving_drop(&serving, "alpha", 2);
  postgres_again();
  assert_true(serving_hears(&serving, "serve", "the store answers", 2, 30));
  assert_true(serving_hears(&serving, "serve", "source alpha: 1 pulled, 1 new", 2, 30));
  assert_int_equal(serving_end(daemon, SIGTERM), 0);
  assert_int_equal(number("SELECT count(*) FROM records"), 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(two_daemons_share_the_work, teardown),
      cmocka_unit_test_teardown(waits_for_the_store, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
