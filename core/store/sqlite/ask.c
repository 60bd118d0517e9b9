/* One statement of a person's, kept to the views. A connection of its own, read-only, on which the views are made anew
 * under names that nobody can guess: base tables may be read from within those only. (The name of a view is what SQLite
 * tells an authorizer, and a common table expression can take any name that is known.) */
#include "core/base/date.h"
#include "core/store/sqlite/sqlite.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

enum { SECRET_BYTES = 16, STEPS_BETWEEN_LOOKS = 10000, LENGTH_MOST = 16 << 20, TEXT_MOST = 1 << 20 };
enum { NAMES_MOST = 256, NAME_SIZE = 64 };

struct guarded {
  struct sqlite_cursor cursor;
  char prefix[2 * SECRET_BYTES + 3]; /* "v_…" */
  const struct view_text *views;
  size_t count;
  bool refused;
  char names[NAMES_MOST][NAME_SIZE]; /* of the store's tables */
  size_t name_count;
  bool names_whole;
};

static bool is_view(const struct guarded *self, const char *name) {
  for (size_t i = 0; i < self->count && name != NULL; i++) {
    if (sqlite3_stricmp(self->views[i].name, name) == 0) {
      return true;
    }
  }
  return false;
}

static bool is_secret(const struct guarded *self, const char *name) {
  return name != NULL && strncmp(name, self->prefix, sizeof self->prefix - 1) == 0;
}

/* Tables of which a view shows each row. Where a statement asks for no column of one, SQLite tells neither column nor
 * view; how many rows they have is no secret. */
static bool is_counted(const char *table) {
  static const char *const TABLES[] = {
      "source",        "run",         "plan",          "audit_log", "link_pair",     "person_redirect", "case_redirect",
      "person_member", "case_member", "link_decision", "release",   "release_table", "release_cell"};
  for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES; i++) {
    if (strcmp(TABLES[i], table) == 0) {
      return true;
    }
  }
  return false;
}

static int keep_name(void *context, int count, char **values, char **titles) {
  struct guarded *self = context;
  (void)titles;
  if (count != 1 || values[0] == NULL || self->name_count == NAMES_MOST || strlen(values[0]) >= NAME_SIZE) {
    return 1;
  }
  snprintf(self->names[self->name_count++], NAME_SIZE, "%s", values[0]);
  return 0;
}

static void read_names(struct guarded *self) {
  self->names_whole =
      sqlite3_exec(self->cursor.handle, "SELECT name FROM main.sqlite_schema", keep_name, self, NULL) == SQLITE_OK;
}

/* What a statement itself names (WITH x AS …): neither of the store nor of SQLite. */
static bool is_own(const struct guarded *self, const char *table) {
  bool known = !self->names_whole || is_secret(self, table) || sqlite3_strnicmp(table, "sqlite_", 7) == 0
               || sqlite3_strnicmp(table, "pragma_", 7) == 0 || sqlite3_stricmp(table, "dbstat") == 0;
  for (size_t i = 0; i < self->name_count && !known; i++) {
    known = sqlite3_stricmp(self->names[i], table) == 0;
  }
  return !known;
}

/* A read is fine from within a secret view; of a secret view from within the view of its name; of a view by anyone. */
static bool may_read(const struct guarded *self, const char *table, const char *column, const char *database,
                     const char *within) {
  if (column != NULL && column[0] == '\0' && database == NULL && table != NULL
      && (is_counted(table) || is_own(self, table))) {
    return true;
  }
  if (is_secret(self, within)) {
    return true;
  }
  if (is_secret(self, table)) {
    return is_view(self, within);
  }
  return database != NULL && strcmp(database, "temp") == 0 && is_view(self, table);
}

static int authorize(void *context, int action, const char *first, const char *second, const char *database,
                     const char *within) {
  struct guarded *self = context;
  switch (action) {
  case SQLITE_SELECT:
  case SQLITE_RECURSIVE:
    return SQLITE_OK;
  case SQLITE_FUNCTION:
    return second != NULL && sqlite3_stricmp(second, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
  case SQLITE_READ:
    if (may_read(self, first, second, database, within)) {
      return SQLITE_OK;
    }
    break;
  default:
    break;
  }
  self->refused = true;
  return SQLITE_DENY;
}

static int look_at_clock(void *context) {
  struct sqlite_cursor *cursor = context;
  return clock_monotonic() > cursor->deadline;
}

static enum status make_secret_views(struct guarded *self, struct error *error) {
  uint8_t secret[SECRET_BYTES];
  if (RAND_bytes(secret, sizeof secret) != 1) {
    return error_set(error, ERR_INTERNAL, "%s", _("the random number generator does not start"));
  }
  memcpy(self->prefix, "v_", 2);
  hex_format(secret, sizeof secret, self->prefix + 2);
  struct buffer sql;
  buffer_init(&sql, 1 << 20);
  buffer_text(&sql, "PRAGMA temp_store=MEMORY;PRAGMA cache_size=-32768;");
  for (size_t i = 0; i < self->count; i++) {
    const struct view_text *view = &self->views[i];
    buffer_printf(&sql, "CREATE TEMP VIEW \"%s%s\" AS %s; CREATE TEMP VIEW \"%s\" AS SELECT * FROM temp.\"%s%s\";",
                  self->prefix, view->name, view->select, view->name, self->prefix, view->name);
  }
  enum status status = buffer_check(&sql, "views", error);
  if (status == OK) {
    int code = sqlite3_exec(self->cursor.handle, sql.data, NULL, NULL, NULL);
    status = code == SQLITE_OK ? OK : sqlite_fail(self->cursor.handle, code, error);
  }
  buffer_free(&sql);
  return status;
}

static enum status prepare(struct guarded *self, const char *sql, struct error *error) {
  const char *tail = "";
  sqlite3 *handle = self->cursor.handle;
  sqlite3_stmt *made = NULL, *more = NULL;
  int code = sqlite3_prepare_v2(handle, sql, -1, &made, &tail);
  if (code != SQLITE_OK) {
    if (self->refused) {
      error_set(error, ERR_USAGE, "%s", _("the statement reaches beyond the documented views"));
      error_hint(error, "%s", _("`puente query --views` lists what can be read"));
      return ERR_USAGE;
    }
    error_set(error, ERR_USAGE, _("the statement cannot be read: %s"), sqlite3_errmsg(handle));
    error_hint(error, "%s", _("`puente query --views` lists views and columns"));
    return ERR_USAGE;
  }
  int rest = sqlite3_prepare_v2(handle, tail, -1, &more, NULL);
  sqlite3_finalize(more);
  bool single = made != NULL && rest == SQLITE_OK && more == NULL;
  if (!single || !sqlite3_stmt_readonly(made) || sqlite3_stmt_isexplain(made) != 0 || sqlite3_column_count(made) == 0) {
    sqlite3_finalize(made);
    error_set(error, ERR_USAGE, "%s", _("a query is one SELECT statement"));
    return ERR_USAGE;
  }
  self->cursor.statement->handle = made;
  return OK;
}

static enum status open_guarded(struct guarded *self, struct sqlite *store, const char *sql, int64_t timeout,
                                struct error *error) {
  sqlite3 **handle = &self->cursor.handle;
  int code = sqlite_open_reading(store->path, handle);
  if (code != SQLITE_OK) {
    return sqlite_fail(*handle, code, error);
  }
  sqlite3_extended_result_codes(*handle, 1);
  sqlite3_busy_timeout(*handle, 30000);
  enum status status = make_secret_views(self, error);
  if (status != OK) {
    return status;
  }
  read_names(self);
  sqlite3_limit(*handle, SQLITE_LIMIT_LENGTH, LENGTH_MOST);
  sqlite3_limit(*handle, SQLITE_LIMIT_SQL_LENGTH, TEXT_MOST);
  sqlite3_limit(*handle, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_db_config(*handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_set_authorizer(*handle, authorize, self);
  if (timeout > 0) {
    self->cursor.deadline = clock_monotonic() + timeout;
    sqlite3_progress_handler(*handle, STEPS_BETWEEN_LOOKS, look_at_clock, &self->cursor);
  }
  return prepare(self, sql, error);
}

enum status sqlite_ask(struct driver *driver, const struct view_text *views, size_t count, const char *sql,
                       int64_t timeout, struct cursor **cursor, struct error *error) {
  struct sqlite *store = (struct sqlite *)driver;
  struct guarded *self = calloc(1, sizeof *self);
  struct statement *statement = calloc(1, sizeof *statement);
  if (self == NULL || statement == NULL) {
    free(self);
    free(statement);
    return error_memory(error);
  }
  self->cursor.cursor.ops = driver->ops;
  self->cursor.statement = statement;
  self->cursor.own = true;
  self->views = views;
  self->count = count;
  enum status status = open_guarded(self, store, sql, timeout, error);
  if (status != OK) {
    sqlite_discard(statement);
    sqlite3_close(self->cursor.handle);
    free(self);
    return status;
  }
  *cursor = &self->cursor.cursor;
  return OK;
}
