#include "core/store/internal.h"

#include "core/base/text.h"

#include <stdlib.h>

/* ---- states ---- */

/* What the log says of former outcomes has to be told after they change. */
static enum status keep_outcomes(struct store *store, int64_t run, const int64_t *raw_ids, size_t count,
                                 struct error *error) {
  return db_execute(
      store, error,
      "INSERT INTO outcome (raw_id, run, state, plan_id) SELECT raw_id, $2, state, plan_id "
      "FROM raw_record WHERE raw_id IN (SELECT k.value FROM LIST(1)) ON CONFLICT (raw_id, run) DO NOTHING",
      VALUES(list_value(raw_ids, count), int_value(run)));
}

enum status store_record_states(struct store *store, int64_t run, int64_t plan_id, const int64_t *raw_ids,
                                const enum record_state *states, size_t count, struct error *error) {
  enum status status = db_writing(store, error);
  int64_t *some = arena_array(store->scratch, count + 1, sizeof *some);
  if (status == OK && some == NULL) {
    status = error_memory(error);
  }
  if (status == OK && count > 0) {
    status = keep_outcomes(store, run, raw_ids, count, error);
  }
  for (int state = RECORD_MAPPED; state <= RECORD_DISMISSED && status == OK; state++) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
      if ((int)states[i] == state) {
        some[found++] = raw_ids[i];
      }
    }
    if (found > 0) {
      status = db_execute(store, error,
                          "UPDATE raw_record SET state = $2, plan_id = $3 "
                          "WHERE raw_id IN (SELECT k.value FROM LIST(1))",
                          VALUES(list_value(some, found), int_value(state), int_value(plan_id)));
    }
  }
  return status;
}

enum status store_dismiss(struct store *store, int64_t raw_id, int64_t run, const char *reason, struct error *error) {
  enum status status = db_writing(store, error);
  int64_t changed = 0;
  if (status == OK) {
    status = keep_outcomes(store, run, &raw_id, 1, error);
  }
  if (status == OK) {
    status = db_change(store, error, &changed,
                       "UPDATE raw_record SET state = $2 WHERE raw_id = $1 AND state = $3 AND to_run IS NULL",
                       VALUES(int_value(raw_id), int_value(RECORD_DISMISSED), int_value(RECORD_QUARANTINED)));
  }
  if (status == OK && changed == 0) {
    error_set(error, ERR_NOT_FOUND, _("record version %lld is not in quarantine"), (long long)raw_id);
    error_hint(error, "%s", _("`puente quarantine list` shows what is"));
    return ERR_NOT_FOUND;
  }
  if (status == OK) {
    status = db_execute(store, error,
                        "UPDATE issue SET closed_run = $2, closed_reason = $3 WHERE raw_id = $1 AND closed_run IS NULL",
                        VALUES(int_value(raw_id), int_value(run), slice_value(db_text(store, slice_of(reason)))));
  }
  return status;
}

/* ---- deletions ---- */

enum status store_seen(struct store *store, int source_id, const int64_t *record_ids, size_t count,
                       struct error *error) {
  enum status status = db_writing(store, error);
  (void)source_id; /* is part of the record id */
  if (status != OK || count == 0) {
    return status;
  }
  return db_execute(store, error,
                    "INSERT INTO seen (record_id) SELECT k.value FROM LIST(1) WHERE true "
                    "ON CONFLICT (record_id) DO NOTHING",
                    VALUES(list_value(record_ids, count)));
}

#define CURRENT_UNSEEN                                                                                                 \
  " FROM raw_record r WHERE r.raw_id BETWEEN $1 AND $2 AND r.to_run IS NULL "                                          \
  "AND NOT EXISTS (SELECT 1 FROM seen WHERE seen.record_id = r.raw_id >> 20)"

enum status store_sweep_count(struct store *store, int source_id, int64_t *current, int64_t *unseen,
                              struct error *error) {
  enum status status = db_integer(store, error, current, NULL,
                                  "SELECT count(*) FROM raw_record WHERE raw_id BETWEEN $1 AND $2 AND to_run IS NULL",
                                  VALUES(int_value(source_first(source_id)), int_value(source_last(source_id))));
  if (status != OK) {
    return status;
  }
  return db_integer(store, error, unseen, NULL, "SELECT count(*)" CURRENT_UNSEEN,
                    VALUES(int_value(source_first(source_id)), int_value(source_last(source_id))));
}

static enum status delete_some(struct store *store, int64_t run, const int64_t *records, size_t count,
                               struct error *error) {
  enum status status =
      db_execute(store, error,
                 "UPDATE raw_record SET to_run = $2 WHERE to_run IS NULL AND raw_id IN "
                 "(SELECT s.raw_id FROM LIST(1) CROSS JOIN raw_record s WHERE s.raw_id BETWEEN k.value * 1048576 "
                 "AND k.value * 1048576 + 1048575)",
                 VALUES(list_value(records, count), int_value(run)));
  for (size_t e = 0; e < store->model->entity_count && status == OK; e++) {
    const char *table = store->shelves[e].table.name;
    const char *sql = arena_printf(store->scratch,
                                   "UPDATE \"%s\" SET to_run = $2 WHERE to_run IS NULL AND row_id IN "
                                   "(SELECT s.row_id FROM LIST(1) CROSS JOIN \"%s\" s WHERE s.row_id BETWEEN "
                                   "k.value * 1048576 AND k.value * 1048576 + 1048575)",
                                   table, table);
    status = sql == NULL ? error_memory(error)
                         : db_execute(store, error, sql, VALUES(list_value(records, count), int_value(run)));
  }
  return status;
}

enum status store_delete_records(struct store *store, int64_t run, const int64_t *record_ids, size_t count,
                                 struct error *error) {
  enum status status = db_writing(store, error);
  for (size_t from = 0; from < count && status == OK; from += BATCH_ROWS) {
    status = delete_some(store, run, record_ids + from, count - from < BATCH_ROWS ? count - from : BATCH_ROWS, error);
  }
  return status;
}

enum status store_sweep(struct store *store, int source_id, int64_t run, int64_t *deleted, struct error *error) {
  enum status status = db_writing(store, error);
  int64_t records[BATCH_ROWS], least = source_first(source_id);
  size_t count = BATCH_ROWS;
  *deleted = 0;
  while (status == OK && count == BATCH_ROWS) {
    struct cursor *cursor;
    count = 0;
    status =
        db_query(store, error, &cursor, "SELECT r.raw_id >> 20" CURRENT_UNSEEN " ORDER BY r.raw_id LIMIT $3",
                 VALUES(int_value(source_first(source_id)), int_value(source_last(source_id)), int_value(BATCH_ROWS)));
    while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
      records[count++] = int_of_value(store->ops->value(cursor, 0));
    }
    store->ops->finish(cursor);
    if (status == END) {
      status = count == 0 ? OK : delete_some(store, run, records, count, error);
      least = count == 0 ? least : (records[count - 1] + 1) << ORDINAL_BITS;
      *deleted += (int64_t)count;
    }
  }
  if (status == OK) {
    status = db_execute(
        store, error, "DELETE FROM seen WHERE record_id BETWEEN $1 AND $2",
        VALUES(int_value(source_first(source_id) >> ORDINAL_BITS), int_value(source_last(source_id) >> ORDINAL_BITS)));
  }
  return status;
}

/* ---- reading back ---- */

/* A page of versions is held while the visitor runs, so that it may write. */
struct found_version {
  struct raw_version version;
  int64_t chunk, offset, len;
};

#define VERSION_COLUMNS                                                                                                \
  "SELECT raw_id, chunk_id, chunk_offset, chunk_length, source_key, digest, state, plan_id, from_run, to_run "         \
  "FROM raw_record "

static enum status take_version(struct store *store, struct cursor *cursor, struct arena *arena,
                                struct found_version *found, struct error *error) {
  const struct driver_ops *ops = store->ops;
  struct slice key = slice_of_value(ops->value(cursor, 4));
  *found = (struct found_version){
      .version = {.raw_id = int_of_value(ops->value(cursor, 0)),
                  .source_key = arena_text(arena, key),
                  .state = (enum record_state)int_of_value(ops->value(cursor, 6)),
                  .plan_id = int_of_value(ops->value(cursor, 7)),
                  .from_run = int_of_value(ops->value(cursor, 8)),
                  .to_run = int_of_value(ops->value(cursor, 9))},
      .chunk = int_of_value(ops->value(cursor, 1)),
      .offset = int_of_value(ops->value(cursor, 2)),
      .len = int_of_value(ops->value(cursor, 3)),
  };
  digest_of_value(ops->value(cursor, 5), found->version.digest.bytes, KEYED_SIZE);
  return found->version.source_key == NULL ? error_memory(error) : OK;
}

static enum status give_version(struct store *store, struct found_version *found, struct chunk *chunk,
                                raw_visitor *visit, void *context, struct error *error) {
  enum status status = chunk_read(store, found->chunk, chunk, error);
  if (status != OK) {
    return status;
  }
  if (found->offset < 0 || found->len < 0 || (uint64_t)found->offset + (uint64_t)found->len > chunk->len) {
    return error_set(error, ERR_STORE, _("record version %lld lies outside its chunk"),
                     (long long)found->version.raw_id);
  }
  found->version.origin = chunk->head.data;
  found->version.format = chunk->head.data + chunk->format;
  found->version.context = chunk_context(chunk);
  found->version.chunk_id = found->chunk;
  found->version.offset = found->offset;
  found->version.bytes = slice_make(chunk->body + found->offset, (size_t)found->len);
  return visit(context, &found->version, error);
}

enum status store_visit_raw(struct store *store, int source_id, int state, int64_t after, size_t most,
                            raw_visitor *visit, void *context, struct error *error) {
  struct chunk chunk;
  chunk_init(&chunk);
  struct arena *arena = arena_new(0);
  struct found_version *page = malloc(BATCH_ROWS * sizeof *page);
  enum status status = arena == NULL || page == NULL ? error_memory(error) : OK;
  int64_t last = after < source_first(source_id) ? source_first(source_id) : after;
  size_t count = BATCH_ROWS, left = most == 0 ? SIZE_MAX : most;
  while (status == OK && count == BATCH_ROWS && left > 0) {
    struct cursor *cursor;
    size_t want = left < BATCH_ROWS ? left : BATCH_ROWS;
    arena_reset(arena);
    count = 0;
    status = db_query(
        store, error, &cursor,
        VERSION_COLUMNS "WHERE raw_id > $1 AND raw_id <= $2 AND to_run IS NULL AND (state = $3 OR $3 < 0) "
                        "ORDER BY raw_id LIMIT $4",
        VALUES(int_value(last), int_value(source_last(source_id)), int_value(state), int_value((int64_t)want)));
    while (status == OK && count < want && (status = store->ops->next(cursor, error)) == OK) {
      status = take_version(store, cursor, arena, &page[count++], error);
    }
    store->ops->finish(cursor);
    status = status == END ? OK : status;
    for (size_t i = 0; i < count && status == OK; i++) {
      last = page[i].version.raw_id;
      status = give_version(store, &page[i], &chunk, visit, context, error);
    }
    left -= count;
  }
  free(page);
  arena_free(arena);
  chunk_free(&chunk);
  return status;
}

enum status store_raw(struct store *store, int64_t raw_id, raw_visitor *visit, void *context, struct error *error) {
  struct cursor *cursor;
  struct found_version found;
  struct arena *arena = arena_new(0);
  if (arena == NULL) {
    return error_memory(error);
  }
  enum status status = db_query(store, error, &cursor, VERSION_COLUMNS "WHERE raw_id = $1", VALUES(int_value(raw_id)));
  if (status == OK) {
    status = store->ops->next(cursor, error);
    if (status == OK) {
      status = take_version(store, cursor, arena, &found, error);
    } else if (status == END) {
      status = error_set(error, ERR_NOT_FOUND, _("there is no record version %lld"), (long long)raw_id);
    }
    store->ops->finish(cursor);
  }
  if (status == OK) {
    struct chunk chunk;
    chunk_init(&chunk);
    status = give_version(store, &found, &chunk, visit, context, error);
    chunk_free(&chunk);
  }
  arena_free(arena);
  return status;
}

/* ---- names of records ---- */

static enum status find_by_key(struct store *store, int64_t source_id, const char *key, int64_t *record_id, bool *found,
                               struct error *error) {
  *found = false;
  if (store->key != NULL) {
    struct keyed_digest digest = key_digest(store->key, "key", slice_of(key));
    struct record_state_found state;
    enum status status = store_find_records(store, (int)source_id, &digest, 1, &state, error);
    if (status != OK || state.record_id != 0) {
      *record_id = state.record_id;
      *found = status == OK;
      return status;
    }
  }
  int64_t raw_id = 0;
  enum status status = db_integer(
      store, error, &raw_id, found,
      "SELECT raw_id FROM raw_record WHERE raw_id BETWEEN $1 AND $2 AND source_key = $3 "
      "ORDER BY raw_id LIMIT 1",
      VALUES(int_value(source_first((int)source_id)), int_value(source_last((int)source_id)), text_value(key)));
  *record_id = record_of(raw_id);
  return status;
}

/* A person's key is its record's and more, with '/' between: the longest part that is a record's names it. */
static enum status find_by_longer(struct store *store, int64_t source_id, const char *key, int64_t *record_id,
                                  bool *found, struct error *error) {
  enum status status = find_by_key(store, source_id, key, record_id, found, error);
  char *part = status == OK && !*found ? strdup(key) : NULL;
  if (status == OK && !*found && part == NULL) {
    return error_memory(error);
  }
  while (status == OK && !*found && strrchr(part, '/') != NULL) {
    *strrchr(part, '/') = '\0';
    status = find_by_key(store, source_id, part, record_id, found, error);
  }
  free(part);
  return status;
}

/* A key alone names a record where one source has it. */
static enum status find_anywhere(struct store *store, const char *key, int64_t *record_id, bool *found,
                                 struct error *error) {
  enum { SOURCES_MOST = 1 << 11 };
  int64_t sources = 0, one = 0;
  enum status status = db_integer(store, error, &sources, NULL, "SELECT max(source_id) FROM source", NULL, 0);
  *found = false;
  for (int64_t id = 1; id <= sources && id < SOURCES_MOST && status == OK; id++) {
    bool here = false;
    status = find_by_longer(store, id, key, &one, &here, error);
    if (status == OK && here && *found) {
      error_set(error, ERR_USAGE, "%s", _("records of several sources have this key"));
      error_hint(error, "%s", _("give SOURCE:KEY as the source writes the key, or the record's number"));
      return ERR_USAGE;
    }
    *record_id = here ? one : *record_id;
    *found = *found || here;
  }
  return status;
}

enum status store_record_id(struct store *store, const char *reference, int64_t *record_id, struct error *error) {
  const char *colon = strchr(reference, ':');
  bool found = false;
  enum status status = OK;
  *record_id = 0;
  if (colon != NULL) {
    int64_t source_id = 0;
    struct slice code = slice_make(reference, (size_t)(colon - reference));
    status = db_integer(store, error, &source_id, &found, "SELECT source_id FROM source WHERE code = $1",
                        VALUES(slice_value(code)));
    if (status == OK && found) {
      status = find_by_longer(store, source_id, colon + 1, record_id, &found, error);
    }
  } else if (!text_to_int64(slice_of(reference), record_id)) {
    status = find_anywhere(store, reference, record_id, &found, error);
  } else if (*record_id > 0) {
    if (*record_id > INT64_MAX >> ORDINAL_BITS) { /* no record's number is as large: one of a version, or a row */
      *record_id = record_of(*record_id);
    }
    int64_t least = *record_id << ORDINAL_BITS, raw_id = 0;
    status = db_integer(store, error, &raw_id, &found,
                        "SELECT raw_id FROM raw_record WHERE raw_id BETWEEN $1 AND $2 LIMIT 1",
                        VALUES(int_value(least), int_value(least + (1 << ORDINAL_BITS) - 1)));
  }
  if (status == OK && !found) {
    error_set(error, ERR_NOT_FOUND, "%s", _("no record has this name"));
    error_hint(error, "%s", _("give SOURCE:KEY as the source writes the key, or the record's number"));
    return ERR_NOT_FOUND;
  }
  return status;
}

enum status store_version_id(struct store *store, const char *reference, int64_t *raw_id, struct error *error) {
  if (text_to_int64(slice_of(reference), raw_id) && *raw_id > INT64_MAX >> ORDINAL_BITS) {
    return OK;
  }
  int64_t record_id = 0;
  bool found = false;
  *raw_id = 0;
  enum status status = store_record_id(store, reference, &record_id, error);
  if (status != OK) {
    return status;
  }
  int64_t least = record_id << ORDINAL_BITS;
  status = db_integer(store, error, raw_id, &found,
                      "SELECT raw_id FROM raw_record WHERE raw_id BETWEEN $1 AND $2 ORDER BY raw_id DESC LIMIT 1",
                      VALUES(int_value(least), int_value(least + (1 << ORDINAL_BITS) - 1)));
  return status != OK || found ? status : error_set(error, ERR_NOT_FOUND, "%s", _("no record has this name"));
}
