/* What leaves by `puente export`: HTCDS against the published list of its fields, and pseudonyms by recipient. */
#include "core/service/pseudonym.h"
#include "tests/support/postgres.h"
#include "tests/support/program.h"
#include "tests/support/terms.h"
#include "tests/support/workspace.h"

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

static void text_of(json_t *value, char *text, size_t room) {
  if (json_is_integer(value)) {
    snprintf(text, room, "%lld", (long long)json_integer_value(value));
  } else if (json_is_boolean(value)) {
    snprintf(text, room, "%s", json_is_true(value) ? "true" : "false");
  } else {
    snprintf(text, room, "%s", json_is_null(value) ? "" : json_string_value(value));
  }
}

static void check_line(json_t *line, size_t *values) {
  const char *name = NULL;
  json_t *value = NULL;
  char text[400];
  json_object_foreach(line, name, value) {
    text_of(value, text, sizeof text);
    if (strcmp(name, "case_id") == 0 || strcmp(name, "person_id") == 0) {
      assert_true(text[0] != '\0');
    } else if (text[0] != '\0') {
      check_value(name, text);
      (*values)++;
    }
  }
}

/* A field of CSV, taken off the front; in place. */
static char *csv_field(char **rest) {
  char *out = *rest, *from = out, *to = out;
  bool quoted = *from == '"';
  from += quoted;
  while (*from != '\0' && (quoted || (*from != ',' && *from != '\r'))) {
    if (quoted && *from == '"') {
      from++;
      if (*from != '"') {
        break;
      }
    }
    *to++ = *from++;
  }
  *rest = *from == ',' ? from + 1 : from + strlen(from);
  *to = '\0';
  return out;
}

/* What the CSV file says is what the JSON lines say, field by field and row by row; gives the rows. */
static size_t compare_csv(const struct terms_ground *ground, const char *name) {
  char file[64], expected[400], *fields_of[100];
  snprintf(file, sizeof file, "%s.jsonl", name);
  char *json = program_read(ground->folder, file);
  snprintf(file, sizeof file, "%s.csv", name);
  char *csv = program_read(ground->folder, file), *rest = csv, *line = strsep(&rest, "\n");
  size_t columns = 0, rows = 0;
  while (*line != '\0') {
    fields_of[columns++] = csv_field(&line);
  }
  for (; (line = strsep(&rest, "\n")) != NULL && *line != '\0'; rows++) {
    json_t *row = json_line(json, rows);
    assert_int_equal(json_object_size(row), columns);
    for (size_t i = 0; i < columns; i++) {
      text_of(json_object_get(row, fields_of[i]), expected, sizeof expected);
      assert_string_equal(csv_field(&line), expected);
    }
    json_decref(row);
  }
  free(csv);
  free(json);
  return rows;
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
    for (size_t at = 0; at < (i == 0 ? 2 : 3); at++) {
      json_t *line = json_line(text, at);
      check_line(line, &values);
      json_decref(line);
    }
    free(text);
    snprintf(name, sizeof name, "h/%s", files[i]);
    assert_int_equal(compare_csv(ground, name), i == 0 ? 2 : 3);
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

/* ---- with names, for the institution that supplied them ---- */

static const char BEGUN[] = "reveal|{\"htcds\":\"PE/PNP\",\"persons\":2,\"shown\":\"";

static void test_reveal(void **state) {
  const struct terms_ground *ground = ground_of(state);
  static const char *const files[] = {"r/person", "r/case", "r/involvement", "r/event", "r/measure"};
  static const size_t counts[] = {2, 2, 2, 0, 0};
  size_t values = 0;
  read_fields();
  terms_run(ground, 0, "export htcds --reveal --for PE/PNP --format json --purpose 'follow_up: reveal' --out r");
  terms_run(ground, 0, "export htcds --reveal --for PE/PNP --purpose again --out r");
  for (size_t i = 0; i < 5; i++) {
    assert_int_equal(compare_csv(ground, files[i]), counts[i]);
    char name[40];
    snprintf(name, sizeof name, "%s.jsonl", files[i]);
    char *text = program_read(ground->folder, name);
    for (size_t at = 0; at < counts[i]; at++) {
      json_t *line = json_line(text, at);
      check_line(line, &values);
      json_decref(line);
    }
    free(text);
    int code = 0;
    char *mode = shell_output(&code, "stat -c %%a %s/%s", ground->folder, name);
    assert_string_equal(mode, "600\n");
    free(mode);
  }
  assert_true(values >= 20);
  char *text = program_read(ground->folder, "r/person.csv");
  assert_non_null(strstr(text, ",ROSA,QUISPE,45678901,2004-02-03,Feminine,"));
  assert_non_null(strstr(text, ",,,,Feminine,")); /* without consent no name was kept, not even here */
  free(text);
  /* Another institution's file has its own rows alone. */
  terms_run(ground, 0, "export htcds --reveal --for PE/CHS --purpose again --out s");
  text = program_read(ground->folder, "s/person.csv");
  assert_non_null(strstr(text, ",ROSA,"));
  assert_null(strstr(text, ",,,,Feminine,"));
  free(text);
  text = program_read(ground->folder, "s/case.csv");
  assert_null(strstr(text, "quoted"));
  free(text);
  /* No id of a file with names is one of a file with what others supplied. */
  char named[1000], plain[1000], *rest = named, *id;
  terms_run(ground, 0, "export json --purpose again --for PE/PNP --out p");
  collect(ground, "r/person.jsonl", "person_id", named, sizeof named);
  collect(ground, "p/person.jsonl", "person_id", plain, sizeof plain);
  while ((id = strsep(&rest, "\n")) != NULL && id[0] != '\0') {
    assert_null(strstr(plain, id));
  }
  /* The sight comes first, with how many; what left has its digest. */
  char *rows = workspace_rows(ground->folder,
                              "SELECT event, body FROM audit WHERE purpose = 'follow_up: reveal' ORDER BY sequence");
  assert_int_equal(strncmp(rows, BEGUN, sizeof BEGUN - 1), 0);
  assert_non_null(strstr(rows, "\"}\nexported|{\"digest\":\""));
  assert_non_null(strstr(rows, "\",\"for\":\"PE/PNP\",\"form\":\"htcds\",\"rows\":6}"));
  free(rows);
}

/* Each column of each file is in the dictionary, with what a row is and of which snapshot. */
static void test_dictionary(void **state) {
  const struct terms_ground *ground = ground_of(state);
  static const char *const forms[] = {"csv", "json", "htcds"};
  for (size_t i = 0; i < 3; i++) {
    char line[128], name[64];
    snprintf(line, sizeof line, "export %s --purpose test --out d-%s", forms[i], forms[i]);
    terms_run(ground, 0, line);
    snprintf(name, sizeof name, "d-%s/dictionary.csv", forms[i]);
    char *text = program_read(ground->folder, name);
    snprintf(line, sizeof line, "item,value,en,es\nform,%s,", forms[i]);
    assert_int_equal(strncmp(text, line, strlen(line)), 0);
    assert_non_null(strstr(text, "\nsnapshot_date,20"));
    assert_null(strstr(text, "\nsnapshot_run,,"));
    assert_non_null(strstr(text, "\nunit,person,"));
    assert_non_null(strstr(text, ": one row each, consolidated from all sources\","));
    assert_non_null(strstr(text, ": one row as one source reported it,"));
    int code = 0;
    char *missing =
        shell_output(&code,
                     "cd %s/d-%s && for f in [c-p]*.csv *.jsonl; do test $f = dictionary.csv -o ! -s $f && continue; "
                     "case $f in *.csv) head -n 1 $f | tr -d '\\r' | tr , '\\n';; "
                     "*) head -n 1 $f | grep -oE '\"[A-Za-z_]+\":' | tr -d '\":';; esac; done | sort -u | "
                     "while read c; do grep -q \"^column,$c,\" dictionary.csv || echo $c; done",
                     ground->folder, forms[i]);
    assert_int_equal(code, 0);
    assert_string_equal(missing, "");
    free(missing);
    free(text);
  }
}

static void test_no_place(void **state) {
  const struct terms_ground *ground = ground_of(state);
  static const char *const places[][3] = {
      {"no/where", "No such file or directory", "the folder that it is to be in is not there: make it first"},
      {"puente.yaml", "File exists", "a file stands where a folder is needed"},
      {"puente.yaml/x", "Not a directory", "a file stands where a folder is needed"}};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    char line[128];
    snprintf(line, sizeof line, "export csv --purpose x --out %s", places[i][0]);
    struct said told = program_run(ground->folder, line);
    assert_int_equal(told.code, 1);
    for (size_t part = 0; part < 3; part++) {
      assert_non_null(strstr(told.err, places[i][part]));
    }
  }
}

static void test_reveal_refused(void **state) {
  const struct terms_ground *ground = ground_of(state);
  static const char *const lines[][2] = {
      {"export htcds --reveal --for PE/PNP --out no", "a purpose is needed to export identified data"},
      {"export htcds --reveal --for PE/PNP --purpose '  ' --out no", "--purpose needs a value"},
      {"export htcds --reveal --purpose x --out no", "an institution gets its own back: --for is needed"},
      {"export csv --reveal --for PE/PNP --purpose x --out no", "--reveal is for htcds"}};
  for (size_t i = 0; i < 4; i++) {
    struct said said = program_run(ground->folder, lines[i][0]);
    assert_int_equal(said.code, 2);
    assert_non_null(strstr(said.err, lines[i][1]));
  }
  struct said said = program_run_as(ground->folder, "root", "export htcds --reveal --for PE/PNP --purpose x --out no");
  assert_int_equal(said.code, 1);
  /* All files or none. */
  shell("mkdir -p %s/half/person.csv", ground->folder);
  said = program_run(ground->folder, "export htcds --reveal --for PE/PNP --purpose x --out half");
  assert_int_not_equal(said.code, 0);
  int code = 0;
  char *left =
      shell_output(&code, "ls -A %s/half %s/half/person.csv | grep -c -v -e : -e '^$'", ground->folder, ground->folder);
  assert_string_equal(left, "1\n");
  free(left);
}

static char *as_login(const struct terms_ground *ground, const char *login, int *code, const char *arguments) {
  shell("sed 's/user=puente/user=%s/' %s/puente.yaml > %s/%s.yaml", login, ground->folder, ground->folder, login);
  return shell_output(code, "LANGUAGE=en PUENTE_ACTOR=tester %s/puente --config %s/%s.yaml %s --out %s/%s 2>&1",
                      build_folder(), ground->folder, login, arguments, ground->folder, login);
}

/* An officer's login gets what the service gives, of the own institution; nobody else does. */
static void test_reveal_roles(void **state) {
  const struct terms_ground *ground = ground_of(state);
  static const char REVEAL[] = "export htcds --reveal --for PE/PNP --purpose hearing";
  int code = 0;
  terms_run(ground, 0, "access setup");
  postgres_run("CREATE ROLE x_pnp LOGIN; CREATE ROLE x_chs LOGIN; CREATE ROLE x_analyst LOGIN");
  terms_run(ground, 0, "access grant x_pnp officer --institution PE/PNP");
  terms_run(ground, 0, "access grant x_chs officer --institution PE/CHS");
  terms_run(ground, 0, "access grant x_analyst analyst");
  char *said = as_login(ground, "x_pnp", &code, REVEAL);
  if (code != 0) {
    fail_msg("%s", said);
  }
  free(said);
  terms_run(ground, 0, "export htcds --reveal --for PE/PNP --purpose hearing --out t");
  said = shell_output(&code, "cd %s && diff -r t x_pnp", ground->folder);
  assert_string_equal(said, "");
  free(said);
  char *bodies = workspace_rows(ground->folder, "SELECT event, body, count(*) FROM audit WHERE purpose = 'hearing' "
                                                "AND actor IN ('x_pnp', 'tester') GROUP BY event, body ORDER BY event");
  assert_int_equal(strncmp(bodies, "exported|", 9), 0);
  assert_non_null(strstr(bodies, "|2\nreveal|"));
  assert_non_null(strstr(strstr(bodies, "\nreveal|"), "|2\n"));
  free(bodies);
  said = as_login(ground, "x_chs", &code, REVEAL);
  assert_int_equal(code, 1);
  assert_non_null(strstr(said, "you are no officer of PE/PNP: its data are its own"));
  free(said);
  said = as_login(ground, "x_analyst", &code, REVEAL);
  assert_int_equal(code, 1);
  assert_non_null(strstr(said, "your role may not do this"));
  free(said);
  said = as_login(ground, "x_chs", &code, "export htcds --purpose x"); /* for publishers alone */
  assert_int_equal(code, 1);
  assert_non_null(strstr(said, "your role may not do this"));
  free(said);
  assert_int_equal(workspace_number(ground->folder, "SELECT count(*) FROM audit WHERE event = 'refuse'"), 3);
  terms_run(ground, 0, "audit verify");
}

/* ---- pseudonyms ---- */

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
  const struct CMUnitTest tests[] = {BOTH(test_htcds),
                                     BOTH(test_htcds_values),
                                     BOTH(test_pseudonyms),
                                     BOTH(test_log),
                                     BOTH(test_reveal),
                                     BOTH(test_reveal_refused),
                                     BOTH(test_no_place),
                                     BOTH(test_dictionary),
                                     {"postgres: test_reveal_roles", test_reveal_roles, NULL, NULL, &kinds[1]}};
  return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
