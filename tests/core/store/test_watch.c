/* What the store keeps about unattended work: holds, duties, health, fields, drift, expiries, notices; on both stores.
 */
#include "tests/support/contract.h"
#include "tests/support/postgres.h"

#include "core/store/watch.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_held(struct store *store, const char *name) {
  struct error error;
  bool held = false;
  MUST(store_held(store, name, &held, &error));
  return held;
}

/* PostgreSQL sees the end of a connection a moment later. */
static void wait_until_free(struct store *store, const char *name) {
  for (int i = 0; i < 500 && is_held(store, name); i++) {
    (void)poll(NULL, 0, 10);
  }
}

/* Two handles of one process exclude each other as two processes do. */
static void test_hold(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct store *other;
  MUST(store_open(&stand->options, &other, &error));
  assert_false(is_held(other, "sync:alpha"));
  MUST(store_hold(stand->store, "sync:alpha", &error));
  MUST(store_hold(stand->store, "sync:alpha", &error)); /* has it already */
  assert_int_equal(store_hold(other, "sync:alpha", &error), ERR_BUSY);
  assert_string_equal(error.message, "another process is at it: sync:alpha");
  assert_string_equal(error.hint, "wait for it to end; `puente status` shows what runs");
  assert_true(is_held(other, "sync:alpha"));
  assert_false(is_held(stand->store, "sync:alpha")); /* by no other one */
  MUST(store_hold(other, "sync:beta", &error));
  store_unhold(other, "sync:alpha"); /* is not its own: stays */
  assert_int_equal(store_hold(other, "sync:alpha", &error), ERR_BUSY);
  store_unhold(stand->store, "sync:alpha"); /* once, however often it was taken */
  MUST(store_hold(other, "sync:alpha", &error));
  store_close(other);
  wait_until_free(stand->store, "sync:alpha");
  MUST(store_hold(stand->store, "sync:alpha", &error));
  MUST(store_hold(stand->store, "sync:beta", &error));
}

/* A transaction that is undone lets go of nothing. */
static void test_hold_outlives_transactions(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct store *other;
  MUST(store_open(&stand->options, &other, &error));
  MUST(store_begin(stand->store, &error));
  MUST(store_hold(stand->store, "link", &error));
  store_rollback(stand->store);
  assert_int_equal(store_hold(other, "link", &error), ERR_BUSY);
  store_close(other);
}

/* A reader, that may write nothing, sees what is held. */
static void test_held_by_reader(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct store *reader;
  struct store_options options = stand->options;
  options.read_only = true;
  MUST(store_open(&options, &reader, &error));
  assert_false(is_held(reader, "sync:alpha"));
  MUST(store_hold(stand->store, "sync:alpha", &error));
  assert_true(is_held(reader, "sync:alpha"));
  if (stand->options.kind == STORE_SQLITE) {
    char path[300];
    struct stat info;
    snprintf(path, sizeof path, "%s-hold", stand->path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(info.st_size, 0);
  }
  store_close(reader);
}

/* The kernel, or the server, lets go of what a killed process held. */
static void test_hold_ends_with_process(void **state) {
  struct stand *stand = *state;
  struct error error;
  int ends[2];
  char byte;
  assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
  pid_t child = fork();
  if (child == 0) {
    struct store *store;
    MUST(store_open(&stand->options, &store, &error));
    MUST(store_hold(store, "sync:alpha", &error));
    if (write(ends[1], "x", 1) == 1) {
      pause();
    }
    _exit(1);
  }
  close(ends[1]);
  assert_int_equal(read(ends[0], &byte, 1), 1);
  assert_true(is_held(stand->store, "sync:alpha"));
  assert_int_equal(store_hold(stand->store, "sync:alpha", &error), ERR_BUSY);
  kill(child, SIGKILL);
  int how = 0;
  assert_int_equal(waitpid(child, &how, 0), child);
  close(ends[0]);
  wait_until_free(stand->store, "sync:alpha");
  MUST(store_hold(stand->store, "sync:alpha", &error));
}

static void test_duty(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct duty duty = {.due = 1};
  MUST(store_duty(stand->store, "sync:alpha", &duty, &error));
  assert_int_equal(duty.due + duty.began + duty.ended, 0);
  assert_int_equal(duty.outcome, OK);
  duty = (struct duty){.due = 1000, .began = 1001, .ended = 0, .outcome = OK};
  MUST(store_duty_save(stand->store, "sync:alpha", &duty, &error));
  duty = (struct duty){.due = INT64_MAX - 1, .began = 1001, .ended = 1002, .outcome = ERR_NETWORK};
  MUST(store_begin(stand->store, &error));
  MUST(store_duty_save(stand->store, "sync:alpha", &duty, &error));
  MUST(store_commit(stand->store, &error));
  stand_reopen(stand);
  MUST(store_duty(stand->store, "sync:alpha", &duty, &error));
  assert_int_equal(duty.due, INT64_MAX - 1);
  assert_int_equal(duty.began, 1001);
  assert_int_equal(duty.ended, 1002);
  assert_int_equal(duty.outcome, ERR_NETWORK);
  MUST(store_duty(stand->store, "sync:beta", &duty, &error));
  assert_int_equal(duty.due, 0);
}

static void test_health(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct arena *arena = arena_new(0);
  struct source_health health;
  contract_sources(stand);
  MUST(store_health(stand->store, 1, arena, &health, &error));
  assert_int_equal(health.health, HEALTH_UNKNOWN);
  assert_null(health.message);
  health = (struct source_health){.health = HEALTH_UNREACHABLE,
                                  .since = 1700000000000000,
                                  .failures = 3,
                                  .tried = 1700000001000000,
                                  .error = ERR_NETWORK,
                                  .message = "the host cannot be reached",
                                  .place = "source alpha",
                                  .hint = "try again"};
  assert_int_equal(store_health_save(stand->store, 1, &health, &error), ERR_INTERNAL); /* outside a transaction */
  MUST(store_begin(stand->store, &error));
  MUST(store_health_save(stand->store, 1, &health, &error));
  MUST(store_commit(stand->store, &error));
  stand_reopen(stand);
  MUST(store_health(stand->store, 1, arena, &health, &error));
  assert_int_equal(health.health, HEALTH_UNREACHABLE);
  assert_int_equal(health.since, 1700000000000000);
  assert_int_equal(health.failures, 3);
  assert_int_equal(health.tried, 1700000001000000);
  assert_int_equal(health.succeeded, 0);
  assert_int_equal(health.error, ERR_NETWORK);
  assert_string_equal(health.message, "the host cannot be reached");
  assert_string_equal(health.place, "source alpha");
  assert_string_equal(health.hint, "try again");
  TEXT_IS(query_text(stand, "SELECT source, health, since, failures, succeeded, message FROM source_health"),
          "alpha|unreachable|2023-11-14T22:13:20.000Z|3|null|the host cannot be reached");
  health = (struct source_health){.health = HEALTH_OK, .since = 1700000002000000, .succeeded = 1700000002000000};
  MUST(store_begin(stand->store, &error));
  MUST(store_health_save(stand->store, 1, &health, &error));
  MUST(store_commit(stand->store, &error));
  TEXT_IS(query_text(stand, "SELECT source, health, failures, message, hint FROM source_health"),
          "alpha|ok|0|null|null");
  arena_free(arena);
}

static enum status join_field(void *context, const struct field_seen *field, struct error *error) {
  (void)error;
  buffer_printf(context, "%.*s:%d:%d/%d:%d-%d ", SLICE_ARG(field->path), field->kinds, (int)field->records,
                (int)field->looked, (int)field->first_run, (int)field->last_run);
  return OK;
}

static void test_fields(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct buffer found;
  contract_sources(stand);
  const struct field_seen fields[] = {
      {slice_of("persons/sex"), KIND_TEXT | KIND_NULL, 9, 10, 1, 1},
      {slice_of("number"), KIND_NUMBER, 10, 10, 1, 1},
  };
  MUST(store_begin(stand->store, &error));
  MUST(store_save_fields(stand->store, 1, fields, 2, &error));
  MUST(store_save_fields(stand->store, 2, fields, 1, &error));
  const struct field_seen later = {slice_of("number"), KIND_NUMBER | KIND_TEXT, 20, 21, 1, 2};
  MUST(store_save_fields(stand->store, 1, &later, 1, &error));
  MUST(store_commit(stand->store, &error));
  buffer_init(&found, 4096);
  MUST(store_visit_fields(stand->store, 1, join_field, &found, &error));
  assert_string_equal(found.data, "number:12:20/21:1-2 persons/sex:9:9/10:1-1 ");
  buffer_free(&found);
  TEXT_IS(query_text(stand, "SELECT path, kinds, records FROM source_fields WHERE source = 'beta'"), "persons/sex|9|9");
}

static enum status join_drift(void *context, const struct drift *drift, struct error *error) {
  (void)error;
  buffer_printf(context, "%.*s:%s:%d>%d%s:%d@%d ", SLICE_ARG(drift->path), drift_names[drift->kind], drift->was,
                drift->is, drift->mapped ? ":mapped" : "", (int)drift->run, (int)drift->since);
  return OK;
}

static void drift_is(struct stand *stand, const struct drift *drifts, size_t count, const char *wanted) {
  struct error error;
  struct buffer found;
  MUST(store_begin(stand->store, &error));
  MUST(store_replace_drift(stand->store, 1, drifts, count, &error));
  MUST(store_commit(stand->store, &error));
  buffer_init(&found, 4096);
  buffer_text(&found, "");
  MUST(store_visit_drift(stand->store, 1, join_drift, &found, &error));
  assert_string_equal(found.data, wanted);
  buffer_free(&found);
}

/* What stands keeps its beginning, what is no more is closed, what comes again begins anew. */
static void test_drift(void **state) {
  struct stand *stand = *state;
  contract_sources(stand);
  struct drift first[] = {{slice_of("sex"), DRIFT_MISSING, true, KIND_TEXT, 0, 1, 100, 0},
                          {slice_of("age"), DRIFT_RETYPED, false, KIND_NUMBER, KIND_TEXT, 1, 100, 0}};
  struct drift second[] = {{slice_of("age"), DRIFT_RETYPED, true, KIND_NUMBER, KIND_LIST, 2, 200, 0},
                           {slice_of("zone"), DRIFT_NEW, false, 0, KIND_TEXT, 2, 200, 0}};
  drift_is(stand, first, 2, "age:retyped:4>8:1@100 sex:missing:8>0:mapped:1@100 ");
  drift_is(stand, second, 2, "age:retyped:4>16:mapped:1@100 zone:new:0>8:2@200 ");
  drift_is(stand, NULL, 0, "");
  first[0].run = 3;
  first[0].since = 300;
  drift_is(stand, first, 1, "sex:missing:8>0:mapped:3@300 ");
  TEXT_IS(query_text(stand, "SELECT path, kind, run, closed IS NULL FROM source_drift ORDER BY path, run"),
          stand->options.kind == STORE_POSTGRES ? "age|retyped|1|f;sex|missing|1|f;sex|missing|3|t;zone|new|2|f"
                                                : "age|retyped|1|0;sex|missing|1|0;sex|missing|3|1;zone|new|2|0");
}

/* A person accepts one field, or all. */
static void test_drift_accepted(void **state) {
  struct stand *stand = *state;
  struct error error;
  contract_sources(stand);
  const struct drift both[] = {{slice_of("sex"), DRIFT_MISSING, true, KIND_TEXT, 0, 1, 100, 0},
                               {slice_of("age"), DRIFT_RETYPED, false, KIND_NUMBER, KIND_TEXT, 1, 100, 0}};
  drift_is(stand, both, 2, "age:retyped:4>8:1@100 sex:missing:8>0:mapped:1@100 ");
  assert_int_equal(store_accept_drift(stand->store, 1, NULL, &error), ERR_INTERNAL); /* outside a transaction */
  MUST(store_begin(stand->store, &error));
  MUST(store_accept_drift(stand->store, 2, NULL, &error)); /* of another source */
  MUST(store_accept_drift(stand->store, 2, "age", &error));
  MUST(store_accept_drift(stand->store, 1, "sex", &error));
  MUST(store_commit(stand->store, &error));
  TEXT_IS(query_text(stand, "SELECT path FROM source_drift WHERE closed IS NULL"), "age");
  MUST(store_begin(stand->store, &error));
  MUST(store_accept_drift(stand->store, 1, NULL, &error));
  MUST(store_commit(stand->store, &error));
  TEXT_IS(query_text(stand, "SELECT path FROM source_drift WHERE closed IS NULL"), "");
}

static enum status join_expiry(void *context, const struct expiry_seen *expiry, struct error *error) {
  (void)error;
  buffer_printf(context, "%d:%s:%d@%d ", expiry->source_id, expiry->what, (int)expiry->at, (int)expiry->seen);
  return OK;
}

static void test_expiries(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct buffer found;
  struct expiry_seen expiry = {.source_id = 2, .what = "server_certificate", .at = 500, .seen = 100};
  MUST(store_expiry_save(stand->store, &expiry, &error));
  expiry.source_id = 1;
  MUST(store_expiry_save(stand->store, &expiry, &error));
  expiry.at = 900;
  expiry.seen = 200;
  MUST(store_expiry_save(stand->store, &expiry, &error));
  buffer_init(&found, 4096);
  MUST(store_visit_expiries(stand->store, join_expiry, &found, &error));
  assert_string_equal(found.data, "1:server_certificate:900@200 2:server_certificate:500@100 ");
  buffer_free(&found);
}

static enum status join_notice(void *context, const struct notice *notice, struct error *error) {
  (void)error;
  buffer_printf(context, "%s:%d:%d:%d ", notice->name, (int)notice->since, (int)notice->sent, (int)notice->level);
  return OK;
}

static void test_notices(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct buffer found;
  struct notice notice = {.name = "source:beta:refused", .since = 10};
  MUST(store_notice_save(stand->store, &notice, &error));
  notice = (struct notice){.name = "quarantine:alpha", .since = 20, .sent = 21, .level = 140};
  MUST(store_notice_save(stand->store, &notice, &error));
  notice = (struct notice){.name = "source:beta:refused", .since = 10, .sent = 12};
  MUST(store_notice_save(stand->store, &notice, &error));
  buffer_init(&found, 4096);
  MUST(store_visit_notices(stand->store, join_notice, &found, &error));
  assert_string_equal(found.data, "quarantine:alpha:20:21:140 source:beta:refused:10:12:0 ");
  notice.closed = 30;
  MUST(store_notice_save(stand->store, &notice, &error));
  buffer_reset(&found);
  MUST(store_visit_notices(stand->store, join_notice, &found, &error));
  assert_string_equal(found.data, "quarantine:alpha:20:21:140 ");
  buffer_free(&found);
}

/* A store of format 5 gains what is kept here. */
static void test_migrated(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct buffer backup;
  int from = 0, to = 0;
  const char *cascade = stand->options.kind == STORE_POSTGRES ? "CASCADE" : "";
  const char *const tables[] = {"duty", "health", "field", "drift", "expiry", "notice"};
  const char *const views[] = {"source_health", "source_fields", "source_drift"};
  contract_sources(stand);
  store_close(stand->store);
  stand->store = NULL;
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    char sql[128];
    if (stand->options.kind == STORE_SQLITE && i < sizeof views / sizeof *views) {
      snprintf(sql, sizeof sql, "DROP VIEW %s", views[i]);
      contract_sql(stand, sql);
    }
    snprintf(sql, sizeof sql, "DROP TABLE %s %s", tables[i], cascade);
    contract_sql(stand, sql);
  }
  contract_sql(stand, stand->options.kind == STORE_POSTGRES ? "UPDATE meta SET value = '5' WHERE name = 'version'"
                                                            : "PRAGMA user_version = 5");
  assert_int_equal(store_open(&stand->options, &stand->store, &error), ERR_CONFIG);
  char needs[80];
  snprintf(needs, sizeof needs, "the store is of version 5, this program needs %d", store_format());
  assert_string_equal(error.message, needs);
  char *here = getcwd(NULL, 0);
  assert_int_equal(chdir(stand->folder), 0); /* where the copy of a PostgreSQL store is put */
  buffer_init(&backup, 4096);
  MUST(store_migrate(&stand->options, &from, &to, &backup, &error));
  buffer_free(&backup);
  assert_int_equal(chdir(here), 0);
  free(here);
  assert_int_equal(from, 5);
  assert_int_equal(to, store_format());
  MUST(store_open(&stand->options, &stand->store, &error));
  assert_int_equal(view_count(stand, "sources", NULL, NULL), 2);
  assert_int_equal(view_count(stand, "source_drift", NULL, NULL), 0);
  struct duty duty = {.due = 7};
  MUST(store_duty_save(stand->store, "link", &duty, &error));
  MUST(store_hold(stand->store, "link", &error));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      EACH(test_hold),           EACH(test_hold_outlives_transactions),
      EACH(test_held_by_reader), EACH(test_hold_ends_with_process),
      EACH(test_duty),           EACH(test_health),
      EACH(test_fields),         EACH(test_drift),
      EACH(test_drift_accepted), EACH(test_expiries),
      EACH(test_notices),        EACH(test_migrated),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
