/* COPY … FROM STDIN (FORMAT binary): nothing is turned into text, and the server reads while the next rows are made. */
#include "core/store/postgres/postgres.h"

enum { FLUSH_BYTES = 128 << 10 };
static const char SIGNATURE[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";

static enum status flush(struct postgres *self, struct error *error) {
  if (self->copy.len == 0) {
    return OK;
  }
  int sent = PQputCopyData(self->connection, self->copy.data, (int)self->copy.len);
  buffer_reset(&self->copy);
  return sent == 1 ? OK : postgres_fail(self->connection, NULL, error);
}

enum status postgres_append_begin(struct driver *driver, const struct table *table, struct error *error) {
  struct postgres *self = (struct postgres *)driver;
  struct buffer sql;
  buffer_init(&sql, 1 << 16);
  buffer_printf(&sql, "COPY \"%s\" (", table->name);
  for (size_t i = 0; i < table->column_count; i++) {
    buffer_printf(&sql, "%s\"%s\"", i == 0 ? "" : ", ", table->columns[i].name);
    self->copy_types[i] = table->columns[i].type;
  }
  buffer_text(&sql, ") FROM STDIN (FORMAT binary)");
  enum status status = buffer_check(&sql, "statement", error);
  if (status == OK) {
    PGresult *result = PQexec(self->connection, sql.data);
    self->copying = PQresultStatus(result) == PGRES_COPY_IN;
    status = self->copying ? OK : postgres_fail(self->connection, result, error);
    PQclear(result);
  }
  buffer_free(&sql);
  self->copy_columns = table->column_count;
  self->copy_table = table->name;
  buffer_reset(&self->copy);
  if (status == OK && buffer_append(&self->copy, SIGNATURE, sizeof SIGNATURE) != OK) {
    status = error_memory(error);
  }
  return status;
}

static size_t put_value(char *out, const struct value *value) {
  switch (value->kind) {
  case VALUE_INTEGER:
  case VALUE_REAL:
    put_be(out, 8, 4);
    put_be(out + 4, (uint64_t)value->integer, 8);
    return 12;
  case VALUE_TEXT:
  case VALUE_BYTES:
    put_be(out, value->len, 4);
    memcpy(out + 4, value->text, value->len);
    return 4 + (size_t)value->len;
  default:
    put_be(out, UINT32_MAX, 4);
    return 4;
  }
}

enum status postgres_append_row(struct driver *driver, const struct value *values, struct error *error) {
  struct postgres *self = (struct postgres *)driver;
  size_t size = 2;
  for (size_t i = 0; i < self->copy_columns; i++) {
    bool sized = values[i].kind == VALUE_TEXT || values[i].kind == VALUE_BYTES;
    size += 12 + (sized ? values[i].len : 0);
  }
  if (buffer_reserve(&self->copy, size) != OK) {
    return buffer_check(&self->copy, "row", error);
  }
  char *out = self->copy.data + self->copy.len;
  put_be(out, self->copy_columns, 2);
  size_t used = 2;
  for (size_t i = 0; i < self->copy_columns; i++) {
    used += put_value(out + used, &values[i]);
  }
  self->copy.len += used;
  return self->copy.len >= FLUSH_BYTES ? flush(self, error) : OK;
}

enum status postgres_append_end(struct driver *driver, struct error *error) {
  struct postgres *self = (struct postgres *)driver;
  buffer_append(&self->copy, "\377\377", 2);
  enum status status = buffer_check(&self->copy, "row", error);
  if (status == OK) {
    status = flush(self, error);
  }
  if (status != OK) {
    return status;
  }
  self->copying = false;
  if (PQputCopyEnd(self->connection, NULL) != 1) {
    return postgres_fail(self->connection, NULL, error);
  }
  for (PGresult *result; (result = PQgetResult(self->connection)) != NULL; PQclear(result)) {
    if (PQresultStatus(result) != PGRES_COMMAND_OK && status == OK) {
      status = postgres_fail(self->connection, result, error);
      error_place(error, _("table %s"), self->copy_table);
    }
  }
  return status;
}

void postgres_append_abandon(struct postgres *self) {
  if (!self->copying) {
    return;
  }
  self->copying = false;
  PQputCopyEnd(self->connection, "abandoned");
  for (PGresult *result; (result = PQgetResult(self->connection)) != NULL;) {
    PQclear(result);
  }
}
