/* SQLite files: opened read-only, one read transaction a pass. */
#include "connectors/sql/sql.h"
#include "core/base/date.h"
#include "core/base/text.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { STEPS_BETWEEN_LOOKS = 100000, NAMES_MOST = 200 };

struct sqlite_session {
  sqlite3 *db;
  sqlite3_stmt *statement;
  struct buffer blobs; /* hexadecimal text of the row's blobs */
  int64_t deadline;    /* of the page under way, monotonic */
  int64_t last_step;
  bool timed_out;
};

static struct sqlite_session *session_of(const struct sql *sql) {
  return sql->session;
}

static void sqlite_disconnect(struct sql *sql) {
  struct sqlite_session *session = session_of(sql);
  sqlite3_finalize(session->statement);
  sqlite3_close(session->db);
  buffer_free(&session->blobs);
  free(session);
  sql->session = NULL;
}

/* Asked by SQLite from time to time: whether to give up. */
static int look_up(void *context) {
  struct sql *sql = context;
  struct sqlite_session *session = session_of(sql);
  session->timed_out = clock_monotonic() > session->deadline;
  return session->timed_out || sql_stopped(sql);
}

static const char *nearest_table(const struct sql *sql, const char *name) {
  const char *names[NAMES_MOST];
  size_t count = 0;
  sqlite3_stmt *statement = NULL;
  sqlite3_prepare_v2(session_of(sql)->db,
                     "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name", -1, &statement,
                     NULL);
  while (statement != NULL && count < NAMES_MOST && sqlite3_step(statement) == SQLITE_ROW) {
    const char *copy = arena_text(sql->arena, slice_of((const char *)sqlite3_column_text(statement, 0)));
    if (copy != NULL)
      names[count++] = copy;
  }
  sqlite3_finalize(statement);
  return text_nearest(slice_of(name), names, count);
}

/* SQLite's messages for a statement that does not compile name tables, columns and words of the statement only. */
static enum status bad_statement(const struct sql *sql, struct error *error) {
  const char *message = sqlite3_errmsg(session_of(sql)->db);
  error_set(error, ERR_CONFIG, _("the query cannot be run: %s"), message);
  const char *name = strstr(message, "no such table: ");
  const char *nearest = name == NULL ? NULL : nearest_table(sql, name + strlen("no such table: "));
  if (nearest != NULL)
    error_hint(error, _("did you mean \"%s\"?"), nearest);
  else
    error_hint(error, _("check \"query\" against the tables and columns of the file"));
  return ERR_CONFIG;
}

static enum status run_error(const struct sql *sql, int code, struct error *error) {
  switch (code & 0xff) {
  case SQLITE_INTERRUPT:
    if (!session_of(sql)->timed_out)
      return error_set(error, ERR_INTERRUPTED, _("stopped while rows were read"));
    error_set(error, ERR_NETWORK, _("the database took longer than \"timeout\""));
    error_hint(error, _("an index on the watermark and key columns helps; or raise \"timeout\""));
    return ERR_NETWORK;
  case SQLITE_NOMEM:
    return error_memory(error);
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    error_set(error, ERR_NETWORK, _("another program is writing to the SQLite file"));
    error_hint(error, _("try again when it has finished"));
    return ERR_NETWORK;
  case SQLITE_NOTADB:
    error_set(error, ERR_INPUT, _("the file is not an SQLite database"));
    error_hint(error, _("check \"sqlite\""));
    return ERR_INPUT;
  case SQLITE_CORRUPT:
    error_set(error, ERR_INPUT, _("the SQLite file is damaged"));
    error_hint(error, _("have it sent again; \"PRAGMA integrity_check\" tells more"));
    return ERR_INPUT;
  case SQLITE_CANTOPEN:
  case SQLITE_PERM:
  case SQLITE_READONLY:
    error_set(error, ERR_AUTH, _("no permission to read the SQLite file"));
    error_hint(error, _("let the user that runs puente read it; a file in WAL mode needs a folder it may write to"));
    return ERR_AUTH;
  default:
    return error_set(error, ERR_REMOTE, _("SQLite failed with code %d"), code);
  }
}

static enum status at_file(const struct sql *sql, enum status status, struct error *error) {
  if (status != OK && status != END)
    error_place(error, "%s", sql->options->sqlite);
  return status;
}

static void next_deadline(const struct sql *sql) {
  session_of(sql)->deadline = clock_monotonic() + sql->options->timeout;
}

static enum status open_file(struct sql *sql, struct error *error) {
  struct sqlite_session *session = session_of(sql);
  struct stat facts;
  if (stat(sql->options->sqlite, &facts) != 0) {
    error_set(error, ERR_NOT_FOUND, _("there is no such SQLite file"));
    error_hint(error, _("check \"sqlite\""));
    return ERR_NOT_FOUND;
  }
  int code = sqlite3_open_v2(sql->options->sqlite, &session->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
  if (code == SQLITE_OK) {
    sqlite3_busy_timeout(session->db, 10000);
    sqlite3_progress_handler(session->db, STEPS_BETWEEN_LOOKS, look_up, sql);
    code = sqlite3_exec(session->db,
                        "PRAGMA query_only = 1; PRAGMA trusted_schema = 0; BEGIN;"
                        " SELECT count(*) FROM sqlite_schema;",
                        NULL, NULL, NULL);
  }
  return code == SQLITE_OK ? OK : run_error(sql, code, error);
}

static enum status sqlite_connect(struct sql *sql, struct error *error) {
  struct sqlite_session *session = calloc(1, sizeof *session);
  if (session == NULL)
    return error_memory(error);
  sql->session = session;
  buffer_init(&session->blobs, 64 << 20);
  next_deadline(sql);
  return at_file(sql, open_file(sql, error), error);
}

static enum status sqlite_describe(struct sql *sql, const char *text, struct error *error) {
  sqlite3_stmt *statement = NULL;
  next_deadline(sql);
  if (sqlite3_prepare_v2(session_of(sql)->db, text, -1, &statement, NULL) != SQLITE_OK)
    return at_file(sql, bad_statement(sql, error), error);
  sql->column_count = (size_t)sqlite3_column_count(statement);
  sql->columns = arena_array(sql->arena, sql->column_count + 1, sizeof *sql->columns);
  for (size_t i = 0; sql->columns != NULL && i < sql->column_count; i++) {
    sql->columns[i] = arena_text(sql->arena, slice_of(sqlite3_column_name(statement, (int)i)));
    if (sql->columns[i] == NULL)
      sql->columns = NULL;
  }
  sqlite3_finalize(statement);
  return sql->columns == NULL ? error_memory(error) : OK;
}

/* In SQLite every number comes before every text. The affinity of a column sees to it that text is compared as its
 * values are stored, but an expression of the query has none: what is written as a whole number is bound as one, which
 * a column of text turns into the same text again. */
static int bind(const struct sql *sql, int number, const char *value) {
  sqlite3_stmt *statement = session_of(sql)->statement;
  int64_t whole;
  bool plain = *value != '0' || value[1] == '\0';
  if (plain && *value != '+' && *value != '-' && text_to_int64(slice_of(value), &whole))
    return sqlite3_bind_int64(statement, number, whole);
  return sqlite3_bind_text(statement, number, value, -1, SQLITE_TRANSIENT);
}

static enum status sqlite_start(struct sql *sql, const char *text, const char *const *parameters, size_t count,
                                struct error *error) {
  struct sqlite_session *session = session_of(sql);
  next_deadline(sql);
  if (sqlite3_prepare_v2(session->db, text, -1, &session->statement, NULL) != SQLITE_OK)
    return at_file(sql, bad_statement(sql, error), error);
  for (size_t i = 0; i < count; i++)
    if (bind(sql, (int)i + 1, parameters[i]) != SQLITE_OK)
      return error_memory(error);
  return OK;
}

static enum status sqlite_number(struct sql *sql, const char *text, const char *const *parameters, size_t count,
                                 int64_t *number, struct error *error) {
  struct sqlite_session *session = session_of(sql);
  enum status status = sqlite_start(sql, text, parameters, count, error);
  if (status == OK && sqlite3_step(session->statement) != SQLITE_ROW)
    status = at_file(sql, run_error(sql, sqlite3_extended_errcode(session->db), error), error);
  if (status == OK)
    *number = sqlite3_column_int64(session->statement, 0);
  sqlite3_finalize(session->statement);
  session->statement = NULL;
  return status;
}

/* A blob as PostgreSQL writes it: \x and hexadecimal digits. */
static struct slice blob_text(struct sqlite_session *session, int column) {
  static const char digits[] = "0123456789abcdef";
  const unsigned char *bytes = sqlite3_column_blob(session->statement, column);
  size_t len = (size_t)sqlite3_column_bytes(session->statement, column), begin = session->blobs.len;
  buffer_text(&session->blobs, "\\x");
  for (size_t i = 0; i < len; i++) {
    buffer_char(&session->blobs, digits[bytes[i] >> 4]);
    buffer_char(&session->blobs, digits[bytes[i] & 15]);
  }
  return slice_make(session->blobs.data + begin, session->blobs.len - begin);
}

static size_t blob_bytes(sqlite3_stmt *statement, int count) {
  size_t bytes = 0;
  for (int i = 0; i < count; i++)
    if (sqlite3_column_type(statement, i) == SQLITE_BLOB)
      bytes += 2 * (size_t)sqlite3_column_bytes(statement, i) + 2;
  return bytes;
}

static enum status read_values(const struct sql *sql, struct slice *values, struct error *error) {
  struct sqlite_session *session = session_of(sql);
  sqlite3_stmt *statement = session->statement;
  int count = (int)sql->column_count;
  buffer_reset(&session->blobs);
  buffer_reserve(&session->blobs, blob_bytes(statement, count) + 1); /* so that slices of it stay where they are */
  for (int i = 0; i < count; i++) {
    int type = sqlite3_column_type(statement, i);
    if (type == SQLITE_NULL) {
      values[i] = slice_make(NULL, 0);
      continue;
    }
    if (type == SQLITE_BLOB) {
      values[i] = blob_text(session, i);
      continue;
    }
    const char *text = (const char *)sqlite3_column_text(statement, i);
    if (text == NULL)
      return error_memory(error);
    values[i] = slice_make(text, (size_t)sqlite3_column_bytes(statement, i));
  }
  return buffer_check(&session->blobs, _("row"), error);
}

static enum status sqlite_step(struct sql *sql, struct slice *values, struct error *error) {
  struct sqlite_session *session = session_of(sql);
  next_deadline(sql);
  int code = sqlite3_step(session->statement);
  if (code == SQLITE_ROW)
    return at_file(sql, read_values(sql, values, error), error);
  if (code == SQLITE_DONE)
    return END;
  return at_file(sql, run_error(sql, sqlite3_extended_errcode(session->db), error), error);
}

/* The connection is read-only whoever owns the file. */
static enum status sqlite_may_write(struct sql *sql, bool *may, struct error *error) {
  (void)sql;
  (void)error;
  *may = false;
  return OK;
}

static bool sqlite_clock_offset(struct sql *sql, int64_t *micros) {
  (void)sql;
  (void)micros;
  return false;
}

const struct sql_driver sql_sqlite = {
    .parameter = '?',
    .nulls_first = "",
    .connect = sqlite_connect,
    .describe = sqlite_describe,
    .start = sqlite_start,
    .number = sqlite_number,
    .step = sqlite_step,
    .may_write = sqlite_may_write,
    .clock_offset = sqlite_clock_offset,
    .disconnect = sqlite_disconnect,
};
