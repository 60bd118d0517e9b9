/* Two versions of a registry side by side, each with its schema: what both call alike is counted once, the newer one's
 * word survives, and retiring the older one changes no figure. On both stores, linked by what changed and in full. */
#include "tests/support/peru.h"
#include "tests/support/postgres.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A workspace whose store is a file, or a schema of the test's server. */
static char *make_workspace(const char *schema) {
  char *folder = temp_make();
  shell("cp -r tests/integration/succession/. %s", folder);
  if (schema != NULL) {
    shell("sed -i 's|^store:.*|store: {postgres: \"%s\", schema: %s}|' %s/puente.yaml", postgres_start(), schema,
          folder);
  }
  workspace_key(folder);
  return folder;
}

static void assert_rows(const char *folder, const char *sql, const char *wanted) {
  char *rows = workspace_rows(folder, sql);
  assert_string_equal(rows, wanted);
  free(rows);
}

static void assert_output(const char *folder, const char *arguments, const char *wanted) {
  char *output = NULL;
  assert_int_equal(workspace_run(folder, arguments, &output), 0);
  if (strstr(output, wanted) == NULL) {
    fail_msg("%s: \"%s\" is not in\n%s", arguments, wanted, output);
  }
  free(output);
}

static void assert_figures(const char *folder, int persons, int cases, int victims) {
  char wanted[32];
  assert_int_equal(workspace_number(folder, "SELECT count(*) FROM persons"), persons);
  assert_int_equal(workspace_number(folder, "SELECT count(*) FROM cases"), cases);
  snprintf(wanted, sizeof wanted, "\n%d,", victims);
  assert_output(folder, "report crosstab --exact --purpose test --csv", wanted);
  snprintf(wanted, sizeof wanted, "\n%d,", cases);
  assert_output(folder, "report crosstab --exact --purpose test --indicator cases --csv", wanted);
  assert_output(folder, "report crosstab --exact --purpose test --indicator accused --csv", "\n1,");
}

static void run(const char *folder, const char *arguments) {
  assert_int_equal(workspace_run(folder, arguments, NULL), 0);
}

/* What both versions brought at first: D-1 and D-2 by the same key, D-6 by the number of the denuncia alone. */
static void assert_first(const char *folder) {
  assert_rows(folder, "SELECT source, count(*) FROM case_records GROUP BY source ORDER BY source",
              "mp|1\nreta|4\nreta2|3\n");
  assert_figures(folder, 7, 4, 6);
  /* Two of three say that Ana was born a day earlier; one of these two is what RETA 2 replaces. */
  assert_rows(folder, "SELECT place, records FROM cases WHERE denuncia_number = 'D-1'", "1501|3\n");
  assert_rows(folder,
              "SELECT o.field, o.source, o.rule FROM origins o JOIN persons p ON p.person_id = o.id "
              "WHERE o.kind = 'person' AND p.records = 3 AND o.field IN ('given_names', 'document_number') "
              "ORDER BY o.field",
              "document_number|reta2|frequent\ngiven_names|reta2|frequent\n");
  assert_rows(folder, "SELECT birth_date FROM persons WHERE records = 3", "2005-06-02\n");
  assert_output(folder, "report crosstab --exact --purpose test --by age --csv", "\n16,1,");
  char *rows = workspace_rows(folder, "SELECT row_a, row_b FROM pairs WHERE verdict = 'no number and nobody shared'");
  char arguments[80];
  *strchr(rows, '|') = ' ';
  snprintf(arguments, sizeof arguments, "explain pair %.*s", (int)strcspn(rows, "\n"), rows);
  assert_output(folder, arguments, "\nwhat stands above both: source\n");
  free(rows);
}

/* D-3 comes in the new registry too, whose person has another name there; D-4 is new. */
static void assert_second(const char *folder) {
  assert_figures(folder, 7, 5, 6);
  assert_rows(folder, "SELECT place, reported_on, records FROM cases WHERE denuncia_number = 'D-3'",
              "21|2021-08-02|2\n");
  assert_output(folder, "report crosstab --exact --purpose test --by age --csv", "\n17,1,");
}

static void tell_story(const char *schemas[2]) {
  char *some = make_workspace(schemas[0]);
  char *all = make_workspace(schemas[1]);
  for (int i = 0; i < 2; i++) {
    run(i == 0 ? some : all, "--quiet sync");
  }
  run(some, "--quiet link");
  run(all, "--quiet link --full");
  assert_first(some);
  for (int i = 0; i < 2; i++) {
    char *folder = i == 0 ? some : all;
    shell("mv %s/later/reta2.json %s/incoming/reta2/2.json", folder, folder);
    run(folder, "--quiet sync");
  }
  assert_output(some, "link", "that changes touch");
  run(all, "--quiet link --full");
  assert_second(some);
  assert_true(peru_same(some, all, false));
  assert_output(some, "status", "\nreta ");
  assert_output(some, "status", "\nreta2 ");

  shell("echo 'state: retired' >>%s/sources/reta.yaml", some);
  run(some, "--quiet sync");
  run(some, "--quiet link");
  assert_second(some);
  run(some, "--quiet link --full");
  assert_second(some);
  assert_true(peru_same(some, all, false));
  assert_output(some, "status", "retired");
  temp_remove(some);
  temp_remove(all);
}

static void test_sqlite(void **state) {
  (void)state;
  tell_story((const char *[2]){NULL, NULL});
}

static void test_postgres(void **state) {
  (void)state;
  tell_story((const char *[2]){"some", "whole"});
}

/* Both versions say that one record is one person: what has two keys is two, in one version or across them. */
static void test_free_of_duplicates(void **state) {
  (void)state;
  char *folder = make_workspace(NULL);
  shell("cd %s && mv later/reta2.json incoming/reta2/2.json", folder);
  shell("cd %s/sources && echo 'duplicate_free: true' | tee -a reta.yaml >>reta2.yaml", folder);
  run(folder, "--quiet run");
  /* Ana of D-4 is another one then, and Eva of X-600 another than Eva of D-6. */
  assert_figures(folder, 9, 5, 8);
  temp_remove(folder);
}

/* A line added to a source that was linked already. */
static void test_told_later(void **state) {
  (void)state;
  char *folder = make_workspace(NULL);
  shell("sed -i '/^succeeds/d' %s/sources/reta2.yaml", folder);
  run(folder, "--quiet run");
  assert_true(workspace_number(folder, "SELECT count(*) FROM persons") > 7);
  assert_true(workspace_number(folder, "SELECT count(*) FROM cases") > 4);
  shell("echo 'succeeds: reta' >>%s/sources/reta2.yaml", folder);
  assert_output(folder, "link", "the configuration has changed since the last linking");
  assert_first(folder);
  temp_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sqlite), cmocka_unit_test(test_postgres),
                                     cmocka_unit_test(test_free_of_duplicates), cmocka_unit_test(test_told_later)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
