/* What a report of the simulated registries shows of few persons, and what it does not. */
#include "core/base/file.h"
#include "tests/support/peru.h"
#include "tests/support/program.h"
#include "tests/support/workspace.h"

#include <jansson.h>
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

/* Not inlined: the compiler takes what is returned for the address of the local variable. */
__attribute__((noinline)) static char *report(const char *arguments) {
  char *output = NULL;
  assert_int_equal(workspace_run(folder, arguments, &output), 0);
  return output;
}

/* Every line of a CSV: a figure is at least 11 or none, and none where its status says hidden. */
static size_t check_lines(const char *csv) {
  size_t hidden = 0;
  bool told = strstr(csv, "_status\r\n") != NULL; /* else none is hidden: the figure is the last field */
  const char *line = strchr(csv, '\n');
  for (; line != NULL && line[1] != '\0'; line = strchr(line + 1, '\n')) {
    const char *end = strchr(line + 1, '\n'), *status = end;
    while (status > line && *status != ',') {
      status--;
    }
    const char *figure = told ? status - 1 : status;
    while (told && figure > line && *figure != ',') {
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
  assert_non_null(strstr(output, "year,department,victims\r\n")); /* none of those that are not listed */
  check_lines(output);
  free(output);
  output = report("report crosstab --by year,department");
  assert_non_null(strstr(output, "What is not listed counts nobody, or is hidden"));
  assert_non_null(strstr(output, "cells that are listed of this table and its margins."));
  assert_null(strstr(output, "waiting pairs"));
  free(output);
}

/* A filter is a column of the same table: by department for each sex hides what by department and sex hides. */
static void filters_cannot_be_taken_from_each_other(void **state) {
  (void)state;
  char *both = report("report crosstab --by department,sex --csv");
  char *female = report("report crosstab --by department --where sex=female --csv");
  size_t lines = 0;
  char cell[64];
  check_lines(female);
  for (const char *line = strchr(female, '\n'); line != NULL && line[1] != '\0'; line = strchr(line + 1, '\n')) {
    const char *comma = strchr(line + 1, ','), *end = strchr(line + 1, '\r');
    snprintf(cell, sizeof cell, "\n%.*s,female,%.*s", (int)(comma - line - 1), line + 1, (int)(end - comma - 1),
             comma + 1);
    assert_non_null(strstr(both, cell));
    lines++;
  }
  for (const char *at = both; (at = strstr(at, ",female,")) != NULL; at++) {
    lines--;
  }
  assert_int_equal(lines, 0);
  free(both);
  free(female);
}

/* A filter may be written as a label: what it hides does not hang on that. */
static void a_label_hides_what_its_code_hides(void **state) {
  (void)state;
  char *code = report("report crosstab --by year,sex --where department=08 --csv");
  char *label = report("report crosstab --by year,sex --where department=cuzco --csv");
  check_lines(label);
  assert_string_equal(label, code);
  free(code);
  free(label);
  code = report("report crosstab --by year,department --where purposes=begging --csv");
  label = report("report crosstab --by year,department --where purposes=Mendicidad --csv");
  check_lines(label);
  assert_string_equal(label, code);
  free(code);
  free(label);
}

/* What is promised, in the line that begins so: the command, without "puente", and its numbers. */
struct offer {
  char *command; /* NULL: there is no such line */
  long share, shown, cells;
};
static struct offer offer_of(const char *output, const char *line) {
  struct offer offer = {.command = NULL};
  const char *at = strstr(output, line);
  const char *command = at == NULL ? NULL : strstr(at, "puente report ");
  if (command != NULL) {
    sscanf(at, "To see at least %ld %% (%ld of %ld cells)", &offer.share, &offer.shown, &offer.cells);
    offer.command = strndup(command + strlen("puente "), strcspn(command, "\n") - strlen("puente "));
  }
  return offer;
}

static void check_more(const struct offer *offer) {
  char line[128], *output = report(offer->command);
  snprintf(line, sizeof line, "At least %ld %% of what it counts", offer->share);
  assert_non_null(strstr(output, line));
  snprintf(line, sizeof line, "Shown: %ld of %ld cells", offer->shown, offer->cells);
  assert_non_null(strstr(output, line));
  free(output);
}

static void check_whole(const struct offer *offer) {
  char *output = report(offer->command);
  assert_null(strstr(output, "hidden"));
  assert_null(strstr(output, "Shown: "));
  free(output);
}

/* -1: it is not told. */
static long visible_share(const char *output) {
  long share = -1;
  const char *at = strstr(output, "\nAt least ");
  if (at != NULL) {
    sscanf(at, " At least %ld", &share);
  }
  return share;
}

/* What is promised of another table is what that table shows when it is asked for. Returns whether one was. */
static bool check_offers(const char *arguments) {
  char *output = report(arguments);
  struct offer more = offer_of(output, "To see at least "), whole = offer_of(output, "Nothing hidden: ");
  long share = visible_share(output);
  bool some = more.command != NULL || whole.command != NULL;
  assert_non_null(strstr(output, "Shown: "));
  if (more.command != NULL) {
    assert_true(more.share >= share);
    check_more(&more);
  }
  if (whole.command != NULL) {
    check_whole(&whole);
  }
  free(more.command);
  free(whole.command);
  free(output);
  return some;
}

static void an_offer_shows_what_it_promises(void **state) {
  (void)state;
  static const char *const tables[] = {"report crosstab --by year,department",
                                       "report crosstab --by department,sex --columns year",
                                       "report crosstab --by purposes,department",
                                       "report crosstab --by month,province",
                                       "report crosstab --by department --where sex=Mujer",
                                       "report crosstab --by age --indicator victims",
                                       "report crosstab --by department --where 'purposes=Explotación sexual'",
                                       "report crosstab --by year,department --indicator cases"};
  size_t some = 0;
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    some += check_offers(tables[i]);
  }
  assert_int_equal(some, sizeof tables / sizeof *tables);
}

/* What `--metadata` writes beside the rows, which are the same without. */
static json_t *about_of(const char *arguments) {
  char line[1024], path[512];
  struct buffer text;
  struct error error = {0};
  snprintf(path, sizeof path, "%s/about.json", folder);
  snprintf(line, sizeof line, "%s --csv --metadata %s", arguments, path);
  char *rows = report(line);
  snprintf(line, sizeof line, "%s --csv", arguments);
  char *plain = report(line);
  assert_string_equal(rows, plain);
  assert_null(strstr(rows, "puente report"));
  buffer_init(&text, 1 << 16);
  assert_int_equal(file_read(path, 1 << 16, &text, &error), OK);
  json_t *about = json_loadb(text.data, text.len, 0, NULL);
  assert_non_null(about);
  buffer_free(&text);
  free(rows);
  free(plain);
  return about;
}

/* Rows stay rows: what is said below the table is in a file beside it, and what is offered there is what that table
 * says of itself. */
static void offers_stand_beside_the_rows(void **state) {
  (void)state;
  static const char *const figures[] = {"cells", "of", "share"};
  json_t *about = about_of("report crosstab --by department,sex"), *asked = about_of("report crosstab --by region,sex");
  const json_t *first = json_array_get(json_object_get(about, "offers"), 0);
  const json_t *shown = json_object_get(about, "shown");
  assert_true(json_is_true(json_object_get(about, "guarded")));
  assert_true(json_integer_value(json_object_get(about, "hidden")) > 0);
  assert_true(json_integer_value(json_object_get(shown, "cells")) < json_integer_value(json_object_get(shown, "of")));
  assert_string_equal(json_string_value(json_object_get(first, "command")), "puente report crosstab --by region,sex");
  assert_true(json_integer_value(json_object_get(first, "share"))
              > json_integer_value(json_object_get(shown, "share")));
  for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
    assert_int_equal(json_integer_value(json_object_get(first, figures[i])),
                     json_integer_value(json_object_get(json_object_get(asked, "shown"), figures[i])));
  }
  json_decref(asked);
  json_decref(about);
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
                                     cmocka_unit_test(an_offer_shows_what_it_promises),
                                     cmocka_unit_test(offers_stand_beside_the_rows),
                                     cmocka_unit_test(exact_figures_need_a_purpose_and_a_person)};
  return cmocka_run_group_tests(tests, start, end);
}
