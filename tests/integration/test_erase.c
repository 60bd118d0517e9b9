/* What is taken out is nowhere in the store, does not come back, and leaves the others as they were; on both stores. */
#include "tests/support/postgres.h"
#include "tests/support/terms.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ASK " --reason 'asked by the person' --document C-103"

static const char FIRST[] =
    "{\"key\":\"K1\",\"date\":\"2024-01-02\",\"doc\":\"45671234\",\"given\":\"YOVANA\",\"paternal\":\"ZUBIAURRE\","
    "\"maternal\":\"QUISPE\",\"born\":\"2004-05-06\",\"sex\":\"F\",\"consent\":\"share\"}\n"
    "{\"key\":\"K2\",\"date\":\"2024-01-03\",\"doc\":\"40404040\",\"given\":\"ROSA\",\"paternal\":\"MAMANI\","
    "\"maternal\":\"QUISPE\",\"born\":\"2003-05-06\",\"sex\":\"F\",\"consent\":\"share\"}\n";
/* The same person under another spelling, with another one in the record. */
static const char POLICE[] =
    "{\"num\":\"D9\",\"date\":\"2024-01-01\",\"victims\":[{\"doc\":\"45671234\",\"given\":\"YOVANA\","
    "\"paternal\":\"ZUBIAURRE\",\"maternal\":\"QUISPE\",\"born\":\"2004-05-06\",\"sex\":\"F\",\"consent\":\"law\"},"
    "{\"doc\":\"41414141\",\"given\":\"ELENA\",\"paternal\":\"HUAMAN\",\"maternal\":\"ROJAS\","
    "\"born\":\"2005-05-06\",\"sex\":\"F\",\"consent\":\"law\"}]}\n";
static const char POLICE_LATER[] =
    "{\"num\":\"D9\",\"date\":\"2024-01-09\",\"victims\":[{\"doc\":\"45671234\",\"given\":\"YOVANA\","
    "\"paternal\":\"ZUBIAURRE\",\"maternal\":\"QUISPE\",\"born\":\"2004-05-06\",\"sex\":\"F\",\"consent\":\"law\"},"
    "{\"doc\":\"41414141\",\"given\":\"ELENA\",\"paternal\":\"HUAMAN\",\"maternal\":\"VARGAS\","
    "\"born\":\"2005-05-06\",\"sex\":\"F\",\"consent\":\"law\"}]}\n";
/* The erased record in its former version and in a newer one. */
static const char AGAIN[] =
    "{\"key\":\"K1\",\"date\":\"2024-02-02\",\"doc\":\"45671234\",\"given\":\"YOVANA\",\"paternal\":\"ZUBIAURRE\","
    "\"maternal\":\"QUISPE\",\"born\":\"2004-05-06\",\"sex\":\"F\",\"consent\":\"share\"}\n";

static const char POLICE_OTHERS[] =
    "{\"num\":\"D9\",\"date\":\"2024-01-01\",\"victims\":[{\"doc\":\"41414141\",\"given\":\"ELENA\",\"paternal\":"
    "\"HUAMAN\","
    "\"maternal\":\"VARGAS\",\"born\":\"2005-05-06\",\"sex\":\"F\",\"consent\":\"law\"}]}\n";
static const char ROSA_LATER[] =
    "{\"key\":\"K2\",\"date\":\"2024-03-03\",\"doc\":\"40404040\",\"given\":\"ROSA\",\"paternal\":\"MAMANI\","
    "\"maternal\":\"QUISPE\",\"born\":\"2003-05-06\",\"sex\":\"F\",\"consent\":\"share\"}\n";

static void assert_nowhere(const struct terms_ground *ground) {
  static const char *const TEXTS[] = {"ZUBIAURRE", "45671234", "YOVANA"};
  for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
    const char *where = terms_found(ground, TEXTS[i]);
    if (where != NULL) {
      fail_msg("%s is in %s", TEXTS[i], where);
    }
  }
}

static void assert_says(const struct terms_ground *ground, const char *arguments, const char *wanted) {
  const char *said = terms_run(ground, 0, arguments);
  if (strstr(said, wanted) == NULL) {
    fail_msg("%s: \"%s\" is not in\n%s", arguments, wanted, said);
  }
}

static int64_t person_of(const struct terms_ground *ground, int records) {
  char sql[120];
  snprintf(sql, sizeof sql, "SELECT person_id FROM persons WHERE records = %d ORDER BY person_id LIMIT 1", records);
  return workspace_number(ground->folder, sql);
}

static void land(const struct terms_ground *ground) {
  terms_page(ground, "ngo", "1", FIRST);
  terms_page(ground, "reta", "1", POLICE);
  terms_run(ground, 0, "--quiet run");
  assert_int_equal(workspace_number(ground->folder, "SELECT count(*) FROM persons"), 3);
  assert_non_null(terms_found(ground, "ZUBIAURRE"));
  /* A dump of the database, that anybody may carry off, has names under seal alone. */
  assert_false(ground->schema != NULL && (terms_dumped(ground, "ZUBIAURRE") || terms_dumped(ground, "HUAMAN")));
}

/* All of it or nothing, whenever it is killed: what went, the run and the entry are of one transaction. */
static void assert_one_transaction(const struct terms_ground *ground) {
  int code = 0;
  if (ground->schema == NULL) {
    return; /* SQLite does not tell; the code is the same */
  }
  char *count =
      shell_output(&code,
                   "psql -At -v ON_ERROR_STOP=1 --dbname='%s' -c \"SET search_path TO %s; SELECT count(*), "
                   "count(DISTINCT x) FROM (SELECT xmin::text AS x FROM audit_log WHERE event = 'erase' UNION "
                   "ALL SELECT xmin::text FROM raw_record WHERE state = 2 UNION ALL SELECT xmin::text FROM "
                   "run WHERE kind = 'erase') t\" | tail -n 1",
                   postgres_start(), ground->schema);
  assert_int_equal(code, 0);
  long rows = strtol(count, NULL, 10);
  assert_true(rows >= 3);
  assert_string_equal(strchr(count, '|'), "|1\n");
  free(count);
}

static void record_goes(const char *schema) {
  struct terms_ground ground;
  terms_begin(&ground, schema, NULL);
  terms_page(&ground, "ngo", "1", FIRST);
  terms_run(&ground, 0, "--quiet run");
  assert_says(&ground, "erase ngo:K1 --dry-run" ASK, "records 1");
  assert_non_null(terms_found(&ground, "ZUBIAURRE"));
  terms_run(&ground, 2, "erase ngo:K1");
  assert_says(&ground, "erase ngo:K1" ASK, "records 1");
  assert_one_transaction(&ground);
  assert_nowhere(&ground);
  assert_says(&ground, "erase list", "C-103");
  terms_run(&ground, 0, "--quiet link");
  assert_int_equal(workspace_number(ground.folder, "SELECT count(*) FROM persons"), 1);
  /* The same bytes, newer ones, and every way to bring them back. */
  terms_page(&ground, "ngo", "2", FIRST);
  terms_page(&ground, "ngo", "3", AGAIN);
  terms_run(&ground, 0, "--quiet sync");
  terms_run(&ground, 0, "--quiet sync ngo --full");
  terms_run(&ground, 0, "--quiet remap ngo");
  terms_run(&ground, 0, "--quiet quarantine retry ngo");
  terms_run(&ground, 0, "--quiet sync ngo --reload --max-drop 1");
  assert_nowhere(&ground);
  terms_run(&ground, 0, "--quiet link");
  assert_int_equal(workspace_number(ground.folder, "SELECT count(*) FROM persons"), 1);
  assert_says(&ground, "audit verify --records", "audit ok");
  assert_says(&ground, "store verify --full", "store ok");
  terms_end(&ground);
}

/* The same bytes are the same record, whatever the mapping takes for its key later. */
static void another_key_brings_nothing_back(const char *schema) {
  struct terms_ground ground;
  terms_begin(&ground, schema, NULL);
  terms_page(&ground, "ngo", "1", FIRST);
  terms_run(&ground, 0, "--quiet run");
  assert_says(&ground, "erase ngo:K1" ASK, "records 1");
  shell("sed -i 's/^  key: key/  key: [key, date]/' %s/mappings/ngo.yaml", ground.folder);
  char page[1024]; /* not byte for byte the file that was read before */
  snprintf(page, sizeof page, "%s{\"key\":\"K3\",\"date\":\"2024-01-04\",\"doc\":\"42424242\",\"sex\":\"F\"}\n", FIRST);
  terms_page(&ground, "ngo", "2", page);
  terms_run(&ground, 0, "--quiet sync ngo");
  assert_int_equal(workspace_number(ground.folder, "SELECT rejected FROM runs ORDER BY run_id DESC LIMIT 1"), 1);
  assert_int_equal(workspace_number(ground.folder, "SELECT fresh FROM runs ORDER BY run_id DESC LIMIT 1"), 2);
  assert_nowhere(&ground);
  terms_end(&ground);
}

/* Both persons of the police's record, each in a record of her own; the sex of all leaves issues. */
static const char BOTH[] =
    "{\"key\":\"K1\",\"date\":\"2024-01-02\",\"doc\":\"45671234\",\"given\":\"YOVANA\",\"paternal\":\"ZUBIAURRE\","
    "\"maternal\":\"QUISPE\",\"born\":\"2004-05-06\",\"sex\":\"F\",\"consent\":\"share\"}\n"
    "{\"key\":\"K2\",\"date\":\"2024-01-03\",\"doc\":\"41414141\",\"given\":\"ELENA\",\"paternal\":\"HUAMAN\","
    "\"maternal\":\"ROJAS\",\"born\":\"2005-05-06\",\"sex\":\"F\",\"consent\":\"share\"}\n";

static void assert_notes(const struct terms_ground *ground, int pairs, int issues) {
  assert_int_equal(workspace_number(ground->folder, "SELECT count(*) FROM pairs"), pairs);
  assert_int_equal(workspace_number(ground->folder, "SELECT count(*) FROM issues"), issues);
}

/* What linking and mapping noted of a record goes with it, whichever side of a pair it is; that of others stays. */
static void notes_go(const char *schema) {
  struct terms_ground ground;
  terms_begin(&ground, schema, NULL);
  terms_page(&ground, "ngo", "1", BOTH);
  terms_page(&ground, "reta", "1", POLICE);
  terms_run(&ground, 0, "--quiet run");
  assert_notes(&ground, 2, 4);
  terms_run(&ground, 0, "erase ngo:K1" ASK);
  assert_notes(&ground, 1, 3);
  terms_run(&ground, 0, "erase reta:D9" ASK);
  assert_notes(&ground, 0, 1);
  terms_end(&ground);
}

static void person_goes(const char *schema) {
  struct terms_ground ground;
  char arguments[160];
  terms_begin(&ground, schema, NULL);
  land(&ground);
  snprintf(arguments, sizeof arguments, "erase person %lld" ASK, (long long)person_of(&ground, 2));
  assert_notes(&ground, 1, 4);
  assert_says(&ground, arguments, "records 2, of which others stay in 1");
  assert_nowhere(&ground);
  assert_notes(&ground, 0, 1);
  terms_run(&ground, 0, "--quiet link");
  assert_int_equal(workspace_number(ground.folder, "SELECT count(*) FROM persons"), 2);
  assert_non_null(terms_found(&ground, "ROSA"));
  assert_non_null(terms_found(&ground, "ELENA"));
  /* The record of both changes: what it says of the other one is taken. */
  terms_page(&ground, "reta", "2", POLICE_LATER);
  terms_run(&ground, 0, "--quiet sync");
  terms_run(&ground, 0, "--quiet remap");
  terms_run(&ground, 0, "--quiet link");
  assert_nowhere(&ground);
  assert_non_null(terms_found(&ground, "VARGAS"));
  assert_int_equal(workspace_number(ground.folder, "SELECT count(*) FROM persons"), 2);
  assert_says(&ground, "audit verify --records", "audit ok");
  assert_says(&ground, "store verify --full", "store ok");
  terms_end(&ground);
}

/* Another program has the store open, so that nobody who closes it writes its pages back: the erasure does. */
static void test_beside_a_reader(void **state) {
  (void)state;
  struct terms_ground ground;
  char path[512], arguments[160];
  sqlite3 *reader = NULL;
  terms_begin(&ground, NULL, NULL);
  land(&ground);
  snprintf(path, sizeof path, "%s/puente.db", ground.folder);
  snprintf(arguments, sizeof arguments, "erase person %lld" ASK, (long long)person_of(&ground, 2));
  assert_int_equal(sqlite3_open_v2(path, &reader, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_exec(reader, "SELECT count(*) FROM run", NULL, NULL, NULL), SQLITE_OK);
  terms_run(&ground, 0, arguments);
  assert_nowhere(&ground);
  sqlite3_close(reader);
  terms_end(&ground);
}

/* What did not change for longer than its terms allow goes; what changed since, and other sources', stays. */
static void time_is_over(const char *schema) {
  struct terms_ground ground;
  static const char EARLIER[] = "SET started = started - 40 * 86400000000";
  terms_begin(&ground, schema, "terms:\n  retention: {keep: 1m, then: erase}\n");
  terms_page(&ground, "ngo", "1", FIRST);
  terms_page(&ground, "reta", "1", POLICE_OTHERS);
  terms_run(&ground, 0, "--quiet run");
  if (schema == NULL) {
    shell("sqlite3 %s/puente.db 'UPDATE run %s'", ground.folder, EARLIER);
  } else {
    char sql[160];
    snprintf(sql, sizeof sql, "UPDATE \"%s\".run %s", schema, EARLIER);
    postgres_run(sql);
  }
  terms_page(&ground, "ngo", "2", ROSA_LATER);
  terms_run(&ground, 0, "--quiet sync");
  assert_says(&ground, "erase expired --dry-run", "ngo: 1 records are over the time that its terms allow");
  assert_non_null(terms_found(&ground, "ZUBIAURRE"));
  assert_says(&ground, "erase expired", "records 1");
  assert_nowhere(&ground);
  assert_non_null(terms_found(&ground, "MAMANI"));
  assert_non_null(terms_found(&ground, "VARGAS"));
  assert_says(&ground, "erase list", "retention of 1 months");
  terms_run(&ground, 0, "--quiet sync --full");
  assert_says(&ground, "erase expired", "records 0");
  terms_run(&ground, 0, "--quiet link");
  assert_nowhere(&ground);
  assert_says(&ground, "audit verify --records", "audit ok");
  terms_end(&ground);
}

static void test_record_sqlite(void **state) {
  (void)state;
  record_goes(NULL);
}
static void test_record_postgres(void **state) {
  (void)state;
  record_goes("one");
}
static void test_key_sqlite(void **state) {
  (void)state;
  another_key_brings_nothing_back(NULL);
}
static void test_key_postgres(void **state) {
  (void)state;
  another_key_brings_nothing_back("key");
}
static void test_notes_sqlite(void **state) {
  (void)state;
  notes_go(NULL);
}
static void test_notes_postgres(void **state) {
  (void)state;
  notes_go("notes");
}
static void test_person_sqlite(void **state) {
  (void)state;
  person_goes(NULL);
}
static void test_person_postgres(void **state) {
  (void)state;
  person_goes("two");
}

static void test_time_sqlite(void **state) {
  (void)state;
  time_is_over(NULL);
}
static void test_time_postgres(void **state) {
  (void)state;
  time_is_over("over");
}

int main(void) {
  setenv("PUENTE_ACTOR", "ana.rojas", 1);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_beside_a_reader), cmocka_unit_test(test_key_sqlite),
                                     cmocka_unit_test(test_key_postgres),    cmocka_unit_test(test_record_sqlite),
                                     cmocka_unit_test(test_record_postgres), cmocka_unit_test(test_notes_sqlite),
                                     cmocka_unit_test(test_notes_postgres),  cmocka_unit_test(test_person_sqlite),
                                     cmocka_unit_test(test_person_postgres), cmocka_unit_test(test_time_sqlite),
                                     cmocka_unit_test(test_time_postgres)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
