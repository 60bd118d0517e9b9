#include "core/store/internal.h"

static enum status read_head(struct store *store, const char *sql, int64_t *sequence, struct sha256 *hash,
                             struct error *error) {
  struct cursor *cursor;
  enum status status = db_query(store, error, &cursor, sql, NULL, 0);
  if (status != OK) {
    return status;
  }
  status = store->ops->next(cursor, error);
  if (status == OK) {
    *sequence = int_of_value(store->ops->value(cursor, 0));
    digest_of_value(store->ops->value(cursor, 1), hash->bytes, SHA256_SIZE);
  } else if (status == END) {
    status = error_set(error, ERR_STORE, "%s", _("the head of the audit log is missing"));
  }
  store->ops->finish(cursor);
  return status;
}

enum status store_audit_head(struct store *store, int64_t *sequence, struct sha256 *hash, struct error *error) {
  enum status status = db_writing(store, error);
  if (status != OK) {
    return status;
  }
  /* The write, of nothing new, takes the row's lock in both databases. */
  return read_head(store, "UPDATE audit_head SET sequence = sequence WHERE id = 1 RETURNING sequence, hash", sequence,
                   hash, error);
}

enum status store_audit_peek(struct store *store, int64_t *sequence, struct sha256 *hash, struct error *error) {
  return read_head(store, "SELECT sequence, hash FROM audit_head WHERE id = 1", sequence, hash, error);
}

enum status store_audit_append(struct store *store, const struct audit_row *row, struct error *error) {
  enum status status = db_writing(store, error);
  int64_t changed = 0;
  if (status == OK) {
    status = db_execute(
        store, error,
        "INSERT INTO audit_log (sequence, at, run, event, source, actor, purpose, body, outcomes, previous, hash) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        VALUES(int_value(row->sequence), int_value(row->at), int_value(row->run), text_value(row->event),
               text_value(row->source), text_value(row->actor), text_value(row->purpose), text_value(row->body),
               bytes_value(row->outcomes.bytes, SHA256_SIZE), bytes_value(row->previous.bytes, SHA256_SIZE),
               bytes_value(row->hash.bytes, SHA256_SIZE)));
  }
  if (status == OK) {
    status = db_change(
        store, error, &changed, "UPDATE audit_head SET sequence = $1, hash = $2 WHERE id = 1 AND sequence = $3",
        VALUES(int_value(row->sequence), bytes_value(row->hash.bytes, SHA256_SIZE), int_value(row->sequence - 1)));
  }
  if (status == OK && changed != 1) {
    status = error_set(error, ERR_STORE, _("audit entry %lld does not follow the head of the log"),
                       (long long)row->sequence);
  }
  return status;
}

/* A page of entries stays valid while the visitor runs: it reads no other entry. */
static enum status give_entry(struct store *store, struct cursor *cursor, struct arena *arena, audit_visitor *visit,
                              void *context, int64_t *sequence, struct error *error) {
  const struct driver_ops *ops = store->ops;
  const char *texts[5];
  for (size_t i = 0; i < 5; i++) {
    struct value value = ops->value(cursor, 3 + i);
    texts[i] = value.kind == VALUE_NULL ? NULL : arena_text(arena, slice_of_value(value));
    if (value.kind != VALUE_NULL && texts[i] == NULL) {
      return error_memory(error);
    }
  }
  struct audit_row row = {.sequence = int_of_value(ops->value(cursor, 0)),
                          .at = int_of_value(ops->value(cursor, 1)),
                          .run = int_of_value(ops->value(cursor, 2)),
                          .event = texts[0],
                          .source = texts[1],
                          .actor = texts[2],
                          .purpose = texts[3],
                          .body = texts[4]};
  digest_of_value(ops->value(cursor, 8), row.outcomes.bytes, SHA256_SIZE);
  digest_of_value(ops->value(cursor, 9), row.previous.bytes, SHA256_SIZE);
  digest_of_value(ops->value(cursor, 10), row.hash.bytes, SHA256_SIZE);
  *sequence = row.sequence;
  return visit(context, &row, error);
}

enum status store_visit_audit(struct store *store, int64_t from_sequence, audit_visitor *visit, void *context,
                              struct error *error) {
  struct arena *arena = arena_new(0);
  enum status status = arena == NULL ? error_memory(error) : OK;
  int64_t last = from_sequence - 1;
  size_t count = BATCH_ROWS;
  while (status == OK && count == BATCH_ROWS) {
    struct cursor *cursor;
    count = 0;
    status = db_query(store, error, &cursor,
                      "SELECT sequence, at, run, event, source, actor, purpose, body, outcomes, previous, hash "
                      "FROM audit_log WHERE sequence > $1 ORDER BY sequence LIMIT $2",
                      VALUES(int_value(last), int_value(BATCH_ROWS)));
    while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
      count++;
      arena_reset(arena);
      status = give_entry(store, cursor, arena, visit, context, &last, error);
    }
    store->ops->finish(cursor);
    status = status == END ? OK : status;
  }
  arena_free(arena);
  return status;
}

enum status store_visit_approval_entries(struct store *store, audit_visitor *visit, void *context,
                                         struct error *error) {
  struct arena *arena = arena_new(0);
  struct cursor *cursor;
  int64_t last = 0;
  if (arena == NULL) {
    return error_memory(error);
  }
  /* The event is no parameter, so that the planner sees that the index holds them all. */
  enum status status = db_query(store, error, &cursor,
                                "SELECT sequence, at, run, event, source, actor, purpose, body, outcomes, previous, "
                                "hash FROM audit_log WHERE event = 'approval' ORDER BY sequence",
                                NULL, 0);
  if (status == OK) {
    while ((status = store->ops->next(cursor, error)) == OK) {
      arena_reset(arena);
      status = give_entry(store, cursor, arena, visit, context, &last, error);
      if (status != OK) {
        break;
      }
    }
    store->ops->finish(cursor);
  }
  arena_free(arena);
  return status == END ? OK : status;
}
