/* A time as people read it. */
#ifndef PUENTE_COMMAND_MOMENT_H
#define PUENTE_COMMAND_MOMENT_H

#include <stdint.h>

enum { MOMENT_SIZE = 40 };

/* Microseconds as local time, to the minute, written to `text`; "-" for 0. */
const char *moment_text(int64_t micros, char text[MOMENT_SIZE]);

/* From now on local is what clocks show in that zone, "America/Lima"; before, what they show on this machine. */
void moment_use_zone(const char *zone);

#endif
