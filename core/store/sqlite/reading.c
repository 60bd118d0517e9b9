/* Reading where nothing can be written: a database in WAL mode wants files beside it, unless it is told that nobody
 * will change it. */
#include "core/store/sqlite/sqlite.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { INDEX_SIZE = 32 << 10 /* the least that SQLite makes */ };

bool sqlite_disk_is_read_only(const char *path) {
  struct statvfs disk;
  return path != NULL && statvfs(path, &disk) == 0 && (disk.f_flag & ST_RDONLY) != 0;
}

static bool has_beside(const char *path, const char *suffix, off_t least) {
  struct buffer name;
  struct stat about;
  buffer_init(&name, 1 << 16);
  buffer_printf(&name, "%s%s", path, suffix);
  bool has = name.failed != OK || (stat(name.data, &about) == 0 && about.st_size >= least);
  buffer_free(&name);
  return has;
}

/* No room for the index of the log, and nobody has one: nobody writes, and nobody can begin to. */
static bool disk_is_full(const char *path) {
  struct statvfs disk;
  return path != NULL && statvfs(path, &disk) == 0 && (uint64_t)disk.f_bfree * disk.f_frsize < INDEX_SIZE
         && !has_beside(path, "-shm", INDEX_SIZE);
}

static void write_uri(struct buffer *uri, const char *path) {
  buffer_text(uri, "file:");
  for (; *path != '\0'; path++) {
    if (*path == '%' || *path == '?' || *path == '#') {
      buffer_printf(uri, "%%%02x", (unsigned)*path);
    } else {
      buffer_char(uri, *path);
    }
  }
  buffer_text(uri, "?immutable=1");
}

int sqlite_open_reading(const char *path, sqlite3 **handle) {
  int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
  /* A log that was not taken over into the database belongs to what it says. */
  if ((!sqlite_disk_is_read_only(path) && !disk_is_full(path)) || has_beside(path, "-wal", 1)) {
    return sqlite3_open_v2(path, handle, flags, NULL);
  }
  struct buffer uri;
  buffer_init(&uri, 1 << 16);
  write_uri(&uri, path);
  int code = uri.failed != OK ? SQLITE_NOMEM : sqlite3_open_v2(uri.data, handle, flags | SQLITE_OPEN_URI, NULL);
  buffer_free(&uri);
  return code;
}

char *sqlite_real_path(const char *path) {
  char *real = realpath(path, NULL);
  return real != NULL || errno == ENOMEM ? real : strdup(path);
}

bool sqlite_has_moved(sqlite3 *handle) {
  int moved = 0;
  return sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
}

enum status sqlite_make_file(const char *path, struct error *error) {
  int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file >= 0) {
    close(file);
    return OK;
  }
  error_set(error, errno == ENOSPC ? ERR_FULL : ERR_IO, _("cannot make the store: %s"), strerror(errno));
  error_place(error, "%s", path);
  error_hint(error, "%s", _("the folder must exist and be writable by this user"));
  return error->code;
}
