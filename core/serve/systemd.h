/* What systemd is told (sd_notify, READY and so on) and what it asks for (the watchdog). Without systemd nothing
 * happens. */
#ifndef PUENTE_SERVE_SYSTEMD_H
#define PUENTE_SERVE_SYSTEMD_H

#include "core/base/error.h"

#include <stdint.h>

void systemd_ready(void);
void systemd_reloading(void);
void systemd_stopping(void);
/* One line that `systemctl status` shows. */
void systemd_status(const char *format, ...) PRINTF_LIKE(1, 2);
/* How often systemd_alive must be called, in microseconds; 0: not at all. */
int64_t systemd_watchdog(void);
void systemd_alive(void);

#endif
