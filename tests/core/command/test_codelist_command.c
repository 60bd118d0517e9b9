#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const UBIGEO = "../shared/data/ubigeo_inei_reniec.csv";

static void test_a_list_is_shown(void **state) {
  (void)state;
  int code;
  char *text = shell_output(&code, "LANGUAGE=en %s/puente codelist list case_kind", build_folder());
  assert_int_equal(code, 0);
  assert_string_equal(text, "code           label          within  from  to\n"
                            "─────────────  ─────────────  ──────  ────  ──\n"
                            "national       National\n"
                            "international  International\n");
  free(text);
  text = shell_output(&code, "%s/puente --lang es --json codelist list case_kind", build_folder());
  assert_int_equal(code, 0);
  assert_string_equal(
      text, "[\n"
            "  {\"code\": \"national\", \"label\": \"Nacional\", \"parent\": null, \"from\": null, \"to\": null},\n"
            "  {\"code\": \"international\", \"label\": \"Internacional\", \"parent\": null, \"from\": null, \"to\": "
            "null}\n"
            "]\n");
  free(text);
}

static void test_an_unknown_list_names_the_nearest(void **state) {
  (void)state;
  int code;
  char *text = shell_output(&code, "LANGUAGE=en %s/puente codelist list ofence 2>&1", build_folder());
  assert_int_equal(code, 1);
  assert_string_equal(text, "error: there is no code list 'ofence'\n  hint: did you mean 'offence'?\n");
  free(text);
}

/* What looks at the store alone does not read them. */
static void test_a_mistake_stops_only_what_needs_lists(void **state) {
  (void)state;
  static const char *const fine[] = {"store init", "status", "quarantine list", "audit verify"};
  char *folder = temp_make(), *text = NULL;
  shell("echo 'name: test' >%s/puente.yaml && mkdir %s/codelists", folder, folder);
  workspace_key(folder);
  shell("printf 'list: sex\\ncodes: nonsense\\n' >%s/codelists/sex.yaml", folder);
  for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
    if (workspace_run(folder, fine[i], &text) != 0) {
      fail_msg("%s: %s", fine[i], text);
    }
    free(text);
  }
  assert_int_equal(workspace_run(folder, "report sources 2>&1", &text), 2);
  assert_non_null(strstr(text, "codes: CODE: {en: …, es: …} is expected here"));
  assert_non_null(strstr(text, "codelists/sex.yaml:2:8"));
  free(text);
  temp_remove(folder);
}

static void test_districts_become_a_list_of_the_workspace(void **state) {
  (void)state;
  if (access(UBIGEO, R_OK) != 0) {
    skip();
  }
  int code;
  char *folder = temp_make();
  shell("echo 'name: test' > %s/puente.yaml", folder);
  char *text =
      shell_output(&code, "LANGUAGE=en %s/puente --config %s/puente.yaml codelist import ubigeo %s | head -n 9",
                   build_folder(), folder, UBIGEO);
  assert_string_equal(text, "import                                              count\n"
                            "──────────────────────────────────────────────────  ─────\n"
                            "lines read                                          1,893\n"
                            "districts accepted                                  1,892\n"
                            "lines rejected                                          1\n"
                            "without an INEI code                                    1\n"
                            "without a RENIEC code                                   1\n"
                            "districts whose two codes differ                    1,780\n"
                            "RENIEC codes that are another district's INEI code    996\n");
  free(text);
  text = shell_output(&code, "%s/puente --config %s/puente.yaml codelist list place --csv | grep ^160101",
                      build_folder(), folder);
  assert_string_equal(text, "160101,IQUITOS,1601,,\r\n");
  free(text);
  temp_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_list_is_shown),
      cmocka_unit_test(test_an_unknown_list_names_the_nearest),
      cmocka_unit_test(test_a_mistake_stops_only_what_needs_lists),
      cmocka_unit_test(test_districts_become_a_list_of_the_workspace),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
