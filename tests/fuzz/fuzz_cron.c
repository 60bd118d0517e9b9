/* A cron expression, a blackout window, a time zone and a moment, parted by zero bytes. What is accepted is due some
 * time: the next moment fits, nothing before it does, and the way back leads to the same; a run never falls into a
 * blackout. */
#include "core/schedule/timetable.h"
#include "core/schedule/zone.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>

enum { LOOKED_AT = 500 }; /* minutes between a moment and the next one */

static const int64_t MINUTE = INT64_C(60) * 1000000;

/* A moment between 2000 and 2100. */
static int64_t read_moment(struct slice *input) {
  uint64_t minutes = 0;
  for (int i = 0; i < 4; i++) {
    minutes = minutes << 8 | fuzz_byte(input);
  }
  return (INT64_C(946684800) + (int64_t)(minutes % 52560000) * 60) * 1000000;
}

static void try_calendar(const struct cron *cron, int64_t moment) {
  struct civil now = civil_of_minutes(moment / MINUTE), next, back;
  promise(civil_minutes(&now) == moment / MINUTE, "minutes are counted both ways");
  promise(cron_next(cron, &now, &next), "what is accepted is due some time");
  promise(cron_fits(cron, &next) && civil_compare(&now, &next) < 0, "the next moment fits and is later");
  int64_t to = civil_minutes(&next);
  for (int64_t at = civil_minutes(&now) + 1, end = at + LOOKED_AT; at < to && at < end; at++) {
    struct civil between = civil_of_minutes(at);
    promise(!cron_fits(cron, &between), "nothing between fits");
  }
  struct civil after = civil_of_minutes(to + 1);
  promise(cron_previous(cron, &after, &back) && civil_compare(&back, &next) == 0, "the way back leads to the same");
}

static void try_timetable(const struct timetable *table, int64_t moment) {
  struct due next = timetable_next(table, "sync:fuzz", moment);
  int64_t until = 0;
  promise(next.at > moment && next.from >= next.at, "due later, and not before it is due");
  if (next.at == INT64_MAX) {
    promise(table->blackout_count > 0, "only a blackout keeps it for ever");
    return;
  }
  promise(next.from == INT64_MAX || !timetable_blackout(table, next.from, &until), "it does not run in a blackout");
  struct due last = timetable_last(table, "sync:fuzz", next.at);
  promise(last.at == next.at && last.from == next.from, "the last moment at it is itself");
  struct due before = timetable_last(table, "sync:fuzz", next.at - 1);
  promise(before.at <= moment, "none was passed over");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct slice input = slice_make((const char *)data, size);
  struct error error = {.code = OK};
  struct cron cron;
  struct window window = {.weekdays = 0};
  char zone[ZONE_NAME_SIZE];
  struct slice text = fuzz_part(&input), blackout = fuzz_part(&input), named = fuzz_part(&input);
  snprintf(zone, sizeof zone, "%.*s", SLICE_ARG(named));
  int64_t moment = read_moment(&input);
  enum status status = window_parse(blackout, &window, &error);
  bool windowed = status == OK;
  if (!windowed) {
    promise_error(status, &error);
  }
  status = cron_parse(text, &cron, &error);
  if (status != OK) {
    promise_error(status, &error);
    return 0;
  }
  try_calendar(&cron, moment);
  const struct timetable table = {.cron = cron,
                                  .text = "fuzz",
                                  .zone = zone_known(zone) ? zone : "America/Lima",
                                  .jitter = (int64_t)fuzz_byte(&input) * MINUTE / 16,
                                  .blackout = &window,
                                  .blackout_count = windowed};
  try_timetable(&table, moment);
  return 0;
}
