/* What was landed of persons who consent no longer goes, in the transaction that lands what says so. */
#ifndef PUENTE_SYNC_REVOKE_H
#define PUENTE_SYNC_REVOKE_H

#include "core/audit/state.h"
#include "core/store/erase.h"

struct lander;
struct parcel;

/* By cause, what the transaction that is open takes out, until its entries are written. */
struct revoking {
  struct taking {
    int64_t *records;
    size_t count, capacity;
    struct erased erased;
  } takings[ERASE_CAUSES];
};
void revoking_clear(struct revoking *revoking);
void revoking_free(struct revoking *revoking);

/* Former versions of the parcel's records, before it is landed: all of a record in which nobody consents, one person of
 * another. */
enum status revoke(struct lander *lander, const struct parcel *parcel, struct error *error) MUST_CHECK;
/* One entry `erase` a cause, before the one of the landing. */
enum status revoke_log(struct lander *lander, struct error *error) MUST_CHECK;

/* What stood of the records before and after (state_of_records). */
struct erased_states {
  char before[STATE_TEXT + 1], after[STATE_TEXT + 1];
};
/* The entry `erase` of records that were taken out by `erasing`; source NULL: of several; states NULL: not told, by
 * what runs by itself. */
enum status erase_log(struct store *store, const char *source, const struct erasing *erasing, const int64_t *records,
                      size_t count, const struct erased *erased, const struct erased_states *states,
                      struct error *error) MUST_CHECK;

#endif
