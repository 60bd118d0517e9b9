/* What was taken out of a source and does not come back (core/store/erase.h), as landing asks for it. */
#ifndef PUENTE_SYNC_GONE_H
#define PUENTE_SYNC_GONE_H

#include "core/base/map.h"
#include "core/store/erase.h"

struct gone {
  struct map *records, *bytes, *persons; /* digests */
  int64_t epoch;                         /* of what was read; -1: nothing yet */
};

enum status gone_init(struct gone *gone, struct error *error) MUST_CHECK;
void gone_free(struct gone *gone);
/* Reads it where more was taken out than is known; `changed` tells. In a transaction it `locks` the source: nothing
 * more is taken out of it until the transaction ends. */
enum status gone_refresh(struct gone *gone, struct store *store, int source_id, bool locks, bool *changed,
                         struct error *error) MUST_CHECK;
/* Whether a record of that key, or of these very bytes, was taken out. */
bool gone_has(const struct gone *gone, const struct keyed_digest *key, const struct keyed_digest *bytes);
bool gone_has_persons(const struct gone *gone);
bool gone_has_person(const struct gone *gone, const struct key *key, struct slice person_key);

#endif
