#include "core/base/paper.h"

#include "core/base/digest.h"
#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

enum { FILE_MOST = 4096, SUM = 8 };
static const char CHECKSUM[] = "checksum";

static void sum_of(struct slice text, char sum[2 * SUM + 1]) {
  struct sha256 digest = sha256_of(text);
  hex_format(digest.bytes, SUM, sum);
}

static void wipe(struct buffer *text) {
  if (text->data != NULL) {
    sodium_memzero(text->data, text->capacity);
  }
  buffer_free(text);
}

/* ---- writing ---- */

static bool write_all(int file, struct slice text) {
  for (size_t had = 0; had < text.len;) {
    ssize_t put = write(file, text.data + had, text.len - had);
    if (put <= 0 && errno != EINTR) {
      return false;
    }
    had += put > 0 ? (size_t)put : 0;
  }
  return fsync(file) == 0;
}

static enum status put_file(const char *path, struct slice text, int *cause) {
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  bool written = file >= 0 && write_all(file, text);
  *cause = errno;
  if (file >= 0 && (close(file) != 0 || !written)) {
    unlink(path);
    written = false;
  }
  if (written) {
    file_sync_folder(path);
  }
  return written ? OK : ERR_IO;
}

enum status paper_write(const struct paper *paper, const struct paper_values *values, const char *path, int *cause) {
  struct buffer text;
  char sum[2 * SUM + 1];
  buffer_init(&text, FILE_MOST);
  buffer_reserve(&text, FILE_MOST - 1); /* nothing of a secret is left behind by growing */
  buffer_printf(&text, "%s\n", paper->title);
  for (size_t i = 0; paper->names[i] != NULL; i++) {
    buffer_printf(&text, "%s: %s\n", paper->names[i], values->of[i]);
  }
  sum_of(buffer_view(&text), sum);
  buffer_printf(&text, "%s: %s\n", CHECKSUM, sum);
  *cause = ENOMEM;
  enum status status = text.failed == OK ? put_file(path, buffer_view(&text), cause) : text.failed;
  wipe(&text);
  return status;
}

/* ---- reading ---- */

/* The next line without its end, and without space after it. */
static struct slice next_line(struct slice *rest) {
  const char *end = rest->len == 0 ? NULL : memchr(rest->data, '\n', rest->len);
  struct slice line = slice_make(rest->data, end == NULL ? rest->len : (size_t)(end - rest->data));
  size_t taken = line.len + (end == NULL ? 0 : 1);
  *rest = slice_make(rest->data + taken, rest->len - taken);
  while (line.len > 0 && (line.data[line.len - 1] == '\r' || line.data[line.len - 1] == ' ')) {
    line.len--;
  }
  return line;
}

/* The value of a line of that name. */
static bool take_line(struct slice line, const char *name, char value[PAPER_VALUE]) {
  size_t len = strlen(name);
  if (line.len < len + 2 || line.len - len - 2 >= PAPER_VALUE || memcmp(line.data, name, len) != 0
      || memcmp(line.data + len, ": ", 2) != 0) {
    return false;
  }
  memcpy(value, line.data + len + 2, line.len - len - 2);
  value[line.len - len - 2] = '\0';
  return true;
}

/* `plain`: the lines above the checksum as they were written, whatever ends them now. */
static bool split_lines(const struct paper *paper, struct slice text, struct paper_values *values, char *sum,
                        struct buffer *plain) {
  if (!slice_is(next_line(&text), paper->title)) {
    return false;
  }
  buffer_printf(plain, "%s\n", paper->title);
  for (size_t i = 0; paper->names[i] != NULL; i++) {
    struct slice line = next_line(&text);
    if (!take_line(line, paper->names[i], values->of[i])) {
      return false;
    }
    buffer_printf(plain, "%.*s\n", SLICE_ARG(line));
  }
  return take_line(next_line(&text), CHECKSUM, sum) && plain->failed == OK;
}

enum status paper_read(const struct paper *paper, const char *path, struct paper_values *values,
                       enum paper_state *state, struct error *error) {
  struct buffer text, plain;
  char given[PAPER_VALUE], sum[2 * SUM + 1];
  *state = PAPER_OTHER;
  buffer_init(&text, FILE_MOST);
  buffer_init(&plain, FILE_MOST);
  buffer_reserve(&plain, FILE_MOST - 1);
  enum status status = file_read(path, FILE_MOST, &text, error);
  if (status == OK && split_lines(paper, buffer_view(&text), values, given, &plain)) {
    sum_of(buffer_view(&plain), sum);
    *state = strcmp(sum, given) == 0 ? PAPER_WHOLE : PAPER_DAMAGED;
  }
  wipe(&text);
  wipe(&plain);
  return status;
}
