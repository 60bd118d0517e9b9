/* pg_dump's custom format of the store's tables and views. The function by which people query, and the role of limited
 * rights that it belongs to, are no part of it: a restore makes them anew. */
#include "core/base/date.h"
#include "core/store/postgres/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static enum status rows_of(PGconn *connection, const char *sql, PGresult **result, struct error *error) {
  *result = PQexec(connection, sql);
  if (PQresultStatus(*result) == PGRES_TUPLES_OK) {
    return OK;
  }
  enum status status = postgres_fail(connection, *result, error);
  PQclear(*result);
  *result = NULL;
  return status;
}

static enum status count_table(PGconn *connection, const char *schema, const char *table, struct holdings *holdings,
                               struct error *error) {
  char sql[256];
  PGresult *result = NULL;
  snprintf(sql, sizeof sql, "SELECT count(*) FROM \"%s\".\"%s\"", schema, table);
  enum status status = rows_of(connection, sql, &result, error);
  if (status == OK) {
    status = holdings_add(holdings, table, strtoll(PQgetvalue(result, 0, 0), NULL, 10), error);
  }
  PQclear(result);
  return status;
}

static enum status count_tables(PGconn *connection, const char *schema, struct holdings *holdings,
                                struct error *error) {
  char sql[192];
  PGresult *names = NULL;
  snprintf(sql, sizeof sql,
           "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = '%s' ORDER BY tablename COLLATE \"C\"",
           schema);
  enum status status = rows_of(connection, sql, &names, error);
  for (int i = 0; status == OK && i < PQntuples(names); i++) {
    status = count_table(connection, schema, PQgetvalue(names, i, 0), holdings, error);
  }
  PQclear(names);
  return status;
}

enum status postgres_holdings(struct driver *driver, struct holdings *holdings, struct error *error) {
  struct postgres *self = (struct postgres *)driver;
  return count_tables(self->connection, self->schema, holdings, error);
}

/* The server checks its own files, by its checksums. */
enum status postgres_integrity(struct driver *driver, char *what, size_t size, struct error *error) {
  (void)driver;
  (void)error;
  if (size > 0) {
    what[0] = '\0';
  }
  return OK;
}

static enum status dump(const struct postgres *self, const char *part, const char *snapshot, const atomic_bool *stop,
                        struct error *error) {
  static char name[] = "pg_dump", custom[] = "--format=custom", ask_not[] = "--no-password",
              no_rights[] = "--no-privileges", no_sync[] = "--no-sync",
              by_rows[] = "--enable-row-security"; /* the owner sees every row */
  char tables[96], views[96], snapshot_option[96], *file = NULL, *database = NULL;
  snprintf(tables, sizeof tables, "--table=%s.*", self->schema);
  snprintf(views, sizeof views, "--table=%s_views.*", self->schema);
  snprintf(snapshot_option, sizeof snapshot_option, "--snapshot=%s", snapshot);
  enum status status = OK;
  if (asprintf(&file, "--file=%s", part) < 0 || asprintf(&database, "--dbname=%s", self->dsn) < 0) {
    status = error_memory(error);
  }
  if (status == OK) {
    char *arguments[] = {name,   custom, ask_not,         no_rights, no_sync,  by_rows,
                         tables, views,  snapshot_option, file,      database, NULL};
    struct program program;
    status = program_start(self->password, arguments, &program, error);
    status = status == OK ? program_end(&program, stop, error) : status;
  }
  free(file);
  free(database);
  return status;
}

/* Counts and dump see one snapshot, which lives as long as the transaction that exported it. */
enum status postgres_copy_to(struct driver *driver, const char *part, const atomic_bool *stop,
                             struct holdings *holdings, struct error *error) {
  struct postgres *self = (struct postgres *)driver;
  PGconn *connection = NULL;
  PGresult *snapshot = NULL;
  enum status status = postgres_session(self, &connection, error);
  if (status == OK) {
    status = postgres_run_text(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", error);
  }
  status = status == OK ? rows_of(connection, "SELECT pg_export_snapshot()", &snapshot, error) : status;
  status = status == OK ? count_tables(connection, self->schema, holdings, error) : status;
  status = status == OK ? dump(self, part, PQgetvalue(snapshot, 0, 0), stop, error) : status;
  PQclear(snapshot);
  PQfinish(connection);
  return status;
}

enum status postgres_backup_label(struct driver *driver, int version, struct buffer *name, struct error *error) {
  const struct postgres *self = (const struct postgres *)driver;
  char now[TIMESTAMP_TEXT_SIZE];
  clock_format(clock_now(), now);
  for (int number = 0; number < 100; number++) {
    buffer_reset(name);
    buffer_printf(name, "%s%s%s.v%d-%.10s", self->folder, self->folder[0] == '\0' ? "" : "/", self->schema, version,
                  now);
    if (number > 0) {
      buffer_printf(name, "-%d", number);
    }
    buffer_text(name, ".dump");
    enum status status = buffer_check(name, "backup", error);
    if (status != OK || access(name->data, F_OK) != 0) {
      return status;
    }
  }
  return error_set(error, ERR_LIMIT, "%s", _("a hundred backups of today lie in this folder"));
}
