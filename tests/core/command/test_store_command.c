/* `puente store` and `puente query` as a user runs them. */
#include "core/store/store.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *folder;

static void says(const char *arguments, int wanted_code, const char *wanted) {
  int code;
  /* How many tables there are, and of what format, is no matter of these tests. */
  char *text = shell_output(&code,
                            "LANGUAGE=en %s/puente --config %s/w/puente.yaml %s >%s/out 2>&1; code=$?; "
                            "sed -E 's#%s#DIR#g; s/(tables=)[0-9]+( rows=)[0-9]+/\\1T\\2R/; "
                            "s/(entries=1 head=)[0-9a-f]{64}/\\1HASH/; s/[0-9]+ tables, [0-9]+ rows/T tables, R rows/; "
                            "s/(\"\"rows\"\":)[0-9]+/\\1R/; "
                            "s/of version %d/of version V/; s/\"(from|to)\":%d/\"\\1\":V/g' %s/out; exit $code",
                            build_folder(), folder, arguments, folder, folder, store_format(), store_format(), folder);
  assert_string_equal(text, wanted);
  assert_int_equal(code, wanted_code);
  free(text);
}

static int ends_with(const char *arguments) {
  int code;
  free(shell_output(&code, "LANGUAGE=en %s/puente --config %s/w/puente.yaml %s 2>/dev/null", build_folder(), folder,
                    arguments));
  return code;
}

static int setup(void **state) {
  (void)state;
  int code;
  folder = temp_make();
  setenv("PUENTE_ACTOR", "tester", 1);
  free(shell_output(&code, "%s/puente --quiet init %s/w", build_folder(), folder));
  return code;
}

static int teardown(void **state) {
  (void)state;
  temp_remove(folder);
  return 0;
}

static void test_store(void **state) {
  (void)state;
  assert_int_equal(ends_with("store verify"), 1);
  assert_int_equal(ends_with("store init"), 0);
  says("store init", 2,
       "error: there is a store here already\n  hint: nothing was changed; `puente status` shows it\n");
  assert_int_equal(ends_with("store init"), 2);
  says("store verify", 0,
       "audit ok: entries=0 head=0000000000000000000000000000000000000000000000000000000000000000\n"
       "store ok: tables=T rows=R digests=0\n");
  says("store migrate", 0, "the store is of version V already: nothing to do\n");
  says("--json store migrate", 0, "{\"from\":V,\"to\":V,\"backup\":null}\n");
  says("store backup a b", 2,
       "error: backup takes fewer arguments\n  hint: puente store init|migrate|rollback|backup [FILE|FOLDER]|restore "
       "FILE|verify [FILE]\n");
  char arguments[512];
  snprintf(arguments, sizeof arguments, "store backup %s/copy.db", folder);
  says(arguments, 0,
       "copied to DIR/copy.db: T tables, R rows\n"
       "read back: opened, every page checked, counted, its audit chain checked\n"
       "its SHA-256: DIR/copy.db.sha256; carry it along with the copy\n"
       "the key is not in it: keep a copy of the key file elsewhere\n");
  says(arguments, 1,
       "error: a backup never replaces a file that is there\n  at: DIR/copy.db\n  hint: give another name\n");
  says("status --json | grep -E '\"(backup|restored)\":' | cut -c 1-14", 0, "  \"backup\": \"2\n  \"restored\": \n");
  says("query --purpose test --csv 'SELECT event, body FROM audit WHERE sequence = 2'", 0,
       "event,body\r\nbackup,\"{\"\"file\"\":\"\"copy.db\"\",\"\"proof\"\":\"\"opened\"\",\"\"rows\"\":R}\"\r\n");
  says("store restore", 2,
       "error: restore takes one file name\n  hint: puente store init|migrate|rollback|backup [FILE|FOLDER]|restore "
       "FILE|verify [FILE]\n");
  says("store rollback", 1,
       "error: this store knows of no upgrade\n  hint: `puente store restore FILE` puts a copy back that you name\n");
}

/* A second rollback does not go on to the copy that an upgrade before had made. */
static void test_rollback_once(void **state) {
  (void)state;
  assert_int_equal(ends_with("store init"), 0);
  for (int i = 0; i < 2; i++) {
    shell("sqlite3 %s/w/puente.db 'PRAGMA user_version = %d'", folder, store_format() - 1);
    assert_int_equal(ends_with("store migrate"), 0);
  }
  assert_int_equal(ends_with("store rollback"), 0);
  says("store rollback", 1,
       "error: this store knows of no upgrade\n  hint: `puente store restore FILE` puts a copy back that you name\n");
}

/* What cannot be a copy is told at once, without looking for a store in it. */
static void test_no_copies(void **state) {
  (void)state;
  shell("mkfifo %s/pipe && mkdir %s/folder && : >%s/empty", folder, folder, folder);
  const char *const names[] = {"pipe", "folder", "empty"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char arguments[512], wanted[256];
    snprintf(arguments, sizeof arguments, "store verify %s/%s", folder, names[i]);
    snprintf(wanted, sizeof wanted, "error: the copy holds no store\n  at: DIR/%s\n  hint: take another copy\n",
             names[i]);
    says(arguments, 1, wanted);
  }
}

/* In a folder, the newest stay; what is of another workspace, or of nobody, is left alone. */
static void test_folder(void **state) {
  (void)state;
  char command[512];
  int code;
  snprintf(command, sizeof command,
           "mkdir %s/w/backups && cd %s/w/backups && for i in 1 2 3; do touch w-2020-01-0${i}T000000Z.db; done; touch "
           "w-2020-01-02T000000Z.db.sha256 && touch "
           "x-2020-01-01T000000Z.db w-2020-01-01.db w-2020-01-01T000000Z.dump",
           folder, folder);
  shell("%s", command);
  assert_int_equal(ends_with("store init"), 0);
  assert_int_equal(ends_with("store backup --keep 2"), 0);
  assert_int_equal(ends_with("store backup --keep 0"), 2);
  char *left =
      shell_output(&code, "ls %s/w/backups | sed 's/-2[1-9].*/-now/; s/-20[3-9].*/-now/; s/w-202[1-9].*/now/'", folder);
  assert_string_equal(left, "w-2020-01-01.db\nw-2020-01-01T000000Z.dump\nw-2020-01-03T000000Z.db\nnow\nnow\n"
                            "x-2020-01-01T000000Z.db\n");
  free(left);
}

/* A workspace's name that is no file's name: its copies give way all the same. */
static void test_folder_of_odd_name(void **state) {
  (void)state;
  int code;
  assert_int_equal(ends_with("store init"), 0);
  shell("cp %s/w/puente.yaml %s/kept.yaml && sed -i '/^name:/d' %s/w/puente.yaml && echo 'name: \"a/b ñ\"' "
        ">>%s/w/puente.yaml && mkdir -p %s/w/backups && touch '%s/w/backups/a_b ñ-2020-01-01T000000Z.db'",
        folder, folder, folder, folder, folder, folder);
  assert_int_equal(ends_with("store backup --keep 1"), 0);
  char *left = shell_output(&code, "ls %s/w/backups | sed 's/-20[0-9T-]*Z/-THEN/'; ls %s/w/backups | grep -c 2020-",
                            folder, folder);
  assert_string_equal(left, "a_b ñ-THEN.db\na_b ñ-THEN.db.sha256\n0\n");
  free(left);
  shell("mv %s/kept.yaml %s/w/puente.yaml", folder, folder);
}

static void test_restore(void **state) {
  (void)state;
  char arguments[512];
  int code;
  assert_int_equal(ends_with("store init"), 0);
  snprintf(arguments, sizeof arguments, "store backup %s/copy.db", folder);
  assert_int_equal(ends_with(arguments), 0);
  snprintf(arguments, sizeof arguments, "store verify %s/copy.db", folder);
  says(arguments, 0,
       "audit ok: entries=1 head=HASH\n"
       "copy ok: tables=T rows=R; opened, every page checked, counted, its audit chain checked\n"
       "digest ok: the SHA-256 is the one in DIR/copy.db.sha256\n"
       "seals ok: the key opened 0 bodies of the copy\n");
  snprintf(arguments, sizeof arguments, "store verify %s/moved.db", folder);
  shell("cp %s/copy.db %s/moved.db", folder, folder);
  says(arguments, 0,
       "audit ok: entries=1 head=HASH\n"
       "copy ok: tables=T rows=R; opened, every page checked, counted, its audit chain checked\n"
       "digest: there is no DIR/moved.db.sha256, so a value that a disk changed may go unseen\n"
       "seals ok: the key opened 0 bodies of the copy\n");
  snprintf(arguments, sizeof arguments, "store restore %s/copy.db | sed 's/before-.*/before-THEN/'", folder);
  says(arguments, 0,
       "restored DIR/copy.db: the store is of version V, read back and counted\n"
       "what was there is kept: DIR/w/puente.db.before-THEN\n");
  says("query --purpose test --csv 'SELECT event FROM audit'", 0, "event\r\nconfig\r\nrestore\r\nquery\r\n");
  says("status --json | grep -E '\"(backup|restored)\":' | cut -c 1-16", 0,
       "  \"backup\": \"202\n  \"restored\": \"2\n");
  free(shell_output(&code, "ls %s/w/puente.db.before-*Z", folder));
  assert_int_equal(code, 0);
  snprintf(arguments, sizeof arguments, "store restore %s/w/puente.yaml", folder);
  says(arguments, 1,
       "error: the file is not a SQLite database\n  at: DIR/w/puente.yaml\n  hint: check the store's path; this file "
       "was "
       "not made by puente\n");
}

/* A record whose bytes are not those that were landed is found, and the store is not called whole. */
static void test_altered_record(void **state) {
  (void)state;
  int code;
  shell("printf 'source: demo\\ninstitution: PE/MP\\nunit: denuncia\\nconnector: file\\noptions: {path: in, settle: "
        "0s}\\n' "
        ">%s/w/sources/demo.yaml && printf 'source: demo\\nformat: csv\\ncase:\\n  key: id\\n  denuncia_number: id\\n' "
        ">%s/w/mappings/demo.yaml && mkdir %s/w/in && printf 'id\\nD-1\\nD-2\\n' >%s/w/in/a.csv",
        folder, folder, folder, folder);
  assert_int_equal(ends_with("--quiet sync"), 0);
  assert_int_equal(ends_with("--quiet store verify --full"), 0);
  shell("sqlite3 %s/w/puente.db 'UPDATE raw_record SET digest = zeroblob(16) WHERE raw_id = (SELECT max(raw_id) FROM "
        "raw_record)'",
        folder);
  char *said =
      shell_output(&code, "LANGUAGE=en %s/puente --config %s/w/puente.yaml store verify --full 2>&1 >/dev/null",
                   build_folder(), folder);
  assert_int_equal(code, 1);
  assert_non_null(strstr(said, "error: the bytes of a record are not those that were landed\n  at: record version "));
  free(said);
}

static void test_query(void **state) {
  (void)state;
  assert_int_equal(ends_with("store init") != 1, 1);
  says("query 'SELECT 1'", 2,
       "error: a purpose is needed to ask for rows and exact figures\n  hint: --purpose \"what they are for\": the log "
       "records it\n");
  says("query --purpose test 'SELECT 1 AS a, NULL AS b, 2.5 AS c'", 0, "a  b  c\n─  ─  ───\n1     2.5\n");
  says("query --purpose test --csv 'SELECT 1 AS a, NULL AS b, 2.5 AS c'", 0, "a,b,c\r\n1,,2.5\r\n");
  says("--json query --purpose test 'SELECT 1 AS a, NULL AS b'", 0, "[\n  {\"a\": 1, \"b\": null}\n]\n");
  says("query --purpose test 'SELECT * FROM identity'", 2,
       "error: the statement reaches beyond the documented views\n  hint: `puente query --views` lists what can be "
       "read\n");
  assert_int_equal(ends_with("query --purpose test 'SELECT * FROM identity'"), 2);
  says("query --purpose test 'VALUES (1)'", 2,
       "error: a query is one SELECT statement\n  hint: `puente query --views` lists what can be read\n");
  assert_int_equal(ends_with("query --purpose test '(SELECT 1'"), 2);
  assert_int_equal(ends_with("query --purpose test ' -- why\n/* this */ with a as (select 1) select * from a'"), 0);
  says("query --purpose test \"SELECT x'0102ff' AS a, CAST(x'c31b' AS TEXT) AS b\"", 0,
       "a         b\n────────  ──────\n\\x0102ff  \\xc31b\n");
  /* Asked for, in the log; what is read by then has it already, and not what was asked. */
  says("query --purpose 'who asks' --csv \"SELECT event, actor, purpose, substr(body, 1, 20) AS body FROM audit ORDER "
       "BY "
       "sequence DESC LIMIT 1\"",
       0, "event,actor,purpose,body\r\nquery,tester,who asks,\"{\"\"statement\"\":\"\"keyed:\"\r\n");
  assert_int_equal(ends_with("query"), 2);
  assert_int_equal(ends_with("query --purpose test --timeout soon 'SELECT 1'"), 2);
  says("query --csv --views redirects", 0,
       "column,description\r\nid,former person_id or case_id\r\nkind,person or case\r\n"
       "into_id,the id that took its place; 0: dissolved\r\nrun,run that did it\r\n");
  says("query --views redirect", 2, "error: there is no view redirect\n  hint: `puente query --views` lists them\n");
  says("query --purpose test --timeout 1s 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT "
       "max(i) FROM n'",
       1, "error: the query took longer than allowed\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_store, setup, teardown),
                                     cmocka_unit_test_setup_teardown(test_folder, setup, teardown),
                                     cmocka_unit_test_setup_teardown(test_folder_of_odd_name, setup, teardown),
                                     cmocka_unit_test_setup_teardown(test_rollback_once, setup, teardown),
                                     cmocka_unit_test_setup_teardown(test_no_copies, setup, teardown),
                                     cmocka_unit_test_setup_teardown(test_restore, setup, teardown),
                                     cmocka_unit_test_setup_teardown(test_altered_record, setup, teardown),
                                     cmocka_unit_test_setup_teardown(test_query, setup, teardown)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
