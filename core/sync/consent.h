/* CONSENT BY RECORD: what the scope that a record tells of each person in it (`involvement.consent`) allows to keep,
 * settled before anything is landed (docs/terms.md).
 *
 * share, link, law   the person is kept
 * count              counted: identifiers and the key go, the record's bytes too
 * none               counted so; where the terms say `consent: required`, withheld
 * nothing told       kept; where consent is required, withheld
 * withdrawn          withheld, and what was there before goes (revoke.h); so is a day of withdrawal that no later day
 *                    of consent follows
 *
 * A record in which everybody is withheld keeps its keyed digests and its count alone. */
#ifndef PUENTE_SYNC_CONSENT_H
#define PUENTE_SYNC_CONSENT_H

#include "core/config_terms.h"
#include "core/sync/parcel.h"

struct consent {
  bool required;
  const struct key *key;
  const struct entity *person, *involvement; /* NULL: the model has none */
  int scope, given, withdrawn;               /* columns; -1: the model has none */
  struct map *rulings;                       /* of the record at hand: by key of the person */
  struct parcel *parcel;                     /* that listens */
  struct {
    size_t persons, gone, counted; /* gone: withheld */
    bool withdrawn, whole;         /* whole: nobody may have been missed */
    enum status failed;
  } seen;
};

enum status consent_init(struct consent *consent, const struct terms_config *terms, const struct model *model,
                         const struct key *key, struct error *error) MUST_CHECK;
void consent_free(struct consent *consent);
/* Before a record is mapped: its rows are looked at also where it goes to quarantine. */
void consent_listen(struct consent *consent, struct parcel *parcel);
/* After it: rows, bytes and state of the item at `position` become what consent allows; persons of whom former values
 * have to go are noted in the parcel. */
enum status consent_settle(struct consent *consent, struct parcel *parcel, uint32_t position, struct item *item,
                           enum outcome outcome, struct error *error) MUST_CHECK;
/* The same for a record that was not mapped at all: broken, without a key, a deletion. */
void consent_unread(const struct consent *consent, struct item *item);

#endif
