/* THE TABLE OF DUTIES: what the daemon does by the clock besides pulling. A new one is a function and a row in duty.c.
 * Each runs in a thread of its own with a workspace opened for writing, under store_hold of its name. */
#ifndef PUENTE_SERVE_DUTY_H
#define PUENTE_SERVE_DUTY_H

#include "core/service/workspace.h"

struct duty_row {
  const char *name;                                                  /* "link", "backup", "digest", "watch" */
  const struct timetable *(*timetable)(const struct config *config); /* NULL or manual: never by the clock */
  enum status (*run)(struct workspace *workspace, const atomic_bool *stop, struct error *error);
  bool writes; /* long writes: it waits for no sync, but on SQLite syncs wait for it */
};
extern const struct duty_row *const duty_table; /* ends with a row whose name is NULL */

#endif
