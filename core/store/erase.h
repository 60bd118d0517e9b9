/* TAKING OUT what may not be kept: bytes, identifiers, staged values, consolidated values and key texts of records, in
 * the caller's transaction, and the keyed digests that keep them from coming back.
 *
 * What stays of a record is its number, its keyed digests, its runs, and the state `withheld`: it is counted, and
 * nothing of it can be read. Its staged rows stay as closed rows without any value, so that linking sees them leave. */
#ifndef PUENTE_STORE_ERASE_H
#define PUENTE_STORE_ERASE_H

#include "core/store/store.h"

/* Why: on request, by withdrawn or missing consent, or when the time to keep it was over. Positions are the text in
 * the store: "erased", "withdrawn", "no_consent", "retention". */
enum erase_cause { ERASE_REQUEST, ERASE_WITHDRAWN, ERASE_NO_CONSENT, ERASE_RETENTION, ERASE_CAUSES };
extern const char *const erase_cause_names[ERASE_CAUSES];

/* What a digest is of: the record's key, the bytes of one of its versions, the key of a person in it. */
enum erasure_kind { ERASURE_KEY, ERASURE_BYTES, ERASURE_PERSON, ERASURE_KINDS };
extern const char *const erasure_kind_names[ERASURE_KINDS];

struct erasure {
  int source_id;
  struct keyed_digest digest;
  enum erasure_kind kind;
  int64_t record_id, run, at; /* at: microseconds */
  enum erase_cause cause;
  bool final;                            /* it does not come back; set when written */
  const char *actor, *reason, *document; /* NULL: none */
};
typedef enum status erasure_visitor(void *context, const struct erasure *erasure, struct error *error);
/* By time; source 0: of all. */
enum status store_visit_erasures(struct store *store, int source_id, erasure_visitor *visit, void *context,
                                 struct error *error) MUST_CHECK;
/* The newest of a record; ERR_NOT_FOUND where it was never taken out. Texts are in `arena`. */
enum status store_erasure_of(struct store *store, int64_t record_id, struct arena *arena, struct erasure *erasure,
                             struct error *error) MUST_CHECK;
/* One that stands there already stays as it is. */
enum status store_write_erasure(struct store *store, const struct erasure *erasure, struct error *error) MUST_CHECK;

/* Which number the last taking out has; it grows with each. With a source it waits first for another transaction that
 * lands or takes out records of it, and holds such ones off until the end of this one. */
enum status store_erase_epoch(struct store *store, int source_id, int64_t *epoch, struct error *error) MUST_CHECK;

struct erased {
  int64_t records, versions, bytes, rows, identities, wholes, pairs, issues;
};
/* Takes out all versions of the records, each once, and writes why, with the digests of key and versions. The bytes
 * that went never come back; what has the key does not either, but where consent was the cause: a later version that
 * tells of consent is another word of the person. `erased` is added to. */
struct erasing {
  int64_t run;
  enum erase_cause cause;
  const char *actor, *reason, *document;
};
enum status store_erase(struct store *store, const struct erasing *erasing, const int64_t *records, size_t count,
                        struct erased *erased, struct error *error) MUST_CHECK;
/* Takes one person out of a record that others are in too: its rows go, and the bytes of all versions, which hold it.
 * The record keeps its state and the rows of the others.
 *
 * Both do nothing where consent is the cause and nothing is held any more; of a person whose consent is, the bytes that
 * went do not come back either, since they tell of a consent that ended. */
enum status store_erase_person(struct store *store, const struct erasing *erasing, int64_t record_id, struct slice key,
                               struct erased *erased, struct error *error) MUST_CHECK;
/* Nothing is taken out by others until the transaction ends: what it writes from values that it read stays right. */
enum status store_erase_shut(struct store *store, struct error *error) MUST_CHECK;
/* Records of a source whose last version, or deletion, came before the moment, and that were not taken out for good:
 * ascending, at most `most` from `after` on. */
enum status store_visit_outdated(struct store *store, int source_id, int64_t before, int64_t after, size_t most,
                                 row_id_visitor *visit, void *context, struct error *error) MUST_CHECK;
/* After the commit: the database's files let go of the bytes too (sqlite: free pages and the log beside the file;
 * postgres: dead rows). ERR_BUSY where a reader still holds them. */
enum status store_purge(struct store *store, struct error *error) MUST_CHECK;

/* Key of person digests: the keyed digest of a person's key in its source, or of what hides it. */
struct keyed_digest erase_person_digest(const struct key *key, struct slice person_key);
/* What stands in the place of the key of a person who is counted and not told: the same whenever she comes. */
enum { HIDDEN_KEY_SIZE = 2 * KEYED_SIZE + 2 };
void erase_hide_key(const struct key *key, struct slice person_key, char hidden[HIDDEN_KEY_SIZE]);

#endif
