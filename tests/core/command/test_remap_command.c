/* `puente remap` as staff use it: the mapping was mended, the source is away, and what changes is told. */
#include "tests/support/program.h"
#include "tests/support/says.h"
#include "tests/support/temp.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char SOURCE[] = "source: demo\ntitle: Demo\ninstitution: PE/MP\ncontact: help desk 1234\nunit: denuncia\n"
                             "connector: file\noptions: {path: incoming, settle: 0s}\n";
#define MAPPING(codes)                                                                                                 \
  "source: demo\nformat: csv\ndelimiter: \";\"\n"                                                                      \
  "case:\n  key: id\n  denuncia_number: id\n"                                                                          \
  "person:\n  key: [id, victim]\n  role: victim\n  given_names: {from: name, clean: name}\n"                           \
  "  sex: {from: sex, values: {" codes "}, else: quarantine}\n"
static const char ROWS[] = "id;victim;name;sex\nD-1;a;Rosa;F\nD-2;a;Luz;H\nD-3;a;Ana;X\nD-4;a;Eva;X\n";

static char *folder;

static int setup(void **state) {
  (void)state;
  folder = temp_make();
  assert_int_equal(program_run(folder, "--quiet init .").code, 0);
  program_write(folder, "sources/demo.yaml", SOURCE);
  program_write(folder, "mappings/demo.yaml", MAPPING("F: female, H: trans_male"));
  program_write(folder, "incoming/one.csv", ROWS);
  assert_int_equal(program_run(folder, "sync").code, 0);
  program_write(folder, "mappings/demo.yaml", MAPPING("F: female, H: male, X: non_conforming"));
  /* From here on there is nothing to pull. */
  char path[512];
  snprintf(path, sizeof path, "%s/incoming/one.csv", folder);
  assert_int_equal(unlink(path), 0);
  snprintf(path, sizeof path, "%s/incoming", folder);
  assert_int_equal(rmdir(path), 0);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  program_forget();
  temp_remove(folder);
  return 0;
}

/* Digests vary with the model and the engine; the rest is asserted whole. */
static void assert_told(const char *text) {
  static const char expected[] = "  quarantine: 2 -> 0 records\n"
                                 "    code_unknown: 2 -> 0\n"
                                 "entity       field   changed  appeared  vanished  times  from        to\n"
                                 "───────────  ──────  ───────  ────────  ────────  ─────  ──────────  ────\n"
                                 "case         (rows)        0         2         0\n"
                                 "involvement  (rows)        0         2         0\n"
                                 "person       (rows)        1         2         0\n"
                                 "person       sex           1         0         0      1  trans_male  male\n";
  assert_says(text, expected);
  assert_says(text, ": 4 records\n");
  assert_says(text, " -> ");
}

static void test_told_before_and_done_without_the_source(void **state) {
  (void)state;
  assert_int_not_equal(program_run(folder, "sync").code, 0);
  struct said said = program_run(folder, "remap --dry-run");
  assert_int_equal(said.code, 0);
  assert_told(said.out);
  assert_says(said.out, "dry run: nothing was written\n");
  said = program_run(folder, "remap");
  assert_int_equal(said.code, 0);
  assert_told(said.out);
  said = program_run(folder, "remap");
  assert_int_equal(said.code, 0);
  assert_says(said.out, "nothing new: the store is as it was\n");
  assert_null(strstr(said.out, "plan"));
}

/* What came since the mapping changed stands beside what came before: that is told until it is mapped again. */
static void test_mixed_mappings_are_told(void **state) {
  (void)state;
  static const char told[] = "- demo: some of its records were mapped before the mapping, a code list or the program "
                             "changed: `puente remap demo`\n";
  assert_null(strstr(program_run(folder, "status").out, told));
  char path[512];
  snprintf(path, sizeof path, "%s/incoming", folder);
  assert_int_equal(mkdir(path, 0700), 0);
  program_write(folder, "incoming/two.csv", "id;victim;name;sex\nD-5;a;Iris;F\n");
  assert_int_equal(program_run(folder, "sync").code, 0);
  assert_says(program_run(folder, "status").out, told);
  assert_says(program_run(folder, "status --json").out, "\"mixed_mappings\": true");
  assert_int_equal(program_run(folder, "remap").code, 0);
  assert_null(strstr(program_run(folder, "status").out, told));
}

static void test_json(void **state) {
  (void)state;
  struct said said = program_run(folder, "remap --dry-run --json");
  json_error_t error;
  json_t *root = json_loads(said.out, 0, &error);
  assert_non_null(root);
  json_t *changes = json_object_get(json_array_get(json_object_get(root, "sources"), 0), "changes");
  assert_int_equal(json_array_size(json_object_get(changes, "entities")), 3);
  assert_int_equal(json_integer_value(json_object_get(json_object_get(changes, "quarantine"), "before")), 2);
  assert_int_equal(json_integer_value(json_object_get(json_object_get(changes, "quarantine"), "after")), 0);
  json_decref(root);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_told_before_and_done_without_the_source, setup, teardown),
      cmocka_unit_test_setup_teardown(test_mixed_mappings_are_told, setup, teardown),
      cmocka_unit_test_setup_teardown(test_json, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
