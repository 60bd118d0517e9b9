/* Cron expressions: five fields as crontab(5) reads them (minute, hour, day of month, month, day of week; lists,
 * ranges, steps, names of months and weekdays, 0 and 7 both Sunday; where both days are restricted either one fits),
 * and
 * @hourly, @daily (@midnight), @weekly, @monthly, @yearly (@annually). No clock and no zone in here. */
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
  bool any_day, any_weekday; /* the field was "*" */
};

/* ERR_CONFIG names the field, what is wrong in it, and a form that is right. An expression that can never be due
 * (31 February) is refused too. */
enum status cron_parse(struct slice text, struct cron *cron, struct error *error) MUST_CHECK;

/* A moment of the calendar, without zone. */
struct civil {
  int year, month, day, hour, minute; /* month and day from 1 */
};
bool cron_fits(const struct cron *cron, const struct civil *moment);
/* The first moment after `moment` that fits; false where none does within 8 years. */
bool cron_next(const struct cron *cron, const struct civil *moment, struct civil *next);

#endif
