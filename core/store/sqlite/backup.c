#include "core/base/date.h"
#include "core/store/sqlite/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PAGES_A_STEP = 4096, TRIES_MOST = 600 };

static enum status copy_pages(sqlite3 *to, sqlite3 *from, struct error *error) {
  sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
  if (backup == NULL) {
    return sqlite_fail(to, sqlite3_errcode(to), error);
  }
  int code = SQLITE_OK;
  for (int tries = 0; code == SQLITE_OK || ((code == SQLITE_BUSY || code == SQLITE_LOCKED) && tries < TRIES_MOST);) {
    code = sqlite3_backup_step(backup, PAGES_A_STEP);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
      tries++;
      sqlite3_sleep(50);
    }
  }
  int end = sqlite3_backup_finish(backup);
  return code == SQLITE_DONE ? OK : sqlite_fail(to, end == SQLITE_OK ? code : end, error);
}

/* The copy is read back whole: its pages, its version, and the length of its log. */
static enum status read_back(sqlite3 *copy, sqlite3 *from, struct error *error) {
  static const char SAME[] = "SELECT group_concat(n) FROM (SELECT count(*) AS n FROM sqlite_schema "
                             "UNION ALL SELECT user_version FROM pragma_user_version)";
  sqlite3_stmt *check = NULL;
  int code = sqlite3_prepare_v2(copy, "PRAGMA integrity_check(1)", -1, &check, NULL);
  bool fine = code == SQLITE_OK && sqlite3_step(check) == SQLITE_ROW
              && strcmp((const char *)sqlite3_column_text(check, 0), "ok") == 0;
  sqlite3_finalize(check);
  char texts[2][64] = {"", ""};
  sqlite3 *handles[2] = {copy, from};
  for (int i = 0; i < 2 && fine; i++) {
    fine = sqlite3_prepare_v2(handles[i], SAME, -1, &check, NULL) == SQLITE_OK && sqlite3_step(check) == SQLITE_ROW;
    if (fine) {
      snprintf(texts[i], sizeof texts[i], "%s", (const char *)sqlite3_column_text(check, 0));
    }
    sqlite3_finalize(check);
  }
  if (fine && strcmp(texts[0], texts[1]) == 0) {
    return OK;
  }
  error_set(error, ERR_STORE, "%s", _("the backup does not read back as what was copied"));
  error_hint(error, "%s", _("it was removed; check the disk and try again"));
  return ERR_STORE;
}

static enum status fill(struct sqlite *self, const char *part, struct error *error) {
  sqlite3 *copy = NULL;
  int code = sqlite3_open_v2(part, &copy, SQLITE_OPEN_READWRITE, NULL);
  enum status status = code == SQLITE_OK ? copy_pages(copy, self->handle, error) : sqlite_fail(copy, code, error);
  if (status == OK) {
    /* A copy is one file: without a log beside it. */
    code = sqlite3_exec(copy, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
    status = code == SQLITE_OK ? read_back(copy, self->handle, error) : sqlite_fail(copy, code, error);
  }
  sqlite3_close(copy);
  return status;
}

enum status sqlite_backup_to(struct driver *driver, const char *target, struct error *error) {
  struct sqlite *self = (struct sqlite *)driver;
  char *part = sqlite3_mprintf("%s.part", target);
  if (part == NULL) {
    return error_memory(error);
  }
  enum status status = OK;
  int file = -1;
  if (access(target, F_OK) == 0) {
    status = error_set(error, ERR_IO, "%s", _("a backup never replaces a file that is there"));
    error_hint(error, "%s", _("give another name"));
  } else {
    file = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) {
      status = error_set(error, errno == ENOSPC ? ERR_FULL : ERR_IO, _("cannot write the backup: %s"), strerror(errno));
    }
  }
  if (status == OK) {
    status = fill(self, part, error);
  }
  if (status == OK && (fsync(file) != 0 || rename(part, target) != 0)) {
    status = error_set(error, ERR_IO, _("cannot write the backup: %s"), strerror(errno));
  }
  if (file >= 0) {
    close(file);
  }
  if (status != OK) {
    error_place(error, "%s", target);
    if (file >= 0) {
      unlink(part);
    }
  }
  sqlite3_free(part);
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
