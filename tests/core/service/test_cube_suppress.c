/* What counts show of a store of made-up cases: of one source, each with its victims and what was decided. */
#include "core/base/file.h"
#include "core/resolve/resolve.h"
#include "core/service/provenance.h"
#include "core/service/report.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define FIXTURE "tests/core/service/report"

static char *folder;
static struct workspace workspace;

static void stop(const struct error *error) {
  fail_msg("%s (%s; %s)", error->message, error->place, error->hint);
}

static void write_text(const char *name, struct slice text) {
  struct error error = {0};
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  if (file_write(path, text, 0600, &error) != OK) {
    stop(&error);
  }
}

static void copy(const char *name) {
  struct buffer text;
  struct error error = {0};
  char from[256];
  snprintf(from, sizeof from, FIXTURE "/%s", name);
  buffer_init(&text, 1 << 20);
  if (file_read(from, 1 << 20, &text, &error) != OK) {
    stop(&error);
  }
  write_text(name, buffer_view(&text));
  buffer_free(&text);
}

static void add_decisions(int i, struct buffer *out) {
  bool convicted = i < 30, acquitted = i < 3 || (i >= 30 && i < 50);
  if (convicted) {
    buffer_text(out, "{\"id\": 1, \"etapa\": \"SENTENCIA\", \"decision\": \"CONDENATORIA\"}");
  }
  if (acquitted) {
    buffer_printf(out, "%s{\"id\": 2, \"etapa\": \"SENTENCIA\", \"decision\": \"ABSOLUTORIA\"}", convicted ? ", " : "");
  }
}

/* 30 cases with a conviction, 3 of them with an acquittal too, and 20 with an acquittal alone, in three departments and
 * as many years; 15 of which neither date nor decision is recorded, 12 of them in one department. */
static void write_cases(void) {
  static const char *const departments[] = {"14", "15", "07"};
  char date[16];
  struct buffer out;
  buffer_init(&out, 1 << 20);
  for (int i = 0; i < 65; i++) {
    snprintf(date, sizeof date, i < 50 ? "202%d-03-07" : "", i % 3);
    buffer_printf(&out,
                  "{\"carpeta\": \"C%d\", \"denuncia\": \"\", \"fecha\": \"%s\", \"ubigeo\": \"%s\", \"agraviados\": "
                  "[{\"id\": 1, \"nombres\": \"N%c%c\", \"paterno\": \"P%c%c\", \"dni\": \"4%07d\", \"nacimiento\": "
                  "\"1990-01-%02d\", \"sexo\": \"%s\", \"edad\": %d}], \"etapas\": [",
                  i, date, i < 50 ? departments[i * 7 % 11 % 3] : departments[i > 61], 'A' + i % 26, 'A' + i / 26,
                  'A' + i % 26, 'A' + i / 26, i, 1 + i % 28, i % 4 == 0 ? "M" : "F", 12 + i);
    add_decisions(i, &out);
    buffer_text(&out, "]}\n");
  }
  write_text("incoming/sistra.json", buffer_view(&out));
  buffer_free(&out);
}

static int fill(void **state) {
  static const char *const folders[] = {"sources", "mappings", "incoming"};
  struct error error = {0};
  struct resolve_result result;
  struct sync_result synced;
  char path[512];
  (void)state;
  folder = temp_make();
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, folders[i]);
    assert_int_equal(mkdir(path, 0700), 0);
  }
  write_text("sources/sistra.yaml", slice_of("source: sistra\ninstitution: PE/MP\nunit: carpeta\nduplicate_free: true\n"
                                             "connector: file\noptions: {path: incoming/sistra.json, settle: 0s}\n"));
  copy("mappings/sistra.yaml");
  write_cases();
  snprintf(path, sizeof path, "%s/puente.key", folder);
  assert_int_equal(key_create(path, &error), OK);
  write_text("puente.yaml", slice_of("name: test\n"));
  snprintf(path, sizeof path, "%s/puente.yaml", folder);
  const struct sync_options syncing = {.actor = "test"};
  const struct resolve_options resolving = {.actor = "test"};
  if (workspace_open(path, WORKSPACE_WRITE, &workspace, &error) != OK) {
    stop(&error);
  }
  const struct workbench bench = workspace_bench(&workspace);
  if (sync_source(&bench, &workspace.config->sources[0], workspace.source_ids[0], &syncing, &synced, &error) != OK
      || resolve_run(workspace.store, workspace.config, workspace.model, &resolving, &result, &error) != OK) {
    stop(&error);
  }
  assert_int_equal(synced.counts.quarantined, 0);
  return 0;
}

static int empty(void **state) {
  (void)state;
  workspace_close(&workspace);
  temp_remove(folder);
  return 0;
}

static void run(const struct report_request *request, struct report *report) {
  struct error error = {0};
  if (report_run(&workspace, request, report, &error) != OK) {
    stop(&error);
  }
}

/* The cell of the row that begins with the code. */
static const struct report_cell *figure_of(const struct report *report, const char *code) {
  for (size_t i = 0; i < report->count; i += report->column_count) {
    if (report->cells[i].text != NULL && strcmp(report->cells[i].text, code) == 0) {
      return &report->cells[i + report->column_count - 1];
    }
  }
  fail_msg("no row of %s", code);
  return NULL;
}

/* A case with both decisions is counted under both, also where one of them is asked for: how many have both is a cell
 * of no table that is protected, and small. */
static void a_filter_on_the_field_hides_its_other_values(void **state) {
  (void)state;
  struct report_request request = {.name = "crosstab", .indicator = "cases", .by = {"decision"}, .by_count = 1};
  struct report report;
  run(&request, &report);
  assert_int_equal(figure_of(&report, "conviction")->count, 30);
  assert_int_equal(figure_of(&report, "acquittal")->count, 23);
  report_free(&report);
  request.filters[request.filter_count++] = (struct report_filter){.field = "decision", .value = "conviction"};
  run(&request, &report);
  assert_int_equal(figure_of(&report, "conviction")->count, 30);
  assert_true(figure_of(&report, "acquittal")->hidden);
  report_free(&report);
  workspace.config->disclosure.k = 1; /* hides nothing */
  run(&request, &report);
  assert_int_equal(figure_of(&report, "acquittal")->count, 3);
  report_free(&report);
  workspace.config->disclosure.k = 11;
}

/* Cases without a year are in no year, month or period: a table by them would show all of them, and say nothing. */
static void a_field_that_nobody_has_is_not_offered(void **state) {
  (void)state;
  struct report_request request = {.name = "crosstab",
                                   .indicator = "cases",
                                   .by = {"month", "department"},
                                   .by_count = 2,
                                   .filters = {{.field = "year", .value = ""}},
                                   .filter_count = 1};
  struct report report;
  run(&request, &report);
  assert_true(report.concealed > 0);
  assert_int_equal(report.offer_count, 0);
  report_free(&report);
  request.filter_count = 0;
  run(&request, &report);
  assert_true(report.concealed > 0);
  assert_string_equal(report.offers[0].command, "puente report crosstab --by period,department --indicator cases");
  report_free(&report);
}

/* All of them are many: without fields, too. Where they are hidden, that is why no share is told. */
static void a_total_is_told_as_in_any_table(void **state) {
  (void)state;
  const struct report_request request = {.name = "crosstab", .indicator = "cases"};
  struct report report;
  run(&request, &report);
  assert_false(report.cells[0].hidden);
  assert_true(report.cells[0].count > 11);
  assert_int_equal(report.concealed, 0);
  int64_t total = report.cells[0].count;
  report_free(&report);
  workspace.config->disclosure.k = (int)total + 1;
  run(&request, &report);
  assert_true(report.cells[0].hidden);
  bool said = false;
  for (size_t i = 0; i < report.note_count; i++) {
    said = said || strstr(report.notes[i], "its total is hidden") != NULL;
  }
  assert_true(said);
  report_free(&report);
  workspace.config->disclosure.k = 11;
}

/* ---- who is behind a figure ---- */

/* Of a row of a report by two fields; "" stands for what is not recorded. */
static enum status find(const struct report *report, size_t row) {
  struct error error = {0};
  struct figure figure;
  struct figure_request request = {.indicator = "cases", .condition_count = 2};
  for (size_t f = 0; f < 2; f++) {
    const char *text = report->cells[row * 3 + f].text;
    request.conditions[f] = (struct condition){.field = report->columns[f].name, .value = text == NULL ? "" : text};
  }
  enum status status = figure_find(&workspace, &request, &figure, &error);
  figure_free(&figure);
  if (status == ERR_AUTH) { /* nor is one of them drawn */
    json_t *answer = NULL;
    assert_int_equal(audit_sample(&workspace, &request, 1, 1, &answer, &error), ERR_AUTH);
    assert_null(answer);
  }
  return status;
}

/* Whom a cell counts is told where the cell is shown, with the k of the configuration, and refused where it is hidden,
 * also where it counts many. Returns how many of those there are. */
static size_t check_cells(const char *a, const char *b, int k) {
  const struct report_request request = {.name = "crosstab", .indicator = "cases", .by = {a, b}, .by_count = 2};
  struct report guarded, exact;
  size_t beside = 0;
  workspace.config->disclosure.k = 1;
  run(&request, &exact);
  workspace.config->disclosure.k = k;
  run(&request, &guarded);
  assert_int_equal(guarded.count, exact.count);
  for (size_t row = 0; row < guarded.count / 3; row++) {
    bool hidden = guarded.cells[row * 3 + 2].hidden;
    assert_int_equal(find(&guarded, row), hidden ? ERR_AUTH : OK);
    beside += hidden && exact.cells[row * 3 + 2].count >= k;
  }
  report_free(&guarded);
  report_free(&exact);
  workspace.config->disclosure.k = 11;
  return beside;
}

static void who_is_behind_a_hidden_figure_is_not_told(void **state) {
  (void)state;
  size_t beside = 0;
  for (int k = 2; k <= 14; k += 3) {
    beside += check_cells("year", "department", k);
    beside += check_cells("department", "decision", k);
    beside += check_cells("year", "decision", k);
  }
  print_message("hidden for others' sake: %zu\n", beside);
  assert_true(beside > 3);
}

/* ---- completeness ---- */

/* Rows: source, entity, field, rows, filled, share, a column for each reason. Of a field's parts those that are hidden
 * sum up to what the shown ones leave of the rows; each is at least 1. */
static size_t check_parts(const struct report_cell *shown, const struct report_cell *exact, size_t columns, int k) {
  int64_t sum = 0, gaps = 0;
  for (size_t c = 4; c < columns; c++) {
    if (c == 5) {
      continue;
    }
    sum += shown[c].hidden ? exact[c].count : 0;
    gaps += shown[c].hidden;
    assert_true(shown[c].hidden || exact[c].count == 0 || exact[c].count >= k);
    assert_true(shown[c].hidden || exact[c].count == shown[c].count);
  }
  assert_true(shown[3].hidden || exact[3].count >= k);
  assert_true(gaps == 0 || shown[3].hidden || sum - (gaps - 1) >= k);
  return (size_t)gaps;
}

static void check_share(const struct report_cell *shown, const struct report_cell *exact, int k) {
  if (shown[4].hidden && !shown[5].hidden) { /* a step of 5 %, and room in it for a count of k */
    assert_true(exact[3].count >= 20 * (k + 1));
    assert_true(shown[5].share <= exact[5].share && exact[5].share < shown[5].share + 0.05 + 1e-9);
  } else {
    assert_true(shown[4].hidden || shown[5].share == exact[5].share);
  }
}

static void completeness_tells_of_no_few_records(void **unused) {
  const struct report_request request = {.name = "completeness"};
  struct report exact, guarded;
  size_t gaps = 0;
  (void)unused;
  workspace.config->disclosure.k = 1;
  run(&request, &exact);
  for (int k = 2; k < 70; k++) {
    workspace.config->disclosure.k = k;
    run(&request, &guarded);
    assert_int_equal(guarded.count, exact.count);
    for (size_t i = 0; i < guarded.count; i += guarded.column_count) {
      check_share(&guarded.cells[i], &exact.cells[i], k);
      gaps += check_parts(&guarded.cells[i], &exact.cells[i], guarded.column_count, k);
    }
    report_free(&guarded);
  }
  print_message("hidden: %zu\n", gaps);
  assert_true(gaps > 100);
  workspace.config->disclosure.k = 11;
  report_free(&exact);
}

/* ---- what decodes identifiers is in the log first ---- */

static int64_t count_entries(const char *event) {
  static const char *const columns[] = {"event"};
  struct result *result = NULL;
  struct error error = {0};
  int64_t count = 0;
  const struct filter filter = {.column = "event", .text = event};
  const struct selection selection = {
      .view = "audit", .columns = columns, .column_count = 1, .filters = &filter, .filter_count = 1};
  if (store_select(workspace.store, &selection, &result, &error) != OK) {
    stop(&error);
  }
  while (result_next(result, &error) == OK) {
    count++;
  }
  result_free(result);
  return count;
}

static void decoding_is_in_the_log_before_it_is_done(void **unused) {
  static const char *const names[] = {"completeness", "linkage"};
  struct report report;
  struct error error = {0};
  struct workspace reading;
  int64_t before = count_entries("count");
  (void)unused;
  for (size_t i = 0; i < 2; i++) {
    struct report_request request = {.name = names[i]};
    assert_true(report_is_logged(&request));
    run(&request, &report);
    report_free(&report);
    assert_int_equal(count_entries("count"), before + (int64_t)i + 1);
    assert_int_equal(workspace_open(workspace.config->path, WORKSPACE_READ, &reading, &error), OK);
    assert_int_not_equal(report_run(&reading, &request, &report, &error), OK); /* no entry, no report */
    workspace_close(&reading);
  }
  const struct report_request sizes = {.name = "linkage", .by = {"size"}, .by_count = 1};
  assert_false(report_is_logged(&sizes)); /* decodes nothing */
  run(&sizes, &report);
  for (size_t i = 0; i < report.count; i += report.column_count) {
    int64_t persons = report.cells[i + 1].count;
    assert_true(persons == 0 || persons >= 11);
  }
  report_free(&report);
  assert_int_equal(count_entries("count"), before + 2);
  const struct report_request singly = {.name = "linkage", .by = {"cluster"}, .by_count = 1};
  assert_int_equal(report_run(&workspace, &singly, &report, &error), ERR_AUTH);
}

/* ---- rounding ---- */

static struct indicator indicator;
static size_t rounded_cells;

static struct cube count(const struct cube_request *asked) {
  struct cube cube;
  struct error error = {0};
  if (cube_run(asked, &cube, &error) != OK) {
    stop(&error);
  }
  return cube;
}

static const char *value_of(const struct cube *cube, size_t cell, size_t field, char room[64]) {
  uint32_t value = cube->cells[cell].values[field];
  snprintf(room, 64, "%.*s", value == MAP_NONE ? 0 : (int)map_key(cube->dictionary, value).len,
           value == MAP_NONE ? "" : map_key(cube->dictionary, value).data);
  return room;
}

static void check_near(int64_t truth, int64_t figure, int base) {
  assert_int_equal(figure % base, 0);
  assert_true(figure - truth < base && truth - figure < base);
  assert_true(truth > 0 || figure == 0);
  rounded_cells++;
}

/* The cell alone, by filters; and as a row of one field, filtered by the other: the same number as in the table. */
static void check_elsewhere(const struct cube_request *asked, const struct cube *cube, size_t cell) {
  char rooms[2][64], room[64];
  struct condition conditions[2];
  struct cube_request alone = *asked;
  for (size_t f = 0; f < 2; f++) {
    conditions[f] = (struct condition){.field = asked->by[f], .value = value_of(cube, cell, f, rooms[f])};
  }
  alone.conditions = conditions;
  alone.condition_count = 2;
  alone.by_count = 0;
  struct cube one = count(&alone);
  assert_int_equal(one.total.figure, cube->cells[cell].extent.figure);
  cube_free(&one);
  alone.by_count = alone.condition_count = 1;
  alone.conditions = conditions + 1;
  one = count(&alone);
  for (size_t i = 0; i < one.count; i++) {
    if (strcmp(value_of(&one, i, 0, room), rooms[0]) == 0) {
      assert_int_equal(one.cells[i].extent.figure, cube->cells[cell].extent.figure);
    }
  }
  cube_free(&one);
}

static void check_rounded(const char *a, const char *b, int base) {
  const char *by[] = {a, b};
  struct cube_request asked = {.workspace = &workspace, .indicator = &indicator, .by = by, .by_count = 2};
  struct cube exact = count(&asked);
  asked.guard = true;
  workspace.config->disclosure.base = base;
  struct cube rounded = count(&asked);
  assert_int_equal(rounded.rounded, base);
  assert_int_equal(rounded.count, exact.count);
  check_near(exact.total.figure, rounded.total.figure, base);
  for (size_t i = 0; i < rounded.count; i++) {
    const struct extent *extent = &rounded.cells[i].extent;
    check_near(exact.cells[i].extent.figure, extent->figure, base);
    assert_true(extent->records == 0 && extent->least == 0 && extent->unlinkable == -1);
    check_elsewhere(&asked, &rounded, i);
  }
  workspace.config->disclosure.base = 0;
  cube_free(&exact);
  cube_free(&rounded);
}

static void a_rounded_cell_has_one_number_near_the_truth(void **state) {
  (void)state;
  static const char *const fields[] = {"year", "month", "period", "department", "region", "stage", "decision"};
  static const char *const names[] = {"cases", "victims"};
  enum { FIELDS = sizeof fields / sizeof *fields };
  const char *const folders[2] = {workspace.config->indicator_folders[0], workspace.config->indicator_folders[1]};
  struct error error = {0};
  struct arena *arena = arena_new(0);
  rounded_cells = 0;
  for (size_t n = 0; n < 2; n++) {
    assert_int_equal(indicator_load(folders, names[n], arena, &indicator, &error), OK);
    for (size_t a = 0; a < FIELDS; a++) {
      for (size_t b = 0; b < FIELDS; b++) {
        if (a != b) {
          check_rounded(fields[a], fields[b], 3);
          check_rounded(fields[a], fields[b], 5);
        }
      }
    }
  }
  print_message("cells: %zu\n", rounded_cells);
  assert_true(rounded_cells > 500);
  arena_free(arena);
}

/* Under another name, and with a condition of the indicator instead of a filter, the cell is the same. */
static void the_name_of_an_indicator_does_not_change_a_number(void **state) {
  (void)state;
  const char *const folders[2] = {workspace.config->indicator_folders[0], workspace.config->indicator_folders[1]};
  const char *by[] = {"year"};
  const struct condition female = {.field = "sex", .value = "female"};
  struct error error = {0};
  struct arena *arena = arena_new(0);
  assert_int_equal(indicator_load(folders, "victims", arena, &indicator, &error), OK);
  struct cube_request asked = {.workspace = &workspace,
                               .indicator = &indicator,
                               .by = by,
                               .by_count = 1,
                               .conditions = &female,
                               .condition_count = 1,
                               .guard = true};
  workspace.config->disclosure.base = 5;
  struct cube filtered = count(&asked);
  indicator.name = "women";
  indicator.conditions[indicator.condition_count++] = female;
  asked.condition_count = 0;
  struct cube women = count(&asked);
  assert_true(women.count > 2);
  assert_int_equal(women.total.figure, filtered.total.figure);
  for (size_t i = 0; i < women.count; i++) {
    assert_int_equal(women.cells[i].extent.figure, filtered.cells[i].extent.figure);
  }
  workspace.config->disclosure.base = 0;
  cube_free(&filtered);
  cube_free(&women);
  arena_free(arena);
}

static void check_columns(const struct report *report) {
  for (size_t c = 0; c < report->column_count; c++) {
    int64_t most = report->columns[c].found ? 0 : 1;
    for (size_t i = c; i < report->count; i += report->column_count) {
      most = report->cells[i].count > most ? report->cells[i].count : most;
    }
    assert_true(most > 0);
  }
}

/* A report says that it is rounded, and leaves out what rounds to nothing, which nobody tells from what is nothing. */
static void a_rounded_report_says_so(void **state) {
  (void)state;
  const struct report_request requests[] = {
      {.name = "crosstab", .indicator = "cases", .by = {"year", "department"}, .by_count = 2},
      {.name = "crosstab", .by = {"age"}, .by_count = 1}, /* nearly everybody has one of their own */
      {.name = "crosstab", .by = {"year", "sex"}, .by_count = 2, .across = "age"},
      {.name = "stages", .indicator = "cases"}};
  workspace.config->disclosure.base = 5;
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
    struct report report;
    run(&requests[i], &report);
    assert_int_equal(report.rounded, 5);
    assert_int_equal(report.concealed, 0);
    assert_int_equal(report.offer_count, 0);
    assert_true(report.count > report.column_count);
    for (size_t row = 0; row < report.count; row += report.column_count) {
      int64_t most = 0;
      for (size_t c = 0; c < report.column_count; c++) {
        const struct report_cell *cell = &report.cells[row + c];
        assert_int_equal(cell->count % 5, 0);
        most = cell->count > most ? cell->count : most;
      }
      assert_true(most > 0);
    }
    check_columns(&report);
    bool said = false;
    for (size_t n = 0; n < report.note_count; n++) {
      said = said || strstr(report.notes[n], "base 5") != NULL;
    }
    assert_true(said);
    report_free(&report);
  }
  /* What each source has of a figure is protected exactly or not told: rounded parts would tell of each other. */
  const struct report_request compared = {.name = "discrepancy", .indicator = "cases"};
  struct report report;
  run(&compared, &report);
  assert_int_equal(report.rounded, 5);
  assert_true(report.concealed > 0);
  report_free(&report);
  workspace.config->disclosure.base = 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(completeness_tells_of_no_few_records),
                                     cmocka_unit_test(decoding_is_in_the_log_before_it_is_done),
                                     cmocka_unit_test(a_rounded_cell_has_one_number_near_the_truth),
                                     cmocka_unit_test(the_name_of_an_indicator_does_not_change_a_number),
                                     cmocka_unit_test(a_rounded_report_says_so),
                                     cmocka_unit_test(who_is_behind_a_hidden_figure_is_not_told),
                                     cmocka_unit_test(a_field_that_nobody_has_is_not_offered),
                                     cmocka_unit_test(a_total_is_told_as_in_any_table),
                                     cmocka_unit_test(a_filter_on_the_field_hides_its_other_values)};
  return cmocka_run_group_tests(tests, fill, empty);
}
