#include "core/store/copy_digest.h"

#include "core/base/digest.h"
#include "core/base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DIGEST_FILE_MOST = 8192 /* a digest and the longest of names */ };

static char *beside(const char *copy, struct error *error) {
  char *path = NULL;
  if (asprintf(&path, "%s.sha256", copy) < 0) {
    (void)error_memory(error);
    return NULL;
  }
  return path;
}

enum status copy_digest_write(const char *written, const char *copy, struct error *error) {
  const char *slash = strrchr(copy, '/');
  char text[2 * SHA256_SIZE + 1];
  struct sha256 digest;
  struct buffer line;
  char *path = beside(copy, error);
  enum status status = path == NULL ? ERR_MEMORY : sha256_file(written, &digest, error);
  if (status == OK) {
    hex_format(digest.bytes, SHA256_SIZE, text);
    buffer_init(&line, DIGEST_FILE_MOST);
    buffer_printf(&line, "%s  %s\n", text, slash == NULL ? copy : slash + 1);
    status = buffer_check(&line, _("the digest of a copy"), error);
    status = status == OK ? file_write(path, buffer_view(&line), 0600, error) : status;
    buffer_free(&line);
  }
  free(path);
  return status;
}

static enum status differs(const char *copy, const char *path, struct error *error) {
  error_set(error, ERR_STORE, _("the copy is not as it was made: its SHA-256 is not the one in %s"), path);
  error_place(error, "%s", copy);
  error_hint(error, "%s", _("take another copy; one that was changed on purpose is read once that file is deleted"));
  return ERR_STORE;
}

enum status copy_digest_check(const char *copy, bool *known, struct error *error) {
  struct sha256 wanted, digest;
  struct buffer text;
  *known = false;
  char *path = beside(copy, error);
  enum status status = path == NULL ? ERR_MEMORY : file_read(path, DIGEST_FILE_MOST, &text, error);
  if (status == OK) {
    struct slice hex = slice_make(text.data, text.len < sizeof wanted.bytes * 2 ? text.len : sizeof wanted.bytes * 2);
    bool read = hex_parse(hex, wanted.bytes, SHA256_SIZE);
    buffer_free(&text);
    status = sha256_file(copy, &digest, error);
    *known = status == OK;
    if (status == OK && (!read || memcmp(wanted.bytes, digest.bytes, SHA256_SIZE) != 0)) {
      status = differs(copy, path, error);
    }
  }
  free(path);
  /* No digest, or no copy, which the reader of the copy tells in its own words. */
  return status == ERR_NOT_FOUND ? OK : status;
}

void copy_digest_forget(const char *copy) {
  struct error ignored;
  char *path = beside(copy, &ignored);
  if (path != NULL) {
    unlink(path);
    free(path);
  }
}
