#include "core/sync/mark.h"

#include "core/base/date.h"

enum { DATE_LENGTH = 10, TIME_LENGTH = 19, DAY_SECONDS = 86400 };

/* `count` digits at `at`, or -1. */
static int digits(struct slice text, size_t at, size_t count) {
  int value = 0;
  for (size_t i = at; i < at + count; i++) {
    if (i >= text.len || text.data[i] < '0' || text.data[i] > '9') {
      return -1;
    }
    value = value * 10 + (text.data[i] - '0');
  }
  return value;
}

static bool read_time(struct slice mark, int64_t *seconds) {
  if (mark.len < TIME_LENGTH || mark.data[13] != ':' || mark.data[16] != ':') {
    return false;
  }
  int hour = digits(mark, 11, 2), minute = digits(mark, 14, 2), second = digits(mark, 17, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
    return false;
  }
  *seconds = hour * 3600 + minute * 60 + second;
  return true;
}

bool mark_back(struct slice mark, int64_t overlap, struct buffer *out) {
  struct date date;
  int64_t back = overlap / 1000000, seconds = 0;
  bool timed = mark.len > DATE_LENGTH;
  bool dated = mark.len >= DATE_LENGTH && mark.data[4] == '-'
               && date_parse_iso(slice_make(mark.data, DATE_LENGTH), &date) && date.precision == DATE_DAY;
  if (back <= 0 || !dated || (timed && !read_time(mark, &seconds))) {
    return buffer_slice(out, mark) == OK;
  }
  int64_t moment = date_to_days(date) * DAY_SECONDS + seconds - back;
  int64_t day = moment / DAY_SECONDS - (moment % DAY_SECONDS < 0 ? 1 : 0);
  int within = (int)(moment - day * DAY_SECONDS);
  char text[DATE_TEXT_SIZE];
  date_format(date_from_days(day), text);
  buffer_text(out, text);
  if (timed) {
    buffer_printf(out, "%c%02d:%02d:%02d%.*s", mark.data[DATE_LENGTH], within / 3600, within / 60 % 60, within % 60,
                  (int)(mark.len - TIME_LENGTH), mark.data + TIME_LENGTH);
  }
  return out->failed == OK;
}

static bool is_number(struct slice text) {
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] < '0' || text.data[i] > '9') {
      return false;
    }
  }
  return text.len > 0;
}

bool mark_after(struct slice a, struct slice b) {
  bool numbers = is_number(a) && is_number(b);
  if (numbers && a.len != b.len) {
    return a.len > b.len;
  }
  return slice_compare(a, b) > 0;
}
