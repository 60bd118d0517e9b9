/* K-anonymity, tried on every row of random tables: no combination of fewer than k rows leaves, nothing is made up,
 * and no more is hidden than the steps say. */
#include "core/disclose/anonymise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COLUMNS = 6, ROWS_MOST = 120, STEPS = 4, NONE = 99, TABLES = 4000 };
static const uint64_t STEP[STEPS] = {1U << 5, 1U << 4 | 1U << 3, 1U << 2, 1U << 1};

static uint64_t state = 20260101;

static uint32_t random_below(uint32_t most) {
  state = state * 6364136223846793005U + 1442695040888963407U;
  return (uint32_t)(state >> 33) % most;
}

static bool alike(const uint32_t *a, const uint32_t *b) {
  return memcmp(a, b, COLUMNS * sizeof *a) == 0;
}

/* Whether b is a with the columns of the first steps hidden. */
static bool hidden_of(const uint32_t *a, const uint32_t *b, size_t steps) {
  uint64_t columns = 0;
  for (size_t i = 0; i < steps; i++) {
    columns |= STEP[i];
  }
  for (size_t c = 0; c < COLUMNS; c++) {
    if (b[c] != ((columns >> c & 1) != 0 ? NONE : a[c])) {
      return false;
    }
  }
  return true;
}

static int count_alike(const uint32_t *row, const uint32_t *rows, size_t from, size_t to) {
  int same = 0;
  for (size_t i = from; i < to; i++) {
    same += alike(row, rows + i * COLUMNS);
  }
  return same;
}

/* What leaves is k alike, and is made of rows that were there. */
static void check_shown(const uint32_t *before, size_t count, const struct anonymise *rows) {
  const uint32_t *values = rows->values;
  for (size_t i = 0; i < rows->kept; i++) {
    int same = count_alike(values + i * COLUMNS, values, 0, rows->kept), origins = 0;
    for (size_t j = 0; j < count; j++) {
      bool of = false;
      for (size_t steps = 0; steps <= STEPS; steps++) {
        of = of || hidden_of(before + j * COLUMNS, values + i * COLUMNS, steps);
      }
      origins += of;
    }
    if (same < rows->k || origins < same) {
      fail_msg("row %zu: %d alike of k %d, from %d", i, same, rows->k, origins);
    }
  }
}

/* Who is k alike as they are loses nothing; what is left out is not k alike even with all steps. */
static void check_left(const uint32_t *before, size_t count, const struct anonymise *rows) {
  for (size_t i = 0; i < count; i++) {
    int same = count_alike(before + i * COLUMNS, before, 0, count);
    assert_true(same < rows->k || count_alike(before + i * COLUMNS, rows->values, 0, rows->kept) >= same);
  }
  for (size_t i = rows->kept; i < count; i++) {
    assert_true(count_alike(rows->values + i * COLUMNS, rows->values, rows->kept, count) < rows->k);
  }
}

static void one_table(size_t *kept, size_t *left) {
  uint32_t before[ROWS_MOST * COLUMNS], values[ROWS_MOST * COLUMNS];
  struct error error;
  size_t count = random_below(ROWS_MOST + 1);
  uint32_t kinds = 1 + random_below(4);
  for (size_t i = 0; i < count * COLUMNS; i++) {
    uint32_t value = random_below(kinds + 1);
    before[i] = values[i] = value == kinds ? NONE : value;
  }
  struct anonymise rows = {.values = values,
                           .columns = COLUMNS,
                           .count = count,
                           .missing = NONE,
                           .k = (int)(1 + random_below(12)),
                           .steps = STEP,
                           .step_count = STEPS};
  assert_int_equal(anonymise(&rows, &error), OK);
  size_t told = 0;
  for (size_t i = 0; i <= STEPS; i++) {
    told += rows.at[i];
  }
  assert_int_equal(told, rows.kept);
  check_shown(before, count, &rows);
  check_left(before, count, &rows);
  *kept += rows.kept;
  *left += count - rows.kept;
}

static void test_random_tables(void **unused) {
  (void)unused;
  size_t kept = 0, left = 0;
  for (size_t i = 0; i < TABLES; i++) {
    one_table(&kept, &left);
  }
  printf("anonymise ok: tables=%d kept=%zu left_out=%zu\n", TABLES, kept, left);
  assert_true(kept > 10000 && left > 1000);
}

static void test_refuses(void **unused) {
  (void)unused;
  uint32_t value = 1;
  struct error error;
  struct anonymise rows = {.values = &value, .columns = 1, .count = 1, .k = 0};
  assert_int_equal(anonymise(&rows, &error), ERR_INTERNAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_tables), cmocka_unit_test(test_refuses)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
