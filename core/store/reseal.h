/* ROTATION of data keys, while others read and write: a new key for what is written from now on, the old bodies sealed
 * again in small transactions, old keys retired once nothing is left under them. Each step is the caller's transaction;
 * a rotation that was killed goes on from what the bodies themselves tell. */
#ifndef PUENTE_STORE_RESEAL_H
#define PUENTE_STORE_RESEAL_H

#include "core/store/store.h"

/* A new data key: other processes use it from their next transaction on. */
enum status store_new_data_key(struct store *store, struct error *error) MUST_CHECK;

/* Where a pass over the sealed tables stands; begin with zeros. */
struct resealing {
  int part;
  int64_t id, from;
  int64_t sealed; /* bodies so far */
};
/* Seals some bodies that are not under the present key, or not sealed at all. `done`: the pass has come to its end. */
enum status store_reseal(struct store *store, struct resealing *pass, bool *done, struct error *error) MUST_CHECK;

/* Retires the former keys and wipes them from the table; waits for writers that still use one. `left`: there are bodies
 * under them, nothing was retired. */
enum status store_retire_data_keys(struct store *store, int64_t *retired, bool *left, struct error *error) MUST_CHECK;

/* Another key file (core/service/rewrap.h). How many files open the store: 2 while one is being replaced. */
enum status store_count_wrappings(struct store *store, int64_t *count, struct error *error) MUST_CHECK;
/* Wraps the data keys and the root of digests under the fresh file too. ERR_BUSY where the handle's own file was
 * replaced since it was opened. */
enum status store_wrap_keys(struct store *store, const struct key *fresh, struct error *error) MUST_CHECK;
/* From the commit on that file alone opens the store. ERR_STORE, and nothing changed, where it would not open all. */
enum status store_drop_wrappings(struct store *store, const struct key *kept, struct error *error) MUST_CHECK;

/* Opens sealed bodies: all, or a sample spread over each table of at least `most` of its rows (all where it has fewer);
 * `most` 0: all. A body that is not sealed counts for nothing. The error of the first one that does not open. */
enum status store_open_bodies(struct store *store, int64_t most, int64_t *opened, struct error *error) MUST_CHECK;

struct data_key {
  int64_t id, made, retired; /* microseconds; retired 0: it opens bodies */
  const char *purpose;
  bool present;
};
typedef enum status data_key_visitor(void *context, const struct data_key *key, struct error *error);
enum status store_visit_data_keys(struct store *store, data_key_visitor *visit, void *context,
                                  struct error *error) MUST_CHECK;

#endif
