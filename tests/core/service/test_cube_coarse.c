#include "core/base/file.h"
#include "core/service/cube_fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *coarser(struct codelists *lists, enum cube_kind kind, const char *text, char room[128]) {
  static const struct field purposes = {.name = "purposes", .codelist = "purpose"};
  static const struct indicator indicator = {.period = 5};
  const struct cube_field field = {.kind = kind, .field = &purposes, .axes = &indicator};
  const struct workspace workspace = {.lists = lists};
  const struct cube_request request = {.workspace = &workspace};
  struct map *dictionary = map_new();
  assert_non_null(dictionary);
  uint32_t value = cube_coarser(&request, &field, dictionary, map_intern(dictionary, slice_of(text)));
  snprintf(room, 128, "%.*s", value == MAP_NONE ? 1 : (int)map_key(dictionary, value).len,
           value == MAP_NONE ? "-" : map_key(dictionary, value).data);
  map_free(dictionary);
  return room;
}

/* A country's own purposes: two have no group. */
static void test_a_code_without_a_group_is_not_recorded(void **state) {
  (void)state;
  char folder[64] = "/tmp/puente-coarse-XXXXXX", path[128], room[128];
  const char *folders[] = {"config/codelists", folder};
  struct codelists *lists = NULL;
  struct error error = {0};
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/purpose.yaml", folder);
  assert_int_equal(file_write(path,
                              slice_of("list: purpose\ngroups: purpose_group\ncodes:\n  a: {group: sexual}\n"
                                       "  b: {group: labour}\n  c: {group: labour}\n  d: {}\n  e: {}\n"),
                              0600, &error),
                   OK);
  assert_int_equal(codelists_load(folders, 2, &lists, &error), OK);
  assert_string_equal(coarser(lists, CUBE_PURPOSE_GROUP, "a", room), "sexual");
  assert_string_equal(coarser(lists, CUBE_PURPOSE_GROUP, "b;a;c", room), "labour;sexual");
  assert_string_equal(coarser(lists, CUBE_PURPOSE_GROUP, "d;e", room), "-");
  assert_string_equal(coarser(lists, CUBE_PURPOSE_GROUP, "unheard of", room), "-");
  assert_string_equal(coarser(lists, CUBE_PURPOSE_GROUP, "a;d;e", room), ";sexual");
  codelists_free(lists);
  unlink(path);
  rmdir(folder);
}

static void test_regions_and_periods(void **state) {
  (void)state;
  static const char *const folders[] = {"config/codelists"};
  struct codelists *lists = NULL;
  struct error error = {0};
  char room[128];
  assert_int_equal(codelists_load(folders, 1, &lists, &error), OK);
  assert_string_equal(coarser(lists, CUBE_REGION, "16", room), "oriente");
  assert_string_equal(coarser(lists, CUBE_REGION, "07", room), "lima_callao");
  assert_string_equal(coarser(lists, CUBE_PERIOD, "2020", room), "2016-2020");
  assert_string_equal(coarser(lists, CUBE_PERIOD, "2021", room), "2021-2025");
  const struct codelist *departments = codelists_find(lists, "department");
  for (size_t i = 0; i < codelist_size(departments); i++) {
    assert_non_null(codelist_at(departments, i)->group);
  }
  codelists_free(lists);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_code_without_a_group_is_not_recorded),
      cmocka_unit_test(test_regions_and_periods),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
