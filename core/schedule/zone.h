/* Time zones of the IANA data: between moments and what clocks on the wall show. By the system's files (Debian's
 * tzdata), which are kept up to date; by ICU's copy, as old as the library, where there is none and behind a file's
 * last change. */
#ifndef PUENTE_SCHEDULE_ZONE_H
#define PUENTE_SCHEDULE_ZONE_H

#include "core/base/arena.h"
#include "core/schedule/cron.h"

bool zone_known(const char *name);           /* "America/Lima", "UTC" */
const char *zone_local(struct arena *arena); /* the machine's, else "UTC"; NULL: out of memory */
enum { ZONE_NAME_SIZE = 64 };
/* The known name that is nearest to one that is not, its city alone ("lima") included; false where none is near. */
bool zone_nearest(const char *name, char nearest[ZONE_NAME_SIZE]);
/* What the clock shows there; false where there is no such zone. */
bool zone_civil(const char *zone, int64_t micros, struct civil *civil);
/* The moment at which the clock there shows it. A time that a change of clocks skips is the first moment after the
 * gap; one that it repeats is the first of the two, or with `last` the second. */
bool zone_moment(const char *zone, const struct civil *civil, bool last, int64_t *micros);
/* The first change of clocks after a moment; INT64_MAX where there is none. */
int64_t zone_change(const char *name, int64_t after);

/* Day and time of a moment there as people write them in that locale ("en-GB", "es-PE"); "" where ICU fails. */
enum { ZONE_WORDS_SIZE = 160 };
void zone_words(const char *zone, int64_t micros, const char *locale, char words[ZONE_WORDS_SIZE]);

#endif
