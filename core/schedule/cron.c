#include "core/schedule/cron.h"

#include "core/base/date.h"
#include "core/base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

enum { FIELDS = 5, NAME_SIZE = 4, SHOWN_SIZE = 32, YEARS_MOST = 40, DAY_MINUTES = 24 * 60 };

/* What one field may hold. `names` are those of the values from `least` on. */
struct field {
  const char *label, *right; /* N_(); `right`: forms that are right */
  int least, most;
  const char *const *names;
};
static const char *const MONTHS[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                     "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const WEEKDAYS[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};
static const struct field FIELD_TABLE[FIELDS] = {
    {N_("minute"), "`30`, `0,30`, `*/15`", 0, 59, NULL},
    {N_("hour"), "`2`, `8-18`, `*/6`", 0, 23, NULL},
    {N_("day of the month"), "`1`, `1,15`, `*/2`", 1, 31, NULL},
    {N_("month"), "`1`, `jan,jul`, `3-11`", 1, 12, MONTHS},
    {N_("weekday"), "`mon-fri`, `sat,sun`, `0-6`", 0, 7, WEEKDAYS},
};
static const struct {
  const char *name, *fields;
} WORDS[] = {{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
             {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}};
enum { WORD_COUNT = sizeof WORDS / sizeof *WORDS };

/* What may be shown of text that was written: its beginning, printable. */
static const char *shown(struct slice text, char out[SHOWN_SIZE]) {
  size_t len = text.len < SHOWN_SIZE - 1 ? text.len : SHOWN_SIZE - 1;
  for (size_t i = 0; i < len; i++) {
    out[i] = '?';
    if (isprint((unsigned char)text.data[i])) {
      out[i] = text.data[i];
    }
  }
  out[len] = '\0';
  return out;
}

static enum status refuse(const struct field *field, struct slice item, const char *why, struct error *error) {
  char text[SHOWN_SIZE];
  error_set(error, ERR_CONFIG, "%s '%s': %s", gettext(field->label), shown(item, text), why);
  error_hint(error, _("right are for example: %s"), field->right);
  return ERR_CONFIG;
}

/* One value at the front of `*rest`, a number or a name; -1 where there is none. */
static int take_value(const struct field *field, struct slice *rest) {
  size_t len = 0;
  int value = -1;
  if (rest->len > 0 && isdigit((unsigned char)rest->data[0])) {
    for (value = 0; len < rest->len && isdigit((unsigned char)rest->data[len]); len++) {
      value = value > 1000 ? value : value * 10 + (rest->data[len] - '0');
    }
  } else if (field->names != NULL && rest->len >= NAME_SIZE - 1) {
    len = NAME_SIZE - 1;
    for (int i = 0; field->names[i] != NULL && value < 0; i++) {
      value = strncasecmp(rest->data, field->names[i], len) == 0 ? field->least + i : -1;
    }
  }
  if (value >= 0) {
    *rest = slice_make(rest->data + len, rest->len - len);
  }
  return value;
}

static bool take_char(struct slice *rest, char c) {
  if (rest->len == 0 || rest->data[0] != c) {
    return false;
  }
  *rest = slice_make(rest->data + 1, rest->len - 1);
  return true;
}

/* "/N" after a range or a star. */
static enum status take_step(const struct field *field, struct slice item, struct slice *rest, bool ranged, int *step,
                             struct error *error) {
  static const struct field number = {.names = NULL};
  *step = 1;
  if (!take_char(rest, '/')) {
    return OK;
  }
  *step = take_value(&number, rest);
  if (*step < 1 || *step > field->most) {
    return refuse(field, item, _("after '/' a step of 1 or more is expected, and within the range"), error);
  }
  return ranged ? OK : refuse(field, item, _("a step needs a range or '*' before it"), error);
}

/* What an item says before its step. */
struct range {
  int first, last; /* -1: not readable */
  bool ranged;     /* a range or a star: a step may follow */
};

static struct range take_range(const struct field *field, struct slice *rest) {
  struct range range = {.first = field->least, .last = field->most, .ranged = take_char(rest, '*')};
  if (range.ranged) {
    return range;
  }
  range.first = range.last = take_value(field, rest);
  if (range.first >= 0 && take_char(rest, '-')) {
    range.ranged = true;
    range.last = take_value(field, rest);
  }
  if (field->names == WEEKDAYS && range.first > 0 && range.last == 0) {
    range.last = field->most; /* fri-sun, 5-0 */
  }
  return range;
}

static enum status check_range(const struct field *field, struct slice item, const struct range *range,
                               struct error *error) {
  int most = range->first > range->last ? range->first : range->last;
  if (range->first < field->least || range->last < field->least || most > field->most) {
    char why[96];
    snprintf(why, sizeof why, _("outside of %d to %d"), field->least, field->most);
    return refuse(field, item, why, error);
  }
  return range->first > range->last ? refuse(field, item, _("the range runs backwards"), error) : OK;
}

static enum status read_item(const struct field *field, struct slice item, uint64_t *bits, struct error *error) {
  struct slice rest = item;
  int step = 1;
  if (item.len == 0) {
    return refuse(field, item, _("a value is missing"), error);
  }
  struct range range = take_range(field, &rest);
  bool readable = range.first >= 0 && range.last >= 0;
  enum status status = readable ? take_step(field, item, &rest, range.ranged, &step, error) : OK;
  if (status != OK) {
    return status;
  }
  if (!readable || rest.len > 0) {
    return refuse(field, item, field->names == NULL ? _("not a number") : _("neither a number nor a name"), error);
  }
  status = check_range(field, item, &range, error);
  for (int value = range.first; status == OK && value <= range.last; value += step) {
    *bits |= UINT64_C(1) << value;
  }
  return status;
}

static enum status read_field(const struct field *field, struct slice text, uint64_t *bits, struct error *error) {
  enum status status = OK;
  for (size_t from = 0; status == OK && from <= text.len;) {
    const char *comma = memchr(text.data + from, ',', text.len - from);
    size_t to = comma == NULL ? text.len : (size_t)(comma - text.data);
    status = read_item(field, slice_make(text.data + from, to - from), bits, error);
    from = to + 1;
  }
  return status;
}

/* The words of the text between blanks; counts on past the fifth. */
static size_t split(struct slice text, struct slice words[FIELDS]) {
  size_t count = 0;
  for (size_t at = 0; at < text.len;) {
    while (at < text.len && isspace((unsigned char)text.data[at])) {
      at++;
    }
    size_t from = at;
    while (at < text.len && !isspace((unsigned char)text.data[at])) {
      at++;
    }
    if (at > from && count < FIELDS) {
      words[count] = slice_make(text.data + from, at - from);
    }
    count += at > from;
  }
  return count;
}

static enum status expand(struct slice word, struct slice *text, struct error *error) {
  const char *names[WORD_COUNT];
  char out[SHOWN_SIZE];
  for (size_t i = 0; i < WORD_COUNT; i++) {
    names[i] = WORDS[i].name;
    if (slice_is(word, WORDS[i].name)) {
      *text = slice_of(WORDS[i].fields);
      return OK;
    }
  }
  shown(word, out);
  const char *nearest = text_nearest(slice_of(out), names, WORD_COUNT);
  error_set(error, ERR_CONFIG, _("there is no schedule '%s'"), out);
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  } else {
    error_hint(error, "%s", _("@hourly, @daily, @weekly, @monthly, @yearly, or five fields"));
  }
  return ERR_CONFIG;
}

static int month_days(int year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : days[month - 1];
}

/* Whether a day of the calendar can fit at all; a restricted weekday always comes. */
static bool possible(const struct cron *cron) {
  if (!cron->any_weekday && !cron->any_day) {
    return true;
  }
  for (int month = 1; month <= 12; month++) {
    uint32_t there = (uint32_t)((UINT64_C(1) << (month_days(2000, month) + 1)) - 2);
    if ((cron->months >> month & 1) != 0 && (cron->days & there) != 0) {
      return true;
    }
  }
  return false;
}

static uint8_t weekday_bits(uint64_t bits) {
  return (uint8_t)((bits & 0x7f) | (bits >> 7 & 1)); /* 7 is Sunday too */
}

enum status cron_parse(struct slice text, struct cron *cron, struct error *error) {
  struct slice words[FIELDS] = {{0}};
  uint64_t bits[FIELDS] = {0};
  size_t count = split(text, words);
  *cron = (struct cron){0};
  if (count == 1 && words[0].data[0] == '@') {
    enum status status = expand(words[0], &text, error);
    if (status != OK) {
      return status;
    }
    count = split(text, words);
  }
  if (count != FIELDS) {
    error_set(error, ERR_CONFIG, _("a schedule has five fields, and here are %zu"), count);
    error_hint(error, "%s",
               _("minute, hour, day of the month, month, weekday: \"30 2 * * *\" is every day at 2:30; or @daily"));
    return ERR_CONFIG;
  }
  for (size_t i = 0; i < FIELDS; i++) {
    enum status status = read_field(&FIELD_TABLE[i], words[i], &bits[i], error);
    if (status != OK) {
      return status;
    }
  }
  *cron = (struct cron){.minutes = bits[0],
                        .hours = (uint32_t)bits[1],
                        .days = (uint32_t)bits[2],
                        .months = (uint16_t)bits[3],
                        .weekdays = weekday_bits(bits[4]),
                        .any_day = words[2].data[0] == '*',
                        .any_weekday = words[4].data[0] == '*'};
  if (!possible(cron)) {
    error_set(error, ERR_CONFIG, "%s", _("no year has such a day in such a month: this is never due"));
    error_hint(error, "%s", _("the third field is the day of the month, the fourth the month"));
    return ERR_CONFIG;
  }
  return OK;
}

enum status cron_parse_weekdays(struct slice text, uint8_t *weekdays, struct error *error) {
  uint64_t bits = 0;
  enum status status = read_field(&FIELD_TABLE[FIELDS - 1], text, &bits, error);
  *weekdays = weekday_bits(bits);
  return status;
}

bool cron_every_hour(const struct cron *cron) {
  return cron->hours == (UINT32_C(1) << 24) - 1;
}

/* ---- the calendar ---- */

static int64_t day_number(int year, int month, int day) {
  const struct date date = {.year = (int16_t)year, .month = (uint8_t)month, .day = (uint8_t)day, .precision = DATE_DAY};
  return date_to_days(date);
}

static int weekday_of(int64_t days) {
  return (int)(((days + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

int civil_weekday(const struct civil *moment) {
  return weekday_of(day_number(moment->year, moment->month, moment->day));
}

int64_t civil_minutes(const struct civil *moment) {
  return day_number(moment->year, moment->month, moment->day) * DAY_MINUTES + moment->hour * INT64_C(60)
         + moment->minute;
}

struct civil civil_of_minutes(int64_t minutes) {
  int64_t days = minutes / DAY_MINUTES - (minutes % DAY_MINUTES < 0);
  struct date date = date_from_days(days);
  int of_day = (int)(minutes - days * DAY_MINUTES);
  return (struct civil){
      .year = date.year, .month = date.month, .day = date.day, .hour = of_day / 60, .minute = of_day % 60};
}

int civil_compare(const struct civil *a, const struct civil *b) {
  int64_t first = civil_minutes(a), second = civil_minutes(b);
  return (first > second) - (first < second);
}

static bool day_fits(const struct cron *cron, int year, int month, int day) {
  bool by_day = (cron->days >> day & 1) != 0;
  bool by_weekday = (cron->weekdays >> weekday_of(day_number(year, month, day)) & 1) != 0;
  return cron->any_day || cron->any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

bool cron_fits(const struct cron *cron, const struct civil *moment) {
  return (cron->months >> moment->month & 1) != 0 && day_fits(cron, moment->year, moment->month, moment->day)
         && (cron->hours >> moment->hour & 1) != 0 && (cron->minutes >> moment->minute & 1) != 0;
}

/* The bit nearest to `from` in direction `step`, itself included; -1 where none is left. */
static int nearest_bit(uint64_t bits, int from, int step) {
  if (from < 0 || from > 63) {
    return -1;
  }
  bits = step > 0 ? bits >> from << from : bits << (63 - from) >> (63 - from);
  if (bits == 0) {
    return -1;
  }
  return step > 0 ? __builtin_ctzll(bits) : 63 - __builtin_clzll(bits);
}

/* The time of the day nearest to hour:minute, itself included. */
static bool nearest_time(const struct cron *cron, int hour, int minute, int step, struct civil *found) {
  int first = step > 0 ? 0 : 59;
  int h = nearest_bit(cron->hours, hour, step);
  int m = h < 0 ? -1 : nearest_bit(cron->minutes, h == hour ? minute : first, step);
  if (h >= 0 && m < 0) {
    h = nearest_bit(cron->hours, h + step, step);
    m = h < 0 ? -1 : nearest_bit(cron->minutes, first, step);
  }
  found->hour = h;
  found->minute = m;
  return m >= 0;
}

/* Within the month of `at`, from its day on: `*whole` once a day is looked at from its first time, or last. */
static bool seek_day(const struct cron *cron, struct civil at, bool *whole, int step, struct civil *found) {
  int days = month_days(at.year, at.month);
  bool in_month = (cron->months >> at.month & 1) != 0;
  at.day = at.day > days ? days : at.day;
  for (; in_month && at.day >= 1 && at.day <= days; at.day += step, *whole = true) {
    int hour = *whole ? (step > 0 ? 0 : 23) : at.hour;
    int minute = *whole ? (step > 0 ? 0 : 59) : at.minute;
    *found = at;
    if (day_fits(cron, at.year, at.month, at.day) && nearest_time(cron, hour, minute, step, found)) {
      return true;
    }
  }
  *whole = true;
  return false;
}

/* The moment nearest to `at` in direction `step`, itself included: by months, then days, then the time. */
static bool seek(const struct cron *cron, struct civil at, int step, struct civil *found) {
  bool whole = false;
  int end = at.year + step * (YEARS_MOST + 1);
  while (at.year != end) {
    if (seek_day(cron, at, &whole, step, found)) {
      return true;
    }
    at.day = step > 0 ? 1 : 31;
    at.month += step;
    if (at.month < 1 || at.month > 12) {
      at.month = step > 0 ? 1 : 12;
      at.year += step;
    }
  }
  return false;
}

bool cron_next(const struct cron *cron, const struct civil *moment, struct civil *next) {
  return seek(cron, civil_of_minutes(civil_minutes(moment) + 1), 1, next);
}

bool cron_previous(const struct cron *cron, const struct civil *moment, struct civil *previous) {
  return seek(cron, civil_of_minutes(civil_minutes(moment) - 1), -1, previous);
}
