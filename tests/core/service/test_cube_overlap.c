/* All that `report discrepancy` shows of the simulated registries, attacked together from outside: consolidated figures
 * with their margins, each source's, those of several sources and of one. With a solver that the program does not use
 * (GLPK), knowing everything of the persons who have several places. */
#include "core/service/cube.h"
#include "core/service/report.h"
#include "tests/support/bounds.h"
#include "tests/support/peru.h"
#include "tests/support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { K = 4, WIDTH = K - 1, ROWS_MOST = 4000, CELLS_MOST = 20000, PLACES_MOST = 40000 };

static struct peru peru;
static struct workspace workspace;

/* ---- persons, read by SQL ---- */

struct person {
  long id;
  char year[8], department[8];
  unsigned set, whole; /* sources of the row; of the person in that year */
  bool several;        /* the person has several places */
};
static struct person persons[ROWS_MOST];
static size_t person_count;

static unsigned bit_of(const char *source) {
  for (unsigned i = 0; i < workspace.config->source_count; i++) {
    if (strcmp(workspace.config->sources[i].code, source) == 0) {
      return 1U << i;
    }
  }
  fail_msg("no source %s", source);
  return 0;
}

/* One line for each person, case and source. Places are INEI's: two digits of the department. */
static void read_persons(const char *folder) {
  char *text = workspace_rows(
      folder, "SELECT i.person_id, substr(c.reported_on, 1, 4), substr(c.place, 1, 2), i.source FROM involvements i"
              " LEFT JOIN cases c ON c.case_id = i.case_id WHERE i.role = 'victim' AND i.person_id IS NOT NULL"
              " ORDER BY 1, 2, 3, 4");
  char *rest = text;
  for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0';) {
    char *id = strsep(&line, "|"), *year = strsep(&line, "|"), *department = strsep(&line, "|");
    struct person *person = &persons[person_count];
    *person = (struct person){.id = strtol(id, NULL, 10), .set = bit_of(line)};
    snprintf(person->year, sizeof person->year, "%s", year);
    snprintf(person->department, sizeof person->department, "%s", department);
    struct person *before = person_count == 0 ? NULL : person - 1;
    if (before != NULL && before->id == person->id && strcmp(before->year, year) == 0
        && strcmp(before->department, department) == 0) {
      before->set |= person->set;
      continue;
    }
    assert_true(++person_count < ROWS_MOST);
  }
  free(text);
  for (size_t i = 0; i < person_count; i++) {
    for (size_t j = 0; j < person_count; j++) {
      if (persons[j].id == persons[i].id) {
        persons[i].whole |= strcmp(persons[j].year, persons[i].year) == 0 ? persons[j].set : 0;
        persons[i].several = persons[i].several || i != j;
      }
    }
  }
}

/* ---- what is shown ---- */

enum { CONSOLIDATED = 100, SEVERAL, ONE }; /* else a source */
struct printed {
  const char *year, *department; /* NULL: all; "": not recorded */
  unsigned column;
  bool hidden;
  long shown, count, known; /* count: the truth; known: of it, persons of several places */
};
static struct printed cells[CELLS_MOST];
static size_t cell_count;
static bool unlisted; /* not all that counts somebody is there */

static bool counts(const struct printed *cell, const char *year, const char *department, unsigned set) {
  if ((cell->year != NULL && strcmp(cell->year, year) != 0)
      || (cell->department != NULL && strcmp(cell->department, department) != 0)) {
    return false;
  }
  bool several = (set & (set - 1)) != 0;
  return cell->column == CONSOLIDATED ? true
         : cell->column == SEVERAL    ? several
         : cell->column == ONE        ? !several
                                      : (set >> cell->column & 1) != 0;
}

static void count_cell(struct printed *cell) {
  for (size_t from = 0, to; from < person_count; from = to) {
    bool in = false;
    for (to = from; to < person_count && persons[to].id == persons[from].id; to++) {
      in = in || counts(cell, persons[to].year, persons[to].department, persons[to].whole);
    }
    cell->count += in;
    cell->known += in && persons[from].several;
  }
}

static void add_cell(const char *year, const char *department, unsigned column, const struct report_cell *from) {
  struct printed *cell = &cells[cell_count++];
  assert_true(cell_count < CELLS_MOST);
  *cell = (struct printed){.year = year, .department = department, .column = column, .hidden = from->hidden};
  cell->shown = from->null ? 0 : (long)from->count;
  count_cell(cell);
  assert_true(cell->hidden || cell->shown == cell->count);
}

/* Codes as a person's row has them. */
static const char *code_of(const struct report_cell *cell) {
  return cell->null ? "" : strcmp(cell->text, "all") == 0 ? NULL : strdup(cell->text);
}

static void read_report(const struct report *report, size_t fields, const char *first) {
  for (size_t i = 0; i < report->count; i += report->column_count) {
    const char *codes[2] = {NULL, NULL};
    for (size_t f = 0; f < fields; f++) {
      codes[f + (strcmp(first, "department") == 0)] = code_of(&report->cells[i + f]);
    }
    for (size_t c = fields; c < report->column_count; c++) {
      const char *name = report->columns[c].name;
      unsigned column = CONSOLIDATED;
      if (fields == 2 && strcmp(name, "consolidated") != 0) {
        column = strcmp(name, "several") == 0 ? SEVERAL
                 : strcmp(name, "one") == 0   ? ONE
                                              : (unsigned)__builtin_ctz(bit_of(name));
      }
      add_cell(codes[0], codes[1], column, &report->cells[i + c]);
    }
  }
}

static void run_report(const struct report_request *request, size_t fields, const char *first) {
  struct report report;
  struct error error;
  assert_int_equal(report_run(&workspace, request, &report, &error), OK);
  read_report(&report, fields, first);
  for (size_t i = 0; i < report.note_count; i++) {
    unlisted = unlisted || strstr(report.notes[i], "What is not listed") != NULL;
  }
  if (strcmp(request->name, "discrepancy") == 0) {
    const struct report_cell total = {.count = report.total.figure, .hidden = !report.has_total};
    add_cell(NULL, NULL, CONSOLIDATED, &total);
  }
  report_free(&report);
}

/* ---- the attack ---- */

struct place {
  const char *year, *department;
  unsigned set;
};
static struct place places[PLACES_MOST];
static size_t place_count;

static bool has_place(const char *year, const char *department, unsigned set) {
  for (size_t i = 0; i < place_count; i++) {
    if (places[i].set == set && strcmp(places[i].year, year) == 0 && strcmp(places[i].department, department) == 0) {
      return true;
    }
  }
  return false;
}

/* What is shown as nobody is empty. */
static void add_place(const char *year, const char *department, unsigned set) {
  bool barred = has_place(year, department, set);
  for (size_t i = 0; i < cell_count && !barred; i++) {
    barred = !cells[i].hidden && cells[i].shown == 0 && counts(&cells[i], year, department, set);
  }
  if (!barred) {
    assert_true(place_count < PLACES_MOST);
    places[place_count++] = (struct place){year, department, set};
  }
}

static bool is_year(const struct printed *cell) {
  return cell->column == CONSOLIDATED && cell->year != NULL;
}

/* What is not listed is empty, unless the report says that it may be hidden: then every department may have some. */
static void list_places(void) {
  for (unsigned set = 1; set < 1U << workspace.config->source_count; set++) {
    for (size_t i = 0; i < cell_count; i++) {
      for (size_t j = unlisted ? 0 : i; is_year(&cells[i]) && j < (unlisted ? cell_count : i + 1); j++) {
        if (cells[j].column == CONSOLIDATED && cells[j].department != NULL) {
          add_place(cells[i].year, cells[j].department, set);
        }
      }
    }
  }
}

/* Without complementary cells: what would be out if only small ones were hidden. */
static bool is_shown(const struct printed *cell, bool complementary) {
  return !cell->hidden || (!complementary && cell->count >= K);
}

/* Of departments nobody is told whether a source has anybody. */
static bool is_told(const struct printed *cell) {
  return cell->column == CONSOLIDATED || cell->department == NULL;
}

static glp_prob *write_down(bool complementary) {
  glp_prob *problem = glp_create_prob();
  int *index = calloc(place_count + 2, sizeof *index);
  double *value = calloc(place_count + 2, sizeof *value);
  glp_add_cols(problem, (int)place_count);
  glp_add_rows(problem, (int)cell_count);
  for (size_t p = 0; p < place_count; p++) {
    glp_set_col_bnds(problem, (int)p + 1, GLP_LO, 0, 0);
  }
  for (size_t i = 0; i < cell_count; i++) {
    const struct printed *cell = &cells[i];
    bool shown = is_shown(cell, complementary);
    int used = 0;
    for (size_t p = 0; p < place_count; p++) {
      if (counts(cell, places[p].year, places[p].department, places[p].set)) {
        index[++used] = (int)p + 1;
        value[used] = 1;
      }
    }
    glp_set_mat_row(problem, (int)i + 1, used, index, value);
    double rest = (double)(cell->count - cell->known);
    double least = cell->known > 0 || cell->count == 0 || !is_told(cell) ? 0 : 1;
    glp_set_row_bnds(problem, (int)i + 1, shown ? GLP_FX : GLP_LO, shown ? rest : least, rest);
  }
  free(index);
  free(value);
  return problem;
}

/* Of a cell that is not told less is asked: any total that is shown is a bound of its parts. */
static bool is_given_away(glp_prob *problem, size_t at) {
  double least = row_bound(problem, (int)at + 1, GLP_MIN), most = row_bound(problem, (int)at + 1, GLP_MAX);
  return most - least < WIDTH - 0.5 || (is_told(&cells[at]) && most + (double)cells[at].known < K - 0.5);
}

static size_t attack(bool complementary, size_t *hidden) {
  glp_prob *problem = write_down(complementary);
  size_t found = 0;
  *hidden = 0;
  for (size_t i = 0; i < cell_count; i++) {
    if (!is_shown(&cells[i], complementary) && cells[i].count > 0) {
      ++*hidden;
      found += is_given_away(problem, i);
    }
  }
  glp_delete_prob(problem);
  return found;
}

static void sources_together_hide_what_they_hide(void **unused) {
  size_t hidden, open_hidden, shown = 0;
  (void)unused;
  const struct report_request discrepancy = {.name = "discrepancy"};
  const struct report_request departments = {.name = "crosstab", .by = {"department"}, .by_count = 1};
  run_report(&discrepancy, 2, "year");
  run_report(&departments, 1, "department"); /* a margin that discrepancy does not print */
  for (size_t i = 0; i < cell_count; i++) {
    shown += !cells[i].hidden && cells[i].column != CONSOLIDATED && cells[i].count > 0;
  }
  list_places();
  size_t found = attack(true, &hidden), open = attack(false, &open_hidden);
  print_message(
      "attack ok: cells=%zu places=%zu shown of sources=%zu hidden=%zu found=%zu (without complementary cells: "
      "hidden=%zu found=%zu)\n",
      cell_count, place_count, shown, hidden, found, open_hidden, open);
  assert_int_equal(found, 0);
  assert_true(hidden > 50);
  assert_true(shown > 10);
  assert_true(open > 10);
}

static int set_up(void **unused) {
  struct error error;
  char *path = NULL;
  (void)unused;
  peru_start(&peru, 400, 11, NULL);
  char *folder = peru_workspace(&peru, "attacked", "{sqlite: puente.db}");
  program_write(folder, "puente.yaml", "name: attacked\nstore: {sqlite: puente.db}\ndisclosure: {k: 4}\n");
  assert_int_equal(workspace_run(folder, "run --quiet", NULL), 0);
  assert_true(asprintf(&path, "%s/puente.yaml", folder) > 0);
  assert_int_equal(workspace_open(path, WORKSPACE_READ, &workspace, &error), OK);
  read_persons(folder);
  free(path);
  free(folder);
  return 0;
}

static int tear_down(void **unused) {
  (void)unused;
  workspace_close(&workspace);
  peru_stop(&peru);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sources_together_hide_what_they_hide)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
