/* SCHEMA DRIFT: which fields a source sends, compared with what it used to send and with what the mapping reads. The
 * reader's side looks at records as they are taken (the first ones of each document, a sample of the rest); the
 * writer's side compares and saves in the last transaction of a complete pass. Only paths and kinds of values are kept,
 * never values; a member's name that may be one (a key of a map: a long number, an address) is kept as "*". */
#ifndef PUENTE_SYNC_DRIFT_H
#define PUENTE_SYNC_DRIFT_H

#include "core/store/watch.h"
#include "mapping/plan.h"

struct drift_watch;
enum status drift_watch_new(const struct plan *plan, struct drift_watch **watch, struct error *error) MUST_CHECK;
void drift_watch_free(struct drift_watch *watch); /* NULL allowed */
/* Another document begins: its first records are looked at. */
void drift_document(struct drift_watch *watch);
/* The decoding context of a document with columns (csv, row) tells its fields also where it has no record. */
enum status drift_columns(struct drift_watch *watch, struct slice context, struct error *error) MUST_CHECK;
/* One record as its format gives it; cheap where it is not in the sample. */
void drift_look(struct drift_watch *watch, const struct node *record);

/* What was looked at so far, and the same taken up again by a run that goes on with a pass: a list of [depth, name,
 * objects looked at, times it was there, kinds of values] in the order of the tree, as JSON. */
void drift_note(const struct drift_watch *watch, struct buffer *out);
enum status drift_recall(struct drift_watch *watch, struct slice note, struct error *error) MUST_CHECK;

struct drift_found {
  int64_t fresh, missing, retyped; /* findings that are new since the last pass */
  int64_t open;                    /* all that stand */
  char words[320];                 /* the first ones by name, for the run's warning; "" where nothing is new */
};
/* Compares with the store, saves fields and findings.
 *
 * Missing: absent, though there were objects that could have it. One that the mapping reads and that none of them
 * lacked before is missing at once, as is a column that the mapping reads; another one where chance, by how often it
 * was there before, would leave it out less than once in 1000 passes: a pass over three new records proves little.
 * New: not there before, by the same measure. Retyped: a kind of value never seen before, null aside. A finding about a
 * field that the mapping reads stands until it is as before, or the mapping was changed; another one is of its first
 * pass only. */
enum status drift_settle(struct drift_watch *watch, struct store *store, int source_id, int64_t run,
                         struct drift_found *found, struct error *error) MUST_CHECK;
/* "text, null" of the kinds of values; translated. */
void drift_kinds_text(int kinds, char text[96]);

#endif
