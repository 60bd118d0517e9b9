#include "tests/support/cases.h"

#include "core/base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void split(char *text, struct case_line *one) {
  static const char mark[] = " | ";
  one->count = 0;
  for (size_t i = 0; i < CASE_FIELDS_MOST; i++) {
    one->fields[i] = "";
  }
  for (char *at = text; at != NULL;) {
    char *end = strstr(at, mark);
    if (end != NULL) {
      *end = '\0';
    }
    assert_true(one->count < CASE_FIELDS_MOST);
    one->fields[one->count++] = at;
    at = end == NULL ? NULL : end + sizeof mark - 1;
  }
}

size_t cases_run(const char *path, void (*run)(const struct case_line *one)) {
  struct buffer text;
  struct error error;
  size_t count = 0;
  int line = 1;
  assert_int_equal(file_read(path, 1 << 20, &text, &error), OK);
  for (char *at = text.data; at != NULL && *at != '\0'; line++) {
    char *end = strchr(at, '\n');
    if (end != NULL) {
      *end = '\0';
    }
    if (*at != '\0' && *at != '#') {
      struct case_line one = {.path = path, .line = line};
      split(at, &one);
      run(&one);
      count++;
    }
    at = end == NULL ? NULL : end + 1;
  }
  buffer_free(&text);
  assert_true(count > 0);
  return count;
}
