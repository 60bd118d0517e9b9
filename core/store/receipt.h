/* What holders outside answered when they got a checkpoint of the audit log. Format 7. */
#ifndef PUENTE_STORE_RECEIPT_H
#define PUENTE_STORE_RECEIPT_H

#include "core/store/store.h"

struct receipt {
  const char *holder; /* name in the configuration; HOLDER_TIMESTAMP: the time-stamp */
  int64_t sequence;
  struct sha256 hash;  /* of that entry */
  int64_t at, sent;    /* when it was signed; when the holder took it, 0: they did not */
  const char *answer;  /* what they said; NULL where they did not take it */
  const char *message; /* why not; NULL */
  struct slice stamp;  /* a time-stamp as its authority answered it; none otherwise */
};
/* Upserts by holder and sequence; a receipt that was given stays. Between store_begin and store_commit. */
enum status store_receipt_save(struct store *store, const struct receipt *receipt, struct error *error) MUST_CHECK;
/* Newest first; texts are valid until the visitor returns. */
typedef enum status receipt_visitor(void *context, const struct receipt *receipt, struct error *error);
enum status store_visit_receipts(struct store *store, receipt_visitor *visit, void *context,
                                 struct error *error) MUST_CHECK;
/* For each holder that ever was tried: when they took one last (0: never), and when one was signed for them first. */
typedef enum status holder_visitor(void *context, const char *holder, int64_t sent, int64_t first, struct error *error);
enum status store_visit_holders(struct store *store, holder_visitor *visit, void *context,
                                struct error *error) MUST_CHECK;

#endif
