/* Sorting of numbers, with few and many bytes that differ. */
#include "core/base/radix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

enum { MOST = 1000 };

static int by_value(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a;
  uint64_t y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static void sorts_as_qsort_does(void **state) {
  (void)state;
  static const uint64_t masks[] = {UINT64_MAX, 0xFF, 0xFF00, 0x7000000000000003, 0xFFFF0000FF0000FF, 0};
  static const size_t counts[] = {0, 1, 2, 3, 255, MOST};
  uint64_t seed = 5;
  for (size_t m = 0; m < sizeof masks / sizeof *masks; m++) {
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
      uint64_t keys[MOST];
      uint64_t expected[MOST];
      uint64_t scratch[MOST];
      for (size_t i = 0; i < counts[c]; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        keys[i] = expected[i] = (seed ^ seed >> 29) & masks[m];
      }
      qsort(expected, counts[c], sizeof *expected, by_value);
      radix_sort(keys, scratch, counts[c]);
      assert_memory_equal(keys, expected, counts[c] * sizeof *keys);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sorts_as_qsort_does)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
