/* Reports of the simulated registries, by fields and by coarser and fewer ones, attacked together from outside: each
 * table with all its ancestors (core/service/cube_lattice.h), with a solver that the program does not use (GLPK),
 * knowing everything of the persons who have several places. Then the same beside a release that came before. */
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

enum { K = 4, WIDTH = K - 1, LEVELS_MOST = 6, VALUES_MOST = 64, ATOMS_MOST = 80, TABLES_MOST = 32, CELLS_MOST = 8000 };

static struct peru peru;
static struct workspace workspace;
static struct arena *arena;
static struct indicator indicator;

/* ---- persons ---- */

/* Two chains of fields, each from the finest; a place is an atom of each: values of all its fields. */
struct chain {
  const char *fields[LEVELS_MOST];
  size_t count;
  uint32_t atoms[ATOMS_MOST][LEVELS_MOST];
  size_t atom_count;
};
static struct chain chains[2];
static char *values[2][LEVELS_MOST][VALUES_MOST]; /* "" is not recorded */
static uint32_t value_count[2][LEVELS_MOST];
struct person_row {
  uint32_t unit, atoms[2];
};
static struct person_row *rows;
static size_t row_count;

static uint32_t value_at(size_t chain, size_t level, struct slice text) {
  uint32_t at = 0;
  while (at < value_count[chain][level] && !slice_is(text, values[chain][level][at])) {
    at++;
  }
  if (at == value_count[chain][level]) {
    assert_true(at < VALUES_MOST);
    values[chain][level][at] = strndup(text.data == NULL ? "" : text.data, text.len);
    value_count[chain][level]++;
  }
  return at;
}

static uint32_t atom_at(size_t chain, const uint32_t *levels) {
  struct chain *of = &chains[chain];
  for (size_t i = 0; i < of->atom_count; i++) {
    if (memcmp(of->atoms[i], levels, of->count * sizeof *levels) == 0) {
      return (uint32_t)i;
    }
  }
  assert_true(of->atom_count < ATOMS_MOST);
  memcpy(of->atoms[of->atom_count], levels, of->count * sizeof *levels);
  return (uint32_t)of->atom_count++;
}

static int by_unit(const void *a, const void *b) {
  return memcmp(a, b, sizeof(struct person_row));
}

static void read_persons(void) {
  struct error error;
  struct cube_rows read;
  const char *by[2 * LEVELS_MOST];
  size_t count = 0;
  for (size_t c = 0; c < 2; c++) {
    for (size_t i = 0; i < chains[c].count; i++) {
      by[count++] = chains[c].fields[i];
    }
  }
  const struct cube_request request = {.workspace = &workspace, .indicator = &indicator, .by = by, .by_count = count};
  assert_int_equal(cube_rows_read(&request, &read, &error), OK);
  rows = calloc(read.count + 1, sizeof *rows);
  for (size_t r = 0; r < read.count; r++) {
    rows[row_count].unit = read.rows[r].unit;
    for (size_t c = 0, at = 0; c < 2; c++) {
      uint32_t levels[LEVELS_MOST];
      for (size_t i = 0; i < chains[c].count; i++, at++) {
        uint32_t value = read.rows[r].values[at];
        levels[i] = value_at(c, i, value == MAP_NONE ? slice_of("") : map_key(read.dictionary, value));
      }
      rows[row_count].atoms[c] = atom_at(c, levels);
    }
    row_count++;
  }
  qsort(rows, row_count, sizeof *rows, by_unit);
  cube_rows_free(&read);
}

/* ---- what is printed ---- */

/* By a level of each chain; chain.count: it is left out. Cells stand in row-major order of the levels' values. */
struct table {
  size_t level[2], size;
  bool withheld, listing; /* listing: nothing is told of cells that are not there, but some are */
  struct {
    int64_t count, known; /* the truth; of it, persons with several places */
    enum { UNLISTED, HIDDEN, SHOWN } told;
  } * cells;
};
static struct table tables[TABLES_MOST];
static size_t table_count;

static uint32_t width_of(const struct table *table, size_t chain) {
  return table->level[chain] == chains[chain].count ? 1 : value_count[chain][table->level[chain]];
}

static size_t cell_of(const struct table *table, const uint32_t *atoms) {
  size_t place = 0;
  for (size_t c = 0; c < 2; c++) {
    size_t level = table->level[c];
    place = place * width_of(table, c) + (level == chains[c].count ? 0 : chains[c].atoms[atoms[c]][level]);
  }
  return place;
}

static void count_table(struct table *table) {
  for (size_t cell = 0; cell < table->size; cell++) {
    for (size_t from = 0, to; from < row_count; from = to) {
      bool in = false, several = false;
      for (to = from; to < row_count && rows[to].unit == rows[from].unit; to++) {
        in = in || cell_of(table, rows[to].atoms) == cell;
        several = several || memcmp(rows[to].atoms, rows[from].atoms, sizeof rows[to].atoms) != 0;
      }
      table->cells[cell].count += in;
      table->cells[cell].known += in && several;
    }
  }
}

static void print_table(size_t a, size_t b) {
  struct table *table = &tables[table_count++];
  struct error error;
  struct cube cube;
  const char *by[2];
  size_t chain[2], count = 0;
  *table = (struct table){.level = {a, b}};
  for (size_t c = 0; c < 2; c++) {
    if (table->level[c] < chains[c].count) {
      chain[count] = c;
      by[count++] = chains[c].fields[table->level[c]];
    }
  }
  table->size = (size_t)width_of(table, 0) * width_of(table, 1);
  table->cells = calloc(table->size, sizeof *table->cells);
  count_table(table);
  const struct cube_request asked = {
      .workspace = &workspace, .indicator = &indicator, .by = by, .by_count = count, .guard = true};
  assert_int_equal(cube_run(&asked, &cube, &error), OK);
  table->withheld = cube.withheld;
  for (size_t i = 0; i < (count == 0 ? 1 : cube.count); i++) {
    const struct extent *extent = count == 0 ? &cube.total : &cube.cells[i].extent;
    size_t place = 0;
    for (size_t c = 0, f = 0; c < 2; c++) {
      uint32_t at = 0;
      if (f < count && chain[f] == c) {
        uint32_t value = cube.cells[i].values[f++];
        at = value_at(c, table->level[c], value == MAP_NONE ? slice_of("") : map_key(cube.dictionary, value));
      }
      place = place * width_of(table, c) + at;
    }
    assert_true(extent->hidden || extent->figure == table->cells[place].count);
    assert_true(extent->hidden || extent->figure >= K);
    table->cells[place].told = extent->hidden ? HIDDEN : SHOWN;
    table->listing = table->withheld;
  }
  cube_free(&cube);
}

/* From the coarsest, so that every ancestor of a table stands before it. */
static void print_all(void) {
  for (size_t a = chains[0].count + 1; a-- > 0;) {
    for (size_t b = chains[1].count + 1; b-- > 0;) {
      print_table(a, b);
    }
  }
}

static bool is_ancestor(const struct table *of, const struct table *table) {
  return table->level[0] >= of->level[0] && table->level[1] >= of->level[1];
}

/* ---- the attack ---- */

/* Rows of the problem: cells of a table and its ancestors that count somebody, or are known to count nobody. */
struct attacked {
  size_t table, cell;
};
static struct attacked attacked[CELLS_MOST];
static size_t attacked_count;

/* How many are in the cell and have one place alone: what the attacker does not know. `complementary` false: as if only
 * small ones were hidden. */
static void bind_cell(glp_prob *problem, int row, const struct table *table, size_t cell, bool blank,
                      bool complementary) {
  int64_t count = table->cells[cell].count, known = table->cells[cell].known;
  bool shown = table->cells[cell].told == SHOWN || (!complementary && count >= K)
               || (table->cells[cell].told == UNLISTED && !table->withheld);
  bool listed = table->cells[cell].told == HIDDEN && known == 0;
  shown = shown && !blank;
  glp_set_row_bnds(problem, row, shown ? GLP_FX : GLP_LO,
                   shown    ? (double)(count - known)
                   : listed ? 1
                            : 0,
                   (double)(count - known));
}

/* Of the table and its ancestors; `blank`: as if the table itself had not been printed. */
static glp_prob *write_down(const struct table *of, bool blank, bool complementary) {
  size_t wide = chains[1].atom_count, places = chains[0].atom_count * wide;
  glp_prob *problem = glp_create_prob();
  int *index = calloc(places + 2, sizeof *index);
  double *value = calloc(places + 2, sizeof *value);
  glp_add_cols(problem, (int)places);
  for (size_t p = 0; p < places; p++) {
    glp_set_col_bnds(problem, (int)p + 1, GLP_LO, 0, 0);
    value[p + 1] = 1;
  }
  attacked_count = 0;
  for (size_t t = 0; t < table_count; t++) {
    for (size_t cell = 0; is_ancestor(of, &tables[t]) && cell < tables[t].size; cell++) {
      int used = 0;
      for (uint32_t p = 0; p < places; p++) {
        if (cell_of(&tables[t], (uint32_t[]){p / (uint32_t)wide, p % (uint32_t)wide}) == cell) {
          index[++used] = (int)p + 1;
        }
      }
      assert_true(attacked_count < CELLS_MOST);
      attacked[attacked_count++] = (struct attacked){t, cell};
      int row = glp_add_rows(problem, 1);
      glp_set_mat_row(problem, row, used, index, value);
      bind_cell(problem, row, &tables[t], cell, blank && &tables[t] == of, complementary);
    }
  }
  free(index);
  free(value);
  return problem;
}

struct score {
  size_t hidden, found, narrow;
};

/* In whole numbers, as the cell's own bounds are by linear programming: no wider ones are claimed. A cell of a table
 * that lists only what it shows may have less room, where it has no more without that table. */
static void attack(const struct table *of, bool complementary, struct score *score) {
  glp_prob *problem = write_down(of, false, complementary), *before = NULL;
  for (size_t i = 0; i < attacked_count; i++) {
    const struct table *table = &tables[attacked[i].table];
    int64_t known = table->cells[attacked[i].cell].known, count = table->cells[attacked[i].cell].count;
    bool open = table->cells[attacked[i].cell].told == SHOWN || (!complementary && count >= K);
    if (open || count == 0 || (table->withheld && !table->listing)) {
      continue;
    }
    double least = row_bound(problem, (int)i + 1, GLP_MIN), most = row_bound(problem, (int)i + 1, GLP_MAX);
    score->hidden++;
    bool narrow = most + (double)known < K - 0.5 || most - least < WIDTH - 0.5;
    if (narrow && table->withheld) {
      score->narrow++;
      before = write_down(table, true, complementary);
      size_t at = 0;
      while (attacked[at].table != (size_t)(table - tables) || attacked[at].cell != attacked[i].cell) {
        at++;
      }
      narrow = most - least < row_bound(before, (int)at + 1, GLP_MAX) - row_bound(before, (int)at + 1, GLP_MIN) - 0.5;
      glp_delete_prob(before);
      glp_delete_prob(problem);
      problem = write_down(of, false, complementary);
    }
    score->found += narrow;
  }
  glp_delete_prob(problem);
}

static void forget(void) {
  for (size_t c = 0; c < 2; c++) {
    for (size_t level = 0; level < LEVELS_MOST; level++) {
      for (uint32_t i = 0; i < value_count[c][level]; i++) {
        free(values[c][level][i]);
      }
      value_count[c][level] = 0;
    }
  }
  for (size_t t = 0; t < table_count; t++) {
    free(tables[t].cells);
  }
  free(rows);
  rows = NULL;
  row_count = table_count = 0;
}

/* Every table that anything is told of, with its ancestors. */
static void check(const char *what, struct chain first, struct chain second) {
  struct score closed = {0}, open = {0};
  size_t told = 0, shown = 0;
  chains[0] = first;
  chains[1] = second;
  read_persons();
  print_all();
  for (size_t t = 0; t < table_count; t++) {
    if (!tables[t].withheld || tables[t].listing) {
      attack(&tables[t], true, &closed);
      told++;
    }
    for (size_t i = 0; i < tables[t].size; i++) {
      shown += tables[t].cells[i].told == SHOWN;
    }
  }
  attack(&tables[table_count - 1], false, &open);
  print_message("attack ok: %s tables=%zu told=%zu shown=%zu hidden=%zu narrow=%zu found=%zu (without complementary"
                " cells: hidden=%zu found=%zu)\n",
                what, table_count, told, shown, closed.hidden, closed.narrow, closed.found, open.hidden, open.found);
  assert_int_equal(closed.found, 0);
  assert_true(closed.hidden > 20 && shown > 20);
  assert_true(told > table_count / 2);
  forget();
}

static const struct chain PLACES = {.fields = {"department", "region"}, .count = 2};
static const struct chain DATES = {.fields = {"year", "period"}, .count = 2};
static const struct chain AGES = {.fields = {"age", "age_band"}, .count = 2};
static const struct chain SEXES = {.fields = {"sex"}, .count = 1};

static void reports_together_hide_what_they_hide(void **unused) {
  (void)unused;
  check("places and dates", PLACES, DATES);
  check("ages and dates", AGES, DATES);
  check("places and sexes", PLACES, SEXES);
}

/* What was released is known, and a report by the same fields shows and hides what the release does. */
static void reports_after_a_release_hide_what_it_hides(void **unused) {
  struct error error;
  struct released released;
  struct ledger_cell *cells;
  struct cube cube;
  const char *by[] = {"period", "department"};
  size_t count, hidden = 0, shown = 0;
  (void)unused;
  assert_int_equal(releasing_open(&workspace, "first", arena, &released, &error), OK);
  assert_int_equal(release_cells_read(&workspace, released.id, &released.tables[0], arena, &cells, &count, &error), OK);
  const struct cube_request asked = {
      .workspace = &workspace, .indicator = &indicator, .by = by, .by_count = 2, .guard = true};
  assert_int_equal(cube_run(&asked, &cube, &error), OK);
  for (size_t i = 0; i < cube.count; i++) {
    const char *texts[2];
    for (size_t f = 0; f < 2; f++) {
      uint32_t value = cube.cells[i].values[f];
      texts[f] = value == MAP_NONE ? "not_recorded" : arena_text(arena, map_key(cube.dictionary, value));
    }
    size_t at = 0;
    while (at < count && (strcmp(cells[at].values[0], texts[0]) != 0 || strcmp(cells[at].values[1], texts[1]) != 0)) {
      at++;
    }
    assert_true(at < count);
    assert_int_equal(cells[at].hidden, cube.cells[i].extent.hidden);
    hidden += cells[at].hidden;
    shown += !cells[at].hidden;
  }
  cube_free(&cube);
  assert_true(hidden > 5 && shown > 5);
  check("beside a release", PLACES, DATES);
}

static void open_workspace(const char *name, bool release) {
  struct error error;
  char *path = NULL, *folder = peru_workspace(&peru, name, "{sqlite: puente.db}");
  static const char *const folders[2] = {"config/indicators", NULL};
  shell("mkdir %s/releases", folder);
  program_write(folder, "puente.yaml",
                "name: attacked\nstore: {sqlite: puente.db}\nreleases: releases\ndisclosure: {k: 4}\n");
  program_write(folder, "releases/first.yaml",
                "release: first\ntables:\n  department: {indicator: victims, by: [period, department]}\n");
  assert_int_equal(workspace_run(folder, "run --quiet", NULL), 0);
  if (release) {
    assert_int_equal(workspace_run(folder, "release create first --purpose test", NULL), 0);
  }
  assert_true(asprintf(&path, "%s/puente.yaml", folder) > 0);
  assert_int_equal(workspace_open(path, WORKSPACE_READ, &workspace, &error), OK);
  assert_int_equal(indicator_load(folders, "victims", arena, &indicator, &error), OK);
  free(path);
  free(folder);
}

static int set_up_alone(void **unused) {
  (void)unused;
  open_workspace("alone", false);
  return 0;
}

static int set_up_released(void **unused) {
  (void)unused;
  open_workspace("released", true);
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
  peru_start(&peru, 250, 11, NULL);
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
      cmocka_unit_test_setup_teardown(reports_together_hide_what_they_hide, set_up_alone, close_it),
      cmocka_unit_test_setup_teardown(reports_after_a_release_hide_what_it_hides, set_up_released, close_it)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
