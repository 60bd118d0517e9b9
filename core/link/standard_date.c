/* Dates as people and programs write them. */
#include "core/link/standard.h"

#include <strings.h>

enum { PARTS_MOST = 3, YEAR_LEAST = 1000 };

/* A run of digits, or the name of a month. */
struct part {
  int value;
  size_t digits; /* 0: a name */
};

/* 1-12, by its first three letters in Spanish or English; 0: none. */
static int month_named(struct slice word) {
  static const char names[][4] = {"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep",
                                  "oct", "nov", "dic", "jan", "set", "apr", "aug", "dec"};
  static const int months[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 9, 4, 8, 12};
  for (size_t i = 0; word.len >= 3 && i < sizeof months / sizeof months[0]; i++) {
    if (strncasecmp(word.data, names[i], 3) == 0) {
      return months[i];
    }
  }
  return 0;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A run of at most nine digits, which is more than any date has. */
static bool read_digits(struct slice text, size_t *at, struct part *part) {
  *part = (struct part){0};
  for (; *at < text.len && is_digit(text.data[*at]); (*at)++, part->digits++) {
    if (part->digits == 9) {
      return false;
    }
    part->value = part->value * 10 + (text.data[*at] - '0');
  }
  return true;
}

/* A month, or "de", "del", which are no part. */
static bool read_word(struct slice text, size_t *at, struct part *part) {
  size_t from = *at;
  while (*at < text.len && is_letter(text.data[*at])) {
    (*at)++;
  }
  struct slice word = slice_make(text.data + from, *at - from);
  *part = (struct part){.value = month_named(word)};
  bool of = (word.len == 2 || word.len == 3) && strncasecmp(word.data, "del", word.len) == 0;
  return part->value > 0 || of;
}

/* The first three parts; what follows them is a time. Returns their number; 0 where something is no part. */
static size_t read_parts(struct slice text, struct part parts[PARTS_MOST]) {
  size_t count = 0;
  for (size_t at = 0; at < text.len && count < PARTS_MOST;) {
    struct part part = {0};
    char c = text.data[at];
    if (is_digit(c) ? !read_digits(text, &at, &part) : is_letter(c) && !read_word(text, &at, &part)) {
      return 0;
    }
    if (part.digits > 0 || part.value > 0) {
      parts[count++] = part;
    } else if (!is_letter(c)) {
      if (strchr("-/. ,", c) == NULL) {
        return 0;
      }
      at++;
    }
  }
  return count;
}

/* What of the three can be. */
static bool compose(int year, int month, int day, struct date *date) {
  struct date found = {.year = (int16_t)year, .precision = DATE_YEAR};
  if (year < YEAR_LEAST || year > 9999) {
    return false;
  }
  if (month >= 1 && month <= 12) {
    found.month = (uint8_t)month;
    found.precision = DATE_MONTH;
    struct date whole = found;
    whole.day = day >= 1 && day <= 31 ? (uint8_t)day : 0;
    whole.precision = DATE_DAY;
    found = date_valid(whole) ? whole : found;
  }
  *date = found;
  return true;
}

/* 19560409, 195604, 1956, 09041956. */
static bool compact(struct part part, struct date *date) {
  int value = part.value;
  if (part.digits == 4) {
    return compose(value, 0, 0, date);
  }
  if (part.digits == 6) {
    return compose(value / 100, value % 100, 0, date);
  }
  if (part.digits != 8) {
    return false;
  }
  struct date last_year;
  bool year_last = value / 10000 < 1800 || value / 10000 > 2199;
  if (year_last && compose(value % 10000, value / 10000 % 100, value / 1000000, &last_year)
      && last_year.precision == DATE_DAY) {
    *date = last_year;
    return true;
  }
  return compose(value / 10000, value / 100 % 100, value % 100, date);
}

static bool is_year(struct part part) {
  return part.digits == 4;
}

/* Day and month in the order in which they are written, unless only the other one can be. */
static bool ordered(int year, struct part day, struct part month, struct date *date) {
  bool named = day.digits == 0;
  bool only = month.digits > 0 && month.value > 12 && month.value <= 31 && day.value >= 1 && day.value <= 12;
  return named || only ? compose(year, day.value, month.value, date) : compose(year, month.value, day.value, date);
}

bool standard_date(struct slice text, struct date *date) {
  struct part parts[PARTS_MOST];
  text = slice_trim(text);
  if (date_parse_iso(text, date) && date->year >= YEAR_LEAST) {
    return true;
  }
  size_t count = read_parts(text, parts);
  if (count == 1) {
    return compact(parts[0], date);
  }
  if (count == 2) {
    bool first = is_year(parts[0]);
    return (first || is_year(parts[1])) && compose(parts[!first].value, parts[first].value, 0, date);
  }
  if (count == 3 && is_year(parts[0])) {
    return ordered(parts[0].value, parts[2], parts[1], date);
  }
  return count == 3 && is_year(parts[2]) && ordered(parts[2].value, parts[0], parts[1], date);
}
