/* A reload pulls everything first and swaps in one transaction: whatever happens, the store holds what it held before,
 * or all that is new. */
#include "core/sync/sync.h"
#include "tests/support/bench.h"
#include "tests/support/postgres.h"

#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char MAPPING[] = "source: demo\nformat: json\n"
                              "case:\n  key: id\n  denuncia_number: id\n  reported_on: {from: date, else: quarantine}\n"
                              "person:\n  key: [id, victim]\n  role: victim\n  paternal_surname: surname\n";

#define RECORD(id, date) "{\"id\":\"" id "\",\"victim\":\"a\",\"date\":\"" date "\",\"surname\":\"QUISPE\"}\n"

static const struct scripted_page OLD[] = {
    {.bytes = RECORD("1", "2024-01-01") RECORD("2", "2024-01-02"), .watermark = "1", .memory = "m"},
    {.bytes = RECORD("3", "2024-01-03") RECORD("4", "soon"), .watermark = "2"},
};
/* 2 has changed, 3 is gone, 5 is new; the file of the first page was landed before. */
static const struct scripted_page NEW[] = {
    {.bytes = RECORD("1", "2024-01-01") RECORD("2", "2024-02-02"), .watermark = "1", .memory = "m"},
    {.bytes = RECORD("4", "soon") RECORD("5", "2024-01-05"), .watermark = "3"},
};
static const char OLD_STATE[] = "1 0 {\"id\":\"1\",\"victim\":\"a\",\"date\":\"2024-01-01\"\n"
                                "2 0 {\"id\":\"2\",\"victim\":\"a\",\"date\":\"2024-01-02\"\n"
                                "3 0 {\"id\":\"3\",\"victim\":\"a\",\"date\":\"2024-01-03\"\n"
                                "4 1 {\"id\":\"4\",\"victim\":\"a\",\"date\":\"soon\",\"surn\n"
                                "cases 3 persons 3\n";
static const char NEW_STATE[] = "1 0 {\"id\":\"1\",\"victim\":\"a\",\"date\":\"2024-01-01\"\n"
                                "2 0 {\"id\":\"2\",\"victim\":\"a\",\"date\":\"2024-02-02\"\n"
                                "4 1 {\"id\":\"4\",\"victim\":\"a\",\"date\":\"soon\",\"surn\n"
                                "5 0 {\"id\":\"5\",\"victim\":\"a\",\"date\":\"2024-01-05\"\n"
                                "cases 3 persons 3\n";

static void assert_done(struct fixture *f, enum status status) {
  if (status != OK) {
    fail_msg("%s (%s)", f->error.message, f->error.place);
  }
}

/* ---- what a reader sees ---- */

static char seen[2048];

static enum status write_down(void *context, const struct raw_version *version, struct error *error) {
  size_t length = strlen(seen);
  (void)context;
  (void)error;
  snprintf(seen + length, sizeof seen - length, "%s %d %.42s\n", version->source_key, (int)version->state,
           version->bytes.data);
  return OK;
}

static enum status count_row(void *context, const struct row *row, struct error *error) {
  (void)error;
  *(int *)context += row->to_run == 0;
  return OK;
}

static int compare_lines(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lines in the order of their keys, since ids depend on how often it was tried. */
static void sort_lines(void) {
  char copy[sizeof seen], *lines[32], *rest = copy;
  size_t count = 0;
  snprintf(copy, sizeof copy, "%s", seen);
  for (char *line = strtok_r(rest, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
    lines[count++] = line;
  }
  qsort(lines, count, sizeof *lines, compare_lines);
  seen[0] = '\0';
  for (size_t i = 0; i < count; i++) {
    size_t length = strlen(seen);
    snprintf(seen + length, sizeof seen - length, "%s\n", lines[i]);
  }
}

static const char *state_of(struct store *store, const struct fixture *f) {
  struct error error;
  int cases = 0, persons = 0;
  const struct row_filter all = {.record_id = 0};
  seen[0] = '\0';
  bool read = store_visit_raw(store, f->source_id, -1, 0, 100, write_down, NULL, &error) == OK
              && store_visit_rows(store, model_entity(f->model, "case"), &all, count_row, &cases, &error) == OK
              && store_visit_rows(store, model_entity(f->model, "person"), &all, count_row, &persons, &error) == OK;
  if (!read) {
    fail_msg("%s", error.message);
  }
  sort_lines();
  size_t length = strlen(seen);
  snprintf(seen + length, sizeof seen - length, "cases %d persons %d\n", cases, persons);
  return seen;
}

static const char *state(struct fixture *f) {
  return state_of(f->store, f);
}

static struct store *another(const struct fixture *f) {
  struct store *store = NULL;
  struct error error;
  struct store_options options = {.kind = f->dsn == NULL ? STORE_SQLITE : STORE_POSTGRES,
                                  .path = f->store_path,
                                  .dsn = f->dsn,
                                  .schema = f->schema,
                                  .model = f->model,
                                  .key = f->key,
                                  .read_only = true};
  if (store_open(&options, &store, &error) != OK) {
    fail_msg("%s", error.message);
  }
  return store;
}

/* ---- moments ---- */

static struct fixture *watched;
static int moments, kill_at;

/* Told of each page that is spooled and of each parcel that lands. */
static void at_moment(void *context, const char *what, int64_t done, int64_t total) {
  (void)context;
  (void)what;
  (void)done;
  (void)total;
  if (++moments == kill_at) {
    _exit(9);
  }
  if (watched != NULL) {
    struct store *reader = another(watched);
    assert_string_equal(state_of(reader, watched), OLD_STATE);
    store_close(reader);
  }
}
static const struct progress PROGRESS = {.step = at_moment};

static void begin(struct fixture *f) {
  f->source.max_drop = 0.5;
  assert_done(f, fixture_sync(f, OLD, 2));
  assert_string_equal(state(f), OLD_STATE);
  f->options.reload = true;
  f->options.progress = &PROGRESS;
  moments = kill_at = 0;
}

static struct fixture *make(bool postgres) {
  return postgres ? fixture_make_postgres(MAPPING, postgres_start()) : fixture_make(MAPPING);
}

static void swap(bool postgres) {
  struct fixture *f = watched = make(postgres);
  watched = NULL;
  begin(f);
  watched = f;
  assert_done(f, fixture_sync(f, NEW, 2));
  watched = NULL;
  assert_true(moments >= 4);
  assert_string_equal(state(f), NEW_STATE);
  assert_int_equal(f->result.counts.pulled, 4);
  assert_int_equal(f->result.counts.fresh, 1);
  assert_int_equal(f->result.counts.changed, 1);
  assert_int_equal(f->result.counts.unchanged, 2);
  assert_int_equal(f->result.counts.deleted, 1);
  struct pass pass;
  assert_done(f, store_pass(f->store, f->source_id, &pass, &f->error));
  assert_null(pass.cursor);
  assert_string_equal(pass.watermark, "3");
  pass_free(&pass);
  fixture_free(f);
}

/* ---- kills ---- */

static long statements_left = -1;

static int on_statement(unsigned kind, void *context, void *statement, void *text) {
  (void)kind;
  (void)context;
  (void)statement;
  (void)text;
  if (statements_left > 0 && --statements_left == 0) {
    _exit(9);
  }
  return 0;
}

static int on_open(sqlite3 *database, const char **message, const struct sqlite3_api_routines *api) {
  (void)message;
  (void)api;
  return sqlite3_trace_v2(database, SQLITE_TRACE_STMT, on_statement, NULL);
}

/* Whether the child came to its end. */
static bool reload_in_child(struct fixture *f, int moment, long statement) {
  store_close(f->store);
  f->store = NULL;
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    fixture_reopen(f);
    kill_at = moment;
    statements_left = statement;
    _exit(fixture_sync(f, NEW, 2) == OK ? 0 : 1);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_not_equal(WEXITSTATUS(status), 1);
  fixture_reopen(f);
  return WEXITSTATUS(status) == 0;
}

static int kills(struct fixture *f, bool statements) {
  int killed = 0;
  for (int n = 1;; n++) {
    bool ended = reload_in_child(f, statements ? 0 : n, statements ? n : -1);
    const char *now = state(f);
    bool whole = strcmp(now, OLD_STATE) == 0 || strcmp(now, NEW_STATE) == 0;
    if (!whole) {
      fail_msg("killed at %d:\n%s", n, now);
    }
    killed += !ended;
    if (ended) {
      assert_string_equal(now, NEW_STATE);
      return killed;
    }
    if (strcmp(now, NEW_STATE) == 0) { /* only what follows the swap was lost: back to the old state */
      f->options.reload = true;
      f->options.max_drop = 1.0;
      assert_done(f, fixture_sync(f, OLD, 2));
      assert_string_equal(state(f), OLD_STATE);
      f->options.max_drop = 0;
    }
  }
}

static void killed(bool postgres, bool statements) {
  if (statements) {
    sqlite3_auto_extension((void (*)(void))on_open);
  }
  struct fixture *f = make(postgres);
  begin(f);
  int count = kills(f, statements);
  printf("note: reload killed %d times: old or new each time\n", count);
  assert_true(count >= (statements ? 20 : 4));
  fixture_free(f);
  sqlite3_reset_auto_extension();
}

/* ---- refusals ---- */

static void refused(struct fixture *f, const struct scripted_page *pages, size_t count, enum status status,
                    const char *message, const char *hint) {
  assert_int_equal(fixture_sync(f, pages, count), status);
  assert_string_equal(f->error.message, message);
  assert_string_equal(f->error.place, "source demo");
  assert_string_equal(f->error.hint, hint);
  assert_string_equal(state(f), OLD_STATE);
  assert_int_equal(f->result.counts.fresh + f->result.counts.changed + f->result.counts.deleted, 0);
  assert_string_equal(f->result.warning, "");
}

static void refusals(bool postgres) {
  static const struct scripted_page few[] = {{.bytes = RECORD("9", "2024-01-01")}};
  static const struct scripted_page broken[] = {{.bytes = RECORD("9", "2024-01-01")}, {.fails = ERR_NETWORK}};
  static const struct scripted_page keyless[] = {{.bytes = RECORD("1", "2024-01-01") "{\"date\":\"2024-01-01\"}\n"}};
  struct fixture *f = make(postgres);
  begin(f);
  refused(f, few, 1, ERR_LIMIT,
          "nothing was swapped: 4 of 5 records were not in the source any more, more than max_drop (50 %): "
          "none was deleted",
          "look at the source; if so many are really gone: puente sync demo --reload --max-drop 1.0");
  refused(f, broken, 2, ERR_NETWORK, "the script fails here", "ask the script");
  refused(f, keyless, 1, ERR_LIMIT,
          "nothing was swapped: 1 records came without a readable key, so nobody knows which of 3 unseen ones are "
          "gone: none was deleted",
          "look at the source; if so many are really gone: puente sync demo --reload --max-drop 1.0");
  f->options.max_drop = 1.0;
  assert_done(f, fixture_sync(f, few, 1));
  assert_int_equal(f->result.counts.deleted, 4);
  fixture_free(f);
}

/* A pass under way is not broken by a reload that is: the next sync goes on where it was. */
static void test_pass_under_way(void **unused) {
  const struct scripted_page half[] = {OLD[0], {.fails = ERR_NETWORK}};
  (void)unused;
  struct fixture *f = make(false);
  f->source.deletes = DELETES_SWEEP;
  assert_int_equal(fixture_sync(f, half, 2), ERR_NETWORK);
  f->options.reload = true;
  assert_int_equal(fixture_sync(f, half, 2), ERR_NETWORK);
  f->options.reload = false;
  assert_done(f, fixture_sync(f, OLD, 2));
  assert_string_equal(scripted.cursor, "1");
  assert_string_equal(state(f), OLD_STATE);
  fixture_free(f);
}

/* `--full` forgets which records a pass under way has seen: it must not be gone on with. */
static void test_full_killed_before_its_first_page(void **unused) {
  const struct scripted_page half[] = {OLD[0], {.fails = ERR_NETWORK}};
  static const struct scripted_page none[] = {{.fails = ERR_NETWORK}};
  (void)unused;
  struct fixture *f = make(false);
  f->source.deletes = DELETES_SWEEP;
  f->source.max_drop = 1.0;
  assert_int_equal(fixture_sync(f, half, 2), ERR_NETWORK);
  f->options.full = true;
  assert_int_equal(fixture_sync(f, none, 1), ERR_NETWORK);
  f->options.full = false;
  assert_done(f, fixture_sync(f, OLD, 2));
  assert_string_equal(scripted.cursor, "");
  fixture_free(f);
}

static void test_disk_full(void **unused) {
  (void)unused;
  struct fixture *f = make(false);
  begin(f);
  char *large = malloc(1 << 20);
  memset(large, ' ', (1 << 20) - 1);
  large[(1 << 20) - 1] = '\0';
  const struct scripted_page pages[] = {OLD[0], {.bytes = large}};
  setenv("TMPDIR", f->folder, 1);
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit before, little;
  getrlimit(RLIMIT_FSIZE, &before);
  little = (struct rlimit){.rlim_cur = 512 << 10, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &little);
  enum status status = fixture_sync(f, pages, 2);
  setrlimit(RLIMIT_FSIZE, &before);
  unsetenv("TMPDIR");
  char place[300];
  snprintf(place, sizeof place, "source demo, %s", f->folder);
  assert_int_equal(status, ERR_FULL);
  assert_string_equal(f->error.message, "what is pulled cannot be kept until the swap: File too large");
  assert_string_equal(f->error.hint,
                      "free space there, or set TMPDIR to a folder of a larger disk; the store is as it was");
  assert_string_equal(state(f), OLD_STATE);
  free(large);
  fixture_free(f);
}

static void test_swap_sqlite(void **unused) {
  (void)unused;
  swap(false);
}
static void test_swap_postgres(void **unused) {
  (void)unused;
  swap(true);
}
static void test_killed_at_each_statement(void **unused) {
  (void)unused;
  killed(false, true);
}
static void test_killed_sqlite(void **unused) {
  (void)unused;
  killed(false, false);
}
static void test_killed_postgres(void **unused) {
  (void)unused;
  killed(true, false);
}
static void test_refusals_sqlite(void **unused) {
  (void)unused;
  refusals(false);
}
static void test_refusals_postgres(void **unused) {
  (void)unused;
  refusals(true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_swap_sqlite),
      cmocka_unit_test(test_swap_postgres),
      cmocka_unit_test(test_killed_sqlite),
      cmocka_unit_test(test_killed_postgres),
      cmocka_unit_test(test_killed_at_each_statement),
      cmocka_unit_test(test_refusals_sqlite),
      cmocka_unit_test(test_refusals_postgres),
      cmocka_unit_test(test_pass_under_way),
      cmocka_unit_test(test_full_killed_before_its_first_page),
      cmocka_unit_test(test_disk_full),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
