/* Cron expressions: five fields as crontab(5) reads them (minute, hour, day of month, month, day of week; lists,
 * ranges, steps, English names of months and weekdays, 0 and 7 both Sunday), and @hourly, @daily (@midnight), @weekly,
 * @monthly, @yearly (@annually). No clock and no zone in here.
 *
 * A field of days that begins with a star is open; where neither is, a day fits that fits either of them: "0 0 13 * 5"
 * is due on the 13th and on Fridays. */
#ifndef PUENTE_SCHEDULE_CRON_H
#define PUENTE_SCHEDULE_CRON_H

#include "core/base/error.h"
#include "core/base/slice.h"

#include <stdint.h>

struct cron {
  uint64_t minutes; /* bit n: minute n */
  uint32_t hours, days;
  uint16_t months;
  uint8_t weekdays;          /* bit 0: Sunday */
  bool any_day, any_weekday; /* the field begins with a star */
};

/* ERR_CONFIG names the field, what is wrong in it, and a form that is right. An expression that can never be due
 * (31 February) is refused too. Any bytes may be given; what is shown of them is printable. */
enum status cron_parse(struct slice text, struct cron *cron, struct error *error) MUST_CHECK;
/* A field of weekdays alone ("mon-fri", "sat,sun"): bit 0 is Sunday. */
enum status cron_parse_weekdays(struct slice text, uint8_t *weekdays, struct error *error) MUST_CHECK;
/* Whether every hour fits: such an expression is about what passes, not about what the clock shows. */
bool cron_every_hour(const struct cron *cron);

/* A moment of the calendar, without zone. */
struct civil {
  int year, month, day, hour, minute; /* month and day from 1 */
};
bool cron_fits(const struct cron *cron, const struct civil *moment);
/* The first moment after `moment` that fits, and the last one before it. What cron_parse took has one within 40 years
 * (29 February on a given weekday, over a century's end); false where none does. */
bool cron_next(const struct cron *cron, const struct civil *moment, struct civil *next);
bool cron_previous(const struct cron *cron, const struct civil *moment, struct civil *previous);

int civil_compare(const struct civil *a, const struct civil *b);
int64_t civil_minutes(const struct civil *moment); /* since 1970-01-01 00:00 of the same calendar */
struct civil civil_of_minutes(int64_t minutes);
int civil_weekday(const struct civil *moment); /* 0: Sunday */

#endif
