/* What a report of the simulated registries shows of few persons, and what it does not. */
#include "tests/support/peru.h"
#include "tests/support/program.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct peru peru;
static char *folder;

static int start(void **state) {
  (void)state;
  peru_start(&peru, 700, 3, "");
  folder = peru_workspace(&peru, "suppress", "{sqlite: puente.db}");
  char *output = NULL;
  assert_int_equal(workspace_run(folder, "sync", &output), 0);
  free(output);
  assert_int_equal(workspace_run(folder, "link", &output), 0);
  free(output);
  return 0;
}

static int end(void **state) {
  (void)state;
  free(folder);
  peru_stop(&peru);
  return 0;
}

static char *report(const char *arguments) {
  char *output = NULL;
  assert_int_equal(workspace_run(folder, arguments, &output), 0);
  return output;
}

/* Every line of a CSV: a figure is at least 11 or none, and none where its status says hidden. */
static size_t check_lines(const char *csv) {
  size_t hidden = 0;
  const char *line = strchr(csv, '\n');
  for (; line != NULL && line[1] != '\0'; line = strchr(line + 1, '\n')) {
    const char *end = strchr(line + 1, '\n'), *status = end;
    while (status > line && *status != ',') {
      status--;
    }
    const char *figure = status - 1;
    while (figure > line && *figure != ',') {
      figure--;
    }
    long count = strtol(figure + 1, NULL, 10);
    if (strncmp(status, ",hidden", 7) == 0) {
      assert_ptr_equal(figure + 1, status);
      hidden++;
    } else {
      assert_true(count >= 11);
    }
  }
  return hidden;
}

static void small_figures_are_hidden(void **state) {
  (void)state;
  char *output = report("report crosstab --by year,department --csv");
  assert_non_null(strstr(output, "year,department,victims,victims_status\r\n"));
  assert_true(check_lines(output) > 20);
  free(output);
  output = report("report crosstab --by year,department");
  assert_non_null(strstr(output, "hidden"));
  assert_non_null(strstr(output, "cells of this table and its margins that are not zero."));
  assert_null(strstr(output, "waiting pairs"));
  free(output);
}

/* A filter is a column of the same table: by department for each sex hides what by department and sex hides. */
static void filters_cannot_be_taken_from_each_other(void **state) {
  (void)state;
  char *both = report("report crosstab --by department,sex --csv");
  char *female = report("report crosstab --by department --where sex=female --csv");
  size_t hidden = check_lines(female), wide = 0;
  for (const char *at = both; (at = strstr(at, ",female,,hidden")) != NULL; at++) {
    wide++;
  }
  assert_true(hidden > 0);
  assert_int_equal(hidden, wide);
  free(both);
  free(female);
}

/* A filter may be written as a label: what it hides does not hang on that. */
static void a_label_hides_what_its_code_hides(void **state) {
  (void)state;
  char *code = report("report crosstab --by year,sex --where department=08 --csv");
  char *label = report("report crosstab --by year,sex --where department=cuzco --csv");
  assert_true(check_lines(label) > 0);
  assert_string_equal(label, code);
  free(code);
  free(label);
  code = report("report crosstab --by year,department --where purposes=begging --csv");
  label = report("report crosstab --by year,department --where purposes=Mendicidad --csv");
  assert_true(check_lines(label) > 0);
  assert_string_equal(label, code);
  free(code);
  free(label);
}

static void exact_figures_need_a_purpose_and_a_person(void **state) {
  (void)state;
  struct said said = program_run_as(folder, "tester", "report crosstab --by year --exact");
  assert_int_equal(said.code, 2);
  said = program_run_as(folder, "root", "report crosstab --by year --exact --purpose audit");
  assert_int_not_equal(said.code, 0);
  said =
      program_run_as(folder, "tester", "report crosstab --by year,department --exact --purpose figures-for-congress");
  assert_int_equal(said.code, 0);
  assert_null(strstr(said.out, "hidden"));
  program_forget();
  char *output = report("--json audit list");
  assert_non_null(strstr(output, "\"exact\""));
  assert_non_null(strstr(output, "figures-for-congress"));
  free(output);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(small_figures_are_hidden),
                                     cmocka_unit_test(a_label_hides_what_its_code_hides),
                                     cmocka_unit_test(filters_cannot_be_taken_from_each_other),
                                     cmocka_unit_test(exact_figures_need_a_purpose_and_a_person)};
  return cmocka_run_group_tests(tests, start, end);
}
