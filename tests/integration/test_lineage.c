/* Lineage over the simulated registries, on both stores: every cell of several reports counts the very units that
 * `explain figure` lists. */
#include "core/service/figure.h"
#include "core/service/report.h"
#include "tests/support/peru.h"
#include "tests/support/postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct peru peru;
static char *folders[2]; /* SQLite, PostgreSQL */

static int make(void **state) {
  (void)state;
  char yaml[512];
  setenv("LANGUAGE", "en", 1);
  setenv("PUENTE_ACTOR", "ana", 1);
  snprintf(yaml, sizeof yaml, "{postgres: \"%s\"}", postgres_start());
  peru_start(&peru, 300, 4711, NULL);
  folders[0] = peru_workspace(&peru, "embedded", "{sqlite: puente.db}");
  folders[1] = peru_workspace(&peru, "server", yaml);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(workspace_run(folders[i], "--quiet run", NULL), 0);
  }
  return 0;
}

static int discard(void **state) {
  (void)state;
  free(folders[0]);
  free(folders[1]);
  peru_stop(&peru);
  return 0;
}

static void open_workspace(const char *folder, struct workspace *workspace) {
  char path[512];
  struct error error = {0};
  snprintf(path, sizeof path, "%s/puente.yaml", folder);
  if (workspace_open(path, WORKSPACE_WRITE, workspace, &error) != OK) {
    fail_msg("%s (%s; %s)", error.message, error.place, error.hint);
  }
}

/* The units of one cell, by what the report says of it. */
static void check_cell(struct workspace *workspace, const struct report_request *asked, const struct report *report,
                       size_t row) {
  struct error error = {0};
  struct figure figure;
  struct figure_request request = {
      .indicator = asked->indicator, .exact = true, .sight = {.purpose = "every cell of a report"}};
  const struct report_cell *cells = &report->cells[row * report->column_count];
  for (size_t i = 0; i < asked->by_count; i++) {
    request.conditions[request.condition_count++] =
        (struct condition){.field = asked->by[i], .value = cells[i].null ? "" : cells[i].text};
  }
  for (size_t i = 0; i < asked->filter_count; i++) {
    request.conditions[request.condition_count++] =
        (struct condition){.field = asked->filters[i].field, .value = asked->filters[i].value};
  }
  int64_t *ids;
  size_t count = 0;
  if (figure_find(workspace, &request, &figure, &error) != OK || figure_ids(&figure, &ids, &count, &error) != OK) {
    fail_msg("%s, row %zu: %s (%s)", asked->indicator, row, error.message, error.hint);
  }
  const struct report_cell *told = &cells[asked->by_count];
  if ((int64_t)count != told->count || figure.extent.records != told->extent.records
      || figure.extent.least != told->extent.least) {
    fail_msg("%s by %s, row %zu: %zu units, the report says %lld", asked->indicator, asked->by[0], row, count,
             (long long)told->count);
  }
  figure_free(&figure);
}

static void every_cell_is_explained(void **state) {
  (void)state;
  static const struct report_request requests[] = {
      {.indicator = "victims", .by = {"year", "department"}, .by_count = 2},
      {.indicator = "victims", .by = {"sex", "age_band", "means"}, .by_count = 3},
      {.indicator = "victims", .by = {"stage"}, .by_count = 1, .filters = {{"year", "2019"}}, .filter_count = 1},
      {.indicator = "accused", .by = {"year", "sex"}, .by_count = 2},
      {.indicator = "victims_with_conviction", .by = {"year", "decision"}, .by_count = 2},
      {.indicator = "cases", .by = {"department", "stage"}, .by_count = 2},
      {.indicator = "cases_by_facts", .by = {"month"}, .by_count = 1, .filters = {{"offence", ""}}, .filter_count = 1},
  };
  size_t cells = 0;
  for (int store = 0; store < 2; store++) {
    struct workspace workspace;
    open_workspace(folders[store], &workspace);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
      struct report_request request = requests[i];
      struct report report;
      struct error error = {0};
      request.name = "crosstab";
      request.exact = true;
      request.purpose = "test";
      if (report_run(&workspace, &request, &report, &error) != OK) {
        fail_msg("%s: %s (%s)", request.indicator, error.message, error.hint);
      }
      for (size_t row = 0; row < report.count / report.column_count; row++, cells++) {
        check_cell(&workspace, &request, &report, row);
      }
      report_free(&report);
    }
    workspace_close(&workspace);
  }
  printf("note: %zu cells\n", cells);
  assert_true(cells > 200);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_cell_is_explained)};
  return cmocka_run_group_tests(tests, make, discard);
}
