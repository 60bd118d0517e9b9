/* Dates, moments and durations: what is read can be written, and read again as the same. */
#include "core/base/date.h"
#include "tests/fuzz/fuzz.h"

static void try_date(struct slice text) {
  struct date date = {.precision = DATE_NONE}, again = date;
  char written[DATE_TEXT_SIZE];
  if (!date_parse_iso(text, &date)) {
    return;
  }
  promise(date_valid(date), "what is read is a date");
  size_t length = date_format(date, written);
  promise(length < sizeof written && date_parse_iso(slice_make(written, length), &again), "it can be read again");
  promise(date_to_days(date) == date_to_days(again) && date.precision == again.precision, "as the same");
  if (date.precision == DATE_DAY) {
    struct date day = date_from_days(date_to_days(date));
    promise(day.year == date.year && day.month == date.month && day.day == date.day, "days are counted both ways");
    promise(date_age(date, date) == 0, "nobody is older than on the day of birth");
  }
}

static void try_moment(struct slice text) {
  int64_t moment = 0, again = 0;
  char written[TIMESTAMP_TEXT_SIZE];
  if (clock_parse(text, &moment)) {
    clock_format(moment, written);
    promise(clock_parse(slice_of(written), &again) && again == moment, "a moment is read again as the same");
  }
  if (clock_parse_duration(text, &moment)) {
    promise(moment >= 0, "a duration is not negative");
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct slice text = slice_make((const char *)data, size);
  try_date(text);
  try_moment(text);
  return 0;
}
