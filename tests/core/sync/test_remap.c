#include "core/sync/sync.h"
#include "tests/support/bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEAD "source: demo\nformat: json\n"
#define CASE "case:\n  key: id\n  denuncia_number: id\n"
#define PERSON "person:\n  key: [id, victim]\n  role: victim\n  paternal_surname: surname\n"

#define A "{\"id\":\"1\",\"victim\":\"a\",\"date\":\"01/02/2024\",\"surname\":\"QUISPE\",\"number\":\"x1\"}\n"
#define B "{\"id\":\"2\",\"victim\":\"a\",\"date\":\"2024-01-02\",\"surname\":\"HUAMAN\",\"number\":\"x2\"}\n"
#define NO_ID "{\"victim\":\"a\",\"date\":\"2024-01-03\",\"surname\":\"ROJAS\",\"number\":\"x3\"}\n"

static const struct scripted_page PAGES[] = {{.bytes = A B NO_ID}};

static enum status remap(struct fixture *f, int state) {
  struct workbench bench = fixture_bench(f);
  return sync_remap(&bench, &f->source, f->source_id, state, &f->options, &f->result, &f->error);
}

static int64_t count(const struct fixture *f, const char *sql) {
  return fixture_count(f, sql);
}

static struct fixture *landed(const char *mapping) {
  struct fixture *f = fixture_make(mapping);
  assert_int_equal(fixture_sync(f, PAGES, 1), OK);
  return f;
}

static void test_nothing_changed(void **state) {
  (void)state;
  struct fixture *f = landed(HEAD CASE PERSON);
  int64_t entries = count(f, "SELECT count(*) FROM audit_log WHERE event = 'remap'");
  assert_int_equal(remap(f, -1), OK);
  assert_int_equal(f->result.counts.pulled, 3);
  assert_int_equal(f->result.counts.unchanged, 2);
  assert_int_equal(f->result.counts.changed, 1);
  assert_int_equal(f->result.counts.quarantined, 1);
  assert_int_equal(count(f, "SELECT count(*) FROM audit_log WHERE event = 'remap'"), entries + 1);
  fixture_free(f);
}

static void test_another_mapping(void **state) {
  (void)state;
  struct fixture *f = landed(HEAD CASE PERSON);
  fixture_map(f, HEAD CASE "  reported_on: {from: date, date: [\"%d/%m/%Y\", \"%Y-%m-%d\"]}\n" PERSON);
  assert_int_equal(remap(f, -1), OK);
  assert_int_equal(f->result.counts.changed, 3);
  assert_int_equal(f->result.counts.mapped, 2);
  assert_int_equal(f->result.staged.opened, 2);
  assert_int_equal(f->result.staged.closed, 2);
  assert_int_equal(count(f, "SELECT count(*) FROM st_case WHERE to_run IS NULL AND reported_on = '2024-02-01'"), 1);
  assert_int_equal(count(f, "SELECT count(*) FROM st_case WHERE to_run IS NULL"), 2);
  assert_int_equal(count(f, "SELECT count(*) FROM raw_record"), 3);
  fixture_free(f);
}

static void test_retry(void **state) {
  (void)state;
  struct fixture *f =
      fixture_make(HEAD CASE "  reported_on: {from: date, date: \"%Y-%m-%d\", else: quarantine}\n" PERSON);
  assert_int_equal(fixture_sync(f, PAGES, 1), OK);
  assert_int_equal(f->result.counts.quarantined, 2);
  assert_int_equal(count(f, "SELECT count(*) FROM st_case"), 1);
  fixture_map(f,
              HEAD CASE "  reported_on: {from: date, date: [\"%d/%m/%Y\", \"%Y-%m-%d\"], else: quarantine}\n" PERSON);
  assert_int_equal(remap(f, RECORD_QUARANTINED), OK);
  assert_int_equal(f->result.counts.pulled, 2);
  assert_int_equal(f->result.counts.mapped, 1);
  assert_int_equal(f->result.counts.quarantined, 1);
  assert_int_equal(count(f, "SELECT count(*) FROM st_case WHERE to_run IS NULL"), 2);
  assert_int_equal(count(f, "SELECT count(*) FROM run WHERE kind = 'retry'"), 1);
  fixture_free(f);
}

/* A mapping that names another key: the same bytes are then other records, and the former ones end. */
static void test_another_key(void **state) {
  (void)state;
  struct fixture *f = landed(HEAD CASE PERSON);
  assert_int_equal(count(f, "SELECT count(*) FROM st_case WHERE to_run IS NULL"), 2);
  fixture_map(f, HEAD "case:\n  key: number\n  denuncia_number: number\n"
                      "person:\n  key: [number, victim]\n  role: victim\n  paternal_surname: surname\n");
  assert_int_equal(remap(f, -1), OK);
  assert_int_equal(f->result.counts.pulled, 3);
  assert_int_equal(f->result.counts.fresh, 3);
  assert_int_equal(f->result.counts.mapped, 3);
  assert_int_equal(count(f, "SELECT count(*) FROM st_case WHERE to_run IS NULL"), 3);
  assert_int_equal(count(f, "SELECT count(*) FROM raw_record WHERE to_run IS NULL"), 3);
  assert_int_equal(count(f, "SELECT count(*) FROM raw_record WHERE to_run IS NULL AND source_key = 'x3'"), 1);
  f->options.full = true;
  assert_int_equal(fixture_sync(f, PAGES, 1), OK);
  assert_int_equal(f->result.counts.unchanged, 3);
  fixture_free(f);
}

static void test_refused_and_deleted_now(void **state) {
  (void)state;
  struct fixture *f = landed(HEAD CASE PERSON);
  fixture_map(f, HEAD "refuse: {path: id, equals: \"1\"}\ndeleted: {path: id, equals: \"2\"}\n" CASE PERSON);
  assert_int_equal(remap(f, -1), OK);
  assert_int_equal(f->result.counts.rejected, 1);
  assert_int_equal(f->result.counts.deleted, 2);
  assert_int_equal(count(f, "SELECT count(*) FROM st_case WHERE to_run IS NULL"), 0);
  fixture_free(f);
}

static void test_dry_run(void **state) {
  (void)state;
  struct fixture *f = landed(HEAD CASE PERSON);
  fixture_map(f, HEAD CASE "  reported_on: {from: date, date: \"%d/%m/%Y\"}\n" PERSON);
  f->options.dry_run = true;
  assert_int_equal(remap(f, -1), OK);
  assert_int_equal(f->result.counts.changed, 3);
  assert_int_equal(count(f, "SELECT count(*) FROM run WHERE kind = 'remap'"), 0);
  assert_int_equal(count(f, "SELECT count(*) FROM st_case WHERE reported_on IS NOT NULL"), 0);
  fixture_free(f);
}

static void test_broken_mapping(void **state) {
  (void)state;
  struct fixture *f = landed(HEAD CASE PERSON);
  fixture_map(f, HEAD "case:\n  key: id\n  denuncia_numbr: id\n");
  assert_int_equal(remap(f, -1), ERR_CONFIG);
  assert_int_equal(count(f, "SELECT count(*) FROM run WHERE kind = 'remap' AND state = 'failed'"), 1);
  assert_int_equal(count(f, "SELECT count(*) FROM st_case WHERE to_run IS NULL"), 2);
  fixture_free(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nothing_changed),
      cmocka_unit_test(test_another_mapping),
      cmocka_unit_test(test_retry),
      cmocka_unit_test(test_another_key),
      cmocka_unit_test(test_refused_and_deleted_now),
      cmocka_unit_test(test_dry_run),
      cmocka_unit_test(test_broken_mapping),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
