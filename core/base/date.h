/* Dates with precision, and the wall clock. A date is stored as ISO 8601 text of reduced precision: "2019",
 * "2019-03", "2019-03-31"; its length tells its precision and byte order is date order. */
#ifndef PUENTE_BASE_DATE_H
#define PUENTE_BASE_DATE_H

#include "core/base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum date_precision { DATE_NONE, DATE_YEAR, DATE_MONTH, DATE_DAY };

struct date {
  int16_t year;
  uint8_t month; /* 1-12; 0 where the precision is less */
  uint8_t day;
  uint8_t precision; /* enum date_precision */
};

#define DATE_TEXT_SIZE 11

bool date_valid(struct date date);                               /* Gregorian, years 1 to 9999 */
bool date_parse_iso(struct slice text, struct date *date);       /* the three forms above, or the date of a timestamp */
size_t date_format(struct date date, char text[DATE_TEXT_SIZE]); /* returns the length */
int64_t date_to_days(struct date date);                          /* days since 1970-01-01; missing parts count as 1 */
struct date date_from_days(int64_t days);
/* Full years between two dates of day precision; -1 where either is less precise or the order is wrong. */
int date_age(struct date birth, struct date at);

/* Microseconds since the epoch, UTC. A test may fix it by PUENTE_CLOCK="2026-01-01T00:00:00Z", or have it run from
 * there at the start of the process, so many times as fast: PUENTE_CLOCK="2026-01-01T00:00:00Z x20000". */
int64_t clock_now(void);
/* Whether a clock that was wrong dated the moment: those of hosts that share a store may differ by an hour. */
bool clock_ahead(int64_t moment, int64_t now);
double clock_rate(void);       /* how many times as fast it runs; 1 but for PUENTE_CLOCK */
int64_t clock_monotonic(void); /* microseconds, for durations only; never changed by PUENTE_CLOCK */
#define TIMESTAMP_TEXT_SIZE 28
void clock_format(int64_t micros, char text[TIMESTAMP_TEXT_SIZE]); /* 2026-03-31T12:00:00.000000Z */
bool clock_parse(struct slice text, int64_t *micros);              /* RFC 3339; a date alone is midnight UTC */
bool clock_parse_duration(struct slice text, int64_t *micros);     /* "250ms", "90s", "10m", "2h", "7d" */

#endif
