/* Copies of the store: made while others write, read back before they count as made, and put in the store's place.
 * sqlite: a database file; postgres: pg_dump's custom format of the store's tables and views. */
#ifndef PUENTE_STORE_BACKUP_H
#define PUENTE_STORE_BACKUP_H

#include "core/store/store.h"

#include <stdatomic.h>

/* How many rows each table holds, by name. Freed by holdings_free. */
struct holding {
  char table[64];
  int64_t rows;
};
struct holdings {
  struct holding *items;
  size_t count;
  int64_t rows; /* of all */
};
void holdings_free(struct holdings *holdings);
enum status holdings_add(struct holdings *holdings, const char *table, int64_t rows, struct error *error) MUST_CHECK;
/* The first table in which they differ; NULL: in none. */
const char *holdings_differ(const struct holdings *a, const struct holdings *b);
enum status store_holdings(struct store *store, struct holdings *holdings, struct error *error) MUST_CHECK;

enum copy_proof {
  PROOF_OPENED,   /* sqlite: opened, every page and index checked, rows counted */
  PROOF_RESTORED, /* postgres: restored in a transaction that was rolled back, rows counted */
  PROOF_READ      /* postgres, where the role may make no schema: read to its end, rows counted */
};
extern const char *const copy_proofs[]; /* "opened", "restored", "read" */

/* What else a copy must be; it is opened read-only. NULL allowed. */
typedef enum status copy_check(void *context, struct store *copy, struct error *error);
struct backup_request {
  const char *target; /* a file that is not there yet */
  copy_check *check;
  void *context;
  const atomic_bool *stop; /* NULL allowed */
};
struct backup_made {
  struct holdings holdings;
  enum copy_proof proof;
  int64_t bytes;
};
/* An online, consistent copy of mode 0600, written beside its name, read back whole and compared with what the store
 * held in the copy's moment, then renamed: a file of that name is a copy that was read back. Its SHA-256 lies beside it
 * (core/store/copy_digest.h). `options` are those that the store was opened with. */
enum status store_backup(struct store *store, const struct store_options *options, const struct backup_request *request,
                         struct backup_made *made, struct error *error) MUST_CHECK;
const char *store_backup_suffix(enum store_kind kind); /* of names of copies: ".db", ".dump" */

struct copy_seen {
  struct holdings holdings;
  enum copy_proof proof;
  int version; /* 0: PROOF_READ tells none */
  bool digest; /* its SHA-256 lies beside it, and agrees */
};
/* Reads a copy back as store_backup does, whatever version up to this program's it is of, after its SHA-256 where one
 * lies beside it. The holdings are freed by holdings_free. */
enum status store_check_copy(const struct store_options *options, const char *file, copy_check *check, void *context,
                             struct copy_seen *seen, struct error *error) MUST_CHECK;
/* Puts a copy in the store's place in one step, after it was read back. What is there is kept: `aside` names the file,
 * or the schema; empty where nothing was. ERR_BUSY while anybody else has the store open; ERR_CONFIG where the key is
 * another one; ERR_VERSION where the copy is of a newer program. */
enum status store_restore(const struct store_options *options, const char *file, copy_check *check, void *context,
                          struct buffer *aside, int *version, struct error *error) MUST_CHECK;

/* The copy that the last upgrade made before it began, with the version in it; ERR_NOT_FOUND where there was none.
 * Works on a store whose upgrade stopped halfway. */
enum status store_before_upgrade(const struct store_options *options, struct buffer *file, int *version,
                                 struct error *error) MUST_CHECK;
/* After a way back: the store knows of no upgrade, for one before that one lies far back. */
enum status store_forget_upgrade(const struct store_options *options, struct error *error) MUST_CHECK;

/* ---- when it was last done ---- */

/* Kept in the store under "backup" or "restore": a moment and a file. In the caller's transaction. */
enum status store_note_copy(struct store *store, const char *what, int64_t at, const char *file,
                            struct error *error) MUST_CHECK;
/* 0 and an empty file where there was none; `file` may be NULL. */
enum status store_noted_copy(struct store *store, const char *what, int64_t *at, struct buffer *file,
                             struct error *error) MUST_CHECK;

/* ---- the store as it stands ---- */

/* What the database itself says of its files (sqlite), and rows that must not be: members of no person or case, or of
 * no staged row, versions whose chunk is missing. `what` (at least 160 bytes) names the first mistake, else "". */
enum status store_integrity(struct store *store, char *what, size_t size, struct error *error) MUST_CHECK;
#endif
