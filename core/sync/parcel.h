/* A PARCEL: the records of one transaction on their way from the reading thread to the writing one. It owns its bytes,
 * rows and issues; parcels are made once for a run and reset, so that memory stays flat at any number of records.
 *
 * Cells of the mapped rows borrow from `body`, which therefore never moves while the parcel holds a record. */
#ifndef PUENTE_SYNC_PARCEL_H
#define PUENTE_SYNC_PARCEL_H

#include "core/base/map.h"
#include "core/store/erase.h"
#include "mapping/plan.h"

enum { PARCEL_RECORDS = 4096, PARCEL_BYTES = 4 << 20 };

struct item {
  struct slice key; /* in the parcel's arena */
  struct keyed_digest key_digest, digest;
  uint32_t offset, len; /* in body */
  enum record_state state;
  bool tombstone;         /* the source says that this record is deleted */
  bool bare;              /* its bytes are not kept: what may not be in them cannot be told apart */
  bool unconsented;       /* nobody in it consents (consent.h): it is counted, and what was there of it goes */
  enum erase_cause cause; /* of an unconsented one: ERASE_WITHDRAWN or ERASE_NO_CONSENT */
  struct slice hidden;    /* of an unconsented one, what stands in the place of its key */
  /* remap only: */
  bool refused;     /* the mapping refuses now what has landed */
  int64_t raw_id;   /* of the landed bytes */
  int64_t replaces; /* record that these bytes were under the former mapping, which gave them another key; or 0 */
};

/* A person in a record that stays, of whom what was there before goes. */
struct revoked {
  uint32_t record; /* position among the items */
  struct slice person;
  enum erase_cause cause;
  bool counted; /* she stays in the record, without anything that tells who she is */
};

struct parcel {
  struct batch mapped;
  struct buffer body;
  struct item *items; /* PARCEL_RECORDS of them */
  size_t count;
  struct map *positions; /* key digest to position */
  struct revoked *revoked;
  size_t revoked_count, revoked_capacity;
  size_t taken;         /* records looked at, repeated and rejected ones included */
  struct counts counts; /* of this parcel: pulled, repeated, rejected, cut, pages, bytes; the rest is the writer's */
  int64_t unkeyed;      /* records without a key of their own */
  int64_t conflicts;    /* records that had to wait for the next parcel: same key, other content */

  struct buffer context, origin, cursor, mark, memory;
  struct buffer looks; /* where `cursor` or `memory` holds: what the pass has shown of its fields (drift.h) */
  const char *format;
  bool replaces; /* an item replaces a record */
  bool moves;    /* `cursor` holds: a restart may go on after this parcel */
  int64_t source_count;

  bool last; /* nothing follows; `status` says how the pass ended */
  enum status status;
  struct error error;
};

enum status parcel_init(struct parcel *parcel, const struct model *model, struct error *error) MUST_CHECK;
void parcel_reset(struct parcel *parcel);
void parcel_free(struct parcel *parcel);

/* Whether `bytes` more fit; an empty parcel takes any record. */
bool parcel_fits(const struct parcel *parcel, size_t bytes);
/* Copies the bytes behind the others; `kept` is the copy. */
enum status parcel_append(struct parcel *parcel, struct slice bytes, struct slice *kept,
                          struct error *error) MUST_CHECK;
/* An issue of the record at `record` that the core itself found (broken bytes, no key). */
enum status parcel_issue(struct parcel *parcel, uint32_t record, const char *reason, const char *hint,
                         struct error *error) MUST_CHECK;
/* Drops the rows of the record at `record` that are of the person of that key, or speak of it. */
void parcel_drop_person(struct parcel *parcel, uint32_t record, struct slice key);
/* Drops rows and issues of records whose `position` is UINT32_MAX and renumbers the others. */
void parcel_compact(struct parcel *parcel, const uint32_t *position);

#endif
