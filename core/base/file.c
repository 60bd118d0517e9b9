#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_LIMIT ((size_t)64 * 1024)
#define READ_STEP ((size_t)64 * 1024)

void file_hint(int cause, struct error *error) {
  if (cause == ENOENT) {
    error_hint(error, "%s", _("the folder that it is to be in is not there: make it first, or name another place"));
  } else if (cause == ENOTDIR || cause == EEXIST || cause == EISDIR) {
    error_hint(error, "%s", _("a file stands where a folder is needed, or the other way round: name another place"));
  } else if (cause == EACCES || cause == EPERM || cause == EROFS) {
    error_hint(error, "%s", _("this user may not write there: name another place"));
  }
}

static enum status io_error(struct error *error, const char *path, const char *what, int cause) {
  error_set(error, cause == ENOSPC || cause == EDQUOT ? ERR_FULL : ERR_IO, "%s: %s", what, strerror(cause));
  error_place(error, "%s", path);
  return error->code;
}

static enum status unwritten(struct error *error, const char *path, int cause) {
  enum status status = io_error(error, path, _("cannot write the file"), cause);
  file_hint(cause, error);
  return status;
}

static enum status read_all(int file, const char *path, struct buffer *out, struct error *error) {
  for (;;) {
    size_t room = out->limit - out->len;
    size_t step = room < READ_STEP ? room + 1 : READ_STEP;
    char chunk[READ_STEP];
    ssize_t got = read(file, chunk, step);
    if (got == 0) {
      return OK;
    }
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return io_error(error, path, _("cannot read the file"), errno);
    }
    if (buffer_append(out, chunk, (size_t)got) != OK) {
      enum status status = buffer_check(out, _("the file"), error);
      error_place(error, "%s", path);
      return status;
    }
  }
}

int file_unnamed(const char *folder) {
  int file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) {
    return file;
  }
  char path[PATH_MAX]; /* an old file system */
  static const char name[] = "/puente-XXXXXX";
  size_t length = strlen(folder);
  if (length + sizeof name > sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(path, folder, length);
  memcpy(path + length, name, sizeof name);
  file = mkostemp(path, O_CLOEXEC);
  if (file >= 0) {
    unlink(path);
  }
  return file;
}

enum status file_read(const char *path, size_t limit, struct buffer *out, struct error *error) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    int cause = errno;
    io_error(error, path, _("cannot open the file"), cause);
    if (cause == ENOENT) {
      error->code = ERR_NOT_FOUND;
    }
    return error->code;
  }
  buffer_init(out, limit);
  enum status status = read_all(file, path, out, error);
  if (status == OK && out->data == NULL && buffer_reserve(out, 0) != OK) {
    status = error_memory(error);
  }
  if (status != OK) {
    buffer_free(out);
  }
  close(file);
  return status;
}

static bool write_all(int file, struct slice bytes) {
  while (bytes.len > 0) {
    ssize_t put = write(file, bytes.data, bytes.len);
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put <= 0) {
      return false;
    }
    bytes.data += put;
    bytes.len -= (size_t)put;
  }
  return true;
}

/* A rename is lasting only once its folder is on disk; a file system without that call keeps its own promises. */
void file_sync_folder(const char *path) {
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/');
  size_t length = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);
  if (length >= sizeof folder) {
    return;
  }
  memcpy(folder, slash == NULL ? "." : path, length);
  folder[length] = '\0';
  int handle = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle >= 0) {
    (void)fsync(handle);
    close(handle);
  }
}

enum status file_replaceable(const char *path, struct error *error) {
  struct stat info;
  if (path[0] == '\0') {
    return unwritten(error, path, ENOENT);
  }
  if (stat(path, &info) != 0 || S_ISREG(info.st_mode)) {
    return OK;
  }
  if (S_ISDIR(info.st_mode)) {
    return unwritten(error, path, EISDIR);
  }
  error_set(error, ERR_USAGE, "%s", _("this is a device or a pipe, which a file would replace"));
  error_place(error, "%s", path);
  error_hint(error, "%s", _("name a file that is not there yet, or may be overwritten"));
  return ERR_USAGE;
}

enum status file_write(const char *path, struct slice bytes, unsigned mode, struct error *error) {
  char beside[PATH_MAX];
  enum status status = file_replaceable(path, error);
  if (status != OK) {
    return status;
  }
  int length = snprintf(beside, sizeof beside, "%s.%ld.new", path, (long)getpid());
  if (length < 0 || (size_t)length >= sizeof beside) {
    return unwritten(error, path, ENAMETOOLONG);
  }
  int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode & 0777);
  if (file < 0) {
    return unwritten(error, path, errno);
  }
  bool written = fchmod(file, mode & 0777) == 0 && write_all(file, bytes) && fsync(file) == 0;
  int cause = errno;
  if (close(file) != 0 && written) {
    written = false;
    cause = errno;
  }
  if (written && rename(beside, path) != 0) {
    written = false;
    cause = errno;
  }
  if (!written) {
    unlink(beside);
    return unwritten(error, path, cause);
  }
  file_sync_folder(path);
  return OK;
}

/* What systemd hands over (LoadCredential) lies in a folder of the service alone, and shows the mask of an access
 * list as its group's right to read. */
static bool secret_is_open(const char *path, unsigned mode) {
  const char *handed = getenv("CREDENTIALS_DIRECTORY");
  size_t length = handed == NULL ? 0 : strlen(handed);
  bool ours = length > 0 && strncmp(path, handed, length) == 0 && path[length] == '/';
  return (mode & (ours ? 037 : 077)) != 0;
}

static enum status secret_from_file(const char *path, char **secret, struct error *error) {
  struct stat info;
  struct buffer bytes;
  if (stat(path, &info) == 0 && secret_is_open(path, info.st_mode)) {
    error_set(error, ERR_CONFIG, _("the file of a secret can be read by others (mode %04o)"),
              (unsigned)info.st_mode & 07777);
    error_place(error, "%s", path);
    error_hint(error, "%s", _("chmod 600 the file"));
    return ERR_CONFIG;
  }
  enum status status = file_read(path, SECRET_LIMIT, &bytes, error);
  if (status != OK) {
    error_hint(error, "%s", _("this file has to hold the secret, with mode 0600"));
    error->code = ERR_CONFIG;
    return ERR_CONFIG;
  }
  while (bytes.len > 0 && (bytes.data[bytes.len - 1] == '\n' || bytes.data[bytes.len - 1] == '\r')) {
    bytes.data[--bytes.len] = '\0';
  }
  if (bytes.len == 0) {
    buffer_free(&bytes);
    error_set(error, ERR_CONFIG, "%s", _("the file of a secret is empty"));
    error_place(error, "%s", path);
    error_hint(error, "%s", _("this file has to hold the secret, with mode 0600"));
    return ERR_CONFIG;
  }
  *secret = strdup(bytes.data);
  sodium_memzero(bytes.data, bytes.len);
  buffer_free(&bytes);
  return *secret == NULL ? error_memory(error) : OK;
}

static enum status secret_from_environment(const char *name, char **secret, struct error *error) {
  const char *value = getenv(name);
  if (value == NULL || value[0] == '\0') {
    error_set(error, ERR_CONFIG, _("the environment variable %s of a secret is not set"), name);
    error_hint(error, "%s", _("set it where the program is started, or use file:PATH"));
    return ERR_CONFIG;
  }
  *secret = strdup(value);
  return *secret == NULL ? error_memory(error) : OK;
}

enum status secret_read(const char *reference, const char *base, char **secret, struct error *error) {
  *secret = NULL;
  if (strncmp(reference, "env:", 4) == 0 && reference[4] != '\0') {
    return secret_from_environment(reference + 4, secret, error);
  }
  if (strncmp(reference, "file:", 5) == 0 && reference[5] != '\0') {
    struct arena *arena = arena_new(SECRET_LIMIT);
    const char *path = arena == NULL ? NULL : path_join(arena, base, reference + 5);
    enum status status = path == NULL ? error_memory(error) : secret_from_file(path, secret, error);
    arena_free(arena);
    return status;
  }
  error_set(error, ERR_CONFIG, "%s", _("a secret is not written in a configuration file"));
  error_hint(error, "%s", _("write env:NAME, or file:PATH of a file with mode 0600"));
  return ERR_CONFIG;
}

void secret_free(char *secret) {
  if (secret != NULL) {
    sodium_memzero(secret, strlen(secret));
    free(secret);
  }
}

char *path_join(struct arena *arena, const char *base, const char *path) {
  if (path[0] == '/' || base == NULL || base[0] == '\0') {
    return arena_text(arena, slice_of(path));
  }
  return arena_printf(arena, "%s%s%s", base, base[strlen(base) - 1] == '/' ? "" : "/", path);
}

char *path_folder(struct arena *arena, const char *path) {
  const char *slash = strrchr(path, '/');
  if (slash == NULL) {
    return arena_text(arena, slice_of("."));
  }
  return arena_text(arena, slice_make(path, slash == path ? 1 : (size_t)(slash - path)));
}

/* Cuts the last part off a path; false at its end. */
static bool go_up(char *path) {
  char *slash = strrchr(path, '/');
  if (slash == NULL || slash == path) {
    return false;
  }
  *slash = '\0';
  return true;
}

static bool exists_in(const char *folder, const char *name) {
  char path[PATH_MAX + 64];
  int length = snprintf(path, sizeof path, "%s/%s", folder, name);
  return length > 0 && (size_t)length < sizeof path && access(path, F_OK) == 0;
}

/* The source root above an executable in build/ (build/puente, build/sanitized/puente, build/tests/…): the nearest
 * folder that has both the configuration and the sources. */
static bool find_source_root(char *folder) {
  while (go_up(folder)) {
    if (exists_in(folder, "config") && exists_in(folder, "core/base/file.h")) {
      return true;
    }
  }
  return false;
}

const char *path_data(void) {
  static _Thread_local char found[PATH_MAX + 32];
  const char *chosen = getenv("PUENTE_DATA");
  char executable[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", executable, sizeof executable - 1);
  if (chosen != NULL && chosen[0] != '\0') {
    return chosen;
  }
  if (length <= 0) {
    return "/usr/share/puente";
  }
  executable[length] = '\0';
  memcpy(found, executable, (size_t)length + 1);
  if (find_source_root(found)) {
    return found;
  }
  /* PREFIX/bin/puente */
  if (!go_up(executable) || !go_up(executable)) {
    executable[0] = '\0';
  }
  snprintf(found, sizeof found, "%s/share/puente", executable);
  return found;
}
