/* What a run says about its source: the health that the store keeps, and warnings that a person should read. */
#ifndef PUENTE_SYNC_HEALTH_H
#define PUENTE_SYNC_HEALTH_H

#include "core/store/watch.h"
#include "core/sync/sync.h"

/* The health that an error of a pull means: unreachable (network, an answer 5xx, 429), refused (credentials,
 * certificate, permission, another answer 4xx), changed (what came is not what the mapping is written for), failed (our
 * own disk, store, configuration). */
enum health health_of(const struct error *error);

struct health_try {
  int64_t run;
  bool ranged; /* a person chose --since or --until: that the source refuses those says nothing about it */
  bool pulled; /* false: landed bytes were mapped again, which can mend a changed source and nothing else */
  const struct counts *counts;
  const struct error *failure; /* NULL: it succeeded */
};
/* In the last transaction of a run: the health after this try. Of one that succeeded: empty where a complete pass found
 * nothing and the store holds nothing of the source; changed where open drift says that a mapped field is missing or
 * retyped, or where most records of the run went to quarantine while those of former runs did not; else ok. An
 * interrupted run changes nothing. */
enum status health_observe(struct store *store, int source_id, const struct health_try *attempt,
                           struct error *error) MUST_CHECK;

enum { HEALTH_WORDS = 320 };
/* A sentence in `words` where a complete pass brought less than half of what is usual, else "". Passes over everything
 * (`whole`) are compared with the median of the last nine, of at least three; passes over what is new by weeks: the
 * last seven days with the median of the four weeks before, of at least three. Never a reason to delete anything. */
enum status health_volume(struct store *store, int source_id, int64_t run, bool whole, const struct counts *counts,
                          char words[HEALTH_WORDS], struct error *error) MUST_CHECK;

#endif
