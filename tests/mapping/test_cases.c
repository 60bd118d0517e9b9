/* Every case of tests/mapping/cases, and every example of the documentation. */
#include "core/base/folder.h"
#include "core/service/maptest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static int open_bench(void **state) {
  static struct mapping_bench bench;
  static const char *const folders[] = {"config/codelists"};
  struct error error;
  if (model_load("config/model", &bench.model, &error) != OK
      || codelists_load(folders, 1, &bench.lists, &error) != OK) {
    print_error("%s %s\n", error.message, error.place);
    return -1;
  }
  *state = &bench;
  return 0;
}

static int close_bench(void **state) {
  struct mapping_bench *bench = *state;
  codelists_free(bench->lists);
  model_free(bench->model);
  return 0;
}

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
  return cmocka_run_group_tests_name("mapping cases", tests, open_bench, close_bench);
}
