#include "core/store/approval.h"
#include "core/store/internal.h"

#include "core/base/map.h"

#include <stdlib.h>

/* Pairs, blocking keys and models of linkage. */

/* ---- reading pairs ---- */

#define PAIR_COLUMNS "p.row_a, p.row_b, p.weight, p.rule, p.verdict, p.outcome, p.reason, p.since"

struct pair_visit {
  struct store *store;
  struct arena *arena; /* of one pair */
  pair_visitor *visit;
  void *context;
  struct error *error;
  const int64_t *rows; /* sorted; NULL: each pair is given once anyway */
  size_t row_count;
  int64_t last[2];
  size_t count;
};

static int by_number(const void *a, const void *b) {
  int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
  return (left > right) - (left < right);
}

static enum status give_pair(struct pair_visit *v, struct cursor *cursor) {
  const struct driver_ops *ops = v->store->ops;
  arena_reset(v->arena);
  struct link_pair_row pair = {.row_a = int_of_value(ops->value(cursor, 0)),
                               .row_b = int_of_value(ops->value(cursor, 1)),
                               .weight = real_of_value(ops->value(cursor, 2)),
                               .rule = text_of_value(v->arena, ops->value(cursor, 3)),
                               .verdict = text_of_value(v->arena, ops->value(cursor, 4)),
                               .outcome = (int)int_of_value(ops->value(cursor, 5)),
                               .reason = text_of_value(v->arena, ops->value(cursor, 6)),
                               .since = int_of_value(ops->value(cursor, 7))};
  if (arena_failed(v->arena)) {
    return error_memory(v->error);
  }
  v->last[0] = pair.row_a;
  v->last[1] = pair.row_b;
  v->count++;
  /* From the side of row_b: pairs of two of the rows came from the side of row_a. */
  if (v->rows != NULL && bsearch(&pair.row_a, v->rows, v->row_count, sizeof *v->rows, by_number) != NULL) {
    return OK;
  }
  return v->visit(v->context, &pair, v->error);
}

static enum status give_pairs(struct pair_visit *v, const char *sql, const struct value *values, size_t count) {
  struct cursor *cursor;
  v->count = 0;
  enum status status = db_query(v->store, v->error, &cursor, sql, values, count);
  while (status == OK && (status = v->store->ops->next(cursor, v->error)) == OK) {
    status = give_pair(v, cursor);
  }
  v->store->ops->finish(cursor);
  return status == END ? OK : status;
}

static enum status visit_all_pairs(struct pair_visit *v, enum cluster_kind kind) {
  enum status status = OK;
  v->count = BATCH_ROWS;
  while (status == OK && v->count == BATCH_ROWS) {
    status = give_pairs(v,
                        "SELECT " PAIR_COLUMNS " FROM link_pair p WHERE p.kind = $1 AND (p.row_a, p.row_b) > ($2, $3) "
                        "ORDER BY p.row_a, p.row_b LIMIT $4",
                        VALUES(int_value(kind), int_value(v->last[0]), int_value(v->last[1]), int_value(BATCH_ROWS)));
  }
  return status;
}

/* The sign keeps SQLite from looking for the kind, which half of all pairs have. */
static enum status visit_pairs_of(struct pair_visit *v, enum cluster_kind kind, const int64_t *rows, size_t count) {
  static const char *const SIDES[] = {
      "SELECT " PAIR_COLUMNS " FROM LIST(1) CROSS JOIN link_pair p WHERE p.kind = $2 AND p.row_a = k.value",
      "SELECT " PAIR_COLUMNS " FROM LIST(1) CROSS JOIN link_pair p WHERE +p.kind = $2 AND p.row_b = k.value"};
  enum status status = OK;
  for (int side = 0; side < 2; side++) {
    v->rows = side == 1 ? rows : NULL;
    v->row_count = count;
    for (size_t from = 0; from < count && status == OK; from += BATCH_ROWS) {
      size_t some = count - from < BATCH_ROWS ? count - from : BATCH_ROWS;
      status = give_pairs(v, SIDES[side], VALUES(list_value(rows + from, some), int_value(kind)));
    }
  }
  return status;
}

enum status store_visit_pairs(struct store *store, enum cluster_kind kind, const int64_t *rows, size_t row_count,
                              pair_visitor *visit, void *context, struct error *error) {
  struct pair_visit v = {.store = store, .arena = arena_new(0), .visit = visit, .context = context, .error = error};
  int64_t *sorted = rows == NULL ? NULL : db_sorted(rows, row_count);
  enum status status = v.arena == NULL || (rows != NULL && sorted == NULL) ? error_memory(error) : OK;
  if (status == OK) {
    status = rows == NULL ? visit_all_pairs(&v, kind) : visit_pairs_of(&v, kind, sorted, row_count);
  }
  free(sorted);
  arena_free(v.arena);
  return status;
}

/* ---- writing pairs ---- */

/* Since which run pairs have waited. */
struct waits {
  struct map *pairs; /* of two row ids */
  struct buffer since;
};

static struct slice pair_name(int64_t name[2], int64_t row_a, int64_t row_b) {
  name[0] = row_a;
  name[1] = row_b;
  return slice_make((const char *)name, 2 * sizeof *name);
}

static enum status keep_wait(void *context, const struct link_pair_row *pair, struct error *error) {
  struct waits *waits = context;
  int64_t name[2];
  uint32_t before = map_count(waits->pairs);
  if (pair->outcome != PAIR_WAITING) {
    return OK;
  }
  if (map_intern(waits->pairs, pair_name(name, pair->row_a, pair->row_b)) == MAP_NONE) {
    return error_memory(error);
  }
  if (map_count(waits->pairs) > before) {
    buffer_append(&waits->since, &pair->since, sizeof pair->since);
  }
  return buffer_check(&waits->since, "pairs", error);
}

static enum status read_waits(struct store *store, enum cluster_kind kind, const int64_t *rows, size_t row_count,
                              struct waits *waits, struct error *error) {
  if (rows != NULL) {
    return store_visit_pairs(store, kind, rows, row_count, keep_wait, waits, error);
  }
  struct cursor *cursor;
  enum status status =
      db_query(store, error, &cursor, "SELECT row_a, row_b, since FROM link_pair WHERE kind = $1 AND outcome = 1",
               VALUES(int_value(kind)));
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    struct link_pair_row pair = {.row_a = int_of_value(store->ops->value(cursor, 0)),
                                 .row_b = int_of_value(store->ops->value(cursor, 1)),
                                 .outcome = PAIR_WAITING,
                                 .since = int_of_value(store->ops->value(cursor, 2))};
    status = keep_wait(waits, &pair, error);
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

/* Runs statements whose $1 is a list of rows, and $2 the kind. */
static enum status for_rows(struct store *store, enum cluster_kind kind, const int64_t *rows, size_t count,
                            const char *const *statements, struct error *error) {
  enum status status = OK;
  for (; *statements != NULL; statements++) {
    for (size_t from = 0; from < count && status == OK; from += BATCH_ROWS) {
      size_t some = count - from < BATCH_ROWS ? count - from : BATCH_ROWS;
      status = db_execute(store, error, *statements, VALUES(list_value(rows + from, some), int_value(kind)));
    }
  }
  return status;
}

static enum status drop_pairs(struct store *store, enum cluster_kind kind, const int64_t *rows, size_t row_count,
                              struct error *error) {
  static const char *const DROPS[] = {
      "DELETE FROM link_pair WHERE kind = $2 AND row_a IN (SELECT k.value FROM LIST(1))",
      "DELETE FROM link_pair WHERE +kind = $2 AND row_b IN (SELECT k.value FROM LIST(1))", NULL};
  return rows == NULL ? db_execute(store, error, "DELETE FROM link_pair WHERE kind = $1", VALUES(int_value(kind)))
                      : for_rows(store, kind, rows, row_count, DROPS, error);
}

static enum status append_pairs(struct store *store, enum cluster_kind kind, int64_t run, const struct waits *waits,
                                pair_giver *give, void *context, struct error *error) {
  struct link_pair_row pair;
  int64_t name[2];
  enum status status = store->ops->append_begin(store->driver, &TABLE_LINK_PAIR, error);
  while (status == OK && give(context, &pair)) {
    int64_t since = run;
    uint32_t at = map_get(waits->pairs, pair_name(name, pair.row_a, pair.row_b));
    if (at != MAP_NONE) {
      memcpy(&since, waits->since.data + at * sizeof since, sizeof since);
    }
    const struct value values[] = {
        int_value(kind),          int_value(pair.row_a),
        int_value(pair.row_b),    real_value(pair.weight),
        text_value(pair.rule),    int_value(run),
        text_value(pair.verdict), int_value(pair.outcome),
        text_value(pair.reason),  pair.outcome == PAIR_WAITING ? int_value(since) : null_value()};
    status = store->ops->append_row(store->driver, values, error);
  }
  return status == OK ? store->ops->append_end(store->driver, error) : status;
}

enum status store_replace_pairs(struct store *store, enum cluster_kind kind, int64_t run, const int64_t *rows,
                                size_t row_count, pair_giver *give, void *context, struct error *error) {
  struct waits waits = {.pairs = map_new()};
  buffer_init(&waits.since, SIZE_MAX / 2);
  enum status status = waits.pairs == NULL ? error_memory(error) : db_writing(store, error);
  status = status == OK ? read_waits(store, kind, rows, row_count, &waits, error) : status;
  status = status == OK ? drop_pairs(store, kind, rows, row_count, error) : status;
  status = status == OK ? append_pairs(store, kind, run, &waits, give, context, error) : status;
  map_free(waits.pairs);
  buffer_free(&waits.since);
  return status;
}

/* ---- keys ---- */

/* As the databases order them, so that rows are added where the last one was. */
static int by_key(const void *a, const void *b) {
  const struct link_key *x = a;
  const struct link_key *y = b;
  int64_t left = (int64_t)x->key;
  int64_t right = (int64_t)y->key;
  if (left != right) {
    return left < right ? -1 : 1;
  }
  return (x->row_id > y->row_id) - (x->row_id < y->row_id);
}

/* The index by row is made anew after all keys are: its entries would come in no order. */
static enum status drop_keys(struct store *store, enum cluster_kind kind, const int64_t *rows, size_t row_count,
                             struct error *error) {
  static const char *const DROPS[] = {
      "DELETE FROM link_key WHERE +kind = $2 AND row_id IN (SELECT k.value FROM LIST(1))", NULL};
  if (rows != NULL) {
    return for_rows(store, kind, rows, row_count, DROPS, error);
  }
  enum status status = store->ops->script(store->driver, "DROP INDEX IF EXISTS link_key_row", error);
  return status == OK ? db_execute(store, error, "DELETE FROM link_key WHERE kind = $1", VALUES(int_value(kind)))
                      : status;
}

enum status store_replace_keys(struct store *store, enum cluster_kind kind, const int64_t *rows, size_t row_count,
                               struct link_key *keys, size_t key_count, struct error *error) {
  enum status status = db_writing(store, error);
  status = status == OK ? drop_keys(store, kind, rows, row_count, error) : status;
  if (key_count > 0) {
    qsort(keys, key_count, sizeof *keys, by_key);
  }
  if (status == OK) {
    status = store->ops->append_begin(store->driver, &TABLE_LINK_KEY, error);
  }
  for (size_t i = 0; i < key_count && status == OK; i++) {
    if (i > 0 && by_key(&keys[i - 1], &keys[i]) == 0) {
      continue;
    }
    const struct value values[] = {int_value(kind), int_value((int64_t)keys[i].key), int_value(keys[i].row_id)};
    status = store->ops->append_row(store->driver, values, error);
  }
  if (status == OK) {
    status = store->ops->append_end(store->driver, error);
  }
  return status == OK && rows == NULL ? store->ops->script(store->driver, TABLES_LINK_INDEXES, error) : status;
}

enum status store_drop_keys(struct store *store, enum cluster_kind kind, const uint64_t *keys, size_t key_count,
                            struct error *error) {
  static const char *const DROPS[] = {"DELETE FROM link_key WHERE kind = $2 AND key IN (SELECT k.value FROM LIST(1))",
                                      NULL};
  int64_t *signed_keys = malloc((key_count + 1) * sizeof *signed_keys);
  enum status status = signed_keys == NULL ? error_memory(error) : db_writing(store, error);
  for (size_t i = 0; i < key_count && signed_keys != NULL; i++) {
    signed_keys[i] = (int64_t)keys[i];
  }
  status = status == OK ? for_rows(store, kind, signed_keys, key_count, DROPS, error) : status;
  free(signed_keys);
  return status;
}

static enum status give_keys(struct store *store, enum cluster_kind kind, const int64_t *keys, size_t count,
                             key_visitor *visit, void *context, struct error *error) {
  struct cursor *cursor;
  enum status status = db_query(store, error, &cursor,
                                "SELECT p.key, p.row_id FROM LIST(1) CROSS JOIN link_key p "
                                "WHERE p.kind = $2 AND p.key = k.value",
                                VALUES(list_value(keys, count), int_value(kind)));
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    struct link_key key = {.key = (uint64_t)int_of_value(store->ops->value(cursor, 0)),
                           .row_id = int_of_value(store->ops->value(cursor, 1))};
    status = visit(context, &key, error);
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

enum status store_visit_keys(struct store *store, enum cluster_kind kind, const uint64_t *keys, size_t key_count,
                             key_visitor *visit, void *context, struct error *error) {
  int64_t *sorted = malloc((key_count + 1) * sizeof *sorted);
  enum status status = sorted == NULL ? error_memory(error) : OK;
  for (size_t i = 0; i < key_count && status == OK; i++) {
    sorted[i] = (int64_t)keys[i];
  }
  if (status == OK && key_count > 0) {
    qsort(sorted, key_count, sizeof *sorted, by_number);
  }
  for (size_t from = 0; from < key_count && status == OK; from += BATCH_ROWS) {
    size_t some = key_count - from < BATCH_ROWS ? key_count - from : BATCH_ROWS;
    status = give_keys(store, kind, sorted + from, some, visit, context, error);
  }
  free(sorted);
  return status;
}

/* ---- rows that cannot be linked ---- */

enum status store_replace_unlinkable(struct store *store, enum cluster_kind kind, const int64_t *rows, size_t row_count,
                                     const int64_t *unlinkable, size_t count, struct error *error) {
  static const char *const DROPS[] = {
      "DELETE FROM link_unlinkable WHERE kind = $2 AND row_id IN (SELECT k.value FROM LIST(1))", NULL};
  enum status status = db_writing(store, error);
  if (status == OK) {
    status = rows == NULL
                 ? db_execute(store, error, "DELETE FROM link_unlinkable WHERE kind = $1", VALUES(int_value(kind)))
                 : for_rows(store, kind, rows, row_count, DROPS, error);
  }
  if (status == OK) {
    status = store->ops->append_begin(store->driver, &TABLE_LINK_UNLINKABLE, error);
  }
  for (size_t i = 0; i < count && status == OK; i++) {
    const struct value values[] = {int_value(kind), int_value(unlinkable[i])};
    status = store->ops->append_row(store->driver, values, error);
  }
  return status == OK ? store->ops->append_end(store->driver, error) : status;
}

enum status store_visit_unlinkable(struct store *store, enum cluster_kind kind, row_id_visitor *visit, void *context,
                                   struct error *error) {
  struct cursor *cursor;
  enum status status =
      db_query(store, error, &cursor, "SELECT row_id FROM link_unlinkable WHERE kind = $1 ORDER BY row_id",
               VALUES(int_value(kind)));
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    status = visit(context, int_of_value(store->ops->value(cursor, 0)), error);
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

/* ---- models ---- */

static struct seal_place model_place(int64_t model_id) {
  return (struct seal_place){.part = "link_model.sealed", .id = model_id};
}

static enum status insert_model(struct store *store, enum cluster_kind kind, int64_t run, struct slice text,
                                bool active, struct error *error) {
  struct sha256 digest = sha256_of(text);
  int64_t id = 0, now = 0;
  struct slice sealed;
  enum status status = db_count(store, "link_models", 1, &id, error);
  status = status == OK ? ring_writing(store, error) : status;
  const struct seal_place place = model_place(id);
  status = status == OK ? ring_seal(store, &place, text, &sealed, error) : status;
  status = status == OK ? store->ops->now(store->driver, &now, error) : status;
  if (status == OK && active) {
    status = db_execute(store, error, "UPDATE link_model SET active = 0 WHERE kind = $1 AND active = 1",
                        VALUES(int_value(kind)));
  }
  return status == OK ? db_execute(store, error,
                                   "INSERT INTO link_model (model_id, kind, digest, sealed, run, trained_at, active) "
                                   "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                                   VALUES(int_value(id), int_value(kind), bytes_value(digest.bytes, SHA256_SIZE),
                                          bytes_value(sealed.data, sealed.len), int_value(run), int_value(now),
                                          int_value(active ? 1 : 0)))
                      : status;
}

enum status store_write_model(struct store *store, enum cluster_kind kind, int64_t run, struct slice text,
                              struct error *error) {
  struct sha256 digest = sha256_of(text);
  int64_t id = 0;
  bool same = false;
  enum status status = db_writing(store, error);
  if (status == OK) {
    status = db_integer(store, error, &id, &same,
                        "SELECT model_id FROM link_model WHERE kind = $1 AND active = 1 AND digest = $2",
                        VALUES(int_value(kind), bytes_value(digest.bytes, SHA256_SIZE)));
  }
  return status != OK || same ? status : insert_model(store, kind, run, text, true, error);
}

/* The newest, of a digest or (NULL) of any; `*id` 0: none. */
static enum status find_model(struct store *store, enum cluster_kind kind, const struct sha256 *digest, int64_t *id,
                              struct error *error) {
  if (digest == NULL) {
    return db_integer(store, error, id, NULL, "SELECT coalesce(max(model_id), 0) FROM link_model WHERE kind = $1",
                      VALUES(int_value(kind)));
  }
  return db_integer(store, error, id, NULL,
                    "SELECT coalesce(max(model_id), 0) FROM link_model WHERE kind = $1 AND digest = $2",
                    VALUES(int_value(kind), bytes_value(digest->bytes, SHA256_SIZE)));
}

enum status store_keep_model(struct store *store, enum cluster_kind kind, int64_t run, struct slice text,
                             struct error *error) {
  enum status status = db_writing(store, error);
  return status == OK ? insert_model(store, kind, run, text, false, error) : status;
}

enum status store_activate_model(struct store *store, enum cluster_kind kind, const struct sha256 *digest,
                                 struct error *error) {
  int64_t id = 0;
  enum status status = db_writing(store, error);
  status = status == OK ? find_model(store, kind, digest, &id, error) : status;
  if (status == OK && id == 0) {
    return error_set(error, ERR_NOT_FOUND, "%s", _("the link model is not in the store any more"));
  }
  return status == OK ? db_execute(store, error,
                                   "UPDATE link_model SET active = CASE WHEN model_id = $2 THEN 1 ELSE 0 END "
                                   "WHERE kind = $1 AND (active = 1 OR model_id = $2)",
                                   VALUES(int_value(kind), int_value(id)))
                      : status;
}

/* The row that the cursor is at. */
static enum status read_model(struct store *store, struct cursor *cursor, struct buffer *text,
                              struct link_model_kept *kept, struct error *error) {
  struct opened room = {.data = NULL};
  enum status status = OK;
  *kept = (struct link_model_kept){.id = int_of_value(store->ops->value(cursor, 0)),
                                   .run = int_of_value(store->ops->value(cursor, 1)),
                                   .trained_at = int_of_value(store->ops->value(cursor, 2))};
  digest_of_value(store->ops->value(cursor, 3), kept->digest.bytes, SHA256_SIZE);
  struct slice body = slice_of_value(store->ops->value(cursor, 4));
  if (store->ops->value(cursor, 5).kind != VALUE_NULL) {
    const struct seal_place place = model_place(kept->id);
    status = ring_unseal(store, &place, slice_of_value(store->ops->value(cursor, 5)), &room, &body, error);
  }
  buffer_slice(text, body);
  status = status == OK ? buffer_check(text, _("the link model"), error) : status;
  opened_free(&room);
  return status;
}

enum status store_model(struct store *store, enum cluster_kind kind, struct buffer *text, struct link_model_kept *kept,
                        struct error *error) {
  struct cursor *cursor;
  struct link_model_kept found;
  enum status status =
      db_query(store, error, &cursor,
               "SELECT model_id, run, trained_at, digest, body, sealed FROM link_model WHERE kind = $1 AND active = 1",
               VALUES(int_value(kind)));
  status = status == OK ? store->ops->next(cursor, error) : status;
  status = status == OK ? read_model(store, cursor, text, kept == NULL ? &found : kept, error) : status;
  store->ops->finish(cursor);
  if (status == END) {
    error_set(error, ERR_NOT_FOUND, "%s", _("no linking has left a model yet"));
    error_hint(error, "%s", _("`puente link` learns one"));
    return ERR_NOT_FOUND;
  }
  return status;
}

enum status store_model_of(struct store *store, enum cluster_kind kind, const struct sha256 *digest,
                           struct buffer *text, struct link_model_kept *kept, struct error *error) {
  struct cursor *cursor = NULL;
  struct link_model_kept found;
  size_t before = text->len;
  int64_t id = 0;
  enum status status = find_model(store, kind, digest, &id, error);
  if (status == OK) {
    status = db_query(store, error, &cursor,
                      "SELECT model_id, run, trained_at, digest, body, sealed FROM link_model WHERE model_id = $1",
                      VALUES(int_value(id)));
  }
  status = status == OK ? store->ops->next(cursor, error) : status;
  status = status == OK ? read_model(store, cursor, text, &found, error) : status;
  if (cursor != NULL) {
    store->ops->finish(cursor);
  }
  if (status == END) {
    return error_set(error, ERR_NOT_FOUND, "%s", _("the link model is not in the store any more"));
  }
  if (status != OK) {
    return status;
  }
  struct sha256 now = sha256_of(slice_make(text->data + before, text->len - before));
  if (memcmp(now.bytes, found.digest.bytes, SHA256_SIZE) != 0) {
    error_set(error, ERR_CONFIG, _("link model %lld in the store was changed: its text is not the one that was kept"),
              (long long)found.id);
    error_hint(error, "%s", _("have the log verified (`puente audit verify`), then learn anew: `puente link --train`"));
    return ERR_CONFIG;
  }
  if (kept != NULL) {
    *kept = found;
  }
  return OK;
}
