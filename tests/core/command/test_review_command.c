/* `puente review` as a reviewer uses it: what it prints, its exit codes; and the waterfall of weights. */
#include "core/command/waterfall.h"
#include "tests/support/program.h"
#include "tests/support/reviewing.h"
#include "tests/support/says.h"

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
  reviewing_open(&place, 2);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  program_forget();
  reviewing_close(&place);
  return 0;
}

/* `puente review WHAT A-B REST` of two persons. */
static struct said review(const char *what, int a, int b, const char *rest) {
  char line[256];
  snprintf(line, sizeof line, "review %s %lld-%lld %s", what, (long long)place.persons[a], (long long)place.persons[b],
           rest);
  return program_run(place.folder, line);
}

static void test_list(void **state) {
  (void)state;
  struct said said = program_run(place.folder, "review list");
  assert_int_equal(said.code, 0);
  assert_says(said.out, "demo D-1/a");
  assert_says(said.out, "98.9 %");
  assert_says(said.out, "rule: documents conflict");
  assert_says(said.out, "in all: 3; `puente review show ID` shows one, masked\n");
  assert_true(strstr(said.out, " 6.50 ") < strstr(said.out, " 4.00 "));
  said = program_run(place.folder, "review --kind case --n 1");
  assert_says(said.out, "in all: 1;");
  assert_null(strstr(said.out, " 6.50 "));
  said = program_run(place.folder, "--json review list --kind person");
  json_t *root = json_loads(said.out, 0, NULL);
  const json_t *pair = json_array_get(json_object_get(root, "pairs"), 0);
  char id[64];
  snprintf(id, sizeof id, "%lld-%lld", (long long)place.persons[0], (long long)place.persons[1]);
  assert_string_equal(json_string_value(json_object_get(pair, "id")), id);
  assert_true(json_real_value(json_object_get(pair, "weight")) > 6.4);
  assert_int_equal(json_integer_value(json_object_get(root, "waiting")), 2);
  json_decref(root);
}

static void test_misuse(void **state) {
  (void)state;
  static const struct {
    const char *arguments, *message;
  } cases[] = {
      {"review list --n 0", "error: --n has to be a number from 1 to 100000\n"},
      {"review list --kind people", "error: --kind is person or case\n"},
      {"review look 1-2", "error: list, show ID, accept ID or reject ID is expected\n"},
      {"review show 12", "error: a pair's ID is expected, as `puente review list` shows it\n"},
      {"review show 12-12", "error: a pair's ID is expected, as `puente review list` shows it\n"},
      {"review accept 12-13", "error: a reason is needed: --reason TEXT\n"},
      {"review accept 12-13 --reason x",
       "error: rows 12 and 13 are no two current persons, and no two current cases\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct said said = program_run(place.folder, cases[i].arguments);
    assert_int_equal(said.code, i + 1 < sizeof cases / sizeof *cases ? 2 : 1);
    assert_says(said.err, cases[i].message);
  }
}

static void test_show(void **state) {
  (void)state;
  struct said said = review("show", 0, 1, "");
  assert_int_equal(said.code, 0);
  assert_says(said.out,
              "last linking: waiting (weight), weight 6.50, probability 0.9891, proposed by surname and birth\n");
  assert_says(said.out, "demo D-1/a");
  assert_says(said.out, "First surname    AAAA        AAAA\n");
  assert_says(said.out, "nobody has decided about it yet\n");
  assert_null(strstr(said.out, "QUISPE"));
  said = review("show", 2, 3, "");
  assert_int_equal(said.code, 0);
  assert_says(said.out, "the last linking did not propose this pair\n");
  said = review("show", 0, 1, "--reveal --purpose queue");
  assert_int_equal(said.code, 0);
  assert_says(said.out, "QUISPE");
  said = review("show", 0, 1, "--reveal");
  assert_int_equal(said.code, 2);
}

static void test_decide(void **state) {
  (void)state;
  struct said said = review("accept", 0, 1, "--reason 'same mother'");
  assert_int_equal(said.code, 0);
  assert_string_equal(
      said.out, "decision 1: the two are one; a second person has to accept it before `puente link` applies it\n");
  said = review("accept", 0, 1, "--reason again");
  assert_int_equal(said.code, 2);
  assert_says(said.err, "error: you proposed this yourself: a second person has to approve it\n"
                        "  hint: another person runs the same command under their own name\n");
  said = review("reject", 0, 1, "--reason 'other birthplace'");
  assert_int_equal(said.code, 0);
  assert_string_equal(said.out, "decision 2: the two are different; the next `puente link` applies it\n");
  said = program_run(place.folder, "review list");
  assert_says(said.out, "in all: 2;");
  assert_says(said.out, "decided, for the next `puente link` to apply: 1\n");
  said = program_run(place.folder, "status");
  assert_says(said.out, "- pairs that wait for a person: 2, see `puente review list`\n"
                        "- decided pairs: 1, apply them by `puente link`\n");
  said = review("show", 1, 0, "");
  assert_says(said.out, ": same mother\n     replaced at 20");
  assert_says(said.out, "  2: different, by tester at 20");
  said = review("reject", 0, 2, "--reason x --json");
  assert_int_equal(said.code, 0);
  assert_string_equal(said.out, "{\"decision\": 3, \"kind\": \"person\", \"same\": false, \"state\": \"standing\"}\n");
}

static void test_spanish(void **state) {
  (void)state;
  struct said said = program_run(place.folder, "--lang es review list");
  assert_says(said.out, "en total: 3; `puente review show ID` muestra uno, enmascarado\n");
}

/* Bars reach from sum to sum; the line stands at even odds. */
static void test_waterfall(void **state) {
  (void)state;
  json_t *weights = json_loads(
      "{\"prior\": -10.0, \"weight\": 10.0, \"probability\": 0.999, \"steps\": ["
      "{\"comparison\": \"surnames\", \"level\": \"both exact\", \"m\": 0.8, \"u\": 0.0002, \"weight\": 12.0,"
      " \"adjustment\": 3.0},"
      "{\"comparison\": \"sex\", \"level\": \"missing\", \"m\": null, \"u\": null, \"weight\": 0.0,"
      " \"adjustment\": 0.0},"
      "{\"comparison\": \"birth\", \"level\": \"else\", \"m\": 0.1, \"u\": 0.8, \"weight\": -3.0, \"adjustment\": 0.0},"
      "{\"comparison\": \"document\", \"level\": \"equal\", \"m\": 0.9, \"u\": 0.01, \"weight\": 8.0,"
      " \"adjustment\": 0.0}]}",
      0, NULL);
  assert_non_null(weights);
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  waterfall_print(weights, stream);
  waterfall_print(NULL, stream);
  fclose(stream);
  assert_string_equal(
      text,
      "  what was compared                   m        u  weight  rarity\n"
      "  before anything is compared                     -10.00          --------------------|\n"
      "  surnames: both exact              0.8   0.0002  +12.00   +3.00  ++++++++++++++++++++|+++++++++\n"
      "  sex: missing                        -        -   +0.00                              |\n"
      "  birth: else                       0.1      0.8   -3.00                              |   ------\n"
      "  document: equal                   0.9     0.01   +8.00                              |   ++++++++++++++++\n"
      "  match weight                                    +10.00          probability 0.9990\n");
  free(text);
  json_decref(weights);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_list, setup, teardown),
      cmocka_unit_test_setup_teardown(test_misuse, setup, teardown),
      cmocka_unit_test_setup_teardown(test_show, setup, teardown),
      cmocka_unit_test_setup_teardown(test_decide, setup, teardown),
      cmocka_unit_test_setup_teardown(test_spanish, setup, teardown),
      cmocka_unit_test(test_waterfall),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
