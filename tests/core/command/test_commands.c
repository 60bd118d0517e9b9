/* The program as a ministry's staff use it: what it prints, and its exit codes. */
#include "core/command/arguments.h"
#include "tests/support/program.h"
#include "tests/support/says.h"
#include "tests/support/temp.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char *folder;

static int setup(void **state) {
  (void)state;
  folder = temp_make();
  return 0;
}

static int teardown(void **state) {
  (void)state;
  program_forget();
  temp_remove(folder);
  return 0;
}

static const char SOURCE[] = "source: demo\ntitle: Demo\ninstitution: PE/MP\ncontact: help desk 1234\nunit: denuncia\n"
                             "connector: file\noptions: {path: incoming, settle: 0s}\n";
static const char MAPPING[] = "source: demo\nformat: csv\ndelimiter: \";\"\n"
                              "case:\n  key: id\n  denuncia_number: id\n"
                              "  reported_on: {from: date, date: \"%d/%m/%Y\", else: quarantine}\n"
                              "person:\n  key: [id, victim]\n  role: victim\n"
                              "  paternal_surname: {from: surname, clean: name}\n"
                              "  given_names: {from: name, clean: name}\n  document_number: document\n";
static const char ROWS[] = "id;victim;date;surname;name;document\n"
                           "D-1;a;01/02/2024;Quispe;Rosa;45678901\n"
                           "D-2;a;02/02/2024;Mamani;Luz;45678902\n"
                           "D-3;a;32/13/2024;Huaman;Ana;45678903\n";

static void make_workspace(void) {
  assert_int_equal(program_run(folder, "--quiet init .").code, 0);
  program_write(folder, "sources/demo.yaml", SOURCE);
  program_write(folder, "mappings/demo.yaml", MAPPING);
  program_write(folder, "incoming/one.csv", ROWS);
}

static json_t *said_json(const char *arguments, int code) {
  struct said said = program_run(folder, arguments);
  json_error_t error;
  assert_int_equal(said.code, code);
  json_t *root = json_loads(said.out, 0, &error);
  if (root == NULL) {
    fail_msg("%s: %s in:\n%s", arguments, error.text, said.out);
  }
  return root;
}

static void test_help(void **state) {
  (void)state;
  struct said said = program_run(folder, "");
  assert_int_equal(said.code, 0);
  assert_says(said.out, "usage: puente [--config FILE] [--json] [--quiet] [--lang es|en]");
  assert_says(said.out, "sync         pull what is new from the sources, map it, and keep it");
  said = program_run(folder, "help sync");
  assert_int_equal(said.code, 0);
  assert_says(said.out, "usage: puente sync [SOURCE...] [--full | --since A [--until B] | --reload] [--dry-run]");
  said = program_run(folder, "version");
  assert_int_equal(said.code, 0);
  assert_int_equal(strncmp(said.out, "puente 0.", 9), 0);
  assert_says(said.out, "sqlite");
}

static void test_every_command_has_help(void **state) {
  (void)state;
  struct said said = program_run(folder, "help");
  char *list = strdup(said.out);
  assert_non_null(list);
  int commands = 0;
  for (const char *line = list; line != NULL; line = strchr(line + 1, '\n')) {
    char name[32], arguments[64], usage[64];
    if (sscanf(line, "\n  %31[a-z] ", name) != 1 || strncmp(line, "\n  ", 3) != 0) {
      continue;
    }
    snprintf(arguments, sizeof arguments, "%s --help", name);
    snprintf(usage, sizeof usage, "usage: puente %s", name);
    said = program_run(folder, arguments);
    assert_int_equal(said.code, 0);
    assert_says(said.out, usage);
    commands++;
  }
  free(list);
  assert_true(commands >= 12);
}

/* Whoever fails without saying why has failed all the same. */
static void test_failed_is_never_done(void **state) {
  (void)state;
  const struct error none = {.code = OK}, usage = {.code = ERR_USAGE, .message = "of this test"};
  assert_int_equal(command_fail(&none), 1);
  assert_int_equal(command_fail(&usage), 2);
}

static void test_misuse(void **state) {
  (void)state;
  struct said said = program_run(folder, "snyc");
  assert_int_equal(said.code, 2);
  assert_string_equal(said.err, "error: there is no command \"snyc\"\n  hint: did you mean \"sync\"?\n");
  said = program_run(folder, "sync --dry-rum");
  assert_int_equal(said.code, 2);
  assert_string_equal(said.err, "error: puente sync has no option --dry-rum\n  hint: did you mean --dry-run?\n");
  said = program_run(folder, "sync --full --since 2020");
  assert_int_equal(said.code, 2);
  said = program_run(folder, "--lang fr status");
  assert_int_equal(said.code, 2);
  assert_string_equal(said.err, "error: --lang: there is no language \"fr\"\n  hint: es or en\n");
  said = program_run(folder, "status");
  assert_int_equal(said.code, 2);
  assert_says(said.err, "error: there is no configuration\n  at: puente.yaml\n");
}

static void test_init(void **state) {
  (void)state;
  assert_int_equal(program_run(folder, "--quiet init kept").code, 0);
  program_write(folder, "kept/.gitignore", "mine\n");
  char path[512];
  snprintf(path, sizeof path, "%s/kept/puente.yaml", folder);
  assert_int_equal(unlink(path), 0);
  program_write(folder, "kept/puente.key", "01234567890123456789012345678901");
  snprintf(path, sizeof path, "%s/kept/puente.key", folder);
  assert_int_equal(chmod(path, 0600), 0);
  assert_int_equal(program_run(folder, "--quiet init kept").code, 0);
  char *kept = program_read(folder, "kept/.gitignore"), *key = program_read(folder, "kept/puente.key");
  assert_string_equal(kept, "mine\n");
  assert_string_equal(key, "01234567890123456789012345678901");
  free(kept);
  free(key);
  struct said said = program_run(folder, "init work --name Observatorio");
  assert_int_equal(said.code, 0);
  assert_says(said.out, "made a workspace in work:");
  assert_says(said.out, "puente --config work/puente.yaml check");
  struct stat about;
  snprintf(path, sizeof path, "%s/work/puente.key", folder);
  assert_int_equal(stat(path, &about), 0);
  assert_int_equal(about.st_mode & 0777, 0600);
  assert_int_equal(about.st_size, 32);
  said = program_run(folder, "init work");
  assert_int_equal(said.code, 2);
  assert_says(said.err, "error: there is a workspace already\n  at: work/puente.yaml\n");
  json_t *root = said_json("--config work/puente.yaml status --json", 0);
  assert_string_equal(json_string_value(json_object_get(root, "workspace")), "Observatorio");
  json_decref(root);
}

static void test_check(void **state) {
  (void)state;
  make_workspace();
  struct said said = program_run(folder, "check");
  assert_int_equal(said.code, 0);
  assert_says(said.out, "ok     source demo: ");
  assert_says(said.out, "ok     store: none yet: the first sync makes it");
  assert_says(said.out, "everything fits; next: `puente sync`");
  program_write(folder, "mappings/demo.yaml",
                "source: demo\nformat: csv\ncase:\n  key: id\n  reported_no: date\n  ofence: code\n");
  said = program_run(folder, "check");
  assert_int_equal(said.code, 2);
  assert_says(said.out, "mappings/demo.yaml:5:3: ");
  assert_says(said.out, "mappings/demo.yaml:6:3: ");
  assert_says(said.out, "reported_on");
  assert_says(said.out, "       hint: did you mean 'reported_on'?\n");
  json_t *root = said_json("check --json", 2);
  assert_true(json_integer_value(json_object_get(root, "wrong")) >= 2);
  json_decref(root);
  /* Mistakes without a hint do not hide the next one. */
  program_write(folder, "mappings/demo.yaml",
                "source: demo\nformat: csv\ncase: {key: id, denuncia_number: {from: a, zzzzzzzz: 1, qqqqqqqq: 2}}\n");
  said = program_run(folder, "check");
  assert_says(said.out, "unknown name 'zzzzzzzz'\n");
  assert_says(said.out, "WRONG  source demo: ");
  assert_says(strstr(said.out, "'zzzzzzzz'"), "WRONG  source demo: ");
}

/* The folder of a holder who keeps checkpoints is looked at; where somebody cut the log, what it kept tells. */
static void test_holders(void **state) {
  (void)state;
  make_workspace();
  char *kept = program_read(folder, "puente.yaml"), text[8192];
  snprintf(text, sizeof text, "%s\ncheckpoints: {holders: [{name: notary, folder: kept}]}\n", kept);
  free(kept);
  program_write(folder, "puente.yaml", text);
  assert_says(program_run(folder, "check").out, "WRONG  holder notary: cannot write: No such file or directory");
  assert_int_equal(program_run(folder, "sync").code, 0);
  assert_says(program_run(folder, "status").out, "- no holder has a checkpoint of the audit log yet");
  struct said said = program_run(folder, "audit checkpoint --send");
  assert_int_not_equal(said.code, 0);
  assert_says(said.err, "at: holder notary, ");
  assert_says(program_run(folder, "audit receipts").out, "FAILED");
  snprintf(text, sizeof text, "%s/kept", folder);
  assert_int_equal(mkdir(text, 0700), 0);
  assert_says(program_run(folder, "check").out, "ok     holder notary: ");
  assert_says(program_run(folder, "audit checkpoint --send").out, "holders reached 1, failed 0");
  assert_says(program_run(folder, "audit receipts --json").out, ".checkpoint");
  assert_says(program_run(folder, "status").out, "\naudit     last checkpoint with a holder: 20");
  assert_int_not_equal(program_run_as(folder, "root", "audit checkpoint --send").code, 0);
}

/* Where copies by the clock would go is looked at before the night in which one is wanted. */
static void test_backup_folder(void **state) {
  (void)state;
  make_workspace();
  char *kept = program_read(folder, "puente.yaml"), text[8192];
  snprintf(text, sizeof text, "%s\nserve: {backup: {schedule: '@daily', folder: copies}}\n", kept);
  free(kept);
  program_write(folder, "puente.yaml", text);
  assert_says(program_run(folder, "check").out, "ok     backups: ");
  program_write(folder, "copies", "a file is in its place");
  struct said said = program_run(folder, "check");
  assert_int_not_equal(said.code, 0);
  assert_says(said.out, "WRONG  backups: copies of the store cannot be written: Not a directory");
  kept = program_read(folder, "puente.yaml");
  char *at = strstr(kept, "folder: copies");
  assert_non_null(at);
  snprintf(text, sizeof text, "%.*sfolder: medium/copies}}\n", (int)(at - kept), kept);
  free(kept);
  program_write(folder, "puente.yaml", text);
  assert_says(program_run(folder, "check").out, "WRONG  backups: copies of the store cannot be written: No such file");
}

/* Codes of the source, and a mapping that is another source's: told by check, and refused by sync. */
static void test_misnamed(void **state) {
  (void)state;
  make_workspace();
  program_write(folder, "sources/demo.yaml",
                "source: demo\ninstitution: PE/MPP\ncontact: c\nunit: denunca\nconnector: file\n"
                "options: {path: incoming, settle: 0s}\n");
  struct said said = program_run(folder, "check");
  assert_int_equal(said.code, 2);
  assert_says(said.out, "code list 'unit' has no code 'denunca'");
  assert_says(said.out, "did you mean 'denuncia'?");
  assert_says(said.out, "code list 'institution' has no code 'PE/MPP'");
  program_write(folder, "sources/demo.yaml", SOURCE);
  program_write(folder, "mappings/demo.yaml", "source: other\nformat: csv\ncase: {key: id}\n");
  said = program_run(folder, "sync");
  assert_int_equal(said.code, 2);
  assert_says(said.err, "the mapping is written for source \"other\"");
  said = program_run(folder, "check");
  assert_int_equal(said.code, 2);
  assert_says(said.out, "the mapping is written for source \"other\"");
}

static void test_check_live(void **state) {
  (void)state;
  make_workspace();
  struct said said = program_run(folder, "check --live demo");
  assert_int_equal(said.code, 0);
  assert_says(said.out, "read and mapped, not landed: 3 rows");
  program_write(folder, "sources/demo.yaml",
                "source: demo\ninstitution: PE/MP\ncontact: help desk 1234\nunit: denuncia\n"
                "connector: file\noptions: {path: elsewhere, settle: 0s}\n");
  said = program_run(folder, "check --live demo");
  assert_int_not_equal(said.code, 0);
  assert_says(said.out, "help desk 1234");
  said = program_run(folder, "check --live dmo");
  assert_int_equal(said.code, 2);
  assert_says(said.out, "there is no source \"dmo\"");
}

static void test_sync_twice(void **state) {
  (void)state;
  make_workspace();
  struct said said = program_run(folder, "sync --dry-run");
  assert_int_equal(said.code, 0);
  assert_says(said.out, "dry run: nothing was landed");
  json_t *root = said_json("sync --json", 0);
  json_t *counts = json_object_get(json_array_get(json_object_get(root, "sources"), 0), "counts");
  assert_int_equal(json_integer_value(json_object_get(counts, "pulled")), 3);
  assert_int_equal(json_integer_value(json_object_get(counts, "new")), 3);
  assert_int_equal(json_integer_value(json_object_get(counts, "quarantined")), 1);
  json_decref(root);
  said = program_run(folder, "sync");
  assert_int_equal(said.code, 0);
  assert_says(said.out, "nothing new: the store is as it was");
  said = program_run(folder, "sync demos");
  assert_int_equal(said.code, 2);
  assert_string_equal(said.err, "error: there is no source \"demos\"\n  hint: did you mean \"demo\"?\n");
  said = program_run(folder, "status");
  assert_int_equal(said.code, 0);
  assert_says(said.out, "- demo: in quarantine: 1, see `puente quarantine list --source demo`");
  assert_says(said.out, "`puente link`");
  root = said_json("status --json", 0);
  json_t *source = json_array_get(json_object_get(root, "sources"), 0);
  assert_string_equal(json_string_value(json_object_get(source, "state")), "ok");
  assert_int_equal(json_integer_value(json_object_get(source, "records")), 3);
  assert_int_equal(json_integer_value(json_object_get(source, "quarantined")), 1);
  assert_int_equal(json_integer_value(json_object_get(root, "waiting")), 3);
  json_decref(root);
}

static void test_quarantine(void **state) {
  (void)state;
  make_workspace();
  assert_int_equal(program_run(folder, "sync").code, 0);
  json_t *root = said_json("quarantine list --json", 0);
  json_t *group = json_array_get(root, 0);
  assert_string_equal(json_string_value(json_object_get(group, "reason")), "date_impossible");
  assert_string_equal(json_string_value(json_object_get(group, "field")), "case.reported_on");
  assert_string_equal(json_string_value(json_object_get(group, "shape")), "99/99/9999");
  long long number = json_integer_value(json_object_get(group, "example"));
  json_decref(root);
  char arguments[128];
  snprintf(arguments, sizeof arguments, "quarantine show %lld", number);
  struct said said = program_run(folder, arguments);
  assert_int_equal(said.code, 0);
  assert_says(said.out, "date: 99/99/9999   <== date_impossible");
  assert_silent(said.out, "Huaman");
  assert_silent(said.out, "45678903");
  /* The number stands in the table as it is typed; the source's own key does as well, and explain takes both. */
  char digits[32];
  snprintf(digits, sizeof digits, " %lld ", number);
  assert_says(program_run(folder, "quarantine list").out, digits);
  assert_says(program_run(folder, "query --purpose test 'SELECT raw_id, 1 FROM quarantine'").out, digits + 1);
  assert_says(program_run(folder, "quarantine show demo:D-3").out, "date: 99/99/9999   <== date_impossible");
  assert_int_equal(program_run(folder, "explain record demo:D-1/a").code, 0);
  assert_int_equal(program_run(folder, "explain record demo:D-9/a").code, 1);
  said = program_run(folder, "quarantine show demo:D-9");
  assert_int_equal(said.code, 1);
  assert_says(said.err, "no record has this name");
  snprintf(arguments, sizeof arguments, "explain record %lld", number);
  assert_int_equal(program_run(folder, arguments).code, 0);
  snprintf(arguments, sizeof arguments, "quarantine show %lld --reveal", number);
  said = program_run(folder, arguments);
  assert_int_equal(said.code, 2);
  assert_silent(said.out, "Huaman");
  snprintf(arguments, sizeof arguments, "quarantine show %lld --reveal --purpose 'ask the source'", number);
  said = program_run(folder, arguments);
  assert_int_equal(said.code, 0);
  assert_says(said.out, "surname: Huaman");
  snprintf(arguments, sizeof arguments, "quarantine dismiss %lld", number);
  assert_int_equal(program_run(folder, arguments).code, 2);
  said = program_run(folder, "quarantine retry");
  assert_int_equal(said.code, 0);
  assert_says(said.out, "freed: 0; still in quarantine: 1\n");
  snprintf(arguments, sizeof arguments, "quarantine dismiss %lld --reason 'no such day'", number);
  assert_int_equal(program_run(folder, arguments).code, 0);
  said = program_run(folder, "quarantine list");
  assert_string_equal(said.out, "nothing is in quarantine\n");
}

/* Records that are broken in different ways are not counted as one. */
static void test_quarantine_tells_what_is_broken(void **state) {
  (void)state;
  make_workspace();
  program_write(folder, "incoming/one.csv",
                "id;victim;date;surname;name;document\nD-1;a;01/02/2024;Quispe;Rosa;45678901;more\n"
                "D-2;a;02/02/2024;\"Mamani;Luz;45678902\n");
  assert_int_equal(program_run(folder, "sync").code, 0);
  json_t *root = said_json("quarantine list --json", 0);
  assert_int_equal(json_array_size(root), 2);
  for (size_t i = 0; i < json_array_size(root); i++) {
    assert_string_equal(json_string_value(json_object_get(json_array_get(root, i), "reason")), "record_broken");
  }
  json_decref(root);
}

static void test_retry_after_mending(void **state) {
  (void)state;
  make_workspace();
  assert_int_equal(program_run(folder, "sync").code, 0);
  char mended[sizeof MAPPING + 16];
  snprintf(mended, sizeof mended, "%s", MAPPING);
  char *rule = strstr(mended, "quarantine");
  memcpy(rule, "null      ", 10);
  program_write(folder, "mappings/demo.yaml", mended);
  assert_says(program_run(folder, "quarantine retry --dry-run").out, "dry run: nothing was written\n");
  json_t *root = said_json("quarantine retry --json", 0);
  json_t *counts = json_object_get(json_array_get(json_object_get(root, "sources"), 0), "counts");
  assert_int_equal(json_integer_value(json_object_get(counts, "mapped")), 1);
  json_decref(root);
  root = said_json("remap --json", 0);
  counts = json_object_get(json_array_get(json_object_get(root, "sources"), 0), "counts");
  assert_int_equal(json_integer_value(json_object_get(counts, "unchanged")), 1);
  assert_int_equal(json_integer_value(json_object_get(counts, "changed")), 2);
  json_decref(root);
}

static void test_a_failing_source(void **state) {
  (void)state;
  make_workspace();
  program_write(folder, "sources/other.yaml",
                "source: other\ninstitution: PE/PNP\ncontact: desk 99\nunit: denuncia\nconnector: file\n"
                "options: {path: nowhere.csv, settle: 0s}\nmapping: mappings/other.yaml\n");
  program_write(folder, "mappings/other.yaml", "source: other\nformat: csv\ncase:\n  key: id\n");
  struct said said = program_run(folder, "sync");
  assert_int_equal(said.code, 3);
  assert_says(said.err, "source other");
  assert_says(said.out, "FAILED");
  assert_int_equal(program_run(folder, "sync other").code, 1);
  json_t *root = said_json("status --json", 0);
  json_t *sources = json_object_get(root, "sources");
  assert_string_equal(json_string_value(json_object_get(json_array_get(sources, 0), "state")), "ok");
  assert_string_equal(json_string_value(json_object_get(json_array_get(sources, 1), "state")), "failed");
  json_decref(root);
  said = program_run(folder, "status");
  assert_says(said.out, "contact: desk 99");
  assert_says(said.out, "\n    at: source other, ");
  program_write(folder, "zone.yaml", "store: {sqlite: puente.db}\nserve: {timezone: Pacific/Kiritimati}\n");
  char there[64], now[32];
  time_t moment = time(NULL) + 14 * 3600;
  strftime(now, sizeof now, "%Y-%m-%d %H", gmtime(&moment));
  snprintf(there, sizeof there, "UNREACHABLE  %s", now);
  said = program_run(folder, "--config zone.yaml status");
  assert_says(said.out, "\ntimes     Pacific/Kiritimati\n");
  assert_says(said.out, there);
}

static void test_run_and_export(void **state) {
  (void)state;
  make_workspace();
  struct said said = program_run(folder, "run");
  assert_int_equal(said.code, 0);
  assert_says(said.out, "persons             2          2          2");
  assert_int_equal(program_run(folder, "run demo --full").code, 0);
  said = program_run(folder, "link");
  assert_int_equal(said.code, 0);
  assert_string_equal(said.out, "nothing new to link: persons and cases are as they were\n");
  assert_int_equal(program_run(folder, "export csv").code, 2);
  said = program_run(folder, "export csv --purpose test --out out");
  assert_int_equal(said.code, 0);
  assert_says(said.out, "2 rows  out/person.csv");
  said = program_run(folder, "export htcds --purpose test --out htcds");
  assert_int_equal(said.code, 0);
  json_t *root = said_json("run --json", 0);
  assert_true(json_is_true(json_object_get(json_object_get(root, "sync"), "nothing_new")));
  assert_true(json_is_true(json_object_get(json_object_get(root, "link"), "nothing_new")));
  json_decref(root);
  static const char *const files[] = {"out/person.csv", "out/case.csv", "out/involvement.csv", "htcds/person.csv"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    char *text = program_read(folder, files[i]);
    assert_silent(text, "QUISPE");
    assert_silent(text, "ROSA");
    assert_silent(text, "4567890");
    free(text);
  }
}

static void test_log_form(void **state) {
  (void)state;
  struct said said = program_run(folder, "--log json status");
  json_error_t error;
  json_t *root = json_loads(said.err, 0, &error);
  assert_non_null(root);
  assert_string_equal(json_string_value(json_object_get(root, "status")), "config");
  json_decref(root);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_help),
      TEST(test_every_command_has_help),
      cmocka_unit_test(test_failed_is_never_done),
      TEST(test_misuse),
      TEST(test_init),
      TEST(test_check),
      TEST(test_holders),
      TEST(test_backup_folder),
      TEST(test_misnamed),
      TEST(test_check_live),
      TEST(test_sync_twice),
      TEST(test_quarantine),
      TEST(test_quarantine_tells_what_is_broken),
      TEST(test_retry_after_mending),
      TEST(test_a_failing_source),
      TEST(test_run_and_export),
      TEST(test_log_form),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
