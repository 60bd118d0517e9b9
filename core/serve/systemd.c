#include "core/serve/systemd.h"

#include "core/base/date.h"

#include <stdarg.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

enum { STATUS_SIZE = 256 };

void systemd_ready(void) {
  sd_notify(0, "READY=1");
}

void systemd_reloading(void) {
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_monotonic());
}

void systemd_stopping(void) {
  sd_notify(0, "STOPPING=1");
}

void systemd_status(const char *format, ...) {
  char words[STATUS_SIZE];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(words, sizeof words, format, arguments);
  va_end(arguments);
  sd_notifyf(0, "STATUS=%s", words);
}

int64_t systemd_watchdog(void) {
  uint64_t micros = 0;
  return sd_watchdog_enabled(0, &micros) > 0 ? (int64_t)(micros / 2) : 0;
}

void systemd_alive(void) {
  sd_notify(0, "WATCHDOG=1");
}
