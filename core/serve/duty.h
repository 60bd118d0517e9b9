/* THE TABLE OF DUTIES: what the daemon does besides pulling: by the clock, after syncs, or all the time. A new one is a
 * function and a row in duty.c. Each runs in a thread of its own with a workspace opened for writing; one at a time of
 * each. Those by the clock or after syncs run under store_hold of "duty:NAME", once on all hosts of a store. */
#ifndef PUENTE_SERVE_DUTY_H
#define PUENTE_SERVE_DUTY_H

#include "core/console/console.h"
#include "core/service/workspace.h"

enum duty_after { AFTER_NOTHING, AFTER_NEWS, AFTER_RUNS }; /* AFTER_NEWS: a sync that brought something */

struct duty_work {
  struct workspace *workspace;
  const atomic_bool *stop;
  struct console *console; /* NULL: there is none */
  const char *refused;     /* why the last reload was refused; "": it was not */
};
struct duty_row {
  const char *name; /* "link", "backup", "digest", "checkpoint", "expiries", "retention", "watch" */
  const struct timetable *(*timetable)(const struct config *config); /* NULL or manual: never by the clock */
  enum duty_after (*after)(const struct config *config);             /* NULL: AFTER_NOTHING */
  int64_t every; /* microseconds of the clock that nobody moves; on each host, and not noted in the store; 0: not so */
  enum status (*run)(const struct duty_work *work, struct error *error);
};
enum { DUTIES_MOST = 8 };
extern const struct duty_row duty_table[]; /* ends with a row whose name is NULL */

#endif
