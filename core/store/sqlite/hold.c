/* Holds: a lock of the kernel's on one byte of FILE-hold beside the database. It belongs to the open file, so that two
 * handles of one process exclude each other too, and ends with it however the process ends. */
#include "core/store/sqlite/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The byte of a name: FNV-1a, 62 bits. Nothing is ever written there. */
static struct flock lock_of(const char *name, short type) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (const char *at = name; *at != '\0'; at++) {
    hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
  }
  return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)(hash >> 2), .l_len = 1};
}

/* -1: errno tells why. */
static int open_file(const struct sqlite *self, int flags) {
  char *path = NULL, *real = sqlite_real_path(self->path);
  if (real == NULL || asprintf(&path, "%s-hold", real) < 0) {
    free(real);
    errno = ENOMEM;
    return -1;
  }
  free(real);
  int file = open(path, flags | O_CLOEXEC, 0600);
  int why = errno;
  free(path);
  errno = why;
  return file;
}

static enum status fail(const struct sqlite *self, struct error *error) {
  error_set(error, errno == ENOSPC ? ERR_FULL : ERR_IO, _("the file of the store's locks cannot be used: %s"),
            strerror(errno));
  error_place(error, "%s-hold", self->path);
  error_hint(error, "%s", _("the file and its folder must be writable by this user"));
  return error->code;
}

enum status sqlite_hold(struct driver *driver, const char *name, bool *taken, struct error *error) {
  struct sqlite *self = (struct sqlite *)driver;
  *taken = false;
  if (self->holds < 0) {
    self->holds = open_file(self, O_RDWR | O_CREAT);
  }
  if (self->holds < 0) {
    return fail(self, error);
  }
  struct flock lock = lock_of(name, F_WRLCK);
  *taken = fcntl(self->holds, F_OFD_SETLK, &lock) == 0;
  return *taken || errno == EAGAIN || errno == EACCES ? OK : fail(self, error);
}

void sqlite_unhold(struct driver *driver, const char *name) {
  const struct sqlite *self = (const struct sqlite *)driver;
  struct flock lock = lock_of(name, F_UNLCK);
  if (self->holds >= 0) {
    (void)fcntl(self->holds, F_OFD_SETLK, &lock);
  }
}

enum status sqlite_held(struct driver *driver, const char *name, bool *held, struct error *error) {
  const struct sqlite *self = (const struct sqlite *)driver;
  int file = self->holds >= 0 ? self->holds : open_file(self, O_RDONLY);
  *held = false;
  if (file < 0) {
    return errno == ENOENT ? OK : fail(self, error);
  }
  struct flock lock = lock_of(name, F_WRLCK);
  bool asked = fcntl(file, F_OFD_GETLK, &lock) == 0;
  enum status status = asked ? OK : fail(self, error);
  *held = asked && lock.l_type != F_UNLCK;
  if (file != self->holds) {
    close(file);
  }
  return status;
}
