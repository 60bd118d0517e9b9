#include "core/base/date.h"
#include "core/base/file.h"
#include "core/store/sqlite/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGES_A_STEP = 4096, BUSY_TRIES = 600, ALONE_MILLISECONDS = 2000 };

/* ---- copying ---- */

static enum status copy_pages(sqlite3 *to, sqlite3 *from, const atomic_bool *stop, struct error *error) {
  sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
  if (backup == NULL) {
    return sqlite_fail(to, sqlite3_errcode(to), error);
  }
  int code = SQLITE_OK;
  for (int tries = 0; code == SQLITE_OK || ((code == SQLITE_BUSY || code == SQLITE_LOCKED) && tries < BUSY_TRIES);) {
    if (stop != NULL && atomic_load(stop)) {
      sqlite3_backup_finish(backup);
      return error_set(error, ERR_INTERRUPTED, "%s", _("stopped before the copy was whole"));
    }
    code = sqlite3_backup_step(backup, PAGES_A_STEP);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
      tries++;
      sqlite3_sleep(50);
    }
  }
  int end = sqlite3_backup_finish(backup);
  return code == SQLITE_DONE ? OK : sqlite_fail(to, end == SQLITE_OK ? code : end, error);
}

static enum status count_table(sqlite3 *handle, const char *table, struct holdings *holdings, struct error *error) {
  sqlite3_stmt *count = NULL;
  char *sql = sqlite3_mprintf("SELECT count(*) FROM \"%w\"", table);
  if (table == NULL || sql == NULL) {
    sqlite3_free(sql);
    return error_memory(error);
  }
  int code = sqlite3_prepare_v2(handle, sql, -1, &count, NULL);
  sqlite3_free(sql);
  code = code == SQLITE_OK ? sqlite3_step(count) : code;
  enum status status = code == SQLITE_ROW ? holdings_add(holdings, table, sqlite3_column_int64(count, 0), error)
                                          : sqlite_fail(handle, code, error);
  sqlite3_finalize(count);
  return status;
}

static enum status count_tables(sqlite3 *handle, struct holdings *holdings, struct error *error) {
  sqlite3_stmt *names = NULL;
  int code = sqlite3_prepare_v2(handle,
                                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*' "
                                "ORDER BY name",
                                -1, &names, NULL);
  enum status status = code == SQLITE_OK ? OK : sqlite_fail(handle, code, error);
  while (status == OK && (code = sqlite3_step(names)) == SQLITE_ROW) {
    status = count_table(handle, (const char *)sqlite3_column_text(names, 0), holdings, error);
  }
  if (status == OK && code != SQLITE_DONE) {
    status = sqlite_fail(handle, code, error);
  }
  sqlite3_finalize(names);
  return status;
}

enum status sqlite_holdings(struct driver *driver, struct holdings *holdings, struct error *error) {
  return count_tables(((struct sqlite *)driver)->handle, holdings, error);
}

static enum status execute(sqlite3 *handle, const char *sql, struct error *error) {
  int code = sqlite3_exec(handle, sql, NULL, NULL, NULL);
  return code == SQLITE_OK ? OK : sqlite_fail(handle, code, error);
}

/* A copy that a full disk cut off leaves its journal behind. */
static void drop_journal(const char *part) {
  char *journal = NULL;
  if (asprintf(&journal, "%s-journal", part) >= 0) {
    unlink(journal);
    free(journal);
  }
}

static enum status copy_into(sqlite3 *from, const char *part, const atomic_bool *stop, struct error *error) {
  sqlite3 *to = NULL;
  int code = sqlite3_open_v2(part, &to, SQLITE_OPEN_READWRITE, NULL);
  enum status status = code == SQLITE_OK ? copy_pages(to, from, stop, error) : sqlite_fail(to, code, error);
  /* A copy is one file: without a log beside it. */
  status = status == OK ? execute(to, "PRAGMA journal_mode=DELETE", error) : status;
  sqlite3_close(to);
  if (status != OK) {
    drop_journal(part);
  }
  return status;
}

/* One read transaction around it all: what others write meanwhile goes to the log, neither into the copy nor into the
 * counts, and no write starts the copy again. */
enum status sqlite_copy(struct driver *driver, const char *part, const atomic_bool *stop, struct holdings *holdings,
                        struct error *error) {
  struct sqlite *self = (struct sqlite *)driver;
  enum status status = execute(self->handle, "BEGIN", error);
  if (status != OK) {
    return status;
  }
  status = count_tables(self->handle, holdings, error);
  status = status == OK ? copy_into(self->handle, part, stop, error) : status;
  sqlite3_exec(self->handle, "ROLLBACK", NULL, NULL, NULL);
  return status;
}

/* ---- reading back ---- */

/* Every page, every index against its table; the first fault. */
enum status sqlite_integrity(struct driver *driver, char *what, size_t size, struct error *error) {
  struct sqlite *self = (struct sqlite *)driver;
  sqlite3_stmt *check = NULL;
  int code = sqlite3_prepare_v2(self->handle, "PRAGMA integrity_check(1)", -1, &check, NULL);
  code = code == SQLITE_OK ? sqlite3_step(check) : code;
  const char *said = code == SQLITE_ROW ? (const char *)sqlite3_column_text(check, 0) : NULL;
  enum status status = said == NULL ? sqlite_fail(self->handle, code, error) : OK;
  if (said != NULL && strcmp(said, "ok") != 0) {
    snprintf(what, size, "%s", _("the database file is damaged"));
  }
  sqlite3_finalize(check);
  return status;
}

enum status sqlite_open_copy(const struct store_options *options, const char *file, struct driver **driver,
                             struct error *error) {
  struct store_options copy = *options;
  char what[160] = "";
  copy.path = file;
  copy.read_only = true;
  struct stat info;
  if (access(file, R_OK) != 0 || stat(file, &info) != 0) {
    return error_set(error, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, _("cannot open the copy: %s"), strerror(errno));
  }
  if (!S_ISREG(info.st_mode) || info.st_size == 0) { /* a pipe would be waited for */
    error_set(error, ERR_STORE, "%s", _("the copy holds no store"));
    error_hint(error, "%s", _("take another copy"));
    return ERR_STORE;
  }
  enum status status = sqlite_driver.open(&copy, false, driver, error);
  if (status != OK) {
    return status;
  }
  status = sqlite_integrity(*driver, what, sizeof what, error);
  if (status == OK && what[0] != '\0') {
    status = error_set(error, ERR_STORE, "%s", what);
    error_hint(error, "%s", _("take another copy"));
  }
  if (status != OK) {
    sqlite_driver.close(*driver);
    *driver = NULL;
  }
  return status;
}

/* ---- putting back ---- */

static enum status in_use(struct error *error) {
  error_set(error, ERR_BUSY, "%s", _("another program works on the store"));
  error_hint(error, "%s", _("stop `puente serve` and other commands of this workspace, then restore again"));
  return ERR_BUSY;
}

/* The store alone in one file, locked against everybody else: SQLite leaves the write-ahead log only where no other
 * connection is open. */
static enum status take_alone(const char *path, sqlite3 **handle, struct error *error) {
  int code = sqlite3_open_v2(path, handle, SQLITE_OPEN_READWRITE, NULL);
  if (code == SQLITE_OK) {
    sqlite3_busy_timeout(*handle, ALONE_MILLISECONDS);
    code = sqlite3_exec(*handle, "PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE", NULL, NULL, NULL);
  }
  if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT || code == SQLITE_OK) {
    return OK; /* a damaged store is what a restore is for */
  }
  return code == SQLITE_BUSY || code == SQLITE_LOCKED ? in_use(error) : sqlite_fail(*handle, code, error);
}

/* PATH.before-2026-11-22T041500Z */
static enum status name_aside(const char *path, struct buffer *aside, struct error *error) {
  char now[TIMESTAMP_TEXT_SIZE];
  clock_format(clock_now(), now);
  for (int number = 0; number < 100; number++) {
    buffer_reset(aside);
    buffer_printf(aside, "%s.before-%.13s%.2s%.2sZ", path, now, now + 14, now + 17);
    if (number > 0) {
      buffer_printf(aside, "-%d", number);
    }
    enum status status = buffer_check(aside, "backup", error);
    if (status != OK || access(aside->data, F_OK) != 0) {
      return status;
    }
  }
  return error_set(error, ERR_LIMIT, "%s", _("a hundred former stores lie beside the store"));
}

static enum status move_failed(const char *path, struct error *error) {
  int cause = errno;
  error_set(error, cause == ENOSPC ? ERR_FULL : ERR_IO, _("cannot put the copy in the store's place: %s"),
            strerror(cause));
  error_place(error, "%s", path);
  return error->code;
}

/* A second name, then the rename over the first: there is a store at every moment. File systems without second names
 * take two renames. */
static enum status keep_aside(const char *path, struct buffer *aside, struct error *error) {
  enum status status = name_aside(path, aside, error);
  if (status == OK && link(path, aside->data) != 0 && rename(path, aside->data) != 0) {
    status = move_failed(path, error);
  }
  if (status != OK) {
    buffer_reset(aside);
  }
  return status;
}

/* A damaged store may have left a log, which would be taken for the new one's. */
static void logs_aside(const char *path, const char *aside) {
  static const char *const ends[] = {"-wal", "-shm", "-journal"};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    char *from = sqlite3_mprintf("%s%s", path, ends[i]), *to = sqlite3_mprintf("%s%s", aside, ends[i]);
    if (from != NULL && to != NULL && access(from, F_OK) == 0 && rename(from, to) != 0) {
      unlink(from);
    }
    sqlite3_free(from);
    sqlite3_free(to);
  }
}

static enum status replace(const char *path, const char *part, struct buffer *aside, struct error *error) {
  sqlite3 *present = NULL;
  enum status status = OK;
  if (access(path, F_OK) == 0) {
    status = take_alone(path, &present, error);
    status = status == OK ? keep_aside(path, aside, error) : status;
    if (status == OK) {
      logs_aside(path, aside->data);
    }
  }
  if (status == OK && rename(part, path) != 0) {
    status = move_failed(path, error);
  }
  if (status == OK) {
    file_sync_folder(path);
  }
  sqlite3_close(present);
  return status;
}

static enum status copy_beside(const char *file, const char *part, struct error *error) {
  int made = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (made < 0 || fchmod(made, 0600) != 0) {
    enum status status = move_failed(part, error);
    if (made >= 0) {
      close(made);
    }
    return status;
  }
  sqlite3 *from = NULL;
  int code = sqlite3_open_v2(file, &from, SQLITE_OPEN_READONLY, NULL);
  enum status status = code == SQLITE_OK ? copy_into(from, part, NULL, error) : sqlite_fail(from, code, error);
  sqlite3_close(from);
  if (status == OK && fsync(made) != 0) {
    status = move_failed(part, error);
  }
  close(made);
  return status;
}

enum status sqlite_restore(const struct store_options *options, const char *file, struct buffer *aside,
                           struct error *error) {
  char *part = NULL, *path = sqlite_real_path(options->path);
  if (path == NULL || asprintf(&part, "%s.restoring", path) < 0) {
    free(path);
    return error_memory(error);
  }
  enum status status = copy_beside(file, part, error);
  status = status == OK ? replace(path, part, aside, error) : status;
  if (status != OK) {
    unlink(part);
  }
  free(part);
  free(path);
  return status;
}

enum status sqlite_backup_label(struct driver *driver, int version, struct buffer *name, struct error *error) {
  struct sqlite *self = (struct sqlite *)driver;
  char now[TIMESTAMP_TEXT_SIZE];
  clock_format(clock_now(), now);
  for (int number = 0; number < 100; number++) {
    buffer_reset(name);
    buffer_printf(name, "%s.v%d-%.10s", self->path, version, now);
    if (number > 0) {
      buffer_printf(name, "-%d", number);
    }
    buffer_text(name, ".backup");
    enum status status = buffer_check(name, "backup", error);
    if (status != OK || access(name->data, F_OK) != 0) {
      return status;
    }
  }
  return error_set(error, ERR_LIMIT, "%s", _("a hundred backups of today lie beside the store"));
}
