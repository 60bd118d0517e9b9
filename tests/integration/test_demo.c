/* The demo as a user runs it, and the simulator's promises: the same seed gives the same bytes, wrong arguments are
 * told.
 */
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *last_line(char *text) {
  size_t len = strlen(text);
  if (len > 0 && text[len - 1] == '\n') {
    text[len - 1] = '\0';
  }
  const char *line = strrchr(text, '\n');
  return line == NULL ? text : line + 1;
}

static void test_demo(void **state) {
  (void)state;
  int code = 0;
  char *output =
      shell_output(&code, "PERSONS=600 SEED=271828 BUILD=%s LANGUAGE=en examples/peru/demo.sh 2>&1", build_folder());
  const char *line = last_line(output);
  if (code != 0) {
    fprintf(stderr, "%s\n", output);
  }
  assert_int_equal(code, 0);
  regex_t pattern;
  assert_int_equal(regcomp(&pattern,
                           "^demo ok: sources=5 records=[1-9][0-9]* quarantined=[1-9][0-9]* persons=[1-9][0-9]* "
                           "cases=[1-9][0-9]* precision=[01]\\.[0-9]{3} recall=[01]\\.[0-9]{3} "
                           "case_precision=[01]\\.[0-9]{3} case_recall=[01]\\.[0-9]{3} waiting=[0-9]+$",
                           REG_EXTENDED | REG_NOSUB),
                   0);
  printf("note: %s\n", line);
  assert_int_equal(regexec(&pattern, line, 0, NULL, 0), 0);
  regfree(&pattern);
  /* Columns that a country does not have are usual, and steps of training say nothing. */
  assert_null(strstr(output, "no record has a value"));
  const char *warned = strstr(output, "weighs less than one below it");
  assert_true(warned == NULL || strstr(warned + 1, "surnames, given: a level weighs less") == NULL);
  free(output);
  /* The workspace stays, and every command goes on from it. */
  char folder[4096];
  snprintf(folder, sizeof folder, "%s/demo", build_folder());
  static const char *const commands[] = {"status >/dev/null", "quarantine list >/dev/null",
                                         "explain person 1 >/dev/null", "--json report sources >/dev/null",
                                         "--lang es report stages >/dev/null"};
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    assert_int_equal(workspace_run(folder, commands[i], NULL), 0);
  }
}

static void test_same_seed_same_bytes(void **state) {
  (void)state;
  char *folder = temp_make();
  for (int i = 0; i < 3; i++) {
    shell("%s/puente-simulator --dir %s/%d --population 800 --seed %d --once --sql %s/%d/datamart.sql", build_folder(),
          folder, i, i < 2 ? 5 : 6, folder, i);
  }
  shell("cd %s && cmp 0/truth.csv 1/truth.csv && cmp 0/siscalp/siscalp_1.csv 1/siscalp/siscalp_1.csv && "
        "cmp 0/datamart.sql 1/datamart.sql && ! cmp -s 0/truth.csv 2/truth.csv",
        folder);
  temp_remove(folder);
}

static void test_wrong_arguments(void **state) {
  (void)state;
  static const char *const wrong[] = {
      "",         "--dir x --errors speling=0.1", "--dir x --errors typing=1.5", "--dir x --population 0",
      "evaluate", "evaluate absent.csv absent.db"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    int code = 0;
    free(shell_output(&code, "%s/puente-simulator %s 2>&1", build_folder(), wrong[i]));
    assert_int_equal(code, 2);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_demo), cmocka_unit_test(test_same_seed_same_bytes),
                                     cmocka_unit_test(test_wrong_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
