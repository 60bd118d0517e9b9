/* A copy of the store that was made before a taking out: who erases is told of it, and a restore takes out again. */
#include "tests/support/postgres.h"
#include "tests/support/program.h"
#include "tests/support/terms.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ASK " --reason 'cancellation asked for' --document C-103"

static const char PAGE[] =
    "{\"key\":\"K1\",\"date\":\"2024-01-02\",\"doc\":\"45671234\",\"given\":\"YOVANA\",\"paternal\":\"ZUBIAURRE\","
    "\"maternal\":\"QUISPE\",\"born\":\"2004-05-06\",\"sex\":\"F\",\"consent\":\"share\"}\n"
    "{\"key\":\"K2\",\"date\":\"2024-01-03\",\"doc\":\"40404040\",\"given\":\"ROSA\",\"paternal\":\"MAMANI\","
    "\"maternal\":\"QUISPE\",\"born\":\"2003-05-06\",\"sex\":\"F\",\"consent\":\"share\"}\n";
static const char WITHDRAWN[] =
    "{\"key\":\"K2\",\"date\":\"2024-01-03\",\"doc\":\"40404040\",\"given\":\"ROSA\",\"paternal\":\"MAMANI\","
    "\"maternal\":\"QUISPE\",\"born\":\"2003-05-06\",\"sex\":\"F\",\"consent\":\"withdrawn\"}\n";
static const char POLICE[] =
    "{\"num\":\"D9\",\"date\":\"2024-01-01\",\"victims\":[{\"doc\":\"45671234\",\"given\":\"YOVANA\","
    "\"paternal\":\"ZUBIAURRE\",\"maternal\":\"QUISPE\",\"born\":\"2004-05-06\",\"sex\":\"F\",\"consent\":\"law\"},"
    "{\"doc\":\"41414141\",\"given\":\"ELENA\",\"paternal\":\"VARGAS\",\"maternal\":\"ROJAS\","
    "\"born\":\"2005-05-06\",\"sex\":\"F\",\"consent\":\"law\"}]}\n";

static void assert_says(const struct terms_ground *ground, const char *arguments, const char *wanted) {
  const char *said = terms_run(ground, 0, arguments);
  if (strstr(said, wanted) == NULL) {
    fail_msg("%s: \"%s\" is not in\n%s", arguments, wanted, said);
  }
}

static void assert_gone(const struct terms_ground *ground) {
  static const char *const TEXTS[] = {"ZUBIAURRE", "45671234", "YOVANA", "MAMANI", "40404040"};
  for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
    const char *where = terms_found(ground, TEXTS[i]);
    if (where != NULL) {
      fail_msg("%s is in %s", TEXTS[i], where);
    }
  }
  assert_non_null(terms_found(ground, "VARGAS"));
}

/* What stands in the store's place cannot tell what was taken out. */
static void lose_the_store(const struct terms_ground *ground) {
  if (ground->schema == NULL) {
    shell("cd %s && rm -f puente.db puente.db-*", ground->folder);
  } else {
    char sql[128];
    snprintf(sql, sizeof sql, "SET client_min_messages = warning; DROP SCHEMA \"%s\" CASCADE", ground->schema);
    postgres_run(sql);
  }
}

/* The list stands beside the copies and names nobody; it goes, so that the next one is its writer's own. */
static void take_list(const struct terms_ground *ground) {
  char *list = program_read(ground->folder, "backups/terms.erasures");
  assert_null(strstr(list, "45671234"));
  free(list);
  shell("rm %s/backups/terms.erasures", ground->folder);
}

static void copies(const char *schema) {
  struct terms_ground ground;
  char arguments[512];
  terms_begin(&ground, schema, NULL);
  terms_page(&ground, "ngo", "1", PAGE);
  terms_page(&ground, "reta", "1", POLICE);
  terms_run(&ground, 0, "--quiet run");
  terms_run(&ground, 0, "--quiet store backup");
  snprintf(arguments, sizeof arguments, "erase person %lld" ASK,
           (long long)workspace_number(ground.folder, "SELECT person_id FROM persons WHERE records = 2"));
  assert_says(&ground, arguments, "Copies made before, which still may hold it:");
  take_list(&ground);
  terms_page(&ground, "ngo", "2", WITHDRAWN);
  terms_run(&ground, 0, "--quiet run");
  assert_gone(&ground);
  take_list(&ground);
  shell("cd %s && mv backups/terms-*[bp] before", ground.folder);
  terms_run(&ground, 0, "--quiet store backup");
  for (int lost = 0; lost < 2; lost++) {
    if (lost == 0) {
      shell("cd %s && mv backups/terms.erasures kept", ground.folder);
    } else {
      shell("cd %s && mv kept backups/terms.erasures", ground.folder);
      lose_the_store(&ground);
    }
    assert_says(&ground, "store restore before", "taken out again, since it was after the copy: 3 records");
    assert_gone(&ground);
    assert_says(&ground, "erase list", "C-103");
    assert_says(&ground, "explain record ngo:K1", "by tester: cancellation asked for (document C-103)");
    assert_says(&ground, "audit verify --records", "audit ok");
    terms_run(&ground, 0, "--quiet run");
    terms_run(&ground, 0, "--quiet sync --full");
    assert_gone(&ground);
    assert_int_equal(workspace_number(ground.folder, "SELECT count(*) FROM persons"), 1);
    assert_says(&ground, "audit verify --records", "audit ok");
    assert_says(&ground, "store verify --full", "store ok");
  }
  terms_end(&ground);
}

static void on_sqlite(void **state) {
  (void)state;
  copies(NULL);
}
static void on_postgres(void **state) {
  (void)state;
  copies("copies");
}

int main(void) {
  setenv("PUENTE_ACTOR", "ana.rojas", 1);
  const struct CMUnitTest tests[] = {cmocka_unit_test(on_sqlite), cmocka_unit_test(on_postgres)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
