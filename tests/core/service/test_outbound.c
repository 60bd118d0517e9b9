/* What leaves by `puente export`: HTCDS against the published list of its fields, and pseudonyms by recipient. */
#include "core/service/pseudonym.h"
#include "tests/support/program.h"
#include "tests/support/terms.h"

#include <ctype.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char RETA_MAPPING[] =
    "source: reta\nformat: json\n"
    "case:\n  key: num\n  denuncia_number: num\n  reported_on: date\n  status: status\n  closure_reason: reason\n"
    "person:\n  each: victims\n  key: [../num, doc]\n  role: victim\n  given_names: given\n"
    "  paternal_surname: paternal\n  maternal_surname: maternal\n"
    "  document_type: {value: dni, when: {path: doc, present: true}}\n  document_number: doc\n  birth_date: born\n"
    "  sex: sex\n  education: education\n  marital_status: marital\n  occupation: work\n"
    "  involvement:\n    consent: consent\n    age: age\n    relation: relation\n    purposes: purposes\n"
    "    means: means\n    industry: industry\n    sexual_exploitation: kind\n";
static const char RETA_ROWS[] =
    "{\"num\":\"D-1\",\"date\":\"2022-05-01\",\"status\":\"open\",\"reason\":\"a \\\"quoted\\\", text\",\"victims\":[{"
    "\"doc\":\"45678901\",\"given\":\"ROSA\",\"paternal\":\"QUISPE\",\"maternal\":\"MAMANI\",\"born\":\"2004-02-03\","
    "\"sex\":\"female\",\"education\":\"SECUNDARIA\",\"marital\":\"SOLTERA\",\"work\":\"cocinera\",\"consent\":"
    "\"share\","
    "\"age\":17,\"relation\":\"spouse\",\"purposes\":[\"sexual_exploitation\",\"labour_exploitation\",\"slavery\"],"
    "\"means\":[\"threat\",\"coercion\",\"debt_bondage\"],\"industry\":\"B\",\"kind\":\"prostitution\"}]}\n"
    "{\"num\":\"D-2\",\"date\":\"2022-06\",\"status\":\"closed\",\"victims\":[{\"doc\":\"45678902\",\"given\":\"LUZ\","
    "\"paternal\":\"HUAMAN\",\"maternal\":\"CONDORI\",\"born\":\"1990\",\"sex\":\"female\",\"consent\":\"none\","
    "\"relation\":\"neighbour\",\"purposes\":[\"begging\"]}]}\n";
static const char NGO_ROWS[] =
    "{\"key\":\"N-1\",\"date\":\"2022-05-02\",\"given\":\"ROSA\",\"paternal\":\"QUISPE\",\"maternal\":\"MAMANI\","
    "\"doc\":\"45678901\",\"born\":\"2004-02-03\",\"sex\":\"female\",\"consent\":\"share\"}\n";

static struct terms_ground grounds[2];

static int setup(void **state) {
  struct terms_ground *ground = &grounds[*(int *)*state];
  terms_begin(ground, *(int *)*state == 0 ? NULL : "outbound", NULL);
  program_write(ground->folder, "mappings/reta.yaml", RETA_MAPPING);
  terms_page(ground, "reta", "one", RETA_ROWS);
  terms_page(ground, "ngo", "one", NGO_ROWS);
  terms_run(ground, 0, "run");
  return 0;
}

static int teardown(void **state) {
  terms_end(&grounds[*(int *)*state]);
  return 0;
}

static struct terms_ground *ground_of(void **state) {
  return &grounds[*(int *)*state];
}

/* ---- HTCDS ---- */

enum { FIELDS_MOST = 200 };
static struct htcds { char name[64], type[40], values[2000]; } fields[FIELDS_MOST];
static size_t field_count;

static void read_fields(void) {
  FILE *file = fopen("../shared/data/htcds_2_0_fields.csv", "r");
  char line[4096];
  assert_non_null(file);
  field_count = 0;
  while (fgets(line, sizeof line, file) != NULL && field_count < FIELDS_MOST) {
    struct htcds *field = &fields[field_count++];
    char *at = line, *part;
    memset(field, 0, sizeof *field);
    line[strcspn(line, "\r\n")] = '\0';
    for (int i = 0; (part = strsep(&at, ",")) != NULL; i++) {
      if (i == 3) {
        snprintf(field->name, sizeof field->name, "%s", part);
      } else if (i == 5) {
        snprintf(field->type, sizeof field->type, "%s", part);
      } else if (i == 6) {
        snprintf(field->values, sizeof field->values, "|%s|", part);
      }
    }
  }
  fclose(file);
  assert_true(field_count > 70);
}

static bool is_date(const char *text) {
  static const char shape[] = "9999-99-99";
  size_t i = 0;
  for (; text[i] != '\0' && shape[i] != '\0'; i++) {
    if (shape[i] == '9' ? !isdigit((unsigned char)text[i]) : text[i] != '-') {
      return false;
    }
  }
  return text[i] == '\0' && shape[i] == '\0';
}

/* Whether the standard has the field, and the value is one of its own; `value` is changed. */
static void check_value(const char *name, char *value) {
  size_t at = 0;
  while (at < field_count && strcmp(fields[at].name, name) != 0) {
    at++;
  }
  if (at == field_count) {
    fail_msg("%s is no field of HTCDS 2.0", name);
  }
  const struct htcds *field = &fields[at];
  bool list = strcmp(field->type, "Picklist") == 0 || strcmp(field->type, "Multiselect Picklist") == 0;
  bool fixed = list && strncmp(field->values, "|Use ISO", 8) != 0;
  bool well = true;
  if (fixed) {
    char *rest = value, *word, quoted[100];
    while ((word = strsep(&rest, ";")) != NULL) {
      snprintf(quoted, sizeof quoted, "|%s|", word);
      well = well && strstr(field->values, quoted) != NULL;
    }
  } else if (strcmp(field->type, "Date") == 0) {
    well = is_date(value);
  } else if (strcmp(field->type, "Number") == 0) {
    well = strspn(value, "0123456789") == strlen(value);
  } else if (strcmp(field->type, "Checkbox") == 0) {
    well = strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
  }
  if (!well) {
    fail_msg("%s: '%s' is no %s of HTCDS 2.0", name, value, field->type);
  }
}

static json_t *json_line(const char *text, size_t number) {
  json_error_t error;
  for (; number > 0; number--) {
    text = strchr(text, '\n') + 1;
  }
  json_t *line = json_loads(text, JSON_DISABLE_EOF_CHECK, &error);
  assert_non_null(line);
  return line;
}

static void check_line(json_t *line, size_t *values) {
  const char *name = NULL;
  json_t *value = NULL;
  char text[400];
  json_object_foreach(line, name, value) {
    if (json_is_integer(value)) {
      snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
    } else if (json_is_boolean(value)) {
      snprintf(text, sizeof text, "%s", json_is_true(value) ? "true" : "false");
    } else {
      snprintf(text, sizeof text, "%s", json_is_null(value) ? "" : json_string_value(value));
    }
    if (strcmp(name, "case_id") == 0 || strcmp(name, "person_id") == 0) {
      assert_true(text[0] != '\0');
    } else if (text[0] != '\0') {
      check_value(name, text);
      (*values)++;
    }
  }
}

static void test_htcds(void **state) {
  const struct terms_ground *ground = ground_of(state);
  static const char *const files[] = {"person", "case", "involvement"};
  size_t values = 0;
  read_fields();
  terms_run(ground, 0, "export htcds --format json --purpose test --out h");
  terms_run(ground, 0, "export htcds --purpose test --out h");
  for (size_t i = 0; i < 3; i++) {
    char name[40];
    snprintf(name, sizeof name, "h/%s.jsonl", files[i]);
    char *text = program_read(ground->folder, name);
    for (size_t at = 0; at < (i == 2 ? 3 : 2); at++) {
      json_t *line = json_line(text, at);
      check_line(line, &values);
      json_decref(line);
    }
    free(text);
    /* The CSV's head has the same fields. */
    snprintf(name, sizeof name, "h/%s.csv", files[i]);
    text = program_read(ground->folder, name);
    char *rest = text, *head = strsep(&rest, "\r"), *column;
    while ((column = strsep(&head, ",")) != NULL) {
      if (strcmp(column, "case_id") != 0 && strcmp(column, "person_id") != 0) {
        size_t at = 0;
        while (at < field_count && strcmp(fields[at].name, column) != 0) {
          at++;
        }
        assert_true(at < field_count);
      }
    }
    free(text);
  }
  assert_true(values >= 15);
}

static void test_htcds_values(void **state) {
  const struct terms_ground *ground = ground_of(state);
  terms_run(ground, 0, "export htcds --purpose test --out h");
  char *text = program_read(ground->folder, "h/involvement.csv");
  /* Several codes of ours that are one of theirs are said once; what they have not is "Other". */
  assert_non_null(strstr(text, ",17,Familial,"));
  assert_non_null(strstr(text, ",PhysicalThreats;Other;DebtBondage,"));
  assert_non_null(strstr(text, ",SexualExploitation;Other,B_MiningAndQuarrying,Prostitution,"));
  assert_non_null(strstr(text, ",Acquainted,"));
  free(text);
  text = program_read(ground->folder, "h/person.csv");
  assert_non_null(strstr(text, ",2004-02-03,Feminine,"));
  assert_null(strstr(text, ",1990"));
  assert_null(strstr(text, "QUISPE"));
  assert_null(strstr(text, "4567890"));
  free(text);
  text = program_read(ground->folder, "h/case.csv");
  assert_non_null(strstr(text, ",\"a \"\"quoted\"\", text\""));
  free(text);
}

/* ---- pseudonyms ---- */

/* Every value under `name` in a JSON lines file, one a line. */
static void collect(const struct terms_ground *ground, const char *file, const char *name, char *out, size_t room) {
  char *text = program_read(ground->folder, file), *rest = text, *line;
  size_t len = 0;
  while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
    json_t *row = json_loads(line, 0, NULL);
    const char *value = json_string_value(json_object_get(row, name));
    assert_non_null(value);
    assert_int_equal(strlen(value), PSEUDONYM_SIZE - 1);
    len += (size_t)snprintf(out + len, room - len, "%s\n", value);
    json_decref(row);
  }
  assert_true(len > 0 && len < room);
  free(text);
}

static void test_pseudonyms(void **state) {
  const struct terms_ground *ground = ground_of(state);
  char one[1000], again[1000], other[1000], involved[1000];
  terms_run(ground, 0, "export json --purpose test --for PE/MP --out a");
  terms_run(ground, 0, "export json --purpose test --for PE/MP --out b");
  terms_run(ground, 0, "export json --purpose test --for PE/MIMP --out c");
  collect(ground, "a/person.jsonl", "person_id", one, sizeof one);
  collect(ground, "b/person.jsonl", "person_id", again, sizeof again);
  collect(ground, "c/person.jsonl", "person_id", other, sizeof other);
  collect(ground, "a/involvement.jsonl", "person_id", involved, sizeof involved);
  assert_string_equal(one, again);
  char *rest = other, *id;
  while ((id = strsep(&rest, "\n")) != NULL && id[0] != '\0') {
    assert_null(strstr(one, id));
  }
  /* Who is one person in one file is it in the other. */
  rest = involved;
  while ((id = strsep(&rest, "\n")) != NULL && id[0] != '\0') {
    assert_non_null(strstr(one, id));
  }
  /* Nothing else links: no number of a case, no free text about a person, no id of the store. */
  static const char *const files[] = {"a/person.jsonl", "a/case.jsonl", "a/involvement.jsonl"};
  for (size_t i = 0; i < 3; i++) {
    char *text = program_read(ground->folder, files[i]);
    assert_null(strstr(text, "D-1"));
    assert_null(strstr(text, "cocinera"));
    assert_null(strstr(text, "_id\":1"));
    assert_null(strstr(text, "_id\":2"));
    free(text);
  }
}

static void test_log(void **state) {
  const struct terms_ground *ground = ground_of(state);
  terms_run(ground, 0, "export csv --purpose 'study 7' --for PE/MP --out d");
  const char *out = terms_run(ground, 0, "--json audit list --event export");
  assert_non_null(strstr(out, "study 7"));
  assert_non_null(strstr(out, "PE/MP"));
  terms_run(ground, 0, "audit verify");
  struct said said = program_run(ground->folder, "export csv --purpose x --for PE/MPP --out e");
  assert_int_equal(said.code, 2);
  assert_string_equal(said.err, "error: 'PE/MPP' is no institution of the code list\n  hint: did you mean PE/MP?\n");
  said = program_run(ground->folder, "export aggregate yearly --out e");
  assert_string_not_equal(said.err, "");
  assert_int_not_equal(said.code, 0);
}

/* ---- */

static int kinds[] = {0, 1};
#define BOTH(function)                                                                                                 \
  {"sqlite: " #function, function, NULL, NULL, &kinds[0]}, {                                                           \
    "postgres: " #function, function, NULL, NULL, &kinds[1]                                                            \
  }

static int setup_all(void **state) {
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    void *kind = &kinds[i];
    setup(&kind);
  }
  return 0;
}

static int teardown_all(void **state) {
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    void *kind = &kinds[i];
    teardown(&kind);
  }
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {BOTH(test_htcds), BOTH(test_htcds_values), BOTH(test_pseudonyms), BOTH(test_log)};
  return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
