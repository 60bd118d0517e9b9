#include "core/store/stage.h"

#include <stdlib.h>

enum { ROWS_MOST = (1 << ROW_BITS) - 1 };

static int64_t first_row(const struct shelf *shelf, int64_t record_id) {
  return (record_id << ORDINAL_BITS) + ((int64_t)shelf->number << ROW_BITS);
}

struct slice stage_missing_key(struct slice key) {
  return key.len == 0 ? slice_make(NULL, 0) : key;
}

static void stage_head(struct store *store, const struct staging *staging, const struct shelf *shelf,
                       const struct rows *rows, size_t row, struct value *values) {
  const struct row_head *head = &rows->heads[row];
  const struct cell *cells = rows_cells(rows, row);
  values[ROW_ID] = null_value();
  values[ROW_KEY] = slice_value(db_text(store, stage_missing_key(head->key)));
  values[ROW_CASE] = slice_value(db_text(store, stage_missing_key(head->case_key)));
  values[ROW_PERSON] = slice_value(db_text(store, stage_missing_key(head->person_key)));
  values[ROW_INSTITUTION] = text_value(staging->institution);
  values[ROW_REGION] = shelf->region < 0 ? null_value() : cell_value(store, &cells[shelf->region], COLUMN_TEXT);
  values[ROW_MISSING] = missing_encode(store, shelf->entity, cells);
  values[ROW_FROM] = int_value(staging->run);
  values[ROW_TO] = null_value();
}

void stage_values(struct store *store, const struct staging *staging, const struct shelf *shelf,
                  const struct rows *rows, size_t row, struct value *values) {
  const struct cell *cells = rows_cells(rows, row);
  stage_head(store, staging, shelf, rows, row, values);
  for (size_t i = 0; i < shelf->column_count; i++) {
    values[ROW_HEAD + i] = cell_value(store, &cells[shelf->columns[i]], shelf->table.columns[ROW_HEAD + i].type);
  }
}

/* Numbers the rows of records that had none. */
static enum status number_rows(struct store *store, const struct staging *staging, const struct shelf *shelf,
                               const struct rows *rows, int64_t *ids, struct error *error) {
  uint32_t *used = arena_array(store->scratch, staging->count, sizeof *used);
  if (used == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < rows->count; i++) {
    uint32_t at = rows->heads[i].record;
    if (++used[at] > ROWS_MOST) {
      return error_set(error, ERR_LIMIT, _("one record makes more than %d rows of entity %s"), ROWS_MOST,
                       shelf->entity->name);
    }
    ids[i] = first_row(shelf, staging->records[at].record_id) + used[at];
  }
  return OK;
}

/* Most columns of a wide table are empty in all rows of a source: the table without those. A column stays once it was
 * used, so that a process knows few forms of a statement. */
static void used_columns(const struct shelf *shelf, const struct rows *rows, struct table_column *columns,
                         struct table *table, size_t *places) {
  for (size_t i = 0; i < shelf->column_count; i++) {
    size_t column = (size_t)shelf->columns[i];
    for (size_t row = 0; row < rows->count && !shelf->used[ROW_HEAD + i]; row++) {
      shelf->used[ROW_HEAD + i] = rows_cells(rows, row)[column].kind != CELL_NULL;
    }
  }
  *table = shelf->table;
  table->columns = columns;
  table->column_count = 0;
  for (size_t i = 0; i < shelf->table.column_count; i++) {
    if (i < ROW_HEAD || shelf->used[i]) {
      places[table->column_count] = i;
      columns[table->column_count++] = shelf->table.columns[i];
    }
  }
}

static enum status append_rows(struct store *store, const struct staging *staging, const struct shelf *shelf,
                               const struct rows *rows, const int64_t *ids, int64_t *opened, struct error *error) {
  struct value values[TABLE_COLUMNS_MOST];
  struct table_column columns[TABLE_COLUMNS_MOST];
  size_t places[TABLE_COLUMNS_MOST];
  struct table table;
  used_columns(shelf, rows, columns, &table, places);
  enum status status = store->ops->append_begin(store->driver, &table, error);
  for (size_t i = 0; i < rows->count && status == OK; i++) {
    if (ids[i] == 0) {
      continue;
    }
    const struct cell *cells = rows_cells(rows, i);
    stage_head(store, staging, shelf, rows, i, values);
    values[ROW_ID] = int_value(ids[i]);
    for (size_t c = ROW_HEAD; c < table.column_count; c++) {
      values[c] = cell_value(store, &cells[shelf->columns[places[c] - ROW_HEAD]], columns[c].type);
    }
    status = store->ops->append_row(store->driver, values, error);
    ++*opened;
  }
  return status == OK ? store->ops->append_end(store->driver, error) : status;
}

static enum status append_identity(struct store *store, const struct shelf *shelf, const struct rows *rows,
                                   const int64_t *ids, struct error *error) {
  struct keyed_digest digests[TABLE_COLUMNS_MOST];
  struct value values[TABLE_COLUMNS_MOST];
  enum status status = store->ops->append_begin(store->driver, &store->identity, error);
  for (size_t i = 0; i < rows->count && status == OK; i++) {
    struct slice body;
    if (ids[i] == 0) {
      continue;
    }
    status = identity_encode(store, shelf, rows_cells(rows, i), &body, error);
    if (status != OK || body.len == 0) {
      continue;
    }
    const struct seal_place place = identity_place(ids[i]);
    status = ring_seal(store, &place, body, &body, error);
    if (status != OK) {
      break;
    }
    values[0] = int_value(ids[i]);
    values[1] = bytes_value(body.data, body.len);
    identity_keys(store, shelf, rows_cells(rows, i), digests, values + 2);
    status = store->ops->append_row(store->driver, values, error);
  }
  return status == OK ? store->ops->append_end(store->driver, error) : status;
}

static enum status stage_entity(struct store *store, const struct staging *staging, const struct shelf *shelf,
                                struct staged *staged, struct error *error) {
  const struct rows *rows = &staging->batch->rows[shelf->entity->index];
  if (rows->count == 0 && staging->all_new) {
    return OK;
  }
  int64_t *ids = arena_array(store->scratch, rows->count + 1, sizeof *ids);
  if (ids == NULL) {
    return error_memory(error);
  }
  enum status status = staging->all_new ? number_rows(store, staging, shelf, rows, ids, error)
                                        : stage_compare(store, staging, shelf, rows, ids, staged, error);
  int64_t opened = staged->opened;
  if (status == OK && rows->count > 0) {
    status = append_rows(store, staging, shelf, rows, ids, &staged->opened, error);
  }
  if (status == OK && shelf->identifier_count > 0 && staged->opened > opened) {
    status = append_identity(store, shelf, rows, ids, error);
  }
  if (status == OK && shelf->encoding >= 0 && staged->opened > opened) {
    status = encoding_append(store, shelf, rows, ids, error);
  }
  return status;
}

enum status store_stage(struct store *store, const struct staging *staging, struct staged *staged,
                        struct error *error) {
  enum status status = db_writing(store, error);
  memset(staged, 0, sizeof *staged);
  if (status == OK && staging->count > 0) {
    status = ring_writing(store, error);
  }
  for (size_t e = 0; e < store->model->entity_count && status == OK && staging->count > 0; e++) {
    status = stage_entity(store, staging, &store->shelves[e], staged, error);
  }
  return status == OK && staging->count > 0 ? stage_issues(store, staging, error) : status;
}
