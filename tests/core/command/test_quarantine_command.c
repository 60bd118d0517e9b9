/* Quarantine as a workplace: what is set aside and since when, where it fails, what a retry frees, what may rest. */
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

#include <cmocka.h>

static const char CSV[] = "source: demo\nformat: csv\ndelimiter: \";\"\n"
                          "case:\n  key: id\n  denuncia_number: id\n"
                          "  reported_on: {from: date, date: \"%d/%m/%Y\", else: quarantine}\n"
                          "person:\n  key: [id, victim]\n  role: victim\n"
                          "  sex: {from: sex, values: {F: female}, else: quarantine}\n";
static const char MENDED[] = "source: demo\nformat: csv\ndelimiter: \";\"\n"
                             "case:\n  key: id\n  denuncia_number: id\n"
                             "  reported_on: {from: date, date: \"%d/%m/%Y\", else: quarantine}\n"
                             "person:\n  key: [id, victim]\n  role: victim\n"
                             "  sex: {from: sex, values: {F: female, H: male}, else: quarantine}\n";
/* D-2 and D-6: the date; D-3: the code; D-4: both; D-5 and D-1 are fine. */
static const char ROWS[] = "id;victim;date;sex\nD-1;a;01/02/2024;F\nD-2;a;32/13/2024;F\nD-3;a;02/02/2024;H\n"
                           "D-4;a;33/13/2024;H\nD-5;a;02/02/2024;F\nD-6;a;34/13/2024;F\n";

static char *folder;

static int setup(void **state) {
  (void)state;
  folder = temp_make();
  assert_int_equal(program_run(folder, "--quiet init .").code, 0);
  program_write(folder, "sources/demo.yaml",
                "source: demo\ninstitution: PE/MP\ncontact: help desk 1234\nunit: denuncia\nconnector: file\n"
                "options: {path: incoming, settle: 0s}\n");
  program_write(folder, "mappings/demo.yaml", CSV);
  program_write(folder, "incoming/one.csv", ROWS);
  assert_int_equal(program_run(folder, "sync").code, 0);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  program_forget();
  temp_remove(folder);
  return 0;
}

static json_t *said_json(const char *arguments) {
  struct said said = program_run(folder, arguments);
  json_error_t error;
  assert_int_equal(said.code, 0);
  json_t *root = json_loads(said.out, 0, &error);
  if (root == NULL) {
    fail_msg("%s: %s in:\n%s", arguments, error.text, said.out);
  }
  return root;
}

static const char *text_in(const json_t *object, const char *name) {
  const char *text = json_string_value(json_object_get(object, name));
  return text == NULL ? "" : text;
}

static long long number_in(const json_t *object, const char *name) {
  return (long long)json_integer_value(json_object_get(object, name));
}

static void test_list(void **state) {
  (void)state;
  assert_says(program_run(folder, "quarantine list").out, "in all: 4 records, one with several reasons counted once\n"
                                                          "`puente quarantine show EXAMPLE` shows one, masked\n");
  json_t *root = said_json("quarantine list --json");
  assert_int_equal(json_array_size(root), 2);
  json_t *dates = json_array_get(root, 0), *codes = json_array_get(root, 1);
  assert_string_equal(text_in(dates, "source"), "demo");
  assert_string_equal(text_in(dates, "field"), "case.reported_on");
  assert_string_equal(text_in(dates, "reason"), "date_impossible");
  assert_string_equal(text_in(dates, "hint"), "there is no such day: correct it at the source");
  assert_int_equal(number_in(dates, "records"), 3);
  assert_int_equal(number_in(dates, "new_7_days"), 3);
  assert_int_equal(strlen(text_in(dates, "since")), 10);
  assert_int_equal(number_in(codes, "records"), 2);
  json_decref(root);
}

/* A reason's own hint is told in the language of who reads. */
static void test_hints_in_the_readers_language(void **state) {
  (void)state;
  json_t *root = said_json("--lang es quarantine list --json");
  assert_string_equal(text_in(json_array_get(root, 0), "hint"), "no existe ese día: corríjalo en la fuente");
  json_decref(root);
  program_write(folder, "incoming/two.csv", "id;victim;date;sex\nD-7;a;35/13/2024;F\n");
  assert_int_equal(program_run(folder, "--lang es sync").code, 0);
  assert_says(program_run(folder, "quarantine show demo:D-7").out,
              "hint: there is no such day: correct it at the source");
}

static void test_retry_of_one_record(void **state) {
  (void)state;
  program_write(folder, "mappings/demo.yaml", MENDED);
  struct said said = program_run(folder, "quarantine retry demo:D-4");
  assert_int_equal(said.code, 0);
  assert_says(said.out, "  quarantine: 1 -> 1 records\n    date_impossible: 1 -> 1\n    code_unknown: 1 -> 0\n");
  assert_says(said.out, "freed: 0; still in quarantine: 1\n");
  said = program_run(folder, "quarantine retry demo:D-3 --dry-run");
  assert_says(said.out, "    code_unknown: 1 -> 0\n");
  json_t *root = said_json("quarantine list --json");
  assert_int_equal(number_in(json_array_get(root, 1), "records"), 1);
  json_decref(root);
  said = program_run(folder, "quarantine retry demo:D-3");
  assert_says(said.out, "freed: 1; still in quarantine: 0\n");
  said = program_run(folder, "quarantine retry demo:D-3");
  assert_int_equal(said.code, 1);
  assert_string_equal(said.err, "error: this record is not in quarantine, or its source is not declared\n"
                                "  hint: `puente quarantine list` shows what is\n");
  said = program_run(folder, "quarantine retry demo");
  assert_says(said.out, "  quarantine: 3 -> 3 records\n    date_impossible: 3 -> 3\n");
  assert_says(said.out, "freed: 0; still in quarantine: 3\n");
}

static void test_dismiss(void **state) {
  (void)state;
  struct said said = program_run(folder, "quarantine dismiss demo:D-2");
  assert_int_equal(said.code, 2);
  assert_says(said.err, "a reason is needed: --reason TEXT");
  said = program_run(folder, "quarantine dismiss demo:D-2 --because date_impossible --reason x");
  assert_int_equal(said.code, 2);
  assert_says(said.err, "name records, or --source SOURCE and --because REASON_CODE");
  said = program_run(folder, "quarantine dismiss --source demo --because date_imposible --reason 'typed wrong'");
  assert_int_equal(said.code, 1);
  assert_says(said.err, "no record of demo is in quarantine with the reason \"date_imposible\"\n"
                        "  hint: `puente quarantine list` shows what is\n");
  said = program_run(folder, "quarantine dismiss --source demo --because date_impossible --reason 'typed wrong'");
  assert_int_equal(said.code, 0);
  assert_string_equal(said.out, "dismissed: 2; what changes at the source is looked at again\n"
                                "left in quarantine, for they have other reasons too: 1\n");
  said = program_run(folder, "quarantine dismiss demo:D-3 demo:D-4 --reason 'seen with the office'");
  assert_string_equal(said.out, "dismissed: 2; what changes at the source is looked at again\n");
  assert_string_equal(program_run(folder, "quarantine list").out, "nothing is in quarantine\n");
  said = program_run(folder, "quarantine dismiss demo:D-3 --reason again");
  assert_int_equal(said.code, 1);
  json_t *root = said_json(
      "query --purpose test --json 'SELECT event, source, actor, purpose, body FROM audit ORDER BY sequence'");
  for (size_t i = json_array_size(root); i-- > 0;) {
    if (strcmp(text_in(json_array_get(root, i), "event"), "dismiss") != 0) {
      json_array_remove(root, i);
    }
  }
  assert_int_equal(json_array_size(root), 2);
  for (size_t i = 0; i < 2; i++) {
    json_t *entry = json_array_get(root, i);
    assert_string_equal(text_in(entry, "source"), "demo");
    assert_string_not_equal(text_in(entry, "actor"), "");
    assert_string_equal(text_in(entry, "purpose"), i == 0 ? "typed wrong" : "seen with the office");
    json_error_t error;
    json_t *body = json_loads(text_in(entry, "body"), 0, &error);
    assert_int_equal(json_array_size(json_object_get(body, "raw_ids")), 2);
    assert_string_equal(text_in(body, "because"), i == 0 ? "date_impossible" : "");
    json_decref(body);
  }
  json_decref(root);
}

/* What was dismissed rests while it stays as it was, and is looked at again when the source changes it. */
static void test_a_dismissed_record_that_changes(void **state) {
  (void)state;
  assert_int_equal(program_run(folder, "quarantine dismiss demo:D-2 demo:D-6 --reason 'typed wrong'").code, 0);
  assert_int_equal(program_run(folder, "sync --full").code, 0);
  assert_int_equal(program_run(folder, "quarantine retry").code, 0);
  json_t *root = said_json("quarantine list --json");
  assert_int_equal(number_in(json_array_get(root, 0), "records"), 2);
  assert_int_equal(number_in(json_array_get(root, 1), "records"), 1);
  json_decref(root);
  program_write(folder, "incoming/one.csv",
                "id;victim;date;sex\nD-1;a;01/02/2024;F\nD-2;a;36/13/2024;F\nD-3;a;02/02/2024;H\n"
                "D-4;a;33/13/2024;H\nD-5;a;02/02/2024;F\nD-6;a;03/02/2024;F\n");
  assert_int_equal(program_run(folder, "sync --full").code, 0);
  root =
      said_json("query --purpose test --json 'SELECT state, count(*) AS n FROM records GROUP BY state ORDER BY state'");
  assert_int_equal(json_array_size(root), 2);
  assert_string_equal(text_in(json_array_get(root, 0), "state"), "mapped");
  assert_int_equal(number_in(json_array_get(root, 0), "n"), 3);
  assert_string_equal(text_in(json_array_get(root, 1), "state"), "quarantined");
  assert_int_equal(number_in(json_array_get(root, 1), "n"), 3);
  json_decref(root);
}

static void test_show_marks_the_place(void **state) {
  (void)state;
  static const struct {
    const char *code, *file, *bytes, *head, *marked;
  } formats[] = {
      {"tables", "incoming/tables/a.csv", "id;date\nD-1;32/13/2024\n", "format: csv\ndelimiter: \";\"\n",
       "  date: 99/99/9999   <== date_impossible\n"},
      {"objects", "incoming/objects/a.json", "[{\"id\":\"D-1\",\"filed\":{\"date\":\"32/13/2024\"}}]", "format: json\n",
       "    date: 99/99/9999   <== date_impossible\n"},
      {"elements", "incoming/elements/a.xml",
       "<all><one><id>D-1</id><filed><date>32/13/2024</date></filed></one></all>", "format: xml\nrecord: /all/one\n",
       "    date: 99/99/9999   <== date_impossible\n"},
  };
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    char name[64], text[512];
    snprintf(name, sizeof name, "sources/%s.yaml", formats[i].code);
    snprintf(text, sizeof text,
             "source: %s\ninstitution: PE/MP\ncontact: help desk 1234\nunit: denuncia\nconnector: file\n"
             "options: {path: %s, settle: 0s}\n",
             formats[i].code, formats[i].file);
    program_write(folder, name, text);
    snprintf(name, sizeof name, "mappings/%s.yaml", formats[i].code);
    snprintf(text, sizeof text,
             "source: %s\n%scase:\n  key: id\n  reported_on: {from: %s, date: \"%%d/%%m/%%Y\", else: quarantine}\n",
             formats[i].code, formats[i].head, i == 0 ? "date" : "filed/date");
    program_write(folder, name, text);
    snprintf(text, sizeof text, "%s/incoming/%s", folder, formats[i].code);
    assert_int_equal(mkdir(text, 0755), 0);
    program_write(folder, formats[i].file, formats[i].bytes);
    snprintf(text, sizeof text, "sync %s", formats[i].code);
    assert_int_equal(program_run(folder, text).code, 0);
    snprintf(text, sizeof text, "quarantine show %s:D-1", formats[i].code);
    struct said said = program_run(folder, text);
    assert_int_equal(said.code, 0);
    assert_says(said.out, formats[i].marked);
    assert_null(strstr(strstr(said.out, "<==") + 3, "<=="));
    assert_silent(said.out, "32/13");
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_list),    TEST(test_hints_in_the_readers_language),   TEST(test_retry_of_one_record),
      TEST(test_dismiss), TEST(test_a_dismissed_record_that_changes), TEST(test_show_marks_the_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
