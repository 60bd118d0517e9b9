/* A copy played back: pg_restore turns the archive into statements, which run one by one on a connection of our own, so
 * that all of it, and moving the present tables aside, is one transaction. Statements of another kind than a store's
 * are refused, and names of another schema. */
#include "core/base/date.h"
#include "core/store/postgres/program.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
  PIECE_SIZE = 64 << 10,
  STATEMENT_MOST = 4 << 20,
  ALONE_TRIES = 100,
  ALONE_NANOSECONDS = 50000000,
  ASIDE_MOST = 100
};

struct replay {
  const char *schema;
  PGconn *connection;        /* NULL: only counted */
  struct holdings *holdings; /* NULL: only run */
  struct buffer statement;
  char table[64]; /* whose rows are read; "" between them */
  int64_t rows;
  bool continued; /* the piece before had no line end */
};

static enum status refuse(const char *message, struct error *error) {
  error_set(error, ERR_CONFIG, "%s", message);
  error_hint(error, "%s", _("give a file that `puente store backup` made"));
  return ERR_CONFIG;
}

static bool begins(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

/* "SCHEMA.NAME" or "SCHEMA_views.NAME" after a word of SQL: the name's place, or NULL. */
static const char *after_schema(const char *text, const char *schema) {
  size_t len = strlen(schema);
  if (strncmp(text, schema, len) != 0) {
    return NULL;
  }
  text += len;
  text += begins(text, "_views.") ? 6 : 0;
  return *text == '.' ? text + 1 : NULL;
}

/* What stands in an archive of a store; settings are those of our own session. */
static enum status run_statement(struct replay *replay, const char *sql, struct error *error) {
  static const char *const skipped[] = {"SET ", "SELECT pg_catalog.set_config(", "CREATE SCHEMA ", "COMMENT ON "};
  static const char *const named[] = {"CREATE TABLE ", "ALTER TABLE ONLY ", "ALTER TABLE ", "CREATE VIEW "};
  for (size_t i = 0; i < sizeof skipped / sizeof *skipped; i++) {
    if (begins(sql, skipped[i])) {
      return OK;
    }
  }
  /* Row-level security names functions that a copy does not hold: `puente access setup` makes it anew. */
  if (begins(sql, "CREATE POLICY ") || (begins(sql, "ALTER TABLE ") && strstr(sql, " ROW LEVEL SECURITY;\n") != NULL)) {
    return OK;
  }
  bool known = begins(sql, "CREATE INDEX ") || begins(sql, "CREATE UNIQUE INDEX ");
  for (size_t i = 0; i < sizeof named / sizeof *named && !known; i++) {
    if (begins(sql, named[i])) {
      known = true;
      if (after_schema(sql + strlen(named[i]), replay->schema) == NULL) {
        return refuse(_("the copy is of another schema than the store's"), error);
      }
    }
  }
  if (!known) {
    return refuse(_("the copy holds what no store of puente holds"), error);
  }
  return replay->connection == NULL ? OK : postgres_run_text(replay->connection, sql, error);
}

/* "COPY schema.table (…) FROM stdin;" */
static enum status begin_rows(struct replay *replay, const char *sql, struct error *error) {
  const char *name = after_schema(sql + 5, replay->schema);
  if (name == NULL) {
    return refuse(_("the copy is of another schema than the store's"), error);
  }
  name += *name == '"';
  size_t len = strcspn(name, "\" (");
  snprintf(replay->table, sizeof replay->table, "%.*s", (int)len, name);
  replay->rows = 0;
  if (replay->connection == NULL) {
    return OK;
  }
  PGresult *result = PQexec(replay->connection, sql);
  enum status status = PQresultStatus(result) == PGRES_COPY_IN ? OK : postgres_fail(replay->connection, result, error);
  PQclear(result);
  return status;
}

static enum status end_rows(struct replay *replay, struct error *error) {
  enum status status = replay->connection == NULL ? OK : postgres_end_copy(replay->connection, NULL, error);
  if (status == OK && replay->holdings != NULL) {
    status = holdings_add(replay->holdings, replay->table, replay->rows, error);
  }
  replay->table[0] = '\0';
  return status;
}

static enum status take_rows(struct replay *replay, const char *piece, size_t len, struct error *error) {
  bool fresh = !replay->continued;
  replay->continued = piece[len - 1] != '\n';
  if (fresh && strcmp(piece, "\\.\n") == 0) {
    return end_rows(replay, error);
  }
  replay->rows += !replay->continued;
  if (replay->connection != NULL && PQputCopyData(replay->connection, piece, (int)len) != 1) {
    return postgres_fail(replay->connection, NULL, error);
  }
  return OK;
}

static enum status take_text(struct replay *replay, const char *piece, size_t len, struct error *error) {
  struct buffer *statement = &replay->statement;
  bool fresh = statement->len == 0 && !replay->continued;
  replay->continued = piece[len - 1] != '\n';
  if (fresh && (piece[0] == '\n' || begins(piece, "--") || piece[0] == '\\')) {
    return OK;
  }
  buffer_append(statement, piece, len);
  if (replay->continued || len < 2 || strcmp(piece + len - 2, ";\n") != 0) {
    return buffer_check(statement, "statement", error);
  }
  enum status status = buffer_check(statement, "statement", error);
  if (status == OK) {
    status = begins(statement->data, "COPY ") ? begin_rows(replay, statement->data, error)
                                              : run_statement(replay, statement->data, error);
  }
  buffer_reset(statement);
  return status;
}

static enum status take_all(struct replay *replay, FILE *in, struct error *error) {
  char *piece = malloc(PIECE_SIZE);
  enum status status = piece == NULL ? error_memory(error) : OK;
  while (status == OK && fgets(piece, PIECE_SIZE, in) != NULL) {
    size_t len = strlen(piece);
    if (len > 0) {
      status = replay->table[0] != '\0' ? take_rows(replay, piece, len, error) : take_text(replay, piece, len, error);
    }
  }
  if (status == OK && ferror(in)) {
    status = error_set(error, ERR_IO, _("cannot read the output of %s: %s"), "pg_restore", strerror(errno));
  }
  free(piece);
  return status;
}

static enum status play(struct replay *replay, const char *file, struct error *error) {
  static char name[] = "pg_restore", no_owner[] = "--no-owner", no_rights[] = "--no-privileges",
              to_output[] = "--file=-";
  struct program program;
  char *path = strdup(file);
  char *arguments[] = {name, no_owner, no_rights, to_output, path, NULL};
  enum status status = path == NULL ? error_memory(error) : program_start(NULL, arguments, &program, error);
  free(path);
  if (status != OK) {
    return status;
  }
  FILE *in = fdopen(program.output, "r");
  buffer_init(&replay->statement, STATEMENT_MOST);
  if (in == NULL) {
    status = error_memory(error);
  } else {
    status = take_all(replay, in, error);
    fclose(in);
    program.output = -1;
  }
  buffer_free(&replay->statement);
  /* A reader that has left kills it: its own failure comes first only where ours is none. */
  struct error ended;
  enum status end = program_end(&program, NULL, &ended);
  if (status == OK && end != OK) {
    *error = ended;
    return end;
  }
  if (status == OK && replay->table[0] != '\0') {
    return error_set(error, ERR_STORE, "%s", _("the copy ends in the middle of a table"));
  }
  return status;
}

enum status postgres_scan(const struct store_options *options, const char *file, struct holdings *holdings,
                          struct error *error) {
  struct replay replay = {.schema = options->schema == NULL ? "puente" : options->schema, .holdings = holdings};
  return play(&replay, file, error);
}

/* ---- in the store's place ---- */

static enum status run_format(PGconn *connection, struct error *error, const char *format, ...) PRINTF_LIKE(3, 4);
static enum status run_format(PGconn *connection, struct error *error, const char *format, ...) {
  char sql[512];
  va_list values;
  va_start(values, format);
  vsnprintf(sql, sizeof sql, format, values);
  va_end(values);
  return postgres_run_text(connection, sql, error);
}

static enum status one_row(struct postgres *self, const char *sql, bool *found, struct error *error) {
  PGresult *result = PQexec(self->connection, sql);
  enum status status = OK;
  if (PQresultStatus(result) != PGRES_TUPLES_OK) {
    status = postgres_fail(self->connection, result, error);
  } else {
    *found = PQntuples(result) > 0;
  }
  PQclear(result);
  return status;
}

static enum status has_schema(struct postgres *self, const char *name, const char *end, bool *found,
                              struct error *error) {
  char sql[160];
  snprintf(sql, sizeof sql, "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = '%s%s'", name, end);
  return one_row(self, sql, found, error);
}

/* The present schemas under other names, and empty ones in their place. Until the end of the transaction nobody else
 * sees it. */
static enum status change_places(struct postgres *self, const char *aside, struct error *error) {
  bool tables = false, views = false;
  enum status status = has_schema(self, self->schema, "", &tables, error);
  status = status == OK ? has_schema(self, self->schema, "_views", &views, error) : status;
  if (status == OK && tables) {
    status = run_format(self->connection, error, "ALTER SCHEMA \"%s\" RENAME TO \"%s\"", self->schema, aside);
  }
  /* The views of what is kept aside are made anew by `puente store migrate`: their function names this schema. */
  if (status == OK && views) {
    status = run_format(self->connection, error, "DROP SCHEMA \"%s_views\" CASCADE", self->schema);
  }
  /* What roles read would still be the tables that were put aside. */
  static const char *const roles[] = {"operator", "analyst", "officer", "auditor", "keys", "guard"};
  for (size_t i = 0; status == OK && i < sizeof roles / sizeof *roles; i++) {
    status = run_format(self->connection, error, "DROP SCHEMA IF EXISTS \"%s_%s\" CASCADE", self->schema, roles[i]);
  }
  return status != OK ? status
                      : run_format(self->connection, error, "CREATE SCHEMA \"%s\"; CREATE SCHEMA \"%s_views\"",
                                   self->schema, self->schema);
}

enum status postgres_open_copy(const struct store_options *options, const char *file, struct driver **driver,
                               struct error *error) {
  struct store_options writing = *options;
  writing.read_only = false;
  if (access(file, R_OK) != 0) {
    return error_set(error, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, _("cannot open the copy: %s"), strerror(errno));
  }
  enum status status = postgres_driver.open(&writing, false, driver, error);
  if (status != OK) {
    return status;
  }
  struct postgres *self = (struct postgres *)*driver;
  struct replay replay = {.schema = self->schema, .connection = self->connection};
  char aside[96];
  snprintf(aside, sizeof aside, "puente_copy_%ld", (long)getpid());
  status = postgres_run_text(self->connection, "BEGIN", error);
  status = status == OK ? change_places(self, aside, error) : status;
  status = status == OK ? play(&replay, file, error) : status;
  if (status != OK) {
    postgres_driver.close(*driver);
    *driver = NULL;
  }
  return status;
}

/* Other sessions of this program on the database: a daemon, a sync, another host. One that is just ending is waited
 * for. Outside a transaction, in which the server would say the same again and again. */
static enum status refuse_others(struct postgres *self, struct error *error) {
  bool others = true;
  enum status status = OK;
  for (int tries = 0; status == OK && others && tries < ALONE_TRIES; tries++) {
    if (tries > 0) {
      nanosleep(&(struct timespec){.tv_nsec = ALONE_NANOSECONDS}, NULL);
    }
    status = one_row(self,
                     "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE datname = current_database() "
                     "AND application_name = 'puente' AND pid <> pg_backend_pid()",
                     &others, error);
  }
  if (status == OK && others) {
    error_set(error, ERR_BUSY, "%s", _("another program works on the store"));
    error_hint(error, "%s", _("stop `puente serve` and other commands of this workspace, then restore again"));
    return ERR_BUSY;
  }
  return status;
}

/* SCHEMA_20261122_041500, and _1 where two were put aside in one second. Empty: there is no store yet. */
static enum status name_aside(struct postgres *self, struct buffer *aside, struct error *error) {
  char now[TIMESTAMP_TEXT_SIZE];
  int version = 0;
  bool taken = true;
  enum status status = postgres_driver.version(&self->driver, &version, error);
  if (status != OK || version == 0) {
    return status;
  }
  clock_format(clock_now(), now);
  for (int number = 0; number < ASIDE_MOST && taken && status == OK; number++) {
    buffer_reset(aside);
    buffer_printf(aside, "%.20s_%.4s%.2s%.2s_%.2s%.2s%.2s", self->schema, now, now + 5, now + 8, now + 11, now + 14,
                  now + 17);
    if (number > 0) {
      buffer_printf(aside, "_%d", number);
    }
    status = buffer_check(aside, "schema", error);
    status = status == OK ? has_schema(self, aside->data, "", &taken, error) : status;
  }
  return status == OK && taken ? error_set(error, ERR_LIMIT, "%s", _("a hundred former stores lie beside the store"))
                               : status;
}

static enum status restore_into(struct postgres *self, const char *file, struct buffer *aside, struct error *error) {
  struct replay replay = {.schema = self->schema, .connection = self->connection};
  enum status status = refuse_others(self, error);
  status = status == OK ? postgres_run_text(self->connection, "BEGIN", error) : status;
  status = status == OK ? self->driver.ops->lock_schema(&self->driver, error) : status;
  status = status == OK ? name_aside(self, aside, error) : status;
  if (status == OK && aside->len == 0) {
    status = run_format(self->connection, error, "DROP SCHEMA IF EXISTS \"%s\"", self->schema);
  }
  status = status == OK ? change_places(self, aside->len == 0 ? "" : aside->data, error) : status;
  status = status == OK ? play(&replay, file, error) : status;
  status = status == OK ? postgres_limit_rights(self, error) : status;
  return status == OK ? self->driver.ops->commit(&self->driver, error) : status;
}

enum status postgres_restore(const struct store_options *options, const char *file, struct buffer *aside,
                             struct error *error) {
  struct driver *driver = NULL;
  enum status status = postgres_driver.open(options, false, &driver, error);
  if (status != OK) {
    return status;
  }
  status = restore_into((struct postgres *)driver, file, aside, error);
  if (status != OK) {
    buffer_reset(aside);
  }
  postgres_driver.close(driver);
  return status;
}
