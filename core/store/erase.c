#include "core/store/erase.h"
#include "core/store/erase_whole.h"

#include "core/base/date.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- ids of what goes ---- */

void id_batch_free(struct id_batch *batch) {
  free(batch->ids);
  *batch = (struct id_batch){0};
}

enum status id_batch_add(struct id_batch *batch, int64_t id, struct error *error) {
  if (batch->count == batch->capacity) {
    size_t capacity = batch->capacity == 0 ? 64 : batch->capacity * 2;
    int64_t *grown = realloc(batch->ids, capacity * sizeof *grown);
    if (grown == NULL) {
      return error_memory(error);
    }
    batch->ids = grown;
    batch->capacity = capacity;
  }
  batch->ids[batch->count++] = id;
  return OK;
}

enum status id_batch_read(struct store *store, const char *sql, const struct value *values, size_t count,
                          struct id_batch *batch, struct error *error) {
  struct cursor *cursor;
  enum status status = sql == NULL ? error_memory(error) : db_query(store, error, &cursor, sql, values, count);
  if (status != OK) {
    return status;
  }
  while ((status = store->ops->next(cursor, error)) == OK) {
    if ((status = id_batch_add(batch, int_of_value(store->ops->value(cursor, 0)), error)) != OK) {
      break;
    }
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

static int64_t first_of(int64_t record_id) {
  return record_id << ORDINAL_BITS;
}
static int64_t last_of(int64_t record_id) {
  return first_of(record_id) + (1 << ORDINAL_BITS) - 1;
}

/* ---- bytes ---- */

struct span {
  int64_t chunk, offset, len;
  struct keyed_digest digest;
};

/* Versions of a record that have bytes, with the digest of each. */
struct versions {
  struct span *items;
  struct keyed_digest key;
  size_t count, capacity;
  bool bytes, held; /* any of them has bytes; or is anything but withheld */
};

static enum status take_span(struct store *store, struct cursor *cursor, struct versions *versions,
                             struct error *error) {
  if (versions->count == versions->capacity) {
    size_t capacity = versions->capacity == 0 ? 16 : versions->capacity * 2;
    struct span *grown = realloc(versions->items, capacity * sizeof *grown);
    if (grown == NULL) {
      return error_memory(error);
    }
    versions->items = grown;
    versions->capacity = capacity;
  }
  const struct driver_ops *ops = store->ops;
  struct span *span = &versions->items[versions->count++];
  *span = (struct span){.chunk = int_of_value(ops->value(cursor, 0)),
                        .offset = int_of_value(ops->value(cursor, 1)),
                        .len = int_of_value(ops->value(cursor, 2))};
  digest_of_value(ops->value(cursor, 3), span->digest.bytes, KEYED_SIZE);
  digest_of_value(ops->value(cursor, 4), versions->key.bytes, KEYED_SIZE);
  versions->bytes = versions->bytes || span->len > 0;
  versions->held = versions->held || span->len > 0 || int_of_value(ops->value(cursor, 5)) != RECORD_WITHHELD;
  return OK;
}

static enum status read_spans(struct store *store, int64_t record_id, struct versions *versions, struct error *error) {
  struct cursor *cursor;
  enum status status =
      db_query(store, error, &cursor,
               "SELECT chunk_id, chunk_offset, chunk_length, digest, key_digest, state FROM raw_record "
               "WHERE raw_id BETWEEN $1 AND $2 ORDER BY chunk_id, chunk_offset",
               VALUES(int_value(first_of(record_id)), int_value(last_of(record_id))));
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    status = take_span(store, cursor, versions, error);
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

static enum status blank(struct store *store, const struct span *span, struct error *error) {
  struct chunk chunk;
  struct chunk_columns columns;
  chunk_init(&chunk);
  enum status status = ring_writing(store, error);
  status = status == OK ? chunk_read(store, span->chunk, &chunk, error) : status;
  if (status == OK && (span->offset < 0 || span->len < 0 || (uint64_t)span->offset + (uint64_t)span->len > chunk.len)) {
    status = error_set(error, ERR_STORE, _("a record lies outside its chunk %lld"), (long long)span->chunk);
  }
  if (status == OK) {
    memset(chunk.body + span->offset, ' ', (size_t)span->len);
    status = chunk_seal(store, span->chunk, chunk_context(&chunk), slice_make(chunk.body, chunk.len), &columns, error);
  }
  if (status == OK) {
    status = db_execute(store, error, "UPDATE raw_chunk SET context = $2, body = $3 WHERE chunk_id = $1",
                        VALUES(int_value(span->chunk), bytes_value(columns.context.data, columns.context.len),
                               bytes_value(columns.body.data, columns.body.len)));
  }
  chunk_free(&chunk);
  return status;
}

/* The bytes of all versions become blanks in their chunks, where all others keep their place. */
static enum status erase_bytes(struct store *store, int64_t record_id, const struct versions *versions,
                               struct erased *erased, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < versions->count && status == OK; i++) {
    if (versions->items[i].len > 0) {
      status = blank(store, &versions->items[i], error);
      erased->bytes += versions->items[i].len;
      erased->versions++;
    }
  }
  return status == OK ? db_execute(store, error,
                                   "UPDATE raw_record SET chunk_offset = 0, chunk_length = 0 "
                                   "WHERE raw_id BETWEEN $1 AND $2",
                                   VALUES(int_value(first_of(record_id)), int_value(last_of(record_id))))
                      : status;
}

/* ---- staged rows ---- */

static enum status erase_shelf(struct store *store, int64_t run, const struct shelf *shelf, const struct id_batch *rows,
                               int64_t *changed, struct error *error) {
  struct buffer sql;
  buffer_init(&sql, 1 << 16);
  buffer_printf(&sql, "UPDATE \"%s\" SET to_run = COALESCE(to_run, $2), key = '~' || CAST(row_id AS TEXT)",
                shelf->table.name);
  for (size_t i = ROW_CASE; i < shelf->table.column_count; i++) {
    if (i != ROW_INSTITUTION && i != ROW_FROM && i != ROW_TO) {
      buffer_printf(&sql, ", \"%s\" = NULL", shelf->table.columns[i].name);
    }
  }
  buffer_text(&sql, " WHERE row_id IN (SELECT k.value FROM LIST(1))");
  enum status status = buffer_check(&sql, "statement", error);
  int64_t some = 0;
  if (status == OK) {
    status = db_change(store, error, &some, sql.data, VALUES(list_value(rows->ids, rows->count), int_value(run)));
  }
  *changed += some;
  buffer_free(&sql);
  return status;
}

/* What linking keeps of rows: their keys are hashes, those of decisions are the source's own. */
static enum status erase_linkage(struct store *store, const struct id_batch *rows, struct erased *erased,
                                 struct error *error) {
  static const char *const DROPS[] = {
      "DELETE FROM link_pair WHERE kind IN (0, 1) AND row_a IN (SELECT k.value FROM LIST(1))",
      "DELETE FROM link_pair WHERE row_b IN (SELECT k.value FROM LIST(1))",
      "DELETE FROM link_key WHERE row_id IN (SELECT k.value FROM LIST(1))",
      "DELETE FROM encoding WHERE row_id IN (SELECT k.value FROM LIST(1))",
      "UPDATE person_member SET row_key = '~' || CAST(row_id AS TEXT) WHERE row_id IN (SELECT k.value FROM LIST(1))",
      "UPDATE case_member SET row_key = '~' || CAST(row_id AS TEXT) WHERE row_id IN (SELECT k.value FROM LIST(1))",
  };
  enum status status = OK;
  for (size_t i = 0; i < sizeof DROPS / sizeof *DROPS && status == OK; i++) {
    int64_t changed = 0;
    status = db_change(store, error, &changed, DROPS[i], VALUES(list_value(rows->ids, rows->count)));
    erased->pairs += i < 2 ? changed : 0;
  }
  return status;
}

static enum status erase_rows(struct store *store, int64_t run, const struct id_batch *rows, struct erased *erased,
                              struct error *error) {
  enum status status = OK;
  if (rows->count == 0) {
    return OK;
  }
  for (size_t e = 0; e < store->model->entity_count && status == OK; e++) {
    status = erase_shelf(store, run, &store->shelves[e], rows, &erased->rows, error);
  }
  int64_t identities = 0;
  if (status == OK) {
    status = db_change(store, error, &identities, "DELETE FROM identity WHERE row_id IN (SELECT k.value FROM LIST(1))",
                       VALUES(list_value(rows->ids, rows->count)));
  }
  erased->identities += identities;
  for (int kind = CLUSTER_PERSON; kind <= CLUSTER_CASE && status == OK; kind++) {
    status = whole_erase(store, (enum cluster_kind)kind, rows, &erased->wholes, error);
  }
  return status == OK ? erase_linkage(store, rows, erased, error) : status;
}

static enum status rows_of_record(struct store *store, int64_t record_id, struct id_batch *rows, struct error *error) {
  enum status status = OK;
  for (size_t e = 0; e < store->model->entity_count && status == OK; e++) {
    const char *sql = arena_printf(store->scratch, "SELECT row_id FROM \"%s\" WHERE row_id BETWEEN $1 AND $2",
                                   store->shelves[e].table.name);
    status =
        id_batch_read(store, sql, VALUES(int_value(first_of(record_id)), int_value(last_of(record_id))), rows, error);
  }
  return status;
}

static enum status rows_of_person(struct store *store, int64_t record_id, struct slice key, struct id_batch *rows,
                                  struct error *error) {
  enum status status = OK;
  for (size_t e = 0; e < store->model->entity_count && status == OK; e++) {
    bool person = strcmp(store->shelves[e].entity->name, "person") == 0;
    const char *sql =
        arena_printf(store->scratch, "SELECT row_id FROM \"%s\" WHERE row_id BETWEEN $1 AND $2 AND %s = $3",
                     store->shelves[e].table.name, person ? "key" : "person_key");
    status = id_batch_read(store, sql,
                           VALUES(int_value(first_of(record_id)), int_value(last_of(record_id)), slice_value(key)),
                           rows, error);
  }
  return status;
}

/* ---- records ---- */

static bool by_consent(const struct erasing *erasing) {
  return erasing->cause == ERASE_WITHDRAWN || erasing->cause == ERASE_NO_CONSENT;
}

static enum status write_erasures(struct store *store, const struct erasing *erasing, int64_t record_id,
                                  enum erasure_kind kind, const struct keyed_digest *digest,
                                  const struct versions *versions, struct error *error) {
  struct erasure erasure = {.source_id = source_of_record(record_id),
                            .digest = *digest,
                            .kind = kind,
                            .record_id = record_id,
                            .run = erasing->run,
                            .at = clock_now(),
                            .cause = erasing->cause,
                            .actor = erasing->actor,
                            .reason = erasing->reason,
                            .document = erasing->document};
  enum status status = store_write_erasure(store, &erasure, error);
  bool whole = kind == ERASURE_KEY || by_consent(erasing);
  for (size_t i = 0; i < versions->count && status == OK && whole; i++) {
    if (versions->items[i].len > 0) {
      erasure.kind = ERASURE_BYTES;
      erasure.digest = versions->items[i].digest;
      status = store_write_erasure(store, &erasure, error);
    }
  }
  return status;
}

/* What the log says of the outcomes that end here has to be told after. */
static enum status keep_outcomes(struct store *store, int64_t run, int64_t record_id, struct error *error) {
  return db_execute(
      store, error,
      "INSERT INTO outcome (raw_id, run, state, plan_id) SELECT raw_id, $3, state, plan_id FROM raw_record "
      "WHERE raw_id BETWEEN $1 AND $2 AND state <> $4 ON CONFLICT (raw_id, run) DO NOTHING",
      VALUES(int_value(first_of(record_id)), int_value(last_of(record_id)), int_value(run),
             int_value(RECORD_WITHHELD)));
}

static enum status erase_names(struct store *store, int64_t run, int64_t record_id, struct erased *erased,
                               struct error *error) {
  char name[32];
  int64_t issues = 0;
  snprintf(name, sizeof name, "~%lld", (long long)record_id);
  const struct value range[] = {int_value(first_of(record_id)), int_value(last_of(record_id)), text_value(name),
                                int_value(RECORD_WITHHELD)};
  enum status status = keep_outcomes(store, run, record_id, error);
  if (status == OK) {
    status = db_execute(store, error,
                        "UPDATE raw_record SET source_key = $3, state = $4 WHERE raw_id BETWEEN $1 AND $2", range, 4);
  }
  if (status == OK) {
    status = db_change(store, error, &issues, "DELETE FROM issue WHERE raw_id BETWEEN $1 AND $2", range, 2);
  }
  if (status == OK) {
    status = db_execute(store, error, "UPDATE link_decision SET key_a = $2 WHERE record_a = $1",
                        VALUES(int_value(record_id), text_value(name)));
  }
  erased->issues += issues;
  return status == OK ? db_execute(store, error, "UPDATE link_decision SET key_b = $2 WHERE record_b = $1",
                                   VALUES(int_value(record_id), text_value(name)))
                      : status;
}

static enum status erase_one(struct store *store, const struct erasing *erasing, int64_t record_id,
                             struct erased *erased, struct error *error) {
  struct versions versions = {0};
  struct id_batch rows = {0};
  arena_reset(store->scratch);
  enum status status = read_spans(store, record_id, &versions, error);
  if (status == OK && versions.count == 0) {
    status = error_set(error, ERR_NOT_FOUND, _("there is no record %lld"), (long long)record_id);
  }
  if (status == OK && by_consent(erasing) && !versions.held) {
    free(versions.items);
    return OK;
  }
  status = status == OK ? rows_of_record(store, record_id, &rows, error) : status;
  if (status == OK) {
    status = write_erasures(store, erasing, record_id, ERASURE_KEY, &versions.key, &versions, error);
  }
  status = status == OK ? erase_rows(store, erasing->run, &rows, erased, error) : status;
  status = status == OK ? erase_bytes(store, record_id, &versions, erased, error) : status;
  status = status == OK ? erase_names(store, erasing->run, record_id, erased, error) : status;
  erased->records++;
  id_batch_free(&rows);
  free(versions.items);
  return status;
}

enum status store_erase(struct store *store, const struct erasing *erasing, const int64_t *records, size_t count,
                        struct erased *erased, struct error *error) {
  enum status status = db_writing(store, error);
  for (size_t i = 0; i < count && status == OK; i++) {
    status = erase_one(store, erasing, records[i], erased, error);
  }
  return status;
}

static enum status erase_part(struct store *store, const struct erasing *erasing, int64_t record_id, struct slice key,
                              const struct versions *versions, const struct id_batch *rows, struct erased *erased,
                              struct error *error) {
  struct keyed_digest digest = erase_person_digest(store->key, key);
  enum status status = write_erasures(store, erasing, record_id, ERASURE_PERSON, &digest, versions, error);
  status = status == OK ? erase_rows(store, erasing->run, rows, erased, error) : status;
  status = status == OK ? erase_bytes(store, record_id, versions, erased, error) : status;
  if (status == OK) {
    status = db_execute(store, error, "DELETE FROM issue WHERE raw_id BETWEEN $1 AND $2",
                        VALUES(int_value(first_of(record_id)), int_value(last_of(record_id))));
  }
  erased->records++;
  return status;
}

enum status store_erase_person(struct store *store, const struct erasing *erasing, int64_t record_id, struct slice key,
                               struct erased *erased, struct error *error) {
  struct versions versions = {0};
  struct id_batch rows = {0};
  arena_reset(store->scratch);
  enum status status = db_writing(store, error);
  status = status == OK ? read_spans(store, record_id, &versions, error) : status;
  status = status == OK ? rows_of_person(store, record_id, key, &rows, error) : status;
  bool held = rows.count > 0 || versions.bytes || !by_consent(erasing);
  if (status == OK && held) {
    status = erase_part(store, erasing, record_id, key, &versions, &rows, erased, error);
  }
  id_batch_free(&rows);
  free(versions.items);
  return status;
}

static enum status vacuum(struct store *store, const char *table, struct error *error) {
  const char *sql = arena_printf(store->scratch, "VACUUM \"%s\"", table);
  return sql == NULL ? error_memory(error) : store->ops->script(store->driver, sql, error);
}

static enum status purge_file(struct store *store, struct error *error) {
  int64_t busy = 0;
  enum status status = store->ops->script(store->driver, "VACUUM", error);
  status = status == OK ? db_integer(store, error, &busy, NULL, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, 0) : status;
  if (status == OK && busy != 0) {
    error_set(error, ERR_BUSY, "%s", _("a reader of the store still holds its former state"));
    error_hint(error, "%s", _("`puente erase purge`, once it has ended, takes the last copy out of the files"));
    return ERR_BUSY;
  }
  return status;
}

enum status store_purge(struct store *store, struct error *error) {
  static const char *const TABLES[] = {"raw_chunk", "raw_record", "identity", "issue",       "person_member",
                                       "link_pair", "link_key",   "encoding", "case_member", "link_decision"};
  enum status status = OK;
  if (store->ops == &sqlite_driver) {
    return purge_file(store, error);
  }
  for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES && status == OK; i++) {
    status = vacuum(store, TABLES[i], error);
  }
  for (size_t e = 0; e < store->model->entity_count && status == OK; e++) {
    status = vacuum(store, store->shelves[e].table.name, error);
  }
  for (int i = 0; i < 2 && status == OK; i++) {
    const struct whole *whole = &store->wholes[i];
    status = whole->shelf == NULL ? OK : vacuum(store, whole->table.name, error);
    status = status == OK && whole->shelf != NULL ? vacuum(store, whole->identity.name, error) : status;
  }
  return status;
}
