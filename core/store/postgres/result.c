#include "core/store/postgres/postgres.h"

#include <stdio.h>
#include <stdlib.h>

enum { FETCH_ROWS = 500 };
enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_FLOAT8 = 701 };

enum status postgres_fetch(struct postgres_cursor *self, struct error *error) {
  char sql[64];
  enum status settled = postgres_settle(self->postgres, error);
  if (settled != OK) {
    return settled;
  }
  snprintf(sql, sizeof sql, "FETCH %d FROM %s", FETCH_ROWS, self->name);
  PGresult *result = PQexec(self->postgres->connection, sql);
  if (PQresultStatus(result) != PGRES_TUPLES_OK) {
    enum status status = postgres_fail(self->postgres->connection, result, error);
    PQclear(result);
    return status;
  }
  PQclear(self->result);
  self->result = result;
  self->row = -1;
  return OK;
}

/* The next row of a connection of the cursor's own, which sends one by one. */
static enum status next_single(struct postgres_cursor *self, struct error *error) {
  if (!self->started) {
    self->started = true;
    return self->more ? OK : END;
  }
  if (!self->more) {
    return END;
  }
  PGresult *result = PQgetResult(self->own);
  ExecStatusType got = PQresultStatus(result);
  if (got == PGRES_SINGLE_TUPLE) {
    PQclear(self->result);
    self->result = result;
    return OK;
  }
  self->more = false;
  enum status status = got == PGRES_TUPLES_OK ? END : postgres_fail(self->own, result, error);
  PQclear(result);
  return status;
}

enum status postgres_next(struct cursor *cursor, struct error *error) {
  struct postgres_cursor *self = (struct postgres_cursor *)cursor;
  if (self->own != NULL) {
    return next_single(self, error);
  }
  self->row++;
  if (self->row < PQntuples(self->result)) {
    return OK;
  }
  if (self->name[0] == '\0' || PQntuples(self->result) < FETCH_ROWS) {
    return END;
  }
  enum status status = postgres_fetch(self, error);
  self->row = 0;
  return status == OK && PQntuples(self->result) == 0 ? END : status;
}

static int64_t read_be(const char *bytes, int len) {
  uint64_t value = (bytes[0] & 0x80) != 0 ? UINT64_MAX : 0;
  for (int i = 0; i < len; i++) {
    value = value << 8 | (unsigned char)bytes[i];
  }
  return (int64_t)value;
}

struct value postgres_value(const struct cursor *cursor, size_t column) {
  const struct postgres_cursor *self = (const struct postgres_cursor *)cursor;
  int at = (int)column, row = self->own != NULL ? 0 : self->row;
  if (PQgetisnull(self->result, row, at)) {
    return null_value();
  }
  const char *bytes = PQgetvalue(self->result, row, at);
  int len = PQgetlength(self->result, row, at);
  if (PQfformat(self->result, at) == 0) {
    return slice_value(slice_make(bytes, (size_t)len));
  }
  switch (PQftype(self->result, at)) {
  case OID_INT8:
  case OID_INT4:
  case OID_INT2:
    return int_value(read_be(bytes, len));
  case OID_BOOL:
    return int_value(bytes[0] != 0);
  case OID_FLOAT8: {
    int64_t bits = read_be(bytes, 8);
    double real;
    memcpy(&real, &bits, sizeof real);
    return real_value(real);
  }
  case OID_BYTEA:
    return bytes_value(bytes, (size_t)len);
  default:
    return slice_value(slice_make(bytes, (size_t)len));
  }
}

bool postgres_is_integer(const struct cursor *cursor, size_t column) {
  Oid type = PQftype(((const struct postgres_cursor *)cursor)->result, (int)column);
  return type == OID_INT8 || type == OID_INT4 || type == OID_INT2;
}

size_t postgres_columns(const struct cursor *cursor) {
  return (size_t)PQnfields(((const struct postgres_cursor *)cursor)->result);
}

const char *postgres_column(const struct cursor *cursor, size_t column) {
  const struct postgres_cursor *self = (const struct postgres_cursor *)cursor;
  return PQfname(self->described != NULL ? self->described : self->result, (int)column);
}

void postgres_finish(struct cursor *cursor) {
  struct postgres_cursor *self = (struct postgres_cursor *)cursor;
  if (self == NULL) {
    return;
  }
  PQclear(self->result);
  PQclear(self->described);
  struct error ignored; /* the transaction's end tells it */
  if (self->name[0] != '\0' && postgres_settle(self->postgres, &ignored) == OK
      && PQtransactionStatus(self->postgres->connection) != PQTRANS_INERROR) {
    char sql[40];
    snprintf(sql, sizeof sql, "CLOSE %s", self->name);
    PQclear(PQexec(self->postgres->connection, sql));
  }
  PQfinish(self->own);
  free(self);
}
