/* `linked_by_name: encoded`: of a name a code is kept, which asks a person and joins nobody; on both stores. */
#include "core/link/clk.h"
#include "core/service/workspace.h"
#include "core/store/internal.h"
#include "core/sync/encode.h"
#include "tests/support/program.h"
#include "tests/support/terms.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char TERMS[] = "terms:\n  linked_by_name: encoded\n  fields: [key, date, born, sex, consent, withdrawn]\n";
#define MAPPING(more)                                                                                                  \
  "source: ngo\nformat: json\n"                                                                                        \
  "case:\n  key: key\n  denuncia_number: key\n  reported_on: date\n"                                                   \
  "person:\n  key: key\n  role: victim\n  given_names: given\n  paternal_surname: paternal\n"                          \
  "  maternal_surname: maternal\n  document_number: doc\n  phone: phone\n  birth_date: born\n  sex: sex\n" more        \
  "  involvement:\n    consent: consent\n"

/* The first is one whom the police knows under a slip of the pen, the second whom it knows to the letter. */
#define FIRST(maternal)                                                                                                \
  "{\"key\":\"K1\",\"date\":\"2024-01-02\",\"doc\":\"45671234\",\"given\":\"YOVANITA\",\"paternal\":\"ZUBIAURRE\","    \
  "\"maternal\":\"" maternal "\",\"born\":\"2004-05-06\",\"sex\":\"F\",\"phone\":\"999888777\"}\n"
#define SECOND                                                                                                         \
  "{\"key\":\"K2\",\"date\":\"2024-02-02\",\"doc\":\"41112222\",\"given\":\"MARIA "                                    \
  "ELENA\",\"paternal\":\"CCORIMANYA\","                                                                               \
  "\"maternal\":\"HUILLCA\",\"born\":\"1999-08-07\",\"sex\":\"F\"}\n"
#define THIRD                                                                                                          \
  "{\"key\":\"K3\",\"date\":\"2024-03-02\",\"doc\":\"43334444\",\"given\":\"DELIA\",\"paternal\":\"APAZA\","           \
  "\"maternal\":\"TTITO\",\"born\":\"1987-01-17\",\"sex\":\"F\"}\n"
#define FOURTH                                                                                                         \
  "{\"key\":\"K4\",\"date\":\"2024-04-02\",\"given\":\"NILDA\",\"paternal\":\"CUSI\",\"maternal\":\"PARI\","           \
  "\"born\":\"1990-01-17\",\"sex\":\"F\",\"consent\":\"count\"}\n"
static const char POLICE[] =
    "{\"num\":\"D9\",\"date\":\"2024-01-01\",\"victims\":[{\"doc\":\"1\",\"given\":\"YOVANA\","
    "\"paternal\":\"SUBIAURRE\",\"maternal\":\"QUISPE\",\"born\":\"2004-05-06\",\"sex\":\"F\"}]}\n"
    "{\"num\":\"D8\",\"date\":\"2024-01-01\",\"victims\":[{\"doc\":\"2\",\"given\":\"MARIA ELENA\","
    "\"paternal\":\"CCORIMANYA\",\"maternal\":\"HUILLCA\",\"born\":\"1999-08-07\",\"sex\":\"F\"}]}\n";

static int64_t number(const struct terms_ground *ground, const char *sql) {
  return workspace_number(ground->folder, sql);
}

static int64_t stored(const struct terms_ground *ground, const char *sql) {
  struct workspace workspace;
  struct error error;
  char path[512];
  int64_t count = -1;
  snprintf(path, sizeof path, "%s/puente.yaml", ground->folder);
  assert_int_equal(workspace_open_bare(path, WORKSPACE_READ, &workspace, &error), OK);
  assert_int_equal(db_integer(workspace.store, &error, &count, NULL, sql, NULL, 0), OK);
  workspace_close(&workspace);
  return count;
}

static void assert_nowhere(const struct terms_ground *ground, const char *const *texts) {
  for (; *texts != NULL; texts++) {
    const char *where = terms_found(ground, *texts);
    if (where != NULL) {
      fail_msg("%s is in %s", *texts, where);
    }
  }
}

static void begin(struct terms_ground *ground, const char *schema) {
  terms_begin(ground, schema, TERMS);
  program_write(ground->folder, "mappings/ngo.yaml", MAPPING(""));
  terms_page(ground, "ngo", "1", FIRST("QUISPE") SECOND THIRD);
  terms_page(ground, "reta", "1", POLICE);
  terms_run(ground, 0, "--quiet run");
}

/* The pair of codes with that row of the NGO; its rows in the order of the store. */
static void pair_of(const struct terms_ground *ground, const char *key, long long rows[2]) {
  char sql[256];
  for (int side = 0; side < 2; side++) {
    snprintf(sql, sizeof sql,
             "SELECT p.row_%c FROM link_pair p JOIN st_person s ON s.row_id = p.row_a OR s.row_id = p.row_b "
             "WHERE s.key = '%s' AND p.rule = 'name encoding'",
             side == 0 ? 'a' : 'b', key);
    rows[side] = stored(ground, sql);
  }
}

static const char *run_on(const struct terms_ground *ground, const char *command, const long long rows[2],
                          const char *rest) {
  char arguments[256];
  snprintf(arguments, sizeof arguments, "%s %lld %lld %s", command, rows[0], rows[1], rest);
  return terms_run(ground, 0, arguments);
}

static void links(const char *schema) {
  static const char *const GONE[] = {"YOVANITA", "ZUBIAURRE", "45671234", "999888777", "DELIA",
                                     "APAZA",    "TTITO",     "43334444", NULL};
  struct terms_ground ground;
  long long first[2], second[2];
  begin(&ground, schema);
  assert_nowhere(&ground, GONE);
  assert_int_equal(stored(&ground, "SELECT count(*) FROM encoding"), 3);
  /* Five records, and even those of one name, date and sex are nobody's to join but a person's. */
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons"), 5);
  assert_int_equal(number(&ground, "SELECT count(*) FROM pairs WHERE rule = 'name encoding'"), 2);
  assert_int_equal(
      number(&ground, "SELECT count(*) FROM pairs WHERE rule = 'name encoding' AND outcome = 'waiting' AND reason = "
                      "'encoding'"),
      2);
  pair_of(&ground, "K1", first);
  pair_of(&ground, "K2", second);
  const char *told = run_on(&ground, "explain pair", second, "");
  assert_non_null(strstr(told, "codes of their names (clk1): Dice 1.000"));
  assert_null(strstr(told, "CCORIMANYA"));
  told = run_on(&ground, "explain pair", first, "");
  assert_non_null(strstr(told, "codes of their names (clk1): Dice 0."));
  told = run_on(&ground, "review show", second, "");
  assert_non_null(strstr(told, "name encoding"));
  /* One is accepted, one rejected; both decisions hold, and nothing is asked again. */
  run_on(&ground, "review accept", second, "--reason asked");
  run_on(&ground, "review reject", first, "--reason asked");
  terms_run(&ground, 0, "--quiet link");
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons"), 4);
  assert_int_equal(number(&ground, "SELECT count(*) FROM pairs WHERE outcome = 'waiting'"), 0);
  terms_run(&ground, 0, "--quiet link --full");
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons"), 4);
  terms_end(&ground);
}

/* Another name at the source is another code; the same page again, or the mapping again, is nothing new. */
static void comes_again(const char *schema) {
  struct terms_ground ground;
  begin(&ground, schema);
  terms_page(&ground, "ngo", "2", FIRST("QUISPE") SECOND);
  terms_run(&ground, 0, "--quiet run");
  assert_int_equal(stored(&ground, "SELECT count(*) FROM encoding"), 3);
  assert_int_equal(number(&ground, "SELECT max(changed) FROM runs"), 0);
  terms_page(&ground, "ngo", "3", FIRST("MAMANI"));
  terms_run(&ground, 0, "--quiet run");
  assert_int_equal(stored(&ground, "SELECT count(*) FROM encoding"), 4);
  assert_int_equal(number(&ground, "SELECT max(changed) FROM runs"), 1);
  program_write(ground.folder, "mappings/ngo.yaml", MAPPING("  nationality: {value: PE}\n"));
  terms_run(&ground, 0, "--quiet remap ngo");
  assert_int_equal(stored(&ground, "SELECT count(*) FROM encoding"), 7);
  terms_run(&ground, 0, "--quiet link");
  assert_int_equal(number(&ground, "SELECT count(*) FROM pairs WHERE rule = 'name encoding'"), 1);
  assert_non_null(strstr(terms_run(&ground, 0, "explain record ngo:K2 --json"), "\"recomputed\": \"same\""));
  terms_end(&ground);
}

static void is_taken_out(const char *schema) {
  struct terms_ground ground;
  begin(&ground, schema);
  terms_run(&ground, 0, "erase ngo:K2 --reason asked --document 7");
  assert_int_equal(stored(&ground, "SELECT count(*) FROM encoding"), 2);
  assert_int_equal(number(&ground, "SELECT count(*) FROM pairs WHERE rule = 'name encoding'"), 1);
  /* She does not come back, and who consents to be counted alone gets no code. */
  terms_page(&ground, "ngo", "2", SECOND FOURTH);
  terms_run(&ground, 0, "--quiet run");
  assert_int_equal(stored(&ground, "SELECT count(*) FROM encoding"), 2);
  assert_int_equal(
      stored(&ground, "SELECT count(*) FROM st_person WHERE institution = 'PE/CHS' AND birth_date IS NOT NULL"), 3);
  /* Under a new data key nothing is left under the old one. */
  terms_run(&ground, 0, "key rotate");
  assert_int_equal(stored(&ground,
                          "SELECT count(*) FROM encoding WHERE substr(body, 1, 5) = (SELECT substr(body, 1, 5) "
                          "FROM identity LIMIT 1)"),
                   2);
  terms_run(&ground, 0, "--quiet link --full");
  assert_int_equal(number(&ground, "SELECT count(*) FROM pairs WHERE rule = 'name encoding'"), 1);
  terms_end(&ground);
}

/* An institution that encodes by itself, under the key of the workspace, maps its codes; what is none is not kept. */
static void ready_codes_link(void **state) {
  const struct clk_person person = {
      .names = {slice_of("CCORIMANYA HUILLCA, MARIA ELENA")}, .name_count = 1, .birth_date = slice_of("1999-08-07")};
  struct terms_ground ground;
  struct clk_maker *maker = NULL;
  struct key *key = NULL;
  struct error error;
  struct clk code;
  uint8_t secret[KEY_SIZE];
  char path[512], text[CLK_TEXT_SIZE + 1], page[1024];
  bool made = false;
  (void)state;
  terms_begin(&ground, NULL, NULL);
  snprintf(path, sizeof path, "%s/puente.key", ground.folder);
  assert_int_equal(key_load(path, &key, &error), OK);
  encoding_key(key, secret);
  assert_int_equal(clk_maker_new(secret, &maker, &error), OK);
  assert_int_equal(clk_make(maker, &person, &code, &made, &error), OK);
  clk_write(&code, text);
  clk_maker_free(maker);
  key_free(key);
  snprintf(page, sizeof page,
           "{\"key\":\"K1\",\"date\":\"2024-01-02\",\"code\":\"%s\"}\n"
           "{\"key\":\"K2\",\"date\":\"2024-01-02\",\"code\":\"HILARIA SONCCO\"}\n",
           text);
  program_write(ground.folder, "mappings/ngo.yaml", MAPPING("  name_encoding: code\n"));
  terms_page(&ground, "ngo", "1", page);
  terms_page(&ground, "reta", "1", POLICE);
  terms_run(&ground, 0, "--quiet run");
  assert_int_equal(stored(&ground, "SELECT count(*) FROM encoding"), 1);
  assert_int_equal(number(&ground, "SELECT count(*) FROM issues WHERE reason = 'encoding_unreadable'"), 1);
  assert_int_equal(number(&ground, "SELECT count(*) FROM pairs WHERE rule = 'name encoding' AND outcome = 'waiting'"),
                   1);
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons"), 4);
  terms_end(&ground);
}

/* Codes come behind the bytes of a record by the program alone. */
static void marks_are_told_apart(void **state) {
  char landed[1024], line[512];
  struct clk code = {{1}};
  char text[CLK_TEXT_SIZE + 1];
  (void)state;
  clk_write(&code, text);
  snprintf(line, sizeof line, "00112233445566778899aabbccddeeff=%s\n", text);
  snprintf(landed, sizeof landed,
           "a,b,c\x1e"
           "clk\n%s",
           line);
  assert_int_equal(encoded_record(slice_of(landed)).len, 5);
  assert_int_equal(encoded_codes(slice_of(landed)).len, 5 + strlen(line));
  snprintf(landed, sizeof landed,
           "a,b,c\x1e"
           "clk\n%sx",
           line);
  assert_int_equal(encoded_record(slice_of(landed)).len, strlen(landed));
  assert_int_equal(encoded_codes(slice_of(landed)).len, 0);
  assert_int_equal(encoded_record(slice_of("a\x1e"
                                           "clk\n"))
                       .len,
                   6);
  assert_int_equal(encoded_codes(slice_make(NULL, 0)).len, 0);
}

/* What the mapping still reads as an identifier after `fields:` is not landed. */
static void refuses(void **state) {
  struct terms_ground ground;
  (void)state;
  terms_begin(&ground, NULL, "terms:\n  linked_by_name: encoded\n  fields: [key, date, born, sex, phone]\n");
  program_write(ground.folder, "mappings/ngo.yaml", MAPPING(""));
  terms_page(&ground, "ngo", "1", FIRST("QUISPE") SECOND);
  terms_run(&ground, 0, "--quiet sync");
  assert_int_equal(number(&ground, "SELECT count(*) FROM records"), 1);
  assert_int_equal(number(&ground, "SELECT max(rejected) FROM runs"), 1);
  assert_null(terms_found(&ground, "999888777"));
  terms_end(&ground);
  terms_begin(&ground, NULL, "terms:\n  linked_by_name: encoded\n");
  struct said said = program_run(ground.folder, "check");
  if (said.code != 2 || strstr(said.out, "linked_by_name: encoded needs fields") == NULL) {
    fail_msg("%d\n%s%s", said.code, said.out, said.err);
  }
  terms_end(&ground);
}

static void links_sqlite(void **state) {
  (void)state;
  links(NULL);
}

static void links_postgres(void **state) {
  (void)state;
  links("encoded_links");
}

static void comes_again_sqlite(void **state) {
  (void)state;
  comes_again(NULL);
}

static void comes_again_postgres(void **state) {
  (void)state;
  comes_again("encoded_again");
}

static void is_taken_out_sqlite(void **state) {
  (void)state;
  is_taken_out(NULL);
}

static void is_taken_out_postgres(void **state) {
  (void)state;
  is_taken_out("encoded_out");
}

/* The terms say codes instead of names, and keep the name: each record would be left out. */
static void a_kept_name_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *fields, *said;
  } cases[] = {
      {"[key, date, given, sex]", "keeps 'given', which is person.given_names\n  at: "},
      {"[key, doc]", "keeps 'doc', which is person.document_number\n  at: "},
  };
  char terms[256];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct terms_ground ground;
    snprintf(terms, sizeof terms, "terms:\n  linked_by_name: encoded\n  fields: %s\n", cases[i].fields);
    terms_begin(&ground, NULL, terms);
    program_write(ground.folder, "mappings/ngo.yaml", MAPPING(""));
    const char *said = terms_run(&ground, 2, "check");
    assert_non_null(strstr(said, "linked_by_name: encoded keeps no identifier, and fields "));
    assert_non_null(strstr(said, "mappings/ngo.yaml:"));
    assert_non_null(strstr(said, "out of fields in "));
    terms_end(&ground);
  }
  struct terms_ground ground;
  terms_begin(&ground, NULL, TERMS);
  program_write(ground.folder, "mappings/ngo.yaml", MAPPING(""));
  assert_null(strstr(terms_run(&ground, 0, "check"), "keeps no identifier"));
  terms_end(&ground);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(links_sqlite),
      cmocka_unit_test(links_postgres),
      cmocka_unit_test(comes_again_sqlite),
      cmocka_unit_test(comes_again_postgres),
      cmocka_unit_test(is_taken_out_sqlite),
      cmocka_unit_test(is_taken_out_postgres),
      cmocka_unit_test(refuses),
      cmocka_unit_test(a_kept_name_is_refused),
      cmocka_unit_test(ready_codes_link),
      cmocka_unit_test(marks_are_told_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
