#include "core/store/internal.h"

#include <stdio.h>
#include <stdlib.h>

/* The first bytes of the keyed digest of a record's key, as the index has them. */
static int64_t prefix_of(const struct keyed_digest *digest) {
  int64_t prefix;
  memcpy(&prefix, digest->bytes, sizeof prefix);
  return prefix;
}

static int compare_int(const void *a, const void *b) {
  int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
  return left < right ? -1 : left > right;
}

/* ---- finding ---- */

/* A first version whose prefix was asked for; the current version may be another one. */
struct candidate {
  int64_t prefix;
  struct keyed_digest key;
  struct record_state_found found;
};

static int compare_candidate(const void *a, const void *b) {
  return compare_int(&((const struct candidate *)a)->prefix, &((const struct candidate *)b)->prefix);
}

/* Columns from `at` on: raw_id, digest, from_run, plan_id, chunk_length, state. */
static void take_current(struct store *store, struct cursor *cursor, int at, struct record_state_found *found) {
  const struct driver_ops *ops = store->ops;
  found->raw_id = int_of_value(ops->value(cursor, at));
  digest_of_value(ops->value(cursor, at + 1), found->digest.bytes, KEYED_SIZE);
  found->from_run = int_of_value(ops->value(cursor, at + 2));
  found->plan_id = int_of_value(ops->value(cursor, at + 3));
  found->bare = int_of_value(ops->value(cursor, at + 4)) == 0;
  found->state = (enum record_state)int_of_value(ops->value(cursor, at + 5));
}

static enum status current_version(struct store *store, struct record_state_found *found, struct error *error) {
  struct cursor *cursor;
  int64_t least = found->record_id << ORDINAL_BITS;
  enum status status = db_query(store, error, &cursor,
                                "SELECT raw_id, digest, from_run, plan_id, chunk_length, state, to_run FROM raw_record "
                                "WHERE raw_id BETWEEN $1 AND $2 ORDER BY raw_id DESC LIMIT 1",
                                VALUES(int_value(least), int_value(least + (1 << ORDINAL_BITS) - 1)));
  if (status != OK) {
    return status;
  }
  status = store->ops->next(cursor, error);
  if (status == OK && store->ops->value(cursor, 6).kind == VALUE_NULL) {
    take_current(store, cursor, 0, found);
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

static enum status read_candidates(struct store *store, int source_id, const int64_t *prefixes, size_t count,
                                   struct candidate **candidates, size_t *found, struct error *error) {
  struct cursor *cursor;
  enum status status = db_query(
      store, error, &cursor,
      "SELECT key_prefix, key_digest, raw_id, digest, from_run, plan_id, chunk_length, state, to_run FROM raw_record "
      "WHERE key_prefix IN (SELECT k.value FROM LIST(1)) AND +raw_id BETWEEN $2 AND $3",
      VALUES(list_value(prefixes, count), int_value(source_first(source_id)), int_value(source_last(source_id))));
  size_t capacity = 0;
  *found = 0;
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    if (*found == capacity) {
      capacity = capacity == 0 ? 64 : capacity * 2;
      struct candidate *grown = realloc(*candidates, capacity * sizeof *grown);
      if (grown == NULL) {
        status = error_memory(error);
        break;
      }
      *candidates = grown;
    }
    struct candidate *one = &(*candidates)[(*found)++];
    *one = (struct candidate){.prefix = int_of_value(store->ops->value(cursor, 0))};
    one->found.record_id = record_of(int_of_value(store->ops->value(cursor, 2)));
    digest_of_value(store->ops->value(cursor, 1), one->key.bytes, KEYED_SIZE);
    if (store->ops->value(cursor, 8).kind == VALUE_NULL) {
      take_current(store, cursor, 2, &one->found);
    }
  }
  store->ops->finish(cursor);
  for (size_t i = 0; status == END && i < *found; i++) {
    if ((*candidates)[i].found.raw_id == 0 && current_version(store, &(*candidates)[i].found, error) != OK) {
      return error->code;
    }
  }
  return status == END ? OK : status;
}

static void match(const struct keyed_digest *key, const struct candidate *candidates, size_t count,
                  struct record_state_found *found) {
  int64_t prefix = prefix_of(key);
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (candidates[middle].prefix < prefix) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  for (; low < count && candidates[low].prefix == prefix; low++) {
    if (memcmp(candidates[low].key.bytes, key->bytes, KEYED_SIZE) == 0) {
      *found = candidates[low].found;
      return;
    }
  }
}

enum status store_find_records(struct store *store, int source_id, const struct keyed_digest *keys, size_t count,
                               struct record_state_found *found, struct error *error) {
  memset(found, 0, count * sizeof *found);
  if (count == 0) {
    return OK;
  }
  int64_t *prefixes = malloc(count * sizeof *prefixes);
  struct candidate *candidates = NULL;
  size_t candidate_count = 0;
  if (prefixes == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < count; i++) {
    prefixes[i] = prefix_of(&keys[i]);
  }
  qsort(prefixes, count, sizeof *prefixes, compare_int);
  enum status status = read_candidates(store, source_id, prefixes, count, &candidates, &candidate_count, error);
  if (status == OK && candidate_count > 0) {
    qsort(candidates, candidate_count, sizeof *candidates, compare_candidate);
    for (size_t i = 0; i < count; i++) {
      match(&keys[i], candidates, candidate_count, &found[i]);
    }
  }
  free(candidates);
  free(prefixes);
  return status;
}

/* ---- landing ---- */

static enum status write_chunk(struct store *store, const struct landing *landing, int64_t *chunk,
                               struct error *error) {
  char name[48];
  int64_t number = 0;
  struct chunk_columns columns = {.body = {NULL, 0}};
  snprintf(name, sizeof name, "chunk:%d", landing->source_id);
  enum status status = db_count(store, name, 1, &number, error);
  *chunk = ((int64_t)landing->source_id << RECORD_BITS) + number;
  status = status == OK ? ring_writing(store, error) : status;
  if (status == OK) {
    status = chunk_seal(store, *chunk, landing->context, landing->body, &columns, error);
  }
  if (status != OK) {
    return status;
  }
  return db_execute(store, error,
                    "INSERT INTO raw_chunk (chunk_id, source_id, run, origin, format, context, size, body) "
                    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                    VALUES(int_value(*chunk), int_value(landing->source_id), int_value(landing->run),
                           slice_value(db_text(store, slice_of(landing->origin))), text_value(landing->format),
                           bytes_value(columns.context.data, columns.context.len),
                           int_value((int64_t)landing->body.len), bytes_value(columns.body.data, columns.body.len)));
}

struct newest {
  int64_t record_id, raw_id;
};

static int compare_newest(const void *a, const void *b) {
  return compare_int(&((const struct newest *)a)->record_id, &((const struct newest *)b)->record_id);
}

/* The newest version of each known record, in order of record. */
static enum status newest_versions(struct store *store, const int64_t *records, size_t count, struct newest *newest,
                                   struct error *error) {
  struct cursor *cursor;
  enum status status = db_query(store, error, &cursor,
                                "SELECT k.value, (SELECT max(raw_id) FROM raw_record WHERE raw_id BETWEEN "
                                "k.value * 1048576 AND k.value * 1048576 + 1048575) FROM LIST(1)",
                                VALUES(list_value(records, count)));
  size_t at = 0;
  while (status == OK && (status = store->ops->next(cursor, error)) == OK && at < count) {
    newest[at].record_id = int_of_value(store->ops->value(cursor, 0));
    newest[at++].raw_id = int_of_value(store->ops->value(cursor, 1));
  }
  store->ops->finish(cursor);
  qsort(newest, at, sizeof *newest, compare_newest);
  return status == END ? OK : status;
}

/* Gives the next raw id to each changed record, and closes what was current. */
static enum status follow_versions(struct store *store, struct landing *landing, size_t known, struct error *error) {
  int64_t *records = arena_array(store->scratch, known, sizeof *records);
  int64_t *closed = arena_array(store->scratch, known, sizeof *closed);
  struct newest *newest = arena_array(store->scratch, known, sizeof *newest);
  if (records == NULL || closed == NULL || newest == NULL) {
    return error_memory(error);
  }
  size_t count = 0;
  for (size_t i = 0; i < landing->count; i++) {
    if (landing->records[i].record_id != 0) {
      records[count++] = landing->records[i].record_id;
    }
  }
  enum status status = newest_versions(store, records, count, newest, error);
  for (size_t i = 0, at = 0; i < landing->count && status == OK; i++) {
    struct landed *record = &landing->records[i];
    if (record->record_id == 0) {
      continue;
    }
    struct newest wanted = {.record_id = record->record_id};
    const struct newest *last = bsearch(&wanted, newest, count, sizeof *newest, compare_newest);
    if (last == NULL || last->raw_id == 0 || record_of(last->raw_id + 1) != record->record_id) {
      status = error_set(error, ERR_INTERNAL, _("record %lld has no version to follow"), (long long)record->record_id);
      break;
    }
    closed[at++] = last->raw_id;
    record->raw_id = last->raw_id + 1;
  }
  if (status == OK) {
    status = db_execute(store, error,
                        "UPDATE raw_record SET to_run = $2 WHERE raw_id IN (SELECT k.value FROM LIST(1)) "
                        "AND to_run IS NULL",
                        VALUES(list_value(closed, count), int_value(landing->run)));
  }
  return status;
}

static enum status number_new(struct store *store, struct landing *landing, size_t fresh, struct error *error) {
  char name[48];
  int64_t number = 0;
  snprintf(name, sizeof name, "record:%d", landing->source_id);
  enum status status = db_count(store, name, (int64_t)fresh, &number, error);
  if (status != OK) {
    return status;
  }
  if (number + (int64_t)fresh >= INT64_C(1) << RECORD_BITS) {
    return error_set(error, ERR_LIMIT, "%s", _("a source holds at most 4,294,967,295 records"));
  }
  for (size_t i = 0; i < landing->count; i++) {
    struct landed *record = &landing->records[i];
    if (record->record_id == 0) {
      record->record_id = ((int64_t)landing->source_id << RECORD_BITS) + number++;
      record->raw_id = (record->record_id << ORDINAL_BITS) + 1;
    }
  }
  return OK;
}

static enum status append_records(struct store *store, const struct landing *landing, int64_t chunk,
                                  struct error *error) {
  enum status status = store->ops->append_begin(store->driver, &TABLE_RAW_RECORD, error);
  for (size_t i = 0; i < landing->count && status == OK; i++) {
    const struct landed *record = &landing->records[i];
    bool first = (record->raw_id & ((1 << ORDINAL_BITS) - 1)) == 1;
    const struct value values[] = {
        int_value(record->raw_id),
        int_value(chunk),
        int_value(record->offset),
        int_value(record->len),
        first ? int_value(prefix_of(&record->key_digest)) : null_value(),
        bytes_value(record->key_digest.bytes, KEYED_SIZE),
        slice_value(db_text(store, record->source_key)),
        bytes_value(record->digest.bytes, KEYED_SIZE),
        int_value(record->state),
        int_value(landing->plan_id),
        int_value(landing->run),
        null_value(),
    };
    status = store->ops->append_row(store->driver, values, error);
  }
  return status == OK ? store->ops->append_end(store->driver, error) : status;
}

enum status store_land(struct store *store, struct landing *landing, struct error *error) {
  enum status status = db_writing(store, error);
  if (status != OK || landing->count == 0) {
    return status;
  }
  size_t known = 0;
  for (size_t i = 0; i < landing->count; i++) {
    known += landing->records[i].record_id != 0;
  }
  int64_t chunk = 0;
  status = write_chunk(store, landing, &chunk, error);
  landing->chunk_id = chunk;
  if (status == OK && known > 0) {
    status = follow_versions(store, landing, known, error);
  }
  if (status == OK && known < landing->count) {
    status = number_new(store, landing, landing->count - known, error);
  }
  if (status == OK) {
    status = append_records(store, landing, chunk, error);
  }
  return status;
}
