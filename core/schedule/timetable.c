#include "core/schedule/timetable.h"

#include "core/schedule/zone.h"

enum { DAY_MINUTES = 24 * 60, WEEK_MINUTES = 7 * DAY_MINUTES, WINDOWS_IN_A_ROW = 64 };
#define MINUTE INT64_C(60000000)

static const struct due NEVER = {INT64_MAX, INT64_MAX};

/* ---- windows ---- */

static enum status refuse_window(struct error *error, const char *why) {
  error_set(error, ERR_CONFIG, _("not a time window: %s"), why);
  error_hint(error, "%s", _("for example \"08:00-18:00 mon-fri\", \"22:00-02:00\", \"00:00-24:00 sun\""));
  return ERR_CONFIG;
}

/* "hh:mm" at `at`: minutes of the day; -1 where it is none. */
static int clock_time(struct slice text, size_t at) {
  int digits[4];
  static const size_t places[] = {0, 1, 3, 4};
  if (text.len < at + 5 || text.data[at + 2] != ':') {
    return -1;
  }
  for (size_t i = 0; i < 4; i++) {
    digits[i] = text.data[at + places[i]] - '0';
    if (digits[i] < 0 || digits[i] > 9) {
      return -1;
    }
  }
  int hour = digits[0] * 10 + digits[1], minute = digits[2] * 10 + digits[3];
  return minute > 59 || hour > 24 || (hour == 24 && minute > 0) ? -1 : hour * 60 + minute;
}

enum status window_parse(struct slice text, struct window *window, struct error *error) {
  text = slice_trim(text);
  *window = (struct window){.weekdays = 0x7f, .from = clock_time(text, 0), .until = clock_time(text, 6)};
  if (window->from < 0 || window->until < 0 || text.data[5] != '-') {
    return refuse_window(error, _("two times of the day are expected, hh:mm-hh:mm"));
  }
  if (window->from == DAY_MINUTES) {
    return refuse_window(error, _("24:00 is an end, not a beginning"));
  }
  if (window->from == window->until) {
    return refuse_window(error, _("it begins and ends at the same time"));
  }
  struct slice days = slice_make(text.data + 11, text.len - 11);
  if (days.len == 0) {
    return OK;
  }
  if (days.data[0] != ' ') {
    return refuse_window(error, _("a blank is expected between times and weekdays"));
  }
  return cron_parse_weekdays(slice_trim(days), &window->weekdays, error);
}

static int length_of(const struct window *window) {
  return window->until > window->from ? window->until - window->from : window->until + DAY_MINUTES - window->from;
}

bool windows_cover_week(const struct window *windows, size_t count) {
  for (int minute = 0; minute < WEEK_MINUTES; minute++) {
    bool covered = false;
    for (size_t i = 0; i < count && !covered; i++) {
      for (int day = 0; day < 7 && !covered; day++) {
        int since = (minute - day * DAY_MINUTES - windows[i].from + 2 * WEEK_MINUTES) % WEEK_MINUTES;
        covered = (windows[i].weekdays >> day & 1) != 0 && since < length_of(&windows[i]);
      }
    }
    if (!covered) {
      return false;
    }
  }
  return true;
}

/* The end of the window that began on the day which is `back` days before `now`, where it is still on. */
static bool window_on(const struct timetable *table, const struct window *window, int64_t midnight, int64_t now,
                      int64_t *until) {
  struct civil begin = civil_of_minutes(midnight + window->from);
  struct civil end = civil_of_minutes(midnight + window->from + length_of(window));
  int64_t from;
  return (window->weekdays >> civil_weekday(&begin) & 1) != 0 && zone_moment(table->zone, &begin, false, &from)
         && from <= now && zone_moment(table->zone, &end, true, until) && *until > now;
}

/* One window that is on; the one that ends last is left to the caller's next look. */
static bool any_window_on(const struct timetable *table, int64_t now, int64_t *until) {
  struct civil civil;
  if (!zone_civil(table->zone, now, &civil)) {
    return false;
  }
  civil.hour = civil.minute = 0;
  int64_t today = civil_minutes(&civil);
  for (size_t i = 0; i < table->blackout_count; i++) {
    if (window_on(table, &table->blackout[i], today, now, until)
        || window_on(table, &table->blackout[i], today - DAY_MINUTES, now, until)) {
      return true;
    }
  }
  return false;
}

bool timetable_blackout(const struct timetable *table, int64_t now, int64_t *until) {
  int64_t end = now;
  *until = now;
  for (int i = 0; any_window_on(table, *until, &end); i++) {
    *until = end;
    if (i == WINDOWS_IN_A_ROW) {
      *until = INT64_MAX;
      return true;
    }
  }
  return *until > now;
}

/* ---- due moments ---- */

/* FNV-1a, and a last mix so that near moments scatter (splitmix64). No secret and nothing of a person goes in. */
int64_t timetable_scatter(const char *name, int64_t moment, int64_t below) {
  uint64_t hash = UINT64_C(14695981039346656037);
  for (const char *at = name; *at != '\0'; at++) {
    hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
  }
  hash ^= (uint64_t)moment;
  hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  hash = (hash ^ hash >> 27) * UINT64_C(0x94d049bb133111eb);
  hash ^= hash >> 31;
  return below <= 0 ? 0 : (int64_t)(hash % (uint64_t)below);
}

/* By what clocks show. */
static bool next_shown(const struct timetable *table, int64_t after, int64_t *at) {
  struct civil civil, next;
  if (!zone_civil(table->zone, after, &civil)) {
    return false;
  }
  do {
    if (!cron_next(&table->cron, &civil, &next) || !zone_moment(table->zone, &next, false, at)) {
      return false;
    }
    civil = next;
  } while (*at <= after); /* within an hour that is there a second time */
  return true;
}

/* By the hours that pass: from one change of clocks to the next the calendar runs evenly. */
static bool next_passing(const struct timetable *table, int64_t after, int64_t *at) {
  int64_t minute = after / MINUTE - (after % MINUTE < 0);
  for (;;) {
    struct civil civil, next;
    int64_t change = zone_change(table->zone, minute * MINUTE);
    if (!zone_civil(table->zone, minute * MINUTE, &civil) || !cron_next(&table->cron, &civil, &next)) {
      return false;
    }
    *at = (minute + civil_minutes(&next) - civil_minutes(&civil)) * MINUTE;
    if (*at < change) {
      return true;
    }
    minute = change / MINUTE + (change % MINUTE > 0);
    if (zone_civil(table->zone, minute * MINUTE, &civil) && cron_fits(&table->cron, &civil)) {
      *at = minute * MINUTE;
      return true;
    }
  }
}

static bool next_at(const struct timetable *table, int64_t after, int64_t *at) {
  return cron_every_hour(&table->cron) ? next_passing(table, after, at) : next_shown(table, after, at);
}

static struct due moved(const struct timetable *table, const char *name, int64_t at) {
  int64_t jitter = timetable_scatter(name, at, table->jitter), until;
  struct due due = {.at = at, .from = at + jitter};
  for (int i = 0; timetable_blackout(table, due.from, &until); i++) {
    if (until == INT64_MAX || i == WINDOWS_IN_A_ROW) {
      return (struct due){.at = at, .from = INT64_MAX};
    }
    due.from = until + jitter;
  }
  return due;
}

struct due timetable_next(const struct timetable *table, const char *name, int64_t after) {
  int64_t at;
  return table->manual || !next_at(table, after, &at) ? NEVER : moved(table, name, at);
}

/* Backwards by what clocks show, then forwards: in an hour that is there twice the last one may lie behind. */
struct due timetable_last(const struct timetable *table, const char *name, int64_t now) {
  const struct due none = {INT64_MIN, INT64_MIN};
  struct civil civil;
  int64_t at, last = INT64_MIN;
  if (table->manual || !zone_civil(table->zone, now, &civil)) {
    return none;
  }
  civil = civil_of_minutes(civil_minutes(&civil) + 1);
  while (last == INT64_MIN) {
    if (!cron_previous(&table->cron, &civil, &civil) || !zone_moment(table->zone, &civil, false, &at)) {
      return none;
    }
    for (at -= 1; next_at(table, at, &at) && at <= now;) {
      last = at;
    }
  }
  return moved(table, name, last);
}
