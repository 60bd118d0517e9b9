#include "core/store/watch.h"
#include "core/sync/sync.h"
#include "tests/support/bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MAPPING                                                                                                        \
  "source: demo\nformat: json\n"                                                                                       \
  "refuse: {path: side, equals: accused}\n"                                                                            \
  "withhold: {path: consent, equals: none}\n"                                                                          \
  "deleted: {path: gone, equals: yes}\n"                                                                               \
  "case:\n  key: id\n  denuncia_number: id\n  reported_on: {from: date, else: quarantine}\n"                           \
  "person:\n  key: [id, victim]\n  role: victim\n  paternal_surname: surname\n"

#define A "{\"id\":\"1\",\"victim\":\"a\",\"date\":\"2024-01-01\",\"surname\":\"QUISPE\"}\n"
#define B "{\"id\":\"2\",\"victim\":\"a\",\"date\":\"2024-01-02\",\"surname\":\"HUAMAN\"}\n"
#define C "{\"id\":\"3\",\"victim\":\"a\",\"date\":\"2024-01-03\",\"surname\":\"CONDORI\"}\n"
#define B_CHANGED "{\"id\":\"2\",\"victim\":\"a\",\"date\":\"2024-02-02\",\"surname\":\"HUAMAN\"}\n"
#define B_GONE "{\"id\":\"2\",\"gone\":\"yes\"}\n"
#define REFUSED "{\"id\":\"4\",\"side\":\"accused\"}\n"
#define WITHHELD "{\"id\":\"5\",\"victim\":\"a\",\"consent\":\"none\",\"surname\":\"ROJAS\"}\n"
#define BAD_DATE "{\"id\":\"6\",\"victim\":\"a\",\"date\":\"soon\",\"surname\":\"SALAS\"}\n"
#define NO_KEY "{\"victim\":\"a\",\"date\":\"2024-01-01\"}\n"
#define BROKEN "{\"id\":\"7\",,}\n"

#define PAGES(...)                                                                                                     \
  (const struct scripted_page[]){__VA_ARGS__},                                                                         \
      sizeof((const struct scripted_page[]){__VA_ARGS__}) / sizeof(struct scripted_page)

#define assert_done(fixture, status)                                                                                   \
  do {                                                                                                                 \
    if ((status) != OK) {                                                                                              \
      fail_msg("%s (%s)", (fixture)->error.message, (fixture)->error.place);                                           \
    }                                                                                                                  \
  } while (0)

static int setup(void **state) {
  *state = fixture_make(MAPPING);
  return 0;
}

static int teardown(void **state) {
  fixture_free(*state);
  return 0;
}

static int64_t current(const struct fixture *fixture, const char *table) {
  char sql[128];
  snprintf(sql, sizeof sql, "SELECT count(*) FROM %s WHERE to_run IS NULL", table);
  return fixture_count(fixture, sql);
}

static void test_first_and_second(void **state) {
  struct fixture *f = *state;
  assert_done(f, fixture_sync(f, PAGES({.bytes = A B}, {.bytes = C})));
  assert_int_equal(f->result.counts.pulled, 3);
  assert_int_equal(f->result.counts.fresh, 3);
  assert_int_equal(f->result.counts.mapped, 3);
  assert_int_equal(f->result.counts.pages, 2);
  assert_true(f->result.complete);
  assert_false(f->result.nothing_new);
  assert_int_equal(current(f, "raw_record"), 3);
  assert_int_equal(current(f, "st_case"), 3);
  assert_int_equal(current(f, "st_person"), 3);
  assert_int_equal(current(f, "st_involvement"), 3);
  int64_t entries = fixture_count(f, "SELECT count(*) FROM audit_log WHERE event = 'land'");
  assert_int_equal(entries, 2);
  assert_done(f, fixture_sync(f, PAGES({.bytes = A B}, {.bytes = C})));
  assert_int_equal(f->result.counts.unchanged, 3);
  assert_true(f->result.nothing_new);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM audit_log WHERE event = 'land'"), entries);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM run WHERE state = 'done'"), 2);
}

static void test_changed(void **state) {
  struct fixture *f = *state;
  assert_done(f, fixture_sync(f, PAGES({.bytes = A B})));
  assert_done(f, fixture_sync(f, PAGES({.bytes = A B_CHANGED C})));
  assert_int_equal(f->result.counts.fresh, 1);
  assert_int_equal(f->result.counts.changed, 1);
  assert_int_equal(f->result.counts.unchanged, 1);
  assert_int_equal(current(f, "st_case"), 3);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM st_case"), 4);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM st_case WHERE to_run IS NULL AND reported_on = '2024-02-02'"),
                   1);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM raw_record"), 4);
}

static void test_repeated(void **state) {
  struct fixture *f = *state;
  assert_done(f, fixture_sync(f, PAGES({.bytes = A A B}, {.bytes = B C})));
  assert_int_equal(f->result.counts.pulled, 5);
  assert_int_equal(f->result.counts.fresh, 3);
  assert_int_equal(f->result.counts.repeated, 2);
}

static void test_one_key_two_contents(void **state) {
  struct fixture *f = *state;
  assert_done(f, fixture_sync(f, PAGES({.bytes = A B B_CHANGED C})));
  assert_int_equal(f->result.counts.fresh, 3);
  assert_int_equal(f->result.counts.changed, 1);
  assert_string_equal(f->result.warning, "1 records came with a key that another one of the same page has, with other "
                                         "content: both landed");
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM st_case WHERE to_run IS NULL AND reported_on = '2024-02-02'"),
                   1);
}

static void test_outcomes(void **state) {
  struct fixture *f = *state;
  assert_done(f, fixture_sync(f, PAGES({.bytes = A REFUSED WITHHELD BAD_DATE NO_KEY BROKEN C})));
  const struct counts *counts = &f->result.counts;
  assert_int_equal(counts->pulled, 7);
  assert_int_equal(counts->rejected, 1);
  assert_int_equal(counts->fresh, 6);
  assert_int_equal(counts->mapped, 2);
  assert_int_equal(counts->withheld, 1);
  assert_int_equal(counts->quarantined, 3);
  assert_int_equal(current(f, "st_case"), 2);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM raw_record"), 6);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM issue WHERE reason = 'record_broken'"), 1);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM issue WHERE reason = 'key_missing'"), 1);
  assert_done(f, fixture_sync(f, PAGES({.bytes = A REFUSED WITHHELD BAD_DATE NO_KEY BROKEN C})));
  assert_int_equal(f->result.counts.unchanged, 6);
  assert_int_equal(f->result.counts.rejected, 1);
}

static void test_cut(void **state) {
  struct fixture *f = *state;
  static const char *const cut[] = {"surname"};
  f->source.cut = cut;
  f->source.cut_count = 1;
  assert_done(f, fixture_sync(f, PAGES({.bytes = A BROKEN B})));
  assert_int_equal(f->result.counts.cut, 2);
  assert_int_equal(f->result.counts.fresh, 2);
  assert_int_equal(f->result.counts.rejected, 1);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM identity"), 0);
  assert_int_equal(fixture_count(f, "SELECT sum(chunk_length) FROM raw_record") < (int64_t)strlen(A B), 1);
}

static void test_tombstone(void **state) {
  struct fixture *f = *state;
  f->source.deletes = DELETES_TOMBSTONE;
  assert_done(f, fixture_sync(f, PAGES({.bytes = A B})));
  assert_done(f, fixture_sync(f, PAGES({.bytes = B_GONE})));
  assert_int_equal(f->result.counts.changed, 1);
  assert_int_equal(f->result.counts.deleted, 1);
  assert_int_equal(current(f, "st_case"), 1);
  assert_int_equal(current(f, "raw_record"), 1);
  assert_done(f, fixture_sync(f, PAGES({.bytes = B_GONE})));
  assert_true(f->result.nothing_new);
  assert_int_equal(f->result.counts.unchanged, 1);
  assert_done(f, fixture_sync(f, PAGES({.bytes = B})));
  assert_int_equal(f->result.counts.changed, 1);
  assert_int_equal(current(f, "st_case"), 2);
}

static void test_sweep(void **state) {
  struct fixture *f = *state;
  f->source.deletes = DELETES_SWEEP;
  assert_done(f, fixture_sync(f, PAGES({.bytes = A B C})));
  assert_done(f, fixture_sync(f, PAGES({.bytes = A}, {.bytes = C})));
  assert_int_equal(f->result.counts.deleted, 1);
  assert_int_equal(current(f, "st_case"), 2);
  assert_done(f, fixture_sync(f, PAGES({.bytes = "[]"})));
  assert_true(f->result.sweep_refused);
  assert_string_equal(f->result.warning, "2 of 2 records were not in the source any more, more than max_drop (50 %): "
                                         "none was deleted");
  assert_int_equal(current(f, "st_case"), 2);
  assert_done(f, fixture_sync(f, PAGES({.bytes = C})));
  assert_int_equal(f->result.counts.deleted, 1);
  assert_int_equal(current(f, "st_case"), 1);
}

static void test_sweep_needs_a_whole_pass(void **state) {
  struct fixture *f = *state;
  f->source.deletes = DELETES_SWEEP;
  assert_done(f, fixture_sync(f, PAGES({.bytes = A B C})));
  assert_int_equal(fixture_sync(f, PAGES({.bytes = A B}, {.fails = ERR_NETWORK})), ERR_NETWORK);
  assert_int_equal(f->result.counts.deleted, 0);
  assert_int_equal(current(f, "st_case"), 3);
  assert_done(f, fixture_sync(f, PAGES({.bytes = A B}, {.bytes = BROKEN})));
  assert_true(f->result.sweep_refused);
  assert_int_equal(current(f, "st_case"), 3);
}

static void test_watermark(void **state) {
  struct fixture *f = *state;
  f->source.overlap = INT64_C(600) * 1000000;
  assert_done(f, fixture_sync(f, PAGES({.bytes = A, .watermark = "2024-01-01 10:00:00"},
                                       {.bytes = B, .watermark = "2024-01-02 00:05:00"})));
  assert_string_equal(scripted.watermark, "");
  assert_done(f, fixture_sync(f, PAGES({.bytes = C})));
  assert_string_equal(scripted.watermark, "2024-01-01 23:55:00");
  assert_done(f, fixture_sync(f, PAGES({.bytes = A, .watermark = "2024-01-01 23:59:00"})));
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM source WHERE watermark = '2024-01-02 00:05:00'"), 1);
  assert_int_equal(fixture_sync(f, PAGES({.bytes = C, .watermark = "2024-03-01 00:00:00"}, {.fails = ERR_NETWORK})),
                   ERR_NETWORK);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM source WHERE watermark = '2024-01-02 00:05:00'"), 1);
  f->options.full = true;
  assert_done(f, fixture_sync(f, PAGES({.bytes = C, .watermark = "2024-03-01 00:00:00"})));
  assert_string_equal(scripted.watermark, "");
  assert_string_equal(scripted.cursor, "");
  f->options = (struct sync_options){.actor = "tester", .since = "2020-01-01", .until = "2020-12-31"};
  assert_done(f, fixture_sync(f, PAGES({.bytes = A, .watermark = "2020-12-30 00:00:00"})));
  assert_string_equal(scripted.watermark, "2020-01-01");
  assert_string_equal(scripted.until, "2020-12-31");
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM source WHERE watermark = '2024-03-01 00:00:00'"), 1);
}

static void test_goes_on_after_failure(void **state) {
  struct fixture *f = *state;
  assert_int_equal(fixture_sync(f, PAGES({.bytes = A}, {.bytes = B}, {.fails = ERR_NETWORK})), ERR_NETWORK);
  assert_string_equal(f->error.message, "the script fails here");
  assert_string_equal(f->error.place, "source demo");
  assert_string_equal(f->error.hint, "ask the script");
  assert_int_equal(f->result.counts.fresh, 2);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM run WHERE state = 'failed'"), 1);
  assert_done(f, fixture_sync(f, PAGES({.bytes = A}, {.bytes = B}, {.bytes = C})));
  assert_string_equal(scripted.cursor, "2");
  assert_int_equal(scripted.given, 3);
  assert_int_equal(f->result.counts.fresh, 1);
  assert_int_equal(f->result.counts.unchanged, 0);
  assert_done(f, fixture_sync(f, PAGES({.bytes = A}, {.bytes = B}, {.bytes = C})));
  assert_string_equal(scripted.cursor, "");
}

/* A run that has used up its budget ends well, tells so, and the next one goes on behind its page. */
static void test_budget_of_pages(void **state) {
  struct fixture *f = *state;
  f->source.budget.pages = 2;
  f->source.deletes = DELETES_SWEEP;
  assert_done(f, fixture_sync(f, PAGES({.bytes = A}, {.bytes = B}, {.bytes = C})));
  assert_false(f->result.complete);
  assert_string_equal(f->result.warning, "the budget of 2 pages is used up: the next run goes on");
  assert_int_equal(scripted.given, 2);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM run WHERE state = 'done' AND message LIKE 'the budget of%'"),
                   1);
  assert_done(f, fixture_sync(f, PAGES({.bytes = A}, {.bytes = B}, {.bytes = C})));
  assert_true(f->result.complete);
  assert_string_equal(f->result.warning, "");
  assert_string_equal(scripted.cursor, "2");
  assert_int_equal(scripted.given, 3);
  assert_int_equal(f->result.counts.fresh, 1);
  assert_int_equal(f->result.counts.deleted, 0);
  assert_int_equal(current(f, "st_case"), 3);
}

static void test_budget_of_bytes_and_time(void **state) {
  struct fixture *f = *state;
  f->source.budget = (struct budget){.bytes = (int64_t)strlen(A) + 1};
  assert_done(f, fixture_sync(f, PAGES({.bytes = A, .continues = true}, {.bytes = B, .continues = true}, {.bytes = C},
                                       {.bytes = BAD_DATE})));
  assert_int_equal(scripted.given, 3); /* a document that has begun is read to its end */
  char words[96];
  snprintf(words, sizeof words, "the budget of %zu bytes is used up: the next run goes on", strlen(A) + 1);
  assert_string_equal(f->result.warning, words);
  f->source.budget = (struct budget){.time = 1};
  assert_done(f, fixture_sync(f, PAGES({.bytes = A}, {.bytes = B}, {.bytes = C}, {.bytes = BAD_DATE}, {.bytes = A})));
  assert_string_equal(scripted.cursor, "3");
  assert_int_equal(scripted.given, 4);
  assert_string_equal(f->result.warning, "the budget of 1 seconds is used up: the next run goes on");
}

/* Where a pass can only begin anew, a budget would keep it from ever coming to its end. */
static void test_budget_of_what_cannot_be_divided(void **state) {
  struct fixture *f = *state;
  f->source.budget.pages = 1;
  scripted.no_cursor = true;
  assert_done(f, fixture_sync(f, PAGES({.bytes = A}, {.bytes = B})));
  assert_true(f->result.complete);
  assert_int_equal(f->result.counts.fresh, 2);
  scripted.no_cursor = false;
  f->options = (struct sync_options){.actor = "tester", .since = "2020-01-01", .until = "2020-12-31"};
  assert_done(f, fixture_sync(f, PAGES({.bytes = A}, {.bytes = C})));
  assert_true(f->result.complete);
  assert_int_equal(scripted.given, 4);
}

/* A document of several pages: its records may be split anywhere, and only its end moves the cursor. */
static void test_document_of_pages(void **state) {
  struct fixture *f = *state;
  assert_int_equal(fixture_sync(f, PAGES({.bytes = A, .continues = true},
                                         {.bytes = "{\"id\":\"2\",", .continues = true}, {.fails = ERR_NETWORK})),
                   ERR_NETWORK);
  assert_int_equal(f->result.counts.fresh, 1);
  assert_done(f, fixture_sync(f, PAGES({.bytes = A, .continues = true}, {.bytes = "{\"id\":\"2\",", .continues = true},
                                       {.bytes = "\"victim\":\"a\"}\n" C})));
  assert_string_equal(scripted.cursor, "");
  assert_int_equal(f->result.counts.fresh, 2);
  assert_int_equal(f->result.counts.unchanged, 1);
}

static void test_page_errors(void **state) {
  struct fixture *f = *state;
  assert_int_equal(fixture_sync(f, PAGES({.bytes = A}, {.bytes = "<html><body>login</body></html>"})), ERR_INPUT);
  assert_int_equal(strncmp(f->error.place, "source demo, page 2", 19), 0);
  assert_int_equal(f->result.counts.fresh, 1);
  f->options.full = true;
  assert_int_equal(fixture_sync(f, PAGES({.bytes = B}, {.bytes = B}, {.bytes = B})), ERR_INPUT);
  assert_string_equal(f->error.message, "the source gave the same page twice in a row");
  assert_string_equal(f->error.place, "source demo, page 2");
  assert_string_equal(f->error.hint, "its paging does not move: check the paging options of the source");
  assert_done(f, fixture_sync(f, PAGES({.bytes = "[]"}, {.bytes = "[]"}, {.bytes = C})));
  assert_int_equal(f->result.counts.fresh, 1);
}

static void test_broken_document_among_others(void **state) {
  struct fixture *f = *state;
  assert_int_equal(fixture_sync(f, PAGES({.bytes = A, .memory = "a"}, {.bytes = "<html>", .continues = true},
                                         {.bytes = "<body>", .continues = true}, {.bytes = "</html>", .memory = "b"},
                                         {.bytes = B, .memory = "c"})),
                   ERR_INPUT);
  assert_int_equal(strncmp(f->error.place, "source demo, page ", 18), 0);
  assert_int_equal(f->result.counts.fresh, 2);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM memory WHERE item IN ('a', 'c')"), 2);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM memory"), 2);
  assert_int_equal(fixture_count(f, "SELECT cursor FROM source"), 1);
  assert_done(
      f, fixture_sync(f, PAGES({.bytes = A, .memory = "a"}, {.bytes = C, .memory = "b"}, {.bytes = B, .memory = "c"})));
  assert_int_equal(f->result.counts.fresh, 1);
}

static void test_memory(void **state) {
  struct fixture *f = *state;
  scripted.no_cursor = true;
  assert_done(f, fixture_sync(f, PAGES({.bytes = A, .memory = "one"}, {.bytes = A, .memory = "one"},
                                       {.bytes = B, .memory = "two"})));
  assert_int_equal(f->result.counts.pulled, 2);
  assert_done(f, fixture_sync(f, PAGES({.bytes = A, .memory = "one"}, {.bytes = C, .memory = "three"})));
  assert_int_equal(f->result.counts.pulled, 1);
  assert_int_equal(f->result.counts.fresh, 1);
}

static void test_dry_run(void **state) {
  struct fixture *f = *state;
  f->options.dry_run = true;
  assert_done(f, fixture_sync(f, PAGES({.bytes = A B BAD_DATE})));
  assert_int_equal(f->result.counts.fresh, 3);
  assert_int_equal(f->result.counts.quarantined, 1);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM raw_record"), 0);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM run"), 0);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM audit_log"), 0);
}

static void test_balance(void **state) {
  struct fixture *f = *state;
  assert_done(f, fixture_sync(f, PAGES({.bytes = A B, .source_count = 2, .watermark = "5"})));
  f->options.full = true;
  assert_int_equal(fixture_sync(f, PAGES({.bytes = A B, .source_count = 3, .watermark = "9"})), ERR_BALANCE);
  assert_string_equal(f->error.message,
                      "the counts of the run do not add up: the source says it has 3 records, 2 were pulled");
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM source WHERE watermark = '5'"), 1);
  char words[160];
  struct counts counts = {.pulled = 3, .fresh = 2, .mapped = 2, .source_count = -1};
  assert_false(counts_balance(&counts, true, words));
  assert_string_equal(words, "3 records were pulled, 2 accounted for");
  counts.unchanged = 1;
  assert_true(counts_balance(&counts, true, words));
  counts.mapped = 1;
  assert_false(counts_balance(&counts, true, words));
  assert_string_equal(words, "2 records are new or changed, 1 mapped, quarantined or withheld");
}

static void test_stopped(void **state) {
  struct fixture *f = *state;
  static const atomic_bool stop = true;
  f->options.stop = &stop;
  assert_int_equal(fixture_sync(f, PAGES({.bytes = A})), ERR_INTERRUPTED);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM run WHERE state = 'interrupted'"), 1);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM audit WHERE event = 'run' AND run = 1 AND body LIKE "
                                    "'%\"state\":\"interrupted\"%'"),
                   1);
  assert_int_equal(f->result.counts.pulled, 0);
}

static void test_held_by_another_host(void **state) {
  struct fixture *f = *state;
  struct store *other = fixture_another(f);
  struct lease lease;
  assert_done(f, store_hold(other, "sync:demo", &f->error));
  assert_done(f, store_lease(other, f->source_id, "elsewhere, process 7", &lease, &f->error));
  assert_int_equal(fixture_sync(f, PAGES({.bytes = A})), ERR_BUSY);
  assert_string_equal(f->error.message, "the source is being worked on by elsewhere, process 7");
  assert_string_equal(f->error.hint, "wait for it to end");
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM run"), 0);
  store_close(other); /* as the end of its process: the lease that it leaves is taken over at once */
  assert_done(f, fixture_sync(f, PAGES({.bytes = A})));
}

static void test_gateway_held_by_another_host(void **state) {
  struct fixture *f = *state;
  struct store *other = fixture_another(f);
  f->source.gateway = "pide";
  assert_done(f, store_hold(other, "gateway:pide", &f->error));
  assert_int_equal(fixture_sync(f, PAGES({.bytes = A})), ERR_BUSY);
  assert_string_equal(f->error.message, "another source is being pulled by the same gateway, pide");
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM run"), 0);
  assert_done(f, store_hold(other, "sync:demo", &f->error)); /* not kept by the one that was refused */
  store_close(other);
  assert_done(f, fixture_sync(f, PAGES({.bytes = A})));
}

/* The holder stands still in the middle of a pass and loses its hold; another takes over: what comes late is not
 * committed. */
static struct fixture *robbed;

static void rob(void *context, const char *what, int64_t done, int64_t total) {
  struct store *other = context;
  (void)what;
  (void)total;
  struct lease lease;
  if (done == 1) {
    store_unhold(robbed->store, "sync:demo");
    assert_done(robbed, store_hold(other, "sync:demo", &robbed->error));
    assert_done(robbed, store_lease(other, robbed->source_id, "elsewhere, process 7", &lease, &robbed->error));
  }
}

static void test_fenced(void **state) {
  struct fixture *f = robbed = *state;
  struct store *other = fixture_another(f);
  const struct progress progress = {.step = rob, .context = other};
  f->options.progress = &progress;
  assert_int_equal(fixture_sync(f, PAGES({.bytes = A}, {.bytes = B}, {.bytes = C})), ERR_BUSY);
  assert_string_equal(f->error.message, "the source was taken over by elsewhere, process 7");
  store_close(other);
  assert_int_equal(f->result.counts.fresh, 1);
  assert_int_equal(current(f, "raw_record"), 1);
}

static void test_many_records(void **state) {
  struct fixture *f = *state;
  struct buffer text;
  buffer_init(&text, 16 << 20);
  enum { MANY = 10000 };
  for (int i = 0; i < MANY; i++) {
    buffer_printf(&text, "{\"id\":\"%d\",\"victim\":\"a\",\"surname\":\"S%d\"}\n", i, i);
  }
  f->config.page_limit = 16 << 20;
  assert_done(f, fixture_sync(f, PAGES({.bytes = text.data})));
  assert_int_equal(f->result.counts.fresh, MANY);
  assert_int_equal(current(f, "st_person"), MANY);
  assert_done(f, fixture_sync(f, PAGES({.bytes = text.data})));
  assert_int_equal(f->result.counts.unchanged, MANY);
  buffer_free(&text);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_first_and_second),
      TEST(test_changed),
      TEST(test_repeated),
      TEST(test_one_key_two_contents),
      TEST(test_outcomes),
      TEST(test_cut),
      TEST(test_tombstone),
      TEST(test_sweep),
      TEST(test_sweep_needs_a_whole_pass),
      TEST(test_watermark),
      TEST(test_goes_on_after_failure),
      TEST(test_budget_of_pages),
      TEST(test_budget_of_bytes_and_time),
      TEST(test_budget_of_what_cannot_be_divided),
      TEST(test_document_of_pages),
      TEST(test_page_errors),
      TEST(test_broken_document_among_others),
      TEST(test_memory),
      TEST(test_dry_run),
      TEST(test_balance),
      TEST(test_stopped),
      TEST(test_held_by_another_host),
      TEST(test_gateway_held_by_another_host),
      TEST(test_fenced),
      TEST(test_many_records),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
