/* The audit log: one hash-chained entry per transaction, written last before its commit. It is the mapping log too.
 *
 * The hash of an entry covers its fields in a canonical form (length-prefixed, domain-separated) and the hash before
 * it; `outcomes` is a Merkle root over the outcome of each record, RFC 6962's tree (leaf 0x00, node 0x01). No entry
 * holds personal data: keyed digests and counts only. */
#ifndef PUENTE_AUDIT_AUDIT_H
#define PUENTE_AUDIT_AUDIT_H

#include "core/audit/shown.h"

struct audit_event {
  const char *event;  /* "land", "stage", "link", "reveal", "config", … listed in docs/audit-log.md */
  const char *source; /* or NULL */
  const char *actor;
  const char *purpose; /* or NULL */
  int64_t run;
  const char *body; /* a canonical JSON object: keys sorted, no white space; NULL: {} */
  struct sha256 outcomes;
  const struct shown *shown; /* finished, its digest stands in the body; NULL: the entry is no sight of many */
};
enum status audit_append(struct store *store, const struct audit_event *event, struct error *error) MUST_CHECK;

/* Merkle tree over leaves added one by one; memory is the logarithm of their number. */
struct merkle {
  struct sha256 peaks[64];
  uint64_t count;
};
void merkle_init(struct merkle *merkle);
void merkle_add(struct merkle *merkle, struct slice leaf);
struct sha256 merkle_root(const struct merkle *merkle); /* of no leaf: SHA-256 of nothing */
/* The leaf of one record: raw id, key digest, digest, outcome, plan digest, in this order, fixed widths. */
void merkle_add_record(struct merkle *merkle, int64_t raw_id, const struct keyed_digest *key,
                       const struct keyed_digest *digest, enum record_state state, const struct sha256 *plan);

/* The leaf of a row that a linking put into a person or case, or took out (id 0): kind, row, id. */
void merkle_add_membership(struct merkle *merkle, enum cluster_kind kind, int64_t row_id, int64_t id);

/* The canonical form of an entry is written to `form`, its SHA-256 to `hash`. */
enum status audit_hash(const struct audit_row *row, struct buffer *form, struct sha256 *hash,
                       struct error *error) MUST_CHECK;

struct audit_check {
  int64_t entries;
  struct sha256 head;  /* of the last entry; zeros where there is none */
  int64_t first_wrong; /* sequence of the first entry that is wrong; 0: none */
  char what[240];      /* what is wrong with it */
};
/* OK with `first_wrong` set where the chain is broken; an error only where it could not be read. */
enum status audit_verify(struct store *store, struct audit_check *check, struct error *error) MUST_CHECK;

#endif
