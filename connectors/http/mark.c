#include "connectors/http/mark.h"
#include "core/base/date.h"
#include "core/base/text.h"

#include <stdio.h>
#include <time.h>

enum { MARK_MOST = 128, DATE_LENGTH = 10, TIME_LENGTH = 19, DAY_SECONDS = 86400 };

/* Naive on purpose: what is read by the source's format is written back by it, in whatever zone the source thinks. */
static bool read_by(struct slice text, const char *format, int64_t *micros) {
  char copy[MARK_MOST];
  if (text.len >= sizeof copy) {
    return false;
  }
  memcpy(copy, text.data, text.len);
  copy[text.len] = '\0';
  struct tm parts = {.tm_mday = 1};
  const char *end = strptime(copy, format, &parts);
  if (end == NULL || *end != '\0') {
    return false;
  }
  *micros = (int64_t)timegm(&parts) * 1000000;
  return true;
}

static bool later(struct slice candidate, struct slice mark) {
  int64_t one, other;
  if (clock_parse(candidate, &one) && clock_parse(mark, &other)) {
    return one > other;
  }
  if (text_to_int64(candidate, &one) && text_to_int64(mark, &other)) {
    return one > other;
  }
  return slice_compare(candidate, mark) > 0;
}

enum status mark_raise(struct buffer *mark, struct slice candidate, const char *format, struct error *error) {
  char text[TIMESTAMP_TEXT_SIZE];
  candidate = slice_trim(candidate);
  if (candidate.len == 0 || candidate.len >= MARK_MOST) {
    return OK;
  }
  if (format != NULL) {
    int64_t micros;
    if (!read_by(candidate, format, &micros)) {
      error_set(error, ERR_INPUT, _("a mark of change does not look like %s"), format);
      error_hint(error, "%s", _("check `watermark_format` against what the source sends"));
      return ERR_INPUT;
    }
    clock_format(micros, text);
    candidate = slice_of(text);
  }
  if (mark->len > 0 && !later(candidate, buffer_view(mark))) {
    return OK;
  }
  buffer_reset(mark);
  buffer_slice(mark, candidate);
  return buffer_check(mark, "watermark", error);
}

bool zone_parse(struct slice text, int64_t *seconds) {
  int64_t hours, minutes;
  *seconds = 0;
  if (slice_is(text, "Z") || slice_is(text, "z")) {
    return true;
  }
  if (text.len != 6 || (text.data[0] != '+' && text.data[0] != '-') || text.data[3] != ':'
      || !text_to_int64(slice_make(text.data + 1, 2), &hours) || !text_to_int64(slice_make(text.data + 4, 2), &minutes)
      || hours < 0 || hours > 14 || minutes < 0 || minutes > 59) {
    return false;
  }
  *seconds = (hours * 3600 + minutes * 60) * (text.data[0] == '-' ? -1 : 1);
  return true;
}

/* Seconds of the wall clock to write. */
static int64_t wall_clock(struct slice mark, int64_t micros, const char *zone) {
  int64_t own = 0, wanted = 0;
  int64_t seconds = micros / 1000000 - (micros % 1000000 < 0);
  bool timed = mark.len > 10 && mark.data[mark.len - 1] != 'Z';
  if (timed && !zone_parse(slice_make(mark.data + mark.len - 6, 6), &own)) {
    own = 0;
  }
  bool told = mark.len > 10 && zone != NULL && zone_parse(slice_of(zone), &wanted);
  return seconds + (told ? wanted : own);
}

static enum status write_mark(const char *mark, int64_t more, const char *format, const char *zone, struct buffer *out,
                              struct error *error) {
  int64_t micros;
  if (format == NULL || !clock_parse(slice_of(mark), &micros)) {
    buffer_text(out, mark);
    return buffer_check(out, "watermark", error);
  }
  char text[MARK_MOST];
  time_t seconds = (time_t)(wall_clock(slice_of(mark), micros, zone) + more);
  struct tm parts;
  gmtime_r(&seconds, &parts);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the format is the source's, from its configuration */
  size_t length = strftime(text, sizeof text, format, &parts);
#pragma GCC diagnostic pop
  if (length == 0) {
    return error_set(error, ERR_CONFIG, "%s", _("`since_format` makes no text, or too long a one"));
  }
  buffer_append(out, text, length);
  return buffer_check(out, "watermark", error);
}

enum status mark_write(const char *mark, const char *format, const char *zone, struct buffer *out,
                       struct error *error) {
  return write_mark(mark, 0, format, zone, out, error);
}

enum status mark_write_end(const char *mark, const char *format, const char *zone, struct buffer *out,
                           struct error *error) {
  return write_mark(mark, strlen(mark) == DATE_LENGTH ? DAY_SECONDS - 1 : 0, format, zone, out, error);
}

static bool is_date(const char *text) {
  struct date date;
  return strlen(text) == DATE_LENGTH && date_parse_iso(slice_of(text), &date) && date.precision == DATE_DAY;
}

/* "2024-01-31T08:30:00…", "2024-01-31 08:30:00…" */
static bool has_time(const char *form) {
  int64_t micros;
  char utc[TIME_LENGTH + 2];
  if (form == NULL || strlen(form) < TIME_LENGTH || (form[DATE_LENGTH] != 'T' && form[DATE_LENGTH] != ' ')) {
    return false;
  }
  snprintf(utc, sizeof utc, "%.10sT%.8sZ", form, form + DATE_LENGTH + 1);
  return clock_parse(slice_of(utc), &micros);
}

enum status mark_widen(const char *date, const char *form, bool end, struct buffer *out, struct error *error) {
  buffer_text(out, date);
  if (is_date(date) && has_time(form)) {
    buffer_printf(out, "%c%s", form[DATE_LENGTH], end ? "23:59:59" : "00:00:00");
    const char *rest = form + TIME_LENGTH;
    bool fraction = *rest == '.';
    for (; *rest != '\0'; rest++) {
      fraction = fraction && (*rest == '.' || (*rest >= '0' && *rest <= '9'));
      buffer_char(out, fraction && *rest != '.' ? (end ? '9' : '0') : *rest);
    }
  }
  return buffer_check(out, "watermark", error);
}
