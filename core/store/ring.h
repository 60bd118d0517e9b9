/* WHAT IS SEALED AT REST, AND THE KEYS OF IT.
 *
 * Sealed, from the first record on (core/base/seal.h), each body bound to its table, column and row:
 *   identity.body                                  identifiers of staged rows, as the model marks them
 *   encoding.body                                  codes of names that may not be shared (core/link/clk.h)
 *   person_identity.body, case_identity.body       identifiers of consolidated ones
 *   raw_chunk.body, raw_chunk.context              landed bytes, after zstd; what stood above the records of a page
 *   link_model.sealed                              a link model: its tables hold the frequent names themselves
 * Not sealed, and why:
 *   raw_record.source_key, st_*.key/case_key/person_key, *_member.row_key, link_decision.key_a/key_b
 *                        numbers that a source gives its cases and records: views join by them, officers quote them. A
 *                        mapping must not make a key of a document or a name
 *   identity.k_*, raw_record.key_digest, digest    digests under the workspace's key
 *   st_* and consolidated columns  open, quasi and sensitive fields of the model: figures are counted from them, rights
 *                        guard them. A free text that may name somebody is to be marked `sensitivity: identifier`
 *   issue                shapes, paths and reasons, never values
 *   source.cursor, mark, watermark, looks, memory    places in a source, moments, shapes of fields, names of files
 *   plan, approval, audit_log, granted, sight        files of the ministry and acts of its staff
 *
 * Data keys (table data_key) are random, wrapped under the workspace's key file, unwrapped into locked memory for the
 * life of a handle. One of them, the newest that is not retired, seals what is written; the others open what was
 * written before, until no body is left under them (store/reseal.c). After the key file was replaced, a row of purpose
 * "digest" and number 0 holds the root of digests, wrapped under the new one (core/base/digest.h). While it is being
 * replaced, each row stands twice, under the old and under the new file.
 *
 * A writer asks once in a transaction which key is the present one, under a shared lock that retiring a key takes
 * alone: nothing is ever written under a key that is gone. A body under a key that the handle does not know makes it
 * read the table, and then the key file, again. */
#ifndef PUENTE_STORE_RING_H
#define PUENTE_STORE_RING_H

#include "core/base/seal.h"
#include "core/store/store.h"

#define PURPOSE_BODY "body"
#define PURPOSE_DIGEST "digest"

/* Checks the key against the store's mark, finds the root, reads the data keys, makes the first one in a store that is
 * open for writing and has none. ERR_CONFIG where the key is another one, or was replaced and its file, read again,
 * does not help. A store without a key opens: only what is sealed cannot be read. */
enum status ring_open(struct store *store, struct error *error) MUST_CHECK;
void ring_close(struct store *store); /* wipes it */
/* ERR_CONFIG where the store was opened without a key: which file, and what to do. */
enum status ring_need(const struct store *store, struct error *error) MUST_CHECK;

/* Until the transaction ends: shared by writers of sealed bodies, or alone, once those have ended. */
enum status ring_lock(struct store *store, bool alone, struct error *error) MUST_CHECK;
/* A new data key, the present one from the commit on, unknown to this handle before: a number that was rolled back is
 * given again. In a transaction that has the lock alone. */
enum status ring_make(struct store *store, struct error *error) MUST_CHECK;

/* ---- replacing the key file (store/rewrap.h) ---- */

/* How many key files the rows that open bodies are wrapped under; `ours`: this handle's is one of them. */
enum status ring_wrappers(struct store *store, int64_t *count, bool *ours, struct error *error) MUST_CHECK;
/* Wraps each key, and the root of digests, under the fresh file too. In a transaction that has the lock alone. */
enum status ring_wrap_again(struct store *store, const struct key *fresh, struct error *error) MUST_CHECK;
/* What is wrapped under other files than that one goes; ERR_STORE, and nothing goes, where a key would be lost. */
enum status ring_drop_others(struct store *store, const struct key *kept, struct error *error) MUST_CHECK;

uint32_t ring_present(const struct store *store); /* the present key's number, after ring_writing */
void ring_ended(struct store *store);             /* a transaction has ended */
/* Before the first seal of each writing function; asks once in a transaction. */
enum status ring_writing(struct store *store, struct error *error) MUST_CHECK;
/* Seals under the present key; in the scratch arena. An empty text stays empty. */
enum status ring_seal(struct store *store, const struct seal_place *place, struct slice text, struct slice *sealed,
                      struct error *error) MUST_CHECK;
/* The same where the text lies at `sealed` + SEAL_HEAD, with room for SEAL_EXTRA bytes more than it has. */
enum status ring_seal_there(struct store *store, const struct seal_place *place, size_t len, char *sealed,
                            struct error *error) MUST_CHECK;

/* Room for a text that is opened, used again and again. */
struct opened {
  char *data;
  size_t capacity;
};
void opened_free(struct opened *opened);
/* A sealed body's text, in `room`; a body of before there were seals is given as it is. ERR_STORE where it was changed,
 * or belongs elsewhere. */
enum status ring_unseal(struct store *store, const struct seal_place *place, struct slice body, struct opened *room,
                        struct slice *text, struct error *error) MUST_CHECK;

/* ---- landed pages (chunk.c) ---- */

/* The two columns of a chunk as they are written, valid until the next call. ring_writing comes before. */
struct chunk_columns {
  struct slice context, body;
};
enum status chunk_seal(struct store *store, int64_t chunk_id, struct slice context, struct slice body,
                       struct chunk_columns *columns, struct error *error) MUST_CHECK;

/* A chunk as it was landed. Reading the one that is there already costs nothing; begin with zeros, end with chunk_free.
 */
struct chunk {
  int64_t id;
  struct buffer head;     /* origin, format, each with a zero byte, and the context */
  size_t format, context; /* where they begin in the head */
  char *body;
  size_t len;
  struct opened room;
};
void chunk_init(struct chunk *chunk);
enum status chunk_read(struct store *store, int64_t chunk_id, struct chunk *chunk, struct error *error) MUST_CHECK;
static inline struct slice chunk_context(const struct chunk *chunk) {
  return slice_make(chunk->head.data + chunk->context, chunk->head.len - chunk->context);
}
void chunk_free(struct chunk *chunk);

#endif
