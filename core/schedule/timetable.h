/* When a thing is due: a cron expression in a time zone, moved by a jitter that is the same for a name and a due moment
 * on every host, and never inside a blackout window. Pure: the same arguments give the same answer.
 *
 * Where clocks are changed: a due moment that the change skips is due right after the gap, once; one that the change
 * repeats is due the first time alone. An expression for every hour ("15 * * * *") goes by the hours that pass. */
#ifndef PUENTE_SCHEDULE_TIMETABLE_H
#define PUENTE_SCHEDULE_TIMETABLE_H

#include "core/schedule/cron.h"

#include <stddef.h>

/* "08:00-18:00 mon-fri", "22:00-02:00" (over midnight; the weekdays are those on which it begins), "00:00-24:00 sun".
 * By the clock on the wall: where a change of clocks repeats its end, it ends the second time. */
struct window {
  uint8_t weekdays; /* bit 0: Sunday */
  int from, until;  /* minutes of the day; until <= from: on the next day */
};
enum status window_parse(struct slice text, struct window *window, struct error *error) MUST_CHECK;
/* Whether the windows together leave no minute of a week. */
bool windows_cover_week(const struct window *windows, size_t count);

struct timetable {
  bool manual; /* never due by itself */
  struct cron cron;
  const char *text; /* of the expression, as written; NULL where manual */
  const char *zone;
  int64_t jitter; /* microseconds: a due moment is delayed by less than it */
  const struct window *blackout;
  size_t blackout_count;
};

/* The due moment after `after`, and from when on it may run: moved by jitter, and behind a blackout that it would fall
 * into (by the jitter again, so that not everything begins when a blackout ends). INT64_MAX for both where it is never
 * due. `name` is what is scheduled ("sync:reta"). */
struct due {
  int64_t at, from; /* microseconds since the epoch; from >= at */
};
struct due timetable_next(const struct timetable *table, const char *name, int64_t after);
/* The last due moment at or before `now`; INT64_MIN where there was none in the last 40 years. Missed runs are those
 * between the last one that was handled and this one: they are made up once. */
struct due timetable_last(const struct timetable *table, const char *name, int64_t now);
/* Whether a blackout is on, and until when (`*until` = now where none is; INT64_MAX where it does not end). */
bool timetable_blackout(const struct timetable *table, int64_t now, int64_t *until);

/* From 0 to less than `below`, by a name and a moment: the same on every host, and scattered over names. */
int64_t timetable_scatter(const char *name, int64_t moment, int64_t below);

#endif
