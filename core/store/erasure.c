#include "core/store/erase.h"
#include "core/store/internal.h"

/* The table of what was taken out. */

const char *const erase_cause_names[ERASE_CAUSES] = {"erased", "withdrawn", "no_consent", "retention"};
const char *const erasure_kind_names[ERASURE_KINDS] = {"record", "bytes", "person"};

static const char EPOCH[] = "erasure";

struct keyed_digest erase_person_digest(const struct key *key, struct slice person_key) {
  struct keyed_digest digest = {0};
  bool hidden = person_key.len == HIDDEN_KEY_SIZE - 1 && person_key.data[0] == '~'
                && hex_parse(slice_make(person_key.data + 1, person_key.len - 1), digest.bytes, KEYED_SIZE);
  return hidden ? digest : key_digest(key, "erased person", person_key);
}

void erase_hide_key(const struct key *key, struct slice person_key, char hidden[HIDDEN_KEY_SIZE]) {
  struct keyed_digest digest = erase_person_digest(key, person_key);
  hidden[0] = '~';
  hex_format(digest.bytes, KEYED_SIZE, hidden + 1);
}

enum status store_erase_epoch(struct store *store, int source_id, int64_t *epoch, struct error *error) {
  enum status status = OK;
  *epoch = 0;
  if (source_id != 0) {
    status = db_writing(store, error);
    status = status == OK ? db_execute(store, error, "UPDATE source SET lease_token = lease_token WHERE source_id = $1",
                                       VALUES(int_value(source_id)))
                          : status;
  }
  return status == OK ? db_integer(store, error, epoch, NULL, "SELECT value FROM counter WHERE name = $1",
                                   VALUES(text_value(EPOCH)))
                      : status;
}

enum status store_write_erasure(struct store *store, const struct erasure *erasure, struct error *error) {
  int64_t epoch = 0;
  bool final = erasure->kind == ERASURE_BYTES || erasure->cause == ERASE_REQUEST || erasure->cause == ERASE_RETENTION;
  enum status status = db_count(store, EPOCH, 1, &epoch, error);
  if (status != OK) {
    return status;
  }
  return db_execute(store, error,
                    "INSERT INTO erasure (source_id, key_digest, kind, record_id, run, at, cause, final, epoch, actor, "
                    "reason, document) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
                    "ON CONFLICT (source_id, key_digest) DO UPDATE SET kind = excluded.kind, "
                    "record_id = excluded.record_id, run = excluded.run, at = excluded.at, cause = excluded.cause, "
                    "final = excluded.final, epoch = excluded.epoch, actor = excluded.actor, "
                    "reason = excluded.reason, document = excluded.document WHERE excluded.final >= erasure.final",
                    VALUES(int_value(erasure->source_id), bytes_value(erasure->digest.bytes, KEYED_SIZE),
                           int_value(erasure->kind), int_value(erasure->record_id), int_value(erasure->run),
                           int_value(erasure->at), text_value(erase_cause_names[erasure->cause]), int_value(final),
                           int_value(epoch), text_value(erasure->actor),
                           slice_value(db_text(store, slice_of(erasure->reason))),
                           slice_value(db_text(store, slice_of(erasure->document)))));
}

#define ERASURE_COLUMNS                                                                                                \
  "SELECT source_id, key_digest, kind, record_id, run, at, cause, actor, reason, document, final FROM erasure "

static enum status take_erasure(struct store *store, struct cursor *cursor, struct arena *arena,
                                struct erasure *erasure, struct error *error) {
  const struct driver_ops *ops = store->ops;
  struct slice cause = slice_of_value(ops->value(cursor, 6));
  *erasure = (struct erasure){.source_id = (int)int_of_value(ops->value(cursor, 0)),
                              .kind = (enum erasure_kind)int_of_value(ops->value(cursor, 2)),
                              .record_id = int_of_value(ops->value(cursor, 3)),
                              .run = int_of_value(ops->value(cursor, 4)),
                              .at = int_of_value(ops->value(cursor, 5)),
                              .final = int_of_value(ops->value(cursor, 10)) != 0,
                              .actor = text_of_value(arena, ops->value(cursor, 7)),
                              .reason = text_of_value(arena, ops->value(cursor, 8)),
                              .document = text_of_value(arena, ops->value(cursor, 9))};
  digest_of_value(ops->value(cursor, 1), erasure->digest.bytes, KEYED_SIZE);
  for (int i = 0; i < ERASE_CAUSES; i++) {
    if (slice_is(cause, erase_cause_names[i])) {
      erasure->cause = (enum erase_cause)i;
    }
  }
  if (arena_failed(arena)) {
    return error_memory(error);
  }
  bool fine = erasure->kind >= ERASURE_KEY && erasure->kind < ERASURE_KINDS;
  return fine ? OK : error_set(error, ERR_STORE, "%s", _("the table of what was taken out holds an unknown kind"));
}

enum status store_visit_erasures(struct store *store, int source_id, erasure_visitor *visit, void *context,
                                 struct error *error) {
  struct cursor *cursor;
  struct arena *arena = arena_new(0);
  if (arena == NULL) {
    return error_memory(error);
  }
  enum status status = db_query(store, error, &cursor, ERASURE_COLUMNS "WHERE source_id = $1 OR $1 = 0 ORDER BY epoch",
                                VALUES(int_value(source_id)));
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    struct erasure erasure;
    arena_reset(arena);
    status = take_erasure(store, cursor, arena, &erasure, error);
    status = status == OK ? visit(context, &erasure, error) : status;
  }
  store->ops->finish(cursor);
  arena_free(arena);
  return status == END ? OK : status;
}

enum status store_erasure_of(struct store *store, int64_t record_id, struct arena *arena, struct erasure *erasure,
                             struct error *error) {
  struct cursor *cursor;
  enum status status =
      db_query(store, error, &cursor, ERASURE_COLUMNS "WHERE record_id = $1 AND kind <> $2 ORDER BY epoch DESC LIMIT 1",
               VALUES(int_value(record_id), int_value(ERASURE_BYTES)));
  if (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    status = take_erasure(store, cursor, arena, erasure, error);
  }
  store->ops->finish(cursor);
  return status == END
             ? error_set(error, ERR_NOT_FOUND, _("nothing of record %lld was taken out"), (long long)record_id)
             : status;
}

enum status store_erase_shut(struct store *store, struct error *error) {
  int64_t epoch;
  enum status status = db_writing(store, error);
  return status == OK ? db_count(store, EPOCH, 0, &epoch, error) : status;
}

enum status store_visit_outdated(struct store *store, int source_id, int64_t before, int64_t after, size_t most,
                                 row_id_visitor *visit, void *context, struct error *error) {
  struct cursor *cursor;
  int64_t first = 0;
  int64_t least = after >= source_first(source_id) >> ORDINAL_BITS ? (after + 1) << ORDINAL_BITS : 0;
  enum status status = db_integer(store, error, &first, NULL,
                                  "SELECT COALESCE((SELECT min(run_id) FROM run WHERE started >= $1), "
                                  "(SELECT COALESCE(max(run_id), 0) + 1 FROM run))",
                                  VALUES(int_value(before)));
  if (status != OK) {
    return status;
  }
  least = least > source_first(source_id) ? least : source_first(source_id);
  status =
      db_query(store, error, &cursor,
               "SELECT k.record_id FROM (SELECT r.raw_id / 1048576 AS record_id FROM raw_record r "
               "WHERE r.raw_id BETWEEN $1 AND $2 GROUP BY r.raw_id / 1048576 HAVING max(r.from_run) < $3 "
               "AND max(COALESCE(r.to_run, 0)) < $3) k WHERE NOT EXISTS (SELECT 1 FROM erasure e "
               "WHERE e.record_id = k.record_id AND e.kind = 0 AND e.final = 1) ORDER BY k.record_id LIMIT $4",
               VALUES(int_value(least), int_value(source_last(source_id)), int_value(first), int_value((int64_t)most)));
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    status = visit(context, int_of_value(store->ops->value(cursor, 0)), error);
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}
