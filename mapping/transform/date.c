/* Dates by declared formats, with the precision that the format and the value have. */
#include "core/base/date.h"

#include "core/base/text.h"
#include "mapping/transform/transform.h"

enum { FORMATS_MOST = 16, YEAR_LEAST = 1900, YEAR_MOST = 2100 };

struct date_settings {
  const char *formats[FORMATS_MOST];
  size_t count; /* 0: ISO 8601 */
};

static bool format_check(struct compiler *compiler, const struct yaml *at, const char *format) {
  bool year = false;
  for (const char *c = format; *c != '\0'; c++) {
    if (*c != '%') {
      continue;
    }
    c++;
    if (*c == 'y') {
      compile_mistake(compiler, at, _("write %Y: a year has four digits"), _("years of two digits are refused"));
      return false;
    }
    if (*c == '\0' || strchr("dmYBbHMS%", *c) == NULL) {
      compile_mistake(compiler, at, _("known are %d %m %Y %B %b %H %M %S"), _("unknown '%%%.1s' in a date format"), c);
      return false;
    }
    year = year || *c == 'Y';
  }
  if (!year) {
    compile_mistake(compiler, at, NULL, _("the date format has no year"));
  }
  return year;
}

const void *transform_date_compile(struct compiler *compiler, const struct yaml *node, const struct yaml *rule,
                                   const struct entity *entity, const struct field *field) {
  (void)rule;
  (void)entity;
  (void)field;
  struct date_settings *settings = compile_alloc(compiler, 1, sizeof *settings);
  node = node == NULL ? compiler->defaults.date : node;
  if (settings == NULL || node == NULL) {
    return settings;
  }
  const char **texts = NULL;
  size_t count = compile_texts(compiler, node, &texts);
  if (count > FORMATS_MOST) {
    compile_mistake(compiler, node, NULL, _("more than %d date formats"), FORMATS_MOST);
    return settings;
  }
  for (size_t i = 0; i < count; i++) {
    const struct yaml *at = node->kind == YAML_LIST ? &node->children[i] : node;
    if (strcmp(texts[i], "iso") == 0 || format_check(compiler, at, texts[i])) {
      settings->formats[settings->count++] = texts[i];
    }
  }
  return settings;
}

/* ---- reading ---- */

struct cursor {
  const char *at, *end;
};

static bool read_digits(struct cursor *cursor, int least, int most, int *number) {
  int digits = 0;
  *number = 0;
  while (digits < most && cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9') {
    *number = *number * 10 + (*cursor->at++ - '0');
    digits++;
  }
  return digits >= least;
}

static bool read_month_name(struct cursor *cursor, bool whole, int *month) {
  static const struct {
    const char *name;
    int month;
  } names[] = {{"enero", 1},    {"febrero", 2},    {"marzo", 3},     {"abril", 4},     {"mayo", 5},
               {"junio", 6},    {"julio", 7},      {"agosto", 8},    {"setiembre", 9}, {"septiembre", 9},
               {"octubre", 10}, {"noviembre", 11}, {"diciembre", 12}};
  char word[16];
  size_t len = 0;
  while (cursor->at < cursor->end && len + 1 < sizeof word
         && ((*cursor->at >= 'A' && *cursor->at <= 'Z') || (*cursor->at >= 'a' && *cursor->at <= 'z'))) {
    word[len++] = (char)(*cursor->at++ | 0x20);
  }
  word[len] = '\0';
  if (!whole && cursor->at < cursor->end && *cursor->at == '.') {
    cursor->at++;
  }
  for (size_t i = 0; len >= 3 && i < sizeof names / sizeof *names; i++) {
    bool same = whole ? strcmp(word, names[i].name) == 0 : len <= 4 && strncmp(word, names[i].name, len) == 0;
    if (same) {
      *month = names[i].month;
      return true;
    }
  }
  return false;
}

struct read_date {
  int year, month, day;
  bool has_month, has_day;
};

static bool read_field(char kind, struct cursor *cursor, struct read_date *read) {
  int ignored;
  switch (kind) {
  case 'Y':
    return read_digits(cursor, 4, 4, &read->year);
  case 'm':
    read->has_month = true;
    return read_digits(cursor, 1, 2, &read->month);
  case 'd':
    read->has_day = true;
    return read_digits(cursor, 1, 2, &read->day);
  case 'B':
  case 'b':
    read->has_month = true;
    return read_month_name(cursor, kind == 'B', &read->month);
  case 'H':
  case 'M':
  case 'S':
    return read_digits(cursor, 1, 2, &ignored);
  default:
    return cursor->at < cursor->end && *cursor->at++ == '%';
  }
}

static bool same_letter(char a, char b) {
  return a == b || ((a | 0x20) == (b | 0x20) && (a | 0x20) >= 'a' && (a | 0x20) <= 'z');
}

static bool read_format(const char *format, struct slice text, struct read_date *read) {
  struct cursor cursor = {.at = text.data, .end = text.data + text.len};
  *read = (struct read_date){0};
  for (; *format != '\0'; format++) {
    if (*format == '%') {
      if (!read_field(*++format, &cursor, read)) {
        return false;
      }
    } else if (*format == ' ') {
      const char *from = cursor.at;
      while (cursor.at < cursor.end && *cursor.at == ' ') {
        cursor.at++;
      }
      if (cursor.at == from) {
        return false;
      }
    } else if (cursor.at == cursor.end || !same_letter(*cursor.at++, *format)) {
      return false;
    }
  }
  return cursor.at == cursor.end;
}

/* `00` for a day or month means that it is not known; a day without its month is left out. */
static bool date_settle(const struct transform_context *context, const struct read_date *read, struct value *value) {
  struct date date = {.year = (int16_t)read->year, .precision = DATE_YEAR};
  if (read->has_month && read->month != 0) {
    date.month = (uint8_t)read->month;
    date.precision = DATE_MONTH;
    if (read->has_day && read->day != 0) {
      date.day = (uint8_t)read->day;
      date.precision = DATE_DAY;
    }
  }
  if (read->month > 12 || read->day > 31 || !date_valid(date)) {
    return value_fault(value, "date_impossible");
  }
  if (date.year < YEAR_LEAST || date.year > YEAR_MOST) {
    return value_fault(value, "date_range");
  }
  char *text = arena_bytes(context->arena, DATE_TEXT_SIZE);
  if (text == NULL) {
    return false;
  }
  value->text = slice_make(text, date_format(date, text));
  return true;
}

static bool settle_iso(const struct transform_context *context, struct value *value) {
  struct date date;
  struct read_date read;
  if (date_parse_iso(value->text, &date)) {
    read = (struct read_date){.year = date.year,
                              .month = date.month,
                              .day = date.day,
                              .has_month = date.precision >= DATE_MONTH,
                              .has_day = date.precision >= DATE_DAY};
    return date_settle(context, &read, value);
  }
  /* The shape of an ISO date that names no day. */
  struct slice head = slice_make(value->text.data, value->text.len < 10 ? value->text.len : 10);
  return value_fault(value, read_format("%Y-%m-%d", head, &read) ? "date_impossible" : "date_unreadable");
}

bool transform_date(const void *settings, const struct transform_context *context, struct value *value) {
  const struct date_settings *dates = settings;
  struct value first = {0};
  if (dates->count == 0) {
    return settle_iso(context, value);
  }
  for (size_t i = 0; i < dates->count; i++) {
    struct value tried = *value;
    struct read_date read;
    if (strcmp(dates->formats[i], "iso") == 0) {
      if (!settle_iso(context, &tried)) {
        return false;
      }
    } else if (!read_format(dates->formats[i], value->text, &read)) {
      continue;
    } else if (!date_settle(context, &read, &tried)) {
      return false;
    }
    if (tried.fault == NULL) {
      *value = tried;
      return true;
    }
    first = first.fault == NULL || strcmp(first.fault, "date_unreadable") == 0 ? tried : first;
  }
  if (first.fault != NULL) {
    *value = first;
    return true;
  }
  return value_fault(value, "date_unreadable");
}
