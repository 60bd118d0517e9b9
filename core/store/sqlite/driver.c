#include "core/base/date.h"
#include "core/store/sqlite/sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A write-ahead log with synchronous=NORMAL: a commit survives the death of the process; a loss of power may take the
 * last commits, whole, and never harms the file. The log is long, since the pages of the key index are dirtied again by
 * each batch and are so written once. */
static const char SETTINGS[] = "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA foreign_keys=OFF;"
                               "PRAGMA cache_size=-65536;PRAGMA mmap_size=0;PRAGMA wal_autocheckpoint=12288;"
                               "PRAGMA journal_size_limit=134217728;PRAGMA temp_store=FILE;";

static struct sqlite *self_of(struct driver *driver) {
  return (struct sqlite *)driver;
}

/* Why the database's file or its log could not be written: a quota and a limit of a file's size end a disk as well. */
static bool is_full(sqlite3 *handle) {
  sqlite3_file *log = NULL;
  int causes[2] = {0, 0};
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_LAST_ERRNO, &causes[0]);
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log != NULL && log->pMethods != NULL) {
    log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &causes[1]);
  }
  for (int i = 0; i < 2; i++) {
    if (causes[i] == ENOSPC || causes[i] == EDQUOT || causes[i] == EFBIG) {
      return true;
    }
  }
  return false;
}

enum status sqlite_fail(sqlite3 *handle, int code, struct error *error) {
  switch (code & 0xff) {
  case SQLITE_NOMEM:
    return error_memory(error);
  case SQLITE_FULL:
    error_set(error, ERR_FULL, "%s", _("the disk is full"));
    error_hint(error, "%s", _("free space on the store's disk, then run the command again: nothing is lost"));
    return ERR_FULL;
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    error_set(error, ERR_BUSY, "%s", _("the store is being written by another process"));
    error_hint(error, "%s", _("try again when it has ended"));
    return ERR_BUSY;
  case SQLITE_READONLY:
  case SQLITE_CANTOPEN:
  case SQLITE_PERM:
    error_set(error, ERR_IO, _("the store cannot be opened or written: %s"), sqlite3_errstr(code));
    error_hint(error, "%s",
               handle != NULL && sqlite_disk_is_read_only(sqlite3_db_filename(handle, "main"))
                   ? _("its disk is mounted read-only, as systems do when a disk fails: see their log (dmesg)")
                   : _("the file and its folder must be writable by this user"));
    return ERR_IO;
  case SQLITE_NOTADB:
    error_set(error, ERR_STORE, "%s", _("the file is not a SQLite database"));
    error_hint(error, "%s", _("check the store's path; this file was not made by puente"));
    return ERR_STORE;
  case SQLITE_CORRUPT:
    error_set(error, ERR_STORE, "%s", _("the database file is damaged"));
    error_hint(error, "%s", _("restore the last backup; the sources are then pulled from where it ends"));
    return ERR_STORE;
  case SQLITE_IOERR:
    if (code == SQLITE_IOERR_SHMSIZE || (handle != NULL && is_full(handle))) { /* the log's index cannot grow */
      return sqlite_fail(handle, SQLITE_FULL, error);
    }
    return error_set(error, ERR_IO, _("the store cannot be read or written: %s"), sqlite3_errstr(code));
  case SQLITE_INTERRUPT:
    return error_set(error, ERR_LIMIT, "%s", _("the query took longer than allowed"));
  default:
    return error_set(error, ERR_STORE, _("the store failed: %s"),
                     handle == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(handle));
  }
}

static enum status check(struct sqlite *self, int code, struct error *error) {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW)
    return OK;
  sqlite_fail(self->handle, sqlite3_extended_errcode(self->handle), error);
  if (error->code == ERR_BUSY && self->stop != NULL && atomic_load(self->stop))
    error_set(error, ERR_INTERRUPTED, _("stopped by a signal; the next sync goes on from here"));
  error_place(error, "%s", self->path);
  return error->code;
}

/* ---- statements ---- */

void sqlite_discard(struct statement *statement) {
  if (statement != NULL)
    sqlite3_finalize(statement->handle);
  free(statement);
}

enum status sqlite_prepare(sqlite3 *handle, const char *sql, struct statement **statement, struct error *error) {
  char *text = driver_expand(sql, "json_each($%d) AS k", "IN (SELECT value FROM json_each($%d))");
  struct statement *made = calloc(1, sizeof *made);
  if (text == NULL || made == NULL) {
    free(text);
    free(made);
    return error_memory(error);
  }
  int code = sqlite3_prepare_v3(handle, text, -1, SQLITE_PREPARE_PERSISTENT, &made->handle, NULL);
  free(text);
  if (code != SQLITE_OK) {
    free(made);
    return sqlite_fail(handle, code, error);
  }
  int count = sqlite3_bind_parameter_count(made->handle);
  for (int i = 0; i < count && i < PARAMETERS_MOST; i++) {
    const char *name = sqlite3_bind_parameter_name(made->handle, i + 1);
    made->parameter[i] = (uint8_t)(name == NULL ? i + 1 : strtol(name + 1, NULL, 10));
  }
  made->parameter_count = (uint8_t)count;
  *statement = made;
  return OK;
}

/* The cached statement of a text; one of its own where that is in use. */
static enum status statement_of(struct sqlite *self, const char *sql, struct statement **statement, bool *own,
                                struct error *error) {
  uint32_t at = map_get(self->texts, slice_of(sql));
  *own = at != MAP_NONE && self->statements[at]->busy;
  if (at != MAP_NONE && !*own) {
    *statement = self->statements[at];
    return OK;
  }
  enum status status = sqlite_prepare(self->handle, sql, statement, error);
  if (status != OK || *own)
    return status;
  struct statement **grown = realloc(self->statements, (self->statement_count + 1) * sizeof *grown);
  if (grown != NULL)
    self->statements = grown;
  if (grown == NULL || map_put(self->texts, slice_of(sql), (uint32_t)self->statement_count) != OK) {
    sqlite_discard(*statement);
    *statement = NULL; /* an append that is abandoned looks at it */
    return error_memory(error);
  }
  self->statements[self->statement_count++] = *statement;
  return OK;
}

static size_t put_integer(char *out, int64_t integer) {
  char digits[20];
  size_t count = 0, used = 0;
  uint64_t left = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
  do {
    digits[count++] = (char)('0' + left % 10);
    left /= 10;
  } while (left > 0);
  if (integer < 0) {
    out[used++] = '-';
  }
  while (count > 0) {
    out[used++] = digits[--count];
  }
  return used;
}

/* A JSON array, for json_each. */
static int bind_list(sqlite3_stmt *handle, int at, const struct value *value) {
  size_t size = (size_t)value->len * 21 + 3, used = 0;
  char *text = sqlite3_malloc64(size);
  if (text == NULL) {
    return SQLITE_NOMEM;
  }
  text[used++] = '[';
  for (uint32_t i = 0; i < value->len; i++) {
    if (i > 0) {
      text[used++] = ',';
    }
    used += put_integer(text + used, value->list[i]);
  }
  text[used++] = ']';
  return sqlite3_bind_text64(handle, at, text, used, sqlite3_free, SQLITE_UTF8);
}

static int bind_one(sqlite3_stmt *handle, int at, const struct value *value) {
  switch (value->kind) {
  case VALUE_INTEGER:
    return sqlite3_bind_int64(handle, at, value->integer);
  case VALUE_REAL:
    return sqlite3_bind_double(handle, at, value->real);
  case VALUE_TEXT:
    return sqlite3_bind_text(handle, at, value->text, (int)value->len, SQLITE_STATIC);
  case VALUE_BYTES:
    return sqlite3_bind_blob(handle, at, value->text, (int)value->len, SQLITE_STATIC);
  case VALUE_LIST:
    return bind_list(handle, at, value);
  default:
    return sqlite3_bind_null(handle, at);
  }
}

static enum status bind_all(struct sqlite *self, struct statement *statement, const struct value *values, size_t count,
                            struct error *error) {
  for (uint8_t i = 0; i < statement->parameter_count; i++) {
    size_t at = (size_t)statement->parameter[i] - 1;
    if (at >= count)
      return error_set(error, ERR_INTERNAL, "statement without value for $%zu", at + 1);
    int code = bind_one(statement->handle, i + 1, &values[at]);
    if (code != SQLITE_OK)
      return check(self, code, error);
  }
  return OK;
}

static enum status sqlite_execute(struct driver *driver, const char *sql, const struct value *values, size_t count,
                                  int64_t *changed, struct error *error) {
  struct sqlite *self = self_of(driver);
  struct statement *statement;
  bool own;
  enum status status = statement_of(self, sql, &statement, &own, error);
  if (status != OK)
    return status;
  status = bind_all(self, statement, values, count, error);
  if (status == OK)
    status = check(self, sqlite3_step(statement->handle), error);
  if (changed != NULL)
    *changed = sqlite3_changes64(self->handle);
  sqlite_give_back(statement, own);
  return status;
}

static enum status sqlite_query(struct driver *driver, const char *sql, const struct value *values, size_t count,
                                struct cursor **cursor, struct error *error) {
  struct sqlite *self = self_of(driver);
  struct sqlite_cursor *made = calloc(1, sizeof *made);
  if (made == NULL)
    return error_memory(error);
  enum status status = statement_of(self, sql, &made->statement, &made->own, error);
  if (status != OK) {
    free(made);
    return status;
  }
  made->cursor.ops = driver->ops;
  made->sqlite = self;
  made->statement->busy = true;
  status = bind_all(self, made->statement, values, count, error);
  if (status != OK) {
    sqlite_give_back(made->statement, made->own);
    free(made);
    return status;
  }
  *cursor = &made->cursor;
  return OK;
}

/* ---- appending ---- */

static enum status sqlite_append_begin(struct driver *driver, const struct table *table, struct error *error) {
  struct sqlite *self = self_of(driver);
  struct buffer sql;
  buffer_init(&sql, 1 << 16);
  buffer_printf(&sql, "INSERT INTO \"%s\" (", table->name);
  for (size_t i = 0; i < table->column_count; i++)
    buffer_printf(&sql, "%s\"%s\"", i == 0 ? "" : ", ", table->columns[i].name);
  buffer_text(&sql, ") VALUES (");
  for (size_t i = 0; i < table->column_count; i++)
    buffer_printf(&sql, "%s$%zu", i == 0 ? "" : ", ", i + 1);
  buffer_char(&sql, ')');
  enum status status = buffer_check(&sql, "statement", error);
  bool own = false;
  if (status == OK)
    status = statement_of(self, sql.data, &self->append, &own, error);
  buffer_free(&sql);
  if (status != OK)
    return status;
  self->append->busy = true;
  self->append_columns = table->column_count;
  memset(self->bound, 0, sizeof self->bound);
  return OK;
}

/* Most columns of a wide row are empty, and were so in the row before: those are not bound again. */
static enum status sqlite_append_row(struct driver *driver, const struct value *values, struct error *error) {
  struct sqlite *self = self_of(driver);
  sqlite3_stmt *handle = self->append->handle;
  for (size_t i = 0; i < self->append_columns; i++) {
    if (values[i].kind == VALUE_NULL && !self->bound[i])
      continue;
    self->bound[i] = values[i].kind != VALUE_NULL;
    int code = bind_one(handle, (int)i + 1, &values[i]);
    if (code != SQLITE_OK)
      return check(self, code, error);
  }
  int code = sqlite3_step(handle);
  enum status status = check(self, code, error);
  sqlite3_reset(handle);
  return status;
}

static enum status sqlite_append_end(struct driver *driver, struct error *error) {
  (void)error;
  struct sqlite *self = self_of(driver);
  sqlite_give_back(self->append, false);
  self->append = NULL;
  return OK;
}

/* ---- transactions ---- */

static enum status sqlite_script(struct driver *driver, const char *sql, struct error *error) {
  struct sqlite *self = self_of(driver);
  return check(self, sqlite3_exec(self->handle, sql, NULL, NULL, NULL), error);
}

static enum status sqlite_begin(struct driver *driver, struct error *error) {
  return sqlite_execute(driver, "BEGIN IMMEDIATE", NULL, 0, NULL, error);
}

static enum status sqlite_commit(struct driver *driver, struct error *error) {
  return sqlite_execute(driver, "COMMIT", NULL, 0, NULL, error);
}

static void sqlite_rollback(struct driver *driver) {
  struct sqlite *self = self_of(driver);
  if (self->append != NULL) {
    sqlite_give_back(self->append, false);
    self->append = NULL;
  }
  if (!sqlite3_get_autocommit(self->handle))
    sqlite3_exec(self->handle, "ROLLBACK", NULL, NULL, NULL);
}

static enum status sqlite_lock_schema(struct driver *driver, struct error *error) {
  (void)driver; /* BEGIN IMMEDIATE has locked it */
  (void)error;
  return OK;
}

/* ---- opening ---- */

static enum status pragma_integer(struct sqlite *self, const char *sql, int64_t *value, struct error *error) {
  sqlite3_stmt *handle;
  enum status status = check(self, sqlite3_prepare_v2(self->handle, sql, -1, &handle, NULL), error);
  if (status != OK)
    return status;
  int code = sqlite3_step(handle);
  *value = code == SQLITE_ROW ? sqlite3_column_int64(handle, 0) : 0;
  status = check(self, code, error);
  sqlite3_finalize(handle);
  return status;
}

static enum status sqlite_version(struct driver *driver, int *version, struct error *error) {
  int64_t value = 0;
  enum status status = pragma_integer(self_of(driver), "PRAGMA user_version", &value, error);
  *version = (int)value;
  return status;
}

static enum status sqlite_set_version(struct driver *driver, int version, struct error *error) {
  char sql[64];
  snprintf(sql, sizeof sql, "PRAGMA user_version=%d", version);
  return sqlite_script(driver, sql, error);
}

static enum status check_application(struct sqlite *self, bool create, struct error *error) {
  int64_t application = 0, tables = 0;
  enum status status = pragma_integer(self, "PRAGMA application_id", &application, error);
  if (status == OK)
    status = pragma_integer(self, "SELECT count(*) FROM sqlite_schema", &tables, error);
  if (status != OK || application == SQLITE_APPLICATION)
    return status;
  if (application != 0 || tables != 0) {
    error_set(error, ERR_STORE, "%s", _("the file is a SQLite database of another program"));
    error_place(error, "%s", self->path);
    error_hint(error, "%s", _("give the store a path of its own"));
    return ERR_STORE;
  }
  if (!create) {
    error_set(error, ERR_NOT_FOUND, "%s", _("there is no store here yet: the file is empty"));
    error_place(error, "%s", self->path);
    error_hint(error, "%s", _("run `puente store init`"));
    return ERR_NOT_FOUND;
  }
  char sql[96];
  snprintf(sql, sizeof sql, "PRAGMA page_size=8192;PRAGMA application_id=%d", SQLITE_APPLICATION);
  return sqlite_script(&self->driver, sql, error);
}

static void sqlite_shut(struct driver *driver) {
  struct sqlite *self = self_of(driver);
  for (size_t i = 0; i < self->statement_count; i++)
    sqlite_discard(self->statements[i]);
  free(self->statements);
  map_free(self->texts);
  sqlite3_close(self->handle);
  if (self->holds >= 0)
    close(self->holds);
  free(self->path);
  free(self);
}

enum { REACH_MOST = 3 };
/* An open database that was read from; it may have waited for another program. */
static enum status reach(struct sqlite *self, const struct store_options *options, bool create, struct error *error) {
  int code = options->read_only
                 ? sqlite_open_reading(options->path, &self->handle)
                 : sqlite3_open_v2(options->path, &self->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  if (code != SQLITE_OK) {
    sqlite_fail(self->handle, code, error);
    error_place(error, "%s", options->path);
    return error->code;
  }
  sqlite3_extended_result_codes(self->handle, 1);
  sqlite3_busy_handler(self->handle, sqlite_wait, self);
  return check_application(self, create, error);
}

static enum status connect(struct sqlite *self, const struct store_options *options, bool create, struct error *error) {
  if (access(options->path, F_OK) != 0 && !create) {
    error_set(error, ERR_NOT_FOUND, "%s", _("there is no store here yet"));
    error_place(error, "%s", options->path);
    error_hint(error, "%s", _("run `puente store init`"));
    return ERR_NOT_FOUND;
  }
  enum status status = create ? sqlite_make_file(options->path, error) : OK;
  if (status != OK)
    return status;
  for (int tries = 0; status == OK; tries++) {
    status = reach(self, options, create, error);
    if (status != OK || !sqlite_has_moved(self->handle))
      break;
    sqlite3_close(self->handle);
    self->handle = NULL;
    if (tries == REACH_MOST)
      status = error_set(error, ERR_BUSY, "%s", _("the store is being restored by another process"));
  }
  return status == OK ? sqlite_script(&self->driver, options->read_only ? "PRAGMA cache_size=-65536" : SETTINGS, error)
                      : status;
}

static enum status sqlite_open(const struct store_options *options, bool create, struct driver **driver,
                               struct error *error) {
  struct sqlite *self = calloc(1, sizeof *self);
  if (self == NULL)
    return error_memory(error);
  self->driver.ops = &sqlite_driver;
  self->read_only = options->read_only;
  self->holds = -1;
  self->stop = options->stop;
  self->path = strdup(options->path);
  self->texts = map_new();
  enum status status = self->path == NULL || self->texts == NULL ? error_memory(error) : OK;
  if (status == OK)
    status = connect(self, options, create, error);
  if (status != OK) {
    sqlite_shut(&self->driver);
    return status;
  }
  *driver = &self->driver;
  return OK;
}

static void sqlite_dialect(const struct driver *driver, struct dialect *dialect) {
  (void)driver;
  *dialect = (struct dialect){
      .types = {[COLUMN_INTEGER] = "INTEGER", [COLUMN_TEXT] = "TEXT", [COLUMN_BYTES] = "BLOB", [COLUMN_REAL] = "REAL"},
      .table_options = " WITHOUT ROWID",
      .settle_tables = "",
      .find_column = "SELECT type = $3 OR type NOT IN ('INTEGER', 'TEXT', 'BLOB', 'REAL') FROM pragma_table_info($1) "
                     "WHERE name = $2",
      .json_pairs = "json_each(p.origins) AS j",
      .json_row = "json_extract(j.value, '$[0]')",
      .json_rule = "json_extract(j.value, '$[1]')",
      .view_prefix = "main.",
      .has_views = "SELECT count(*) FROM sqlite_schema WHERE type = 'view'",
      .time = "strftime('%%Y-%%m-%%dT%%H:%%M:%%fZ', %.*s / 1000000.0, 'unixepoch')",
      .hex = "lower(hex(%.*s))",
      .collate = "",
  };
}

static enum status sqlite_now(struct driver *driver, int64_t *micros, struct error *error) {
  (void)driver;
  (void)error;
  *micros = clock_now();
  return OK;
}

static enum status sqlite_make_views(struct driver *driver, const struct view_text *views, size_t count,
                                     struct error *error) {
  struct buffer sql;
  buffer_init(&sql, 1 << 20);
  for (size_t i = 0; i < count; i++)
    buffer_printf(&sql, "DROP VIEW IF EXISTS \"%s\"; CREATE VIEW \"%s\" AS %s;\n", views[i].name, views[i].name,
                  views[i].select);
  enum status status = buffer_check(&sql, "statement", error);
  if (status == OK)
    status = sqlite_script(driver, sql.data, error);
  buffer_free(&sql);
  return status;
}

const struct driver_ops sqlite_driver = {
    .name = "sqlite",
    .open = sqlite_open,
    .close = sqlite_shut,
    .dialect = sqlite_dialect,
    .version = sqlite_version,
    .set_version = sqlite_set_version,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .lock_schema = sqlite_lock_schema,
    .script = sqlite_script,
    .execute = sqlite_execute,
    .query = sqlite_query,
    .stream = sqlite_query,
    .next = sqlite_next,
    .value = sqlite_value_at,
    .is_integer = sqlite_is_integer,
    .columns = sqlite_columns,
    .column = sqlite_column,
    .finish = sqlite_finish,
    .append_begin = sqlite_append_begin,
    .append_row = sqlite_append_row,
    .append_end = sqlite_append_end,
    .hold = sqlite_hold,
    .unhold = sqlite_unhold,
    .held = sqlite_held,
    .now = sqlite_now,
    .copy = sqlite_copy,
    .holdings = sqlite_holdings,
    .open_copy = sqlite_open_copy,
    .restore = sqlite_restore,
    .proof = PROOF_OPENED,
    .integrity = sqlite_integrity,
    .backup_name = sqlite_backup_label,
    .make_views = sqlite_make_views,
    .ask = sqlite_ask,
};
