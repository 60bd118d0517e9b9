#include "core/base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

static void reads_and_writes_reduced_dates(void **state) {
  (void)state;
  static const struct {
    const char *text, *back; /* back NULL: refused */
  } cases[] = {
      {"2019", "2019"},
      {"2019-03", "2019-03"},
      {"2019-03-31", "2019-03-31"},
      {"2020-02-29", "2020-02-29"},
      {"2019-02-29", NULL},
      {"1900-02-29", NULL},
      {"2000-02-29", "2000-02-29"},
      {"2019-13", NULL},
      {"2019-00-10", NULL},
      {"2019-3-1", NULL},
      {"0000", NULL},
      {"2019-03-31T10:00:00Z", "2019-03-31"},
      {"2019-03-31 10:00", "2019-03-31"},
      {"2019-03-31x", NULL},
      {"", NULL},
      {"31/03/2019", NULL},
      {"2019-", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct date date = {0};
    char text[DATE_TEXT_SIZE];
    bool read = date_parse_iso(slice_of(cases[i].text), &date);
    assert_int_equal(read, cases[i].back != NULL);
    if (read) {
      assert_int_equal(date_format(date, text), strlen(cases[i].back));
      assert_string_equal(text, cases[i].back);
    }
  }
}

static void days_go_both_ways(void **state) {
  (void)state;
  assert_int_equal(date_to_days((struct date){1970, 1, 1, DATE_DAY}), 0);
  assert_int_equal(date_to_days((struct date){2000, 3, 1, DATE_DAY}), 11017);
  assert_int_equal(date_to_days((struct date){.year = 2000, .precision = DATE_YEAR}), 10957);
  for (int64_t days = -719162; days < 2932896; days += 97) {
    struct date date = date_from_days(days);
    assert_true(date_valid(date));
    assert_int_equal(date_to_days(date), days);
  }
}

static void ages_count_full_years(void **state) {
  (void)state;
  struct date birth = {2004, 2, 29, DATE_DAY};
  assert_int_equal(date_age(birth, (struct date){2022, 2, 28, DATE_DAY}), 17);
  assert_int_equal(date_age(birth, (struct date){2022, 3, 1, DATE_DAY}), 18);
  assert_int_equal(date_age(birth, (struct date){2003, 3, 1, DATE_DAY}), -1);
  assert_int_equal(date_age(birth, (struct date){.year = 2022, .precision = DATE_YEAR}), -1);
}

static void timestamps_keep_the_instant(void **state) {
  (void)state;
  static const struct {
    const char *text, *back;
  } cases[] = {
      {"2026-03-31T12:00:00Z", "2026-03-31T12:00:00.000000Z"},
      {"2026-03-31T23:30:00-05:00", "2026-04-01T04:30:00.000000Z"},
      {"2026-03-31 12:00:00.25+0100", "2026-03-31T11:00:00.250000Z"},
      {"2026-03-31", "2026-03-31T00:00:00.000000Z"},
      {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
      {"2026-03-31T12:00:00.1234567890123456789012Z", "2026-03-31T12:00:00.123456Z"},
      {"2026-03-31T12:00", "2026-03-31T12:00:00.000000Z"},
      {"2026-03-31T25:00:00Z", NULL},
      {"2026-03-31T12:00:00+5", NULL},
      {"2026-03-31Tnoon", NULL},
      {"2026-03", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int64_t micros = 0;
    char text[TIMESTAMP_TEXT_SIZE];
    assert_int_equal(clock_parse(slice_of(cases[i].text), &micros), cases[i].back != NULL);
    if (cases[i].back != NULL) {
      clock_format(micros, text);
      assert_string_equal(text, cases[i].back);
    }
  }
}

static void durations_have_a_unit(void **state) {
  (void)state;
  int64_t micros = 0;
  assert_true(clock_parse_duration(slice_of("90s"), &micros));
  assert_int_equal(micros, 90000000);
  assert_true(clock_parse_duration(slice_of("7d"), &micros));
  assert_int_equal(micros, INT64_C(7) * 86400 * 1000000);
  assert_false(clock_parse_duration(slice_of("10"), &micros));
  assert_false(clock_parse_duration(slice_of("m"), &micros));
  assert_false(clock_parse_duration(slice_of("-5m"), &micros));
}

static void the_clock_may_be_fixed(void **state) {
  (void)state;
  setenv("PUENTE_CLOCK", "2026-01-02T03:04:05Z", 1);
  char text[TIMESTAMP_TEXT_SIZE];
  clock_format(clock_now(), text);
  assert_string_equal(text, "2026-01-02T03:04:05.000000Z");
  unsetenv("PUENTE_CLOCK");
  assert_true(clock_now() > INT64_C(1700000000) * 1000000);
  int64_t before = clock_monotonic();
  assert_true(clock_monotonic() >= before);
}

/* From the start of the process; durations stay real. */
static void the_clock_may_run_faster(void **state) {
  (void)state;
  const int64_t begin = INT64_C(1767322800) * 1000000; /* 2026-01-02T03:00:00Z */
  setenv("PUENTE_CLOCK", "2026-01-02T03:00:00Z x20000", 1);
  int64_t real = clock_monotonic(), first = clock_now(), second;
  nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
  second = clock_now();
  int64_t passed = clock_monotonic() - real;
  unsetenv("PUENTE_CLOCK");
  assert_true(first >= begin);
  assert_true(second - first >= INT64_C(2000) * 20000 && second - first <= passed * 20000);
  static const char *const wrong[] = {"2026-01-02T03:00:00Z x", "2026-01-02T03:00:00Z x0", "2026-01-02T03:00:00Z x-1",
                                      "2026-01-02T03:00:00Z x2y", "soon x2"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    setenv("PUENTE_CLOCK", wrong[i], 1);
    assert_true(clock_now() > begin + INT64_C(86400) * 1000000 || clock_now() < begin);
  }
  unsetenv("PUENTE_CLOCK");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_and_writes_reduced_dates), cmocka_unit_test(days_go_both_ways),
      cmocka_unit_test(ages_count_full_years),          cmocka_unit_test(timestamps_keep_the_instant),
      cmocka_unit_test(durations_have_a_unit),          cmocka_unit_test(the_clock_may_be_fixed),
      cmocka_unit_test(the_clock_may_run_faster),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
