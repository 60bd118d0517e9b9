#include "core/base/date.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MICROS INT64_C(1000000)
#define DAY_SECONDS INT64_C(86400)
#define CLOCK_RATE_MOST 1e9

static bool leap(int year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && leap(year) ? 29 : days[month - 1];
}

bool date_valid(struct date date) {
  if (date.precision < DATE_YEAR || date.precision > DATE_DAY || date.year < 1 || date.year > 9999) {
    return false;
  }
  if (date.precision == DATE_YEAR) {
    return date.month == 0 && date.day == 0;
  }
  if (date.month < 1 || date.month > 12) {
    return false;
  }
  return date.precision == DATE_MONTH ? date.day == 0 : date.day >= 1 && date.day <= month_days(date.year, date.month);
}

/* Reads exactly `count` digits at `at`; -1 where they are not digits. */
static int digits(const char *at, size_t count) {
  int value = 0;
  for (size_t i = 0; i < count; i++) {
    if (at[i] < '0' || at[i] > '9') {
      return -1;
    }
    value = value * 10 + (at[i] - '0');
  }
  return value;
}

/* The text after the day: nothing, or the time of a timestamp. */
static bool time_follows(struct slice rest) {
  return rest.len == 0
         || (rest.len >= 3 && (rest.data[0] == 'T' || rest.data[0] == 't' || rest.data[0] == ' ')
             && digits(rest.data + 1, 2) >= 0);
}

bool date_parse_iso(struct slice text, struct date *date) {
  struct date parsed = {.precision = DATE_YEAR};
  if (text.len < 4 || digits(text.data, 4) < 0) {
    return false;
  }
  parsed.year = (int16_t)digits(text.data, 4);
  if (text.len > 4) {
    if (text.len < 7 || text.data[4] != '-' || digits(text.data + 5, 2) < 0) {
      return false;
    }
    parsed.month = (uint8_t)digits(text.data + 5, 2);
    parsed.precision = DATE_MONTH;
  }
  if (text.len > 7) {
    if (text.len < 10 || text.data[7] != '-' || digits(text.data + 8, 2) < 0
        || !time_follows(slice_make(text.data + 10, text.len - 10))) {
      return false;
    }
    parsed.day = (uint8_t)digits(text.data + 8, 2);
    parsed.precision = DATE_DAY;
  }
  if (!date_valid(parsed)) {
    return false;
  }
  *date = parsed;
  return true;
}

static char *put(char *at, unsigned value, int width) {
  for (int i = width - 1; i >= 0; i--, value /= 10) {
    at[i] = (char)('0' + value % 10);
  }
  return at + width;
}

size_t date_format(struct date date, char text[DATE_TEXT_SIZE]) {
  char *at = text;
  if (date.precision >= DATE_YEAR) {
    at = put(at, (unsigned)date.year, 4);
  }
  if (date.precision >= DATE_MONTH) {
    *at = '-';
    at = put(at + 1, date.month, 2);
  }
  if (date.precision >= DATE_DAY) {
    *at = '-';
    at = put(at + 1, date.day, 2);
  }
  *at = '\0';
  return (size_t)(at - text);
}

/* Days from civil and back: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
int64_t date_to_days(struct date date) {
  int64_t month = date.precision >= DATE_MONTH ? date.month : 1;
  int64_t day = date.precision >= DATE_DAY ? date.day : 1;
  int64_t year = date.year - (month <= 2);
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t of_era = year - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct date date_from_days(int64_t days) {
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t of_era = days - era * 146097;
  int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
  int64_t shifted = (5 * of_year + 2) / 153;
  int64_t month = shifted + (shifted < 10 ? 3 : -9);
  return (struct date){
      .year = (int16_t)(years + era * 400 + (month <= 2)),
      .month = (uint8_t)month,
      .day = (uint8_t)(of_year - (153 * shifted + 2) / 5 + 1),
      .precision = DATE_DAY,
  };
}

int date_age(struct date birth, struct date at) {
  if (birth.precision != DATE_DAY || at.precision != DATE_DAY) {
    return -1;
  }
  int years = at.year - birth.year;
  bool before_birthday = at.month < birth.month || (at.month == birth.month && at.day < birth.day);
  years -= before_birthday;
  return years < 0 ? -1 : years;
}

int64_t clock_monotonic(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * MICROS + now.tv_nsec / 1000;
}

static int64_t process_started; /* by the monotonic clock */

__attribute__((constructor)) static void note_start(void) {
  process_started = clock_monotonic();
}

/* "2026-01-01T00:00:00Z", or with " x20000" after it. */
static bool parse_fixed(const char *text, int64_t *micros, double *rate) {
  const char *mark = strstr(text, " x");
  size_t len = mark == NULL ? strlen(text) : (size_t)(mark - text);
  if (!clock_parse(slice_make(text, len), micros)) {
    return false;
  }
  *rate = 1;
  if (mark != NULL) {
    char *end;
    *rate = strtod(mark + 2, &end);
    if (end == mark + 2 || *end != '\0' || !(*rate > 0 && *rate <= CLOCK_RATE_MOST)) {
      return false;
    }
    *micros += (int64_t)((double)(clock_monotonic() - process_started) * *rate);
  }
  return true;
}

int64_t clock_now(void) {
  const char *fixed = getenv("PUENTE_CLOCK");
  int64_t micros;
  double rate;
  if (fixed != NULL && parse_fixed(fixed, &micros, &rate)) {
    return micros;
  }
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * MICROS + now.tv_nsec / 1000;
}

bool clock_ahead(int64_t moment, int64_t now) {
  return moment > now + 3600 * MICROS;
}

double clock_rate(void) {
  const char *fixed = getenv("PUENTE_CLOCK");
  int64_t micros;
  double rate;
  return fixed != NULL && parse_fixed(fixed, &micros, &rate) ? rate : 1;
}

void clock_format(int64_t micros, char text[TIMESTAMP_TEXT_SIZE]) {
  int64_t seconds = micros / MICROS - (micros % MICROS < 0);
  int64_t days = seconds / DAY_SECONDS - (seconds % DAY_SECONDS < 0);
  unsigned of_day = (unsigned)(seconds - days * DAY_SECONDS);
  char *at = text + date_format(date_from_days(days), text);
  *at++ = 'T';
  at = put(at, of_day / 3600, 2);
  *at++ = ':';
  at = put(at, of_day / 60 % 60, 2);
  *at++ = ':';
  at = put(at, of_day % 60, 2);
  *at++ = '.';
  at = put(at, (unsigned)(micros - seconds * MICROS), 6);
  *at++ = 'Z';
  *at = '\0';
}

/* A number of two digits from 0 to `most`; -1 where it is none. */
static int two_digits(struct slice text, size_t at, int most) {
  int value = text.len < at + 2 ? -1 : digits(text.data + at, 2);
  return value > most ? -1 : value;
}

/* "Z", "+hh:mm", "+hhmm", "+hh" or nothing (UTC): the offset in seconds. */
static bool parse_zone(struct slice zone, int64_t *offset) {
  *offset = 0;
  if (zone.len == 0 || slice_is(zone, "Z") || slice_is(zone, "z")) {
    return true;
  }
  bool colon = zone.len == 6 && zone.data[3] == ':';
  if ((zone.data[0] != '+' && zone.data[0] != '-') || (zone.len != 3 && zone.len != 5 && !colon)) {
    return false;
  }
  int hours = two_digits(zone, 1, 23);
  int minutes = zone.len == 3 ? 0 : two_digits(zone, colon ? 4 : 3, 59);
  if (hours < 0 || minutes < 0) {
    return false;
  }
  *offset = (hours * 60 + minutes) * (zone.data[0] == '-' ? INT64_C(-60) : INT64_C(60));
  return true;
}

/* The digits of a fraction of a second from `*at` on, as microseconds; digits past the sixth are dropped. */
static int64_t parse_fraction(struct slice text, size_t *at) {
  int64_t fraction = 0;
  int64_t unit = MICROS / 10;
  for (; *at < text.len && digits(text.data + *at, 1) >= 0; (*at)++, unit /= 10) {
    fraction += unit * digits(text.data + *at, 1);
  }
  return fraction;
}

/* "hh:mm", "hh:mm:ss", with a fraction, then the zone: microseconds of the day in UTC, which may fall outside it. */
static bool parse_time(struct slice text, int64_t *micros) {
  size_t at = 5;
  int64_t fraction = 0;
  int64_t offset;
  int hour = two_digits(text, 0, 23);
  int minute = text.len >= 5 && text.data[2] == ':' ? two_digits(text, 3, 59) : -1;
  int second = 0;
  if (text.len >= 8 && text.data[5] == ':') {
    second = two_digits(text, 6, 60);
    at = 8;
  }
  if (hour < 0 || minute < 0 || second < 0) {
    return false;
  }
  if (at == 8 && text.len > 9 && (text.data[8] == '.' || text.data[8] == ',')) {
    at = 9;
    fraction = parse_fraction(text, &at);
  }
  if (!parse_zone(slice_make(text.data + at, text.len - at), &offset)) {
    return false;
  }
  *micros = (hour * INT64_C(3600) + minute * INT64_C(60) + second - offset) * MICROS + fraction;
  return true;
}

bool clock_parse(struct slice text, int64_t *micros) {
  struct date date;
  int64_t of_day = 0;
  if (text.len < 10 || !date_parse_iso(slice_make(text.data, 10), &date)) {
    return false;
  }
  if (text.len > 10) {
    char separator = text.data[10];
    if ((separator != 'T' && separator != 't' && separator != ' ')
        || !parse_time(slice_make(text.data + 11, text.len - 11), &of_day)) {
      return false;
    }
  }
  *micros = date_to_days(date) * DAY_SECONDS * MICROS + of_day;
  return true;
}

bool clock_parse_duration(struct slice text, int64_t *micros) {
  static const struct {
    const char *name;
    int64_t micros;
  } units[] = {{"ms", 1000}, {"s", MICROS}, {"m", 60 * MICROS}, {"h", 3600 * MICROS}, {"d", DAY_SECONDS * MICROS}};
  int64_t value = 0;
  size_t length = 0;
  while (length < text.len && length < 10 && digits(text.data + length, 1) >= 0) {
    value = value * 10 + digits(text.data + length, 1);
    length++;
  }
  for (size_t i = 0; length > 0 && i < sizeof units / sizeof units[0]; i++) {
    if (slice_is(slice_make(text.data + length, text.len - length), units[i].name)) {
      return !__builtin_mul_overflow(value, units[i].micros, micros);
    }
  }
  return false;
}
