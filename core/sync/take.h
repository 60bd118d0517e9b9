/* From the bytes of one record to an item of a parcel: cut, parse, refuse, key, digests, map, consent. Sync, remap and
 * retry all go through here, so that the same bytes and the same plan give the same rows. */
#ifndef PUENTE_SYNC_TAKE_H
#define PUENTE_SYNC_TAKE_H

#include "core/config.h"
#include "core/sync/consent.h"
#include "core/sync/drift.h"
#include "core/sync/encode.h"
#include "core/sync/parcel.h"

struct taker {
  const struct source_config *source;
  const struct plan *plan;
  const struct format *format;
  struct decoder *decoder; /* of the present document; NULL until its first record */
  struct subkey record_key, key_key;
  struct buffer scratch, limited; /* a record after `cut`, and after `terms: fields:` */
  struct arena *spare;            /* what a limited source's record holds, before it was cut; NULL: it is not limited */
  struct consent consent;
  struct encoder *encoder;   /* NULL: the terms leave names as they are */
  bool again;                /* the bytes have landed before, and bring their codes */
  struct drift_watch *watch; /* the caller's; NULL: nobody looks at the fields */
};

enum taken {
  TAKEN,          /* an item was added */
  TAKEN_REPEATED, /* the same record stands in the parcel already: counted */
  TAKEN_REJECTED, /* not landed: refused, too large, broken where something had to be cut, or with an identifier where
                     names are encoded: counted */
  TAKE_LATER      /* its key stands in the parcel with other content: send the parcel off, then take it again */
};

enum status taker_init(struct taker *taker, const struct source_config *source, const struct plan *plan,
                       const struct model *model, const struct key *key, struct error *error) MUST_CHECK;
void taker_free(struct taker *taker);
/* Another document, or another format, begins: the next record brings its own context. */
void taker_begin(struct taker *taker, const struct format *format);

/* `raw` is borrowed. An error is the program's, never the record's. `landed`: the bytes come from
 * the store, where nothing has to be cut, counted as pulled, or compared with its neighbours again. */
enum status taker_take(struct taker *taker, struct parcel *parcel, const struct raw *raw, struct slice context,
                       bool landed, enum taken *taken, struct error *error) MUST_CHECK;

#endif
