/* `export ctdc` on both stores: CTDC's own columns and values, every combination of values that of k persons at least,
 * nothing by which a person could be named, consent, and what stands beside the rows. */
#include "tests/support/program.h"
#include "tests/support/terms.h"
#include "tests/support/workspace.h"

#include <ctype.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* As CTDC's codebook has them. */
static const char *const COLUMNS[] = {"yearOfRegistration",
                                      "gender",
                                      "ageBroad",
                                      "majorityStatus",
                                      "majorityStatusAtExploit",
                                      "citizenship",
                                      "CountryOfExploitation",
                                      "traffickMonths",
                                      "meansDebtBondageEarnings",
                                      "meansThreats",
                                      "meansAbusePsyPhySex",
                                      "meansFalsePromises",
                                      "meansDrugsAlcohol",
                                      "meansDenyBasicNeeds",
                                      "meansExcessiveWorkHours",
                                      "meansWithholdDocs",
                                      "isForcedLabour",
                                      "isSexualExploit",
                                      "isOtherExploit",
                                      "typeOfLabourAgriculture",
                                      "typeOfLabourConstruction",
                                      "typeOfLabourDomesticWork",
                                      "typeOfLabourHospitality",
                                      "typeOfSexProstitution",
                                      "typeOfSexPornography",
                                      "recruiterRelationIntimatePartner",
                                      "recruiterRelationFriend",
                                      "recruiterRelationFamily",
                                      "recruiterRelationOther"};
enum { COLUMN_COUNT = sizeof COLUMNS / sizeof *COLUMNS, FIRST_FLAG = 8, PERSONS = 900, ROWS_MOST = 2000 };
/* By column before the flags, "|"-joined; "" any year. */
static const char *const VALUES[FIRST_FLAG] = {"",
                                               "|Woman|Man|Trans/Transgender/NonConforming|",
                                               "|0--8|9--17|18--20|21--23|24--26|27--29|30--38|39--47|48+|",
                                               "|Minor|Adult|",
                                               "|Minor|Adult|",
                                               "|PER|VEN|COL|",
                                               "|PER|BOL|",
                                               "|0--12 (0-1 yr)|13--24 (1-2 yrs)|25+ (2+ yrs)|"};

static const char MAPPING[] =
    "source: reta\nformat: json\n"
    "case:\n  key: num\n  registered_on: date\n  facts_on: facts\n  country: country\n  industry: industry\n"
    "person:\n  key: [num, doc]\n  role: victim\n  given_names: given\n  paternal_surname: paternal\n"
    "  maternal_surname: maternal\n  document_type: {value: dni, when: {path: doc, present: true}}\n"
    "  document_number: doc\n  birth_date: born\n  sex: sex\n  nationality: nation\n  involvement:\n"
    "    consent: consent\n    trafficked_months: months\n    purposes: purposes\n    means: means\n"
    "    relation: relation\n    sexual_exploitation: kind\n    trafficking_status: status\n";

static struct terms_ground grounds[2];
static uint64_t state;

static uint32_t random_below(uint32_t most) {
  state = state * 6364136223846793005U + 1442695040888963407U;
  return (uint32_t)(state >> 33) % most;
}

static const char *one_of(const char *const *texts, uint32_t count) {
  return texts[random_below(count)];
}

/* The first ten limited their consent, the next ten turned out to be no victims; all of those are of 2010. */
static void put_person(FILE *file, int number) {
  static const char *const sexes[] = {"female", "female", "female", "male", "trans_female", ""};
  static const char *const purposes[] = {"\"sexual_exploitation\"",
                                         "\"sexual_exploitation\"",
                                         "\"labour_exploitation\"",
                                         "\"domestic_servitude\"",
                                         "\"begging\",\"sexual_exploitation\"",
                                         ""};
  static const char *const means[] = {"\"threat\"", "\"deception\",\"debt_bondage\"", "\"deception\"", "", "", ""};
  static const char *const nations[] = {"PE", "PE", "PE", "VE", "CO"};
  static const char *const consents[] = {"count", "none", "withdrawn"};
  static const char *const industries[] = {"A", "I", "", ""};
  static const char *const relations[] = {"spouse", "stranger", "", ""};
  static const char *const kinds[] = {"prostitution", ""};
  bool odd = number < 20;
  fprintf(
      file,
      "{\"num\":\"D-%d\",\"doc\":\"4%07d\",\"given\":\"ROSA%c%c\",\"paternal\":\"QUISPE%c%c%c\",\"maternal\":\"M%c%c\","
      "\"date\":\"%d-05-01\",\"facts\":\"%d-01-15\",\"born\":\"%d-03-04\",\"sex\":\"%s\",\"country\":\"%s\","
      "\"nation\":\"%s\",\"consent\":\"%s\",\"status\":\"%s\",\"months\":\"%s\",\"purposes\":[%s],\"means\":[%s],"
      "\"relation\":\"%s\",\"kind\":\"%s\",\"industry\":\"%s\"}\n",
      number, number * 7919 % 9999999, 'A' + number % 26, 'A' + number / 26 % 26, 'A' + number % 23,
      'A' + number / 23 % 23, 'A' + number / 529, 'A' + number * 11 % 26, 'A' + number * 5 % 26,
      odd ? 2010 : 2020 + (int)random_below(3), odd ? 2010 : 2019 + (int)random_below(2),
      1975 + (int)random_below(6) * 7, one_of(sexes, 6), random_below(8) == 0 ? "BO" : "PE", one_of(nations, 5),
      number < 10            ? consents[number % 3]
      : random_below(2) == 0 ? "share"
                             : "",
      odd && number >= 10 ? "not_victim" : "", random_below(3) == 0 ? "14" : "", one_of(purposes, 6), one_of(means, 6),
      one_of(relations, 4), one_of(kinds, 2), one_of(industries, 4));
}

static void begin(size_t at) {
  struct terms_ground *ground = &grounds[at];
  char path[600];
  terms_begin(ground, at == 0 ? NULL : "ctdc", NULL);
  program_write(ground->folder, "mappings/reta.yaml", MAPPING);
  snprintf(path, sizeof path, "%s/incoming/reta/one.json", ground->folder);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  state = 7;
  for (int i = 0; i < PERSONS; i++) {
    put_person(file, i);
  }
  fclose(file);
  terms_run(ground, 0, "run");
}

static const struct terms_ground *ground_of(void **kind) {
  return &grounds[*(int *)*kind];
}

static void set_k(const struct terms_ground *ground, int k) {
  shell("sed -i '/^disclosure/d' %s/puente.yaml && echo 'disclosure: {k: %d}' >> %s/puente.yaml", ground->folder, k,
        ground->folder);
}

/* ---- the file ---- */

struct sheet {
  char *text, *lines[ROWS_MOST];
  size_t count;
};

static void read_rows(const struct terms_ground *ground, const char *name, struct sheet *sheet) {
  sheet->text = program_read(ground->folder, name);
  sheet->count = 0;
  for (char *rest = sheet->text, *line; (line = strsep(&rest, "\n")) != NULL && line[0] != '\0';) {
    assert_true(sheet->count < ROWS_MOST);
    line[strcspn(line, "\r")] = '\0';
    sheet->lines[sheet->count++] = line;
  }
}

static void check_value(size_t column, const char *value) {
  char quoted[80];
  snprintf(quoted, sizeof quoted, "|%s|", value);
  bool fine =
      value[0] == '\0'
      || (column >= FIRST_FLAG ? strcmp(value, "1") == 0 : column > 0 && strstr(VALUES[column], quoted) != NULL);
  if (column == 0 && value[0] != '\0') {
    fine = strlen(value) == 4 && strncmp(value, "20", 2) == 0;
  }
  if (!fine) {
    fail_msg("%s: '%s' is no value of CTDC's", COLUMNS[column], value);
  }
}

static void check_rows(const struct sheet *sheet, int k, size_t *filled) {
  for (size_t i = 1; i < sheet->count; i++) {
    int same = 0;
    for (size_t j = 1; j < sheet->count; j++) {
      same += strcmp(sheet->lines[i], sheet->lines[j]) == 0;
    }
    if (same < k) {
      fail_msg("a combination of %d persons leaves, k is %d: %s", same, k, sheet->lines[i]);
    }
    char copy[600], *rest = copy, *value;
    size_t column = 0;
    snprintf(copy, sizeof copy, "%s", sheet->lines[i]);
    for (; (value = strsep(&rest, ",")) != NULL; column++) {
      assert_true(column < COLUMN_COUNT);
      check_value(column, value);
      *filled += value[0] != '\0';
    }
    assert_int_equal(column, COLUMN_COUNT);
  }
}

static void no_combination_is_of_few(void **kind) {
  const struct terms_ground *ground = ground_of(kind);
  static const int ks[] = {1, 2, 5, 11, 40};
  struct sheet sheet;
  size_t before = SIZE_MAX;
  for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
    size_t filled = 0;
    set_k(ground, ks[i]);
    terms_run(ground, 0, "export ctdc --purpose test --out k");
    read_rows(ground, "k/ctdc.csv", &sheet);
    char head[1200] = "";
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
      size_t len = strlen(head);
      snprintf(head + len, sizeof head - len, "%s%s", c == 0 ? "" : ",", COLUMNS[c]);
    }
    assert_string_equal(sheet.lines[0], head);
    check_rows(&sheet, ks[i], &filled);
    assert_true(filled <= before && filled > 0);
    before = filled;
    if (ks[i] == 1) { /* everybody but the twenty of 2010 */
      assert_int_equal(sheet.count - 1, PERSONS - 20);
    }
    for (size_t row = 1; row < sheet.count; row++) {
      assert_int_not_equal(strncmp(sheet.lines[row], "2010", 4), 0);
    }
    printf("ctdc ok: k=%d rows=%zu values=%zu\n", ks[i], sheet.count - 1, filled);
    free(sheet.text);
  }
  set_k(ground, 11);
}

/* A flag of labour or of sex stands only where the exploitation is of that kind; ages, months and years are those of
 * the records. */
static void values_are_those_of_records(void **kind) {
  const struct terms_ground *ground = ground_of(kind);
  set_k(ground, 1);
  terms_run(ground, 0, "export ctdc --format json --purpose test --out v");
  char *text = program_read(ground->folder, "v/ctdc.jsonl"), *rest = text, *line;
  size_t labour = 0, domestic = 0, sexual = 0, minors = 0, months = 0, debts = 0, trans = 0, unknown = 0;
  while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
    json_t *row = json_loads(line, 0, NULL);
    assert_non_null(row);
    assert_int_equal(json_object_size(row), COLUMN_COUNT);
#define SET(name) json_is_integer(json_object_get(row, name))
#define IS(name, value)                                                                                                \
  (json_is_string(json_object_get(row, name)) && strcmp(json_string_value(json_object_get(row, name)), value) == 0)
    assert_true(SET("isForcedLabour") || !(SET("typeOfLabourAgriculture") || SET("typeOfLabourHospitality")));
    assert_true(SET("isSexualExploit") || !SET("typeOfSexProstitution"));
    assert_int_equal(IS("majorityStatus", "Minor"), IS("ageBroad", "9--17") || IS("ageBroad", "0--8"));
    labour += SET("isForcedLabour");
    domestic += SET("typeOfLabourDomesticWork");
    sexual += SET("typeOfSexProstitution");
    minors += IS("majorityStatus", "Minor");
    months += IS("traffickMonths", "13--24 (1-2 yrs)");
    debts += SET("meansDebtBondageEarnings");
    trans += IS("gender", "Trans/Transgender/NonConforming");
    unknown += json_is_null(json_object_get(row, "gender"));
    json_decref(row);
  }
  free(text);
  set_k(ground, 11);
  static const char COUNT[] =
      "SELECT count(DISTINCT person_id) FROM involvements WHERE (consent IS NULL OR consent = 'share') AND "
      "trafficking_status IS NULL AND ";
  char sql[400];
#define COUNTED(where) (snprintf(sql, sizeof sql, "%s%s", COUNT, where), (size_t)workspace_number(ground->folder, sql))
  assert_int_equal(labour,
                   COUNTED("(purposes LIKE '%labour%' OR purposes LIKE '%servitude%' OR purposes LIKE '%begging%')"));
  assert_int_equal(domestic, COUNTED("purposes LIKE '%servitude%'"));
  assert_int_equal(sexual, COUNTED("purposes LIKE '%sexual%' AND sexual_exploitation = 'prostitution'"));
  assert_int_equal(months, COUNTED("trafficked_months = 14"));
  assert_int_equal(debts, COUNTED("means LIKE '%debt%'"));
  assert_true(minors > 50 && trans > 50 && unknown > 50);
}

static void nothing_names_anybody(void **kind) {
  const struct terms_ground *ground = ground_of(kind);
  static const char *const files[] = {"n/ctdc.csv", "n/ctdc_dictionary.csv", "n/ctdc_coverage.csv"};
  terms_run(ground, 0, "export ctdc --purpose test --out n");
  for (size_t i = 0; i < 3; i++) {
    char *text = program_read(ground->folder, files[i]), mode[700];
    assert_null(strstr(text, "ROSA"));
    assert_null(strstr(text, "QUISPE"));
    assert_null(strstr(text, "D-"));
    for (const char *at = text; *at != '\0'; at++) { /* no document: eight digits in a row */
      assert_true(strspn(at, "0123456789") < 8);
    }
    free(text);
    int code = 0;
    snprintf(mode, sizeof mode, "stat -c %%a %s/%s", ground->folder, files[i]);
    char *said = shell_output(&code, "%s", mode);
    assert_string_equal(said, "600\n");
    free(said);
  }
}

static void figures_say_what_they_are(void **kind) {
  const struct terms_ground *ground = ground_of(kind);
  const char *said = terms_run(ground, 0, "--json export ctdc --purpose test --out d");
  json_t *told = json_loads(said, 0, NULL);
  json_int_t rows = json_integer_value(json_object_get(told, "rows"));
  assert_true(
      json_is_null(json_object_get(told, "withheld"))); /* 7: three of the ten withdrew, nothing is kept of them */
  assert_true(json_is_null(json_object_get(told, "left_out")));
  assert_in_range(rows, PERSONS - 20 - 10, PERSONS - 20 - 1);
  json_decref(told);
  assert_non_null(strstr(
      terms_run(ground, 0, "export ctdc --purpose test --out few"),
      "not in the file: fewer than 11 victims of too few alike, fewer than 11 by their consent (not for publication)"));
  char *text = program_read(ground->folder, "d/ctdc_dictionary.csv");
  static const char *const items[] = {"unit,person,",
                                      "definition,victim,",
                                      "snapshot_date,20",
                                      "snapshot_run,",
                                      "k,11,",
                                      "share_of_victims,",
                                      "linkage_waiting_pairs,",
                                      "coverage,ctdc_coverage.csv,",
                                      "empty,,\"not recorded, or hidden"};
  for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
    char line[80];
    snprintf(line, sizeof line, "\n%s", items[i]);
    assert_non_null(strstr(text, line));
  }
  for (size_t i = 0; i < COLUMN_COUNT; i++) {
    char line[80];
    snprintf(line, sizeof line, "\ncolumn,%s,", COLUMNS[i]);
    assert_non_null(strstr(text, line));
  }
  free(text);
  text = program_read(ground->folder, "d/ctdc_coverage.csv");
  assert_int_equal(strncmp(text, "source,department,from,to,records\n", 34), 0);
  free(text);
}

/* The line of the dictionary, up to its value. */
static void has_fact(const struct terms_ground *ground, const char *item, long long value) {
  char line[80], *text = program_read(ground->folder, "c/ctdc_dictionary.csv");
  snprintf(line, sizeof line, "\n%s,%lld,", item, value);
  if (strstr(text, line) == NULL) {
    fail_msg("%s is not %lld:\n%s", item, value, text);
  }
  free(text);
}

/* What is told of the file is what is in it, and in the store. */
static void counts_are_those_of_the_rows(void **kind) {
  const struct terms_ground *ground = ground_of(kind);
  static const int ks[] = {1, 5, 40};
  struct sheet sheet;
  for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
    char line[160];
    set_k(ground, ks[i]);
    json_t *told = json_loads(terms_run(ground, 0, "--json export ctdc --purpose test --out c"), 0, NULL);
    long long rows = json_integer_value(json_object_get(told, "rows"));
    long long complete = json_integer_value(json_object_get(told, "complete")), left_out = PERSONS - 20 - rows;
    json_decref(told);
    read_rows(ground, "c/ctdc.csv", &sheet);
    free(sheet.text);
    assert_int_equal(rows, sheet.count - 1);
    assert_true(ks[i] == 1 ? complete == rows : complete < rows);
    has_fact(ground, "k", ks[i]);
    has_fact(ground, "share_of_victims", rows * 100 / (PERSONS - 20) / 5 * 5);
    has_fact(ground, "snapshot_run", workspace_number(ground->folder, "SELECT max(run_id) FROM runs"));
    has_fact(
        ground, "linkage_waiting_pairs",
        workspace_number(ground->folder, "SELECT count(*) FROM pairs WHERE kind = 'person' AND outcome = 'waiting'"));
    const char *said = terms_run(ground, 0, "export ctdc --purpose test --out c");
    snprintf(line, sizeof line, "%lld rows (%lld with all that is recorded), each combination at least %d times", rows,
             complete, ks[i]);
    assert_non_null(strstr(said, line));
    if (left_out >= ks[i] || left_out == 0) {
      snprintf(line, sizeof line, "not in the file: %lld victims of too few alike, ", left_out);
      assert_non_null(strstr(said, line));
    }
    if (ks[i] <= 7) { /* three of the ten withdrew: nothing is kept of them */
      assert_non_null(strstr(said, " alike, 7 by their consent"));
    }
  }
  set_k(ground, 11);
}

static void is_in_the_log(void **kind) {
  const struct terms_ground *ground = ground_of(kind);
  terms_run(ground, 0, "export ctdc --purpose 'yearbook 9' --out l");
  char *rows =
      workspace_rows(ground->folder, "SELECT event, body FROM audit WHERE purpose = 'yearbook 9' ORDER BY sequence");
  assert_int_equal(strncmp(rows, "export|{\"form\":\"ctdc\",\"k\":11,\"persons\":", 38), 0);
  assert_non_null(strstr(rows, ",\"shown\":\""));
  assert_non_null(strstr(rows, "\nexported|{\"digest\":\""));
  assert_non_null(strstr(rows, "\"form\":\"ctdc\",\"k\":11,\"left_out\":null,"));
  free(rows);
  terms_run(ground, 0, "audit verify");
  struct said said = program_run(ground->folder, "export ctdc --out no");
  assert_int_equal(said.code, 2);
  assert_non_null(strstr(said.err, "a purpose is needed to export records"));
}

/* ---- */

static int kinds[] = {0, 1};
#define BOTH(function)                                                                                                 \
  {"sqlite: " #function, function, NULL, NULL, &kinds[0]}, {                                                           \
    "postgres: " #function, function, NULL, NULL, &kinds[1]                                                            \
  }

static int setup_all(void **unused) {
  (void)unused;
  begin(0);
  begin(1);
  return 0;
}

static int teardown_all(void **unused) {
  (void)unused;
  terms_end(&grounds[0]);
  terms_end(&grounds[1]);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {BOTH(no_combination_is_of_few),     BOTH(values_are_those_of_records),
                                     BOTH(nothing_names_anybody),        BOTH(figures_say_what_they_are),
                                     BOTH(counts_are_those_of_the_rows), BOTH(is_in_the_log)};
  return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
