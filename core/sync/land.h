/* The writing side: a parcel is compared with the store, and what is new or changed is landed, staged, and committed
 * with cursor, counts and audit entry in one transaction. */
#ifndef PUENTE_SYNC_LAND_H
#define PUENTE_SYNC_LAND_H

#include "core/audit/audit.h"
#include "core/sync/counts.h"
#include "core/sync/gone.h"
#include "core/sync/parcel.h"
#include "core/sync/revoke.h"
#include "core/sync/sync.h"

struct lander {
  /* in */
  const struct workbench *bench;
  const struct source_config *source;
  const struct sync_options *options;
  const struct plan *plan;
  const char *event; /* of the audit entry: "land", "remap" */
  int source_id;
  int64_t run, plan_id;
  struct lease *lease;  /* NULL: no pass is under way (remap) */
  bool keeps_seen;      /* the source is swept */
  bool backfill;        /* cursor and watermark stay as they are */
  bool one_transaction; /* lander_commit waits: the caller ends what lander_seal sealed */
  struct pass pass;     /* as it will be saved; text owned by the lander */
  /* out: what has been committed */
  struct counts counts;
  struct staged staged;
  /* the transaction that is open */
  bool open;
  int64_t records;
  struct counts written, pending; /* of the transaction; of the run once it is committed */
  struct staged staging;
  struct merkle merkle;
  struct covered covered;
  int64_t conflicts, unkeyed; /* sums of the parcels' */
  struct gone gone;           /* what does not come back */
  struct revoking revoking;   /* what the transaction takes out */
  int64_t revoked;            /* records that committed ones took out, or took somebody out of */
  int64_t idle;               /* parcels in a row that had nothing to write */
  /* scratch, PARCEL_RECORDS long; record_ids twice that */
  struct keyed_digest *keys;
  struct record_state_found *found;
  struct landed *landed;
  uint32_t *position;  /* of an item among the landed; UINT32_MAX: not landed */
  int64_t *record_ids; /* seen, or deleted */
  struct buffer body;
};

enum status lander_init(struct lander *lander, struct error *error) MUST_CHECK;
void lander_free(struct lander *lander);
/* Parcels are gathered in one transaction until one of them moves the cursor, or many records have come together. With
 * dry_run they are compared and counted, and nothing is written. After an error what was not committed is undone. */
enum status lander_take(struct lander *lander, struct parcel *parcel, struct error *error) MUST_CHECK;
/* Commits what is open, with cursor, counts and audit entry. */
enum status lander_commit(struct lander *lander, struct error *error) MUST_CHECK;

/* The last writes of the transaction that is open: cursor, counts, audit entry. The caller commits. */
enum status lander_seal(struct lander *lander, struct error *error) MUST_CHECK;

/* For writers other than lander_take: begin, write, note what was written (the first `kept` of lander->landed go into
 * the audit entry, as landed in `chunk`, 0: mapped again; the counts are still to be added to lander->pending), then
 * commit or abandon. */
enum status lander_begin(struct lander *lander, struct error *error) MUST_CHECK;
enum status lander_note(struct lander *lander, const struct counts *counts, size_t kept, int64_t chunk,
                        struct error *error) MUST_CHECK;
void lander_abandon(struct lander *lander);
/* Sets a text of the pass; NULL allowed. */
enum status pass_set(char **member, const char *text, struct error *error) MUST_CHECK;

#endif
