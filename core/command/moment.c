#include "core/command/moment.h"

#include <stdlib.h>
#include <time.h>

void moment_use_zone(const char *zone) {
  setenv("TZ", zone, 1);
  tzset();
}

const char *moment_text(int64_t micros, char text[MOMENT_SIZE]) {
  time_t seconds = (time_t)(micros / 1000000);
  struct tm parts;
  if (micros == 0 || localtime_r(&seconds, &parts) == NULL
      || strftime(text, MOMENT_SIZE, "%Y-%m-%d %H:%M", &parts) == 0) {
    return "-";
  }
  return text;
}
