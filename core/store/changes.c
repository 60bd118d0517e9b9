#include "core/store/internal.h"

#include <stdlib.h>

/* What came after a linking, found without reading what was there. */

/* ---- runs ---- */

/* Runs of sources that were under way when the linking was made (`ended` of a killed one is told by the next of its
 * source), and those that settled their rows only afterwards, since their pass had not been completed then. */
static const char FIRST_OPEN[] =
    "SELECT min(r.run_id) FROM run r, run l WHERE l.run_id = $1 AND r.run_id < l.run_id AND r.source_id IS NOT NULL "
    "AND (r.ended IS NULL OR r.ended >= l.started OR (r.state <> 'done' "
    "AND NOT EXISTS (SELECT 1 FROM run d WHERE d.source_id = r.source_id AND d.run_id > r.run_id AND d.state = 'done' "
    "AND d.ended < l.started) "
    "AND EXISTS (SELECT 1 FROM run d WHERE d.source_id = r.source_id AND d.run_id > r.run_id AND d.state = 'done')))";

enum status store_settled_until(struct store *store, int64_t run, int64_t *until, struct error *error) {
  int64_t first = 0;
  bool found = false;
  enum status status = db_integer(store, error, &first, &found, FIRST_OPEN, VALUES(int_value(run)));
  *until = first > 0 ? first - 1 : run;
  return status;
}

/* ---- rows ---- */

enum status store_index_changes(struct store *store, const struct entity *entity, struct error *error) {
  const char *table = store->shelves[entity->index].table.name;
  enum status status = db_writing(store, error);
  if (status != OK) {
    return status;
  }
  char *sql = arena_printf(store->scratch,
                           "CREATE INDEX IF NOT EXISTS \"%s_opened\" ON \"%s\" (from_run);"
                           "CREATE INDEX IF NOT EXISTS \"%s_closed\" ON \"%s\" (to_run) WHERE to_run IS NOT NULL;",
                           table, table, table, table);
  return sql == NULL ? error_memory(error) : store->ops->script(store->driver, sql, error);
}

struct id_list {
  int64_t *ids;
  size_t count, capacity;
};

static enum status list_ids(struct store *store, const char *sql, int64_t run, struct id_list *list,
                            struct error *error) {
  struct cursor *cursor;
  enum status status = db_query(store, error, &cursor, sql, VALUES(int_value(run)));
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    if (list->count == list->capacity) {
      size_t capacity = list->capacity == 0 ? 256 : list->capacity * 2;
      int64_t *grown = realloc(list->ids, capacity * sizeof *grown);
      if (grown == NULL) {
        status = error_memory(error);
        break;
      }
      list->ids = grown;
      list->capacity = capacity;
    }
    list->ids[list->count++] = int_of_value(store->ops->value(cursor, 0));
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

enum status store_visit_changes(struct store *store, const struct entity *entity, int64_t after_run, row_visitor *visit,
                                void *context, struct error *error) {
  const char *table = store->shelves[entity->index].table.name;
  struct id_list list = {0};
  char *opened = arena_printf(store->scratch, "SELECT row_id FROM \"%s\" WHERE from_run > $1", table);
  /* The sign keeps the database from taking the index of openings, which half the table may pass. */
  char *closed = arena_printf(
      store->scratch, "SELECT row_id FROM \"%s\" WHERE to_run IS NOT NULL AND to_run > $1 AND +from_run <= $1", table);
  enum status status = opened == NULL || closed == NULL ? error_memory(error) : OK;
  status = status == OK ? list_ids(store, opened, after_run, &list, error) : status;
  status = status == OK ? list_ids(store, closed, after_run, &list, error) : status;
  if (status == OK && list.count > 0) {
    struct row_filter filter = {.history = true, .rows = list.ids, .count = list.count};
    status = store_visit_rows(store, entity, &filter, visit, context, error);
  }
  free(list.ids);
  return status;
}

/* ---- members ---- */

static enum status give_members(struct store *store, const char *sql, const int64_t *rows, size_t count,
                                member_visitor *visit, void *context, struct error *error) {
  struct cursor *cursor;
  enum status status = db_query(store, error, &cursor, sql, VALUES(list_value(rows, count)));
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    struct member member = {.row_id = int_of_value(store->ops->value(cursor, 0)),
                            .id = int_of_value(store->ops->value(cursor, 1))};
    status = visit(context, &member, error);
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

enum status store_visit_members_of(struct store *store, enum cluster_kind kind, const int64_t *rows, size_t count,
                                   member_visitor *visit, void *context, struct error *error) {
  const struct whole *whole = &store->wholes[kind];
  char *sql = whole->shelf == NULL ? NULL
                                   : arena_printf(store->memory,
                                                  "SELECT m.row_id, m.%s FROM LIST(1) CROSS JOIN %s m "
                                                  "WHERE m.row_id = k.value AND m.to_run IS NULL",
                                                  whole->id, whole->member);
  enum status status = sql == NULL ? error_memory(error) : OK;
  for (size_t from = 0; from < count && status == OK; from += BATCH_ROWS) {
    size_t some = count - from < BATCH_ROWS ? count - from : BATCH_ROWS;
    status = give_members(store, sql, rows + from, some, visit, context, error);
  }
  return status;
}

/* ---- the index of keys ---- */

enum status store_secret(struct store *store, const char *purpose, uint8_t secret[KEYED_SIZE], struct error *error) {
  if (store->key == NULL) {
    return error_set(error, ERR_CONFIG, "%s", _("the store was opened without the workspace's key"));
  }
  struct keyed_digest digest = key_digest(store->key, purpose, slice_of("index"));
  memcpy(secret, digest.bytes, KEYED_SIZE);
  return OK;
}
