/* Weights that `puente link` learns, where linkage is under approval, on both stores: they wait, what acts goes on
 * acting, and a second person makes them act. */
#include "core/base/digest.h"
#include "tests/support/postgres.h"
#include "tests/support/program.h"
#include "tests/support/temp.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { HEX = 2 * SHA256_SIZE, LINK_FILES = 6 };
static const char SOURCE[] = "source: demo\ntitle: Demo\ninstitution: PE/MP\ncontact: help desk 1234\nunit: denuncia\n"
                             "connector: file\noptions: {path: incoming, settle: 0s}\n";
static const char MAPPING[] = "source: demo\nformat: csv\ndelimiter: \";\"\n"
                              "case:\n  key: id\n  denuncia_number: id\n"
                              "person:\n  key: [id, victim]\n  role: victim\n"
                              "  given_names: {from: name, clean: name}\n";
/* Frequent enough to be listed in a model. */
static const char ROWS[] = "id;victim;name\nD-1;a;Rosaura\nD-2;a;Rosaura\nD-3;a;Rosaura\nD-4;a;Rosaura\nD-5;a;Rosaura\n"
                           "D-6;a;Rosaura\nD-7;a;Luz\n";
static const char APPROVAL[] = "approval: {required: [link]}\nlink: link/rules.yaml\n";

static char *folder;
static const char *dsn; /* NULL: SQLite */
static char schema[32];

#define assert_says(text, part)                                                                                        \
  do {                                                                                                                 \
    if (strstr((text), (part)) == NULL) {                                                                              \
      fail_msg("\"%s\" is missing in:\n%s", (part), (text));                                                           \
    }                                                                                                                  \
  } while (0)
#define assert_silent(text, part)                                                                                      \
  do {                                                                                                                 \
    if (strstr((text), (part)) != NULL) {                                                                              \
      fail_msg("\"%s\" is in:\n%s", (part), (text));                                                                   \
    }                                                                                                                  \
  } while (0)
#define done(actor, ...) assert_done(program_run_as(folder, actor, __VA_ARGS__), __LINE__)
#define refused(actor, words, message) assert_refused(program_run_as(folder, actor, words), message, __LINE__)

static struct said assert_done(struct said said, int line) {
  if (said.code != 0) {
    fail_msg("line %d: exit %d\n%s%s", line, said.code, said.out, said.err);
  }
  return said;
}

static void assert_refused(struct said said, const char *message, int line) {
  if (said.code == 0 || strstr(said.err, message) == NULL) {
    fail_msg("line %d: exit %d, not \"%s\":\n%s%s", line, said.code, message, said.out, said.err);
  }
}

static void configure(const char *approval) {
  char text[1024];
  int len = snprintf(text, sizeof text, "name: demo\n%s", approval);
  if (dsn != NULL) {
    snprintf(text + len, sizeof text - (size_t)len, "store:\n  postgres: \"%s\"\n  schema: %s\n", dsn, schema);
  }
  program_write(folder, "puente.yaml", text);
}

static void copy_rules(void) {
  static const char *const parts[LINK_FILES] = {"default.yaml",      "persons.yaml",       "cases.yaml",
                                                "survivorship.yaml", "persons.model.json", "cases.model.json"};
  char path[128];
  snprintf(path, sizeof path, "%s/link", folder);
  assert_int_equal(mkdir(path, 0755), 0);
  for (size_t i = 0; i < LINK_FILES; i++) {
    char from[64], to[64];
    snprintf(from, sizeof from, "config/link/%s", parts[i]);
    snprintf(to, sizeof to, "link/%s", i == 0 ? "rules.yaml" : parts[i]);
    char *text = program_read(".", from);
    program_write(folder, to, text);
    free(text);
  }
}

static int setup(void **state) {
  static int number;
  (void)state;
  folder = temp_make();
  snprintf(schema, sizeof schema, "weights_%d", ++number);
  assert_int_equal(program_run(folder, "--quiet init .").code, 0);
  configure(APPROVAL);
  program_write(folder, "sources/demo.yaml", SOURCE);
  program_write(folder, "mappings/demo.yaml", MAPPING);
  program_write(folder, "incoming/one.csv", ROWS);
  copy_rules();
  return 0;
}

static int setup_postgres(void **state) {
  dsn = postgres_start();
  return setup(state);
}

static int teardown(void **state) {
  (void)state;
  program_forget();
  temp_remove(folder);
  dsn = NULL;
  return 0;
}

/* Statements against the store behind the program's back. */
static void tamper(const char *sql) {
  char text[4096];
  if (dsn == NULL) {
    sqlite3 *file;
    snprintf(text, sizeof text, "%s/puente.db", folder);
    assert_int_equal(sqlite3_open(text, &file), SQLITE_OK);
    assert_int_equal(sqlite3_exec(file, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(file);
    return;
  }
  snprintf(text, sizeof text, "SET search_path TO %s; %s", schema, sql);
  PGconn *connection = PQconnectdb(dsn);
  PGresult *result = PQexec(connection, text);
  assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
  PQclear(result);
  PQfinish(connection);
}

/* Approves the files of linkage; they are the first `count` proposals. */
static void approve_rules(int count) {
  done("ana", "approve propose link --reason first --document RM-1");
  for (int i = 1; i <= count; i++) {
    char line[64];
    snprintf(line, sizeof line, "approve accept %d --reason checked", i);
    done("luis", line);
  }
}

/* SHA-256 of the model of persons that the last linking used, as the log has it. */
static void last_model(char hex[HEX + 1]) {
  static const char HEAD[] = "\\\"models\\\":[\\\"";
  const char *last = NULL;
  const char *text = done("tester", "--json audit list --event link").out;
  for (const char *at = text; (at = strstr(at, HEAD)) != NULL; at++) {
    last = at + sizeof HEAD - 1;
  }
  assert_non_null(last);
  assert_true(strlen(last) > HEX);
  memcpy(hex, last, HEX);
  hex[HEX] = '\0';
}

/* The same of the proposal, from its entry. */
static void proposed_model(char hex[HEX + 1]) {
  static const char HEAD[] = "\\\"persons\\\":\\\"";
  const char *text = done("tester", "--json audit list --event approval").out;
  const char *at = strstr(text, HEAD);
  assert_non_null(at);
  memcpy(hex, at + sizeof HEAD - 1, HEX);
  hex[HEX] = '\0';
}

static void start_model(char hex[HEX + 1]) {
  char *text = program_read(".", "config/link/persons.model.json");
  struct sha256 digest = sha256_of(slice_of(text));
  hex_format(digest.bytes, SHA256_SIZE, hex);
  free(text);
}

static void assert_uses(const char *wanted) {
  char used[HEX + 1];
  last_model(used);
  assert_string_equal(used, wanted);
}

static void test_learned_weights_wait(void **state) {
  char start[HEX + 1], learned[HEX + 1];
  (void)state;
  start_model(start);
  done("tester", "sync");
  approve_rules(LINK_FILES);
  done("tester", "link");
  assert_uses(start);
  struct said said = done("ana", "link --train");
  assert_says(said.out, "weights were learned from the records");
  assert_says(said.out, "learned weights wait for approval and do not act yet: proposal 7\n");
  proposed_model(learned);
  assert_string_not_equal(learned, start);
  assert_uses(start);
  said = done("tester", "status");
  assert_says(said.out, "- weights that linking learned wait for approval since ");
  assert_says(said.out, "; until then those to start with are used\n");
  assert_says(said.out, "`puente approve accept 7 --reason TEXT --document NUMBER`");
  assert_says(done("tester", "approve list").out, " 7  weights  learned  never approved  ");
  said = done("tester", "link");
  assert_says(said.out, "learned weights wait for approval and do not act yet: proposal 7\n");
  assert_says(said.out, "nothing new to link");
  assert_says(done("tester", "--json link --full").out, "\"proposal\": 7");
  assert_uses(start);
  /* What it would change, and no value of anybody. */
  said = done("luis", "approve show 7");
  assert_says(said.out, "proposal 7: weights learned, by ana at ");
  assert_says(said.out, "persons  given        same_set                +8.26");
  assert_says(said.out, "`puente link` has to be run: records that it places anew: 14\n");
  assert_silent(said.out, "ROSAURA");
  said = done("luis", "--json approve show 7");
  assert_says(said.out, "\"comparison\": \"given\"");
  assert_silent(said.out, "ROSAURA");
  assert_silent(done("luis", "--json audit list --event approval").out, "ROSAURA");
  /* Another person, with a document. */
  refused("ana", "approve accept 7 --reason fine --document RM-9", "another person has to approve it");
  refused("MIMP\\ANA", "approve accept 7 --reason fine --document RM-9", "another person has to approve it");
  refused("luis", "approve accept 7 --reason fine", "weights are approved with the number of a document");
  refused("ana", "approve propose weights --reason x --document y", "there is no kind \"weights\" of files to approve");
  done("tester", "link --full");
  assert_uses(start);
  done("luis", "approve accept 7 --reason checked --document RM-9");
  said = done("tester", "link");
  assert_says(said.out, "the link models are others than in the last linking");
  assert_silent(said.out, "wait for approval");
  assert_uses(learned);
  assert_says(done("tester", "link").out, "nothing new to link");
  said = done("tester", "--json audit list --event approval");
  assert_says(said.out, "\\\"document\\\":\\\"RM-9\\\"");
  assert_says(done("tester", "approve list").out, "every file is the one that was approved");
  assert_says(done("tester", "approve show 7").out, "approved by luis at ");
  assert_says(done("tester", "audit verify --records").out, "records ok: ");
}

static void test_rejected_weights(void **state) {
  char start[HEX + 1];
  (void)state;
  start_model(start);
  done("tester", "sync");
  approve_rules(LINK_FILES);
  done("ana", "link --train");
  tamper("UPDATE approval SET body = '{}' WHERE approval_id = 7");
  refused("luis", "approve accept 7 --reason fine --document RM-9", "proposal 7 in the store was changed");
  done("luis", "approve reject 7 --reason 'too few records'");
  refused("eva", "approve accept 7 --reason fine --document RM-9", "does not wait any more");
  struct said said = done("tester", "link --full");
  assert_silent(said.out, "weights");
  assert_uses(start);
  assert_says(done("eva", "link --train --purpose 'asked by RM-10'").out, "do not act yet: proposal 8\n");
  assert_says(done("ana", "link --train").out,
              "do not act yet: proposal 8\n"); /* the same weights: the same proposal */
  assert_says(done("luis", "approve show 8").out, "reason: asked by RM-10\n");
  refused("eva", "approve accept 8 --reason fine --document RM-9", "proposal 8 is by 'eva'");
  done("ana", "approve accept 8 --reason fine --document RM-9");
  said = done("tester", "link --train");
  assert_says(said.out, "they are the approved ones: nothing waits\n");
  assert_says(done("tester", "audit verify --records").out, "records ok: ");
}

static void test_changed_weights(void **state) {
  static const char CHANGED[] = "link model 1 in the store was changed: its text is not the one that was kept";
  char start[HEX + 1];
  (void)state;
  start_model(start);
  done("tester", "sync");
  approve_rules(LINK_FILES);
  done("ana", "link --train");
  /* By hand nothing becomes active, nor approved. */
  tamper("UPDATE link_model SET active = 1");
  done("tester", "link --full");
  assert_uses(start);
  tamper("UPDATE approval SET state = 'approved', approved_by = 'luis', remark = 'fine', approved_at = 5, document = "
         "'RM-9' WHERE approval_id = 7");
  refused("tester", "link --full", "approval 7 in the store is not in the log");
  tamper("UPDATE approval SET state = 'waiting', approved_by = NULL, remark = NULL, approved_at = 0, document = '' "
         "WHERE approval_id = 7");
  /* Another text than the one proposed. */
  tamper("CREATE TABLE kept AS SELECT model_id, sealed FROM link_model; "
         "UPDATE link_model SET sealed = NULL, body = '{}' WHERE model_id = 1");
  refused("luis", "approve accept 7 --reason fine --document RM-9", CHANGED);
  refused("luis", "approve show 7", CHANGED);
  tamper("UPDATE link_model SET body = NULL, sealed = (SELECT k.sealed FROM kept k WHERE k.model_id = "
         "link_model.model_id)");
  done("luis", "approve accept 7 --reason fine --document RM-9");
  done("tester", "link");
  /* Nor than the one approved: nothing acts until other weights are approved. */
  tamper("UPDATE link_model SET sealed = NULL, body = '{}' WHERE model_id = 1");
  refused("tester", "link --full", CHANGED);
  assert_says(done("tester", "link --train").out, "nothing was linked: there were no weights that may act\n");
  assert_says(done("tester", "link --full").out, "persons             7"); /* learned again, the same */
  tamper("UPDATE approval SET document = 'RM-10' WHERE approval_id = 7");
  refused("tester", "link --full", "approval 7 in the store is not what entry ");
}

static void write_many(const char *name, int from, int count) {
  static const char *const NAMES[] = {"Rosaura", "Luz", "Ana Maria", "Eva", "Carmen", "Flor de Maria", "Juana"};
  size_t room = 64 + (size_t)count * 64, len = 0;
  char *text = malloc(room);
  assert_non_null(text);
  len += (size_t)snprintf(text, room, "id;victim;name\n");
  for (int i = from; i < from + count; i++) {
    len += (size_t)snprintf(text + len, room - len, "D-%d;a;%s\n", i, NAMES[i % 7]);
  }
  program_write(folder, name, text);
  free(text);
}

/* Once there are enough records; and not again at each linking while they wait. */
static void test_learned_by_itself(void **state) {
  char start[HEX + 1], learned[HEX + 1];
  (void)state;
  start_model(start);
  write_many("incoming/one.csv", 1, 1100);
  done("tester", "sync");
  approve_rules(LINK_FILES);
  struct said said = done("ana", "link");
  assert_says(said.out, "weights were learned from the records: no link model has been approved yet\n");
  assert_says(said.out, "learned weights wait for approval and do not act yet: proposal 7\n");
  assert_uses(start);
  proposed_model(learned);
  write_many("incoming/two.csv", 1101, 3);
  done("tester", "sync");
  said = done("tester", "link");
  assert_silent(said.out, "were learned");
  assert_says(said.out, "linked again: ");
  assert_says(said.out, "do not act yet: proposal 7\n");
  assert_uses(start);
  done("luis", "approve accept 7 --reason fine --document RM-9");
  assert_says(done("tester", "link").out, "all rows were linked: the link models are others than in the last linking");
  assert_uses(learned);
  write_many("incoming/three.csv", 1104, 3);
  done("tester", "sync");
  assert_says(done("tester", "link").out, "linked again: ");
  assert_uses(learned);
  assert_says(done("tester", "audit verify --records").out, "records ok: ");
}

/* Without weights to start with, nothing is linked by weights that nobody approved; those that were learned before
 * approval was asked for are proposed as they are. */
static void test_no_weights_to_start_with(void **state) {
  char learned[HEX + 1], used[HEX + 1];
  (void)state;
  char *text = program_read(folder, "link/rules.yaml");
  char *start = strstr(text, "\nstart:");
  assert_non_null(start);
  start[1] = '\0';
  program_write(folder, "link/rules.yaml", text);
  free(text);
  configure("link: link/rules.yaml\n");
  done("tester", "sync");
  struct said said = done("tester", "link");
  assert_says(said.out, "weights were learned from the records");
  assert_silent(said.out, "approval");
  last_model(learned);
  configure(APPROVAL);
  approve_rules(LINK_FILES - 2);
  said = done("eva", "link");
  assert_silent(said.out, "weights were learned");
  assert_says(said.out, "learned weights wait for approval and do not act yet: proposal 5\n");
  assert_says(said.out, "nothing was linked: there were no weights that may act\n");
  refused("eva", "link", "no weights may act: those that were learned are not approved");
  proposed_model(used);
  assert_string_equal(used, learned);
  done("luis", "approve accept 5 --reason fine --document RM-9");
  done("tester", "link --full");
  assert_uses(learned);
  assert_says(done("tester", "audit verify --records").out, "records ok: ");
}

#define BOTH(test)                                                                                                     \
  cmocka_unit_test_setup_teardown(test, setup, teardown), {                                                            \
#test " (postgres)", test, setup_postgres, teardown, NULL                                                          \
  }

int main(void) {
  const struct CMUnitTest tests[] = {
      BOTH(test_learned_weights_wait),     BOTH(test_rejected_weights),  BOTH(test_changed_weights),
      BOTH(test_no_weights_to_start_with), BOTH(test_learned_by_itself),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
