/* The main job on the five simulated registries of Peru, with seeds that no configuration was tuned on: twice pulled,
 * idle the third time, and linked near the truth. */
#include "tests/support/peru.h"
#include "tests/support/postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int64_t pulled(const char *folder, const char *source, const char *what) {
  char sql[256];
  snprintf(sql, sizeof sql, "SELECT %s FROM runs WHERE source = '%s' ORDER BY run_id DESC LIMIT 1", what, source);
  return workspace_number(folder, sql);
}

static void sync_and_link(const char *folder) {
  assert_int_equal(workspace_run(folder, "--quiet sync", NULL), 0);
  assert_int_equal(workspace_run(folder, "--quiet link", NULL), 0);
}

/* Each trap of the registries is met, or the test would prove little. */
static void check_first_round(const char *folder) {
  assert_true(pulled(folder, "reta", "repeated") > 0);
  assert_true(pulled(folder, "datamart", "rejected") > 0);
  assert_int_equal(pulled(folder, "mimp", "cut"), pulled(folder, "mimp", "pulled"));
  assert_true(workspace_number(folder, "SELECT count(*) FROM records WHERE state = 'withheld'") > 0);
  assert_true(workspace_number(folder, "SELECT count(*) FROM quarantine WHERE reason = 'date_impossible'") > 0);
  assert_true(workspace_number(folder, "SELECT count(*) FROM quarantine WHERE reason = 'code_unknown'") > 0);
  assert_true(workspace_number(folder, "SELECT count(*) FROM quarantine WHERE reason = 'key_missing'") > 0);
  assert_int_equal(workspace_number(folder, "SELECT count(*) FROM involvements WHERE source = 'datamart' AND "
                                            "role = 'accused'"),
                   0);
  assert_int_equal(workspace_number(folder,
                                    "SELECT count(*) FROM runs WHERE kind = 'sync' AND pulled <> fresh + changed "
                                    "+ unchanged + repeated + rejected"),
                   0);
}

static void check_second_round(const char *folder) {
  assert_true(pulled(folder, "sistra", "fresh") > 0);
  assert_true(pulled(folder, "sistra", "changed") > 0);
  assert_true(pulled(folder, "sistra", "deleted") > 0);
  assert_true(pulled(folder, "datamart", "deleted") > 0);
  assert_true(pulled(folder, "siscalp", "changed") > 0);
}

static void check_idle(const char *folder) {
  char *output = NULL;
  int64_t audited = workspace_number(folder, "SELECT count(*) FROM audit");
  assert_int_equal(workspace_run(folder, "sync", &output), 0);
  assert_non_null(strstr(output, "nothing new: the store is as it was"));
  free(output);
  static const char *const sources[] = {"sistra", "reta", "mimp", "datamart", "siscalp"};
  for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
    assert_int_equal(pulled(folder, sources[i], "fresh + changed + deleted"), 0);
  }
  assert_true(workspace_number(folder, "SELECT count(*) FROM audit") >= audited);
}

static void test_sqlite_near_truth(void **state) {
  (void)state;
  struct peru peru;
  peru_start(&peru, 1500, 90210, NULL);
  char *folder = peru_workspace(&peru, "sqlite", "{sqlite: puente.db}"), *line = NULL;
  sync_and_link(folder);
  check_first_round(folder);
  peru_advance(&peru);
  sync_and_link(folder);
  check_second_round(folder);
  check_idle(folder);
  int code = peru_evaluate(&peru, folder, 0.99, 0.90, &line);
  printf("note: %s", line);
  assert_int_equal(code, 0);
  assert_non_null(strstr(line, "unknown=0 "));
  free(line);
  free(folder);
  peru_stop(&peru);
}

/* More errors of every kind: the linking may find less, and must not join more. */
static void test_more_errors(void **state) {
  (void)state;
  struct peru peru;
  peru_start(&peru, 1200, 31337, "--errors 2");
  char *folder = peru_workspace(&peru, "sqlite", "{sqlite: puente.db}"), *line = NULL;
  sync_and_link(folder);
  int code = peru_evaluate(&peru, folder, 0.98, 0.5, &line);
  printf("note: errors twice as frequent: %s", line);
  assert_int_equal(code, 0);
  free(line);
  free(folder);
  peru_stop(&peru);
}

/* SISTRA wants a time. One that nothing is known of is sent the date as it was written: that it refuses this says
 * nothing about the source. Once its marks are known, a date is a time to it. */
static void test_since_a_date(void **state) {
  (void)state;
  char *output = NULL;
  struct peru peru;
  peru_start(&peru, 40, 7, NULL);
  char *folder = peru_workspace(&peru, "since", "{sqlite: puente.db}");
  assert_int_not_equal(workspace_run(folder, "--quiet sync sistra --since 2024-01-01", NULL), 0);
  assert_int_equal(workspace_run(folder, "status", &output), 0);
  assert_null(strstr(output, "REFUSED"));
  free(output);
  assert_int_equal(workspace_run(folder, "--quiet sync sistra", NULL), 0);
  assert_int_equal(workspace_run(folder, "--quiet sync sistra --since 2024-01-01", NULL), 0);
  assert_true(workspace_number(folder, "SELECT pulled FROM runs ORDER BY run_id DESC LIMIT 1") > 0);
  free(folder);
  peru_stop(&peru);
}

/* DATAMART in PostgreSQL instead of an SQLite file gives the same records. */
static void test_datamart_in_postgres(void **state) {
  (void)state;
  const char *server = postgres_start();
  struct peru peru;
  peru_start(&peru, 400, 4242, NULL);
  shell("%s/puente-simulator --dir %s/again --population 400 --seed 4242 --once --sql %s/datamart.sql", build_folder(),
        peru.folder, peru.folder);
  shell("psql --quiet --no-psqlrc -v ON_ERROR_STOP=1 -d '%s' -f %s/datamart.sql 2>&1", server, peru.folder);
  char *left = peru_workspace(&peru, "file", "{sqlite: puente.db}");
  char *right = peru_workspace(&peru, "served", "{sqlite: puente.db}");
  shell("sed -i \"s|^  sqlite: datamart.db|  dsn: '%s'\\n  sslmode: disable|\" %s/sources/datamart.yaml", server,
        right);
  assert_int_equal(workspace_run(left, "--quiet sync datamart", NULL), 0);
  assert_int_equal(workspace_run(right, "--quiet sync datamart", NULL), 0);
  assert_true(pulled(right, "datamart", "fresh") > 20);
  static const char *const rows = "SELECT offence, offence_own, place FROM case_records ORDER BY row_id";
  char *a = workspace_rows(left, rows), *b = workspace_rows(right, rows);
  assert_string_equal(a, b);
  free(a);
  free(b);
  free(left);
  free(right);
  peru_stop(&peru);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sqlite_near_truth), cmocka_unit_test(test_more_errors),
                                     cmocka_unit_test(test_since_a_date), cmocka_unit_test(test_datamart_in_postgres)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
