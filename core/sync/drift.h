/* SCHEMA DRIFT: which fields a source sends, compared with what it used to send and with what the mapping reads. The
 * reader's side looks at records as they are taken (all fields of the first ones of each page, a sample of the rest);
 * the writer's side compares and saves in the last transaction of a complete pass. Only paths and kinds of values are
 * kept, never values. */
#ifndef PUENTE_SYNC_DRIFT_H
#define PUENTE_SYNC_DRIFT_H

#include "core/store/watch.h"
#include "mapping/plan.h"

struct drift_watch;
enum status drift_watch_new(const struct plan *plan, struct drift_watch **watch, struct error *error) MUST_CHECK;
void drift_watch_free(struct drift_watch *watch); /* NULL allowed */
/* One record as its format gives it; cheap where it is not in the sample. */
enum status drift_look(struct drift_watch *watch, const struct node *record, struct error *error) MUST_CHECK;

struct drift_found {
  int64_t fresh, missing, retyped; /* findings that are new since the last pass */
  int64_t open;                    /* all that stand */
  char words[320];                 /* the first ones by name, for the run's warning; "" where nothing is new */
};
/* Compares with the store, saves fields and findings. A path that no mapping reads and that is new is a finding of its
 * first pass only; a mapped one that no record had, though records were looked at, is missing. */
enum status drift_settle(struct drift_watch *watch, struct store *store, int source_id, int64_t run,
                         struct drift_found *found, struct error *error) MUST_CHECK;

#endif
