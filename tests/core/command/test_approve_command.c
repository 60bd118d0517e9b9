/* `puente approve` as two persons use it, on both stores: a changed mapping or linkage rule does not act until the
 * second one has agreed, and what was approved before goes on acting. */
#include "core/base/digest.h"
#include "tests/support/office.h"
#include "tests/support/postgres.h"
#include "tests/support/says.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MAPPING(codes)                                                                                                 \
  "source: demo\nformat: csv\ndelimiter: \";\"\n"                                                                      \
  "case:\n  key: id\n  denuncia_number: id\n"                                                                          \
  "person:\n  key: [id, victim]\n  role: victim\n  given_names: {from: name, clean: name}\n"                           \
  "  sex: {from: sex, values: {" codes "}, else: quarantine}\n"
#define FIRST MAPPING("F: female, H: trans_male")
#define SECOND MAPPING("F: female, H: male, X: non_conforming")
#define HEADER "id;victim;name;sex\n"

static struct office office;

#define done(actor, ...) office_done(&office, actor, __VA_ARGS__)

static int setup(void **state) {
  (void)state;
  office_open(&office, office.dsn, "approval: {required: [mapping]}\n");
  program_write(office.folder, "sources/demo.yaml", OFFICE_SOURCE("demo", "incoming"));
  program_write(office.folder, "mappings/demo.yaml", FIRST);
  program_write(office.folder, "incoming/one.csv", HEADER "D-1;a;Rosa;F\nD-2;a;Luz;H\n");
  return 0;
}

static int setup_postgres(void **state) {
  office.dsn = postgres_start();
  return setup(state);
}

static int teardown(void **state) {
  (void)state;
  office_close(&office);
  return 0;
}

static void propose_and_accept(const char *kind, int id) {
  char line[128];
  snprintf(line, sizeof line, "approve propose %s --reason 'new codes' --document RM-7", kind);
  done("ana", line);
  snprintf(line, sizeof line, "approve accept %d --reason checked", id);
  done("luis", line);
}

static void test_first_version_needs_approval(void **state) {
  (void)state;
  struct said said = program_run(office.folder, "sync");
  assert_int_not_equal(said.code, 0);
  assert_says(said.err, "this file has never been approved, and a mapping acts only once it is");
  assert_says(said.err, "puente approve propose mapping");
  said = program_run(office.folder, "status");
  assert_says(said.out, "- mapping demo: its file waits for approval since ");
  assert_says(said.out, "until then nothing is done with it");
  assert_says(said.out, "`puente approve propose mapping demo --reason TEXT --document NUMBER`");
  propose_and_accept("mapping demo", 1);
  said = done("tester", "sync");
  assert_says(said.out, "2");
  assert_says(program_run(office.folder, "approve list").out, "every file is the one that was approved");
  assert_null(strstr(program_run(office.folder, "status").out, "approval"));
}

static void test_a_change_waits_and_the_former_version_acts(void **state) {
  (void)state;
  propose_and_accept("mapping demo", 1);
  done("tester", "sync");
  program_write(office.folder, "mappings/demo.yaml", SECOND);
  program_write(office.folder, "incoming/two.csv", HEADER "D-3;a;Ana;X\nD-4;a;Eva;F\n");
  /* The new file would map X. */
  struct said said = done("tester", "sync");
  assert_says(said.err, "the approved version is used");
  said = done("tester", "status");
  assert_says(said.out, "- demo: in quarantine: 1,");
  assert_says(said.out, "; the version approved before is used");
  said = done("tester", "remap"); /* what is in quarantine is tried again, by the version in use */
  assert_says(said.out, "  quarantine: 1 -> 1 records");
  done("tester", "quarantine retry --source demo");
  assert_says(done("tester", "status").out, "- demo: in quarantine: 1,");
  program_write(office.folder, "incoming/three.csv", HEADER "D-5;a;Mar;X\n");
  done("tester", "serve --once");
  assert_says(done("tester", "status").out, "- demo: in quarantine: 1,");
  done("tester", "sync");
  assert_says(done("tester", "status").out, "- demo: in quarantine: 2,");
  done("ana", "approve propose mapping demo --reason 'new codes' --document RM-8");
  done("tester", "remap");
  assert_says(done("tester", "status").out, "- demo: in quarantine: 2,");
  said = done("luis", "approve show 2");
  assert_says(said.out, "+");
  assert_says(said.out, "  quarantine: 2 -> 0 records");
  assert_says(said.out, "trans_male  male");
  assert_says(said.out, "document: RM-8");
  assert_says(done("tester", "status").out, "- demo: in quarantine: 2,");
  done("luis", "approve accept 2 --reason checked");
  said = done("tester", "remap");
  assert_says(said.out, "  quarantine: 2 -> 0 records");
  assert_null(strstr(done("tester", "status").out, "in quarantine"));
  said = done("tester", "--json audit list --event approval");
  assert_says(said.out, "RM-8");
  assert_says(said.out, "luis");
  assert_says(done("tester", "audit verify").out, "audit ok");
}

static void test_the_same_person_is_refused(void **state) {
  static const char *const SPELLINGS[] = {"ana", "ANA", "Ána", "ana@mimp.example", "MIMP\\ana"};
  (void)state;
  done("ana", "approve propose mapping demo --reason new --document RM-7");
  for (size_t i = 0; i < sizeof SPELLINGS / sizeof *SPELLINGS; i++) {
    struct said said = program_run_as(office.folder, SPELLINGS[i], "approve accept 1 --reason fine");
    assert_int_not_equal(said.code, 0);
    assert_says(said.err, "another person has to approve it");
  }
  struct said said = program_run_as(office.folder, "root", "approve accept 1 --reason fine");
  assert_int_not_equal(said.code, 0);
  assert_int_not_equal(program_run(office.folder, "sync").code, 0);
  done("luis", "approve accept 1 --reason fine");
  said = program_run_as(office.folder, "eva", "approve accept 1 --reason fine");
  assert_int_not_equal(said.code, 0);
  assert_says(said.err, "does not wait any more");
}

static void test_rejected_and_changed_since(void **state) {
  (void)state;
  propose_and_accept("mapping demo", 1);
  program_write(office.folder, "mappings/demo.yaml", SECOND);
  done("ana", "approve propose mapping --reason new --document RM-8");
  program_write(office.folder, "mappings/demo.yaml", MAPPING("F: male, H: female"));
  struct said said = program_run_as(office.folder, "luis", "approve accept 2 --reason fine");
  assert_int_not_equal(said.code, 0);
  assert_says(said.err, "the file changed again since proposal 2 was made");
  assert_says(done("luis", "approve list").out, "changed since it was proposed");
  done("ana", "approve propose mapping demo --reason new --document RM-9");
  said = program_run_as(office.folder, "luis", "approve accept 2 --reason fine");
  assert_int_not_equal(said.code, 0);
  done("luis", "approve reject 3 --reason wrong");
  said = program_run_as(office.folder, "eva", "approve accept 3 --reason fine");
  assert_says(said.err, "does not wait any more");
  done("tester", "sync");
  assert_says(done("tester", "approve list").out, "to be proposed");
}

static void test_a_changed_row_is_noticed(void **state) {
  (void)state;
  propose_and_accept("mapping demo", 1);
  done("tester", "sync");
  office_tamper(&office, office.dsn == NULL
                             ? "UPDATE approval SET body = CAST(replace(CAST(body AS TEXT), 'female', 'male') AS BLOB)"
                             : "UPDATE approval SET body = body || '#'::bytea");
  program_write(office.folder, "incoming/two.csv", HEADER "D-3;a;Ana;F\n");
  struct said said = program_run(office.folder, "sync");
  assert_int_not_equal(said.code, 0);
  assert_says(said.err, "approval 1 in the store was changed: its text is not the one that was approved");
  said = program_run(office.folder, "status");
  assert_says(said.out, "- mapping demo: its file waits for approval");
}

/* Bytes as a literal of the store's SQL. */
static const char *literal(const void *bytes, size_t len, char room[2048]) {
  char hex[2000];
  assert_true(2 * len < sizeof hex);
  hex_format(bytes, len, hex);
  snprintf(room, 2048, office.dsn == NULL ? "X'%s'" : "'\\x%s'::bytea", hex);
  return room;
}

static void assert_forged(const char *change, const char *undo, const char *synced, const char *verified) {
  office_tamper(&office, change);
  struct said said = program_run(office.folder, "sync");
  if (synced == NULL) {
    office_must(said, __LINE__);
  } else {
    assert_int_not_equal(said.code, 0);
    assert_says(said.err, synced);
  }
  said = program_run(office.folder, "audit verify --records");
  assert_int_not_equal(said.code, 0);
  assert_says(said.err, "the store is not what the log says: ");
  assert_says(said.err, verified);
  office_tamper(&office, undo);
  assert_says(done("tester", "audit verify --records").out, "records ok: ");
}

/* Body and digest agree with each other: only the log knows better. */
static void test_a_forged_approval(void **state) {
  (void)state;
  char text[2048], digest[2048], undo[4608], change[8192];
  propose_and_accept("mapping demo", 1);
  program_write(office.folder, "mappings/demo.yaml", SECOND);
  propose_and_accept("mapping demo", 2);
  program_write(office.folder, "mappings/demo.yaml", FIRST);
  done("ana", "approve propose mapping demo --reason 'as before' --document RM-9");
  done("tester", "sync");
  done("tester", "audit verify --records");
  struct sha256 first = sha256_of(slice_of(FIRST)), second = sha256_of(slice_of(SECOND));
  literal(FIRST, strlen(FIRST), text);
  literal(first.bytes, SHA256_SIZE, digest);
  snprintf(change, sizeof change, "UPDATE approval SET body = %s, digest = %s WHERE approval_id = 2", text, digest);
  literal(SECOND, strlen(SECOND), text);
  literal(second.bytes, SHA256_SIZE, digest);
  snprintf(undo, sizeof undo, "UPDATE approval SET body = %s, digest = %s WHERE approval_id = 2", text, digest);
  assert_forged(change, undo, "proposal 2 in the store is not what entry ", "approval 2 of mapping demo");
  literal(FIRST, strlen(FIRST), text);
  literal(first.bytes, SHA256_SIZE, digest);
  snprintf(change, sizeof change,
           "UPDATE approval SET state = 'former' WHERE approval_id = 2; INSERT INTO approval (approval_id, kind, name, "
           "digest, body, proposed_by, proposed_at, approved_by, approved_at, reason, document, state, remark) VALUES "
           "(7, 'mapping', 'demo', %s, %s, 'ana', 5, 'luis', 6, 'new codes', 'RM-7', 'approved', 'checked')",
           digest, text);
  assert_forged(
      change,
      "DELETE FROM approval WHERE approval_id = 7; UPDATE approval SET state = 'approved' WHERE approval_id = 2",
      "proposal 7 in the store is not in the log", "approval 2 in the store was put back or aside: entry ");
  assert_forged(
      "UPDATE approval SET state = CASE approval_id WHEN 1 THEN 'approved' ELSE 'former' END WHERE approval_id < 3",
      "UPDATE approval SET state = CASE approval_id WHEN 2 THEN 'approved' ELSE 'former' END WHERE approval_id < 3",
      "approval 1 in the store was put back or aside: entry ", "approval 1 of mapping demo");
  assert_forged("UPDATE approval SET approved_by = 'eva' WHERE approval_id = 2",
                "UPDATE approval SET approved_by = 'luis' WHERE approval_id = 2",
                "approval 2 in the store is not what entry ", "says of it");
  assert_forged(
      "UPDATE approval SET state = 'approved', approved_by = 'luis', remark = 'checked', approved_at = 6 WHERE "
      "approval_id = 3; UPDATE approval SET state = 'former' WHERE approval_id = 2",
      "UPDATE approval SET state = 'waiting', approved_by = NULL, remark = NULL, approved_at = 0 WHERE "
      "approval_id = 3; UPDATE approval SET state = 'approved' WHERE approval_id = 2",
      "approval 3 in the store is not in the log", "approval 2 in the store was put back or aside: entry ");
  assert_forged("UPDATE approval SET approval_id = 77 WHERE approval_id = 3",
                "UPDATE approval SET approval_id = 3 WHERE approval_id = 77", NULL, "not in the log");
  assert_forged("CREATE TABLE aside AS SELECT * FROM approval WHERE approval_id = 1; DELETE FROM approval WHERE "
                "approval_id = 1",
                "INSERT INTO approval SELECT * FROM aside; DROP TABLE aside", NULL,
                "proposal 1 is not in the store any more");
  /* Who proposed cannot make it another's. */
  office_tamper(&office, "UPDATE approval SET proposed_by = 'eva' WHERE approval_id = 3");
  struct said said = program_run_as(office.folder, "ana", "approve accept 3 --reason fine");
  assert_int_not_equal(said.code, 0);
  assert_says(said.err, "proposal 3 in the store is not what entry ");
  assert_says(done("luis", "approve show 3").out, "ATTENTION: proposal 3 in the store is not what entry ");
}

static void test_linkage_rules(void **state) {
  (void)state;
  office_configure(&office, "approval: {required: [link]}\nlink: link/rules.yaml\n");
  char *text = program_read(".", "config/link/default.yaml");
  static const char *const parts[] = {"persons.yaml", "cases.yaml", "survivorship.yaml", "persons.model.json",
                                      "cases.model.json"};
  char path[128];
  office_folder(&office, "link");
  program_write(office.folder, "link/rules.yaml", text);
  free(text);
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    char from[64], to[64];
    snprintf(from, sizeof from, "config/link/%s", parts[i]);
    snprintf(to, sizeof to, "link/%s", parts[i]);
    text = program_read(".", from);
    program_write(office.folder, to, text);
    free(text);
  }
  done("tester", "sync");
  struct said said = program_run(office.folder, "link");
  assert_int_not_equal(said.code, 0);
  assert_says(said.err, "this file has never been approved, and a link acts only once it is");
  done("ana", "approve propose link --reason first --document RM-1");
  assert_says(done("ana", "approve list").out, "persons.model.json");
  for (int i = 1; i <= 6; i++) {
    snprintf(path, sizeof path, "approve accept %d --reason checked", i);
    done("luis", path);
  }
  done("tester", "link");
  /* A mistake in the file does no harm while it waits. */
  program_write(office.folder, "link/persons.yaml", "entity: nonsense\n");
  program_write(office.folder, "incoming/two.csv", HEADER "D-3;a;Ana;F\n");
  done("tester", "sync");
  said = done("tester", "link --full");
  assert_says(said.err, "the approved version is used");
  assert_int_not_equal(program_run_as(office.folder, "ana", "approve propose link --reason new --document RM-2").code,
                       0);
  text = program_read(".", "config/link/persons.yaml");
  char *longer = malloc(strlen(text) + 32);
  assert_non_null(longer);
  snprintf(longer, strlen(text) + 32, "# reviewed\n%s", text);
  program_write(office.folder, "link/persons.yaml", longer);
  free(longer);
  free(text);
  done("ana", "approve propose link persons.yaml --reason new --document RM-2");
  said = done("luis", "approve show 7");
  assert_says(said.out, "# reviewed");
  assert_says(said.out, "`puente link` has to be run: records that it places anew: 6");
  done("luis", "approve accept 7 --reason checked");
  said = done("tester", "link");
  assert_null(strstr(said.err, "the approved version is used"));
}

#define LIST(codes)                                                                                                    \
  "list: sex\nlabel: {en: Sex, es: Sexo}\nsystems:\n  demo: of the demo\ncodes:\n"                                     \
  "  female: {en: Female, es: Mujer, in: {demo: F}}\n" codes
#define OF_MALE "  male: {en: Male, es: Hombre, in: {demo: H}}\n"
#define OF_TRANS_MALE "  trans_male: {en: Trans man, es: Hombre trans, in: {demo: H}}\n"
#define OF_OTHERS "  non_conforming: {en: Other, es: Otra, in: {demo: X}}\n"

static const char *lists_file(const char *name) {
  static char path[256];
  snprintf(path, sizeof path, "%s/codelists/%s", office.folder, name);
  return path;
}

static void lists_folder(void) {
  office_folder(&office, "codelists");
}

static void test_a_code_list(void **state) {
  (void)state;
  office_configure(&office, "approval: {required: [codelist]}\n");
  program_write(office.folder, "mappings/demo.yaml",
                "source: demo\nformat: csv\ndelimiter: \";\"\n"
                "case:\n  key: id\n  denuncia_number: id\n"
                "person:\n  key: [id, victim]\n  role: victim\n  given_names: {from: name, clean: name}\n"
                "  sex: {from: sex, system: demo, else: quarantine}\n");
  lists_folder();
  program_write(office.folder, "codelists/sex.yaml", LIST(OF_TRANS_MALE));
  /* The program's list of that name acts, which knows no such system. */
  struct said said = program_run(office.folder, "sync");
  assert_int_not_equal(said.code, 0);
  assert_says(said.err, "codelists/sex.yaml: this code list has never been approved and is left out");
  assert_says(done("tester", "approve list").out, "never approved");
  done("ana", "approve propose codelist --reason first --document RM-1");
  said = program_run_as(office.folder, "MIMP\\ana", "approve accept 1 --reason checked");
  assert_int_not_equal(said.code, 0);
  assert_says(said.err, "proposal 1 is by 'ana': another person has to approve it");
  done("luis", "approve accept 1 --reason checked");
  assert_null(strstr(done("tester", "sync").err, "waits for approval"));
  /* Another text does not act, nor does a mistake in it, nor that the file is gone. */
  program_write(office.folder, "codelists/sex.yaml", "list: sex\ncodes: nonsense\n");
  program_write(office.folder, "incoming/two.csv", HEADER "D-3;a;Ana;X\n");
  said = done("tester", "sync");
  assert_says(said.err, "codelist sex: the approved version is used");
  assert_says(done("tester", "status").out, "- codelist sex: its file waits for approval since ");
  assert_int_not_equal(
      program_run_as(office.folder, "ana", "approve propose codelist sex --reason x --document y").code, 0);
  assert_int_equal(unlink(lists_file("sex.yaml")), 0);
  assert_int_equal(rmdir(lists_file("")), 0);
  assert_says(done("tester", "approve list").out, "the file is missing");
  assert_says(done("tester", "remap").out, "  quarantine: 1 -> 1 records");
  lists_folder();
  program_write(office.folder, "codelists/sex.yaml", LIST(OF_MALE OF_OTHERS));
  done("tester", "remap");
  assert_says(done("tester", "status").out, "- demo: in quarantine: 1,");
  done("ana", "approve propose codelist sex --reason 'new codes' --document RM-2");
  said = done("luis", "approve show 2");
  assert_says(said.out, "+     8  ");
  assert_says(said.out, "  quarantine: 1 -> 0 records");
  assert_says(said.out, "trans_male  male");
  assert_says(done("tester", "status").out, "- demo: in quarantine: 1,");
  done("luis", "approve accept 2 --reason checked");
  said = done("tester", "remap");
  assert_says(said.out, "  quarantine: 1 -> 0 records");
  assert_says(said.out, "trans_male  male");
  assert_says(done("tester", "approve list").out, "every file is the one that was approved");
  said = done("tester", "--json audit list --event approval");
  assert_says(said.out, "codelist");
  assert_says(said.out, "RM-2");
}

static void test_code_lists_that_need_each_other(void **state) {
  (void)state;
  static const char KINDS[] = "list: kinds\nlabel: {en: K, es: K}\ncodes:\n  %s: {en: A, es: A}\n";
  static const char ITEMS[] = "list: items\nlabel: {en: I, es: I}\ngroups: kinds\ncodes:\n"
                              "  one: {en: O, es: O, group: %s}\n";
  char text[256];
  office_configure(&office, "approval: {required: [codelist]}\n");
  lists_folder();
  snprintf(text, sizeof text, KINDS, "a");
  program_write(office.folder, "codelists/kinds.yaml", text);
  snprintf(text, sizeof text, ITEMS, "a");
  program_write(office.folder, "codelists/items.yaml", text);
  done("ana", "approve propose codelist --reason first --document RM-1");
  struct said said = program_run_as(office.folder, "luis", "approve accept 1 --reason checked");
  assert_int_not_equal(said.code, 0);
  assert_says(said.err, "groups: there is no code list 'kinds'");
  assert_says(said.err, "accept the one that it needs first");
  done("luis", "approve accept 2 --reason checked");
  done("luis", "approve accept 1 --reason checked");
  done("tester", "sync");
  /* Changed in the store: nothing maps with it, what approves still works. */
  office_tamper(
      &office,
      office.dsn == NULL
          ? "UPDATE approval SET body = CAST(replace(CAST(body AS TEXT), 'a:', 'b:') AS BLOB) WHERE name = 'kinds'"
          : "UPDATE approval SET body = body || '#'::bytea WHERE name = 'kinds'");
  said = program_run(office.folder, "sync");
  assert_int_not_equal(said.code, 0);
  assert_says(said.err, "approval 2 in the store was changed: its text is not the one that was approved");
  done("ana", "approve propose codelist kinds --reason again --document RM-3");
  done("luis", "approve accept 3 --reason checked");
  done("tester", "sync");
}

static void test_configuration(void **state) {
  static const struct {
    const char *text, *message;
  } wrong[] = {{"approval: {required: [maping]}\n", "required: there is no kind 'maping'"},
               {"approval: {required: mapping}\n", "required: a list is expected here"},
               {"approval: {require: [mapping]}\n", "unknown key 'require'"}};
  (void)state;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    office_configure(&office, wrong[i].text);
    struct said said = program_run(office.folder, "status");
    assert_int_equal(said.code, 2);
    assert_says(said.err, wrong[i].message);
    assert_says(said.err, "puente.yaml:2:");
    assert_says(said.err, i == 1 ? "for example [mapping, codelist, link]" : "did you mean");
  }
  office_configure(&office, "");
  done("tester", "sync");
  assert_says(done("tester", "approve list").out, "nothing needs approval here");
  assert_int_not_equal(program_run(office.folder, "approve accept x --reason y").code, 0);
  assert_int_not_equal(program_run(office.folder, "approve propose mapping demo --reason y").code, 0);
}

#define BOTH(test)                                                                                                     \
  cmocka_unit_test_setup_teardown(test, setup, teardown), {                                                            \
#test " (postgres)", test, setup_postgres, teardown, NULL                                                          \
  }

int main(void) {
  const struct CMUnitTest tests[] = {
      BOTH(test_first_version_needs_approval),
      BOTH(test_a_change_waits_and_the_former_version_acts),
      BOTH(test_the_same_person_is_refused),
      BOTH(test_rejected_and_changed_since),
      BOTH(test_a_changed_row_is_noticed),
      BOTH(test_a_forged_approval),
      BOTH(test_linkage_rules),
      BOTH(test_a_code_list),
      BOTH(test_code_lists_that_need_each_other),
      cmocka_unit_test_setup_teardown(test_configuration, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
