/* Due moments, blackouts and jitter: cases as text, and agreement with a count of every minute where clocks change. */
#include "core/schedule/timetable.h"

#include "core/base/date.h"
#include "core/base/file.h"
#include "core/schedule/zone.h"
#include "tests/support/cases.h"
#include "tests/support/temp.h"

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

#define MINUTE INT64_C(60000000)
enum { WINDOWS_MOST = 4, BYTES_TRIED = 50000 };

static struct window windows[WINDOWS_MOST];

static int64_t moment(const char *text) {
  int64_t micros = 0;
  if (!clock_parse(slice_of(text), &micros)) {
    fail_msg("'%s' is no moment", text);
  }
  return micros;
}

static struct timetable table_of(const char *zone, const char *expression, const char *blackout) {
  struct timetable table = {.zone = zone, .text = expression, .blackout = windows};
  struct error error;
  assert_true(zone_known(zone));
  if (expression[0] != '\0') {
    assert_int_equal(cron_parse(slice_of(expression), &table.cron, &error), OK);
  }
  for (const char *at = blackout; *at != '\0'; at += *at == ';') {
    size_t len = strcspn(at, ";");
    assert_true(table.blackout_count < WINDOWS_MOST);
    assert_int_equal(window_parse(slice_make(at, len), &windows[table.blackout_count++], &error), OK);
    at += len;
  }
  return table;
}

static void expect(const struct case_line *one, int64_t got, const char *expected) {
  char text[TIMESTAMP_TEXT_SIZE];
  if (got != moment(expected)) {
    clock_format(got, text);
    fail_msg("%s:%d: %s, not %s", one->path, one->line, text, expected);
  }
}

static void run_wrong(const struct case_line *one) {
  struct window window;
  struct error error;
  assert_int_equal(window_parse(slice_of(one->fields[1]), &window, &error), ERR_CONFIG);
  assert_string_equal(error.message, one->fields[2]);
  assert_true(error.hint[0] != '\0');
}

static void run_black(const struct case_line *one) {
  struct timetable table = table_of(one->fields[1], "", one->fields[2]);
  int64_t now = moment(one->fields[3]), until;
  bool on = timetable_blackout(&table, now, &until);
  expect(one, until, on ? one->fields[4] : one->fields[3]);
  assert_int_equal(on, strcmp(one->fields[4], "-") != 0);
}

static void run_case(const struct case_line *one) {
  const char *kind = one->fields[0];
  if (strcmp(kind, "wrong") == 0) {
    run_wrong(one);
  } else if (strcmp(kind, "black") == 0) {
    run_black(one);
  } else if (strcmp(kind, "from") == 0) {
    struct timetable table = table_of(one->fields[1], one->fields[2], one->fields[3]);
    struct due due = timetable_next(&table, "sync:reta", moment(one->fields[4]));
    expect(one, due.at, one->fields[5]);
    expect(one, due.from, one->fields[6]);
  } else {
    struct timetable table = table_of(one->fields[1], one->fields[2], "");
    int64_t at = moment(one->fields[3]);
    bool next = strcmp(kind, "next") == 0;
    struct due due = next ? timetable_next(&table, "sync:reta", at) : timetable_last(&table, "sync:reta", at);
    expect(one, due.at, one->fields[4]);
    assert_true(due.from == due.at);
  }
}

static void test_cases(void **state) {
  (void)state;
  printf("note: timetable cases=%zu\n", cases_run("tests/core/schedule/cases/timetable.txt", run_case));
}

/* From `from` on, `days` long: every minute that passes is looked at. An expression for every hour is due where the
 * clock shows it; another one at the first minute that shows it, or that comes after a gap which had it. */
static void count_minutes(const char *zone, const char *expression, const char *from, int days) {
  struct timetable table = table_of(zone, expression, "");
  int64_t begin = moment(from), next = timetable_next(&table, "x", begin).at, last = INT64_MIN;
  struct civil before, now;
  int64_t shown_most = INT64_MIN; /* the latest time that clocks have shown */
  assert_true(zone_civil(zone, begin, &before));
  shown_most = civil_minutes(&before);
  for (int64_t at = begin + MINUTE; at < begin + days * 1440 * MINUTE; at += MINUTE) {
    assert_true(zone_civil(zone, at, &now));
    bool due = cron_every_hour(&table.cron) && cron_fits(&table.cron, &now);
    for (int64_t shown = shown_most + 1; !cron_every_hour(&table.cron) && shown <= civil_minutes(&now); shown++) {
      struct civil civil = civil_of_minutes(shown);
      due = due || cron_fits(&table.cron, &civil);
    }
    shown_most = civil_minutes(&now) > shown_most ? civil_minutes(&now) : shown_most;
    if (due != (at == next)) {
      char text[TIMESTAMP_TEXT_SIZE];
      clock_format(at, text);
      fail_msg("%s in %s at %s: due %d", expression, zone, text, due);
    }
    if (due) {
      last = at;
      next = timetable_next(&table, "x", at).at;
    }
    if (last != INT64_MIN && at % (7 * MINUTE) == 0) {
      assert_true(timetable_last(&table, "x", at).at == last);
    }
  }
}

static void test_agrees_with_every_minute(void **state) {
  (void)state;
  static const char *const expressions[] = {"*/15 0-3 * * *", "*/40 * * * *", "7 1,2,23 * * *", "0 0 * * *"};
  for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
    count_minutes("America/New_York", expressions[i], "2026-03-07T12:00:00Z", 3);
    count_minutes("America/New_York", expressions[i], "2026-10-31T12:00:00Z", 3);
    count_minutes("America/Santiago", expressions[i], "2026-04-04T12:00:00Z", 2);
    count_minutes("America/Santiago", expressions[i], "2026-09-05T12:00:00Z", 2);
    count_minutes("Australia/Lord_Howe", expressions[i], "2026-04-04T06:00:00Z", 2); /* by half an hour */
    count_minutes("Asia/Kathmandu", expressions[i], "2026-04-04T12:00:00Z", 1);
  }
}

/* The same for a name and a due moment, less than the jitter, and scattered. */
static void test_jitter(void **state) {
  (void)state;
  struct timetable table = table_of("UTC", "@hourly", "");
  table.jitter = 600 * INT64_C(1000000);
  int early = 0, different = 0;
  for (int64_t hour = 0; hour < 1000; hour++) {
    int64_t after = hour * 60 * MINUTE;
    struct due first = timetable_next(&table, "sync:reta", after), again = timetable_next(&table, "sync:reta", after);
    struct due other = timetable_next(&table, "sync:sistra", after);
    struct due last = timetable_last(&table, "sync:reta", first.at);
    assert_true(first.at == after + 60 * MINUTE && first.from >= first.at && first.from < first.at + table.jitter);
    assert_true(first.from == again.from && last.at == first.at && last.from == first.from);
    early += first.from - first.at < table.jitter / 2;
    different += first.from != other.from;
  }
  assert_in_range(early, 400, 600);
  assert_true(different > 990);
  /* behind a blackout by the jitter again */
  struct timetable night = table_of("UTC", "0 3 * * *", "02:00-05:00");
  night.jitter = table.jitter;
  struct due due = timetable_next(&night, "sync:reta", 0);
  assert_true(due.from >= 300 * MINUTE && due.from < 310 * MINUTE);
}

static void test_never(void **state) {
  (void)state;
  struct timetable table = table_of("UTC", "@hourly", "00:00-12:00;12:00-24:00");
  assert_true(windows_cover_week(windows, 2));
  assert_false(windows_cover_week(windows, 1));
  struct due due = timetable_next(&table, "x", 0);
  assert_true(due.at == 60 * MINUTE && due.from == INT64_MAX);
  table.manual = true;
  due = timetable_next(&table, "x", 0);
  assert_true(due.at == INT64_MAX && due.from == INT64_MAX);
  assert_true(timetable_last(&table, "x", 0).at == INT64_MIN);
}

static void test_zones(void **state) {
  (void)state;
  char nearest[ZONE_NAME_SIZE];
  assert_true(zone_known("America/Lima") && zone_known("UTC") && zone_known("Asia/Kathmandu"));
  assert_false(zone_known("") || zone_known("America/Lina") || zone_known("GMT+25") || zone_known("Etc/Unknown"));
  assert_true(zone_nearest("America/Lina", nearest));
  assert_string_equal(nearest, "America/Lima");
  assert_true(zone_nearest("lima", nearest));
  assert_string_equal(nearest, "America/Lima");
  assert_false(zone_known("/etc/passwd") || zone_known("America/../America/Lima") || zone_known("America"));
  assert_false(zone_nearest("in the capital of the country", nearest));
}

/* Without the system's files ICU's copy answers, the same for zones whose rules it knows. */
static void test_zones_without_files(void **state) {
  (void)state;
  setenv("TZDIR", "/nowhere", 1);
  count_minutes("America/New_York", "7 1,2,23 * * *", "2026-10-31T12:00:00Z", 2);
  count_minutes("America/Santiago", "0 0 * * *", "2026-09-05T12:00:00Z", 2);
  assert_true(zone_known("America/Lima"));
  unsetenv("TZDIR");
}

/* A damaged file is as none; read at every length. */
static void test_damaged_zone_files(void **state) {
  (void)state;
  struct buffer whole;
  struct error error;
  char *folder = temp_make(), path[256];
  assert_int_equal(file_read("/usr/share/zoneinfo/America/Santiago", 1 << 20, &whole, &error), OK);
  snprintf(path, sizeof path, "%s/Santiago", folder);
  setenv("TZDIR", folder, 1);
  for (size_t len = 0; len < whole.len; len += len < 100 ? 1 : 37) {
    struct civil civil;
    assert_int_equal(file_write(path, slice_make(whole.data, len), 0600, &error), OK);
    if (zone_civil("Santiago", 0, &civil)) { /* damaged behind what is read of it */
      assert_true(len > whole.len - 40);
    }
  }
  srandom(3);
  for (int i = 0; i < 300; i++) {
    struct civil civil;
    whole.data[(size_t)draw() % whole.len] = (char)draw();
    assert_int_equal(file_write(path, buffer_view(&whole), 0600, &error), OK);
    (void)zone_civil("Santiago", (int64_t)draw() * 1000000, &civil);
    (void)zone_change("Santiago", (int64_t)draw() * 1000000);
  }
  unsetenv("TZDIR");
  buffer_free(&whole);
  temp_remove(folder);
}

static void test_arbitrary_windows(void **state) {
  (void)state;
  static const char likely[] = "00112258:-  monfri,\xff";
  srandom(11);
  for (int i = 0; i < BYTES_TRIED; i++) {
    size_t len = (size_t)draw() % 20;
    char *text = malloc(len == 0 ? 1 : len);
    struct window window;
    struct error error;
    for (size_t k = 0; k < len; k++) {
      text[k] = likely[(size_t)draw() % (sizeof likely - 1)];
    }
    enum status status = window_parse(slice_make(text, len), &window, &error);
    assert_true(status == ERR_CONFIG || (status == OK && window.weekdays != 0 && window.until <= 1440));
    free(text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases),
                                     cmocka_unit_test(test_agrees_with_every_minute),
                                     cmocka_unit_test(test_jitter),
                                     cmocka_unit_test(test_never),
                                     cmocka_unit_test(test_zones),
                                     cmocka_unit_test(test_zones_without_files),
                                     cmocka_unit_test(test_damaged_zone_files),
                                     cmocka_unit_test(test_arbitrary_windows)};
  return cmocka_run_group_tests_name("timetable", tests, NULL, NULL);
}
