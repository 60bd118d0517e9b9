/* What a release says of which source told of which department and years: the whole text of a small store. */
#include "tests/support/program.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SOURCE(name)                                                                                                   \
  "source: " name "\ninstitution: PE/MP\ncontact: help desk 1234\nunit: denuncia\nconnector: file\n"                   \
  "options: {path: incoming/" name ", settle: 0s}\n"
#define MAPPING(name)                                                                                                  \
  "source: " name "\nformat: csv\ndelimiter: \";\"\n"                                                                  \
  "case:\n  key: id\n  denuncia_number: id\n  reported_on: date\n  place: {from: place, lookup: place}\n"              \
  "person:\n  key: id\n  role: victim\n  given_names: {from: name, clean: name}\n"
#define HEADER "id;date;place;name\n"
static const char ONE[] = HEADER "A-1;2020-03-01;1501;ROSA\nA-2;2020-04-01;1502;LUZ\nA-3;2022-03-01;1501;ANA\n"
                                 "A-4;2021-03-01;0801;EVA\nA-5;;0801;SOL\nA-6;2021-03-01;;MAR\n";
static const char TWO[] = HEADER "B-1;2021-03-01;0801;ROSA\nB-2;2021-03-01;0801;LUZ\nB-3;2022-03-01;0801;ANA\n";
enum { DEPARTMENTS = 25 };

static char *folder;

static const char *done(const char *arguments) {
  struct said said = program_run_as(folder, "rosa", arguments);
  if (said.code != 0) {
    fail_msg("%s: exit %d\n%s%s", arguments, said.code, said.out, said.err);
  }
  return said.out;
}

static int setup(void **state) {
  (void)state;
  folder = temp_make();
  assert_int_equal(program_run(folder, "--quiet init .").code, 0);
  shell("mkdir -p %s/releases %s/incoming/one %s/incoming/two", folder, folder, folder);
  program_write(folder, "puente.yaml", "name: demo\ndisclosure: {k: 3}\nreleases: releases\n");
  program_write(folder, "sources/one.yaml", SOURCE("one"));
  program_write(folder, "sources/two.yaml", SOURCE("two"));
  program_write(folder, "mappings/one.yaml", MAPPING("one"));
  program_write(folder, "mappings/two.yaml", MAPPING("two"));
  program_write(folder, "incoming/one/1.csv", ONE);
  program_write(folder, "incoming/two/1.csv", TWO);
  program_write(folder, "releases/places.yaml", "release: places\ntables:\n  year: {indicator: victims, by: [year]}\n");
  done("--quiet run");
  done("release create places --purpose test");
  return 0;
}

static int teardown(void **state) {
  (void)state;
  program_forget();
  temp_remove(folder);
  return 0;
}

/* Three are enough; of fewer not even the years are told. Without a day or a place a case tells of no coverage. */
static void test_sources_by_department(void **state) {
  static const char WANTED[] = "source,department,from,to,records\n"
                               "one,08,2020,2022,few\n"
                               "one,15,2020,2022,enough\n"
                               "two,08,2021,2022,enough\n";
  (void)state;
  const char *text = done("release show places coverage --csv");
  if (strncmp(text, WANTED, sizeof WANTED - 1) != 0) {
    fail_msg("%s", text);
  }
}

/* Where no source told of a department: the years between too. */
static void test_gaps(void **state) {
  size_t gaps = 0;
  (void)state;
  const char *text = done("release show places coverage --csv");
  assert_non_null(strstr(text, "\nno_source,08,2020,2020,none\n"));
  assert_null(strstr(text, "\nno_source,08,2021"));
  assert_non_null(strstr(text, "\nno_source,15,2021,2021,none\n"));
  assert_non_null(strstr(text, "\nno_source,01,2020,2022,none\n"));
  for (const char *at = text; (at = strstr(at, "\nno_source,")) != NULL; at++) {
    gaps++;
  }
  assert_int_equal(gaps, DEPARTMENTS);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sources_by_department), cmocka_unit_test(test_gaps)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
