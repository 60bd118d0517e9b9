/* PULL → LAND → MAP → STAGE. One source is pulled page by page; what a page became is committed with its cursor and its
 * audit entry in one transaction, so that a crash anywhere loses nothing and repeats nothing. Remap and retry walk the
 * same path from landed bytes on. */
#ifndef PUENTE_SYNC_SYNC_H
#define PUENTE_SYNC_SYNC_H

#include "core/config.h"
#include "core/store/store.h"
#include "core/sync/progress.h"

struct remap_report;

struct sync_options {
  bool full;         /* forget cursor and watermark */
  const char *since; /* instead of the watermark; NULL: none */
  const char *until; /* a backfill: cursor and watermark stay, nothing is swept */
  bool reload; /* everything is pulled first, then swapped in one transaction: it lands, and what did not come goes */
  double max_drop; /* share that may go with a sweep or a reload, faulty keys or not; 0: as the source declares */
  bool dry_run;    /* pulls and maps, lands nothing, moves nothing */
  const char *actor, *purpose;
  const struct progress *progress;
  const atomic_bool *stop;
  /* of remap and retry: */
  int64_t record_id;           /* only this record; 0: all */
  struct remap_report *report; /* made by remap_report_init, told what changes; NULL: not wanted */
};
struct sync_result {
  int64_t run;
  struct counts counts;
  struct staged staged;
  int64_t revoked; /* records that consent took out, or took somebody out of, and whose bytes files may still hold */
  bool complete;   /* the pass reached its end; false after OK: its budget was used up, and the next run goes on */
  bool nothing_new;
  bool sweep_refused; /* a sweep would have dropped more than max_drop: nothing was deleted */
  char warning[320];
};
/* What a run needs besides the source. */
struct workbench {
  struct store *store;
  const struct config *config;
  const struct model *model;
  const struct codelists *lists;
  const struct key *key;
  const struct approved_texts *texts; /* which text of a mapping counts; NULL: the files */
};
/* ERR_BALANCE where the counts do not add up (the run is recorded as failed). */
enum status sync_source(const struct workbench *bench, const struct source_config *source, int source_id,
                        const struct sync_options *options, struct sync_result *result, struct error *error) MUST_CHECK;

/* Landed bytes of a source mapped again with the mapping as it is now; nothing is pulled. `state` -1: all records,
 * RECORD_QUARANTINED: a retry of those only. Records that the mapping has mapped already are left alone. */
enum status sync_remap(const struct workbench *bench, const struct source_config *source, int source_id, int state,
                       const struct sync_options *options, struct sync_result *result, struct error *error) MUST_CHECK;

/* Whether the numbers of a run add up; `words` says which sum does not. */
bool counts_balance(const struct counts *counts, bool complete, char words[160]);

#endif
