#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void promise(bool holds, const char *what) {
  if (!holds) {
    fprintf(stderr, "fuzz: %s\n", what);
    abort();
  }
}

void promise_error(enum status status, const struct error *error) {
  promise(status > END && status < STATUS_COUNT && status != ERR_INTERNAL, "a failure has a status of its own");
  promise(error->code == status, "the error says the status that was returned");
  promise(error->message[0] != '\0' && memchr(error->message, '\0', sizeof error->message) != NULL,
          "an error has a message");
  promise(memchr(error->place, '\0', sizeof error->place) != NULL, "a place ends");
  promise(memchr(error->hint, '\0', sizeof error->hint) != NULL, "a hint ends");
}

unsigned fuzz_byte(struct slice *input) {
  if (input->len == 0) {
    return 0;
  }
  unsigned byte = (unsigned char)input->data[0];
  *input = slice_make(input->data + 1, input->len - 1);
  return byte;
}

struct slice fuzz_part(struct slice *input) {
  const char *end = input->len == 0 ? NULL : memchr(input->data, '\0', input->len);
  size_t length = end == NULL ? input->len : (size_t)(end - input->data);
  struct slice part = slice_make(input->data, length);
  size_t taken = end == NULL ? length : length + 1;
  *input = slice_make(input->data + taken, input->len - taken);
  return part;
}

struct arena *fuzz_arena(void) {
  static struct arena *arena;
  if (arena == NULL) {
    arena = arena_new(64 << 20);
    promise(arena != NULL, "there is memory");
  }
  arena_reset(arena);
  return arena;
}

static char folder[64];

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where) {
  (void)info;
  (void)kind;
  (void)where;
  return remove(path);
}

static void remove_folder(void) {
  nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_folder(void) {
  if (folder[0] == '\0') {
    snprintf(folder, sizeof folder, "%s/puente-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    promise(mkdtemp(folder) != NULL, "a folder can be made");
    atexit(remove_folder);
  }
  return folder;
}

const char *fuzz_file(const char *name, struct slice bytes) {
  static char paths[8][160];
  static unsigned next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", fuzz_folder(), name);
  char *slash = strrchr(path, '/');
  *slash = '\0';
  mkdir(path, 0700);
  *slash = '/';
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  promise(file >= 0 && write(file, bytes.data, bytes.len) == (ssize_t)bytes.len && close(file) == 0,
          "a file can be written");
  return path;
}
