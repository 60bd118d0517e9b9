/* What the scope of consent that a record tells allows is what stays: withheld, counted, withdrawn, renewed; on both
 * stores, by every way that a record comes. */
#include "tests/support/program.h"
#include "tests/support/terms.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define YOVANA(key, more)                                                                                              \
  "{\"key\":\"" key "\",\"date\":\"2024-01-02\",\"doc\":\"45671234\",\"given\":\"YOVANA\",\"paternal\":\"ZUBIAURRE\"," \
  "\"maternal\":\"QUISPE\",\"born\":\"2004-05-06\",\"sex\":\"F\"" more "}\n"
#define ROSA                                                                                                           \
  "{\"key\":\"K2\",\"date\":\"2024-01-05\",\"doc\":\"40112233\",\"given\":\"ROSA\",\"paternal\":\"HUAMAN\","           \
  "\"maternal\":\"QUISPE\",\"born\":\"2003-05-06\",\"sex\":\"F\",\"consent\":\"share\"}\n"
#define VICTIM(doc, given, paternal, consent)                                                                          \
  "{\"doc\":\"" doc "\",\"given\":\"" given "\",\"paternal\":\"" paternal "\",\"maternal\":\"QUISPE\","                \
  "\"born\":\"2004-05-06\",\"sex\":\"F\",\"consent\":\"" consent "\"}"
#define POLICE(date, yovana)                                                                                           \
  "{\"num\":\"D9\",\"date\":\"" date "\",\"victims\":[" VICTIM("45671234", "YOVANA", "ZUBIAURRE", yovana) "," VICTIM(  \
      "40998877", "ELENA", "VARGAS", "law") "]}\n"

static int64_t number(const struct terms_ground *ground, const char *sql) {
  return workspace_number(ground->folder, sql);
}

static void assert_says(const struct terms_ground *ground, const char *arguments, const char *wanted) {
  const char *said = terms_run(ground, 0, arguments);
  if (strstr(said, wanted) == NULL) {
    fail_msg("%s: \"%s\" is not in\n%s", arguments, wanted, said);
  }
}

static void assert_nowhere(const struct terms_ground *ground) {
  static const char *const TEXTS[] = {"ZUBIAURRE", "45671234", "YOVANA"};
  for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
    const char *where = terms_found(ground, TEXTS[i]);
    if (where != NULL) {
      fail_msg("%s is in %s", TEXTS[i], where);
    }
  }
}

static void assert_sound(const struct terms_ground *ground) {
  assert_says(ground, "audit verify --records", "audit ok");
  assert_says(ground, "store verify --full", "store ok");
  assert_int_equal(number(ground, "SELECT count(*) FROM runs WHERE state <> 'done'"), 0);
  assert_int_equal(number(ground, "SELECT count(*) FROM runs WHERE fresh + changed <> mapped + quarantined + withheld "
                                  "AND kind IN ('sync', 'remap', 'reload')"),
                   0);
}

static void sync(const struct terms_ground *ground, const char *source, const char *page, const char *lines) {
  terms_page(ground, source, page, lines);
  terms_run(ground, 0, "--quiet sync");
}

/* ---- withdrawn ---- */

static void every_way(const struct terms_ground *ground) {
  terms_run(ground, 0, "--quiet sync ngo --full");
  terms_run(ground, 0, "--quiet remap");
  terms_run(ground, 0, "--quiet quarantine retry");
  terms_run(ground, 0, "--quiet sync ngo --reload --max-drop 1");
  terms_run(ground, 0, "--quiet link");
}

static void withdrawal(const char *schema) {
  struct terms_ground ground;
  terms_begin(&ground, schema, NULL);
  sync(&ground, "ngo", "1", YOVANA("K1", ",\"consent\":\"share\"") ROSA);
  terms_run(&ground, 0, "--quiet link");
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons"), 2);
  assert_non_null(terms_found(&ground, "ZUBIAURRE"));
  terms_page(&ground, "ngo", "2", YOVANA("K1", ",\"consent\":\"withdrawn\""));
  assert_says(&ground, "sync", "taken out for want of consent: 1 records");
  assert_nowhere(&ground);
  assert_says(&ground, "erase list", "consent withdrawn");
  assert_says(&ground, "explain record ngo:K1", "was erased on ");
  assert_int_equal(number(&ground, "SELECT count(*) FROM audit WHERE event = 'erase' AND source = 'ngo'"), 1);
  assert_int_equal(number(&ground, "SELECT count(*) FROM records WHERE state = 'withheld'"), 1);
  assert_int_equal(number(&ground, "SELECT count(*) FROM issues WHERE reason = 'withdrawn'"), 1);
  terms_run(&ground, 0, "--quiet link");
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons"), 1);
  assert_says(&ground, "explain person 1", "was erased on ");
  /* What she said before does not come back, whichever way it comes. */
  sync(&ground, "ngo", "3", YOVANA("K1", ",\"consent\":\"share\""));
  every_way(&ground);
  assert_nowhere(&ground);
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons"), 1);
  assert_sound(&ground);
  /* Another word of hers does: it is newer than all that was there. */
  sync(&ground, "ngo", "4", YOVANA("K1", ",\"consent\":\"share\",\"phone\":\"1\""));
  terms_run(&ground, 0, "--quiet link");
  assert_non_null(terms_found(&ground, "ZUBIAURRE"));
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons"), 2);
  /* A day of withdrawal is a withdrawal, whatever the scope says. */
  sync(&ground, "ngo", "5", YOVANA("K1", ",\"consent\":\"share\",\"withdrawn\":\"2026-05-01\""));
  assert_nowhere(&ground);
  assert_sound(&ground);
  terms_end(&ground);
}

/* ---- one of several persons ---- */

static void one_of_several(const char *schema) {
  struct terms_ground ground;
  terms_begin(&ground, schema, NULL);
  sync(&ground, "reta", "1", POLICE("2024-01-01", "share"));
  terms_run(&ground, 0, "--quiet link");
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons"), 2);
  sync(&ground, "reta", "2", POLICE("2024-01-02", "withdrawn"));
  assert_nowhere(&ground);
  assert_non_null(terms_found(&ground, "VARGAS"));
  terms_run(&ground, 0, "--quiet link");
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons"), 1);
  assert_int_equal(number(&ground, "SELECT count(*) FROM records WHERE state = 'mapped'"), 1);
  sync(&ground, "reta", "3", POLICE("2024-01-01", "share"));
  every_way(&ground);
  assert_nowhere(&ground);
  assert_non_null(terms_found(&ground, "VARGAS"));
  assert_sound(&ground);
  /* Counted: she is in the figures, and nothing tells who she is. */
  sync(&ground, "reta", "4", POLICE("2024-01-03", "count"));
  terms_run(&ground, 0, "--quiet link");
  assert_nowhere(&ground);
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons"), 2);
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons WHERE birth_date IS NOT NULL"), 2);
  sync(&ground, "reta", "5", POLICE("2024-01-04", "share"));
  assert_non_null(terms_found(&ground, "ZUBIAURRE"));
  sync(&ground, "reta", "6", POLICE("2024-01-05", "count"));
  assert_nowhere(&ground);
  sync(&ground, "reta", "7", POLICE("2024-01-06", "withdrawn"));
  terms_run(&ground, 0, "--quiet link");
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons"), 1);
  assert_sound(&ground);
  terms_end(&ground);
}

/* ---- consent: required ---- */

static void silence_is_withheld(const char *schema) {
  struct terms_ground ground;
  terms_begin(&ground, schema, "terms:\n  consent: required\n");
  sync(&ground, "ngo", "1",
       YOVANA("K1", ",\"consent\":\"none\"") YOVANA("CLIENT-7781", "")
           YOVANA("K4", ",\"consent\":\"PERHAPS\"") "{\"key\":\"K5\",\"given\":\"YOVANA\",\"consent\":\"share\"}\n{"
                                                    "broken YOVANA\n" ROSA);
  assert_nowhere(&ground);
  assert_null(terms_found(&ground, "CLIENT-7781"));
  assert_non_null(terms_found(&ground, "HUAMAN"));
  assert_int_equal(number(&ground, "SELECT count(*) FROM records WHERE state = 'withheld'"), 3);
  assert_int_equal(number(&ground, "SELECT count(*) FROM records WHERE state = 'quarantined'"), 2);
  assert_int_equal(number(&ground, "SELECT count(*) FROM issues WHERE reason = 'no_consent'"), 3);
  assert_int_equal(number(&ground, "SELECT withheld FROM runs WHERE source = 'ngo'"), 3);
  assert_says(&ground, "report sources", "withheld");
  assert_says(&ground, "explain record ngo:CLIENT-7781", "no_consent");
  every_way(&ground);
  assert_nowhere(&ground);
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons"), 1);
  sync(&ground, "ngo", "2", YOVANA("CLIENT-7781", ",\"consent\":\"share\""));
  assert_non_null(terms_found(&ground, "ZUBIAURRE"));
  assert_sound(&ground);
  terms_end(&ground);
}

/* The terms become strict after records were landed: what a remap, or a later record, meets goes. */
static void later_terms(const char *schema) {
  struct terms_ground ground;
  terms_begin(&ground, schema, NULL);
  sync(&ground, "ngo", "1", YOVANA("K1", "") ROSA);
  assert_non_null(terms_found(&ground, "ZUBIAURRE"));
  program_write(ground.folder, "sources/ngo.yaml",
                "source: ngo\ninstitution: PE/CHS\nunit: victim\nconnector: file\n"
                "options: {path: incoming/ngo, settle: 0s}\nterms:\n  consent: required\n");
  char *mapping = program_read(ground.folder, "mappings/ngo.yaml");
  char changed[4096];
  snprintf(changed, sizeof changed, "%s# another version\n", mapping);
  free(mapping);
  program_write(ground.folder, "mappings/ngo.yaml", changed);
  terms_run(&ground, 0, "--quiet remap ngo");
  assert_nowhere(&ground);
  assert_says(&ground, "erase list", "no consent");
  assert_non_null(terms_found(&ground, "HUAMAN"));
  every_way(&ground);
  assert_nowhere(&ground);
  assert_sound(&ground);
  terms_end(&ground);
}

/* What consent took out is not left in the free room of the file either. */
static void files_let_go(void **state) {
  enum { MANY = 400, LINE = 220 };
  struct terms_ground ground;
  static char pages[2][MANY * LINE];
  char text[16];
  (void)state;
  for (int page = 0; page < 2; page++) {
    size_t used = 0;
    for (int i = 0; i < MANY; i++) {
      used +=
          (size_t)snprintf(pages[page] + used, LINE,
                           "{\"key\":\"K%d\",\"date\":\"2024-01-02\",\"doc\":\"4%07d\",\"given\":\"YOVANA\",\"sex\":"
                           "\"F\",\"consent\":\"%s\"}\n",
                           i, i * 7919, page == 0 ? "share" : "withdrawn");
    }
  }
  terms_begin(&ground, NULL, NULL);
  sync(&ground, "ngo", "1", pages[0]);
  sync(&ground, "ngo", "2", pages[1]);
  for (int i = 0; i < MANY; i++) {
    snprintf(text, sizeof text, "4%07d", i * 7919);
    int code = 0;
    free(shell_output(&code, "grep -aq %s %s/puente.db", text, ground.folder));
    assert_int_equal(code, 1);
  }
  terms_end(&ground);
}

static void both(void (*one)(const char *schema), const char *schema) {
  one(NULL);
  one(schema);
}

static void a_withdrawal_takes_out(void **state) {
  (void)state;
  both(withdrawal, "withdrawal");
}
static void others_of_the_record_stay(void **state) {
  (void)state;
  both(one_of_several, "several");
}
static void no_consent_is_withheld(void **state) {
  (void)state;
  both(silence_is_withheld, "silence");
}
static void terms_become_strict(void **state) {
  (void)state;
  both(later_terms, "later");
}

int main(void) {
  setenv("PUENTE_ACTOR", "ana.rojas", 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_withdrawal_takes_out), cmocka_unit_test(others_of_the_record_stay),
      cmocka_unit_test(no_consent_is_withheld), cmocka_unit_test(terms_become_strict), cmocka_unit_test(files_let_go)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
