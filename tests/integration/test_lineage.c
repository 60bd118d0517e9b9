/* Lineage over the simulated registries, on both stores: every cell of several reports counts the very units that
 * `explain figure` lists. */
#include "core/service/figure.h"
#include "core/service/report.h"
#include "tests/support/peru.h"
#include "tests/support/postgres.h"
#include "tests/support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Directly in the database, as somebody would who wants to go unseen. */
static void tamper(int store, const char *sql) {
  if (store == 0) {
    shell("sqlite3 %s/puente.db \"%s\"", folders[0], sql);
  } else {
    char line[1024];
    snprintf(line, sizeof line, "SET search_path = puente; %s", sql);
    postgres_run(line);
  }
}

static void assert_verified(int store, int code, const char *wanted) {
  char *output = shell_output(&(int){0}, "%s/puente --config %s/puente.yaml audit verify --records 2>&1 || true",
                              build_folder(), folders[store]);
  if ((code == 0) != (strstr(output, "records ok: ") != NULL) || strstr(output, wanted) == NULL) {
    fail_msg("store %d, wanted \"%s\":\n%s", store, wanted, output);
  }
  free(output);
}

/* What is done to the store, what undoes it, and how it is named. */
static const struct {
  const char *change, *undo, *named;
} TAMPERED[] = {
    {"UPDATE st_involvement SET role = 'accused' WHERE row_id = (SELECT max(row_id) FROM st_involvement WHERE to_run "
     "IS NULL AND role = 'victim')",
     "UPDATE st_involvement SET role = 'victim' WHERE row_id = (SELECT max(row_id) FROM st_involvement WHERE to_run IS "
     "NULL AND role = 'accused' AND row_id >= (SELECT max(row_id) FROM st_involvement WHERE to_run IS NULL AND role = "
     "'victim'))",
     "role of the involvement in row "},
    {"UPDATE raw_record SET chunk_offset = chunk_offset + 1, chunk_length = chunk_length - 1 WHERE raw_id = (SELECT "
     "min(raw_id) FROM raw_record)",
     "UPDATE raw_record SET chunk_offset = chunk_offset - 1, chunk_length = chunk_length + 1 WHERE raw_id = (SELECT "
     "min(raw_id) FROM raw_record)",
     "its bytes are not those that were landed: their digest is another one"},
    {"UPDATE plan SET body = CAST(replace(body, ' victim', ' v1ctim') AS BLOB) WHERE plan_id = 1",
     "UPDATE plan SET body = CAST(replace(body, ' v1ctim', ' victim') AS BLOB) WHERE plan_id = 1",
     "the text of the mapping was changed after entry "},
    {"UPDATE person_member SET person_id = person_id + 100000 WHERE to_run IS NULL AND row_id = (SELECT max(row_id) "
     "FROM person_member)",
     "UPDATE person_member SET person_id = person_id - 100000 WHERE to_run IS NULL AND row_id = (SELECT max(row_id) "
     "FROM person_member)",
     "which rows are which person or case is not what the linking of run "},
    {"UPDATE raw_record SET state = 3 WHERE state = 1", "UPDATE raw_record SET state = 1 WHERE state = 3",
     "the store's outcomes of records (key, digest of the bytes, outcome or plan) are not those that it has the root "
     "of"},
    {"UPDATE raw_record SET raw_id = raw_id + 1 WHERE raw_id = (SELECT max(raw_id) FROM raw_record WHERE state = 1)",
     "UPDATE raw_record SET raw_id = raw_id - 1 WHERE raw_id = (SELECT max(raw_id) FROM raw_record WHERE state = 1)",
     "the store's outcomes of records"},
};

static void what_was_changed_is_named(void **state) {
  (void)state;
  for (int store = 0; store < 2; store++) {
    assert_verified(store, 0, "records ok: versions=");
    for (size_t i = 0; i < sizeof TAMPERED / sizeof *TAMPERED; i++) {
      /* The text of a plan is bytes, which PostgreSQL replaces nothing in. */
      bool bytes = strstr(TAMPERED[i].change, "UPDATE plan") != NULL;
      tamper(store, bytes && store == 1 ? "UPDATE plan SET body = set_byte(body, 0, get_byte(body, 0) # 1) WHERE "
                                          "plan_id = 1"
                                        : TAMPERED[i].change);
      assert_verified(store, 1, TAMPERED[i].named);
      tamper(store, bytes && store == 1 ? "UPDATE plan SET body = set_byte(body, 0, get_byte(body, 0) # 1) WHERE "
                                          "plan_id = 1"
                                        : TAMPERED[i].undo);
      assert_verified(store, 0, "records ok: versions=");
    }
  }
}

/* Outcomes that change later leave those of before to be made again: another round, a mapping of today, a retry, a
 * dismissal. */
static void later_outcomes_leave_the_former(void **state) {
  (void)state;
  peru_advance(&peru);
  for (int store = 0; store < 2; store++) {
    shell("sed -i '$a # seen again' %s/mappings/reta.yaml", folders[store]);
    assert_int_equal(workspace_run(folders[store], "--quiet run", NULL), 0);
    assert_int_equal(workspace_run(folders[store], "--quiet remap reta", NULL), 0);
    assert_int_equal(workspace_run(folders[store], "--quiet quarantine retry mimp", NULL), 0);
    assert_true(workspace_number(folders[store], "SELECT count(*) FROM plans WHERE source = 'reta'") == 2);
    char *rows = workspace_rows(folders[store], "SELECT raw_id FROM quarantine ORDER BY raw_id LIMIT 1");
    char line[128];
    snprintf(line, sizeof line, "--quiet quarantine dismiss %lld --reason test", atoll(rows));
    assert_int_equal(workspace_run(folders[store], line, NULL), 0);
    free(rows);
    assert_verified(store, 0, "records ok: versions=");
    tamper(store, "DELETE FROM outcome WHERE raw_id = (SELECT max(raw_id) FROM outcome)");
    assert_verified(store, 1, "the store's outcomes of records");
  }
}

static void assert_said(int store, const char *arguments, const char *wanted) {
  char *output = shell_output(&(int){0}, "%s/puente --config %s/puente.yaml %s 2>&1 || true", build_folder(),
                              folders[store], arguments);
  if (strstr(output, wanted) == NULL) {
    fail_msg("store %d, %s: wanted \"%s\":\n%s", store, arguments, wanted, output);
  }
  free(output);
}

static void a_small_figure_needs_a_purpose_and_is_logged(void **state) {
  (void)state;
  static const char small[] = "explain figure victims '{\"year\": \"2019\", \"age_band\": \"6-11\", \"victims\": 3}'";
  for (int store = 0; store < 2; store++) {
    char line[256];
    assert_said(store, small,
                "error: the figure is hidden in its table: who is behind it is a sight of exact data\n"
                "  hint: --exact --purpose \"why you have to see it\": the log records it\n");
    snprintf(line, sizeof line, "%s --exact", small);
    assert_said(store, line,
                "error: a purpose is needed to see what a table does not show\n"
                "  hint: --exact --purpose \"why you have to see it\": the log records it\n");
    snprintf(line, sizeof line, "%s --exact --purpose review", small);
    assert_said(store, line, "Victims (victims), year = 2019, age_band = 6-11\n");
    assert_said(store, "audit list --event reveal --json",
                "\\\"where\\\":{\\\"age_band\\\":\\\"6-11\\\",\\\"year\\\":\\\"2019\\\"}");
  }
}

static void a_sample_is_drawn_again(void **state) {
  (void)state;
  static const char drawing[] = "--json audit sample victims --by year=2019 --n 3 --seed 20";
  for (int store = 0; store < 2; store++) {
    char *first = NULL, *again = NULL, *other = NULL;
    assert_int_equal(workspace_run(folders[store], drawing, &first), 0);
    assert_int_equal(workspace_run(folders[store], drawing, &again), 0);
    assert_string_equal(first, again);
    assert_int_equal(
        workspace_run(folders[store], "--json audit sample victims --by year=2019 --n 3 --seed 21", &other), 0);
    assert_string_not_equal(first, other);
    assert_non_null(strstr(first, "\"page\": "));
    assert_non_null(strstr(first, "\"wrong\": null"));
    assert_null(strstr(first, "\"wrong\": {"));
    assert_said(store, "audit sample victims --by year=2019 --n 1000 --seed 1",
                " units cannot be drawn of a figure of ");
    assert_said(store, "audit list --event sample", "\"seed\":20");
    free(first);
    free(again);
    free(other);
  }
}

static void keep(int store, const char *name, const char *arguments) {
  char *said = NULL;
  assert_int_equal(workspace_run(folders[store], arguments, &said), 0);
  program_write(folders[store], name, said);
  free(said);
}

/* What it prints draws the same units when others have come since, and so does the rule alone, without Puente. */
static void a_sample_says_how_it_was_drawn(void **state) {
  (void)state;
  static const char program[] =
      "import hashlib, json\n"
      "first, again, now, every = (json.load(open(n)) for n in ('first', 'again', 'now', 'every'))\n"
      "ids = sorted({u['id'] for u in every['units']})\n"
      "sha = lambda t: hashlib.sha256(t.encode()).hexdigest()\n"
      "assert first['drawn_of'] == {'units': len(ids), 'digest': sha(''.join('%d\\n' % i for i in ids))}\n"
      "drawn = sorted((sha('puente/sample/1\\n%d\\n%d' % (20, i)), i) for i in ids)[:9]\n"
      "assert [(u['draw'], u['id']) for u in first['units']] == drawn\n"
      "assert [(u['draw'], u['id']) for u in again['units']] == drawn\n"
      "assert again['drawn_of'] == first['drawn_of'] and again['run'] == first['run'] and 'of' in open('text').read()\n"
      "assert now['drawn_of'] != first['drawn_of'] and now['run'] > first['run'], 'nobody came'\n";
  static const char drawing[] = "audit sample victims --by sex=female --n 9 --seed 20";
  char line[512], again[560];
  for (int store = 0; store < 2; store++) {
    char *said = NULL;
    keep(store, "every", "--json explain figure victims --by sex=female");
    snprintf(line, sizeof line, "--json %s", drawing);
    keep(store, "first", line);
    assert_int_equal(workspace_run(folders[store], drawing, &said), 0);
    const char *command = strstr(said, "\n  puente audit sample ");
    assert_non_null(strstr(said, "\ndrawn of "));
    assert_non_null(command);
    command += strlen("\n  puente ");
    snprintf(line, sizeof line, "%.*s", (int)strcspn(command, "\n"), command);
    assert_non_null(strstr(line, "audit sample victims --by 'sex=female' --n 9 --seed 20 --run "));
    free(said);
    if (store == 0) {
      for (int i = 0; i < 3; i++) {
        peru_advance(&peru);
      }
    }
    assert_int_equal(workspace_run(folders[store], "--quiet run", NULL), 0);
    keep(store, "text", line);
    snprintf(again, sizeof again, "--json %s", line);
    keep(store, "again", again);
    snprintf(again, sizeof again, "--json %s", drawing);
    keep(store, "now", again);
    program_write(folders[store], "draw.py", program);
    shell("cd %s && python3 draw.py", folders[store]);
    assert_said(store, "audit sample victims --n 3 --seed 20 --run 9999", "error: run 9999 has not ended");
  }
}

/* After a mapping of today was brought in. */
static void versions_of_a_mapping_are_told(void **state) {
  (void)state;
  for (int store = 0; store < 2; store++) {
    assert_said(store, "audit mapping reta", ", brought in by tester on ");
    assert_said(store, "audit mapping reta", "  # seen again\n");
    assert_said(store, "audit mapping reta", "  approved by nobody\n");
    assert_said(store, "audit mapping reta", ", remap (entry ");
    assert_said(store, "audit mapping rata", "error: no mapping of source 'rata' was ever used\n");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_cell_is_explained),
                                     cmocka_unit_test(what_was_changed_is_named),
                                     cmocka_unit_test(a_small_figure_needs_a_purpose_and_is_logged),
                                     cmocka_unit_test(a_sample_is_drawn_again),
                                     cmocka_unit_test(later_outcomes_leave_the_former),
                                     cmocka_unit_test(versions_of_a_mapping_are_told),
                                     cmocka_unit_test(a_sample_says_how_it_was_drawn)};
  return cmocka_run_group_tests(tests, make, discard);
}
