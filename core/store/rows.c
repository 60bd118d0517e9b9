#include "core/store/internal.h"

static const char *filter_text(const struct row_filter *filter) {
  if (filter->history) {
    return "s.row_id > $1 AND s.row_id <= $2 AND CAST($3 AS BIGINT) = $3";
  }
  if (filter->as_of_run > 0) {
    return "s.row_id > $1 AND s.row_id <= $2 AND s.from_run <= $3 AND (s.to_run IS NULL OR s.to_run > $3)";
  }
  return "s.row_id > $1 AND s.row_id <= $2 AND s.to_run IS NULL AND CAST($3 AS BIGINT) = $3";
}

static enum status fill_row(struct store *store, const struct shelf *shelf, struct cursor *cursor, bool identity,
                            struct cell *cells, struct row *row, struct error *error) {
  const struct driver_ops *ops = store->ops;
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
  if (identity) {
    status = identity_decode(shelf, slice_of_value(ops->value(cursor, shelf->table.column_count)), cells, error);
  }
  missing_decode(shelf->entity, slice_of_value(ops->value(cursor, ROW_MISSING)), cells);
  return status;
}

enum status store_visit_rows(struct store *store, const struct entity *entity, const struct row_filter *filter,
                             row_visitor *visit, void *context, struct error *error) {
  const struct shelf *shelf = &store->shelves[entity->index];
  bool identity = filter->identity && shelf->identifier_count > 0;
  struct buffer sql;
  buffer_init(&sql, 1 << 16);
  buffer_printf(&sql, "%s%s FROM \"%s\" s %s WHERE %s ORDER BY s.row_id LIMIT $4", shelf->select,
                identity ? ", i.body" : "", shelf->table.name,
                identity ? "LEFT JOIN identity i ON i.row_id = s.row_id" : "", filter_text(filter));
  enum status status = buffer_check(&sql, "statement", error);
  int64_t last = filter->record_id == 0 ? 0 : (filter->record_id << ORDINAL_BITS) - 1;
  int64_t most = filter->record_id == 0 ? INT64_MAX : last + (1 << ORDINAL_BITS);
  size_t count = BATCH_ROWS;
  while (status == OK && count == BATCH_ROWS) {
    struct cursor *cursor;
    struct cell cells[ENTITY_COLUMNS_MOST];
    struct row row;
    count = 0;
    status = db_query(store, error, &cursor, sql.data,
                      VALUES(int_value(last), int_value(most), int_value(filter->as_of_run), int_value(BATCH_ROWS)));
    while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
      status = fill_row(store, shelf, cursor, identity, cells, &row, error);
      last = row.row_id;
      count++;
      if (status == OK) {
        status = visit(context, &row, error);
      }
    }
    store->ops->finish(cursor);
    status = status == END ? OK : status;
  }
  buffer_free(&sql);
  return status;
}
