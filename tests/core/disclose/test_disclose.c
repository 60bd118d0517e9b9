/* The corners of what may be shown. */
#include "core/disclose/disclose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct disclose_row rows[20000];
static size_t row_count;
static uint32_t units;
static struct arena *arena;
static struct disclose_result result;
static struct error error;

static void add(uint32_t count, uint32_t a, uint32_t b) {
  for (uint32_t i = 0; i < count; i++) {
    rows[row_count++] = (struct disclose_row){.unit = units++, .atoms = {a, b, 0, 0}};
  }
}

static void begin(void) {
  row_count = 0;
  units = 0;
  arena_free(arena);
  arena = arena_new(0);
}

static enum status run(int k, const uint32_t *axes, size_t axis_count, const struct disclose_table *tables,
                       size_t table_count) {
  const struct disclose_problem problem = {.settings = {.k = k},
                                           .axes = axes,
                                           .axis_count = axis_count,
                                           .rows = rows,
                                           .row_count = row_count,
                                           .tables = tables,
                                           .table_count = table_count};
  return disclose_run(&problem, arena, &result, &error);
}

static const uint32_t AXES[] = {3, 3};
static const struct disclose_table BOTH = {.name = "both", .levels = {{0, 3, NULL}, {1, 3, NULL}}, .level_count = 2};

static size_t hidden_in(size_t table) {
  size_t hidden = 0;
  for (size_t i = 0; i < result.tables[table].size; i++) {
    hidden += !disclose_is_shown(result.tables[table].status[i]);
  }
  return hidden;
}

static void test_k_of_one_hides_nothing(void **unused) {
  (void)unused;
  begin();
  add(1, 0, 0);
  add(2, 1, 1);
  assert_int_equal(run(1, AXES, 2, &BOTH, 1), OK);
  assert_int_equal(hidden_in(0), 0);
  assert_int_equal(result.filled, 2);
}

static void test_nobody_is_shown_as_nobody(void **unused) {
  (void)unused;
  begin();
  assert_int_equal(run(11, AXES, 2, &BOTH, 1), OK);
  assert_int_equal(hidden_in(0), 0);
  assert_int_equal(result.filled, 0);
}

static void test_total_alone(void **unused) {
  const struct disclose_table total = {.name = "total"};
  (void)unused;
  begin();
  add(10, 0, 0);
  assert_int_equal(run(11, AXES, 2, &total, 1), OK);
  assert_int_equal(hidden_in(0), 1);
  begin();
  add(11, 0, 0);
  assert_int_equal(run(11, AXES, 2, &total, 1), OK);
  assert_int_equal(hidden_in(0), 0);
}

/* One row with its total: a single hidden cell would be the total less the others. */
static void test_one_row_hides_two(void **unused) {
  static const struct disclose_table tables[] = {{.name = "row", .levels = {{0, 3, NULL}}, .level_count = 1},
                                                 {.name = "row"}};
  (void)unused;
  begin();
  add(5, 0, 0);
  add(40, 1, 0);
  add(90, 2, 0);
  assert_int_equal(run(11, AXES, 2, tables, 2), OK);
  assert_int_equal(result.tables[0].status[0], DISCLOSE_SMALL);
  assert_int_equal(result.tables[0].status[1], DISCLOSE_BESIDE);
  assert_int_equal(result.tables[0].status[2], DISCLOSE_SHOWN);
  assert_int_equal(result.tables[1].status[0], DISCLOSE_SHOWN);
}

/* Without the total nothing gives it away. */
static void test_one_row_without_total_hides_one(void **unused) {
  const struct disclose_table row = {.name = "row", .levels = {{0, 3, NULL}}, .level_count = 1};
  (void)unused;
  begin();
  add(5, 0, 0);
  add(40, 1, 0);
  add(90, 2, 0);
  assert_int_equal(run(11, AXES, 2, &row, 1), OK);
  assert_int_equal(hidden_in(0), 1);
}

/* A person in two cells is counted once in the total: parts are more than it, and still nothing may be computed. */
static void test_one_person_in_several_cells(void **unused) {
  static const struct disclose_table tables[] = {{.name = "row", .levels = {{0, 3, NULL}}, .level_count = 1},
                                                 {.name = "row"}};
  (void)unused;
  begin();
  add(5, 0, 0);
  add(40, 1, 0);
  rows[row_count++] = (struct disclose_row){.unit = 0, .atoms = {1, 0}};
  assert_int_equal(run(11, AXES, 2, tables, 2), OK);
  assert_int_equal(result.tables[0].counts[0], 5);
  assert_int_equal(result.tables[0].counts[1], 41);
  assert_int_equal(result.tables[1].counts[0], 45);
  assert_int_equal(hidden_in(0), 2);
}

/* Age bands that differ: 0-17 less 0-11 would be 12-17. */
static void test_bands_that_do_not_nest(void **unused) {
  static const uint32_t two[] = {0, 0, 1, 1, 1, 1}, other[] = {0, 0, 0, 1, 1, 1}, ages[] = {6};
  const struct disclose_table tables[] = {{.name = "two", .levels = {{0, 2, two}}, .level_count = 1},
                                          {.name = "other", .levels = {{0, 2, other}}, .level_count = 1}};
  (void)unused;
  begin();
  for (uint32_t age = 0; age < 6; age++) {
    add(age == 2 ? 3 : 30, age, 0);
  }
  assert_int_equal(run(11, ages, 1, tables, 2), OK);
  assert_int_equal(hidden_in(0) + hidden_in(1),
                   0); /* 60, 93 and 63, 90: the band between is no cell that is published */
  const struct disclose_table narrow[] = {{.name = "two", .levels = {{0, 2, two}}, .level_count = 1},
                                          {.name = "other", .levels = {{0, 2, other}}, .level_count = 1},
                                          {.name = "age", .levels = {{0, 6, NULL}}, .level_count = 1}};
  assert_int_equal(run(11, ages, 1, narrow, 3), OK);
  assert_int_equal(result.tables[2].status[2], DISCLOSE_SMALL);
  assert_true(hidden_in(0) + hidden_in(1) + hidden_in(2) > 1);
  assert_int_equal(result.exposed, 0);
}

static void test_hidden_earlier_stays_hidden(void **unused) {
  static uint8_t earlier[3] = {DISCLOSE_BESIDE, DISCLOSE_SHOWN, DISCLOSE_BESIDE};
  const struct disclose_table tables[] = {
      {.name = "then", .levels = {{0, 3, NULL}}, .level_count = 1, .earlier = earlier},
      {.name = "now", .levels = {{0, 3, NULL}}, .level_count = 1}};
  (void)unused;
  begin();
  add(50, 0, 0);
  add(60, 1, 0);
  add(70, 2, 0);
  assert_int_equal(run(11, AXES, 2, tables, 2), OK);
  assert_int_equal(result.tables[1].status[0], DISCLOSE_BESIDE);
  assert_int_equal(result.tables[1].status[1], DISCLOSE_SHOWN);
  assert_int_equal(result.tables[1].status[2], DISCLOSE_BESIDE);
}

static void test_what_is_out_of_bounds_is_refused(void **unused) {
  static const uint32_t axes[] = {3, 3}, huge[] = {3, 4000000000u}, wrong[] = {0, 7, 0};
  const struct disclose_table bad = {.name = "bad", .levels = {{0, 2, wrong}}, .level_count = 1};
  const struct disclose_table far = {.name = "far", .levels = {{5, 3, NULL}}, .level_count = 1};
  (void)unused;
  begin();
  add(5, 0, 0);
  assert_int_equal(run(0, axes, 2, &BOTH, 1), ERR_INPUT);
  assert_string_equal(error.message, "disclosure control: k is 1 to 1000, and so is the width");
  assert_int_equal(run(-3, axes, 2, &BOTH, 1), ERR_INPUT);
  assert_int_equal(run(1001, axes, 2, &BOTH, 1), ERR_INPUT);
  assert_int_equal(run(11, huge, 2, &BOTH, 1), ERR_INPUT);
  assert_int_equal(run(11, axes, 2, &bad, 1), ERR_INPUT);
  assert_string_equal(error.message, "disclosure control: a group of table 'bad' is out of bounds");
  assert_int_equal(run(11, axes, 2, &far, 1), ERR_INPUT);
  rows[0].atoms[1] = 3;
  assert_int_equal(run(11, axes, 2, &BOTH, 1), ERR_INPUT);
  assert_string_equal(error.message, "disclosure control: a value is not one of its axis");
}

/* The same count in the same cell gives the same number; on the mean, the truth. */
static void test_rounding(void **unused) {
  uint8_t seed[32] = {7}, other[32] = {8};
  int64_t sum = 0, differ = 0;
  (void)unused;
  assert_int_equal(disclose_round(seed, "a", 0, 5), 0);
  assert_int_equal(disclose_round(seed, "a", 15, 5), 15);
  for (int i = 0; i < 3000; i++) {
    char cell[32];
    snprintf(cell, sizeof cell, "victims|year=%d", i);
    int64_t number = disclose_round(seed, cell, 7, 5);
    assert_true(number == 5 || number == 10);
    assert_int_equal(number, disclose_round(seed, cell, 7, 5));
    differ += number != disclose_round(other, cell, 7, 5);
    sum += number;
  }
  assert_in_range(sum, 3000 * 69 / 10, 3000 * 71 / 10);
  assert_true(differ > 500);
}

static void test_shares_of_few_are_not_told(void **unused) {
  (void)unused;
  assert_int_equal(disclose_share(219, 219, 11), -1);
  assert_int_equal(disclose_share(219, 220, 11), 95);
  assert_int_equal(disclose_share(220, 220, 11), 100);
  assert_int_equal(disclose_share(0, 0, 11), -1);
}

/* Few of a year, many of a place: the years alone need hide little, and go on so when finer tables come with them. */
static void add_some(uint32_t count) {
  uint32_t state = 7;
  begin();
  for (uint32_t i = 0; i < count; i++) {
    state = state * 1664525 + 1013904223;
    uint32_t year = (state >> 24) % 6, place = (state >> 16) % 12;
    rows[row_count++] = (struct disclose_row){.unit = units++, .atoms = {year == 5 && i % 8 != 0 ? 2 : year, place}};
  }
}

static void add_many(void) {
  add_some(900);
}

static void test_lower_tiers_give_up_less(void **unused) {
  static const uint32_t axes[] = {6, 12}, regions[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1};
  struct disclose_table tables[] = {
      {.name = "year", .levels = {{0, 6, NULL}}, .level_count = 1},
      {.name = "place", .levels = {{1, 12, NULL}}, .level_count = 1, .tier = 1},
      {.name = "region", .levels = {{0, 6, NULL}, {1, 2, regions}}, .level_count = 2, .tier = 2},
      {.name = "fine", .levels = {{0, 6, NULL}, {1, 12, NULL}}, .level_count = 2, .tier = 3}};
  (void)unused;
  add_many();
  assert_int_equal(run(11, axes, 2, tables, 1), OK);
  size_t alone = hidden_in(0);
  assert_int_equal(run(11, axes, 2, tables, 3), OK);
  size_t beside = hidden_in(2);
  assert_int_equal(run(11, axes, 2, tables, 4), OK);
  size_t tiered = hidden_in(0) + hidden_in(1) + hidden_in(2);
  print_message("tiers: alone=%zu beside=%zu tiered=%zu fine=%zu of %zu\n", alone, beside, tiered, hidden_in(3),
                result.tables[3].size);
  assert_int_equal(hidden_in(0), alone);
  assert_int_equal(hidden_in(2), beside);
  for (size_t t = 0; t < 4; t++) {
    tables[t].tier = 0;
  }
  assert_int_equal(run(11, axes, 2, tables, 4), OK);
  assert_true(hidden_in(0) + hidden_in(1) + hidden_in(2) > tiered);
}

/* Tiers go from the lowest up, in whatever order the tables come. */
static void test_tiers_in_any_order(void **unused) {
  static const uint32_t axes[] = {6, 12}, regions[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1};
  const struct disclose_table tables[] = {
      {.name = "fine", .levels = {{0, 6, NULL}, {1, 12, NULL}}, .level_count = 2, .tier = 3},
      {.name = "region", .levels = {{0, 6, NULL}, {1, 2, regions}}, .level_count = 2, .tier = 2},
      {.name = "place", .levels = {{1, 12, NULL}}, .level_count = 1, .tier = 1},
      {.name = "year", .levels = {{0, 6, NULL}}, .level_count = 1}};
  size_t hidden[4];
  (void)unused;
  add_many();
  for (size_t count = 1; count <= 4; count++) { /* each tier by itself, without those above it */
    assert_int_equal(run(11, axes, 2, tables + 4 - count, count), OK);
    hidden[4 - count] = hidden_in(0);
  }
  for (size_t t = 0; t < 4; t++) {
    assert_int_equal(hidden_in(t), hidden[t]);
  }
}

/* The lowest of two is a tier of its own. */
static void test_two_tiers_are_two(void **unused) {
  static const uint32_t axes[] = {6, 12}, halves[] = {0, 0, 0, 1, 1, 1};
  struct disclose_table tables[] = {
      {.name = "half", .levels = {{0, 2, halves}, {1, 12, NULL}}, .level_count = 2},
      {.name = "year", .levels = {{0, 6, NULL}}, .level_count = 1},
      {.name = "fine", .levels = {{0, 6, NULL}, {1, 12, NULL}}, .level_count = 2, .tier = 1}};
  (void)unused;
  add_some(120);
  assert_int_equal(run(11, axes, 2, tables, 3), OK);
  size_t tiered = hidden_in(0) + hidden_in(1);
  tables[2].tier = 0;
  assert_int_equal(run(11, axes, 2, tables, 3), OK);
  assert_true(tiered < hidden_in(0) + hidden_in(1));
}

/* ---- quiet tables ---- */

/* A row of two, and its total, which a table before or this one shows. */
static void run_row(uint32_t one, uint32_t other, bool quiet, const uint8_t *earlier) {
  static const uint32_t axes[] = {3};
  const struct disclose_table tables[] = {{.name = "row", .levels = {{0, 3, NULL}}, .level_count = 1, .quiet = quiet},
                                          {.name = "total", .earlier = earlier}};
  begin();
  add(one, 0, 0);
  add(other, 1, 0);
  assert_int_equal(run(11, axes, 1, tables, 2), OK);
}

/* 1 and 10 of 11: told that neither is empty, nobody takes one for 11, and the total has to go; else it may stay. */
static void test_quiet_tables_hide_which_are_empty(void **unused) {
  (void)unused;
  run_row(1, 10, false, NULL);
  assert_int_equal(result.tables[1].status[0], DISCLOSE_BESIDE);
  assert_int_equal(result.tables[0].status[2], DISCLOSE_SHOWN);
  assert_null(result.tables[0].room);
  run_row(1, 10, true, NULL);
  assert_int_equal(result.tables[1].status[0], DISCLOSE_SHOWN);
  assert_int_equal(result.tables[0].status[0], DISCLOSE_SMALL);
  assert_int_equal(result.tables[0].status[1], DISCLOSE_SMALL);
  assert_int_equal(result.tables[0].status[2], DISCLOSE_ABSENT);
  assert_int_equal(result.exposed, 0);
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(result.tables[0].room[i].most, 11);
    assert_true(result.tables[0].room[i].width >= 10);
  }
}

/* 3 and 5, where a total of 8 is out already: no cell can be taken for 11. A quiet one keeps what is left, and tells
 * how much that is. */
static void test_quiet_tables_keep_what_room_there_is(void **unused) {
  static const uint8_t shown[] = {DISCLOSE_SHOWN};
  (void)unused;
  run_row(3, 5, false, shown);
  assert_int_equal(result.exposed, 2);
  run_row(3, 5, true, shown);
  assert_int_equal(result.exposed, 0);
  assert_int_equal(hidden_in(0), 3);
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(result.tables[0].room[i].most, 8);
    assert_int_equal(result.tables[0].room[i].width, 8);
  }
}

/* A release made again from the same store hides what it hid, tier by tier. */
static void test_earlier_tables_come_with_their_tiers(void **unused) {
  static const uint32_t axes[] = {6, 12};
  struct disclose_table tables[4] = {
      {.name = "year", .levels = {{0, 6, NULL}}, .level_count = 1},
      {.name = "fine", .levels = {{0, 6, NULL}, {1, 12, NULL}}, .level_count = 2, .tier = 1}};
  uint8_t out[2][72];
  (void)unused;
  add_many();
  assert_int_equal(run(11, axes, 2, tables, 2), OK);
  size_t hidden = hidden_in(0) + hidden_in(1), solved = result.solved;
  for (size_t t = 0; t < 2; t++) {
    memcpy(out[t], result.tables[t].status, result.tables[t].size);
    tables[2 + t] = tables[t];
    tables[2 + t].earlier = out[t];
  }
  assert_int_equal(run(11, axes, 2, tables, 4), OK);
  print_message("again: hidden=%zu solved=%zu, after %zu\n", hidden, result.solved, solved);
  assert_true(solved > 0 && result.solved <= solved + solved / 2); /* not all that is out in every tier */
  assert_int_equal(result.exposed, 0);
  for (size_t t = 0; t < 4; t++) {
    for (size_t i = 0; i < result.tables[t].size; i++) {
      assert_int_equal(result.tables[t].status[i] == DISCLOSE_SHOWN, out[t % 2][i] == DISCLOSE_SHOWN);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_k_of_one_hides_nothing),
                                     cmocka_unit_test(test_lower_tiers_give_up_less),
                                     cmocka_unit_test(test_earlier_tables_come_with_their_tiers),
                                     cmocka_unit_test(test_tiers_in_any_order),
                                     cmocka_unit_test(test_two_tiers_are_two),
                                     cmocka_unit_test(test_quiet_tables_hide_which_are_empty),
                                     cmocka_unit_test(test_quiet_tables_keep_what_room_there_is),
                                     cmocka_unit_test(test_nobody_is_shown_as_nobody),
                                     cmocka_unit_test(test_total_alone),
                                     cmocka_unit_test(test_one_row_hides_two),
                                     cmocka_unit_test(test_one_row_without_total_hides_one),
                                     cmocka_unit_test(test_one_person_in_several_cells),
                                     cmocka_unit_test(test_bands_that_do_not_nest),
                                     cmocka_unit_test(test_hidden_earlier_stays_hidden),
                                     cmocka_unit_test(test_what_is_out_of_bounds_is_refused),
                                     cmocka_unit_test(test_rounding),
                                     cmocka_unit_test(test_shares_of_few_are_not_told)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  arena_free(arena);
  return failed;
}
