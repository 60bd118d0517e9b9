#include "core/store/told.h"

#include "core/base/date.h"
#include "core/store/internal.h"

enum { FIRST_VERSION = 9 /* of a store that has the table */ };

static enum status counter_of(struct store *store, const char *name, int64_t *value, struct error *error) {
  bool found = false;
  *value = 0;
  return db_integer(store, error, value, &found, "SELECT value FROM counter WHERE name = $1", VALUES(text_value(name)));
}

enum status store_told_state(struct store *store, struct told_state *state, struct error *error) {
  enum status status = counter_of(store, "told", &state->told, error);
  return status == OK ? counter_of(store, "release", &state->released, error) : status;
}

/* The counter of rows is taken first: who else writes waits for it. */
enum status store_tell(struct store *store, struct told_row *rows, size_t count, const char *actor,
                       struct told_state seen, struct error *error) {
  int64_t first = 0, released = 0;
  enum status status = db_writing(store, error);
  status = status == OK ? db_count(store, "told", (int64_t)count, &first, error) : status;
  status = status == OK ? counter_of(store, "release", &released, error) : status;
  if (status == OK && (first != seen.told + 1 || released != seen.released)) {
    error_set(error, ERR_BUSY, "%s", _("another report or release came in between"));
    error_hint(error, "%s", _("ask again: each is protected with those before it"));
    return ERR_BUSY;
  }
  for (size_t i = 0; i < count && status == OK; i++) {
    rows[i].id = first + (int64_t)i;
    status =
        db_execute(store, error, "INSERT INTO told (told_id, definition, cells, at, actor) VALUES ($1, $2, $3, $4, $5)",
                   VALUES(int_value(rows[i].id), text_value(rows[i].definition), text_value(rows[i].cells),
                          int_value(clock_now()), text_value(actor)));
  }
  return status;
}

static bool has_table(const struct store *store) {
  return store->version >= FIRST_VERSION;
}

enum status store_told_last(struct store *store, int64_t *last, struct error *error) {
  *last = 0;
  return has_table(store) ? db_integer(store, error, last, NULL, "SELECT coalesce(max(told_id), 0) FROM told", NULL, 0)
                          : OK;
}

enum status store_visit_told(struct store *store, told_visitor *visit, void *context, struct error *error) {
  struct cursor *cursor = NULL;
  if (!has_table(store)) {
    return OK;
  }
  enum status status = store->ops->stream(store->driver, "SELECT told_id, definition, cells FROM told ORDER BY told_id",
                                          NULL, 0, &cursor, error);
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    status = visit(context, int_of_value(store->ops->value(cursor, 0)), slice_of_value(store->ops->value(cursor, 1)),
                   slice_of_value(store->ops->value(cursor, 2)), error);
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

static enum status take(struct store *store, struct cursor *cursor, struct arena *arena, struct buffer *rows,
                        struct error *error) {
  const struct told_row row = {.id = int_of_value(store->ops->value(cursor, 0)),
                               .definition = text_of_value(arena, store->ops->value(cursor, 1)),
                               .cells = text_of_value(arena, store->ops->value(cursor, 2))};
  if (row.definition == NULL || row.cells == NULL) {
    return error_memory(error);
  }
  buffer_append(rows, &row, sizeof row);
  return buffer_check(rows, "told tables", error);
}

enum status store_told(struct store *store, struct arena *arena, struct told_row **rows, size_t *count,
                       struct error *error) {
  struct cursor *cursor;
  struct buffer found;
  buffer_init(&found, (size_t)1 << 24);
  *count = 0;
  *rows = NULL;
  enum status status = db_query(store, error, &cursor,
                                "SELECT told_id, definition, cells FROM told WHERE told_id IN "
                                "(SELECT max(told_id) FROM told GROUP BY definition) ORDER BY told_id",
                                NULL, 0);
  if (status == OK) {
    while ((status = store->ops->next(cursor, error)) == OK) {
      if ((status = take(store, cursor, arena, &found, error)) != OK) {
        break;
      }
    }
    store->ops->finish(cursor);
  }
  status = status == END ? OK : status;
  if (status == OK && found.len > 0) {
    *count = found.len / sizeof **rows;
    *rows = arena_array(arena, *count, sizeof **rows);
    status = *rows == NULL ? error_memory(error) : OK;
  }
  if (status == OK && found.len > 0) {
    memcpy(*rows, found.data, found.len);
  }
  buffer_free(&found);
  return status;
}
