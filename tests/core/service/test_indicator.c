#include "core/service/indicator.h"

#include "core/base/file.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void write_indicator(const char *folder, const char *text) {
  char path[256];
  struct error error;
  snprintf(path, sizeof path, "%s/thing.yaml", folder);
  assert_int_equal(file_write(path, slice_of(text), 0600, &error), OK);
}

static void test_every_indicator_of_the_program_is_right(void **state) {
  (void)state;
  const char *const folders[2] = {"config/indicators", NULL};
  struct arena *arena = arena_new(0);
  struct error error = {0};
  const char **names;
  size_t count;
  assert_int_equal(indicator_names(folders, arena, &names, &count, &error), OK);
  assert_true(count >= 5);
  for (size_t i = 0; i < count; i++) {
    struct indicator indicator;
    if (indicator_load(folders, names[i], arena, &indicator, &error) != OK) {
      fail_msg("%s (%s; %s)", error.message, error.place, error.hint);
    }
    assert_string_not_equal(indicator.label_es, indicator.label_en);
  }
  arena_free(arena);
}

static void test_what_a_file_fixes(void **state) {
  (void)state;
  char *folder = temp_make();
  const char *const folders[2] = {"config/indicators", folder};
  struct arena *arena = arena_new(0);
  struct error error = {0};
  struct indicator indicator;
  write_indicator(folder, "indicator: thing\nlabel: {en: Thing, es: Cosa}\nunit: person\nrole: accused\n"
                          "date: registration\nplace: residence\nage: filing\nbands: [0-17, 18-64, 65+]\n"
                          "where: {sex: female, detained: '1'}\n");
  assert_int_equal(indicator_load(folders, "thing", arena, &indicator, &error), OK);
  assert_int_equal(indicator.unit, UNIT_PERSON);
  assert_string_equal(indicator.role, "accused");
  assert_int_equal(indicator.date, DATE_OF_REGISTRATION);
  assert_int_equal(indicator.place, PLACE_OF_RESIDENCE);
  assert_int_equal(indicator.age, DATE_OF_FILING);
  assert_int_equal(indicator.band_count, 3);
  assert_int_equal(indicator.bands[1].least, 18);
  assert_int_equal(indicator.bands[1].most, 64);
  assert_string_equal(indicator.bands[2].name, "65+");
  assert_int_equal(indicator.condition_count, 2);
  assert_string_equal(indicator.conditions[0].field, "sex");
  assert_string_equal(indicator.conditions[0].value, "female");
  arena_free(arena);
  temp_remove(folder);
}

static void test_mistakes_have_place_and_hint(void **state) {
  (void)state;
  static const struct {
    const char *text, *place, *message, *hint;
  } cases[] = {
      {"indicator: thing\nunit: persn\n", "thing.yaml:2:7", "unit: unknown value 'persn'", "did you mean 'person'?"},
      {"indicator: thing\nunit: case\nrole: victim\n", "thing.yaml:1:1",
       "unit: person, or unit: case without role and residence, is expected", ""},
      {"indicator: thing\n", "thing.yaml:1:1", "unit: person, or unit: case without role and residence, is expected",
       ""},
      {"indicator: thng\nunit: case\n", "thing.yaml:1:1", "indicator 'thng' stands in the file of 'thing'",
       "write indicator: thing, or rename the file"},
      {"indicator: thing\nunit: person\nbands: [0-17, 15-20]\n", "thing.yaml:3:8", "bands: '15-20' is no age band here",
       "bands go up and do not overlap: [0-17, 18-29, 30+]"},
      {"indicator: thing\nunit: person\nperiod: 1\n", "thing.yaml:3:9",
       "period: a number of years from 2 to 25 is expected here", "period: 3 puts 2020, 2021 and 2022 together"},
      {"indicator: thing\nunit: person\nbands: [young]\n", "thing.yaml:3:8", "bands: 'young' is no age band here",
       "bands go up and do not overlap: [0-17, 18-29, 30+]"},
      {"indicator: thing\nunit: person\nage: registration\n", "thing.yaml:3:6", "age: unknown value 'registration'",
       "one of: facts, filing"},
      {"indicator: thing\nunit: person\ndat: facts\n", "thing.yaml:3:1", "unknown key 'dat'", "did you mean 'date'?"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *folder = temp_make();
    char place[256];
    const char *const folders[2] = {NULL, folder};
    struct arena *arena = arena_new(0);
    struct error error = {0};
    struct indicator indicator;
    write_indicator(folder, cases[i].text);
    snprintf(place, sizeof place, "%s/%s", folder, cases[i].place);
    assert_int_equal(indicator_load(folders, "thing", arena, &indicator, &error), ERR_CONFIG);
    assert_string_equal(error.message, cases[i].message);
    assert_string_equal(error.place, place);
    assert_string_equal(error.hint, cases[i].hint);
    arena_free(arena);
    temp_remove(folder);
  }
}

/* A name is a name, never a way to another file. */
static void test_a_path_is_no_indicator(void **state) {
  (void)state;
  const char *const folders[2] = {"config/indicators", NULL};
  struct arena *arena = arena_new(0);
  struct error error = {0};
  struct indicator indicator;
  assert_int_equal(indicator_load(folders, "../model/case", arena, &indicator, &error), ERR_USAGE);
  assert_string_equal(error.message, "there is no indicator '../model/case'");
  arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_indicator_of_the_program_is_right),
      cmocka_unit_test(test_what_a_file_fixes),
      cmocka_unit_test(test_mistakes_have_place_and_hint),
      cmocka_unit_test(test_a_path_is_no_indicator),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
