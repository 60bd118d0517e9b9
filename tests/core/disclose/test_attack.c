/* Attacks published tables as a reader would, with a solver that the program does not use (GLPK) and by trying every
 * world: from the shown figures alone, and with everything known of the units that have several places. */
#include "core/disclose/disclose.h"

#include <glpk.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { AXES = 3, TABLES_HERE = 40 };

static uint64_t state = 0x2545f4914f6cdd1du;

static uint32_t roll(uint32_t sides) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 20) % sides;
}

/* ---- a publication ---- */

struct publication {
  uint32_t axes[AXES];
  struct disclose_row rows[40000];
  size_t row_count;
  struct disclose_table tables[TABLES_HERE];
  size_t table_count;
  struct disclose_problem problem;
  struct disclose_result result;
  struct arena *arena;
  uint32_t young[64], old[64]; /* two groupings of the first axis that do not nest */
  uint8_t earlier[4096];
};

static struct publication made;

static void begin(uint32_t a, uint32_t b, uint32_t c) {
  made.axes[0] = a;
  made.axes[1] = b;
  made.axes[2] = c;
  made.row_count = made.table_count = 0;
  for (uint32_t i = 0; i < 64; i++) {
    made.young[i] = i / 2;
    made.old[i] = (i + 1) / 3;
  }
}

static void add_units(uint32_t units, uint32_t several) {
  for (uint32_t unit = 0; unit < units; unit++) {
    uint32_t places = several > 0 && roll(several) == 0 ? 2 : 1, first = roll(made.axes[0]);
    for (uint32_t i = 0; i < places; i++) {
      struct disclose_row *row = &made.rows[made.row_count++];
      row->unit = unit;
      row->atoms[0] = first;
      for (int axis = 1; axis < AXES; axis++) { /* uneven, as places and purposes are */
        row->atoms[axis] = roll(made.axes[axis]) * roll(made.axes[axis]) / made.axes[axis];
      }
    }
  }
}

static void add_level(struct disclose_table *table, uint32_t axis, const uint32_t *group) {
  uint32_t groups = group == NULL ? made.axes[axis] : group[made.axes[axis] - 1] + 1;
  table->levels[table->level_count++] = (struct disclose_level){.axis = axis, .groups = groups, .group = group};
}

/* The table, then each choice of fewer of its levels from the total up; a level of one group is a filter and stays. */
static void add_with_margins(const struct disclose_table *table) {
  unsigned all = (1U << table->level_count) - 1, filters = 0;
  made.tables[made.table_count++] = *table;
  for (size_t i = 0; i < table->level_count; i++) {
    filters |= table->levels[i].groups > 1 ? 0 : 1U << i;
  }
  for (unsigned chosen = 0; chosen < all; chosen++) {
    struct disclose_table margin = {.name = table->name, .tier = table->tier};
    if ((chosen & filters) != filters) {
      continue;
    }
    for (size_t i = 0; i < table->level_count; i++) {
      if ((chosen >> i & 1) != 0) {
        margin.levels[margin.level_count++] = table->levels[i];
      }
    }
    assert_true(made.table_count < sizeof made.tables / sizeof *made.tables);
    made.tables[made.table_count++] = margin;
  }
}

static void publish(int k, int width) {
  struct error error;
  made.arena = made.arena == NULL ? arena_new(0) : made.arena;
  made.problem = (struct disclose_problem){.settings = {.k = k, .width = width},
                                           .axes = made.axes,
                                           .axis_count = AXES,
                                           .rows = made.rows,
                                           .row_count = made.row_count,
                                           .tables = made.tables,
                                           .table_count = made.table_count};
  assert_int_equal(disclose_run(&made.problem, made.arena, &made.result, &error), OK);
}

/* What would be out if only the small cells were hidden. */
static void show_complementary(void) {
  for (size_t t = 0; t < made.table_count; t++) {
    for (size_t i = 0; i < made.result.tables[t].size; i++) {
      uint8_t *status = &made.result.tables[t].status[i];
      *status = *status == DISCLOSE_BESIDE ? DISCLOSE_SHOWN : *status;
    }
  }
}

/* ---- what a reader can write down ---- */

static uint32_t group_of(const struct disclose_level *level, uint32_t atom) {
  return level->group == NULL ? atom : level->group[atom];
}

static bool lies_in(const struct disclose_table *table, const uint32_t *atoms, size_t place) {
  size_t at = 0;
  for (size_t i = 0; i < table->level_count; i++) {
    uint32_t group = group_of(&table->levels[i], atoms[table->levels[i].axis]);
    if (group == DISCLOSE_NONE) {
      return false;
    }
    at = at * table->levels[i].groups + group;
  }
  return at == place;
}

static size_t places(void) {
  return (size_t)made.axes[0] * made.axes[1] * made.axes[2];
}

static void atoms_of(size_t place, uint32_t atoms[AXES]) {
  for (size_t i = AXES; i-- > 0;) {
    atoms[i] = (uint32_t)(place % made.axes[i]);
    place /= made.axes[i];
  }
}

/* Of the units with several places, those in the cell: the reader is taken to know them. Rows of a unit are together.
 */
static int64_t known_in(const struct disclose_table *table, size_t place) {
  int64_t known = 0;
  for (size_t from = 0, to; from < made.row_count; from = to) {
    bool in = false, several = false;
    for (to = from; to < made.row_count && made.rows[to].unit == made.rows[from].unit; to++) {
      in = in || lies_in(table, made.rows[to].atoms, place);
      several = several || memcmp(made.rows[to].atoms, made.rows[from].atoms, AXES * sizeof(uint32_t)) != 0;
    }
    known += in && several;
  }
  return known;
}

/* A column for each place, a row for each cell that is out; the row of a cell by `rows`. */
static glp_prob *write_down(int *rows) {
  glp_prob *attack = glp_create_prob();
  int *index = calloc(places() + 2, sizeof *index), at = 0;
  double *value = calloc(places() + 2, sizeof *value);
  glp_add_cols(attack, (int)places());
  for (int i = 1; i <= (int)places(); i++) {
    glp_set_col_bnds(attack, i, GLP_LO, 0, 0);
    glp_set_col_kind(attack, i, GLP_IV);
  }
  for (size_t t = 0; t < made.table_count; t++) {
    const struct disclose_figures *figures = &made.result.tables[t];
    for (size_t place = 0; place < figures->size; place++, at++) {
      int used = 0;
      uint32_t atoms[AXES];
      rows[at] = 0;
      if (figures->status[place] == DISCLOSE_ABSENT) {
        continue;
      }
      for (size_t i = 0; i < places(); i++) {
        atoms_of(i, atoms);
        if (lies_in(&made.tables[t], atoms, place)) {
          index[++used] = (int)i + 1;
          value[used] = 1;
        }
      }
      rows[at] = glp_add_rows(attack, 1);
      double known = (double)known_in(&made.tables[t], place), count = (double)figures->counts[place];
      bool shown = figures->status[place] == DISCLOSE_SHOWN;
      glp_set_mat_row(attack, rows[at], used, index, value);
      glp_set_row_bnds(attack, rows[at], shown ? GLP_FX : GLP_LO, shown ? count - known : 1 - known, count - known);
    }
  }
  free(index);
  free(value);
  return attack;
}

static bool bound(glp_prob *attack, int row, int direction, double known, bool whole, double *found) {
  int index[10000];
  double value[10000];
  int used = glp_get_mat_row(attack, row, index, value);
  glp_smcp simplex;
  glp_iocp integer;
  glp_init_smcp(&simplex);
  glp_init_iocp(&integer);
  simplex.msg_lev = integer.msg_lev = GLP_MSG_OFF;
  simplex.tm_lim = integer.tm_lim = 20000;
  for (int i = 1; i <= glp_get_num_cols(attack); i++) {
    glp_set_obj_coef(attack, i, 0);
  }
  for (int i = 1; i <= used; i++) {
    glp_set_obj_coef(attack, index[i], 1);
  }
  glp_set_obj_dir(attack, direction);
  if (glp_simplex(attack, &simplex) != 0) {
    return false;
  }
  if (glp_get_status(attack) == GLP_UNBND) {
    *found = 1e9;
    return true;
  }
  assert_int_equal(glp_get_status(attack), GLP_OPT);
  if (whole && glp_intopt(attack, &integer) == 0 && glp_mip_status(attack) == GLP_OPT) {
    *found = glp_mip_obj_val(attack) + known;
  } else {
    *found = glp_get_obj_val(attack) + known;
  }
  return true;
}

struct outcome {
  size_t tables, hidden, found;
};

/* Finds, for each hidden cell, what the reader can say of it. */
static void attack(int k, int width, bool whole, struct outcome *outcome) {
  size_t cells = 0, at = 0;
  for (size_t t = 0; t < made.table_count; t++) {
    cells += made.result.tables[t].size;
  }
  int *rows = calloc(cells + 1, sizeof *rows);
  glp_prob *written = write_down(rows);
  for (size_t t = 0; t < made.table_count; t++) {
    const struct disclose_figures *figures = &made.result.tables[t];
    outcome->tables++;
    for (size_t place = 0; place < figures->size; place++, at++) {
      bool hidden = figures->status[place] == DISCLOSE_SMALL || figures->status[place] == DISCLOSE_BESIDE;
      double least, most, known;
      if (!hidden) {
        continue;
      }
      known = (double)known_in(&made.tables[t], place);
      assert_true(bound(written, rows[at], GLP_MIN, known, whole, &least));
      assert_true(bound(written, rows[at], GLP_MAX, known, whole, &most));
      outcome->hidden++;
      outcome->found += most < k - 0.5 || most - least < width - 0.5;
    }
  }
  glp_delete_prob(written);
  free(rows);
}

static void finish(void) {
  arena_free(made.arena);
  made.arena = NULL;
}

/* ---- the attacks ---- */

static void make_random(int shape) {
  struct disclose_table table = {.name = "one"}, other = {.name = "two"};
  begin(2 + roll(6), 2 + roll(5), 2 + roll(3));
  add_units(20 + roll(600), roll(3) == 0 ? 0 : 2 + roll(8));
  add_level(&table, 0, shape % 2 == 0 ? NULL : made.young);
  add_level(&table, 1, NULL);
  if (shape % 3 == 0) {
    add_level(&table, 2, NULL);
  }
  add_with_margins(&table);
  if (shape % 3 != 0) { /* another table of the same release, with age bands that differ */
    add_level(&other, 0, made.old);
    add_level(&other, 2, NULL);
    add_with_margins(&other);
  }
}

static void test_random_tables_hide_what_they_hide(void **unused) {
  struct outcome outcome = {0}, open = {0};
  (void)unused;
  for (int i = 0; i < 60; i++) {
    int k = i % 4 == 0 ? 3 : i % 4 == 1 ? 5 : 11;
    make_random(i);
    publish(k, 0);
    assert_int_equal(made.result.exposed, 0);
    attack(k, k - 1, i % 5 == 0, &outcome);
    show_complementary();
    attack(k, k - 1, false, &open);
    finish();
  }
  print_message("attack ok: tables=%zu hidden=%zu found=%zu (without complementary cells: hidden=%zu found=%zu)\n",
                outcome.tables, outcome.hidden, outcome.found, open.hidden, open.found);
  assert_int_equal(outcome.found, 0);
  assert_true(outcome.hidden > 500);
  assert_true(open.found > 20); /* the attack can find */
}

/* Tables of several tiers, each protected with what the lower ones left. */
static void test_tiers_hide_what_they_hide(void **unused) {
  struct outcome outcome = {0};
  (void)unused;
  for (int i = 0; i < 40; i++) {
    int k = i % 2 == 0 ? 5 : 11;
    make_random(i);
    for (size_t t = 0; t < made.table_count; t++) {
      made.tables[t].tier = roll(4);
    }
    publish(k, 0);
    assert_int_equal(made.result.exposed, 0);
    attack(k, k - 1, i % 5 == 0, &outcome);
    finish();
  }
  print_message("attack ok (tiers): tables=%zu hidden=%zu found=%zu\n", outcome.tables, outcome.hidden, outcome.found);
  assert_true(outcome.hidden > 300);
  assert_int_equal(outcome.found, 0);
}

/* The first release, then a second one that would show other cells of the same table. */
static void test_earlier_releases_count(void **unused) {
  struct outcome outcome = {0};
  (void)unused;
  for (int i = 0; i < 15; i++) {
    make_random(0);
    publish(11, 0);
    const struct disclose_figures *first = &made.result.tables[0];
    assert_true(first->size <= sizeof made.earlier);
    memcpy(made.earlier, first->status, first->size);
    made.tables[0].earlier = made.earlier; /* and with it, new tables */
    struct disclose_table table = {.name = "later"};
    add_level(&table, 0, made.old);
    add_level(&table, 1, NULL);
    add_with_margins(&table);
    publish(11, 0);
    for (size_t place = 0; place < made.result.tables[0].size; place++) {
      assert_int_equal(made.result.tables[0].status[place] == DISCLOSE_SHOWN, made.earlier[place] == DISCLOSE_SHOWN);
    }
    if (made.result.exposed == 0) {
      attack(11, 10, false, &outcome);
    }
    made.tables[0].earlier = NULL;
    finish();
  }
  print_message("attack ok (earlier releases): tables=%zu hidden=%zu found=%zu\n", outcome.tables, outcome.hidden,
                outcome.found);
  assert_true(outcome.hidden > 100);
  assert_int_equal(outcome.found, 0);
}

/* ---- every world, one after the other ---- */

/* Counts of the nine places of a 3 by 3 table by all ways that keep the shown figures, with no solver at all. */
struct search {
  int64_t places[9], least[16], most[16], shown[16];
  bool hidden[16];
  size_t worlds;
};

/* Cells 0-8 inner, 9-11 rows, 12-14 columns, 15 all. */
static void figures_of(const int64_t *at, int64_t cells[16]) {
  memset(cells, 0, 16 * sizeof *cells);
  for (int i = 0; i < 9; i++) {
    cells[i] += at[i];
    cells[9 + i / 3] += at[i];
    cells[12 + i % 3] += at[i];
    cells[15] += at[i];
  }
}

static void search(struct search *all, int place, int64_t most) {
  int64_t cells[16];
  if (place < 9) {
    for (int64_t i = all->hidden[place] ? 1 : all->shown[place]; i <= (all->hidden[place] ? most : all->shown[place]);
         i++) {
      all->places[place] = i;
      search(all, place + 1, most);
    }
    return;
  }
  figures_of(all->places, cells);
  for (int i = 0; i < 16; i++) {
    if (all->hidden[i] ? cells[i] < 1 : cells[i] != all->shown[i]) {
      return;
    }
  }
  all->worlds++;
  for (int i = 0; i < 16; i++) {
    all->least[i] = cells[i] < all->least[i] ? cells[i] : all->least[i];
    all->most[i] = cells[i] > all->most[i] ? cells[i] : all->most[i];
  }
}

static void take_cells(struct search *all) {
  /* tables: 0 inner, 1 all, 2 rows, 3 columns, as add_with_margins lists them */
  static const struct { size_t table, from, count; } parts[] = {{0, 0, 9}, {2, 9, 3}, {3, 12, 3}, {1, 15, 1}};
  for (size_t p = 0; p < 4; p++) {
    for (size_t i = 0; i < parts[p].count; i++) {
      const struct disclose_figures *figures = &made.result.tables[parts[p].table];
      all->shown[parts[p].from + i] = figures->counts[i];
      all->hidden[parts[p].from + i] = figures->status[i] != DISCLOSE_SHOWN;
      all->least[parts[p].from + i] = INT64_MAX;
      all->most[parts[p].from + i] = -1;
    }
  }
}

static void test_every_world_of_small_tables(void **unused) {
  size_t hidden = 0, found = 0, worlds = 0, tables = 0;
  (void)unused;
  for (int i = 0; i < 300; i++) {
    struct disclose_table table = {.name = "small"};
    struct search all = {.worlds = 0};
    begin(3, 3, 1);
    add_units(3 + roll(22), 0);
    add_level(&table, 0, NULL);
    add_level(&table, 1, NULL);
    add_with_margins(&table);
    publish(3, 0);
    take_cells(&all);
    int64_t largest = 0;
    for (int cell = 0; cell < 9; cell++) {
      largest = all.shown[cell] > largest ? all.shown[cell] : largest;
    }
    search(&all, 0, largest + 2);
    worlds += all.worlds;
    tables += 4;
    for (int cell = 0; cell < 16; cell++) {
      hidden += all.hidden[cell];
      found += all.hidden[cell] && (all.most[cell] < 3 || all.most[cell] - all.least[cell] < 2);
    }
    finish();
  }
  print_message("attack ok (every world): tables=%zu hidden=%zu worlds=%zu found=%zu\n", tables, hidden, worlds, found);
  assert_true(hidden > 300);
  assert_int_equal(found, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_tables_hide_what_they_hide), cmocka_unit_test(test_tiers_hide_what_they_hide),
      cmocka_unit_test(test_earlier_releases_count), cmocka_unit_test(test_every_world_of_small_tables)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
