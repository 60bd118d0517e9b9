#include "tests/torture/inject.h"

#include "core/base/date.h"
#include "core/service/workspace.h"

#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <unwind.h>

#include <curl/curl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <sqlite3.h>
#include <zstd.h>

static struct {
  struct inject_report *report;
  enum inject_mode mode;
  unsigned classes, nth;
  atomic_bool on;
} state;

void inject_begin(struct inject_report *report, enum inject_mode mode, unsigned classes, unsigned nth) {
  state.report = report;
  state.mode = mode;
  state.classes = classes;
  state.nth = nth;
  atomic_store(&state.on, true);
}

void inject_end(void) {
  atomic_store(&state.on, false);
}

enum inject_mode inject_mode(void) {
  return state.mode;
}

extern char __executable_start, etext; /* of the linker */

/* True the first time that somebody asks about this caller; a few of them. */
static bool is_new_caller(uintptr_t caller) {
  static uintptr_t callers[64];
  size_t i = 0;
  while (i < sizeof callers / sizeof *callers && callers[i] != 0 && callers[i] != caller) {
    i++;
  }
  if (i == sizeof callers / sizeof *callers || callers[i] == caller) {
    return false;
  }
  callers[i] = caller;
  return true;
}

/* The innermost functions of the program itself on the way to this call. Every command opens its workspace: what led
 * there counts for the first call of that only, so that each command is seen to take one failure of it. */
static uint64_t path_here(void) {
  enum { FRAMES = 9 };
  void *stack[INJECT_DEPTH];
  uint64_t hash = 14695981039346656037U;
  int depth = backtrace(stack, INJECT_DEPTH);
  bool opening = false;
  for (int i = 0, frames = 0; i < depth && frames < FRAMES; i++) {
    char *at = stack[i];
    if (at < &__executable_start || at >= &etext) {
      continue;
    }
    if (opening && !is_new_caller((uintptr_t)at)) {
      break;
    }
    opening = _Unwind_FindEnclosingFunction(at - 1) == (void *)workspace_open_as;
    hash = (hash ^ (uintptr_t)at) * 1099511628211U;
    frames++;
  }
  return hash;
}

bool inject_here(enum inject_class class, const char *what) {
  static _Thread_local bool inside;
  if (!atomic_load(&state.on) || (state.classes & class) == 0 || inside) {
    return false;
  }
  unsigned call = atomic_fetch_add(&state.report->calls, 1) + 1;
  if (state.mode == INJECT_COUNT) {
    inside = true;
    if (call <= INJECT_CALLS_MOST) {
      state.report->paths[call - 1] = path_here();
    }
    inside = false;
    return false;
  }
  if (state.mode == INJECT_FROM ? call < state.nth : call != state.nth) {
    return false;
  }
  if (!atomic_exchange(&state.report->failed, true)) {
    inside = true;
    state.report->what = what;
    state.report->depth = backtrace(state.report->stack, INJECT_DEPTH);
    inside = false;
  }
  return true;
}

/* A call that fails as a whole: what it returns then, and errno. */
#define WRAP(class, type, name, parameters, arguments, code, failure)                                                  \
  type __real_##name parameters;                                                                                       \
  type __wrap_##name parameters;                                                                                       \
  type __wrap_##name parameters {                                                                                      \
    if (inject_here(class, #name)) {                                                                                   \
      errno = (code);                                                                                                  \
      return failure;                                                                                                  \
    }                                                                                                                  \
    return __real_##name arguments;                                                                                    \
  }

/* ---- memory ---- */

WRAP(INJECT_MEMORY, void *, malloc, (size_t size), (size), ENOMEM, NULL)
WRAP(INJECT_MEMORY, void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)
WRAP(INJECT_MEMORY, void *, realloc, (void *old, size_t size), (old, size), ENOMEM, NULL)
WRAP(INJECT_MEMORY, void *, reallocarray, (void *old, size_t count, size_t size), (old, count, size), ENOMEM, NULL)
WRAP(INJECT_MEMORY, void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size), ENOMEM, NULL)
WRAP(INJECT_MEMORY, char *, strdup, (const char *text), (text), ENOMEM, NULL)
WRAP(INJECT_MEMORY, char *, strndup, (const char *text, size_t length), (text, length), ENOMEM, NULL)
WRAP(INJECT_MEMORY, int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument),
     (thread, attributes, run, argument), EAGAIN, EAGAIN)
WRAP(INJECT_MEMORY, ZSTD_CCtx *, ZSTD_createCCtx, (void), (), ENOMEM, NULL)
WRAP(INJECT_MEMORY, ZSTD_DCtx *, ZSTD_createDCtx, (void), (), ENOMEM, NULL)
WRAP(INJECT_MEMORY, EVP_MD_CTX *, EVP_MD_CTX_new, (void), (), ENOMEM, NULL)
WRAP(INJECT_MEMORY, CURL *, curl_easy_init, (void), (), ENOMEM, NULL)
WRAP(INJECT_MEMORY, CURLU *, curl_url, (void), (), ENOMEM, NULL)

int __wrap_asprintf(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **text, const char *format, ...) {
  va_list arguments;
  if (inject_here(INJECT_MEMORY, "asprintf")) {
    *text = NULL;
    return -1;
  }
  va_start(arguments, format);
  int length = vasprintf(text, format, arguments);
  va_end(arguments);
  return length;
}

/* ---- transfers: half of the bytes, or an error; what is said on standard error is not part of the game ---- */

#define TRANSFER(type, name, parameters, arguments, halved, code)                                                      \
  type __real_##name parameters;                                                                                       \
  type __wrap_##name parameters;                                                                                       \
  type __wrap_##name parameters {                                                                                      \
    if (file != STDERR_FILENO && inject_here(INJECT_TRANSFER, #name)) {                                                \
      if (state.mode == INJECT_SHORT) {                                                                                \
        return __real_##name halved;                                                                                   \
      }                                                                                                                \
      errno = (code);                                                                                                  \
      return -1;                                                                                                       \
    }                                                                                                                  \
    return __real_##name arguments;                                                                                    \
  }
#define HALF(size) ((size) > 1 ? (size) / 2 : (size))

TRANSFER(ssize_t, read, (int file, void *bytes, size_t size), (file, bytes, size), (file, bytes, HALF(size)), EIO)
TRANSFER(ssize_t, write, (int file, const void *bytes, size_t size), (file, bytes, size), (file, bytes, HALF(size)),
         ENOSPC)
TRANSFER(ssize_t, pread, (int file, void *bytes, size_t size, off_t at), (file, bytes, size, at),
         (file, bytes, HALF(size), at), EIO)
TRANSFER(ssize_t, pwrite, (int file, const void *bytes, size_t size, off_t at), (file, bytes, size, at),
         (file, bytes, HALF(size), at), ENOSPC)

/* Standard output remembers that it failed; what is said on standard error is not part of the game. */
static bool output_fails(FILE *file, const char *what) {
  if (file == stderr || !inject_here(INJECT_FILE, what)) {
    return false;
  }
  file->_flags |= 0x20; /* _IO_ERR_SEEN of the C library: ferror() tells */
  errno = ENOSPC;
  return true;
}

#define OUTPUT(type, name, parameters, arguments, file, failure)                                                       \
  type __real_##name parameters;                                                                                       \
  type __wrap_##name parameters;                                                                                       \
  type __wrap_##name parameters {                                                                                      \
    return output_fails(file, #name) ? (failure) : __real_##name arguments;                                            \
  }

OUTPUT(int, puts, (const char *text), (text), stdout, EOF)
OUTPUT(int, putchar, (int c), (c), stdout, EOF)
OUTPUT(int, fputs, (const char *text, FILE *file), (text, file), file, EOF)
OUTPUT(int, fputc, (int c, FILE *file), (c, file), file, EOF)
OUTPUT(int, putc, (int c, FILE *file), (c, file), file, EOF)
OUTPUT(size_t, fwrite, (const void *bytes, size_t size, size_t count, FILE *file), (bytes, size, count, file), file, 0)
OUTPUT(int, fflush, (FILE * file), (file), file, EOF)
OUTPUT(int, json_dumpf, (const json_t *value, FILE *file, size_t flags), (value, file, flags), file, -1)

int __wrap_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int __wrap_printf(const char *format, ...) {
  va_list arguments;
  if (output_fails(stdout, "printf")) {
    return -1;
  }
  va_start(arguments, format);
  int length = vprintf(format, arguments);
  va_end(arguments);
  return length;
}

int __wrap_fprintf(FILE *file, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_fprintf(FILE *file, const char *format, ...) {
  va_list arguments;
  if (output_fails(file, "fprintf")) {
    return -1;
  }
  va_start(arguments, format);
  int length = vfprintf(file, format, arguments);
  va_end(arguments);
  return length;
}

/* ---- files ---- */

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if (inject_here(INJECT_FILE, "open")) {
    errno = EMFILE;
    return -1;
  }
  return __real_open(path, flags, mode);
}

WRAP(INJECT_FILE, FILE *, fopen, (const char *path, const char *mode), (path, mode), EMFILE, NULL)
WRAP(INJECT_FILE, int, fsync, (int file), (file), EIO, -1)
WRAP(INJECT_FILE, int, rename, (const char *from, const char *to), (from, to), EIO, -1)
WRAP(INJECT_FILE, int, mkdir, (const char *path, mode_t mode), (path, mode), ENOSPC, -1)
WRAP(INJECT_FILE, int, mkostemp, (char *path, int flags), (path, flags), ENOSPC, -1)
WRAP(INJECT_FILE, int, fchmod, (int file, mode_t mode), (file, mode), EIO, -1)
WRAP(INJECT_FILE, int, stat, (const char *path, struct stat *found), (path, found), EIO, -1)
WRAP(INJECT_FILE, int, fstat, (int file, struct stat *found), (file, found), EIO, -1)
WRAP(INJECT_FILE, DIR *, opendir, (const char *path), (path), EMFILE, NULL)
WRAP(INJECT_FILE, struct dirent *, readdir, (DIR * folder), (folder), EIO, NULL)
WRAP(INJECT_FILE, char *, realpath, (const char *path, char *whole), (path, whole), EIO, NULL)
WRAP(INJECT_FILE, int, pipe2, (int ends[2], int flags), (ends, flags), EMFILE, -1)

/* Nobody waits here; where nothing comes the clock goes on instead. */
static atomic_llong skipped; /* microseconds */

int64_t __real_clock_monotonic(void);
int64_t __wrap_clock_monotonic(void);
int64_t __wrap_clock_monotonic(void) {
  return __real_clock_monotonic() + atomic_load(&skipped);
}
int __real_poll(struct pollfd *files, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *files, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *files, nfds_t count, int timeout) {
  enum { LOOK = 100 };
  int ready = __real_poll(files, count, timeout > LOOK ? LOOK : timeout);
  if (ready == 0 && timeout > LOOK) {
    atomic_fetch_add(&skipped, (timeout - LOOK) * 1000LL);
  }
  return ready;
}
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left) {
  (void)wanted;
  (void)left;
  return 0;
}
int __wrap_sqlite3_sleep(int milliseconds);
int __wrap_sqlite3_sleep(int milliseconds) {
  return milliseconds;
}
