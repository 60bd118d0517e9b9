/* Files of the IANA time zone data (TZif, RFC 9636) as the system keeps them up to date: the libraries' own copies are
 * as old as the libraries, and governments change clocks every year. Internal to zone.c. */
#ifndef PUENTE_SCHEDULE_TZIF_H
#define PUENTE_SCHEDULE_TZIF_H

#include "core/base/buffer.h"

struct tzif {
  struct buffer bytes;
  const unsigned char *times, *kinds, *offsets; /* within `bytes`: of 8, 1 and 6 bytes */
  size_t count, kind_count;
  bool rule; /* after the last change clocks are changed by a rule, which is not read here */
};

/* From $TZDIR or /usr/share/zoneinfo; false where there is no such file, or it is damaged. */
bool tzif_load(const char *zone, struct tzif *tzif);
void tzif_free(struct tzif *tzif);
/* The offset from UTC at a moment, both in seconds; false where it lies behind the last change and a rule holds. */
bool tzif_offset(const struct tzif *tzif, int64_t at, int64_t *offset);
/* The first change of the offset after a moment; INT64_MAX where there is none; false where a rule would tell. */
bool tzif_change(const struct tzif *tzif, int64_t after, int64_t *change);

#endif
