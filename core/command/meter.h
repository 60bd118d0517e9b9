/* How far long work is, on standard error: a bar on a terminal, a line every few seconds elsewhere, nothing with
 * --quiet or --json. */
#ifndef PUENTE_COMMAND_METER_H
#define PUENTE_COMMAND_METER_H

#include "core/command/command.h"
#include "core/sync/progress.h"

struct meter {
  struct progress progress;
  bool silent, terminal, drawn;
  int64_t began, last; /* microseconds, monotonic */
};

/* The meter must not move while `progress` is in use. */
void meter_init(struct meter *meter, const struct globals *globals);
/* A share of a step, 0..1, for work that does not count records. */
void meter_share(struct meter *meter, const char *what, double done);
void meter_clear(struct meter *meter); /* takes the bar off the terminal */

#endif
