#include "core/store/erase_whole.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static int compare_id(const void *a, const void *b) {
  int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
  return left < right ? -1 : left > right;
}

/* One interval of a consolidated person or case. */
struct interval {
  int64_t from_run;
  char *origins;
  struct slice body; /* in the arena */
};

struct whole_work {
  struct store *store;
  const struct whole *whole;
  int64_t *rows; /* sorted */
  size_t row_count;
  struct arena *arena;
  int64_t *changed;
};

static bool is_gone(const struct whole_work *work, int64_t row_id) {
  return bsearch(&row_id, work->rows, work->row_count, sizeof row_id, compare_id) != NULL;
}

/* The columns of the interval that came from rows that go: their origins are dropped, and `sets` becomes the SET list
 * of those that stand in the table. */
static bool drop_origins(const struct whole_work *work, json_t *origins, struct buffer *sets, struct cell *cells) {
  const struct shelf *shelf = work->whole->shelf;
  bool any = false;
  for (size_t i = 0; i < shelf->entity->column_count; i++) {
    const char *name = shelf->entity->columns[i].name;
    json_t *origin = json_object_get(origins, name);
    if (origin == NULL || !is_gone(work, json_integer_value(json_array_get(origin, 0)))) {
      continue;
    }
    any = true;
    json_object_del(origins, name);
    if (shelf->entity->columns[i].field->sensitivity == SENSITIVITY_IDENTIFIER) {
      cells[i] = (struct cell){.kind = CELL_NULL};
    } else {
      buffer_printf(sets, ", \"%s\" = NULL", name);
    }
  }
  return any;
}

static struct seal_place whole_place(const struct whole *whole, int64_t id, int64_t from_run) {
  return (struct seal_place){.part = whole->sealed, .id = id, .from = from_run};
}

static enum status write_identity(const struct whole_work *work, int64_t id, const struct interval *interval,
                                  const struct cell *cells, struct error *error) {
  struct store *store = work->store;
  struct slice body;
  const struct seal_place place = whole_place(work->whole, id, interval->from_run);
  enum status status = identity_encode(store, work->whole->shelf, cells, &body, error);
  bool empty = body.len == 0;
  status = status == OK ? ring_writing(store, error) : status;
  status = status == OK && !empty ? ring_seal(store, &place, body, &body, error) : status;
  if (status != OK || interval->body.len == 0) {
    return status;
  }
  const char *sql = arena_printf(work->arena,
                                 empty ? "DELETE FROM \"%s\" WHERE id = $1 AND from_run = $2"
                                       : "UPDATE \"%s\" SET body = $3 WHERE id = $1 AND from_run = $2",
                                 work->whole->identity.name);
  const struct value values[] = {int_value(id), int_value(interval->from_run), bytes_value(body.data, body.len)};
  return sql == NULL ? error_memory(error) : db_execute(store, error, sql, values, empty ? 2 : 3);
}

static enum status rewrite(const struct whole_work *work, int64_t id, const struct interval *interval, json_t *origins,
                           struct error *error) {
  const struct shelf *shelf = work->whole->shelf;
  struct cell *cells = arena_array(work->arena, shelf->entity->column_count + 1, sizeof *cells);
  struct buffer sets;
  if (cells == NULL) {
    return error_memory(error);
  }
  struct opened room = {.data = NULL};
  struct slice plain;
  const struct seal_place place = whole_place(work->whole, id, interval->from_run);
  enum status status = ring_unseal(work->store, &place, interval->body, &room, &plain, error);
  status = status == OK ? identity_decode(shelf, plain, cells, error) : status;
  buffer_init(&sets, 1 << 16);
  buffer_printf(&sets, "UPDATE \"%s\" SET origins = $3", work->whole->table.name);
  if (status == OK && drop_origins(work, origins, &sets, cells)) {
    buffer_printf(&sets, " WHERE %s = $1 AND from_run = $2", work->whole->id);
    char *text = json_dumps(origins, JSON_COMPACT);
    status = text == NULL ? error_memory(error) : buffer_check(&sets, "statement", error);
    status = status == OK ? db_execute(work->store, error, sets.data,
                                       VALUES(int_value(id), int_value(interval->from_run), text_value(text)))
                          : status;
    free(text);
    status = status == OK ? write_identity(work, id, interval, cells, error) : status;
    ++*work->changed;
  }
  buffer_free(&sets);
  opened_free(&room);
  return status;
}

static enum status erase_interval(const struct whole_work *work, int64_t id, const struct interval *interval,
                                  struct error *error) {
  json_t *origins = interval->origins == NULL ? NULL : json_loads(interval->origins, 0, NULL);
  if (origins == NULL) {
    return OK; /* no value of it has an origin */
  }
  enum status status = rewrite(work, id, interval, origins, error);
  json_decref(origins);
  return status;
}

enum { INTERVALS_AT_ONCE = 256 };

static enum status read_intervals(const struct whole_work *work, int64_t id, int64_t after, struct interval *intervals,
                                  size_t *count, struct error *error) {
  struct store *store = work->store;
  const struct whole *whole = work->whole;
  const char *sql = arena_printf(work->arena,
                                 "SELECT p.from_run, p.origins, i.body FROM \"%s\" p LEFT JOIN \"%s\" i ON i.id = p.%s "
                                 "AND i.from_run = p.from_run WHERE p.%s = $1 AND p.from_run > $2 "
                                 "ORDER BY p.from_run LIMIT $3",
                                 whole->table.name, whole->identity.name, whole->id, whole->id);
  struct cursor *cursor;
  *count = 0;
  enum status status = sql == NULL ? error_memory(error)
                                   : db_query(store, error, &cursor, sql,
                                              VALUES(int_value(id), int_value(after), int_value(INTERVALS_AT_ONCE)));
  if (status != OK) {
    return status;
  }
  while (*count < INTERVALS_AT_ONCE && (status = store->ops->next(cursor, error)) == OK) {
    struct interval *one = &intervals[(*count)++];
    struct slice origins = slice_of_value(store->ops->value(cursor, 1));
    struct slice body = slice_of_value(store->ops->value(cursor, 2));
    *one = (struct interval){.from_run = int_of_value(store->ops->value(cursor, 0)),
                             .origins = arena_text(work->arena, origins),
                             .body = arena_copy(work->arena, body)};
    if (one->origins == NULL || (body.len > 0 && one->body.data == NULL)) {
      status = error_memory(error);
      break;
    }
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

static enum status erase_whole(const struct whole_work *work, int64_t id, struct error *error) {
  struct interval intervals[INTERVALS_AT_ONCE];
  int64_t after = -1;
  size_t count = INTERVALS_AT_ONCE;
  enum status status = OK;
  while (status == OK && count == INTERVALS_AT_ONCE) {
    arena_reset(work->arena);
    arena_reset(work->store->scratch);
    status = read_intervals(work, id, after, intervals, &count, error);
    for (size_t i = 0; i < count && status == OK; i++) {
      after = intervals[i].from_run;
      status = erase_interval(work, id, &intervals[i], error);
    }
  }
  return status;
}

enum status whole_erase(struct store *store, enum cluster_kind kind, const struct id_batch *rows, int64_t *changed,
                        struct error *error) {
  struct whole_work work = {
      .store = store, .whole = &store->wholes[kind], .row_count = rows->count, .changed = changed};
  struct id_batch ids = {0};
  char sql[160];
  if (work.whole->shelf == NULL) {
    return OK;
  }
  work.rows = db_sorted(rows->ids, rows->count);
  work.arena = arena_new(0);
  enum status status = work.rows == NULL || work.arena == NULL ? error_memory(error) : OK;
  snprintf(sql, sizeof sql, "SELECT DISTINCT %s FROM %s WHERE row_id IN (SELECT k.value FROM LIST(1))", work.whole->id,
           work.whole->member);
  status = status == OK ? id_batch_read(store, sql, VALUES(list_value(rows->ids, rows->count)), &ids, error) : status;
  for (size_t i = 0; i < ids.count && status == OK; i++) {
    status = erase_whole(&work, ids.ids[i], error);
  }
  free(work.rows);
  arena_free(work.arena);
  id_batch_free(&ids);
  return status;
}
