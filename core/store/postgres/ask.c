/* One statement of a person's, kept to the views: it runs inside a SECURITY DEFINER function that belongs to a role
 * with no right but SELECT on the views. Within such a function PostgreSQL lets nobody set the role or the session's
 * user, so that no statement can step out; the transaction is read-only, has a time limit, and is never committed. */
#include "core/store/postgres/postgres.h"

#include <stdio.h>
#include <stdlib.h>

static enum status run_format(PGconn *connection, const char *schema, const char *const *lines, size_t count,
                              struct error *error) {
  struct buffer sql;
  buffer_init(&sql, 1 << 16);
  for (size_t i = 0; i < count; i++) {
    for (const char *at = lines[i]; *at != '\0'; at++) {
      if (*at == '@') {
        buffer_text(&sql, schema);
      } else {
        buffer_char(&sql, *at);
      }
    }
  }
  enum status status = buffer_check(&sql, "statement", error);
  if (status == OK) {
    status = postgres_run_text(connection, sql.data, error);
  }
  buffer_free(&sql);
  return status;
}

/* '@' is the schema, a plain name. The role may have been made beforehand by an administrator. */
static const char *const LIMITED_RIGHTS[] = {
    "DO $do$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'puente_query_@') THEN "
    "CREATE ROLE puente_query_@ NOLOGIN; END IF; "
    "IF NOT pg_catalog.pg_has_role(current_user, 'puente_query_@', 'MEMBER') THEN "
    "EXECUTE 'GRANT puente_query_@ TO ' || quote_ident(current_user); END IF; END $do$;",
    "GRANT USAGE, CREATE ON SCHEMA \"@_views\" TO puente_query_@;",
    "DROP FUNCTION IF EXISTS \"@_views\".run_query(text);",
    "CREATE FUNCTION \"@_views\".run_query(statement text) RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER "
    "SET search_path = \"@_views\", pg_temp AS $f$ BEGIN RETURN QUERY EXECUTE statement; END $f$;",
    "REVOKE ALL ON FUNCTION \"@_views\".run_query(text) FROM PUBLIC;",
    "ALTER FUNCTION \"@_views\".run_query(text) OWNER TO puente_query_@;",
    "REVOKE CREATE ON SCHEMA \"@_views\" FROM puente_query_@;",
    "GRANT SELECT ON ALL TABLES IN SCHEMA \"@_views\" TO puente_query_@;",
};

/* Without the right to make roles the store works, and `query` says what an administrator has to run. */
enum status postgres_limit_rights(struct postgres *self, struct error *error) {
  struct error refused;
  size_t lines = sizeof LIMITED_RIGHTS / sizeof *LIMITED_RIGHTS;
  enum status status = postgres_run_text(self->connection, "SAVEPOINT rights", error);
  if (status != OK) {
    return status;
  }
  status = run_format(self->connection, self->schema, LIMITED_RIGHTS, lines, &refused);
  if (status == ERR_AUTH) {
    return postgres_run_text(self->connection, "ROLLBACK TO SAVEPOINT rights", error);
  }
  if (status != OK) {
    *error = refused;
  }
  return status;
}

enum status postgres_make_views(struct driver *driver, const struct view_text *views, size_t count,
                                struct error *error) {
  struct postgres *self = (struct postgres *)driver;
  struct buffer sql;
  buffer_init(&sql, 1 << 20);
  buffer_printf(&sql, "CREATE SCHEMA IF NOT EXISTS \"%s_views\";\n", self->schema);
  for (size_t i = 0; i < count; i++) {
    buffer_printf(&sql, "DROP VIEW IF EXISTS %s\"%s\"; CREATE VIEW %s\"%s\" AS %s;\n", self->prefix, views[i].name,
                  self->prefix, views[i].name, views[i].select);
  }
  enum status status = buffer_check(&sql, "statement", error);
  if (status == OK) {
    status = postgres_settle(self, error);
  }
  if (status == OK) {
    status = postgres_run_text(self->connection, sql.data, error);
  }
  buffer_free(&sql);
  return status == OK ? postgres_limit_rights(self, error) : status;
}

static enum status refuse(PGconn *connection, const PGresult *result, struct error *error) {
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (state != NULL && (strcmp(state, "42501") == 0 || strcmp(state, "25006") == 0)) {
    error_set(error, ERR_USAGE, "%s", _("the statement reaches beyond the documented views"));
    error_hint(error, "%s", _("`puente query --views` lists what can be read"));
    return ERR_USAGE;
  }
  if (state == NULL || message == NULL || strncmp(state, "57", 2) == 0 || strncmp(state, "53", 2) == 0) {
    return postgres_fail(connection, result, error);
  }
  error_set(error, ERR_USAGE, _("the statement cannot be read: %s"), message);
  error_hint(error, "%s", _("`puente query --views` lists views and columns"));
  return ERR_USAGE;
}

static enum status has_function(PGconn *connection, const char *schema, struct error *error) {
  char sql[160];
  snprintf(sql, sizeof sql, "SELECT to_regprocedure('\"%s_views\".run_query(text)') IS NOT NULL", schema);
  PGresult *result = PQexec(connection, sql);
  bool found = PQresultStatus(result) == PGRES_TUPLES_OK && PQgetvalue(result, 0, 0)[0] == 't';
  PQclear(result);
  if (found) {
    return OK;
  }
  error_set(error, ERR_AUTH, "%s", _("the store's user could not make the role of limited rights that queries need"));
  error_hint(error,
             _("an administrator runs: CREATE ROLE puente_query_%s NOLOGIN; GRANT puente_query_%s TO the store's user; "
               "then `puente store migrate`"),
             schema, schema);
  return ERR_AUTH;
}

/* "SELECT * FROM run_query($1) AS t(c1 bigint, …)": a function of records wants to know their types. */
static enum status describe(PGconn *connection, const char *schema, const char *sql, struct buffer *call,
                            PGresult **described, struct error *error) {
  PGresult *result = PQprepare(connection, "", sql, 0, NULL);
  enum status status = PQresultStatus(result) == PGRES_COMMAND_OK ? OK : refuse(connection, result, error);
  PQclear(result);
  if (status != OK) {
    return status;
  }
  *described = PQdescribePrepared(connection, "");
  int columns = PQnfields(*described);
  if (PQresultStatus(*described) != PGRES_COMMAND_OK || columns == 0 || PQnparams(*described) > 0) {
    error_set(error, ERR_USAGE, "%s", _("a query is one SELECT statement"));
    return ERR_USAGE;
  }
  buffer_printf(call, "SELECT * FROM \"%s_views\".run_query($1) AS t(", schema);
  for (int i = 0; i < columns && status == OK; i++) {
    char type[96];
    snprintf(type, sizeof type, "SELECT pg_catalog.format_type(%u, %d)", PQftype(*described, i), PQfmod(*described, i));
    result = PQexec(connection, type);
    if (PQresultStatus(result) == PGRES_TUPLES_OK) {
      buffer_printf(call, "%sc%d %s", i == 0 ? "" : ", ", i, PQgetvalue(result, 0, 0));
    } else {
      status = postgres_fail(connection, result, error);
    }
    PQclear(result);
  }
  buffer_char(call, ')');
  return status == OK ? buffer_check(call, "statement", error) : status;
}

static enum status send_call(struct postgres_cursor *self, const char *call, const char *sql, struct error *error) {
  const char *values[] = {sql};
  if (PQsendQueryParams(self->own, call, 1, NULL, values, NULL, NULL, 0) != 1 || PQsetSingleRowMode(self->own) != 1) {
    return postgres_fail(self->own, NULL, error);
  }
  self->result = PQgetResult(self->own);
  ExecStatusType got = PQresultStatus(self->result);
  self->more = got == PGRES_SINGLE_TUPLE;
  if (got != PGRES_SINGLE_TUPLE && got != PGRES_TUPLES_OK) {
    return refuse(self->own, self->result, error);
  }
  return OK;
}

static enum status open_limited(struct postgres_cursor *self, const struct postgres *store, const char *sql,
                                int64_t timeout, struct error *error) {
  char start[224];
  struct buffer call;
  struct postgres limited = *store;
  limited.read_only = true;
  enum status status = postgres_session(&limited, &self->own, error);
  if (status == OK) {
    status = has_function(self->own, store->schema, error);
  }
  if (status != OK) {
    return status;
  }
  snprintf(start, sizeof start,
           "BEGIN READ ONLY; SET LOCAL statement_timeout = %lld; SET LOCAL search_path = \"%s_views\"",
           (long long)(timeout / 1000 + (timeout > 0 && timeout < 1000)), store->schema);
  status = postgres_run_text(self->own, start, error);
  buffer_init(&call, 1 << 18);
  PGresult *described = NULL;
  if (status == OK) {
    status = describe(self->own, store->schema, sql, &call, &described, error);
  }
  if (status == OK) {
    status = send_call(self, call.data, sql, error);
  }
  buffer_free(&call);
  self->described = described;
  return status;
}

enum status postgres_ask(struct driver *driver, const struct view_text *views, size_t count, const char *sql,
                         int64_t timeout, struct cursor **cursor, struct error *error) {
  (void)views;
  (void)count;
  struct postgres_cursor *self = calloc(1, sizeof *self);
  if (self == NULL) {
    return error_memory(error);
  }
  self->cursor.ops = driver->ops;
  enum status status = open_limited(self, (const struct postgres *)driver, sql, timeout, error);
  if (status != OK) {
    driver->ops->finish(&self->cursor);
    return status;
  }
  *cursor = &self->cursor;
  return OK;
}
