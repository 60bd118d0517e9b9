#include "core/store/sqlite/sqlite.h"

#include <stdlib.h>

void sqlite_give_back(struct statement *statement, bool own) {
  if (own) {
    sqlite_discard(statement);
    return;
  }
  sqlite3_reset(statement->handle);
  sqlite3_clear_bindings(statement->handle);
  statement->busy = false;
}

/* Where memory ends, a text or its bytes read as NULL, which must not pass for an empty value: the row is asked for
   here, where that can still be said. What was asked for once stays with the row. */
static bool row_was_read(sqlite3_stmt *handle) {
  int columns = sqlite3_data_count(handle);
  for (int at = 0; at < columns; at++) {
    int type = sqlite3_column_type(handle, at);
    if (type == SQLITE_TEXT && sqlite3_column_text(handle, at) == NULL)
      return false;
    if (type == SQLITE_BLOB && sqlite3_column_blob(handle, at) == NULL && sqlite3_column_bytes(handle, at) > 0)
      return false;
  }
  return true;
}

enum status sqlite_next(struct cursor *cursor, struct error *error) {
  struct sqlite_cursor *self = (struct sqlite_cursor *)cursor;
  int code = sqlite3_step(self->statement->handle);
  if (code == SQLITE_ROW)
    return row_was_read(self->statement->handle) ? OK : error_memory(error);
  if (code == SQLITE_DONE)
    return END;
  sqlite3 *handle = self->handle != NULL ? self->handle : self->sqlite->handle;
  return sqlite_fail(handle, sqlite3_extended_errcode(handle), error);
}

struct value sqlite_value_at(const struct cursor *cursor, size_t column) {
  sqlite3_stmt *handle = ((const struct sqlite_cursor *)cursor)->statement->handle;
  int at = (int)column;
  switch (sqlite3_column_type(handle, at)) {
  case SQLITE_INTEGER:
    return int_value(sqlite3_column_int64(handle, at));
  case SQLITE_FLOAT:
    return real_value(sqlite3_column_double(handle, at));
  case SQLITE_TEXT: {
    const char *text = (const char *)sqlite3_column_text(handle, at);
    return slice_value(slice_make(text, (size_t)sqlite3_column_bytes(handle, at)));
  }
  case SQLITE_BLOB: {
    const void *data = sqlite3_column_blob(handle, at);
    return bytes_value(data == NULL ? "" : data, (size_t)sqlite3_column_bytes(handle, at));
  }
  default:
    return null_value();
  }
}

bool sqlite_is_integer(const struct cursor *cursor, size_t column) {
  sqlite3_stmt *handle = ((const struct sqlite_cursor *)cursor)->statement->handle;
  return sqlite3_column_type(handle, (int)column) == SQLITE_INTEGER;
}

size_t sqlite_columns(const struct cursor *cursor) {
  return (size_t)sqlite3_column_count(((const struct sqlite_cursor *)cursor)->statement->handle);
}

const char *sqlite_column(const struct cursor *cursor, size_t column) {
  return sqlite3_column_name(((const struct sqlite_cursor *)cursor)->statement->handle, (int)column);
}

void sqlite_finish(struct cursor *cursor) {
  struct sqlite_cursor *self = (struct sqlite_cursor *)cursor;
  if (self == NULL)
    return;
  sqlite_give_back(self->statement, self->own);
  sqlite3_close(self->handle);
  free(self);
}
