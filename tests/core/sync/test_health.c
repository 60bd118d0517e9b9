/* What runs say about the health of their source, and of its volume. */
#include "core/base/date.h"
#include "core/sync/health.h"
#include "tests/support/bench.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MAPPING                                                                                                        \
  "source: demo\nformat: json\n"                                                                                       \
  "case:\n  key: id\n  denuncia_number: id\n  reported_on: {from: date, else: quarantine}\n"
#define TOLERANT                                                                                                       \
  "source: demo\nformat: json\n"                                                                                       \
  "case:\n  key: id\n  denuncia_number: id\n  reported_on: {from: date, date: \"%d/%m/%Y\", else: quarantine}\n"

#define GOOD(id) "{\"id\":\"" id "\",\"date\":\"2024-01-01\"}\n"
#define BAD(id) "{\"id\":\"" id "\",\"date\":\"01/02/2024\"}\n"

#define PAGES(...)                                                                                                     \
  (const struct scripted_page[]){__VA_ARGS__},                                                                         \
      sizeof((const struct scripted_page[]){__VA_ARGS__}) / sizeof(struct scripted_page)

static int setup(void **state) {
  *state = fixture_make(MAPPING);
  return 0;
}

static int teardown(void **state) {
  fixture_free(*state);
  return 0;
}

/* "health failures error message | place | hint" */
static const char *health_text(struct fixture *f) {
  static char text[1400];
  struct source_health health;
  struct arena *arena = arena_new(0);
  assert_int_equal(store_health(f->store, f->source_id, arena, &health, &f->error), OK);
  snprintf(text, sizeof text, "%s %d %s %s | %s | %s", health_names[health.health], health.failures,
           status_name(health.error), health.message == NULL ? "" : health.message,
           health.place == NULL ? "" : health.place, health.hint == NULL ? "" : health.hint);
  arena_free(arena);
  return text;
}

static struct source_health health_now(struct fixture *f) {
  struct source_health health;
  struct arena *arena = arena_new(0);
  assert_int_equal(store_health(f->store, f->source_id, arena, &health, &f->error), OK);
  health.message = health.place = health.hint = NULL; /* end with the arena */
  arena_free(arena);
  return health;
}

static void execute(const struct fixture *f, const char *sql) {
  sqlite3 *handle = NULL;
  assert_int_equal(sqlite3_open(f->store_path, &handle), SQLITE_OK);
  assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(handle);
}

/* Which health each kind of error is. */
static void test_kinds(void **state) {
  (void)state;
  static const struct {
    enum status status;
    const char *health;
  } cases[] = {{ERR_NETWORK, "unreachable"}, {ERR_NOT_FOUND, "unreachable"}, {ERR_AUTH, "refused"},
               {ERR_REMOTE, "refused"},      {ERR_INPUT, "changed"},         {ERR_CONFIG, "failed"},
               {ERR_FULL, "failed"},         {ERR_STORE, "failed"},          {ERR_IO, "failed"},
               {ERR_LIMIT, "failed"},        {ERR_BALANCE, "failed"},        {ERR_MEMORY, "failed"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct error error = {.code = cases[i].status};
    assert_string_equal(health_names[health_of(&error)], cases[i].health);
  }
}

static void test_failures_and_recovery(void **state) {
  struct fixture *f = *state;
  int64_t before = clock_now();
  assert_int_equal(fixture_sync(f, PAGES({.fails = ERR_NETWORK})), ERR_NETWORK);
  assert_string_equal(health_text(f), "unreachable 1 network the script fails here | source demo | ask the script");
  struct source_health first = health_now(f);
  assert_true(first.since >= before && first.since <= clock_now());
  assert_int_equal(first.tried, first.since);
  assert_int_equal(first.succeeded, 0);
  assert_int_equal(fixture_sync(f, PAGES({.bytes = GOOD("1")}, {.fails = ERR_NETWORK})), ERR_NETWORK);
  struct source_health second = health_now(f);
  assert_int_equal(second.failures, 2);
  assert_int_equal(second.since, first.since); /* since the first */
  assert_true(second.tried > first.tried);
  f->options.full = true;
  assert_int_equal(fixture_sync(f, PAGES({.fails = ERR_AUTH})), ERR_AUTH);
  assert_string_equal(health_text(f), "refused 3 auth the script fails here | source demo | ask the script");
  assert_true(health_now(f).since > first.since); /* another health */
  assert_int_equal(fixture_sync(f, PAGES({.bytes = GOOD("1")})), OK);
  assert_string_equal(health_text(f), "ok 0 ok  |  | ");
  struct source_health good = health_now(f);
  assert_true(good.succeeded > second.tried);
  assert_int_equal(good.since, good.succeeded);
  assert_int_equal(fixture_sync(f, PAGES({.bytes = GOOD("2")})), OK);
  assert_int_equal(health_now(f).since, good.since);
  assert_true(health_now(f).succeeded > good.succeeded);
}

/* What stops a run from outside says nothing of the source. */
static void test_interrupted(void **state) {
  struct fixture *f = *state;
  atomic_bool stop = true;
  assert_int_equal(fixture_sync(f, PAGES({.bytes = GOOD("1")})), OK);
  f->options.stop = &stop;
  assert_int_equal(fixture_sync(f, PAGES({.bytes = GOOD("2")})), ERR_INTERRUPTED);
  assert_string_equal(health_text(f), "ok 0 ok  |  | ");
}

static void test_own_side(void **state) {
  struct fixture *f = *state;
  fixture_map(f, "source: demo\nformat: jso\n");
  assert_int_equal(fixture_sync(f, PAGES({.bytes = GOOD("1")})), ERR_CONFIG);
  assert_int_equal(health_now(f).health, HEALTH_FAILED);
}

/* Empty: reached, and it has nothing; a source whose records were landed before has none that are new. */
static void test_empty(void **state) {
  struct fixture *f = *state;
  assert_int_equal(fixture_sync(f, PAGES({.bytes = "[]"})), OK);
  assert_string_equal(health_text(f), "empty 0 ok  |  | ");
  assert_int_equal(fixture_sync(f, PAGES({.bytes = GOOD("1")})), OK);
  assert_string_equal(health_text(f), "ok 0 ok  |  | ");
  assert_int_equal(fixture_sync(f, PAGES({.bytes = "[]"})), OK);
  assert_string_equal(health_text(f), "ok 0 ok  |  | ");
}

#define QUARANTINED                                                                                                    \
  "changed 0 ok 3 of 4 records of the run went to quarantine, as was never so before |  | see "                        \
  "`puente quarantine list`, adapt the mapping, then run `puente remap`"

/* Most records of a run are set aside at once: the source writes its dates in another way. */
static void test_mostly_quarantined(void **state) {
  struct fixture *f = *state;
  assert_int_equal(fixture_sync(f, PAGES({.bytes = GOOD("1") GOOD("2") GOOD("3") GOOD("4")})), OK);
  assert_int_equal(fixture_sync(f, PAGES({.bytes = GOOD("5") BAD("6") BAD("7") BAD("8")})), OK);
  assert_string_equal(health_text(f), QUARANTINED);
  int64_t since = health_now(f).since;
  assert_int_equal(fixture_sync(f, PAGES({.bytes = "[]"})), OK); /* a run without records says nothing else */
  assert_string_equal(health_text(f), QUARANTINED);
  assert_int_equal(health_now(f).since, since);
  fixture_map(f, TOLERANT);
  struct workbench bench = fixture_bench(f);
  f->options.full = false;
  assert_int_equal(sync_remap(&bench, &f->source, f->source_id, RECORD_QUARANTINED, &f->options, &f->result, &f->error),
                   OK);
  assert_string_equal(health_text(f), "ok 0 ok  |  | ");
}

/* A source that always was so is known to be: it did not change. */
static void test_always_quarantined(void **state) {
  struct fixture *f = *state;
  assert_int_equal(fixture_sync(f, PAGES({.bytes = BAD("5") BAD("6") BAD("7") BAD("8")})), OK);
  assert_string_equal(health_text(f), "ok 0 ok  |  | ");
  assert_int_equal(fixture_sync(f, PAGES({.bytes = BAD("9") BAD("10") BAD("11") BAD("12")})), OK);
  assert_string_equal(health_text(f), "ok 0 ok  |  | ");
}

/* ---- volume ---- */

static const char *many(int count) {
  static struct buffer text;
  static int serial;
  if (text.limit == 0) {
    buffer_init(&text, 1 << 20);
  }
  buffer_reset(&text);
  serial += 1000;
  buffer_text(&text, "[");
  for (int i = 0; i < count; i++) {
    buffer_printf(&text, "%s{\"id\":\"%d\",\"date\":\"2024-01-01\"}", i == 0 ? "" : ",", serial + i);
  }
  buffer_text(&text, "]");
  return text.data;
}

static const char *volume_of(struct fixture *f, int count) {
  assert_int_equal(fixture_sync(f, PAGES({.bytes = many(count)})), OK);
  return f->result.warning;
}

#define LITTLE "the source gave 19 records, where 40 are usual: nothing was deleted for it"

/* Passes over everything: against the median, of three at least. */
static void test_volume(void **state) {
  struct fixture *f = *state;
  assert_string_equal(volume_of(f, 40), "");
  assert_string_equal(volume_of(f, 41), "");
  assert_string_equal(volume_of(f, 15), ""); /* two are no history */
  assert_string_equal(volume_of(f, 40), "");
  assert_string_equal(volume_of(f, 20), ""); /* half of it is not less than half */
  assert_string_equal(volume_of(f, 40), "");
  int64_t records = fixture_count(f, "SELECT count(*) FROM raw_record WHERE to_run IS NULL");
  assert_string_equal(volume_of(f, 19), LITTLE);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM raw_record WHERE to_run IS NULL"), records + 19);
  assert_string_equal(health_text(f), "ok 0 ok  |  | "); /* a warning, no health */
  assert_int_equal(fixture_count(f, "SELECT message = '" LITTLE "' FROM run ORDER BY run_id DESC LIMIT 1"), 1);
}

static void test_volume_of_few(void **state) {
  struct fixture *f = *state;
  for (int i = 0; i < 5; i++) {
    assert_string_equal(volume_of(f, 15), "");
  }
  assert_string_equal(volume_of(f, 1), ""); /* chance */
}

/* Passes over what is new: by weeks, so that a night, a Sunday or another schedule is no drop. */
static void test_volume_of_weeks(void **state) {
  struct fixture *f = *state;
  static const int past[] = {29, 22, 15, 8}; /* days ago */
  for (size_t i = 0; i < sizeof past / sizeof *past; i++) {
    char sql[160];
    assert_int_equal(fixture_sync(f, PAGES({.bytes = many(60), .watermark = "2024-01-01"})), OK);
    assert_string_equal(f->result.warning, "");
    snprintf(sql, sizeof sql, "UPDATE run SET started = %lld WHERE run_id = (SELECT max(run_id) FROM run)",
             (long long)(clock_now() - past[i] * INT64_C(24) * 3600 * 1000000));
    execute(f, sql);
  }
  assert_int_equal(fixture_sync(f, PAGES({.bytes = many(29), .watermark = "2024-01-02"})), OK);
  assert_string_equal(f->result.warning,
                      "the source gave 29 records in the last seven days, where 60 a week are usual");
  assert_int_equal(fixture_sync(f, PAGES({.bytes = many(1), .watermark = "2024-01-03"})), OK);
  assert_string_equal(f->result.warning, ""); /* 30 in the week: half is enough */
}

int main(void) {
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_kinds),
      WITH(test_failures_and_recovery),
      WITH(test_interrupted),
      WITH(test_own_side),
      WITH(test_empty),
      WITH(test_mostly_quarantined),
      WITH(test_always_quarantined),
      WITH(test_volume),
      WITH(test_volume_of_few),
      WITH(test_volume_of_weeks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
