/* BEFORE AND AFTER: what an act of a person changed, as keyed digests in its entry of the log. Whoever has the store
 * and its key makes them again and compares; nobody else learns anything of what they are of.
 *
 * The form of a state, end to end, integers big-endian: the 15 bytes "puente/state/1" and a line feed, then rows. A
 * number is 8 bytes, a text 4 bytes of length and the bytes, a missing text the length ffffffff, a digest its 16 bytes.
 * The digest is BLAKE2b of 16 bytes under the subkey of purpose "audit/state". docs/audit-log.md tells which columns a
 * row has. */
#ifndef PUENTE_AUDIT_STATE_H
#define PUENTE_AUDIT_STATE_H

#include "core/base/buffer.h"
#include "core/store/store.h"

enum { STATE_TEXT = 2 * KEYED_SIZE };

struct state {
  struct subkey key; /* wiped by state_free */
  struct buffer form;
};
/* ERR_CONFIG without a key. */
enum status state_init(struct state *state, const struct key *key, struct error *error) MUST_CHECK;
void state_free(struct state *state);
/* Of the rows since the last call, and begins anew. */
enum status state_digest(struct state *state, char text[STATE_TEXT + 1], struct error *error) MUST_CHECK;

/* ---- rows ---- */

void state_decision(struct state *state, enum cluster_kind kind, const struct review_decision *decision);
void state_version(struct state *state, const struct version_state *version);

/* The states of versions, or of all versions of records, in the order of their numbers. */
enum status state_of_versions(struct state *state, struct store *store, const int64_t *raw_ids, size_t count,
                              char text[STATE_TEXT + 1], struct error *error) MUST_CHECK;
enum status state_of_records(struct state *state, struct store *store, const int64_t *records, size_t count,
                             char text[STATE_TEXT + 1], struct error *error) MUST_CHECK;

#endif
