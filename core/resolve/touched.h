/* Which rows an incremental linking has to link again, so that the result is that of linking all. Private to
 * core/resolve.
 *
 * Pairs are kept by what their two rows say, so a changed row can only meet rows that share a key with it, and what
 * becomes of pairs is settled within what pairs connect. Each of the four steps of twopass.h depends on former ones
 * alone, so touched rows are found in their order:
 *
 *   persons   those that changed, came or went, are called alike, or are of one case with such (ties between equal
 *             weights fall by what the people of a case say together); those that they meet; all that pairs connect
 *   cases     those that changed, and the changed persons' own; those that they meet; all that pairs connect
 *   persons   of those cases, whose clusters may be others; all that pairs connect
 *   cases     of the persons of the first step, whose clusters may be others; all that pairs connect
 *
 * Pairs count whether the early or the last step keeps them. Evidence of the other kind tells a pair of rows missing,
 * else or same; that it is the same is known of rows that are touched anyway, so new pairs are asked for with the two
 * other answers. Beside these rows, which are written anew, others are read: whole cases of persons and whole persons
 * of cases, as evidence. */
#ifndef PUENTE_RESOLVE_TOUCHED_H
#define PUENTE_RESOLVE_TOUCHED_H

#include "core/resolve/keys.h"

struct touched {
  struct store *store;
  const struct model *model;
  const struct policy *policy;
  const bool *linked;
  const struct succession *succession;
  const uint8_t *secret;
  const struct twopass_side *sides[2]; /* by enum cluster_kind: plan and model */
  int64_t last_run;                    /* of the last linking */
  int64_t most[2];                     /* by kind: of more rows all are linked */
  /* out: by kind, sorted, closed rows too */
  struct row_set write[2], read[2];
  struct row_set fresh[2];            /* by kind: rows whose keys may be others */
  struct row_set marks, mark_records; /* changed rows that speak of persons, and their records */
  bool nothing;                       /* nothing has changed */
  const char *why;                    /* not NULL: everything has to be linked */
};
enum status touched_find(struct touched *touched, struct error *error) MUST_CHECK;
void touched_free(struct touched *touched);

#endif
