/* Changes of what steers the program are in the log: which file, by whom, digests before and after, and nothing else.
 */
#include "core/base/digest.h"
#include "tests/support/program.h"
#include "tests/support/temp.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char SOURCE[] = "source: demo\ninstitution: PE/MP\nunit: denuncia\nconnector: file\n"
                             "options: {path: incoming, settle: 0s}\n";
static const char MAPPING[] = "source: demo\nformat: csv\ncase:\n  key: id\n  denuncia_number: id\n";
static char *folder;

static int setup(void **state) {
  (void)state;
  folder = temp_make();
  assert_int_equal(program_run(folder, "--quiet init .").code, 0);
  program_write(folder, "sources/demo.yaml", SOURCE);
  program_write(folder, "mappings/demo.yaml", MAPPING);
  program_write(folder, "incoming/one.csv", "id\nD-1\nD-2\n");
  assert_int_equal(program_run(folder, "sync").code, 0);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  program_forget();
  temp_remove(folder);
  return 0;
}

/* Entries of an event, in the order of the log; the body parsed under "what". */
static json_t *entries(const char *event) {
  char line[128];
  snprintf(line, sizeof line, "--json audit list --event %s", event);
  struct said said = program_run(folder, line);
  assert_int_equal(said.code, 0);
  json_t *list = json_loads(said.out, 0, NULL), *entry;
  size_t i;
  json_array_foreach(list, i, entry) {
    const char *body = json_string_value(json_object_get(entry, "body"));
    json_t *what = json_loads(body, 0, NULL);
    char *canonical = json_dumps(what, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(body, canonical);
    free(canonical);
    json_object_set_new(entry, "what", what);
  }
  return list;
}

static const char *text_in(const json_t *object, const char *name) {
  const char *text = json_string_value(json_object_get(object, name));
  return text == NULL ? "" : text;
}

static void digest_text(const char *name, char hex[2 * SHA256_SIZE + 1]) {
  char *text = program_read(folder, name);
  struct sha256 digest = sha256_of(slice_of(text));
  hex_format(digest.bytes, SHA256_SIZE, hex);
  free(text);
}

static json_t *files_of(json_t *list, size_t i) {
  return json_object_get(json_object_get(json_array_get(list, i), "what"), "files");
}

static void test_each_change_once(void **state) {
  (void)state;
  char before[2 * SHA256_SIZE + 1], after[2 * SHA256_SIZE + 1], text[4096];
  json_t *list = entries("config");
  assert_int_equal(json_array_size(list), 1); /* the first writing command */
  digest_text("sources/demo.yaml", before);
  assert_string_equal(text_in(json_object_get(files_of(list, 0), "sources/demo.yaml"), "after"), before);
  assert_true(json_is_null(json_object_get(json_object_get(files_of(list, 0), "puente.yaml"), "before")));
  assert_string_equal(text_in(json_array_get(list, 0), "actor"), "tester");
  json_decref(list);
  assert_int_equal(program_run(folder, "sync").code, 0); /* nothing changed */
  snprintf(text, sizeof text, "%stitle: another\n", SOURCE);
  program_write(folder, "sources/demo.yaml", text);
  assert_int_equal(program_run(folder, "status").code, 0); /* reads alone */
  list = entries("config");
  assert_int_equal(json_array_size(list), 1);
  json_decref(list);
  assert_int_equal(program_run_as(folder, "eva", "sync").code, 0);
  digest_text("sources/demo.yaml", after);
  list = entries("config");
  assert_int_equal(json_array_size(list), 2);
  assert_int_equal(json_object_size(files_of(list, 1)), 1); /* the one that changed */
  const json_t *change = json_object_get(files_of(list, 1), "sources/demo.yaml");
  assert_string_equal(text_in(change, "before"), before);
  assert_string_equal(text_in(change, "after"), after);
  assert_string_equal(text_in(json_array_get(list, 1), "actor"), "eva");
  json_decref(list);
}

static void test_files_that_come_and_go(void **state) {
  (void)state;
  char path[512];
  snprintf(path, sizeof path, "%s/codelists", folder);
  assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
  program_write(folder, "codelists/extra.yaml",
                "list: extra\nlabel: {en: Extra, es: Extra}\ncodes:\n  a: {en: A, es: A}\n");
  assert_int_equal(program_run(folder, "sync").code, 0);
  snprintf(path, sizeof path, "%s/codelists/extra.yaml", folder);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(program_run(folder, "sync").code, 0);
  json_t *list = entries("config");
  assert_int_equal(json_array_size(list), 3);
  assert_true(json_is_null(json_object_get(json_object_get(files_of(list, 1), "codelists/extra.yaml"), "before")));
  assert_true(json_is_null(json_object_get(json_object_get(files_of(list, 2), "codelists/extra.yaml"), "after")));
  json_decref(list);
}

/* The key and the files of secrets are no configuration, and no path outside tells where somebody's home is. */
static void test_no_secret(void **state) {
  (void)state;
  json_t *list = entries("config");
  assert_null(json_object_get(files_of(list, 0), "puente.key"));
  char *text = json_dumps(list, 0);
  assert_null(strstr(text, folder));
  free(text);
  json_decref(list);
}

static void test_versions_of_a_mapping(void **state) {
  (void)state;
  json_t *list = entries("plan");
  assert_int_equal(json_array_size(list), 1);
  char first[80];
  snprintf(first, sizeof first, "%s", text_in(json_object_get(json_array_get(list, 0), "what"), "plan"));
  json_decref(list);
  assert_int_equal(strlen(first), 64);
  program_write(folder, "mappings/demo.yaml",
                "source: demo\nformat: csv\ncase:\n  key: id\n  denuncia_number: {from: id, clean: name}\n");
  assert_int_equal(program_run_as(folder, "eva", "remap").code, 0);
  program_write(folder, "mappings/demo.yaml", MAPPING);
  assert_int_equal(program_run_as(folder, "ana", "remap").code, 0); /* known already */
  list = entries("plan");
  assert_int_equal(json_array_size(list), 2);
  const json_t *entry = json_array_get(list, 1);
  assert_string_equal(text_in(entry, "actor"), "eva");
  assert_string_equal(text_in(entry, "source"), "demo");
  assert_string_not_equal(text_in(json_object_get(entry, "what"), "plan"), first);
  json_decref(list);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_each_change_once, setup, teardown),
      cmocka_unit_test_setup_teardown(test_files_that_come_and_go, setup, teardown),
      cmocka_unit_test_setup_teardown(test_no_secret, setup, teardown),
      cmocka_unit_test_setup_teardown(test_versions_of_a_mapping, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
