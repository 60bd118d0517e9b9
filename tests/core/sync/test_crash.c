/* A sync is killed at each of its statements in turn and run again: the store is then what it is without a kill. */
#include "core/sync/sync.h"
#include "tests/support/bench.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char MAPPING[] = "source: demo\nformat: json\ndeleted: {path: gone, equals: yes}\n"
                              "case:\n  key: id\n  denuncia_number: id\n  reported_on: {from: date, else: quarantine}\n"
                              "person:\n  key: [id, victim]\n  role: victim\n  paternal_surname: surname\n";

#define RECORD(id, date, surname)                                                                                      \
  "{\"id\":\"" id "\",\"victim\":\"a\",\"date\":\"" date "\",\"surname\":\"" surname "\"}\n"

static const struct scripted_page FIRST[] = {
    {.bytes = RECORD("1", "2024-01-01", "QUISPE") RECORD("2", "2024-01-02", "HUAMAN"), .watermark = "1"},
    {.bytes = RECORD("3", "soon", "CONDORI"), .watermark = "2", .memory = "m"},
};
static const struct scripted_page SECOND[] = {
    {.bytes = RECORD("1", "2024-01-09", "QUISPE") RECORD("4", "2024-01-04", "ROJAS"), .watermark = "3"},
    {.bytes = RECORD("2", "2024-01-02", "HUAMAN") "{\"id\":\"3\",\"gone\":\"yes\"}\n", .watermark = "4"},
};

/* What does not depend on when and how often it was tried: run numbers and times are left out. */
static const char *const STATE[] = {
    "SELECT raw_id, source_key, hex(key_digest), hex(digest), state, to_run IS NULL FROM raw_record ORDER BY 1",
    "SELECT row_id, key, case_key, denuncia_number, reported_on, to_run IS NULL FROM st_case ORDER BY 1",
    "SELECT row_id, key, case_key, person_key, to_run IS NULL FROM st_person ORDER BY 1",
    "SELECT row_id, key, role, to_run IS NULL FROM st_involvement ORDER BY 1",
    "SELECT row_id, '@identity.body ' || row_id || ' 0 ' || hex(body) FROM identity ORDER BY 1",
    "SELECT raw_id, number, level, field, reason, shape FROM issue ORDER BY 1, 2",
    "SELECT code, cursor, watermark, mark FROM source",
    "SELECT item FROM memory",
    NULL};

static long statements_left = -1; /* -1: nobody is killed */

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

/* A process of its own that syncs and is killed at the n-th statement; whether it came to its end. */
static bool sync_in_child(struct fixture *fixture, const struct scripted_page *pages, size_t count, long kill_at) {
  store_close(fixture->store);
  fixture->store = NULL;
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    fixture_reopen(fixture);
    statements_left = kill_at;
    enum status status = fixture_sync(fixture, pages, count);
    _exit(status == OK ? 0 : 1);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_not_equal(WEXITSTATUS(status), 1);
  fixture_reopen(fixture);
  return WEXITSTATUS(status) == 0;
}

static char *undisturbed(bool both) {
  struct fixture *fixture = fixture_make(MAPPING);
  fixture->source.deletes = DELETES_TOMBSTONE;
  assert_int_equal(fixture_sync(fixture, FIRST, 2), OK);
  if (both) {
    assert_int_equal(fixture_sync(fixture, SECOND, 2), OK);
  }
  char *dump = fixture_dump(fixture, STATE);
  fixture_free(fixture);
  return dump;
}

static void kill_everywhere(bool second) {
  char *wanted = undisturbed(second);
  long kills = 0;
  for (long at = 1;; at++) {
    struct fixture *fixture = fixture_make(MAPPING);
    fixture->source.deletes = DELETES_TOMBSTONE;
    if (second) {
      assert_int_equal(fixture_sync(fixture, FIRST, 2), OK);
    }
    const struct scripted_page *pages = second ? SECOND : FIRST;
    bool ended = sync_in_child(fixture, pages, 2, at);
    if (!ended) {
      kills++;
      if (fixture_sync(fixture, pages, 2) != OK) {
        fail_msg("killed at statement %ld: %s", at, fixture->error.message);
      }
    }
    assert_int_equal(fixture_count(fixture, "SELECT count(*) FROM run WHERE state = 'running'"), 0);
    char *got = fixture_dump(fixture, STATE);
    if (strcmp(got, wanted) != 0) {
      fprintf(stderr, "got:\n%s\nwanted:\n%s", got, wanted);
      fail_msg("killed at statement %ld the store is another one", at);
    }
    free(got);
    fixture_free(fixture);
    if (ended) {
      break;
    }
  }
  printf("note: %ld kills, %ld identical\n", kills, kills);
  assert_true(kills > 20);
  free(wanted);
}

static void test_first(void **state) {
  (void)state;
  kill_everywhere(false);
}

static void test_second(void **state) {
  (void)state;
  kill_everywhere(true);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_first), cmocka_unit_test(test_second)};
  sqlite3_auto_extension((void (*)(void))on_open);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
