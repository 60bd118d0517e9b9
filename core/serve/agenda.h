/* WHEN A THING IS DUE: its timetable, what the store remembers of it, and how its failures are met, put together. Pure.
 */
#ifndef PUENTE_SERVE_AGENDA_H
#define PUENTE_SERVE_AGENDA_H

#include "core/schedule/retry.h"
#include "core/schedule/timetable.h"
#include "core/store/watch.h"

struct agenda_state {
  struct duty duty;    /* as the store has it */
  int64_t succeeded;   /* last success, also of a run by hand; 0: never */
  int failures;        /* in a row */
  enum status failure; /* of the last try */
  int64_t failed_at;
};
struct agenda_entry {
  const char *name; /* "sync:reta" */
  const struct timetable *timetable;
  const struct retry_policy *retry;
};

/* From when on it is to be started: its next due moment that was not handled, a missed one at once; or the retry of a
 * failed one; never inside a blackout. INT64_MAX: never by itself. */
int64_t agenda_from(const struct agenda_entry *entry, const struct agenda_state *state, int64_t now);
/* When what failed is tried again; INT64_MAX: it did not fail, or trying does not mend it. */
int64_t agenda_retry(const struct agenda_entry *entry, const struct agenda_state *state, int64_t now);
/* The due moment that a start now handles: the newest that may run, so that missed ones are made up once. */
int64_t agenda_due(const struct agenda_entry *entry, const struct agenda_state *state, int64_t now);

#endif
