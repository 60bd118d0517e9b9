/* What `terms:` allow is what happens: fields, purposes, sight of officers; on both stores. */
#include "tests/support/postgres.h"
#include "tests/support/program.h"
#include "tests/support/temp.h"
#include "tests/support/terms.h"
#include "tests/support/workspace.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char NGO[] =
    "{\"key\":\"K1\",\"date\":\"2024-01-02\",\"doc\":\"45671234\",\"given\":\"YOVANA\",\"paternal\":\"ZUBIAURRE\","
    "\"maternal\":\"QUISPE\",\"born\":\"2004-05-06\",\"sex\":\"F\",\"consent\":\"share\",\"phone\":\"999888777\","
    "\"home\":{\"street\":\"AV TACNA 999\",\"town\":\"LIMA\"},\"kin\":[{\"name\":\"HILDA\"},{\"name\":\"OLGA\"}],"
    "\"a/b\":null}\n";
#define SHOWN(date, scope)                                                                                             \
  "{\"key\":\"K1\",\"date\":\"" date "\",\"doc\":\"45671234\",\"given\":\"YOVANA\",\"paternal\":\"ZUBIAURRE\","        \
  "\"maternal\":\"QUISPE\",\"sex\":\"F\",\"consent\":\"" scope "\"}\n"
static const char RETA[] =
    "{\"num\":\"D9\",\"date\":\"2024-01-01\",\"victims\":[{\"doc\":\"45671234\",\"given\":\"YOVANA\","
    "\"paternal\":\"ZUBIAURRE\",\"maternal\":\"QUISPE\",\"born\":\"2004-05-06\",\"sex\":\"F\"}]}\n";

static int64_t number(const struct terms_ground *ground, const char *sql) {
  return workspace_number(ground->folder, sql);
}

static void assert_said(const struct terms_ground *ground, int code, const char *arguments, const char *wanted) {
  struct said said = program_run(ground->folder, arguments);
  if (said.code != code || (strstr(said.out, wanted) == NULL && strstr(said.err, wanted) == NULL)) {
    fail_msg("%s: exit code %d, not %d, or without \"%s\"\n%s%s", arguments, said.code, code, wanted, said.out,
             said.err);
  }
}

/* ---- fields ---- */

static void fields_are_cut(const char *schema) {
  struct terms_ground ground;
  terms_begin(&ground, schema,
              "cut: born\nterms:\n  fields: [key, date, doc, given, paternal, sex, consent, home/town, born]\n");
  terms_page(&ground, "ngo", "1", NGO);
  terms_run(&ground, 0, "--quiet sync");
  static const char *const GONE[] = {"999888777", "AV TACNA 999", "HILDA", "OLGA", "QUISPE", "2004-05-06"};
  for (size_t i = 0; i < sizeof GONE / sizeof *GONE; i++) {
    const char *where = terms_found(&ground, GONE[i]);
    if (where != NULL) {
      fail_msg("%s is in %s", GONE[i], where);
    }
  }
  assert_non_null(terms_found(&ground, "ZUBIAURRE"));
  assert_non_null(terms_found(&ground, "LIMA"));
  /* born by `cut:`; phone, street, kin and the mother's name by what the terms do not name. */
  assert_int_equal(number(&ground, "SELECT max(cut) FROM runs"), 5);
  /* A value under a name that no path reaches cannot be cut: its record is left out, and counted. */
  terms_page(&ground, "ngo", "2", "{\"key\":\"K2\",\"date\":\"2024-01-02\",\"a/b\":\"HIDDEN\"}\n");
  terms_run(&ground, 0, "--quiet sync");
  assert_null(terms_found(&ground, "HIDDEN"));
  assert_int_equal(number(&ground, "SELECT max(rejected) FROM runs"), 1);
  assert_int_equal(number(&ground, "SELECT count(*) FROM records"), 1);
  terms_end(&ground);
}

static void nothing_is_allowed(void **state) {
  struct terms_ground ground;
  (void)state;
  terms_begin(&ground, NULL, "terms:\n  fields: []\n");
  terms_page(&ground, "ngo", "1", NGO);
  terms_run(&ground, 0, "--quiet sync");
  assert_null(terms_found(&ground, "ZUBIAURRE"));
  terms_end(&ground);
}

/* ---- purposes ---- */

static void purposes_are_asked(const char *schema) {
  struct terms_ground ground;
  char arguments[160];
  terms_begin(&ground, schema, "terms:\n  purposes: [protection, follow_up]\n");
  terms_page(&ground, "ngo", "1", NGO);
  terms_page(&ground, "ngo", "2", "{\"date\":\"2024-01-03\",\"doc\":\"1\"}\n");
  terms_page(&ground, "reta", "1", RETA);
  terms_run(&ground, 0, "--quiet run");
  static const char REFUSED[] = "the terms of source 'ngo' do not allow";
  int64_t person = number(&ground, "SELECT min(person_id) FROM persons");
  assert_said(&ground, 1, "explain record ngo:K1 --reveal --purpose statistics", REFUSED);
  assert_said(&ground, 0, "explain record ngo:K1 --reveal --purpose 'follow_up: case 12'", "ZUBIAURRE");
  assert_said(&ground, 0, "explain record reta:D9 --reveal --purpose statistics", "ZUBIAURRE");
  assert_said(&ground, 1, "export csv --out out --purpose followup", REFUSED);
  assert_said(&ground, 0, "export csv --out out --purpose 'protection'", "person");
  snprintf(arguments, sizeof arguments, "explain person %lld --reveal --purpose statistics", (long long)person);
  assert_said(&ground, 1, arguments, REFUSED); /* one of its records is of the police */
  snprintf(arguments, sizeof arguments, "explain person %lld --reveal --purpose protection", (long long)person);
  assert_said(&ground, 0, arguments, "ZUBIAURRE");
  snprintf(arguments, sizeof arguments, "quarantine show %lld --reveal --purpose statistics",
           (long long)number(&ground, "SELECT max(raw_id) FROM issues WHERE level = 'error'"));
  assert_said(&ground, 1, arguments, REFUSED);
  assert_int_equal(number(&ground, "SELECT count(*) FROM audit WHERE purpose = 'statistics'"), 1);
  terms_end(&ground);
}

/* ---- who sees ---- */

/* The first value of the answer, "null" where it is none. */
static char *ask_as(const char *login, const char *sql) {
  char conninfo[640];
  snprintf(conninfo, sizeof conninfo, "%s user=%s", postgres_start(), login);
  PGconn *connection = PQconnectdb(conninfo);
  PQclear(PQexec(connection, "SELECT \"shown_guard\".sight('person', p, 'hearing') FROM generate_series(1, 9) p"));
  PGresult *result = PQexec(connection, sql);
  if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1) {
    fail_msg("%s: %s: %s", login, sql, PQerrorMessage(connection));
  }
  char *text = strdup(PQgetisnull(result, 0, 0) ? "null" : PQgetvalue(result, 0, 0));
  PQclear(result);
  PQfinish(connection);
  return text;
}

static void assert_sees(const char *login, const char *column, const char *wanted) {
  char sql[120];
  snprintf(sql, sizeof sql, "SELECT \"%s\" FROM \"shown_officer\".person", column);
  char *text = ask_as(login, sql);
  if (strcmp(text, wanted) != 0) {
    fail_msg("%s sees %s of %s, not %s", login, text, column, wanted);
  }
  free(text);
}

/* Two officers of one person: the kind of document is the NGO's word, which it shows to the police; the birth is the
 * police's, which shows nothing. */
static void officers_see(void **state) {
  struct terms_ground ground;
  (void)state;
  terms_begin(&ground, "shown", "terms:\n  shown_to: [PE/PNP]\n");
  terms_page(&ground, "ngo", "1", SHOWN("2024-01-02", "share"));
  terms_page(&ground, "reta", "1", RETA);
  terms_run(&ground, 0, "store init");
  terms_run(&ground, 0, "access setup");
  postgres_run("CREATE ROLE o_police LOGIN; CREATE ROLE o_ngo LOGIN");
  terms_run(&ground, 0, "access grant o_police officer --institution PE/PNP");
  terms_run(&ground, 0, "access grant o_ngo officer --institution PE/CHS");
  terms_run(&ground, 0, "--quiet run");
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons"), 1);
  assert_sees("o_police", "document_type", "dni");
  assert_sees("o_ngo", "document_type", "dni");
  assert_sees("o_police", "birth_date", "2004-05-06");
  assert_sees("o_ngo", "birth_date", "null");
  /* She agreed to be linked, and not to be shown. */
  terms_page(&ground, "ngo", "2", SHOWN("2024-01-03", "link"));
  terms_run(&ground, 0, "--quiet run");
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons"), 1);
  assert_sees("o_police", "document_type", "null");
  assert_sees("o_ngo", "document_type", "dni");
  terms_page(&ground, "ngo", "3", SHOWN("2024-01-04", "share"));
  terms_run(&ground, 0, "--quiet run");
  assert_sees("o_police", "document_type", "dni");
  program_write(ground.folder, "sources/ngo.yaml",
                "source: ngo\ninstitution: PE/CHS\nunit: victim\nconnector: file\n"
                "options: {path: incoming/ngo, settle: 0s}\nprecedence: 1\nterms:\n  shown_to: [PE/MP]\n");
  terms_run(&ground, 0, "access setup");
  assert_sees("o_police", "document_type", "null");
  assert_sees("o_ngo", "document_type", "dni");
  terms_end(&ground);
}

/* ---- what cannot be kept is refused ---- */

static void what_is_not_kept_is_refused(void **state) {
  struct terms_ground ground;
  (void)state;
  terms_begin(&ground, NULL, "terms:\n  linked_by_name: false\n");
  assert_said(&ground, 2, "check", "linked_by_name: false cannot be kept");
  terms_end(&ground);
  terms_begin(&ground, NULL, "terms:\n  consent: requird\n");
  assert_said(&ground, 2, "check", "consent: unknown value 'requird'");
  assert_said(&ground, 2, "check", "sources/ngo.yaml:8:12\n       hint: did you mean 'required'?");
  terms_end(&ground);
  terms_begin(&ground, NULL, "terms:\n  purposes: [protectoin]\n");
  assert_said(&ground, 2, "check", "did you mean 'protection'?");
  terms_end(&ground);
  terms_begin(&ground, NULL, "terms:\n  agreement: {document: C-1, date: 2020-01-01, until: 2021-01-01}\n");
  assert_said(&ground, 0, "check", "its sharing agreement ended on 2021-01-01");
  terms_end(&ground);
}

static void test_fields_sqlite(void **state) {
  (void)state;
  fields_are_cut(NULL);
}
static void test_fields_postgres(void **state) {
  (void)state;
  fields_are_cut("fields");
}
static void test_purposes_sqlite(void **state) {
  (void)state;
  purposes_are_asked(NULL);
}
static void test_purposes_postgres(void **state) {
  (void)state;
  purposes_are_asked("purposes");
}

/* Keys are not sealed; one that tells who somebody is, is shown by a digest. */
static void a_telling_key_is_told(void **state) {
  (void)state;
  struct terms_ground ground;
  terms_begin(&ground, NULL, NULL);
  const char *said = terms_run(&ground, 0, "check");
  assert_non_null(strstr(said, "ngo.yaml:8: a key is read from 'doc', as person.document_number is: keys are not "
                               "sealed, use one that tells nobody"));
  terms_page(&ground, "ngo", "1",
             "{\"key\":\"K1\",\"date\":\"2024-01-02\",\"doc\":\"45671234\",\"given\":\"ROSA\",\"paternal\":\"MAMANI\","
             "\"maternal\":\"QUISPE\",\"born\":\"2004-05-06\",\"sex\":\"F\",\"consent\":\"share\"}\n");
  terms_run(&ground, 0, "--verbose run");
  static const char *const LINES[] = {"explain person 1",
                                      "--json explain person 1",
                                      "explain case 1",
                                      "explain record ngo:K1",
                                      "--json explain record ngo:K1",
                                      "explain figure victims --exact --purpose x",
                                      "audit list --json",
                                      "quarantine list",
                                      "report completeness",
                                      "--verbose link --full",
                                      "--verbose sync --full",
                                      "remap ngo --dry-run",
                                      "review list --json",
                                      "status --json"};
  bool digests = false;
  for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
    said = terms_run(&ground, 0, LINES[i]);
    assert_null(strstr(said, "45671234"));
    digests = digests || strstr(said, "key keyed:") != NULL;
  }
  assert_true(digests);
  assert_non_null(strstr(terms_run(&ground, 0, "explain person 1 --reveal --purpose hearing"), "key K1/45671234"));
  terms_end(&ground);
}

int main(void) {
  setenv("PUENTE_ACTOR", "ana.rojas", 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fields_sqlite),          cmocka_unit_test(test_fields_postgres),
      cmocka_unit_test(nothing_is_allowed),          cmocka_unit_test(test_purposes_sqlite),
      cmocka_unit_test(test_purposes_postgres),      cmocka_unit_test(officers_see),
      cmocka_unit_test(what_is_not_kept_is_refused), cmocka_unit_test(a_telling_key_is_told)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
