#include "core/store/receipt.h"

#include "core/store/internal.h"

#include <stdio.h>

enum status store_receipt_save(struct store *store, const struct receipt *receipt, struct error *error) {
  enum status status = db_writing(store, error);
  return status == OK ? db_execute(
             store, error,
             "INSERT INTO receipt (holder, sequence, hash, at, sent, receipt, message, stamp) "
             "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (holder, sequence) DO UPDATE SET "
             "hash = excluded.hash, at = excluded.at, sent = excluded.sent, receipt = excluded.receipt, "
             "message = excluded.message, stamp = excluded.stamp WHERE receipt.sent = 0",
             VALUES(text_value(receipt->holder), int_value(receipt->sequence),
                    bytes_value(receipt->hash.bytes, SHA256_SIZE), int_value(receipt->at), int_value(receipt->sent),
                    text_value(receipt->answer), text_value(receipt->message),
                    receipt->stamp.data == NULL ? null_value() : bytes_value(receipt->stamp.data, receipt->stamp.len)))
                      : status;
}

static enum status visit_row(struct store *store, struct cursor *cursor, struct arena *arena, receipt_visitor *visit,
                             void *context, struct error *error) {
  struct receipt receipt = {.holder = text_of_value(arena, store->ops->value(cursor, 0)),
                            .sequence = int_of_value(store->ops->value(cursor, 1)),
                            .at = int_of_value(store->ops->value(cursor, 3)),
                            .sent = int_of_value(store->ops->value(cursor, 4)),
                            .answer = text_of_value(arena, store->ops->value(cursor, 5)),
                            .message = text_of_value(arena, store->ops->value(cursor, 6)),
                            .stamp = slice_of_value(store->ops->value(cursor, 7))};
  digest_of_value(store->ops->value(cursor, 2), receipt.hash.bytes, SHA256_SIZE);
  return receipt.holder == NULL || arena_failed(arena) ? error_memory(error) : visit(context, &receipt, error);
}

enum status store_visit_receipts(struct store *store, receipt_visitor *visit, void *context, struct error *error) {
  struct cursor *cursor;
  struct arena *arena = arena_new(0);
  if (arena == NULL) {
    return error_memory(error);
  }
  enum status status = db_query(store, error, &cursor,
                                "SELECT holder, sequence, hash, at, sent, receipt, message, stamp FROM receipt "
                                "ORDER BY at DESC, holder",
                                NULL, 0);
  if (status == OK) {
    while ((status = store->ops->next(cursor, error)) == OK) {
      arena_reset(arena);
      if ((status = visit_row(store, cursor, arena, visit, context, error)) != OK) {
        break;
      }
    }
    store->ops->finish(cursor);
  }
  arena_free(arena);
  return status == END ? OK : status;
}

enum status store_visit_holders(struct store *store, holder_visitor *visit, void *context, struct error *error) {
  struct cursor *cursor;
  enum status status = db_query(
      store, error, &cursor, "SELECT holder, max(sent), min(at) FROM receipt GROUP BY holder ORDER BY holder", NULL, 0);
  if (status != OK) {
    return status;
  }
  while ((status = store->ops->next(cursor, error)) == OK) {
    char name[64];
    struct slice holder = slice_of_value(store->ops->value(cursor, 0));
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(holder));
    status = visit(context, name, int_of_value(store->ops->value(cursor, 1)),
                   int_of_value(store->ops->value(cursor, 2)), error);
    if (status != OK) {
      break;
    }
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}
