/* Every case of tests/mapping/cases, and every example of the documentation. */
#include "core/base/folder.h"
#include "tests/mapping/mapping_bench.h"

static void run_files(const struct mapping_bench *bench, const char *const *paths, size_t count, size_t least) {
  struct maptest_counts counts = {0};
  struct buffer report;
  struct error error;
  buffer_init(&report, (size_t)16 << 20);
  for (size_t i = 0; i < count; i++) {
    if (maptest_file(bench, paths[i], &counts, &report, &error) != OK) {
      print_error("%s: %s\n", error.place, error.message);
      fail();
    }
  }
  if (counts.failed > 0) {
    fputs(report.data, stderr);
  }
  buffer_free(&report);
  assert_int_equal(counts.failed, 0);
  assert_true(counts.cases >= least);
}

static void test_documentation(void **state) {
  static const char *const paths[] = {"mapping/README.md"};
  run_files(*state, paths, 1, 8);
}

static void test_case_files(void **state) {
  struct arena *arena = arena_new(0);
  const char *const *paths;
  size_t count;
  struct error error;
  assert_int_equal(folder_list("tests/mapping/cases", ".case", arena, &paths, &count, &error), OK);
  run_files(*state, paths, count, count);
  arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_documentation), cmocka_unit_test(test_case_files)};
  return cmocka_run_group_tests_name("mapping cases", tests, bench_setup, bench_teardown);
}
