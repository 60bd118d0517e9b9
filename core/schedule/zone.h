/* Time zones of the IANA data (ICU): between moments and what clocks on the wall show. */
#ifndef PUENTE_SCHEDULE_ZONE_H
#define PUENTE_SCHEDULE_ZONE_H

#include "core/schedule/cron.h"

bool zone_known(const char *name); /* "America/Lima", "UTC" */
/* What the clock shows there; false where ICU fails. */
bool zone_civil(const char *zone, int64_t micros, struct civil *civil);
/* The moment at which the clock there shows it. A time that a change of clocks skips is the first moment after the
 * gap; one that it repeats is the first of the two. */
bool zone_moment(const char *zone, const struct civil *civil, int64_t *micros);

#endif
