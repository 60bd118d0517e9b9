#include "tests/support/pull.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void gives_its_documents_and_goes_on(void **state) {
  (void)state;
  struct pulled pulled;
  struct pull_case one = {.connector = "static", .options = "documents: ['[1]', '[2]']\n"};
  pull_all(&one, &pulled);
  assert_string_equal(pulled.error, "");
  assert_string_equal(pulled.bytes, "[1]\n[2]\n");
  assert_string_equal(pulled.origins, "document 1,document 2,");
  assert_string_equal(pulled.cursor, "2");
  one.cursor = "1";
  pull_all(&one, &pulled);
  assert_string_equal(pulled.bytes, "[2]\n");
  one.cursor = "x";
  pull_all(&one, &pulled);
  assert_string_equal(pulled.error,
                      "the cursor is not one of this connector |  | begin the pass anew: puente sync --full");
}

static void can_be_probed(void **state) {
  (void)state;
  char steps[512];
  struct pulled pulled;
  const struct pull_case one = {.connector = "static", .options = "documents: ['[1]', '[2]']\n"};
  assert_int_equal(pull_probe(&one, steps, sizeof steps, &pulled), OK);
  assert_string_equal(steps, "record ok the documents can be read\n");
  assert_string_equal(pulled.bytes, "[1]\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gives_its_documents_and_goes_on),
      cmocka_unit_test(can_be_probed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
