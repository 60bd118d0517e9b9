/* The walk into PostgreSQL: what the store promises to both is told by tests/core/store; here that the two threads, the
 * leases and the transactions of the walk fit it. */
#include "core/audit/audit.h"
#include "core/sync/sync.h"
#include "tests/support/bench.h"
#include "tests/support/postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const char MAPPING[] = "source: demo\nformat: json\ndeleted: {path: gone, equals: yes}\n"
                              "case:\n  key: id\n  denuncia_number: id\n  reported_on: {from: date, else: quarantine}\n"
                              "person:\n  key: [id, victim]\n  role: victim\n  paternal_surname: surname\n";

#define RECORD(id, date) "{\"id\":\"" id "\",\"victim\":\"a\",\"date\":\"" date "\",\"surname\":\"QUISPE\"}\n"

static struct record_tally tally(struct fixture *f) {
  struct record_tally found;
  if (store_tally(f->store, f->source_id, &found, &f->error) != OK) {
    fail_msg("%s", f->error.message);
  }
  return found;
}

static void assert_done(struct fixture *f, enum status status) {
  if (status != OK) {
    fail_msg("%s (%s)", f->error.message, f->error.place);
  }
}

static void test_walk(void **state) {
  static const struct scripted_page first[] = {
      {.bytes = RECORD("1", "2024-01-01") RECORD("2", "2024-01-02"), .watermark = "1", .memory = "m"},
      {.bytes = RECORD("3", "soon"), .watermark = "2"},
  };
  static const struct scripted_page second[] = {
      {.bytes = RECORD("1", "2024-02-02") RECORD("2", "2024-01-02"), .watermark = "3"},
      {.bytes = "{\"id\":\"2\",\"gone\":\"yes\"}\n" RECORD("4", "2024-01-04"), .watermark = "4"},
  };
  (void)state;
  struct fixture *f = fixture_make_postgres(MAPPING, postgres_start());
  f->source.deletes = DELETES_TOMBSTONE;
  assert_done(f, fixture_sync(f, first, 2));
  assert_int_equal(f->result.counts.fresh, 3);
  assert_int_equal(tally(f).records[RECORD_MAPPED], 2);
  assert_int_equal(tally(f).records[RECORD_QUARANTINED], 1);
  assert_done(f, fixture_sync(f, second, 2));
  assert_int_equal(f->result.counts.fresh, 1);
  assert_int_equal(f->result.counts.changed, 2);
  assert_int_equal(f->result.counts.unchanged, 1);
  assert_int_equal(f->result.counts.deleted, 1);
  assert_int_equal(tally(f).records[RECORD_MAPPED], 2);
  assert_done(f, fixture_sync(f, second, 2));
  assert_int_equal(f->result.counts.fresh, 0);
  struct audit_check check;
  assert_done(f, audit_verify(f->store, &check, &f->error));
  assert_int_equal(check.first_wrong, 0);
  fixture_free(f);
}

static void test_goes_on(void **state) {
  static const struct scripted_page broken[] = {{.bytes = RECORD("1", "2024-01-01")}, {.fails = ERR_NETWORK}};
  static const struct scripted_page whole[] = {{.bytes = RECORD("1", "2024-01-01")},
                                               {.bytes = RECORD("2", "2024-01-01")}};
  (void)state;
  struct fixture *f = fixture_make_postgres(MAPPING, postgres_start());
  f->source.deletes = DELETES_SWEEP;
  assert_int_equal(fixture_sync(f, broken, 2), ERR_NETWORK);
  assert_int_equal(tally(f).records[RECORD_MAPPED], 1);
  fixture_reopen(f);
  assert_done(f, fixture_sync(f, whole, 2));
  assert_string_equal(scripted.cursor, "1");
  assert_int_equal(f->result.counts.fresh, 1);
  assert_int_equal(f->result.counts.deleted, 0);
  assert_done(f, fixture_sync(f, whole + 1, 1));
  assert_int_equal(f->result.counts.deleted, 1);
  assert_int_equal(tally(f).records[RECORD_MAPPED], 1);
  fixture_free(f);
}

static void test_server_ends(void **state) {
  static const struct scripted_page pages[] = {{.bytes = RECORD("1", "2024-01-01")},
                                               {.bytes = RECORD("2", "2024-01-01")}};
  (void)state;
  struct fixture *f = fixture_make_postgres(MAPPING, postgres_start());
  assert_done(f, fixture_sync(f, pages, 1));
  postgres_stop(1);
  f->options.full = true;
  assert_int_not_equal(fixture_sync(f, pages, 2), OK);
  assert_int_equal(strncmp(f->error.place, "source demo", 11), 0);
  postgres_again();
  fixture_reopen(f);
  assert_done(f, fixture_sync(f, pages, 2));
  assert_int_equal(f->result.counts.fresh, 1);
  assert_int_equal(tally(f).records[RECORD_MAPPED], 2);
  fixture_free(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_walk), cmocka_unit_test(test_goes_on),
                                     cmocka_unit_test(test_server_ends)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
