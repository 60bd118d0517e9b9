/* SIGINT and SIGTERM ask long work to stop after its present step; a second one ends the program at once. */
#ifndef PUENTE_COMMAND_STOP_H
#define PUENTE_COMMAND_STOP_H

#include <stdatomic.h>

void stop_watch(void);
const atomic_bool *stop_flag(void);

#endif
