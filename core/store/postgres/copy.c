/* COPY … FROM STDIN (FORMAT binary): nothing is turned into text. A thread feeds the server, so that the rows of the
 * next table are made while the server takes those of the last one; whoever else uses the connection waits for it. */
#include "core/store/postgres/postgres.h"

#include <signal.h>
#include <stdio.h>

enum { CHUNK_BYTES = 256 << 10, CHUNK_KEPT = 4 * CHUNK_BYTES, CHUNK_LIMIT = 64 << 20 };
static const char SIGNATURE[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";

/* ---- the thread ---- */

static enum status send_rows(struct postgres *self, const struct copy_chunk *chunk, struct error *error) {
  int sent = PQputCopyData(self->connection, chunk->bytes.data, (int)chunk->bytes.len);
  return sent == 1 ? OK : postgres_fail(self->connection, NULL, error);
}

/* Whether the table has forced row-level security (roles.c), into which PostgreSQL copies nothing. */
static enum status is_forced(struct postgres *self, const char *table, bool *forced, struct error *error) {
  char sql[192];
  snprintf(sql, sizeof sql,
           "SELECT 1 FROM pg_catalog.pg_class WHERE oid = to_regclass('\"%s\"') AND relforcerowsecurity", table);
  PGresult *result = PQexec(self->connection, sql);
  enum status status = PQresultStatus(result) == PGRES_TUPLES_OK ? OK : postgres_fail(self->connection, result, error);
  *forced = status == OK && PQntuples(result) > 0;
  PQclear(result);
  return status;
}

/* Rows of such a table go into a temporary one first. `copy` is "COPY "table" (columns) FROM …". */
static enum status take_detour(struct postgres *self, const char *table, const char *copy, struct buffer *detour,
                               struct error *error) {
  const char *columns = strchr(copy, '('), *end = strchr(columns, ')');
  int len = (int)(end - columns) - 1;
  struct buffer *insert = &self->copier.insert;
  char make[224];
  snprintf(make, sizeof make, "CREATE TEMPORARY TABLE IF NOT EXISTS \"in_%s\" (LIKE \"%s\") ON COMMIT DELETE ROWS",
           table, table);
  enum status status = postgres_run_text(self->connection, make, error);
  buffer_printf(detour, "COPY pg_temp.\"in_%s\" %s", table, columns);
  buffer_printf(insert, "INSERT INTO \"%s\" (%.*s) SELECT %.*s FROM pg_temp.\"in_%s\"; TRUNCATE pg_temp.\"in_%s\"",
                table, len, columns + 1, len, columns + 1, table, table);
  status = status == OK ? buffer_check(detour, "statement", error) : status;
  return status == OK ? buffer_check(insert, "statement", error) : status;
}

static enum status open_copy(struct postgres *self, const struct copy_chunk *chunk, struct error *error) {
  struct buffer detour;
  bool forced = false;
  buffer_init(&detour, CHUNK_BYTES);
  buffer_reset(&self->copier.insert);
  enum status ready = is_forced(self, chunk->table, &forced, error);
  if (ready == OK && forced) {
    ready = take_detour(self, chunk->table, chunk->bytes.data, &detour, error);
  }
  PGresult *result = ready == OK ? PQexec(self->connection, forced ? detour.data : chunk->bytes.data) : NULL;
  buffer_free(&detour);
  if (ready != OK) {
    return ready;
  }
  self->copier.copying = PQresultStatus(result) == PGRES_COPY_IN;
  enum status status = self->copier.copying ? OK : postgres_fail(self->connection, result, error);
  PQclear(result);
  return status;
}

enum status postgres_end_copy(PGconn *connection, const char *why, struct error *error) {
  if (PQputCopyEnd(connection, why) != 1) { /* while rows are expected, results would have no end */
    return postgres_fail(connection, NULL, error);
  }
  enum status status = OK;
  for (PGresult *result; (result = PQgetResult(connection)) != NULL; PQclear(result)) {
    if (status == OK && PQresultStatus(result) != PGRES_COMMAND_OK) {
      status = postgres_fail(connection, result, error);
    }
  }
  return status;
}

static enum status close_copy(struct postgres *self, const char *table, const char *why, struct error *error) {
  self->copier.copying = false;
  enum status status = postgres_end_copy(self->connection, why, error);
  if (status != OK) {
    error_place(error, _("table %s"), table);
  }
  return status;
}

/* After a failure only the end of the transaction is looked at. */
static void take_step(struct postgres *self, const struct copy_chunk *chunk, struct error *error) {
  if (chunk->step == COPY_ABANDON) {
    enum status abandoned = self->copier.copying ? close_copy(self, "", "abandoned", error) : OK;
    (void)abandoned; /* a failure is what abandoning asks for */
    error->code = OK;
    return;
  }
  if (error->code != OK) {
    return;
  }
  enum status status = chunk->step == COPY_OPEN ? open_copy(self, chunk, error) : send_rows(self, chunk, error);
  if (status == OK && chunk->step == COPY_CLOSE) {
    status = close_copy(self, chunk->table, NULL, error);
    if (status == OK && self->copier.insert.len > 0) {
      status = postgres_run_text(self->connection, self->copier.insert.data, error);
    }
  }
  error->code = status;
}

static void *feed(void *context) {
  struct postgres *self = context;
  struct copier *copier = &self->copier;
  pthread_mutex_lock(&copier->lock);
  for (;;) {
    while (copier->filled == copier->emptied) {
      pthread_cond_wait(&copier->moved, &copier->lock);
    }
    const struct copy_chunk *chunk = &copier->chunks[copier->emptied % COPY_CHUNKS];
    if (chunk->step == COPY_QUIT) {
      break;
    }
    pthread_mutex_unlock(&copier->lock);
    take_step(self, chunk, &copier->error);
    pthread_mutex_lock(&copier->lock);
    copier->emptied++;
    pthread_cond_broadcast(&copier->moved);
  }
  pthread_mutex_unlock(&copier->lock);
  return NULL;
}

/* ---- the caller's side ---- */

static enum status start(struct postgres *self, struct error *error) {
  struct copier *copier = &self->copier;
  sigset_t all, former;
  if (copier->runs) {
    return OK;
  }
  for (size_t i = 0; i < COPY_CHUNKS; i++) {
    buffer_init(&copier->chunks[i].bytes, CHUNK_LIMIT);
  }
  buffer_init(&copier->insert, CHUNK_BYTES);
  pthread_mutex_init(&copier->lock, NULL);
  pthread_cond_init(&copier->moved, NULL);
  sigfillset(&all); /* signals are the main thread's */
  pthread_sigmask(SIG_SETMASK, &all, &former);
  copier->runs = pthread_create(&copier->thread, NULL, feed, self) == 0;
  pthread_sigmask(SIG_SETMASK, &former, NULL);
  return copier->runs ? OK : error_set(error, ERR_MEMORY, "%s", _("no thread could be started"));
}

/* An empty chunk. One long row is taken by the server before the next, so that memory stays within bounds. */
static struct copy_chunk *claim(struct copier *copier) {
  pthread_mutex_lock(&copier->lock);
  uint64_t ahead = copier->large ? 1 : COPY_CHUNKS;
  while (copier->filled - copier->emptied >= ahead) {
    pthread_cond_wait(&copier->moved, &copier->lock);
  }
  struct copy_chunk *chunk = &copier->chunks[copier->filled % COPY_CHUNKS];
  pthread_mutex_unlock(&copier->lock);
  if (chunk->bytes.capacity > CHUNK_KEPT) {
    buffer_free(&chunk->bytes);
    buffer_init(&chunk->bytes, CHUNK_LIMIT);
  }
  buffer_reset(&chunk->bytes);
  copier->chunk = chunk;
  return chunk;
}

static void hand_over(struct copier *copier, enum copy_step step, const char *table) {
  copier->chunk->step = step;
  copier->chunk->table = table;
  pthread_mutex_lock(&copier->lock);
  copier->large = copier->chunk->bytes.capacity > CHUNK_KEPT;
  copier->filled++;
  pthread_cond_broadcast(&copier->moved);
  pthread_mutex_unlock(&copier->lock);
}

enum status postgres_settle(struct postgres *self, struct error *error) {
  struct copier *copier = &self->copier;
  if (!copier->runs) {
    return OK;
  }
  pthread_mutex_lock(&copier->lock);
  while (copier->filled != copier->emptied) {
    pthread_cond_wait(&copier->moved, &copier->lock);
  }
  enum status status = copier->error.code;
  if (status != OK) {
    *error = copier->error;
  }
  pthread_mutex_unlock(&copier->lock);
  return status;
}

enum status postgres_append_begin(struct driver *driver, const struct table *table, struct error *error) {
  struct postgres *self = (struct postgres *)driver;
  enum status status = start(self, error);
  if (status != OK) {
    return status;
  }
  struct buffer *sql = &claim(&self->copier)->bytes;
  buffer_printf(sql, "COPY \"%s\" (", table->name);
  for (size_t i = 0; i < table->column_count; i++) {
    buffer_printf(sql, "%s\"%s\"", i == 0 ? "" : ", ", table->columns[i].name);
  }
  buffer_text(sql, ") FROM STDIN (FORMAT binary)");
  if ((status = buffer_check(sql, "statement", error)) != OK) {
    return status;
  }
  hand_over(&self->copier, COPY_OPEN, table->name);
  self->copy_columns = table->column_count;
  self->copy_table = table->name;
  struct buffer *rows = &claim(&self->copier)->bytes;
  return buffer_append(rows, SIGNATURE, sizeof SIGNATURE) == OK ? OK : error_memory(error);
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
  struct buffer *rows = &self->copier.chunk->bytes;
  size_t size = 2;
  for (size_t i = 0; i < self->copy_columns; i++) {
    bool sized = values[i].kind == VALUE_TEXT || values[i].kind == VALUE_BYTES;
    size += 12 + (sized ? values[i].len : 0);
  }
  if (buffer_reserve(rows, size) != OK) {
    return buffer_check(rows, "row", error);
  }
  char *out = rows->data + rows->len;
  put_be(out, self->copy_columns, 2);
  size_t used = 2;
  for (size_t i = 0; i < self->copy_columns; i++) {
    used += put_value(out + used, &values[i]);
  }
  rows->len += used;
  if (rows->len >= CHUNK_BYTES) {
    hand_over(&self->copier, COPY_ROWS, self->copy_table);
    claim(&self->copier);
  }
  return OK;
}

enum status postgres_append_end(struct driver *driver, struct error *error) {
  struct postgres *self = (struct postgres *)driver;
  struct buffer *rows = &self->copier.chunk->bytes;
  buffer_append(rows, "\377\377", 2);
  enum status status = buffer_check(rows, "row", error);
  if (status == OK) {
    hand_over(&self->copier, COPY_CLOSE, self->copy_table);
  }
  return status;
}

void postgres_append_abandon(struct postgres *self) {
  struct error ignored;
  if (!self->copier.runs) {
    return;
  }
  claim(&self->copier);
  hand_over(&self->copier, COPY_ABANDON, "");
  enum status settled = postgres_settle(self, &ignored);
  (void)settled; /* nothing is left that could have failed */
}

void postgres_append_close(struct postgres *self) {
  struct copier *copier = &self->copier;
  if (!copier->runs) {
    return;
  }
  claim(copier);
  hand_over(copier, COPY_QUIT, "");
  pthread_join(copier->thread, NULL);
  for (size_t i = 0; i < COPY_CHUNKS; i++) {
    buffer_free(&copier->chunks[i].bytes);
  }
  buffer_free(&copier->insert);
  pthread_cond_destroy(&copier->moved);
  pthread_mutex_destroy(&copier->lock);
  copier->runs = false;
}
