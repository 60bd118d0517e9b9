#include "core/store/internal.h"

#include <stdlib.h>

static enum status whole_of(struct store *store, enum cluster_kind kind, const struct whole **whole,
                            struct error *error) {
  *whole = &store->wholes[kind];
  if ((*whole)->shelf == NULL) {
    return error_set(error, ERR_CONFIG, _("the model has no entity %s"), kind == CLUSTER_PERSON ? "person" : "case");
  }
  return OK;
}

enum status store_new_ids(struct store *store, enum cluster_kind kind, int64_t count, int64_t *first,
                          struct error *error) {
  enum status status = db_writing(store, error);
  return status == OK ? db_count(store, kind == CLUSTER_PERSON ? "persons" : "cases", count, first, error) : status;
}

enum status store_visit_members(struct store *store, enum cluster_kind kind, member_visitor *visit, void *context,
                                struct error *error) {
  const struct whole *whole = NULL;
  enum status status = whole_of(store, kind, &whole, error);
  struct buffer sql;
  buffer_init(&sql, 1024);
  if (status == OK) {
    buffer_printf(&sql, "SELECT row_id, %s FROM %s WHERE to_run IS NULL AND row_id > $1 ORDER BY row_id LIMIT $2",
                  whole->id, whole->member);
    status = buffer_check(&sql, "statement", error);
  }
  int64_t last = 0;
  size_t count = BATCH_ROWS;
  while (status == OK && count == BATCH_ROWS) {
    struct cursor *cursor;
    count = 0;
    status = db_query(store, error, &cursor, sql.data, VALUES(int_value(last), int_value(BATCH_ROWS)));
    while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
      struct member member = {.row_id = int_of_value(store->ops->value(cursor, 0)),
                              .id = int_of_value(store->ops->value(cursor, 1))};
      last = member.row_id;
      count++;
      status = visit(context, &member, error);
    }
    store->ops->finish(cursor);
    status = status == END ? OK : status;
  }
  buffer_free(&sql);
  return status;
}

/* ---- members ---- */

/* Ends the current intervals of a table; those that began in this very run never were. */
static enum status close_intervals(struct store *store, const char *table, const char *id, int64_t run,
                                   const int64_t *ids, size_t count, struct error *error) {
  char *drop = arena_printf(store->scratch,
                            "DELETE FROM \"%s\" WHERE from_run = $2 AND to_run IS NULL AND %s IN "
                            "(SELECT k.value FROM LIST(1))",
                            table, id);
  char *close = arena_printf(store->scratch,
                             "UPDATE \"%s\" SET to_run = $2 WHERE to_run IS NULL AND %s IN "
                             "(SELECT k.value FROM LIST(1))",
                             table, id);
  if (drop == NULL || close == NULL) {
    return error_memory(error);
  }
  enum status status = OK;
  for (size_t from = 0; from < count && status == OK; from += BATCH_ROWS) {
    size_t some = count - from < BATCH_ROWS ? count - from : BATCH_ROWS;
    status = db_execute(store, error, drop, VALUES(list_value(ids + from, some), int_value(run)));
    if (status == OK) {
      status = db_execute(store, error, close, VALUES(list_value(ids + from, some), int_value(run)));
    }
  }
  return status;
}

struct named {
  int64_t row_id;
  struct slice key;
};

static int compare_named(const void *a, const void *b) {
  int64_t left = ((const struct named *)a)->row_id, right = ((const struct named *)b)->row_id;
  return left < right ? -1 : left > right;
}

/* The source's own keys of rows, which views find members by. */
static enum status read_keys(struct store *store, const struct whole *whole, const struct member *members, size_t count,
                             struct named *named, size_t *found, struct error *error) {
  int64_t ids[BATCH_ROWS];
  for (size_t i = 0; i < count; i++) {
    ids[i] = members[i].row_id;
  }
  *found = 0;
  char *sql =
      arena_printf(store->scratch, "SELECT s.row_id, s.key FROM LIST(1) CROSS JOIN \"%s\" s WHERE s.row_id = k.value",
                   whole->shelf->table.name);
  struct cursor *cursor;
  enum status status =
      sql == NULL ? error_memory(error) : db_query(store, error, &cursor, sql, VALUES(list_value(ids, count)));
  if (status != OK) {
    return status;
  }
  while (*found < count && (status = store->ops->next(cursor, error)) == OK) {
    struct slice key = slice_of_value(store->ops->value(cursor, 1));
    struct named *one = &named[(*found)++];
    one->row_id = int_of_value(store->ops->value(cursor, 0));
    one->key = arena_copy(store->scratch, key);
    if (key.len > 0 && one->key.data == NULL) {
      status = error_memory(error);
      break;
    }
  }
  store->ops->finish(cursor);
  qsort(named, *found, sizeof *named, compare_named);
  return status == END ? OK : status;
}

static const struct table *system_table(const char *name) {
  size_t count;
  const struct table *tables = tables_system(&count);
  for (size_t i = 0; i < count; i++) {
    if (strcmp(tables[i].name, name) == 0) {
      return &tables[i];
    }
  }
  return NULL;
}

static enum status open_members(struct store *store, const struct whole *whole, int64_t run,
                                const struct member *members, size_t count, struct error *error) {
  struct named named[BATCH_ROWS];
  size_t found = 0;
  enum status status = read_keys(store, whole, members, count, named, &found, error);
  if (status == OK) {
    status = store->ops->append_begin(store->driver, system_table(whole->member), error);
  }
  for (size_t i = 0; i < count && status == OK; i++) {
    struct named wanted = {.row_id = members[i].row_id};
    const struct named *name = bsearch(&wanted, named, found, sizeof *named, compare_named);
    const struct value values[] = {
        int_value(members[i].row_id),
        int_value(run),
        null_value(),
        int_value(members[i].id),
        int_value(source_of_record(record_of(members[i].row_id))),
        name == NULL || name->key.len == 0 ? null_value() : slice_value(name->key),
    };
    status = store->ops->append_row(store->driver, values, error);
  }
  return status == OK ? store->ops->append_end(store->driver, error) : status;
}

enum status store_write_members(struct store *store, enum cluster_kind kind, int64_t run, const int64_t *closed,
                                size_t closed_count, const struct member *opened, size_t opened_count,
                                struct error *error) {
  const struct whole *whole = NULL;
  enum status status = db_writing(store, error);
  if (status == OK) {
    status = whole_of(store, kind, &whole, error);
  }
  if (status == OK) {
    status = close_intervals(store, whole->member, "row_id", run, closed, closed_count, error);
  }
  for (size_t from = 0; from < opened_count && status == OK; from += BATCH_ROWS) {
    size_t left = opened_count - from;
    status = open_members(store, whole, run, opened + from, left < BATCH_ROWS ? left : BATCH_ROWS, error);
  }
  return status;
}

/* ---- consolidated rows ---- */

/* {"sex":[row id,"rule"],…}: one text a row, since a person has a value in a dozen columns. */
static enum status origins_text(struct store *store, const struct whole *whole, const struct consolidated *item,
                                struct slice *text, struct error *error) {
  struct buffer out;
  buffer_init(&out, 1 << 20);
  buffer_char(&out, '{');
  for (size_t i = 0; i < item->origin_count; i++) {
    const struct origin *origin = &item->origins[i];
    buffer_text(&out, i == 0 ? "" : ",");
    buffer_json(&out, slice_of(whole->shelf->entity->columns[origin->column].name));
    buffer_printf(&out, ":[%lld,", (long long)origin->row_id);
    buffer_json(&out, slice_of(origin->rule));
    buffer_char(&out, ']');
  }
  buffer_char(&out, '}');
  enum status status = buffer_check(&out, "origins", error);
  *text = status == OK ? arena_copy(store->scratch, buffer_view(&out)) : slice_make(NULL, 0);
  buffer_free(&out);
  return status == OK && text->data == NULL ? error_memory(error) : status;
}

/* What is to be written of one item. */
struct draft {
  int64_t id;
  struct value *values; /* in the order of the table */
  struct slice body;
  bool same, current;
};

static struct seal_place draft_place(const struct whole *whole, int64_t id, int64_t from_run) {
  return (struct seal_place){.part = whole->sealed, .id = id, .from = from_run};
}

static int compare_draft(const void *a, const void *b) {
  int64_t left = ((const struct draft *)a)->id, right = ((const struct draft *)b)->id;
  return left < right ? -1 : left > right;
}

static enum status make_draft(struct store *store, const struct whole *whole, int64_t run,
                              const struct consolidated *item, struct draft *draft, struct error *error) {
  const struct shelf *shelf = whole->shelf;
  struct slice origins;
  *draft = (struct draft){.id = item->id,
                          .values = arena_array(store->scratch, whole->table.column_count, sizeof(struct value))};
  enum status status = draft->values == NULL ? error_memory(error) : origins_text(store, whole, item, &origins, error);
  if (status != OK) {
    return status;
  }
  draft->values[WHOLE_ID] = int_value(item->id);
  draft->values[WHOLE_FROM] = int_value(run);
  draft->values[WHOLE_TO] = null_value();
  draft->values[WHOLE_RECORDS] = int_value(item->records);
  draft->values[WHOLE_ORIGINS] = slice_value(origins);
  for (size_t i = 0; i < shelf->column_count; i++) {
    draft->values[WHOLE_HEAD + i] =
        cell_value(store, &item->cells[shelf->columns[i]], whole->table.columns[WHOLE_HEAD + i].type);
  }
  return identity_encode(store, shelf, item->cells, &draft->body, error);
}

/* Values but for identifiers are told apart first. */
static enum status same_draft(struct store *store, const struct whole *whole, struct cursor *cursor,
                              struct draft *draft, struct opened *room, struct error *error) {
  const struct driver_ops *ops = store->ops;
  draft->current = draft->same = true;
  for (size_t i = WHOLE_RECORDS; i < whole->table.column_count && draft->same; i++) {
    struct value stored = ops->value(cursor, i);
    draft->same = value_same(&stored, &draft->values[i]);
  }
  if (!draft->same) {
    return OK;
  }
  const struct seal_place place = draft_place(whole, draft->id, int_of_value(ops->value(cursor, WHOLE_FROM)));
  struct slice stored = slice_of_value(ops->value(cursor, whole->table.column_count));
  enum status status = ring_unseal(store, &place, stored, room, &stored, error);
  draft->same = status == OK && slice_equal(draft->body, stored);
  return status;
}

static enum status mark_same(struct store *store, const struct whole *whole, struct draft *drafts, size_t count,
                             struct error *error) {
  int64_t ids[BATCH_ROWS];
  struct buffer sql;
  buffer_init(&sql, 1 << 16);
  buffer_text(&sql, "SELECT ");
  for (size_t i = 0; i < whole->table.column_count; i++) {
    buffer_printf(&sql, "s.\"%s\", ", whole->table.columns[i].name);
  }
  buffer_printf(&sql,
                "i.body FROM LIST(1) CROSS JOIN \"%s\" s LEFT JOIN \"%s\" i ON i.id = s.%s AND i.from_run = s.from_run "
                "WHERE s.%s = k.value AND s.to_run IS NULL",
                whole->table.name, whole->identity.name, whole->id, whole->id);
  enum status status = buffer_check(&sql, "statement", error);
  for (size_t i = 0; i < count; i++) {
    ids[i] = drafts[i].id;
  }
  struct opened room = {.data = NULL};
  struct cursor *cursor = NULL;
  if (status == OK) {
    status = db_query(store, error, &cursor, sql.data, VALUES(list_value(ids, count)));
  }
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    struct draft wanted = {.id = int_of_value(store->ops->value(cursor, WHOLE_ID))};
    struct draft *draft = bsearch(&wanted, drafts, count, sizeof *drafts, compare_draft);
    if (draft != NULL && (status = same_draft(store, whole, cursor, draft, &room, error)) != OK) {
      break;
    }
  }
  opened_free(&room);
  store->ops->finish(cursor);
  buffer_free(&sql);
  return status == END ? OK : status;
}

static enum status close_whole(struct store *store, const struct whole *whole, int64_t run, const int64_t *ids,
                               size_t count, struct error *error) {
  enum status status = close_intervals(store, whole->table.name, whole->id, run, ids, count, error);
  return status == OK ? close_intervals(store, whole->identity.name, "id", run, ids, count, error) : status;
}

static enum status append_drafts(struct store *store, const struct whole *whole, int64_t run,
                                 const struct draft *drafts, size_t count, struct error *error) {
  enum status status = store->ops->append_begin(store->driver, &whole->table, error);
  for (size_t i = 0; i < count && status == OK; i++) {
    if (!drafts[i].same) {
      status = store->ops->append_row(store->driver, drafts[i].values, error);
    }
  }
  if (status == OK) {
    status = store->ops->append_end(store->driver, error);
  }
  if (status == OK) {
    status = store->ops->append_begin(store->driver, &whole->identity, error);
  }
  for (size_t i = 0; i < count && status == OK; i++) {
    const struct seal_place place = draft_place(whole, drafts[i].id, run);
    struct slice sealed;
    if (drafts[i].same || drafts[i].body.len == 0) {
      continue;
    }
    status = ring_seal(store, &place, drafts[i].body, &sealed, error);
    const struct value values[] = {int_value(drafts[i].id), int_value(run), null_value(),
                                   bytes_value(sealed.data, sealed.len)};
    status = status == OK ? store->ops->append_row(store->driver, values, error) : status;
  }
  return status == OK ? store->ops->append_end(store->driver, error) : status;
}

static enum status write_some(struct store *store, const struct whole *whole, int64_t run,
                              const struct consolidated *items, size_t count, struct error *error) {
  struct draft drafts[BATCH_ROWS];
  int64_t ids[BATCH_ROWS];
  enum status status = db_writing(store, error);
  status = status == OK ? ring_writing(store, error) : status;
  for (size_t i = 0; i < count && status == OK; i++) {
    status = make_draft(store, whole, run, &items[i], &drafts[i], error);
  }
  if (status != OK) {
    return status;
  }
  qsort(drafts, count, sizeof *drafts, compare_draft);
  status = mark_same(store, whole, drafts, count, error);
  size_t closing = 0;
  for (size_t i = 0; i < count; i++) {
    if (drafts[i].current && !drafts[i].same) {
      ids[closing++] = drafts[i].id;
    }
  }
  if (status == OK && closing > 0) {
    status = close_whole(store, whole, run, ids, closing, error);
  }
  return status == OK ? append_drafts(store, whole, run, drafts, count, error) : status;
}

enum status store_write_consolidated(struct store *store, enum cluster_kind kind, int64_t run,
                                     const struct consolidated *items, size_t count, struct error *error) {
  const struct whole *whole = NULL;
  enum status status = whole_of(store, kind, &whole, error);
  for (size_t from = 0; from < count && status == OK; from += BATCH_ROWS) {
    status = write_some(store, whole, run, items + from, count - from < BATCH_ROWS ? count - from : BATCH_ROWS, error);
  }
  return status;
}

/* ---- redirects ---- */

enum status store_write_redirects(struct store *store, enum cluster_kind kind, int64_t run,
                                  const struct redirect *redirects, size_t count, struct error *error) {
  const struct whole *whole = NULL;
  enum status status = db_writing(store, error);
  if (status == OK) {
    status = whole_of(store, kind, &whole, error);
  }
  if (status != OK || count == 0) {
    return status;
  }
  int64_t *ids = arena_array(store->scratch, count, sizeof *ids);
  if (ids == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < count; i++) {
    ids[i] = redirects[i].id;
  }
  status = close_whole(store, whole, run, ids, count, error);
  if (status == OK) {
    status = store->ops->append_begin(store->driver, system_table(whole->redirect), error);
  }
  for (size_t i = 0; i < count && status == OK; i++) {
    const struct value values[] = {int_value(redirects[i].id), int_value(run), int_value(redirects[i].into)};
    status = store->ops->append_row(store->driver, values, error);
  }
  return status == OK ? store->ops->append_end(store->driver, error) : status;
}
