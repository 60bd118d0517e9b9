/* What is done by hand is a named person's: each such command, as whom it is refused and as whom it is in the log. */
#include "tests/support/program.h"
#include "tests/support/reviewing.h"
#include "tests/support/says.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct reviewing place;

static int setup(void **state) {
  (void)state;
  reviewing_open(&place, 1);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  program_forget();
  reviewing_close(&place);
  return 0;
}

/* Everything that a person does by hand; @0 and @1 are two rows of persons. */
static const char *const BY_HAND[] = {"explain person 1 --reveal --purpose 'asked by the court'",
                                      "explain record demo:D-1 --reveal --purpose 'asked by the court'",
                                      "explain pair @0 @1 --reveal --purpose 'asked by the court'",
                                      "review show @0-@1 --reveal --purpose 'asked by the court'",
                                      "review accept @0-@1 --reason seen",
                                      "review reject @0-@1 --reason seen",
                                      "quarantine show demo:D-1 --reveal --purpose 'asked by the court'",
                                      "quarantine dismiss demo:D-1 --reason seen",
                                      "export csv --purpose 'asked by the court' --out out",
                                      "query --purpose 'asked by the court' 'SELECT 1'",
                                      "store restore none.db",
                                      "store rollback",
                                      "audit checkpoint point.txt",
                                      "handover"};

static struct said by_hand(size_t i, const char *actor) {
  char line[256];
  size_t len = 0;
  for (const char *at = BY_HAND[i]; *at != '\0' && len + 32 < sizeof line; at++) {
    if (*at == '@') {
      at++;
      len += (size_t)snprintf(line + len, sizeof line - len, "%lld", (long long)place.persons[*at - '0']);
    } else {
      line[len++] = *at;
    }
  }
  line[len] = '\0';
  return program_run_as(place.folder, actor, line);
}

static void test_shared_accounts_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *actor, *message;
  } cases[] = {
      {"root", "error: 'root' is an account that several persons may use: this is for a named person\n"},
      {"sudo:root", "error: 'root' is an account that several persons may use: this is for a named person\n"},
      {"Admin", "error: 'Admin' is an account that several persons may use: this is for a named person\n"},
      {"mesa", "error: 'mesa' is an account that several persons may use: this is for a named person\n"},
  };
  char *before = program_read(place.folder, "puente.yaml"), text[16384];
  snprintf(text, sizeof text, "%s\naccess: {shared: [Mesa]}\n", before);
  program_write(place.folder, "puente.yaml", text);
  int64_t refused = 0;
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    for (size_t i = 0; i < sizeof BY_HAND / sizeof *BY_HAND; i++) {
      struct said said = by_hand(i, cases[c].actor);
      assert_string_equal(said.out, "");
      assert_says(said.err, cases[c].message);
      assert_says(said.err, "hint: set PUENTE_ACTOR to your own name or login\n");
      assert_int_equal(said.code, 1);
      refused++;
    }
  }
  assert_int_equal(refused, 4 * 14);
  program_write(place.folder, "puente.yaml", before);
  free(before);
  /* Nothing of it was done, and nothing shown. */
  struct said said = program_run(place.folder, "audit list --event reveal");
  assert_null(strstr(said.out, "court"));
  assert_null(strstr(program_run(place.folder, "audit list --event review").out, "seen"));
  assert_null(strstr(program_run(place.folder, "audit list --event export").out, "court"));
}

static void test_only_listed_persons(void **state) {
  (void)state;
  char *before = program_read(place.folder, "puente.yaml"), text[16384];
  snprintf(text, sizeof text, "%s\naccess: {people: [ana, eva]}\n", before);
  program_write(place.folder, "puente.yaml", text);
  struct said said = by_hand(1, "luis");
  assert_int_equal(said.code, 1);
  assert_string_equal(said.err, "error: 'luis' is not listed among the persons who may do this\n"
                                "  hint: `access: people:` of puente.yaml lists them\n");
  assert_int_equal(by_hand(1, "eva").code, 0);
  /* What nobody does by hand asks nobody. */
  assert_int_equal(program_run_as(place.folder, NULL, "status").code, 0);
  assert_int_equal(program_run_as(place.folder, "root", "sync").code, 0);
  snprintf(text, sizeof text, "%s\naccess: {people: [ana, root]}\n", before);
  program_write(place.folder, "puente.yaml", text);
  said = program_run(place.folder, "check");
  assert_says(said.out, "people: 'root' is an account that several persons use");
  program_write(place.folder, "puente.yaml", before);
  free(before);
}

static void test_the_log_names_the_person(void **state) {
  (void)state;
  static const char *const asked[] = {"ana.rojas", "sudo:luis.paredes"};
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(by_hand(1, asked[i]).code, 0);
    const char *name = asked[i] + (i == 1 ? strlen("sudo:") : 0);
    char line[128];
    snprintf(line, sizeof line, "--json audit list --event reveal --actor %s", name);
    struct said said = program_run(place.folder, line);
    assert_says(said.out, name);
    assert_says(said.out, "asked by the court");
  }
}

static void test_odd_actors(void **state) {
  (void)state;
  static const char *const odd[] = {"", " ana", "ana\n", "\x1b[31mana", "ana\xff", "--"};
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    for (int way = 0; way < 2; way++) {
      struct said said = program_run_as(place.folder, odd[i], way == 0 ? "status" : "sync");
      assert_int_equal(said.code, 2);
      assert_string_equal(said.out, "");
      assert_says(said.err, "error: PUENTE_ACTOR is no name of who acts: it ");
      assert_says(said.err, "hint: set it to your own name or login, or unset it\n");
      assert_null(strchr(said.err, '\x1b'));
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shared_accounts_are_refused),
      cmocka_unit_test(test_only_listed_persons),
      cmocka_unit_test(test_the_log_names_the_person),
      cmocka_unit_test(test_odd_actors),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
