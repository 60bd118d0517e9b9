/* Messages in another language than the program's: the program speaks English in tests. */
#include "core/base/catalog.h"
#include "core/base/file.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static void messages_are_found_beside_the_program(void **state) {
  (void)state;
  char locale[512];
  struct catalog *catalog = NULL;
  struct error error;
  snprintf(locale, sizeof locale, "%s/locale", build_folder());
  bindtextdomain("puente", locale);
  assert_int_equal(catalog_open("es", &catalog, &error), OK);
  assert_non_null(catalog);
  assert_string_equal(catalog_text(catalog, "out of memory"), "memoria insuficiente");
  assert_string_equal(catalog_text(catalog, "nobody says this"), "nobody says this");
  catalog_close(catalog);
  assert_int_equal(catalog_open("en", &catalog, &error), OK);
  assert_null(catalog);
  assert_string_equal(catalog_text(catalog, "out of memory"), "out of memory");
}

/* Each byte of a whole catalog wrong in turn, and each length: an error, or texts within the file. */
static void a_broken_catalog_is_an_error(void **state) {
  (void)state;
  static const char whole[] = "\xDE\x12\x04\x95\0\0\0\0\1\0\0\0\x1C\0\0\0\x24\0\0\0\0\0\0\0\x2C\0\0\0\1\0\0\0\x2C\0\0\0"
                              "\1\0\0\0\x2E\0\0\0a\0b";
  char *folder = temp_make();
  char path[512];
  struct error error;
  struct catalog *catalog = NULL;
  bindtextdomain("puente", folder);
  shell("mkdir -p %s/xx/LC_MESSAGES", folder);
  snprintf(path, sizeof path, "%s/xx/LC_MESSAGES/puente.mo", folder);
  assert_int_equal(file_write(path, slice_make(whole, sizeof whole), 0600, &error), OK);
  assert_int_equal(catalog_open("xx", &catalog, &error), OK);
  assert_string_equal(catalog_text(catalog, "a"), "b");
  catalog_close(catalog);
  for (size_t length = 0; length < sizeof whole; length++) {
    assert_int_equal(file_write(path, slice_make(whole, length), 0600, &error), OK);
    assert_int_equal(catalog_open("xx", &catalog, &error), ERR_CONFIG);
    assert_string_equal(error.message, "the file of translated messages is broken");
  }
  for (size_t at = 0; at < sizeof whole; at++) {
    char copy[sizeof whole];
    memcpy(copy, whole, sizeof copy);
    copy[at] = '\x7F';
    assert_int_equal(file_write(path, slice_make(copy, sizeof copy), 0600, &error), OK);
    if (catalog_open("xx", &catalog, &error) == OK) {
      assert_true(strlen(catalog_text(catalog, "a")) <= 2);
    }
    catalog_close(catalog);
  }
  temp_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(messages_are_found_beside_the_program),
      cmocka_unit_test(a_broken_catalog_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
