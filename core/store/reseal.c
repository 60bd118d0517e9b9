#include "core/store/reseal.h"

#include "core/store/internal.h"

#include <stdio.h>

#define NO_RUN "CAST(0 AS BIGINT)" /* where one number names a row */

enum { ROWS_AT_ONCE = 256, CHUNKS_AT_ONCE = 4, PARTS_MOST = 6 };

/* A column of sealed bodies. */
struct part {
  const char *table, *id, *from, *column, *name, *old; /* from: an expression; old: where an unsealed one stands */
  int rows;
};

static size_t list_parts(const struct store *store, struct part parts[PARTS_MOST]) {
  size_t count = 0;
  parts[count++] = (struct part){"identity", "row_id", NO_RUN, "body", "identity.body", "body", ROWS_AT_ONCE};
  parts[count++] = (struct part){"encoding", "row_id", NO_RUN, "body", "encoding.body", "body", ROWS_AT_ONCE};
  for (int kind = CLUSTER_PERSON; kind <= CLUSTER_CASE; kind++) {
    const struct whole *whole = &store->wholes[kind];
    if (whole->shelf != NULL) {
      parts[count++] =
          (struct part){whole->identity.name, "id", "from_run", "body", whole->sealed, "body", ROWS_AT_ONCE};
    }
  }
  parts[count++] = (struct part){"raw_chunk", "chunk_id", NO_RUN, "body", "raw_chunk.body", "body", CHUNKS_AT_ONCE};
  parts[count++] =
      (struct part){"link_model", "model_id", NO_RUN, "sealed", "link_model.sealed", "body", CHUNKS_AT_ONCE};
  return count;
}

/* What every body begins with that is under the present key. */
static void present_head(const struct store *store, char head[SEAL_NAMED]) {
  uint32_t id = ring_present(store);
  head[0] = SEAL_CODEC;
  for (unsigned i = 0; i < 4; i++) {
    head[1 + i] = (char)(id >> (8 * i) & 255);
  }
}

/* Rows whose body is another's; NULL in a column of seals: its text is not sealed yet. */
static char *others(const struct store *store, const struct part *part, const char *columns, const char *rest) {
  return arena_printf(store->scratch, "SELECT %s FROM \"%s\" WHERE (%s.%s IS NULL OR substr(%s.%s, 1, 5) <> $1) %s",
                      columns, part->table, part->table, part->column, part->table, part->column, rest);
}

struct body {
  int64_t id, from;
  struct slice sealed, old, context; /* as they stand */
};

static enum status read_bodies(struct store *store, const struct part *part, const struct resealing *pass,
                               struct body *bodies, size_t *count, struct error *error) {
  char head[SEAL_NAMED], rest[160];
  bool chunk = strcmp(part->table, "raw_chunk") == 0;
  present_head(store, head);
  snprintf(rest, sizeof rest, "AND (%s > $2 OR (%s = $2 AND %s > $3)) ORDER BY 1, 2 LIMIT $4", part->id, part->id,
           part->from);
  char *columns = arena_printf(store->scratch, "%s, %s, %s, %s, %s", part->id, part->from, part->column, part->old,
                               chunk ? "context" : "NULL");
  char *sql = columns == NULL ? NULL : others(store, part, columns, rest);
  struct cursor *cursor;
  *count = 0;
  enum status status = sql == NULL ? error_memory(error)
                                   : db_query(store, error, &cursor, sql,
                                              VALUES(bytes_value(head, SEAL_NAMED), int_value(pass->id),
                                                     int_value(pass->from), int_value(part->rows)));
  if (status != OK) {
    return status;
  }
  while (*count < (size_t)part->rows && (status = store->ops->next(cursor, error)) == OK) {
    struct body *body = &bodies[(*count)++];
    *body = (struct body){.id = int_of_value(store->ops->value(cursor, 0)),
                          .from = int_of_value(store->ops->value(cursor, 1)),
                          .sealed = arena_copy(store->scratch, slice_of_value(store->ops->value(cursor, 2))),
                          .old = arena_copy(store->scratch, slice_of_value(store->ops->value(cursor, 3))),
                          .context = arena_copy(store->scratch, slice_of_value(store->ops->value(cursor, 4)))};
    if (body->sealed.data == NULL || body->old.data == NULL || body->context.data == NULL) {
      status = error_memory(error);
      break;
    }
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

/* A context is opened where its body was sealed, and sealed with it. */
static enum status write_context(struct store *store, const struct body *body, struct opened *room,
                                 struct error *error) {
  const struct seal_place place = {.part = "raw_chunk.context", .id = body->id};
  struct slice text = body->context, sealed;
  enum status status = seal_is(body->sealed) ? ring_unseal(store, &place, text, room, &text, error) : OK;
  status = status == OK ? ring_seal(store, &place, text, &sealed, error) : status;
  return status == OK ? db_execute(store, error, "UPDATE raw_chunk SET context = $2 WHERE chunk_id = $1",
                                   VALUES(int_value(body->id), bytes_value(sealed.data, sealed.len)))
                      : status;
}

/* Only where it still stands as it was read: another one may have taken it out. */
static enum status write_body(struct store *store, const struct part *part, const struct body *body,
                              struct opened *room, struct error *error) {
  const struct seal_place place = {.part = part->name, .id = body->id, .from = body->from};
  struct slice text = body->sealed.len > 0 ? body->sealed : body->old, sealed, stood = text;
  int64_t changed = 0;
  bool model = body->sealed.len == 0;
  enum status status = ring_unseal(store, &place, text, room, &text, error);
  status = status == OK ? ring_seal(store, &place, text, &sealed, error) : status;
  char *sql =
      arena_printf(store->scratch, "UPDATE \"%s\" SET %s = $3%s WHERE %s = $1 AND %s = $2 AND %s = $4", part->table,
                   part->column, model ? ", body = NULL" : "", part->id, part->from, model ? part->old : part->column);
  if (status == OK && sql == NULL) {
    status = error_memory(error);
  }
  if (status == OK) {
    status = db_change(store, error, &changed, sql,
                       VALUES(int_value(body->id), int_value(body->from), bytes_value(sealed.data, sealed.len),
                              model ? slice_value(stood) : bytes_value(stood.data, stood.len)));
  }
  bool above = status == OK && changed > 0 && body->context.len > 0 && strcmp(part->table, "raw_chunk") == 0;
  return above ? write_context(store, body, room, error) : status;
}

enum status store_reseal(struct store *store, struct resealing *pass, bool *done, struct error *error) {
  struct part parts[PARTS_MOST];
  struct body bodies[ROWS_AT_ONCE];
  struct opened room = {.data = NULL};
  size_t count = 0, part_count = list_parts(store, parts);
  enum status status = db_writing(store, error);
  *done = pass->part >= (int)part_count;
  status = status == OK ? ring_writing(store, error) : status;
  if (status != OK || *done) {
    return status;
  }
  const struct part *part = &parts[pass->part];
  status = read_bodies(store, part, pass, bodies, &count, error);
  for (size_t i = 0; i < count && status == OK; i++) {
    status = write_body(store, part, &bodies[i], &room, error);
    pass->id = bodies[i].id;
    pass->from = bodies[i].from;
  }
  opened_free(&room);
  pass->sealed += (int64_t)count;
  if (count < (size_t)part->rows) {
    *pass = (struct resealing){.part = pass->part + 1, .sealed = pass->sealed};
  }
  return status;
}

enum status store_new_data_key(struct store *store, struct error *error) {
  enum status status = db_writing(store, error);
  status = status == OK ? ring_need(store, error) : status;
  status = status == OK ? ring_lock(store, true, error) : status;
  return status == OK ? ring_make(store, error) : status;
}

enum status store_retire_data_keys(struct store *store, int64_t *retired, bool *left, struct error *error) {
  struct part parts[PARTS_MOST];
  char head[SEAL_NAMED];
  int64_t rows = 0, now = 0;
  size_t part_count = list_parts(store, parts);
  enum status status = db_writing(store, error);
  *retired = 0;
  *left = false;
  status = status == OK ? ring_need(store, error) : status;
  status = status == OK ? ring_lock(store, true, error) : status;
  status = status == OK ? ring_writing(store, error) : status;
  for (size_t i = 0; i < part_count && status == OK && !*left; i++) {
    present_head(store, head);
    char *sql = others(store, &parts[i], "1", "LIMIT 1");
    status = sql == NULL ? error_memory(error)
                         : db_integer(store, error, &rows, left, sql, VALUES(bytes_value(head, SEAL_NAMED)));
  }
  if (status != OK || *left) {
    return status;
  }
  status = store->ops->now(store->driver, &now, error);
  return status == OK ? db_change(
             store, error, retired,
             "UPDATE data_key SET retired = $1, wrapped = $2 WHERE purpose = $3 AND retired = 0 "
             "AND key_id < $4",
             VALUES(int_value(now), bytes_value("", 0), text_value(PURPOSE_BODY), int_value(ring_present(store))))
                      : status;
}

/* ---- another key file ---- */

enum status store_count_wrappings(struct store *store, int64_t *count, struct error *error) {
  bool ours = false;
  enum status status = ring_need(store, error);
  return status == OK ? ring_wrappers(store, count, &ours, error) : status;
}

enum status store_wrap_keys(struct store *store, const struct key *fresh, struct error *error) {
  int64_t count = 0;
  bool ours = false;
  enum status status = db_writing(store, error);
  status = status == OK ? ring_need(store, error) : status;
  status = status == OK ? ring_lock(store, true, error) : status;
  status = status == OK ? ring_wrappers(store, &count, &ours, error) : status;
  if (status == OK && (count != 1 || !ours)) {
    error_set(error, ERR_BUSY, "%s", _("the workspace's key is being replaced, or that was interrupted"));
    error_hint(error, "%s", _("`puente key rotate --workspace-key` goes on with it"));
    return ERR_BUSY;
  }
  return status == OK ? ring_wrap_again(store, fresh, error) : status;
}

enum status store_drop_wrappings(struct store *store, const struct key *kept, struct error *error) {
  enum status status = db_writing(store, error);
  status = status == OK ? ring_need(store, error) : status;
  status = status == OK ? ring_lock(store, true, error) : status;
  return status == OK ? ring_drop_others(store, kept, error) : status;
}

/* ---- trying them ---- */

/* Odd, since numbers of rows may all be even, or have more low bits in common. */
static enum status step_of(struct store *store, const struct part *part, int64_t most, int64_t *step,
                           struct error *error) {
  int64_t count = 0;
  char *sql = arena_printf(store->scratch, "SELECT count(*) FROM \"%s\"", part->table);
  *step = 1;
  enum status status = sql == NULL ? error_memory(error) : db_integer(store, error, &count, NULL, sql, NULL, 0);
  if (status == OK && most > 0 && count > 2 * most) {
    *step = (count / most - 1) | 1;
  }
  return status;
}

static enum status open_part(struct store *store, const struct part *part, int64_t step, int64_t *opened,
                             struct error *error) {
  struct opened room = {.data = NULL};
  struct cursor *cursor;
  struct slice text;
  char *sql = arena_printf(store->scratch, "SELECT %s, %s, %s FROM \"%s\" WHERE %s %% $1 = 0", part->id, part->from,
                           part->column, part->table, part->id);
  enum status status =
      sql == NULL ? error_memory(error) : db_query(store, error, &cursor, sql, VALUES(int_value(step)));
  if (status != OK) {
    return status;
  }
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    const struct seal_place place = {.part = part->name,
                                     .id = int_of_value(store->ops->value(cursor, 0)),
                                     .from = int_of_value(store->ops->value(cursor, 1))};
    struct slice body = slice_of_value(store->ops->value(cursor, 2));
    *opened += seal_is(body);
    status = ring_unseal(store, &place, body, &room, &text, error);
  }
  store->ops->finish(cursor);
  opened_free(&room);
  return status == END ? OK : status;
}

enum status store_open_bodies(struct store *store, int64_t most, int64_t *opened, struct error *error) {
  struct part parts[PARTS_MOST];
  size_t part_count = list_parts(store, parts);
  int64_t step = 1;
  *opened = 0;
  enum status status = store->version < 7 ? OK : ring_need(store, error); /* the version that brought seals */
  for (size_t i = 0; i < part_count && status == OK && store->version >= 7; i++) {
    status = step_of(store, &parts[i], most, &step, error);
    status = status == OK ? open_part(store, &parts[i], step, opened, error) : status;
  }
  return status;
}

enum status store_visit_data_keys(struct store *store, data_key_visitor *visit, void *context, struct error *error) {
  struct cursor *cursor;
  enum status status =
      db_query(store, error, &cursor,
               "SELECT key_id, min(made), max(retired), purpose, CASE WHEN key_id = (SELECT max(key_id) FROM data_key "
               "WHERE purpose = 'body' AND retired = 0) THEN 1 ELSE 0 END FROM data_key GROUP BY key_id, purpose "
               "ORDER BY key_id",
               NULL, 0);
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    const struct data_key key = {.id = int_of_value(store->ops->value(cursor, 0)),
                                 .made = int_of_value(store->ops->value(cursor, 1)),
                                 .retired = int_of_value(store->ops->value(cursor, 2)),
                                 .purpose = text_of_value(store->scratch, store->ops->value(cursor, 3)),
                                 .present = int_of_value(store->ops->value(cursor, 4)) != 0};
    status = key.purpose == NULL ? error_memory(error) : visit(context, &key, error);
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}
