#include "core/store/ledger.h"

#include "core/store/internal.h"

static struct value number_or_null(bool there, int64_t number) {
  return there ? int_value(number) : null_value();
}

static enum status write_cells(struct store *store, int64_t release_id, int64_t number,
                               const struct ledger_table *table, struct error *error) {
  enum status status = store->ops->append_begin(store->driver, &TABLE_RELEASE_CELL, error);
  for (size_t i = 0; i < table->cell_count && status == OK; i++) {
    const struct ledger_cell *cell = &table->cells[i];
    const struct value values[] = {int_value(release_id),
                                   int_value(number),
                                   int_value((int64_t)i + 1),
                                   text_value(cell->values[0]),
                                   text_value(cell->values[1]),
                                   text_value(cell->values[2]),
                                   text_value(cell->values[3]),
                                   number_or_null(!cell->hidden, cell->figure),
                                   text_value(cell->hidden ? "hidden" : "shown")};
    status = store->ops->append_row(store->driver, values, error);
  }
  return status == OK ? store->ops->append_end(store->driver, error) : status;
}

static enum status write_table(struct store *store, int64_t release_id, int64_t number,
                               const struct ledger_table *table, struct error *error) {
  enum status status = db_execute(
      store, error,
      "INSERT INTO release_table (release_id, number, name, fields, settings, body, digest) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7)",
      VALUES(int_value(release_id), int_value(number), text_value(table->name), text_value(table->fields),
             text_value(table->settings), slice_value(table->body), bytes_value(table->digest.bytes, SHA256_SIZE)));
  return status == OK && table->cell_count > 0 ? write_cells(store, release_id, number, table, error) : status;
}

enum status store_publish(struct store *store, struct ledger_release *release, struct error *error) {
  enum status status = db_writing(store, error);
  status = status == OK ? db_count(store, "release", 1, &release->id, error) : status;
  if (status == OK) {
    status = db_execute(store, error,
                        "INSERT INTO release (release_id, name, made, actor, purpose, run, settings, digest, replaces) "
                        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                        VALUES(int_value(release->id), text_value(release->name), int_value(release->made),
                               text_value(release->actor), text_value(release->purpose), int_value(release->run),
                               text_value(release->settings), bytes_value(release->digest.bytes, SHA256_SIZE),
                               number_or_null(release->replaces != 0, release->replaces)));
  }
  for (size_t i = 0; i < release->table_count && status == OK; i++) {
    status = write_table(store, release->id, (int64_t)i + 1, &release->tables[i], error);
  }
  return status;
}
