/* The sql connector on real SQLite files. */
#include "tests/support/pulling.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>

static char *folder;

static void run_sql(const char *text) {
  char path[512];
  sqlite3 *db;
  snprintf(path, sizeof path, "%s/s.db", folder);
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
    fail_msg("%s", sqlite3_errmsg(db));
  sqlite3_close(db);
}

static int make_folder(void **state) {
  (void)state;
  folder = temp_make();
  run_sql("CREATE TABLE casos (id INTEGER PRIMARY KEY, nombre TEXT, nota TEXT, foto BLOB, updated_at TEXT);"
          "INSERT INTO casos VALUES (1, 'a', NULL, NULL, '2024-01-01T00:00:00Z'), (2, 'b \"x\", y', '', x'0aff',"
          " '2024-01-03T00:00:00Z'), (3, 'c', 'two\nlines', NULL, '2024-01-02T00:00:00Z')");
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  temp_remove(folder);
  return 0;
}

static void seen_is(const struct pulling *pulling, const char *wanted) {
  assert_string_equal(pulling->seen.len > 0 ? pulling->seen.data : "", wanted);
}

#define HEAD "id,nombre,nota,foto,updated_at\n"

static void reads_rows_in_order(void **state) {
  (void)state;
  struct pulling pulling;
  pulling_begin(&pulling, "sql", "sqlite: s.db\nquery: casos\nkey: id\nwatermark: updated_at\n", folder);
  assert_int_equal(pulling_pass(&pulling, -1), END);
  seen_is(&pulling, "[page 1 begins ends]" HEAD "1,a,,,2024-01-01T00:00:00Z\n"
                    "3,c,\"two\nlines\",,2024-01-02T00:00:00Z\n"
                    "2,\"b \"\"x\"\", y\",\"\",\\x0aff,2024-01-03T00:00:00Z\n\n");
  assert_string_equal(pulling.page.cursor.data, "{\"w\":\"2024-01-03T00:00:00Z\",\"k\":[\"2\"]}");
  assert_string_equal(pulling.page.watermark.data, "2024-01-03T00:00:00Z");
  assert_int_equal(pulling.page.source_count, -1);
  pulling_end(&pulling);
}

static void reads_from_the_watermark_on(void **state) {
  (void)state;
  struct pulling pulling;
  pulling_begin(&pulling, "sql",
                "sqlite: s.db\nquery: SELECT id, updated_at FROM casos;\nkey: [id]\nwatermark: updated_at\n", folder);
  pulling.pull.watermark = "2024-01-03T00:00:00Z";
  assert_int_equal(pulling_pass(&pulling, -1), END);
  seen_is(&pulling, "[page 1 begins ends]id,updated_at\n2,2024-01-03T00:00:00Z\n\n");
  pulling.pull.watermark = "2024-01-04";
  assert_int_equal(pulling_pass(&pulling, -1), END);
  seen_is(&pulling, "");
  run_sql("UPDATE casos SET updated_at = NULL WHERE id = 1"); /* nothing tells whether it changed: it comes each time */
  assert_int_equal(pulling_pass(&pulling, -1), END);
  seen_is(&pulling, "[page 1 begins ends]id,updated_at\n1,\n\n");
  pulling.pull.watermark = "2024-01-01";
  pulling.pull.until = "2024-01-02T12:00:00Z";
  assert_int_equal(pulling_pass(&pulling, -1), END);
  seen_is(&pulling, "[page 1 begins ends]id,updated_at\n1,\n3,2024-01-02T00:00:00Z\n\n");
  pulling.pull.until = "2024-01-02"; /* with its whole day */
  run_sql("UPDATE casos SET updated_at = '2024-01-02T23:59:59Z' WHERE id = 3");
  assert_int_equal(pulling_pass(&pulling, -1), END);
  seen_is(&pulling, "[page 1 begins ends]id,updated_at\n1,\n3,2024-01-02T23:59:59Z\n\n");
  pulling_end(&pulling);
}

/* 5,000 rows of which many share a watermark, read one page a connection, as if the program died after each. */
static void resumes_after_every_page(void **state) {
  (void)state;
  struct pulling pulling;
  static const char *const yamls[] = {
      "sqlite: s.db\nquery: SELECT * FROM t\nkey: [a, b]\nwatermark: w\npage: 4096\n",
      "sqlite: s.db\nquery: SELECT a, b, w + 0 AS w FROM t\nkey: [a, b]\nwatermark: w\npage: 4096\n",
      "sqlite: s.db\nquery: t\nkey: [a, b]\npage: 4096\n",
  };
  run_sql("CREATE TABLE t (a TEXT, b INTEGER, w INTEGER);"
          "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4999)"
          " INSERT INTO t SELECT printf('%03d', i / 100), i % 100, nullif(i % 7, 0) FROM n");
  for (size_t i = 0; i < sizeof yamls / sizeof *yamls; i++) {
    char cursor[200] = "";
    static bool had[5000];
    int rows = 0, pages = 0;
    memset(had, 0, sizeof had);
    pulling_begin(&pulling, "sql", yamls[i], folder);
    while (pulling.pull.cursor = cursor, pulling_pass(&pulling, 1) == OK) {
      const char *line = strchr(pulling.seen.data, '\n') + 1;
      rows += pulling_mark(line, had, 5000);
      snprintf(cursor, sizeof cursor, "%s", pulling.page.cursor.data);
      pages++;
    }
    assert_int_equal(rows, 5000);
    assert_true(pages > 5);
    pulling_end(&pulling);
  }
}

static void asks_for_the_count(void **state) {
  (void)state;
  struct pulling pulling;
  pulling_begin(&pulling, "sql", "sqlite: s.db\nquery: casos\nkey: id\nwatermark: updated_at\ncount: yes\n", folder);
  pulling.pull.watermark = "2024-01-02";
  assert_int_equal(pulling_pass(&pulling, -1), END);
  assert_int_equal(pulling.page.source_count, 2);
  pulling_end(&pulling);
}

static void takes_one_snapshot(void **state) {
  (void)state;
  struct pulling pulling;
  run_sql(
      "PRAGMA journal_mode = WAL; CREATE TABLE t (a INTEGER);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO t SELECT i FROM n");
  pulling_begin(&pulling, "sql", "sqlite: s.db\nquery: t\nkey: a\npage: 4096\n", folder);
  assert_int_equal(pulling_pass(&pulling, 1), OK);
  run_sql("INSERT INTO t VALUES (5000)");
  assert_int_equal(pulling_more(&pulling, -1), END);
  assert_null(strstr(pulling.seen.data, "5000"));
  pulling_end(&pulling);
}

struct refusal {
  const char *yaml;
  enum status status;
  const char *words; /* "%s" stands for the folder */
};

static void tells_what_is_wrong(void **state) {
  (void)state;
  static const struct refusal refusals[] = {
      {"query: casos\n", ERR_CONFIG,
       "one database is needed: \"sqlite\", or PostgreSQL by \"dsn\" or \"host\" and \"dbname\""},
      {"sqlite: s.db\nhost: h\nquery: casos\n", ERR_CONFIG,
       "one database is needed: \"sqlite\", or PostgreSQL by \"dsn\" or \"host\" and \"dbname\""},
      {"sqlite: s.db\nquery: DELETE FROM casos\n", ERR_CONFIG,
       "\"query\" is neither a SELECT nor the name of a table ! a source is only read: SELECT …, WITH … SELECT, or "
       "schema.table"},
      {"sqlite: s.db\nquery: WITH x AS (SELECT 1) DELETE FROM casos\n", ERR_CONFIG,
       "the query cannot be run: near \"DELETE\": syntax error @ %s/s.db ! check \"query\" against the tables and "
       "columns "
       "of the file"},
      {"sqlite: s.db\nquery: caso\n", ERR_CONFIG,
       "the query cannot be run: no such table: caso @ %s/s.db ! did you mean \"casos\"?"},
      {"sqlite: s.db\nquery: casos\nwatermark: update_at\n", ERR_CONFIG,
       "the query gives no column \"update_at\", which \"watermark\" names ! did you mean \"updated_at\"?"},
      {"sqlite: s.db\nquery: casos\nkey: [id, dni]\n", ERR_CONFIG,
       "the query gives no column \"dni\", which \"key\" names"},
      {"sqlite: s.db\nquery: casos\nkey: nota\n", ERR_INPUT,
       "column \"nota\" of the key is NULL in a row ! choose a key that every row has, or leave such rows out of the "
       "query"},
      {"sqlite: none.db\nquery: casos\n", ERR_NOT_FOUND,
       "there is no such SQLite file @ %s/none.db ! check \"sqlite\""},
      {"sqlite: text.db\nquery: casos\n", ERR_INPUT,
       "the file is not an SQLite database @ %s/text.db ! check \"sqlite\""},
      {"sqlite: s.db\nquery: SELECT zeroblob(40000000) AS a\n", ERR_LIMIT, NULL},
  };
  char path[512], wanted[900];
  snprintf(path, sizeof path, "%s/text.db", folder);
  FILE *file = fopen(path, "w");
  fprintf(file, "%01000d", 0);
  fclose(file);
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
    struct pulling pulling;
    pulling_begin(&pulling, "sql", refusals[i].yaml, folder);
    enum status status = pulling_pass(&pulling, -1);
    const char *words = refusals[i].words, *mark = words == NULL ? NULL : strstr(words, "%s");
    snprintf(wanted, sizeof wanted, "%.*s%s%s",
             mark == NULL ? (int)strlen(words == NULL ? "" : words) : (int)(mark - words), words == NULL ? "" : words,
             mark == NULL ? "" : folder, mark == NULL ? "" : mark + 2);
    if (words != NULL)
      assert_string_equal(pulling_error(&pulling), wanted);
    assert_int_equal(status, refusals[i].status);
    pulling_end(&pulling);
  }
}

static void leaves_the_file_as_it_is(void **state) {
  (void)state;
  struct pulling pulling;
  pulling_begin(&pulling, "sql", "sqlite: s.db\nquery: casos\nkey: id\n", folder);
  assert_int_equal(pulling_probe(&pulling), OK);
  assert_string_equal(pulling.probed.data,
                      "connect: ok: the database answers\nlogin: ok: accepted\n"
                      "permission: ok: may read, and nothing else\nrecord: ok: one row was read\n");
  assert_string_equal(pulling.page.bytes.data, HEAD "1,a,,,2024-01-01T00:00:00Z\n");
  pulling_end(&pulling);
}

static void starts_anew_with_a_foreign_cursor(void **state) {
  (void)state;
  struct pulling pulling;
  static const char *const cursors[] = {"{\"file\":\"x\"}", "not json", "{\"k\":[\"1\",\"2\"]}",
                                        "{\"w\":\"1\",\"k\":[\"1\"]}"};
  pulling_begin(&pulling, "sql", "sqlite: s.db\nquery: SELECT id FROM casos\nkey: id\n", folder);
  for (size_t i = 0; i < sizeof cursors / sizeof *cursors; i++) {
    pulling.pull.cursor = cursors[i];
    assert_int_equal(pulling_pass(&pulling, -1), END);
    seen_is(&pulling, "[page 1 begins ends]id\n1\n2\n3\n\n");
  }
  pulling.pull.cursor = "{\"k\":[\"1\"]}";
  assert_int_equal(pulling_pass(&pulling, -1), END);
  seen_is(&pulling, "[page 1 begins ends]id\n2\n3\n\n");
  pulling_end(&pulling);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      IN_FOLDER(reads_rows_in_order),      IN_FOLDER(reads_from_the_watermark_on),
      IN_FOLDER(resumes_after_every_page), IN_FOLDER(takes_one_snapshot),
      IN_FOLDER(tells_what_is_wrong),      IN_FOLDER(leaves_the_file_as_it_is),
      IN_FOLDER(asks_for_the_count),       IN_FOLDER(starts_anew_with_a_foreign_cursor),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
