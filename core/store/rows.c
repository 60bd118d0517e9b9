#include "core/store/internal.h"

#include <stdlib.h>

/* Which versions of rows; the run is $1. */
static const char *filter_text(const struct row_filter *filter) {
  if (filter->after_run > 0) {
    return "(s.from_run > $1 OR s.to_run > $1)";
  }
  if (filter->history) {
    return "CAST($1 AS BIGINT) = $1";
  }
  if (filter->as_of_run > 0) {
    return "s.from_run <= $1 AND (s.to_run IS NULL OR s.to_run > $1)";
  }
  return "s.to_run IS NULL AND CAST($1 AS BIGINT) = $1";
}

/* A visit under way. */
struct row_visit {
  struct store *store;
  const struct shelf *shelf;
  const struct row_filter *filter;
  bool identity;
  struct opened room; /* of the identity at hand */
  row_visitor *visit;
  void *context;
  struct error *error;
};

static enum status fill_identity(struct row_visit *v, int64_t row_id, struct slice body, struct cell *cells) {
  const struct seal_place place = identity_place(row_id);
  enum status status = ring_unseal(v->store, &place, body, &v->room, &body, v->error);
  return status == OK ? identity_decode(v->shelf, body, cells, v->error) : status;
}

static enum status fill_row(struct row_visit *v, struct cursor *cursor, struct cell *cells, struct row *row) {
  const struct shelf *shelf = v->shelf;
  const struct driver_ops *ops = v->store->ops;
  memset(cells, 0, shelf->entity->column_count * sizeof *cells);
  for (size_t i = 0; i < shelf->column_count; i++) {
    cells[shelf->columns[i]] = value_cell(ops->value(cursor, ROW_HEAD + i));
  }
  *row = (struct row){
      .row_id = int_of_value(ops->value(cursor, ROW_ID)),
      .key = slice_of_value(ops->value(cursor, ROW_KEY)),
      .case_key = slice_of_value(ops->value(cursor, ROW_CASE)),
      .person_key = slice_of_value(ops->value(cursor, ROW_PERSON)),
      .institution = slice_of_value(ops->value(cursor, ROW_INSTITUTION)),
      .region = slice_of_value(ops->value(cursor, ROW_REGION)),
      .cells = cells,
      .from_run = int_of_value(ops->value(cursor, ROW_FROM)),
      .to_run = int_of_value(ops->value(cursor, ROW_TO)),
  };
  row->source_id = source_of_record(record_of(row->row_id));
  enum status status = OK;
  if (v->identity) {
    status = fill_identity(v, row->row_id, slice_of_value(ops->value(cursor, shelf->table.column_count)), cells);
  }
  missing_decode(shelf->entity, slice_of_value(ops->value(cursor, ROW_MISSING)), cells);
  return status;
}

/* Gives the rows of one statement; `last` is the last one's id, `count` how many there were. */
static enum status give_rows(struct row_visit *v, const char *sql, const struct value *values, size_t value_count,
                             int64_t *last, size_t *count) {
  struct cursor *cursor;
  struct cell cells[ENTITY_COLUMNS_MOST];
  struct row row;
  *count = 0;
  enum status status = db_query(v->store, v->error, &cursor, sql, values, value_count);
  while (status == OK && (status = v->store->ops->next(cursor, v->error)) == OK) {
    status = fill_row(v, cursor, cells, &row);
    *last = row.row_id;
    ++*count;
    if (status == OK) {
      status = v->visit(v->context, &row, v->error);
    }
  }
  v->store->ops->finish(cursor);
  return status == END ? OK : status;
}

/* The run that filter_text speaks of. */
static struct value run_of(const struct row_filter *filter) {
  return int_value(filter->after_run > 0 ? filter->after_run : filter->as_of_run);
}

static const char *identity_join(const struct row_visit *v) {
  return v->identity ? "LEFT JOIN identity i ON i.row_id = s.row_id" : "";
}

static enum status visit_range(struct row_visit *v, struct buffer *sql) {
  const struct row_filter *filter = v->filter;
  buffer_printf(sql, "%s%s FROM \"%s\" s %s WHERE s.row_id > $2 AND s.row_id <= $3 AND %s ORDER BY s.row_id LIMIT $4",
                v->shelf->select, v->identity ? ", i.body" : "", v->shelf->table.name, identity_join(v),
                filter_text(filter));
  enum status status = buffer_check(sql, "statement", v->error);
  int64_t last = filter->record_id == 0 ? 0 : (filter->record_id << ORDINAL_BITS) - 1;
  int64_t most = filter->record_id == 0 ? INT64_MAX : last + (1 << ORDINAL_BITS);
  size_t count = BATCH_ROWS;
  while (status == OK && count == BATCH_ROWS) {
    status = give_rows(v, sql->data, VALUES(run_of(filter), int_value(last), int_value(most), int_value(BATCH_ROWS)),
                       &last, &count);
  }
  return status;
}

static enum status visit_listed(struct row_visit *v, struct buffer *sql) {
  const struct row_filter *filter = v->filter;
  int64_t *ids = db_sorted(filter->rows != NULL ? filter->rows : filter->records, filter->count);
  buffer_printf(sql, "%s%s FROM LIST(2) CROSS JOIN \"%s\" s %s WHERE %s AND %s ORDER BY s.row_id", v->shelf->select,
                v->identity ? ", i.body" : "", v->shelf->table.name, identity_join(v),
                filter->rows != NULL ? "s.row_id = k.value"
                                     : "s.row_id >= (k.value << 20) AND s.row_id < ((k.value + 1) << 20)",
                filter_text(filter));
  enum status status = ids == NULL ? error_memory(v->error) : buffer_check(sql, "statement", v->error);
  for (size_t from = 0; from < filter->count && status == OK; from += BATCH_ROWS) {
    size_t some = filter->count - from < BATCH_ROWS ? filter->count - from : BATCH_ROWS;
    int64_t last = 0;
    size_t count = 0;
    status = give_rows(v, sql->data, VALUES(run_of(filter), list_value(ids + from, some)), &last, &count);
  }
  free(ids);
  return status;
}

enum status store_visit_rows(struct store *store, const struct entity *entity, const struct row_filter *filter,
                             row_visitor *visit, void *context, struct error *error) {
  const struct shelf *shelf = &store->shelves[entity->index];
  struct row_visit v = {.store = store,
                        .shelf = shelf,
                        .filter = filter,
                        .identity = filter->identity && shelf->identifier_count > 0,
                        .visit = visit,
                        .context = context,
                        .error = error};
  struct buffer sql;
  buffer_init(&sql, 1 << 16);
  bool listed = filter->rows != NULL || filter->records != NULL;
  enum status status = v.identity ? ring_need(store, error) : OK;
  if (status == OK) {
    status = listed ? visit_listed(&v, &sql) : visit_range(&v, &sql);
  }
  opened_free(&v.room);
  buffer_free(&sql);
  return status;
}
