/* SIGINT and SIGTERM ask long work to stop after its present step; a second one ends the program at once. */
#ifndef PUENTE_COMMAND_STOP_H
#define PUENTE_COMMAND_STOP_H

#include <stdatomic.h>

void stop_watch(void);
const atomic_bool *stop_flag(void);

/* For work that lasts: SIGHUP sets the flag too instead of ending the program. The descriptor is readable once one of
 * these signals came; -1 where there is none to be had. */
int stop_watch_reload(void);
atomic_bool *stop_reload_flag(void);

#endif
