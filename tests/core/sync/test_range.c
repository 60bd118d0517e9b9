/* Backfills: what a person may give as their range, and what they leave alone, in both stores. */
#include "core/sync/sync.h"
#include "tests/support/bench.h"
#include "tests/support/postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const char MAPPING[] = "source: demo\nformat: json\ncase:\n  key: id\n  denuncia_number: id\n";

#define RECORD(id) "{\"id\":\"" id "\"}\n"

static struct fixture *make(bool postgres) {
  return postgres ? fixture_make_postgres(MAPPING, postgres_start()) : fixture_make(MAPPING);
}

static void assert_done(struct fixture *f, enum status status) {
  if (status != OK) {
    fail_msg("%s (%s)", f->error.message, f->error.place);
  }
}

static enum status pull(struct fixture *f, const char *since, const char *until) {
  static const struct scripted_page page[] = {{.bytes = RECORD("7"), .watermark = "2021-01-01T00:00:00Z"}};
  f->options.since = since;
  f->options.until = until;
  return fixture_sync(f, page, 1);
}

static void refused(struct fixture *f, const char *since, const char *until, const char *message, const char *hint) {
  scripted.opened = 0;
  assert_int_equal(pull(f, since, until), ERR_USAGE);
  assert_string_equal(f->error.message, message);
  assert_string_equal(f->error.place, "source demo");
  assert_string_equal(f->error.hint, hint);
  assert_int_equal(scripted.opened, 0);
  assert_int_equal(f->result.run, 0);
}

#define HINT "write 2024-01-31 or 2024-01-31T08:30:00Z; a number only where the marks of the source are numbers"

static void test_texts(void **state) {
  struct fixture *f = make(false);
  (void)state;
  refused(f, "yesterday", NULL, "--since yesterday: that is neither a date nor a time", HINT);
  refused(f, "2024-02-31", NULL, "--since 2024-02-31: that is neither a date nor a time", HINT);
  refused(f, "2024-01-01", "soon", "--until soon: that is neither a date nor a time", HINT);
  refused(f, "2024-02-01", "2024-01-31", "--since 2024-02-01 lies after --until 2024-01-31", "");
  refused(f, "200", "100", "--since 200 lies after --until 100", "");
  assert_done(f, pull(f, "100", "200"));
  assert_done(f, pull(f, "2024-01-31T08:30:00Z", "2024-01-31"));
  assert_done(f, pull(f, "2024-01-31 08:30:00", NULL));
  fixture_free(f);
}

/* What is right depends on the marks that the source is known to have. */
static void test_marks(void **state) {
  static const struct scripted_page times[] = {{.bytes = RECORD("1"), .watermark = "2024-03-01 00:00:00"}};
  static const struct scripted_page numbers[] = {{.bytes = RECORD("1"), .watermark = "4711"}};
  static const struct scripted_page others[] = {{.bytes = RECORD("1"), .watermark = "v-12"}};
  (void)state;
  struct fixture *f = make(false);
  assert_done(f, fixture_sync(f, times, 1));
  refused(f, "4000", NULL, "--since 4000: that is neither a date nor a time", HINT);
  fixture_free(f);
  f = make(false);
  assert_done(f, fixture_sync(f, numbers, 1));
  refused(f, "2024-01-01", NULL, "--since 2024-01-01: the marks of this source are numbers",
          "write a number, as the source counts");
  assert_done(f, pull(f, "4000", "4500"));
  assert_string_equal(scripted.watermark, "4000");
  assert_string_equal(scripted.until, "4500");
  fixture_free(f);
  f = make(false);
  assert_done(f, fixture_sync(f, others, 1));
  assert_done(f, pull(f, "v-10", NULL));
  fixture_free(f);
}

static void test_source_without_dates(void **state) {
  struct fixture *f = make(false);
  (void)state;
  scripted.gives_all = true;
  refused(f, "2024-01-01", "2024-01-31", "the source cannot be asked for what changed up to a date",
          "`puente connectors scripted` tells which options narrow a pass");
  assert_done(f, pull(f, "2024-01-01", NULL));
  assert_string_equal(f->result.warning, "it cannot be asked for what changed since a date: everything was pulled");
  scripted.gives_all = false;
  f->source.connector = connector_find("file");
  f->options.until = "2024-01-31";
  struct workbench bench = fixture_bench(f);
  assert_int_equal(sync_source(&bench, &f->source, f->source_id, &f->options, &f->result, &f->error), ERR_USAGE);
  assert_string_equal(f->error.hint, "connector file always gives everything: leave --until out; what is here does not "
                                     "land again");
  fixture_free(f);
}

/* A backfill of a swept source deletes nothing, and leaves cursor and watermark; done again, nothing changes. */
static void leaves_alone(bool postgres) {
  static const struct scripted_page all[] = {
      {.bytes = RECORD("1") RECORD("2") RECORD("3"), .watermark = "2024-03-01T00:00:00Z"}};
  struct fixture *f = make(postgres);
  f->source.deletes = DELETES_SWEEP;
  f->source.max_drop = 1.0;
  assert_done(f, fixture_sync(f, all, 1));
  for (int i = 0; i < 2; i++) {
    assert_done(f, pull(f, "2020-01-01", "2020-12-31"));
    assert_int_equal(f->result.counts.deleted, 0);
    assert_int_equal(f->result.counts.fresh, i == 0);
    assert_int_equal(f->result.counts.unchanged, i == 1);
    struct record_tally tally;
    assert_done(f, store_tally(f->store, f->source_id, &tally, &f->error));
    assert_int_equal(tally.records[RECORD_MAPPED], 4);
  }
  struct pass pass;
  assert_done(f, store_pass(f->store, f->source_id, &pass, &f->error));
  assert_null(pass.cursor);
  assert_int_equal(pass.complete_run, 1);
  pass_free(&pass);
  fixture_free(f);
}

static void test_leaves_alone_sqlite(void **state) {
  (void)state;
  leaves_alone(false);
}
static void test_leaves_alone_postgres(void **state) {
  (void)state;
  leaves_alone(true);
}

/* A range does not begin where a former pass stopped; that one goes on afterwards where a backfill came between. */
static void test_begins_anew(void **state) {
  static const struct scripted_page broken[] = {{.bytes = RECORD("1"), .watermark = "2024-03-01T00:00:00Z"},
                                                {.fails = ERR_NETWORK}};
  static const struct scripted_page whole[] = {{.bytes = RECORD("1")}, {.bytes = RECORD("2")}};
  (void)state;
  struct fixture *f = make(false);
  assert_int_equal(fixture_sync(f, broken, 2), ERR_NETWORK);
  assert_done(f, pull(f, NULL, "2020-12-31"));
  assert_string_equal(scripted.cursor, "");
  assert_done(f, pull(f, "2020-01-01", "2020-12-31"));
  assert_string_equal(scripted.cursor, "");
  f->options.since = f->options.until = NULL;
  assert_done(f, fixture_sync(f, whole, 2));
  assert_string_equal(scripted.cursor, "1");
  fixture_free(f);
  f = make(false);
  assert_int_equal(fixture_sync(f, broken, 2), ERR_NETWORK);
  assert_done(f, pull(f, "2020-01-01", NULL));
  assert_string_equal(scripted.cursor, "");
  assert_string_equal(scripted.watermark, "2020-01-01");
  fixture_free(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_texts),
      cmocka_unit_test(test_marks),
      cmocka_unit_test(test_source_without_dates),
      cmocka_unit_test(test_begins_anew),
      cmocka_unit_test(test_leaves_alone_sqlite),
      cmocka_unit_test(test_leaves_alone_postgres),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
