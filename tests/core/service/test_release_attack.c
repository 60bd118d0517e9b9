/* Releases of the simulated registries, attacked together from outside: by the published cells of all their tables and
 * margins, with a solver that the program does not use (GLPK), knowing everything of the persons who have several
 * places. Once over ages whose bands do not nest, once over coarse fields (period, region, groups of purposes) beside
 * those that they are sums of, with regions that change between two releases. */
#include "core/service/cube.h"
#include "core/service/release_make.h"
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

enum { K = 4, FIELDS = 3, ATOMS_MOST = 40, CELLS_MOST = 4000 };
static const char *const *names; /* of the finest fields: a person's place is a value of each */

static struct peru peru;
static struct workspace workspace;
static struct arena *arena;

/* ---- persons as they are ---- */

static char *values[FIELDS][ATOMS_MOST]; /* "" is not recorded */
static uint32_t value_count[FIELDS];
struct person_row {
  uint32_t unit, atoms[FIELDS];
};
static struct person_row *rows;
static size_t row_count;

static uint32_t atom_of(size_t field, struct slice text) {
  uint32_t at = 0;
  while (at < value_count[field] && !slice_is(text, values[field][at])) {
    at++;
  }
  if (at == value_count[field]) {
    assert_true(at < ATOMS_MOST);
    values[field][at] = strndup(text.data == NULL ? "" : text.data, text.len);
    value_count[field]++;
  }
  return at;
}

static int by_unit(const void *a, const void *b) {
  return memcmp(a, b, sizeof(struct person_row));
}

/* In bands that all published ones are made of. */
static void read_persons(const char *const fields[FIELDS]) {
  static const char *const folders[2] = {"config/indicators", NULL};
  static const char *const bands[] = {"0-11", "12-17", "18-29", "30+"};
  struct error error;
  struct indicator indicator;
  struct cube_rows read;
  names = fields;
  assert_int_equal(indicator_load(folders, "victims", arena, &indicator, &error), OK);
  indicator.band_count = 0;
  for (size_t i = 0; i < 4; i++) {
    assert_true(indicator_band(bands[i], &indicator.bands[indicator.band_count++]));
  }
  const struct cube_request request = {
      .workspace = &workspace, .indicator = &indicator, .by = names, .by_count = FIELDS, .as_of_run = 0};
  assert_int_equal(cube_rows_read(&request, &read, &error), OK);
  rows = calloc(read.count + 1, sizeof *rows);
  for (size_t i = 0; i < read.count; i++) {
    rows[row_count].unit = read.rows[i].unit;
    for (size_t f = 0; f < FIELDS; f++) {
      uint32_t value = read.rows[i].values[f];
      rows[row_count].atoms[f] = atom_of(f, value == MAP_NONE ? slice_of("") : map_key(read.dictionary, value));
    }
    row_count++;
  }
  qsort(rows, row_count, sizeof *rows, by_unit);
  cube_rows_free(&read);
}

/* ---- what is published ---- */

struct published {
  const struct release_table_plan *plan;
  struct ledger_cell cell;
  int64_t count, known; /* the truth; of it, persons with several places */
};
static struct published published[CELLS_MOST];
static size_t published_count, table_count;

/* The finest field that a table's field is made of. */
static const char *finest(const char *field) {
  static const char *const coarse[][2] = {
      {"period", "year"}, {"region", "department"}, {"purpose_group", "purposes"}, {NULL, NULL}};
  for (size_t i = 0; coarse[i][0] != NULL; i++) {
    if (strcmp(coarse[i][0], field) == 0) {
      return coarse[i][1];
    }
  }
  return field;
}

static bool value_lies_in(const struct release_table_plan *plan, const char *field, const char *value,
                          const char *atom) {
  struct age_band wide, narrow;
  char period[INDICATOR_PERIOD_TEXT];
  if (strcmp(value, "total") == 0) {
    return true;
  }
  if (strcmp(field, "age_band") == 0 && atom[0] != '\0') {
    return indicator_band(value, &wide) && indicator_band(atom, &narrow) && narrow.least >= wide.least
           && narrow.most <= wide.most;
  }
  if (strcmp(field, "period") == 0) {
    atom = indicator_period(slice_of(atom), plan->indicator.period, period) ? period : "";
  } else if (release_grouping_of(plan, field) != NULL) {
    const char *group = release_group_of(plan, field, atom);
    atom = group == NULL ? "" : group;
  }
  return strcmp(value, atom[0] == '\0' ? "not_recorded" : atom) == 0;
}

static bool lies_in(const struct release_table_plan *plan, const struct ledger_cell *cell, const uint32_t *atoms) {
  for (size_t f = 0; f < FIELDS; f++) {
    for (size_t i = 0; i < plan->by_count; i++) {
      if (strcmp(finest(plan->by[i]), names[f]) == 0
          && !value_lies_in(plan, plan->by[i], cell->values[i], values[f][atoms[f]])) {
        return false;
      }
    }
  }
  return true;
}

static void count_cell(struct published *of) {
  for (size_t from = 0, to; from < row_count; from = to) {
    bool in = false, several = false;
    for (to = from; to < row_count && rows[to].unit == rows[from].unit; to++) {
      in = in || lies_in(of->plan, &of->cell, rows[to].atoms);
      several = several || memcmp(rows[to].atoms, rows[from].atoms, sizeof rows[to].atoms) != 0;
    }
    of->count += in;
    of->known += in && several;
  }
}

static void read_release(const char *reference) {
  struct error error;
  struct released released;
  assert_int_equal(releasing_open(&workspace, reference, arena, &released, &error), OK);
  for (size_t t = 0; t < released.count; t++) {
    struct ledger_cell *cells;
    size_t count;
    struct release_table_plan *plan = arena_alloc(arena, sizeof *plan);
    if (released.tables[t].settings == NULL) {
      continue;
    }
    plan->name = released.tables[t].name;
    assert_int_equal(release_table_read(slice_of(released.tables[t].settings), arena, plan, &error), OK);
    assert_int_equal(release_cells_read(&workspace, released.id, &released.tables[t], arena, &cells, &count, &error),
                     OK);
    table_count++;
    for (size_t i = 0; i < count; i++) {
      assert_true(published_count < CELLS_MOST);
      published[published_count] = (struct published){.plan = plan, .cell = cells[i]};
      count_cell(&published[published_count]);
      assert_true(cells[i].hidden || cells[i].figure == published[published_count].count);
      published_count++;
    }
  }
}

/* ---- the attack ---- */

static size_t place_count(void) {
  return (size_t)value_count[0] * value_count[1] * value_count[2];
}

static void atoms_at(size_t place, uint32_t atoms[FIELDS]) {
  for (size_t f = FIELDS; f-- > 0;) {
    atoms[f] = (uint32_t)(place % value_count[f]);
    place /= value_count[f];
  }
}

/* Whether every table says that nobody is there: no cell of it lists the place. */
static bool is_empty(const uint32_t *atoms) {
  for (size_t i = 0; i < published_count;) {
    const struct release_table_plan *plan = published[i].plan;
    bool listed = false;
    for (; i < published_count && published[i].plan == plan; i++) {
      bool inner = true;
      for (size_t f = 0; f < plan->by_count; f++) {
        inner = inner && strcmp(published[i].cell.values[f], "total") != 0;
      }
      listed = listed || (inner && lies_in(plan, &published[i].cell, atoms));
    }
    if (!listed) {
      return true;
    }
  }
  return false;
}

static glp_prob *write_down(bool complementary) {
  glp_prob *problem = glp_create_prob();
  int *index = calloc(place_count() + 2, sizeof *index);
  double *value = calloc(place_count() + 2, sizeof *value);
  uint32_t atoms[FIELDS];
  glp_add_cols(problem, (int)place_count());
  glp_add_rows(problem, (int)published_count);
  for (size_t p = 0; p < place_count(); p++) {
    atoms_at(p, atoms);
    glp_set_col_bnds(problem, (int)p + 1, is_empty(atoms) ? GLP_FX : GLP_LO, 0, 0);
  }
  for (size_t i = 0; i < published_count; i++) {
    const struct published *of = &published[i];
    int used = 0;
    for (size_t p = 0; p < place_count(); p++) {
      atoms_at(p, atoms);
      if (lies_in(of->plan, &of->cell, atoms)) {
        index[++used] = (int)p + 1;
        value[used] = 1;
      }
    }
    bool shown = !of->cell.hidden || (!complementary && of->count >= K);
    glp_set_mat_row(problem, (int)i + 1, used, index, value);
    glp_set_row_bnds(problem, (int)i + 1, shown ? GLP_FX : GLP_LO,
                     shown ? (double)(of->count - of->known) : (double)(1 - of->known),
                     (double)(of->count - of->known));
  }
  free(index);
  free(value);
  return problem;
}

static size_t attack(bool complementary, size_t *hidden) {
  glp_prob *problem = write_down(complementary);
  size_t found = 0;
  *hidden = 0;
  for (size_t i = 0; i < published_count; i++) {
    const struct published *of = &published[i];
    if (!of->cell.hidden || (!complementary && of->count >= K)) {
      continue;
    }
    double least = row_bound(problem, (int)i + 1, GLP_MIN), most = row_bound(problem, (int)i + 1, GLP_MAX);
    ++*hidden;
    found += most + (double)of->known < K - 0.5 || most - least < K - 1 - 0.5;
  }
  glp_delete_prob(problem);
  return found;
}

static void forget(void) {
  for (size_t f = 0; f < FIELDS; f++) {
    for (uint32_t i = 0; i < value_count[f]; i++) {
      free(values[f][i]);
    }
    value_count[f] = 0;
  }
  free(rows);
  rows = NULL;
  row_count = published_count = table_count = 0;
}

static void check_two(const char *what, const char *const fields[FIELDS], const char *first, const char *second) {
  size_t hidden, open_hidden;
  read_persons(fields);
  read_release(first);
  size_t alone = published_count;
  read_release(second);
  assert_true(alone > 20 && published_count > alone + 20);
  size_t found = attack(true, &hidden), open = attack(false, &open_hidden);
  print_message(
      "attack ok: %s tables=%zu cells=%zu hidden=%zu found=%zu (without complementary cells: hidden=%zu found=%zu)\n",
      what, table_count, published_count, hidden, found, open_hidden, open);
  assert_int_equal(found, 0);
  assert_true(hidden > 20);
  assert_true(hidden < published_count - 20);
  assert_true(open > 0);
  forget();
}

static void releases_together_hide_what_they_hide(void **unused) {
  static const char *const fields[FIELDS] = {"year", "sex", "age_band"};
  (void)unused;
  check_two("ages", fields, "first", "second");
}

static void coarse_fields_hide_what_they_hide(void **unused) {
  static const char *const fields[FIELDS] = {"year", "department", "purposes"};
  (void)unused;
  check_two("coarse", fields, "third", "fourth");
}

/* A workspace of its own for each, so that the releases of one are not protected with those of the other. */
static char *make_workspace(const char *name) {
  char *folder = peru_workspace(&peru, name, "{sqlite: puente.db}");
  shell("mkdir %s/releases %s/codelists", folder, folder);
  program_write(folder, "puente.yaml",
                "name: attacked\nstore: {sqlite: puente.db}\nreleases: releases\ncodelists: codelists\n"
                "disclosure: {k: 4}\n");
  return folder;
}

#define THIRD                                                                                                          \
  "release: third\ntables:\n  region: {indicator: victims, by: [period, region]}\n"                                    \
  "  department: {indicator: victims, by: [year, department]}\n"                                                       \
  "  group: {indicator: victims, by: [year, purpose_group]}\n"                                                         \
  "  purpose: {indicator: victims, by: [purposes]}\n"

/* Finer tables after coarse ones: what is out cannot be hidden any more, so they are refused, and nothing is out. */
static void finer_tables_are_refused(void **unused) {
  (void)unused;
  char *folder = make_workspace("finer");
  program_write(folder, "releases/third.yaml", THIRD);
  program_write(folder, "releases/fifth.yaml",
                "release: fifth\ntables:\n  all: {indicator: victims, by: [period, region, purpose_group]}\n"
                "  purpose: {indicator: victims, by: [year, purposes]}\n");
  assert_int_equal(workspace_run(folder, "run --quiet", NULL), 0);
  assert_int_equal(workspace_run(folder, "release create third --purpose test", NULL), 0);
  struct said said = program_run(folder, "release create fifth --purpose test");
  assert_int_not_equal(said.code, 0);
  assert_non_null(strstr(said.err, "with what earlier releases show, these tables would give away "));
  said = program_run(folder, "release list");
  assert_non_null(strstr(said.out, "third"));
  assert_null(strstr(said.out, "fifth"));
  free(folder);
}

static void open_workspace(const char *folder) {
  struct error error;
  char *path = NULL;
  assert_true(asprintf(&path, "%s/puente.yaml", folder) > 0);
  assert_int_equal(workspace_open(path, WORKSPACE_READ, &workspace, &error), OK);
  free(path);
}

static int set_up_ages(void **unused) {
  (void)unused;
  char *folder = make_workspace("ages");
  program_write(folder, "releases/first.yaml",
                "release: first\ntables:\n  sex: {indicator: victims, by: [year, sex]}\n"
                "  age: {indicator: victims, by: [year, age_band], bands: [0-17, 18-29, 30+]}\n");
  program_write(folder, "releases/second.yaml",
                "release: second\ntables:\n"
                "  sexage: {indicator: victims, by: [sex, age_band], bands: [0-11, 12-29, 30+]}\n"
                "  age: {indicator: victims, by: [year, age_band], bands: [0-11, 12-17, 18+]}\n");
  assert_int_equal(workspace_run(folder, "run --quiet", NULL), 0);
  assert_int_equal(workspace_run(folder, "release create first --purpose test", NULL), 0);
  assert_int_equal(workspace_run(folder, "release create second --purpose test", NULL), 0);
  open_workspace(folder);
  free(folder);
  return 0;
}

static int set_up_coarse(void **unused) {
  (void)unused;
  char *folder = make_workspace("coarse");
  program_write(folder, "releases/third.yaml", THIRD);
  program_write(folder, "releases/fourth.yaml",
                "release: fourth\ntables:\n  region: {indicator: victims, by: [period, region]}\n"
                "  group: {indicator: victims, by: [region, purpose_group]}\n");
  assert_int_equal(workspace_run(folder, "run --quiet", NULL), 0);
  assert_int_equal(workspace_run(folder, "release create third --purpose test", NULL), 0);
  shell("sed '/\"08\"/s/group: sur/group: norte/' config/codelists/department.yaml >%s/codelists/department.yaml",
        folder);
  assert_int_equal(workspace_run(folder, "release create fourth --purpose test", NULL), 0);
  open_workspace(folder);
  free(folder);
  return 0;
}

static int close_it(void **unused) {
  (void)unused;
  workspace_close(&workspace);
  return 0;
}

static int set_up(void **unused) {
  (void)unused;
  arena = arena_new(0);
  peru_start(&peru, 150, 11, NULL);
  return 0;
}

static int tear_down(void **unused) {
  (void)unused;
  arena_free(arena);
  peru_stop(&peru);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(releases_together_hide_what_they_hide, set_up_ages, close_it),
      cmocka_unit_test_setup_teardown(coarse_fields_hide_what_they_hide, set_up_coarse, close_it),
      cmocka_unit_test(finer_tables_are_refused)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
