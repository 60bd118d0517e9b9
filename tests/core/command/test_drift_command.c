/* `puente drift`: which fields changed, and that a person accepts it: told to status, to the log, and to later passes.
 */
#include "core/store/watch.h"
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

static char *folder;

/* Six denuncias of a day, without the columns that are named. */
static void write_day(int day, const char *head, const char *rest) {
  char name[32], text[1024];
  size_t used = (size_t)snprintf(text, sizeof text, "%s\n", head);
  for (int i = 0; i < 6; i++) {
    used += (size_t)snprintf(text + used, sizeof text - used, "D-%d-%d;%s\n", day, i, rest);
  }
  snprintf(name, sizeof name, "incoming/day%d.csv", day);
  program_write(folder, name, text);
}

static int setup(void **state) {
  (void)state;
  folder = temp_make();
  assert_int_equal(program_run(folder, "--quiet init .").code, 0);
  program_write(folder, "sources/demo.yaml",
                "source: demo\ninstitution: PE/MP\ncontact: help desk 1234\nunit: denuncia\nconnector: file\n"
                "options: {path: incoming, settle: 0s}\n");
  program_write(folder, "mappings/demo.yaml",
                "source: demo\nformat: csv\ndelimiter: \";\"\ncase:\n  key: id\n  denuncia_number: id\n"
                "  reported_on: date\n  means: means\n");
  shell("mkdir -p %s/incoming", folder);
  write_day(1, "id;date;means", "2024-01-01;force");
  assert_int_equal(program_run(folder, "sync").code, 0);
  write_day(2, "id;date;zone", "2024-01-02;4");
  assert_int_equal(program_run(folder, "sync").code, 0);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  program_forget();
  temp_remove(folder);
  return 0;
}

static void says(const char *arguments, int code, const char *wanted) {
  struct said said = program_run(folder, arguments);
  if (said.code != code || strcmp(code == 0 ? said.out : said.err, wanted) != 0) {
    fail_msg("%s: %d\n%s%s", arguments, said.code, said.out, said.err);
  }
}

static void has(const char *arguments, const char *part, bool wanted) {
  struct said said = program_run(folder, arguments);
  if ((strstr(said.out, part) != NULL) != wanted) {
    fail_msg("%s: \"%s\" is %s:\n%s%s", arguments, part, wanted ? "missing" : "there", said.out, said.err);
  }
}

static void logged(const char *wanted) {
  int code = 0;
  char *text = shell_output(&code,
                            "sqlite3 %s/puente.db \"SELECT actor, source, purpose, body FROM audit_log WHERE event = "
                            "'drift' ORDER BY sequence\"",
                            folder);
  assert_string_equal(text, wanted);
  free(text);
}

static void lists_what_changed(void **state) {
  (void)state;
  has("drift list demo", "means", true);
  has("drift", "where it may stay so:\n`puente drift accept SOURCE [FIELD] --reason TEXT`", true);
  has("--json drift list", "\"source\": \"demo\", \"field\": \"means\", \"kind\": \"missing\"", true);
  has("--json drift list", "\"field\": \"zone\", \"kind\": \"new\"", true);
  has("status", "demo    CHANGED", true);
  has("status", "where it may stay so: `puente drift accept demo --reason TEXT`", true);
  says("drift list other", 2, "error: there is no source \"other\"\n");
}

static void is_refused_without_grounds(void **state) {
  (void)state;
  says("drift accept demo", 2, "error: a reason is needed: --reason TEXT\n");
  says("drift accept other --reason letter", 2, "error: there is no source \"other\"\n");
  says("drift accept demo sex --reason letter", 1,
       "error: no finding stands about the field \"sex\"\n  at: source demo\n  hint: `puente drift list` shows those "
       "that do\n");
  assert_int_equal(program_run(folder, "drift accept").code, 2);
  assert_int_equal(program_run(folder, "drift reject demo").code, 2);
  int code = 0;
  char *said =
      shell_output(&code,
                   "LANGUAGE=en PUENTE_ACTOR=root %s/puente --config %s/puente.yaml drift accept demo --reason "
                   "letter 2>&1",
                   build_folder(), folder);
  assert_non_null(strstr(said, "'root' is an account that several persons may use"));
  assert_int_not_equal(code, 0);
  free(said);
  has("drift list demo", "means", true);
  logged("");
}

/* One field alone: the source stays `changed` by the other, until that is accepted as well. */
static void goes_field_by_field(void **state) {
  (void)state;
  says("drift accept demo zone --reason 'letter 12'", 0, "accepted: 1; later passes are compared with this\n");
  has("drift list demo", "zone", false);
  has("status", "demo    CHANGED", true);
  says("--json drift accept demo means --reason 'letter 12'", 0, "{\"accepted\": 1}\n");
  has("status", "demo    ok", true);
  says("drift list", 0, "no field of a source has changed\n");
  logged("tester|demo|letter 12|{\"findings\":[{\"field\":\"zone\",\"kind\":\"new\"}]}\n"
         "tester|demo|letter 12|{\"findings\":[{\"field\":\"means\",\"kind\":\"missing\"}]}\n");
  has("audit verify", "audit ok:", true);
}

/* What was accepted is not found again; what was before is. */
static void is_what_later_passes_are_compared_with(void **state) {
  (void)state;
  says("drift accept demo --reason 'letter 12'", 0, "accepted: 2; later passes are compared with this\n");
  write_day(3, "id;date;zone", "2024-01-03;4");
  assert_int_equal(program_run(folder, "sync").code, 0);
  says("drift list", 0, "no field of a source has changed\n");
  has("status", "demo    ok", true);
  write_day(4, "id;zone", "4");
  assert_int_equal(program_run(folder, "sync").code, 0);
  has("drift list", "date", true);
  has("status", "demo    CHANGED", true);
}

/* Nothing is accepted under the hands of a pass that looks at the fields. */
static void waits_for_the_source(void **state) {
  (void)state;
  struct store *store;
  struct error error;
  char path[400], key_path[400];
  snprintf(path, sizeof path, "%s/puente.db", folder);
  snprintf(key_path, sizeof key_path, "%s/puente.key", folder);
  struct key *key;
  struct model *model;
  assert_int_equal(key_load(key_path, &key, &error), OK);
  assert_int_equal(model_load("config/model", &model, &error), OK);
  const struct store_options options = {.kind = STORE_SQLITE, .path = path, .model = model, .key = key};
  assert_int_equal(store_open(&options, &store, &error), OK);
  assert_int_equal(store_hold(store, "sync:demo", &error), OK);
  struct said said = program_run(folder, "drift accept demo --reason letter");
  assert_int_equal(said.code, 1);
  assert_non_null(strstr(said.err, "the source is being"));
  store_close(store);
  key_free(key);
  model_free(model);
  says("drift accept demo --reason letter", 0, "accepted: 2; later passes are compared with this\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(lists_what_changed, setup, teardown),
      cmocka_unit_test_setup_teardown(is_refused_without_grounds, setup, teardown),
      cmocka_unit_test_setup_teardown(goes_field_by_field, setup, teardown),
      cmocka_unit_test_setup_teardown(is_what_later_passes_are_compared_with, setup, teardown),
      cmocka_unit_test_setup_teardown(waits_for_the_source, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
