#include "core/store/postgres/postgres.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { OID_INT8_ELEMENT = 20 };

static struct postgres *self_of(struct driver *driver) {
  return (struct postgres *)driver;
}

/* ---- errors ---- */

static void ignore_notice(void *context, const char *message) {
  (void)context;
  (void)message;
}

static enum status fail_lost(struct error *error) {
  error_set(error, ERR_STORE, "%s", _("the connection to PostgreSQL was lost"));
  error_hint(error, "%s", _("run the command again: it goes on from what the store holds"));
  return ERR_STORE;
}

static enum status fail_known(const char *state, struct error *error) {
  if (strcmp(state, "53100") == 0) {
    error_set(error, ERR_FULL, "%s", _("the disk of the PostgreSQL server is full"));
    error_hint(error, "%s", _("free space on it, then run the command again: nothing is lost"));
    return ERR_FULL;
  }
  if (strcmp(state, "55P03") == 0 || strcmp(state, "40P01") == 0 || strcmp(state, "40001") == 0) {
    error_set(error, ERR_BUSY, "%s", _("the store is being written by another process"));
    error_hint(error, "%s", _("try again when it has ended"));
    return ERR_BUSY;
  }
  if (strcmp(state, "25006") == 0) {
    error_set(error, ERR_IO, "%s", _("the PostgreSQL server takes no writes: the session or the server is read-only"));
    error_hint(error, "%s", _("a standby server cannot be the store; give the primary server in `store:`"));
    return ERR_IO;
  }
  if (postgres_restricted() && (strcmp(state, "42501") == 0 || strcmp(state, "42P01") == 0)) {
    error_set(error, ERR_AUTH, "%s", _("PostgreSQL refuses: your role does not see what this needs"));
    error_hint(error, "%s", _("docs/roles.md tells what each role sees; ask who administers the store"));
    return ERR_AUTH;
  }
  if (strcmp(state, "42501") == 0) {
    error_set(error, ERR_AUTH, "%s", _("PostgreSQL refuses: the user lacks a right in the store's schema"));
    error_hint(error, "%s", _("the store's user must own its schema"));
    return ERR_AUTH;
  }
  if (strcmp(state, "57014") == 0) {
    return error_set(error, ERR_LIMIT, "%s", _("the query took longer than allowed"));
  }
  return OK;
}

/* The server says that it ends the session (class 57P), or says nothing any more. */
static bool is_lost(PGconn *connection, const PGresult *result) {
  const char *state = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state == NULL || strncmp(state, "57P", 3) == 0 || PQstatus(connection) != CONNECTION_OK;
}

/* Messages of data and constraint errors quote values; those are told by their code alone. */
enum status postgres_fail(PGconn *connection, const PGresult *result, struct error *error) {
  const char *state = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char *message = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (is_lost(connection, result)) {
    return fail_lost(error);
  }
  enum status known = fail_known(state, error);
  if (known != OK) {
    return known;
  }
  bool quotes = strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0;
  return error_set(error, ERR_STORE, _("PostgreSQL failed (%s): %s"), state,
                   quotes || message == NULL ? _("data error") : message);
}

static enum status checked(struct postgres *self, PGresult *result, ExecStatusType wanted, struct error *error) {
  if (PQresultStatus(result) == wanted) {
    PQclear(result);
    return OK;
  }
  enum status status = postgres_fail(self->connection, result, error);
  PQclear(result);
  return status;
}

enum status postgres_run_text(PGconn *connection, const char *sql, struct error *error) {
  PGresult *result = PQexec(connection, sql);
  ExecStatusType got = PQresultStatus(result);
  enum status status =
      got == PGRES_COMMAND_OK || got == PGRES_TUPLES_OK ? OK : postgres_fail(connection, result, error);
  PQclear(result);
  return status;
}

/* ---- connecting ---- */

/* libpq keeps no code of a connection that was not made: only what it and the server say, in English (C locale) or not.
 */
static bool says_refused(const char *said) {
  return strstr(said, "password") != NULL || strstr(said, "authentication failed") != NULL
         || strstr(said, "role \"") != NULL || strstr(said, "pg_hba") != NULL;
}

enum status postgres_session(const struct postgres *self, PGconn **connection, struct error *error) {
  /* A server that vanished without a word is noticed within two minutes, not after the kernel's two hours. */
  static const char *const names[] = {
      "connect_timeout", "keepalives_idle",  "keepalives_interval", "keepalives_count", "tcp_user_timeout",
      "dbname",          "application_name", "client_encoding",     "password",         NULL};
  const char *values[] = {"15", "60", "10", "6", "120000", self->dsn, "puente", "UTF8", self->password, NULL};
  char sql[640];
  *connection = PQconnectdbParams(names, values, 1);
  if (*connection == NULL) {
    return error_memory(error);
  }
  if (PQstatus(*connection) != CONNECTION_OK) {
    const char *said = PQerrorMessage(*connection);
    bool refused = says_refused(said);
    error_set(error, refused ? ERR_AUTH : ERR_STORE, "%s",
              refused ? _("PostgreSQL refuses the store's user") : _("the PostgreSQL server cannot be reached"));
    error_place(error, "%s:%s/%s", PQhost(*connection) == NULL ? "" : PQhost(*connection),
                PQport(*connection) == NULL ? "" : PQport(*connection),
                PQdb(*connection) == NULL ? "" : PQdb(*connection));
    error_hint(error, "%s", _("check `store:` in puente.yaml, the password reference, and that the server runs"));
    return error->code;
  }
  PQsetNoticeProcessor(*connection, ignore_notice, NULL);
  snprintf(sql, sizeof sql,
           "SET search_path = %s; SET timezone = 'UTC'; SET standard_conforming_strings = on; SET jit = off; "
           "SET lock_timeout = '%s'; SET extra_float_digits = 1; SET default_transaction_read_only = %s",
           self->path, self->patient ? "15min" : "30s", self->read_only ? "on" : "off");
  return postgres_run_text(*connection, sql, error);
}

static bool is_schema(const char *name) {
  size_t len = strlen(name);
  if (len == 0 || len > SCHEMA_MOST || !(islower((unsigned char)name[0]) || name[0] == '_')) {
    return false;
  }
  for (size_t i = 0; i < len; i++) {
    if (!islower((unsigned char)name[i]) && !isdigit((unsigned char)name[i]) && name[i] != '_') {
      return false;
    }
  }
  return strncmp(name, "pg_", 3) != 0;
}

static void postgres_close(struct driver *driver) {
  struct postgres *self = self_of(driver);
  postgres_append_close(self);
  PQfinish(self->connection);
  map_free(self->texts);
  if (self->password != NULL) {
    explicit_bzero(self->password, strlen(self->password));
  }
  free(self->password);
  free(self->dsn);
  free(self->folder);
  free(self);
}

static enum status make_schema(struct postgres *self, struct error *error) {
  char sql[128];
  snprintf(sql, sizeof sql, "CREATE SCHEMA IF NOT EXISTS \"%s\"", self->schema);
  return postgres_run_text(self->connection, sql, error);
}

static enum status fill(struct postgres *self, const struct store_options *options, struct error *error) {
  const char *schema = options->schema == NULL ? "puente" : options->schema;
  if (!is_schema(schema)) {
    error_set(error, ERR_CONFIG, "%s", _("the store's schema is no plain name"));
    error_hint(error, _("lower-case letters, digits and '_', at most %d"), SCHEMA_MOST);
    return ERR_CONFIG;
  }
  snprintf(self->schema, sizeof self->schema, "%s", schema);
  snprintf(self->prefix, sizeof self->prefix, "\"%s_views\".", schema);
  snprintf(self->path, sizeof self->path, "\"%s\"", schema);
  self->read_only = options->read_only;
  self->patient = options->stop != NULL;
  self->dsn = strdup(options->dsn == NULL ? "" : options->dsn);
  self->password = options->password == NULL ? NULL : strdup(options->password);
  self->folder = strdup(options->folder == NULL ? "" : options->folder);
  self->texts = map_new();
  if (self->dsn == NULL || self->folder == NULL || self->texts == NULL
      || (options->password != NULL && self->password == NULL)) {
    return error_memory(error);
  }
  return OK;
}

static enum status postgres_open(const struct store_options *options, bool create, struct driver **driver,
                                 struct error *error) {
  struct postgres *self = calloc(1, sizeof *self);
  if (self == NULL) {
    return error_memory(error);
  }
  self->driver.ops = &postgres_driver;
  enum status status = fill(self, options, error);
  if (status == OK) {
    status = postgres_session(self, &self->connection, error);
  }
  if (status == OK) {
    status = postgres_find_roles(self, error);
  }
  if (status == OK && create) {
    status = make_schema(self, error);
  }
  if (status != OK) {
    postgres_close(&self->driver);
    return status;
  }
  *driver = &self->driver;
  return OK;
}

static void postgres_dialect(const struct driver *driver, struct dialect *dialect) {
  const struct postgres *self = (const struct postgres *)driver;
  *dialect = (struct dialect){
      .schema = self->schema,
      .roles = self->roles,
      .types = {[COLUMN_INTEGER] = "BIGINT",
                [COLUMN_TEXT] = "TEXT COLLATE \"C\"",
                [COLUMN_BYTES] = "BYTEA",
                [COLUMN_REAL] = "DOUBLE PRECISION"},
      .table_options = "",
      .settle_tables = "ALTER TABLE raw_chunk ALTER COLUMN body SET STORAGE EXTERNAL", /* is compressed already */
      .find_column = "SELECT (lower($3) LIKE data_type || '%')::int::bigint FROM information_schema.columns "
                     "WHERE table_schema = current_schema() AND table_name::text = $1 AND column_name::text = $2",
      .json_pairs = "LATERAL json_each(p.origins::json) AS j",
      .json_row = "(j.value ->> 0)::bigint",
      .json_rule = "(j.value ->> 1)",
      .has_views = self->prefix[0] == '\0'
                       ? "SELECT 1::bigint"
                       : "SELECT count(*) FROM pg_catalog.pg_views WHERE schemaname = current_schema() || '_views'",
      .view_prefix = self->prefix,
      .time = "to_char(to_timestamp(%.*s / 1000000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')",
      .hex = "encode(%.*s, 'hex')",
      .collate = " COLLATE \"C\"",
  };
}

/* ---- statements ---- */

struct parameters {
  const char *values[PARAMETERS_MOST];
  int lengths[PARAMETERS_MOST], formats[PARAMETERS_MOST];
  char numbers[PARAMETERS_MOST][8];
  char *lists[PARAMETERS_MOST]; /* allocated */
  size_t count;
};

static void parameters_free(struct parameters *parameters) {
  for (size_t i = 0; i < parameters->count; i++) {
    free(parameters->lists[i]);
  }
}

static char *encode_list(const struct value *value, int *length) {
  size_t size = 20 + (size_t)value->len * 12;
  char *out = malloc(size);
  if (out == NULL) {
    return NULL;
  }
  put_be(out, value->len > 0, 4); /* dimensions */
  put_be(out + 4, 0, 4);
  put_be(out + 8, OID_INT8_ELEMENT, 4);
  *length = 12;
  if (value->len == 0) {
    return out;
  }
  put_be(out + 12, value->len, 4);
  put_be(out + 16, 1, 4);
  for (uint32_t i = 0; i < value->len; i++) {
    put_be(out + 20 + (size_t)i * 12, 8, 4);
    put_be(out + 24 + (size_t)i * 12, (uint64_t)value->list[i], 8);
  }
  *length = (int)size;
  return out;
}

static bool encode(const struct value *values, size_t count, struct parameters *parameters) {
  parameters->count = count;
  for (size_t i = 0; i < count; i++) {
    const struct value *value = &values[i];
    uint64_t bits = (uint64_t)value->integer; /* of a real too: they share their bytes */
    parameters->formats[i] = 1;
    parameters->lists[i] = NULL;
    parameters->lengths[i] = (int)value->len;
    switch (value->kind) {
    case VALUE_INTEGER:
    case VALUE_REAL:
      put_be(parameters->numbers[i], bits, 8);
      parameters->values[i] = parameters->numbers[i];
      parameters->lengths[i] = 8;
      break;
    case VALUE_TEXT:
    case VALUE_BYTES:
      parameters->values[i] = value->text;
      break;
    case VALUE_LIST:
      parameters->lists[i] = encode_list(value, &parameters->lengths[i]);
      parameters->values[i] = parameters->lists[i];
      if (parameters->lists[i] == NULL) {
        parameters->count = i;
        return false;
      }
      break;
    default:
      parameters->values[i] = NULL;
      break;
    }
  }
  return true;
}

static char *spell_lists(const char *sql) {
  return driver_expand(sql, "unnest($%d::bigint[]) AS k(value)", "= ANY($%d::bigint[])");
}

/* The server's name of the prepared statement of a text. */
static enum status prepare(struct postgres *self, const char *sql, char name[24], struct error *error) {
  uint32_t at = map_get(self->texts, slice_of(sql));
  if (at != MAP_NONE) {
    snprintf(name, 24, "s%u", at);
    return OK;
  }
  char *text = spell_lists(sql);
  if (text == NULL) {
    return error_memory(error);
  }
  uint32_t number = map_count(self->texts);
  snprintf(name, 24, "s%u", number);
  enum status status = checked(self, PQprepare(self->connection, name, text, 0, NULL), PGRES_COMMAND_OK, error);
  free(text);
  if (status == OK && map_put(self->texts, slice_of(sql), number) != OK) {
    return error_memory(error);
  }
  return status;
}

static enum status perform(struct postgres *self, const char *sql, const struct value *values, size_t count,
                           PGresult **result, struct error *error) {
  char name[24];
  struct parameters parameters;
  *result = NULL;
  enum status status = postgres_settle(self, error);
  if (status == OK) {
    status = prepare(self, sql, name, error);
  }
  if (status != OK) {
    return status;
  }
  if (!encode(values, count, &parameters)) {
    parameters_free(&parameters);
    return error_memory(error);
  }
  *result =
      PQexecPrepared(self->connection, name, (int)count, parameters.values, parameters.lengths, parameters.formats, 1);
  parameters_free(&parameters);
  ExecStatusType got = PQresultStatus(*result);
  if (got == PGRES_COMMAND_OK || got == PGRES_TUPLES_OK) {
    return OK;
  }
  status = postgres_fail(self->connection, *result, error);
  PQclear(*result);
  *result = NULL;
  return status;
}

static enum status postgres_execute(struct driver *driver, const char *sql, const struct value *values, size_t count,
                                    int64_t *changed, struct error *error) {
  PGresult *result;
  enum status status = perform(self_of(driver), sql, values, count, &result, error);
  if (status == OK && changed != NULL) {
    *changed = strtoll(PQcmdTuples(result), NULL, 10);
  }
  PQclear(result);
  return status;
}

static enum status new_cursor(struct postgres *self, PGresult *result, struct postgres_cursor **cursor,
                              struct error *error) {
  struct postgres_cursor *made = calloc(1, sizeof *made);
  if (made == NULL) {
    PQclear(result);
    return error_memory(error);
  }
  made->cursor.ops = self->driver.ops;
  made->postgres = self;
  made->result = result;
  made->row = -1;
  *cursor = made;
  return OK;
}

static enum status postgres_query(struct driver *driver, const char *sql, const struct value *values, size_t count,
                                  struct cursor **cursor, struct error *error) {
  PGresult *result;
  struct postgres_cursor *made = NULL;
  enum status status = perform(self_of(driver), sql, values, count, &result, error);
  if (status == OK) {
    status = new_cursor(self_of(driver), result, &made, error);
  }
  if (status == OK) {
    *cursor = &made->cursor;
  }
  return status;
}

/* ---- results of any size ---- */

/* Declared WITH HOLD: it outlives the transaction that it was asked in, and the server keeps what is not read yet. */
static enum status postgres_stream(struct driver *driver, const char *sql, const struct value *values, size_t count,
                                   struct cursor **cursor, struct error *error) {
  struct postgres *self = self_of(driver);
  struct parameters parameters;
  char name[24];
  enum status status = postgres_settle(self, error);
  if (status != OK) {
    return status;
  }
  snprintf(name, sizeof name, "c%llu", (unsigned long long)++self->cursors);
  char *text = NULL, *spelled = spell_lists(sql);
  int length = spelled == NULL ? -1 : asprintf(&text, "DECLARE %s NO SCROLL CURSOR WITH HOLD FOR %s", name, spelled);
  free(spelled);
  if (length < 0) {
    return error_memory(error);
  }
  if (!encode(values, count, &parameters)) {
    parameters_free(&parameters);
    free(text);
    return error_memory(error);
  }
  status = checked(self,
                   PQexecParams(self->connection, text, (int)count, NULL, parameters.values, parameters.lengths,
                                parameters.formats, 0),
                   PGRES_COMMAND_OK, error);
  parameters_free(&parameters);
  free(text);
  struct postgres_cursor *made = NULL;
  if (status == OK) {
    status = new_cursor(self, NULL, &made, error);
  }
  if (status != OK) {
    return status;
  }
  memcpy(made->name, name, sizeof name);
  *cursor = &made->cursor;
  status = postgres_fetch(made, error);
  if (status != OK) {
    driver->ops->finish(*cursor);
    *cursor = NULL;
  }
  return status;
}

/* ---- transactions and versions ---- */

static enum status postgres_script(struct driver *driver, const char *sql, struct error *error) {
  enum status status = postgres_settle(self_of(driver), error);
  return status == OK ? postgres_run_text(self_of(driver)->connection, sql, error) : status;
}

static enum status postgres_begin(struct driver *driver, struct error *error) {
  return postgres_script(driver, "BEGIN", error);
}

static enum status postgres_commit(struct driver *driver, struct error *error) {
  struct postgres *self = self_of(driver);
  enum status status = postgres_settle(self, error);
  if (status != OK) {
    return status;
  }
  PGresult *result = PQexec(self->connection, "COMMIT");
  bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
  bool kept = done && strcmp(PQcmdStatus(result), "COMMIT") == 0;
  if (done && !kept) {
    status = error_set(error, ERR_STORE, "%s", _("PostgreSQL rolled the transaction back"));
  } else if (!done) {
    status = postgres_fail(self->connection, result, error);
    if (is_lost(self->connection, result)) {
      error_set(error, ERR_STORE, "%s",
                _("the connection to PostgreSQL was lost during COMMIT: whether it was stored is not known"));
      error_hint(error, "%s", _("run the command again: it reads its cursor from the store and repeats nothing"));
      status = ERR_STORE;
    }
  }
  PQclear(result);
  return status;
}

static void postgres_rollback(struct driver *driver) {
  struct postgres *self = self_of(driver);
  postgres_append_abandon(self);
  if (PQtransactionStatus(self->connection) != PQTRANS_IDLE) {
    PQclear(PQexec(self->connection, "ROLLBACK"));
  }
}

static enum status postgres_lock_schema(struct driver *driver, struct error *error) {
  char sql[128];
  snprintf(sql, sizeof sql, "SELECT pg_advisory_xact_lock(hashtext('puente:%s'))", self_of(driver)->schema);
  return postgres_script(driver, sql, error);
}

static enum status postgres_lock_keys(struct driver *driver, bool alone, struct error *error) {
  char sql[160];
  snprintf(sql, sizeof sql, "SELECT pg_advisory_xact_lock%s(hashtext('puente:keys:%s'))", alone ? "" : "_shared",
           self_of(driver)->schema);
  return postgres_script(driver, sql, error);
}

static enum status one_number(struct postgres *self, const char *sql, int64_t *number, struct error *error) {
  enum status status = postgres_settle(self, error);
  if (status != OK) {
    return status;
  }
  PGresult *result = PQexec(self->connection, sql);
  if (PQresultStatus(result) != PGRES_TUPLES_OK) {
    status = postgres_fail(self->connection, result, error);
  } else {
    *number = PQntuples(result) == 0 ? 0 : strtoll(PQgetvalue(result, 0, 0), NULL, 10);
  }
  PQclear(result);
  return status;
}

static enum status postgres_version(struct driver *driver, int *version, struct error *error) {
  struct postgres *self = self_of(driver);
  int64_t number = 0;
  char sql[192];
  snprintf(sql, sizeof sql, "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = '%s' AND tablename = 'meta'",
           self->schema);
  enum status status = one_number(self, sql, &number, error);
  if (status == OK && number > 0) {
    status = one_number(self, "SELECT value FROM meta WHERE name = 'version'", &number, error);
  }
  *version = (int)number;
  return status;
}

static enum status postgres_set_version(struct driver *driver, int version, struct error *error) {
  char sql[192];
  snprintf(sql, sizeof sql,
           "INSERT INTO meta (name, value) VALUES ('version', '%d') "
           "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
           version);
  return postgres_script(driver, sql, error);
}

static enum status postgres_now(struct driver *driver, int64_t *micros, struct error *error) {
  return one_number(self_of(driver), "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", micros, error);
}

const struct driver_ops postgres_driver = {
    .name = "postgres",
    .open = postgres_open,
    .close = postgres_close,
    .dialect = postgres_dialect,
    .version = postgres_version,
    .set_version = postgres_set_version,
    .begin = postgres_begin,
    .commit = postgres_commit,
    .rollback = postgres_rollback,
    .lock_schema = postgres_lock_schema,
    .lock_keys = postgres_lock_keys,
    .script = postgres_script,
    .execute = postgres_execute,
    .query = postgres_query,
    .stream = postgres_stream,
    .next = postgres_next,
    .value = postgres_value,
    .is_integer = postgres_is_integer,
    .columns = postgres_columns,
    .column = postgres_column,
    .finish = postgres_finish,
    .append_begin = postgres_append_begin,
    .append_row = postgres_append_row,
    .append_end = postgres_append_end,
    .hold = postgres_hold,
    .unhold = postgres_unhold,
    .held = postgres_held,
    .now = postgres_now,
    .copy = postgres_copy_to,
    .holdings = postgres_holdings,
    .open_copy = postgres_open_copy,
    .scan = postgres_scan,
    .restore = postgres_restore,
    .proof = PROOF_RESTORED,
    .integrity = postgres_integrity,
    .backup_name = postgres_backup_label,
    .make_views = postgres_make_views,
    .ask = postgres_ask,
};
