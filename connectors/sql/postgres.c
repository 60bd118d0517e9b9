/* PostgreSQL: a cursor in a repeatable-read, read-only transaction; rows come one by one over the wire. */
#include "connectors/sql/postgres.h"
#include "core/base/date.h"
#include "core/base/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 5000, NAMES_MOST = 500 };

struct postgres_session {
  PGconn *connection;
  PGresult *row;  /* the one that values point into */
  bool fetching;  /* a FETCH is under way */
  int batch_rows; /* rows of it so far */
};

static struct postgres_session *session_of(const struct sql *sql) {
  return sql->session;
}

static void postgres_disconnect(struct sql *sql) {
  struct postgres_session *session = session_of(sql);
  PQclear(session->row);
  PQfinish(session->connection);
  free(session);
  sql->session = NULL;
}

/* Where an error happened: the server, never more of the connection string. */
static enum status at_server(const struct sql *sql, enum status status, struct error *error) {
  const struct postgres_session *session = session_of(sql);
  const char *host = session != NULL && session->connection != NULL ? PQhost(session->connection) : sql->options->host;
  if (status != OK && status != END && host != NULL && *host != '\0')
    error_place(error, _("database on %s"), host);
  return status;
}

static int64_t deadline_of(const struct sql *sql) {
  return clock_monotonic() + sql->options->timeout + 5000000; /* the server's own timeout comes first */
}

static void cancel(PGconn *connection) {
  char words[256];
  PGcancel *request = PQgetCancel(connection);
  if (request != NULL)
    PQcancel(request, words, sizeof words);
  PQfreeCancel(request);
}

/* The next result of what was sent, waiting for it in small steps so that a signal is heard. NULL: no more. */
static enum status next_result(const struct sql *sql, PGresult **result, struct error *error) {
  PGconn *connection = session_of(sql)->connection;
  int64_t deadline = PQisBusy(connection) ? deadline_of(sql) : 0;
  while (PQisBusy(connection)) {
    enum status status = postgres_wait(sql, connection, false, deadline, error);
    if (status != OK) {
      cancel(connection);
      return status;
    }
    if (PQconsumeInput(connection) == 0)
      return postgres_failure(NULL, error);
  }
  *result = PQgetResult(connection);
  return OK;
}

/* Runs a statement to its end; the last result that is no error goes to `*kept` where that is asked for. */
static enum status run(const struct sql *sql, const char *text, const char *const *parameters, size_t count,
                       PGresult **kept, struct error *error) {
  PGconn *connection = session_of(sql)->connection;
  if (PQsendQueryParams(connection, text, (int)count, NULL, parameters, NULL, NULL, 0) == 0)
    return postgres_failure(NULL, error);
  PGresult *result = NULL;
  enum status status = OK, waited;
  while ((waited = next_result(sql, &result, status == OK ? error : &(struct error){0})) == OK && result != NULL) {
    ExecStatusType outcome = PQresultStatus(result);
    if (status == OK && outcome != PGRES_COMMAND_OK && outcome != PGRES_TUPLES_OK)
      status = postgres_failure(result, error);
    if (kept != NULL && *kept == NULL && status == OK)
      *kept = result;
    else
      PQclear(result);
  }
  return status == OK ? waited : status;
}

static enum status begin_session(const struct sql *sql, struct error *error) {
  char timeout[80];
  snprintf(timeout, sizeof timeout, "SET statement_timeout = %lld", (long long)(sql->options->timeout / 1000));
  /* The transaction outlives pauses in which pages are landed. */
  const char *const statements[] = {
      "SET default_transaction_read_only = on",
      timeout,
      "SET idle_in_transaction_session_timeout = 0",
      "SET DateStyle = 'ISO, YMD'",
      "SET TimeZone = 'UTC'",
      "SET IntervalStyle = 'iso_8601'",
      "SET bytea_output = 'hex'",
      "SET cursor_tuple_fraction = 1.0",
      "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
  };
  enum status status = OK;
  for (size_t i = 0; status == OK && i < sizeof statements / sizeof *statements; i++)
    status = run(sql, statements[i], NULL, 0, NULL, error);
  return status;
}

static enum status connect_session(struct sql *sql, struct error *error) {
  struct postgres_session *session = calloc(1, sizeof *session);
  if (session == NULL)
    return error_memory(error);
  sql->session = session;
  enum status status = postgres_connect(sql, &session->connection, error);
  return at_server(sql, status == OK ? begin_session(sql, error) : status, error);
}

/* The table nearest to the one that is missing; the failed transaction is given up for it. */
static void hint_table(const struct sql *sql, struct error *error) {
  const char *query = sql->options->query, *dot = strrchr(query, '.');
  const char *names[NAMES_MOST];
  size_t count = 0;
  PGresult *result = NULL;
  struct error ignored;
  if (strpbrk(query, " \n") != NULL || run(sql, "ROLLBACK", NULL, 0, NULL, &ignored) != OK
      || run(sql,
             "SELECT relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace"
             " WHERE relkind IN ('r', 'v', 'm', 'p', 'f') AND nspname !~ '^pg_' AND nspname <> 'information_schema'"
             " AND has_table_privilege(c.oid, 'SELECT') ORDER BY relname LIMIT 500",
             NULL, 0, &result, &ignored)
             != OK)
    return;
  for (int i = 0; i < PQntuples(result) && count < NAMES_MOST; i++)
    names[count++] = PQgetvalue(result, i, 0);
  const char *nearest = text_nearest(slice_of(dot != NULL ? dot + 1 : query), names, count);
  if (nearest != NULL)
    error_hint(error, _("did you mean \"%s\"?"), nearest);
  PQclear(result);
}

static enum status copy_columns(struct sql *sql, const PGresult *result, struct error *error) {
  sql->column_count = (size_t)PQnfields(result);
  sql->columns = arena_array(sql->arena, sql->column_count + 1, sizeof *sql->columns);
  if (sql->columns == NULL)
    return error_memory(error);
  for (size_t i = 0; i < sql->column_count; i++) {
    sql->columns[i] = arena_text(sql->arena, slice_of(PQfname(result, (int)i)));
    if (sql->columns[i] == NULL)
      return error_memory(error);
  }
  return OK;
}

static enum status postgres_describe(struct sql *sql, const char *statement, struct error *error) {
  PGresult *result = NULL;
  enum status status = run(sql, statement, NULL, 0, &result, error);
  if (status == ERR_CONFIG || status == ERR_INPUT)
    hint_table(sql, error);
  if (status == OK)
    status = copy_columns(sql, result, error);
  PQclear(result);
  return at_server(sql, status, error);
}

static enum status postgres_start(struct sql *sql, const char *statement, const char *const *parameters, size_t count,
                                  struct error *error) {
  struct buffer text;
  buffer_init(&text, 1 << 20);
  buffer_printf(&text, "DECLARE puente NO SCROLL CURSOR FOR %s", statement);
  enum status status = buffer_check(&text, _("query"), error);
  if (status == OK)
    status = run(sql, text.data, parameters, count, NULL, error);
  buffer_free(&text);
  return at_server(sql, status, error);
}

static enum status postgres_number(struct sql *sql, const char *statement, const char *const *parameters, size_t count,
                                   int64_t *number, struct error *error) {
  PGresult *result = NULL;
  enum status status = run(sql, statement, parameters, count, &result, error);
  if (status == OK && !text_to_int64(slice_of(PQgetvalue(result, 0, 0)), number))
    status = error_set(error, ERR_REMOTE, _("the database answered with text where a number was asked for"));
  PQclear(result);
  return at_server(sql, status, error);
}

static enum status send_fetch(struct sql *sql, struct error *error) {
  struct postgres_session *session = session_of(sql);
  char text[60];
  snprintf(text, sizeof text, "FETCH FORWARD %d FROM puente", BATCH);
  if (PQsendQueryParams(session->connection, text, 0, NULL, NULL, NULL, NULL, 0) == 0
      || PQsetSingleRowMode(session->connection) == 0)
    return postgres_failure(NULL, error);
  session->fetching = true;
  session->batch_rows = 0;
  return OK;
}

/* One result of the FETCH: OK with a row in `session->row`, END where the batch is through. */
static enum status read_batch(struct sql *sql, struct error *error) {
  struct postgres_session *session = session_of(sql);
  for (;;) {
    PGresult *result = NULL;
    enum status status = next_result(sql, &result, error);
    if (status != OK)
      return status;
    if (result == NULL) {
      session->fetching = false;
      return END;
    }
    ExecStatusType outcome = PQresultStatus(result);
    if (outcome == PGRES_SINGLE_TUPLE) {
      session->row = result;
      session->batch_rows++;
      return OK;
    }
    if (outcome != PGRES_TUPLES_OK)
      status = postgres_failure(result, error);
    PQclear(result);
    if (status != OK)
      return status;
  }
}

static enum status postgres_step(struct sql *sql, struct slice *values, struct error *error) {
  struct postgres_session *session = session_of(sql);
  PQclear(session->row);
  session->row = NULL;
  enum status status = session->fetching ? OK : send_fetch(sql, error);
  while (status == OK && (status = read_batch(sql, error)) == END) {
    if (session->batch_rows < BATCH)
      return END;
    status = send_fetch(sql, error);
  }
  if (status != OK)
    return at_server(sql, status, error);
  for (int i = 0; i < (int)sql->column_count; i++) {
    bool null = PQgetisnull(session->row, 0, i) != 0;
    values[i] = null ? slice_make(NULL, 0)
                     : slice_make(PQgetvalue(session->row, 0, i), (size_t)PQgetlength(session->row, 0, i));
  }
  return OK;
}

static enum status ask_one(const struct sql *sql, const char *statement, char answer[64], struct error *error) {
  PGresult *result = NULL;
  enum status status = run(sql, statement, NULL, 0, &result, error);
  if (status == OK)
    snprintf(answer, 64, "%s", PQgetvalue(result, 0, 0));
  PQclear(result);
  return status;
}

static enum status postgres_may_write(struct sql *sql, bool *may, struct error *error) {
  char answer[64];
  enum status status =
      ask_one(sql,
              "SELECT count(*) > 0 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace"
              " WHERE relkind IN ('r', 'p') AND nspname !~ '^pg_' AND nspname <> 'information_schema'"
              " AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')",
              answer, error);
  *may = status == OK && answer[0] == 't';
  return at_server(sql, status, error);
}

static bool postgres_clock_offset(struct sql *sql, int64_t *micros) {
  char answer[64];
  struct error ignored;
  int64_t theirs;
  if (ask_one(sql, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text", answer, &ignored) != OK
      || !text_to_int64(slice_of(answer), &theirs))
    return false;
  *micros = theirs - clock_now();
  return true;
}

const struct sql_driver sql_postgres = {
    .parameter = '$',
    .nulls_first = " NULLS FIRST",
    .connect = connect_session,
    .describe = postgres_describe,
    .start = postgres_start,
    .number = postgres_number,
    .step = postgres_step,
    .may_write = postgres_may_write,
    .clock_offset = postgres_clock_offset,
    .certificate = postgres_certificate,
    .disconnect = postgres_disconnect,
};
