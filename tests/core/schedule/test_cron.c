/* Cron expressions: cases as text, agreement with a search by minutes, and arbitrary bytes. */
#include "core/schedule/cron.h"

#include "core/base/date.h"
#include "tests/support/cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static int draw(void) {
  return (int)random();
}

enum { EXPRESSIONS = 120, MINUTES_SEARCHED = 400 * 1440, BYTES_TRIED = 50000 };

static struct civil civil_of(const char *text) {
  int64_t micros;
  assert_true(clock_parse(slice_of(text), &micros));
  return civil_of_minutes(micros / 60000000);
}

static void show(const struct civil *civil, char text[32]) {
  snprintf(text, 32, "%04d-%02d-%02d %02d:%02d", civil->year, civil->month, civil->day, civil->hour, civil->minute);
}

static void run_case(const struct case_line *one) {
  struct cron cron;
  struct error error = {.code = OK};
  enum status status = cron_parse(slice_of(one->fields[1]), &cron, &error);
  if (strcmp(one->fields[0], "wrong") == 0) {
    assert_int_equal(status, ERR_CONFIG);
    assert_string_equal(error.message, one->fields[2]);
    assert_string_equal(error.hint, one->fields[3]);
    return;
  }
  char text[32];
  struct civil from = civil_of(one->fields[2]), found;
  bool next = strcmp(one->fields[0], "next") == 0;
  if (status != OK || !(next ? cron_next : cron_previous)(&cron, &from, &found)) {
    fail_msg("%s:%d: %s", one->path, one->line, status == OK ? "none" : error.message);
  }
  show(&found, text);
  if (strcmp(text, one->fields[3]) != 0) {
    fail_msg("%s:%d: %s, not %s", one->path, one->line, text, one->fields[3]);
  }
}

static void test_cases(void **state) {
  (void)state;
  printf("note: cron cases=%zu\n", cases_run("tests/core/schedule/cases/cron.txt", run_case));
}

/* A field at random: a star, a list of values and ranges, with and without steps. */
static size_t put_field(char *out, size_t size, int least, int most) {
  size_t len = 0;
  int items = draw() % 3;
  if (items == 0) {
    return (size_t)(draw() % 2 == 0 ? snprintf(out, size, "* ") : snprintf(out, size, "*/%d ", 1 + draw() % 5));
  }
  for (int i = 0; i < items; i++) {
    int first = least + draw() % (most - least + 1), last = first + draw() % (most - first + 1);
    const char *comma = i == 0 ? "" : ",";
    int kind = draw() % 3;
    len += (size_t)(kind == 0   ? snprintf(out + len, size - len, "%s%d", comma, first)
                    : kind == 1 ? snprintf(out + len, size - len, "%s%d-%d", comma, first, last)
                                : snprintf(out + len, size - len, "%s%d-%d/%d", comma, first, last, 1 + draw() % 4));
  }
  return len + (size_t)snprintf(out + len, size - len, " ");
}

static void put_expression(char *text, size_t size) {
  static const int bounds[][2] = {{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 7}};
  size_t len = 0;
  for (size_t i = 0; i < 5; i++) {
    len += put_field(text + len, size - len, bounds[i][0], bounds[i][1]);
  }
}

/* The same by looking at every minute. */
static bool search(const struct cron *cron, const struct civil *from, int step, struct civil *found) {
  int64_t at = civil_minutes(from);
  for (int i = 0; i < MINUTES_SEARCHED; i++) {
    at += step;
    *found = civil_of_minutes(at);
    if (cron_fits(cron, found)) {
      return true;
    }
  }
  return false;
}

static void test_agrees_with_a_search_by_minutes(void **state) {
  (void)state;
  int compared = 0;
  srandom(20260331);
  for (int i = 0; i < EXPRESSIONS; i++) {
    char text[256];
    struct cron cron;
    struct error error;
    put_expression(text, sizeof text);
    if (cron_parse(slice_of(text), &cron, &error) != OK) {
      assert_string_equal(error.message, "no year has such a day in such a month: this is never due");
      continue;
    }
    struct civil from = civil_of_minutes(INT64_C(28000000) + draw() % 4000000), fast, slow;
    for (int step = -1; step <= 1; step += 2) {
      bool found = (step > 0 ? cron_next : cron_previous)(&cron, &from, &fast);
      assert_true(found); /* whatever was taken is due some day */
      if (search(&cron, &from, step, &slow)) {
        if (civil_compare(&fast, &slow) != 0) {
          fail_msg("'%s' differs, step %d", text, step);
        }
        compared++;
      }
    }
  }
  printf("note: cron compared=%d\n", compared);
  assert_true(compared > EXPRESSIONS);
}

/* Whatever the bytes, there is an answer, and what is shown of them is printable. */
static void test_arbitrary_bytes(void **state) {
  (void)state;
  static const char likely[] = "0123456789*/,-@ \t\nmonjafrisuy\0\xff\xc3";
  srandom(7);
  for (int i = 0; i < BYTES_TRIED; i++) {
    char *text = malloc(40);
    size_t len = (size_t)draw() % 40;
    struct cron cron;
    struct error error = {.code = OK};
    for (size_t k = 0; k < len; k++) {
      text[k] = likely[(size_t)draw() % (sizeof likely - 1)];
    }
    char *exact = malloc(len == 0 ? 1 : len); /* so that a read behind it is seen */
    memcpy(exact, text, len);
    enum status status = cron_parse(slice_make(exact, len), &cron, &error);
    assert_true(status == OK || status == ERR_CONFIG);
    for (const char *c = error.message; status != OK && *c != '\0'; c++) {
      assert_true(*c >= ' ' && *c <= '~');
    }
    free(exact);
    free(text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases),
                                     cmocka_unit_test(test_agrees_with_a_search_by_minutes),
                                     cmocka_unit_test(test_arbitrary_bytes)};
  return cmocka_run_group_tests_name("cron", tests, NULL, NULL);
}
