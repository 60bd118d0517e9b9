/* `puente explain` on two small sources: the whole of what it prints, masked and revealed, and what the log keeps. */
#include "core/base/file.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static char *folder;

static void put(const char *name, const char *text) {
  char path[512];
  struct error error;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  if (file_write(path, slice_of(text), 0600, &error) != OK) {
    fail_msg("%s at %s", error.message, error.place);
  }
}

static const char mapping[] = "format: json\n"
                              "case:\n"
                              "  key: id\n"
                              "  denuncia_number: den\n"
                              "  reported_on: {from: fec, date: \"%d/%m/%Y\"}\n"
                              "person:\n"
                              "  key: id\n"
                              "  role: victim\n"
                              "  given_names: {from: nom, clean: name}\n"
                              "  paternal_surname: {from: ape, clean: name}\n"
                              "  document_number: doc\n"
                              "  birth_date: {from: nac, date: \"%Y-%m-%d\"}\n";

static void put_source(const char *code, const char *institution, const char *more) {
  char name[64];
  char text[2048];
  snprintf(name, sizeof name, "sources/%s.yaml", code);
  snprintf(text, sizeof text,
           "source: %s\ntitle: %s\ninstitution: %s\nunit: denuncia\nconnector: file\n"
           "options:\n  path: %s.json\n  settle: 0s\nmapping: mappings/%s.yaml\n",
           code, code, institution, code, code);
  put(name, text);
  snprintf(name, sizeof name, "mappings/%s.yaml", code);
  snprintf(text, sizeof text, "source: %s\n%s%s", code, mapping, more);
  put(name, text);
}

static int make(void **state) {
  (void)state;
  setenv("LANGUAGE", "en", 1);
  folder = temp_make();
  shell("mkdir %s/sources %s/mappings", folder, folder);
  put("puente.yaml", "name: two\nstore: {sqlite: puente.db}\n");
  workspace_key(folder);
  put_source("alpha", "PE/MP", "");
  put_source("beta", "PE/PNP", "");
  put("alpha.json", "{\"id\":\"A1\",\"den\":\"D-7\",\"fec\":\"31/03/2019\",\"nom\":\"Rosa\",\"ape\":\"Quispe\","
                    "\"doc\":\"10117410\",\"nac\":\"2001-02-03\"}\n");
  put("beta.json", "{\"id\":\"B1\",\"den\":\"D-007\",\"fec\":\"01/04/2019\",\"nom\":\"Roza\",\"ape\":\"Quispe\","
                   "\"doc\":\"10117410\",\"nac\":\"2001-02-03\"}\n");
  assert_int_equal(workspace_run(folder, "--quiet sync", NULL), 0);
  assert_int_equal(workspace_run(folder, "--quiet link", NULL), 0);
  return 0;
}

static int discard(void **state) {
  (void)state;
  temp_remove(folder);
  return 0;
}

/* The output without the digests of plans, which change with every code list, and the weights of pairs, which change
 * with every model. */
static char *explain(const char *arguments, int exit_code) {
  char line[512];
  char *output = NULL;
  snprintf(line, sizeof line, "explain %s 2>&1", arguments);
  assert_int_equal(workspace_run(folder, line, &output), exit_code);
  for (char *at = output; (at = strstr(at, "plan ")) != NULL;) {
    at += 5;
    size_t digits = strspn(at, "0123456789abcdef");
    if (digits == 12) {
      memmove(at + 1, at + 12, strlen(at + 12) + 1);
      *at = '#';
    }
  }
  for (char *at = output; (at = strstr(at, "  weight ")) != NULL;) {
    at += strlen("  weight ");
    size_t digits = strspn(at, "-0123456789.");
    if (digits > 0) {
      memmove(at + 1, at + digits, strlen(at + digits) + 1);
      *at = '#';
    }
  }
  return output;
}

static void assert_explained(const char *arguments, int exit_code, const char *wanted) {
  char *output = explain(arguments, exit_code);
  assert_string_equal(output, wanted);
  free(output);
}

#define ROW_A "4503599628812289"
#define ROW_B "9007199256182785"

static void a_person_is_explained_by_shapes(void **state) {
  (void)state;
  assert_explained(
      "person 1", 0,
      "person 1\n"
      "2 records are joined in it:\n"
      "  alpha      PE/MP    record 4294967297  key A1  row " ROW_A "  mapped by plan #\n"
      "  beta       PE/PNP   record 8589934593  key B1  row " ROW_B "  mapped by plan #\n"
      "its values, each with where it comes from and why it survived:\n"
      "  Given names: AAAA   (alpha, record 4294967297, by frequent)\n"
      "      but beta says AAAA (record 8589934593)\n"
      "  First surname: AAAA   (alpha, record 4294967297, by frequent)\n"
      "  Document number: 99999999   (alpha, record 4294967297, by frequent)\n"
      "  Birth date: 9999-99-99   (alpha, record 4294967297, by frequent)\n"
      "its pairs, with one another and with others (`puente explain pair ROW ROW` shows what was compared):\n"
      "  " ROW_A " " ROW_B "  weight #  joined (rule: equal document and names), proposed by document\n"
      "its history:\n"
      "  run 3: row " ROW_A " joined\n"
      "  run 3: row " ROW_B " joined\n");
}

static void a_record_is_recomputed(void **state) {
  (void)state;
  assert_explained("record beta:B1", 0,
                   "record 8589934593 of beta (PE/PNP)\n"
                   "  version 9007199255789569: mapped, landed by run 2, 108 bytes, plan #\n"
                   "    from beta.json, in chunk 8589934593 at byte 0\n"
                   "  made the case B1 (row 9007199255855105)\n"
                   "  made the involvement B1/B1/victim (row 9007199256051713)\n"
                   "  made the person B1 (row " ROW_B ")\n"
                   "recomputed from the landed bytes with plan #: the same rows\n"
                   "bytes, outcome and rows are those that entry 6 of the log covers\n"
                   "  case B1\n"
                   "    denuncia_number: AAAA-999  <-  AAAA-999 from den, mapping line 5\n"
                   "    reported_on: 2019-04-01  <-  01/04/2019 from fec, by date %d/%m/%Y, mapping line 6\n"
                   "  person B1\n"
                   "    given_names: AAAA  <-  Aaaa from nom, by clean name, mapping line 10\n"
                   "    paternal_surname: AAAA  <-  Aaaa from ape, by clean name, mapping line 11\n"
                   "    document_number: 99999999  <-  99999999 from doc, mapping line 12\n"
                   "    birth_date: 9999-99-99  <-  9999-99-99 from nac, by date %Y-%m-%d, mapping line 13\n"
                   "  involvement B1\n"
                   "    role: victim  <-  the mapping itself, by value victim, mapping line 9\n");
}

/* The key as `explain person` prints it, without its source. */
static void a_key_alone_names_a_record(void **state) {
  (void)state;
  char *output = explain("record B1", 0);
  assert_int_equal(strncmp(output, "record 8589934593 of beta (PE/PNP)\n", 35), 0);
  free(output);
}

static void a_pair_names_its_rules_and_weights(void **state) {
  (void)state;
  char *output = explain("pair " ROW_A " " ROW_B, 0);
  assert_non_null(strstr(output, "rows " ROW_A " and " ROW_B " are one person\n"
                                 "blocking rule that proposes them: document\n"
                                 "rule above weights that decides: equal document and names\n"
                                 "    document: same   - | -, 99999999 | 99999999\n"
                                 "    surnames: both_exact   AAAA | AAAA, - | -\n"
                                 "    given: fuzzy   AAAA | AAAA"));
  assert_non_null(strstr(output, "    birth: full   9999-99-99 | 9999-99-99\n"));
  assert_non_null(strstr(output, "before anything is compared"));
  assert_null(strstr(output, "ROSA"));
  free(output);
}

static void revealing_needs_a_purpose_and_is_logged(void **state) {
  (void)state;
  char *body = explain("case 1", 0);
  assert_non_null(strstr(body, "Complaint number: AAAA-9   (alpha"));
  free(body);
  assert_explained("person 1 --reveal", 2,
                   "error: a purpose is needed to reveal values\n"
                   "  hint: --reveal --purpose \"why you have to see them\": the log records it\n");
  assert_int_equal(workspace_number(folder, "SELECT count(*) FROM audit WHERE event = 'reveal'"), 0);
  char *output = explain("pair " ROW_A " " ROW_B " --reveal --purpose 'review of a complaint'", 0);
  assert_non_null(strstr(output, "given: fuzzy   ROSA | ROZA, "));
  free(output);
  output = explain("person 1 --reveal --purpose 'review of a complaint'", 0);
  assert_non_null(strstr(output, "Given names: ROSA   (alpha"));
  assert_non_null(strstr(output, "but beta says ROZA (record"));
  free(output);
  output = explain("record beta:B1 --reveal --purpose 'review of a complaint'", 0);
  assert_non_null(strstr(output, "given_names: ROZA  <-  Roza from nom"));
  free(output);
  char *rows = workspace_rows(folder, "SELECT purpose, body FROM audit WHERE event = 'reveal' ORDER BY sequence");
  assert_string_equal(rows, "review of a complaint|{\"rows\":[" ROW_A "," ROW_B "]}\n"
                            "review of a complaint|{\"person_id\":1}\n"
                            "review of a complaint|{\"record_id\":8589934593}\n");
  free(rows);
}

static void programs_read_json(void **state) {
  (void)state;
  char *output = NULL;
  assert_int_equal(workspace_run(folder, "--json explain person 1", &output), 0);
  json_t *answer = json_loads(output, 0, NULL);
  assert_non_null(answer);
  assert_int_equal(json_integer_value(json_object_get(answer, "id")), 1);
  assert_int_equal(json_array_size(json_object_get(answer, "members")), 2);
  assert_int_equal(json_array_size(json_object_get(answer, "values")), 4);
  assert_null(strstr(output, "ROSA"));
  assert_null(strstr(output, "10117410"));
  json_decref(answer);
  free(output);
}

static void what_is_not_there_is_told(void **state) {
  (void)state;
  assert_explained(
      "person 99", 1,
      "error: there is no person 99\n"
      "  hint: numbers are those of `puente query --purpose TEXT \"SELECT * FROM persons\"`, or of cases\n");
  assert_explained("person Rosa", 2, "error: \"Rosa\" is no number\n");
  assert_explained("record alpha:A9", 1,
                   "error: no record has this name\n"
                   "  hint: give SOURCE:KEY as the source writes the key, or the record's number\n");
  assert_explained("pair " ROW_A " 7", 1,
                   "error: a row belongs to no person and to no case\n"
                   "  hint: `puente explain person ID` lists rows; new ones need `puente link`\n");
  assert_explained("people 1", 2,
                   "error: what is to be explained?\n"
                   "  hint: person ID, case ID, record SOURCE:KEY, pair ROW ROW, or figure INDICATOR\n");
}

static void a_row_that_was_changed_is_told(void **state) {
  (void)state;
  char *output = NULL;
  shell("sqlite3 %s/puente.db \"UPDATE st_case SET denuncia_number = denuncia_number || 'x'\"", folder);
  assert_int_equal(workspace_run(folder, "explain record beta:B1", &output), 0);
  assert_non_null(strstr(output, ": OTHER rows than are staged\n"));
  assert_non_null(strstr(output, "NOT what the log says: "));
  free(output);
  shell("sqlite3 %s/puente.db \"UPDATE st_case SET denuncia_number = rtrim(denuncia_number, 'x')\"", folder);
  assert_int_equal(workspace_run(folder, "explain record beta:B1", &output), 0);
  assert_non_null(strstr(output, ": the same rows\n"));
  free(output);
}

/* Changes the workspace: last. */
static void the_uncertainty_of_a_figure_is_told(void **state) {
  (void)state;
  char *output = NULL;
  assert_int_equal(workspace_run(folder, "report crosstab --exact --purpose test", &output), 0);
  assert_non_null(strstr(output,
                         "Total: 1 persons of 2 records; 1 if all waiting pairs (0) were accepted; records that "
                         "cannot be linked: 0\n"));
  free(output);
  assert_int_equal(workspace_run(folder, "--json report crosstab --by year --exact --purpose test", &output), 0);
  assert_non_null(strstr(output, "\"victims\": 1, \"victims_least\": 1, \"victims_records\": 2, "
                                 "\"victims_unlinkable\": 0}"));
  free(output);
  assert_int_equal(workspace_run(folder, "status", &output), 0);
  assert_non_null(strstr(output, "  persons: 1 of 2 records; 1 if all waiting pairs (0) were accepted; records that "
                                 "cannot be linked: 0\n"));
  free(output);
  assert_int_equal(workspace_run(folder, "--json status", &output), 0);
  json_t *root = json_loads(output, 0, NULL);
  const json_t *persons = json_object_get(json_object_get(root, "linkage"), "persons");
  assert_int_equal(json_integer_value(json_object_get(persons, "records")), 2);
  assert_int_equal(json_integer_value(json_object_get(persons, "least")), 1);
  json_decref(root);
  free(output);
  assert_int_equal(workspace_run(folder, "report linkage", &output), 0);
  assert_non_null(strstr(output, "Andean"));
  assert_null(strstr(output, "uispe"));
  free(output);
}

static void a_changed_mapping_and_a_merge_are_told(void **state) {
  (void)state;
  put_source("beta", "PE/PNP", "  sex: sexo\n");
  char *output = explain("record beta:B1", 0);
  assert_non_null(strstr(output, "recomputed from the landed bytes with plan #: the same rows\n"
                                 "bytes, outcome and rows are those that entry 6 of the log covers\n"
                                 "the mapping has changed since; `puente remap` would apply it to this record\n"));
  free(output);
  put("beta.json", "{\"id\":\"B2\",\"nom\":\"Luz\",\"ape\":\"Rojas\",\"nac\":\"1990-02-03\"}\n"
                   "{\"id\":\"B3\",\"nom\":\"Luz\",\"ape\":\"Rojas\",\"doc\":\"20456781\"}\n");
  assert_int_equal(workspace_run(folder, "--quiet run", NULL), 0);
  put("beta.json", "{\"id\":\"B4\",\"nom\":\"Luz\",\"ape\":\"Rojas\",\"doc\":\"20456781\",\"nac\":\"1990-02-03\"}\n");
  assert_int_equal(workspace_run(folder, "--quiet run", NULL), 0);
  output = explain("person 3", 0);
  assert_int_equal(strncmp(output, "person 3\nit was merged into 2\nits history:\n  run ", 48), 0);
  assert_non_null(strstr(output, " left\n"));
  assert_non_null(strstr(output, ": it was merged into 2\n"));
  free(output);
  output = explain("person 2", 0);
  assert_non_null(strstr(output, ": 3 was merged into it\n"));
  free(output);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_person_is_explained_by_shapes),
      cmocka_unit_test(a_record_is_recomputed),
      cmocka_unit_test(a_key_alone_names_a_record),
      cmocka_unit_test(a_pair_names_its_rules_and_weights),
      cmocka_unit_test(revealing_needs_a_purpose_and_is_logged),
      cmocka_unit_test(programs_read_json),
      cmocka_unit_test(what_is_not_there_is_told),
      cmocka_unit_test(a_row_that_was_changed_is_told),
      cmocka_unit_test(the_uncertainty_of_a_figure_is_told),
      cmocka_unit_test(a_changed_mapping_and_a_merge_are_told),
  };
  return cmocka_run_group_tests(tests, make, discard);
}
