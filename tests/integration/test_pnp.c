/* The police form on trafficking of Lambayeque, 2017-2023, as MININTER's observatory published it: read by the file
 * connector as figures, by configuration alone. */
#include "core/service/totals.h"
#include "tests/support/program.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char form[] = "../shared/data/pnp_trata_lambayeque_2017_2023.csv";

static char *make_workspace(void) {
  char *folder = temp_make();
  shell("cp -r examples/peru/pnp/. %s && cp -p %s %s/", folder, form, folder);
  shell("sed -i 's/^options:/&\\n  settle: 0s/' %s/sources/pnp.yaml", folder);
  workspace_key(folder);
  assert_int_equal(workspace_run(folder, "--quiet sync", NULL), 0);
  return folder;
}

static void test_one_of_each_kept(void **state) {
  (void)state;
  if (access(form, R_OK) != 0) {
    skip();
  }
  char *folder = make_workspace();
  char *counts = workspace_rows(folder, "SELECT pulled, fresh, changed, repeated, quarantined FROM runs");
  assert_string_equal(counts, "6563|3504|0|3059|0\n");
  free(counts);
  assert_int_equal(workspace_number(folder, "SELECT count(*) FROM records WHERE state = 'mapped'"), 3504);
  assert_int_equal(workspace_number(folder, "SELECT count(*) FROM aggregates"), 3504);
  assert_int_equal(workspace_number(folder, "SELECT count(*) FROM (SELECT DISTINCT period, station FROM aggregates) x"),
                   44);
  assert_int_equal(workspace_number(folder, "SELECT count(*) FROM persons"), 0);
  /* Another sync takes nothing: a file is taken once. */
  assert_int_equal(workspace_run(folder, "--quiet sync", NULL), 0);
  assert_int_equal(workspace_number(folder, "SELECT pulled FROM runs ORDER BY run_id DESC LIMIT 1"), 0);
  temp_remove(folder);
}

static void test_blank_is_not_zero(void **state) {
  (void)state;
  if (access(form, R_OK) != 0) {
    skip();
  }
  char *folder = make_workspace();
  /* 128 blank lines of the file are 64 figures: eight stations and months did not fill in the section on the outcome.
   */
  assert_int_equal(workspace_number(folder, "SELECT count(*) FROM aggregates WHERE value IS NULL"), 64);
  assert_int_equal(
      workspace_number(folder,
                       "SELECT count(*) FROM aggregates WHERE value IS NULL AND breakdown LIKE 'D\\_%' ESCAPE '\\'"),
      64);
  assert_true(workspace_number(folder, "SELECT count(*) FROM aggregates WHERE value = 0") > 0);
  temp_remove(folder);
}

struct expected {
  const char *name;
  int compared, wrong;
};

static void check_totals(const char *folder) {
  static const struct expected expected[] = {
      {"purpose", 41, 0},     {"place", 41, 0},     {"recruitment", 41, 0},   {"means", 41, 0},     {"kind", 40, 0},
      {"female_ages", 40, 1}, {"male_ages", 40, 0}, {"sexes", 40, 0},         {"education", 41, 6}, {"relation", 41, 0},
      {"complainant", 41, 0}, {"outcome", 32, 1},   {"place_purpose", 41, 16}};
  char path[4096];
  snprintf(path, sizeof path, "%s/puente.yaml", folder);
  struct error error = {0};
  struct workspace workspace;
  struct totals totals;
  assert_int_equal(workspace_open(path, WORKSPACE_READ, &workspace, &error), OK);
  assert_int_equal(totals_run(&workspace, NULL, &totals, &error), OK);
  assert_int_equal(totals.count, sizeof expected / sizeof *expected);
  for (size_t i = 0; i < totals.count; i++) {
    assert_string_equal(totals.checks[i].name, expected[i].name);
    assert_string_equal(totals.checks[i].source, "pnp");
    assert_int_equal(totals.checks[i].compared, expected[i].compared);
    assert_int_equal(totals.checks[i].miss_count, expected[i].wrong);
    assert_int_equal(totals.checks[i].compared + totals.checks[i].skipped, 44);
    for (size_t j = 0; j < totals.checks[i].miss_count; j++) {
      assert_int_not_equal(totals.checks[i].misses[j].parts, totals.checks[i].misses[j].total);
    }
  }
  totals_free(&totals);
  workspace_close(&workspace);
}

static void test_totals(void **state) {
  (void)state;
  if (access(form, R_OK) != 0) {
    skip();
  }
  char *folder = make_workspace();
  check_totals(folder);
  char *output = NULL;
  assert_int_equal(workspace_run(folder, "report totals --csv", &output), 0);
  assert_non_null(strstr(output, "\npnp,education,41,6,3"));
  assert_non_null(strstr(output, "\npnp,outcome,32,1,12"));
  assert_non_null(strstr(output, "\npnp,female_ages,40,1,4"));
  free(output);
  assert_int_equal(workspace_run(folder, "report totals --by block --csv", &output), 0);
  size_t lines = 0;
  for (const char *at = output; (at = strchr(at, '\n')) != NULL; at++) {
    lines++;
  }
  assert_int_equal(lines, 1 + 6 + 1 + 1 + 16);
  free(output);
  temp_remove(folder);
}

/* Sections of the form that describe the same victims, as totals beside each other: 2017, 2019, 2020 and 2021 differ.
 * In 2022 no station filled in the section on the outcome: blank, not zero. */
static void test_sections_stand_side_by_side(void **state) {
  (void)state;
  if (access(form, R_OK) != 0) {
    skip();
  }
  char *folder = make_workspace();
  struct said said = program_run(folder, "report discrepancy");
  assert_int_equal(said.code, 0);
  assert_string_equal(said.out, "Victims\n"
                                "\n"
                                "                      PE/PNP      PE/PNP      PE/PNP      PE/PNP      PE/PNP      "
                                "PE/PNP      PE/PNP      PE/PNP      PE/PNP       PE/PNP\n"
                                "                  2023-12-31  2023-12-31  2023-12-31  2023-12-31  2023-12-31  "
                                "2023-12-31  2023-12-31  2023-12-31  2023-12-31   2023-12-31\n"
                                "Year  Department    F1_TOTAL    F2_TOTAL     T_TOTAL    P3_TOTAL     C_TOTAL     "
                                "M_TOTAL    P4_TOTAL    P5_TOTAL     D_TOTAL  EM_EF_TOTAL\n"
                                "────  ──────────  ──────────  ──────────  ──────────  ──────────  ──────────  "
                                "──────────  ──────────  ──────────  ──────────  ───────────\n"
                                "2017  Lambayeque           3          12           3           0           3          "
                                " 3           3           3           3            3\n"
                                "2018  Lambayeque          39          43          39          39          39          "
                                "39          39          39          39           39\n"
                                "2019  Lambayeque          56          22          56          54          56          "
                                "56          56          56          56           56\n"
                                "2020  Lambayeque          25          25          18          25          25          "
                                "25          25          25          19           25\n"
                                "2021  Lambayeque          33          33          33          62          33          "
                                "33          33          33          33           33\n"
                                "2022  Lambayeque          49          49          49          49          49          "
                                "49          49          49                       49\n"
                                "\n"
                                "consolidated: no record of this\n"
                                "The same in all columns: unit: Victim; coverage: Lambayeque, por comisaría y mes\n"
                                "Not stated for any column: definition, date of the period (`counts:` of the source)\n"
                                "Columns are never added up. Blank: no record there, or nothing published.\n");
  program_forget();
  temp_remove(folder);
}

int main(void) {
  if (access(form, R_OK) != 0) {
    printf("note: %s is not here\n", form);
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_of_each_kept), cmocka_unit_test(test_blank_is_not_zero),
                                     cmocka_unit_test(test_totals), cmocka_unit_test(test_sections_stand_side_by_side)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
