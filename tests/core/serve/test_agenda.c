/* When a thing is due, case by case. */
#include "core/serve/agenda.h"

#include "core/base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define NEVER INT64_MAX
static const struct retry_policy RETRY = {
    .first = 60000000, .most = INT64_C(3600) * 1000000, .breaks = 3, .open = INT64_C(6) * 3600 * 1000000};

static int64_t at(const char *text) {
  int64_t moment = 0;
  assert_true(text == NULL || clock_parse(slice_of(text), &moment));
  return moment;
}

static struct timetable table_of(const char *cron, struct window *window, const char *blackout) {
  struct timetable table = {.manual = cron == NULL, .zone = "UTC", .text = cron};
  struct error error;
  assert_true(cron == NULL || cron_parse(slice_of(cron), &table.cron, &error) == OK);
  if (blackout != NULL) {
    assert_int_equal(window_parse(slice_of(blackout), window, &error), OK);
    table.blackout = window;
    table.blackout_count = 1;
  }
  return table;
}

struct sample {
  const char *what, *cron, *blackout;
  const char *handled; /* last due moment that was handled; NULL: none */
  enum status outcome;
  const char *succeeded; /* by hand */
  int failures;
  enum status failure;
  const char *failed_at;
  const char *now;
  const char *from; /* NULL: never; "soon": between now and 90 minutes later, by the scatter of retries */
  const char *due;  /* that a start then handles */
};

static const struct sample SAMPLES[] = {
    {.what = "never pulled",
     .cron = "0 * * * *",
     .now = "2026-03-02T10:20:00Z",
     .from = "2026-03-02T10:20:00Z",
     .due = "2026-03-02T10:00:00Z"},
    {.what = "pulled by hand",
     .cron = "0 * * * *",
     .succeeded = "2026-03-02T10:10:00Z",
     .now = "2026-03-02T10:20:00Z",
     .from = "2026-03-02T11:00:00Z"},
    {.what = "handled",
     .cron = "0 * * * *",
     .handled = "2026-03-02T10:00:00Z",
     .now = "2026-03-02T10:20:00Z",
     .from = "2026-03-02T11:00:00Z"},
    {.what = "missed: once, the newest",
     .cron = "0 * * * *",
     .handled = "2026-03-01T10:00:00Z",
     .now = "2026-03-02T10:20:00Z",
     .from = "2026-03-01T11:00:00Z",
     .due = "2026-03-02T10:00:00Z"},
    {.what = "cut off by a signal",
     .cron = "0 * * * *",
     .handled = "2026-03-02T10:00:00Z",
     .outcome = ERR_INTERRUPTED,
     .now = "2026-03-02T10:20:00Z",
     .from = "2026-03-02T10:00:00Z",
     .due = "2026-03-02T10:00:00Z"},
    {.what = "by hand alone", .now = "2026-03-02T10:20:00Z"},
    {.what = "by hand alone, failed",
     .failures = 1,
     .failure = ERR_NETWORK,
     .failed_at = "2026-03-02T10:19:00Z",
     .now = "2026-03-02T10:20:00Z"},
    {.what = "refused: at the next moment",
     .cron = "0 * * * *",
     .handled = "2026-03-02T10:00:00Z",
     .outcome = ERR_AUTH,
     .failures = 9,
     .failure = ERR_AUTH,
     .failed_at = "2026-03-02T10:01:00Z",
     .now = "2026-03-02T10:20:00Z",
     .from = "2026-03-02T11:00:00Z"},
    {.what = "unreachable: sooner",
     .cron = "0 6 * * *",
     .handled = "2026-03-02T06:00:00Z",
     .outcome = ERR_NETWORK,
     .failures = 2,
     .failure = ERR_NETWORK,
     .failed_at = "2026-03-02T06:01:00Z",
     .now = "2026-03-02T06:01:30Z",
     .from = "soon"},
    {.what = "circuit open: later than the next moment",
     .cron = "0 * * * *",
     .handled = "2026-03-02T10:00:00Z",
     .outcome = ERR_NETWORK,
     .failures = 3,
     .failure = ERR_NETWORK,
     .failed_at = "2026-03-02T10:01:00Z",
     .now = "2026-03-02T12:20:00Z",
     .from = "later"},
    {.what = "blackout",
     .cron = "0 * * * *",
     .blackout = "08:00-18:00 mon-fri",
     .handled = "2026-03-02T07:00:00Z",
     .now = "2026-03-02T10:20:00Z",
     .from = "2026-03-02T18:00:00Z"},
    {.what = "blackout holds retries too",
     .cron = "0 * * * *",
     .blackout = "08:00-18:00 mon-fri",
     .handled = "2026-03-02T07:00:00Z",
     .outcome = ERR_NETWORK,
     .failures = 1,
     .failure = ERR_NETWORK,
     .failed_at = "2026-03-02T07:59:50Z",
     .now = "2026-03-02T08:20:00Z",
     .from = "2026-03-02T18:00:00Z"},
    {.what = "the clock was far ahead when it was handled",
     .cron = "0 * * * *",
     .handled = "2031-01-01T00:00:00Z",
     .now = "2026-03-02T10:20:00Z",
     .from = "1970-01-01T01:00:00Z",
     .due = "2026-03-02T10:00:00Z"},
    {.what = "another host is a little ahead",
     .cron = "0 * * * *",
     .handled = "2026-03-02T11:00:00Z",
     .now = "2026-03-02T10:59:58Z",
     .from = "2026-03-02T12:00:00Z"},
};

static void is_due(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof SAMPLES / sizeof *SAMPLES; i++) {
    const struct sample *sample = &SAMPLES[i];
    struct window window;
    struct timetable table = table_of(sample->cron, &window, sample->blackout);
    const struct agenda_entry entry = {.name = "sync:alpha", .timetable = &table, .retry = &RETRY};
    int64_t handled = at(sample->handled), now = at(sample->now);
    const struct agenda_state known = {
        .duty = {.due = handled, .began = handled, .ended = handled + 1, .outcome = sample->outcome},
        .succeeded = at(sample->succeeded),
        .failures = sample->failures,
        .failure = sample->failure,
        .failed_at = at(sample->failed_at)};
    int64_t from = agenda_from(&entry, &known, now);
    bool right;
    if (sample->from != NULL && strcmp(sample->from, "soon") == 0) {
      right = from > now && from < now + INT64_C(5400) * 1000000;
    } else if (sample->from != NULL && strcmp(sample->from, "later") == 0) {
      right = from >= known.failed_at + RETRY.open / 2 && from <= known.failed_at + RETRY.open;
    } else {
      right = from == (sample->from == NULL ? NEVER : at(sample->from));
    }
    if (!right) {
      char text[TIMESTAMP_TEXT_SIZE] = "never";
      if (from != NEVER) {
        clock_format(from, text);
      }
      fail_msg("%s: from %s", sample->what, text);
    }
    if (sample->due != NULL && agenda_due(&entry, &known, now) != at(sample->due)) {
      char text[TIMESTAMP_TEXT_SIZE];
      clock_format(agenda_due(&entry, &known, now), text);
      fail_msg("%s: due %s", sample->what, text);
    }
  }
}

/* A failure that a wrong clock dated ahead is tried again at once: taken for one of now, it would be so for ever. */
static void tries_again(void **state) {
  (void)state;
  struct timetable manual = {.manual = true};
  const struct agenda_entry entry = {.name = "link", .timetable = &manual, .retry = &RETRY};
  struct agenda_state known = {.failures = 0, .failure = ERR_FULL, .failed_at = at("2031-01-01T00:00:00Z")};
  int64_t now = at("2026-03-02T10:20:00Z");
  assert_true(agenda_retry(&entry, &known, now) == NEVER);
  known.failures = 1;
  assert_true(agenda_retry(&entry, &known, now) <= now);
  assert_true(agenda_from(&entry, &known, now) == NEVER); /* by hand only */
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(is_due), cmocka_unit_test(tries_again)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
