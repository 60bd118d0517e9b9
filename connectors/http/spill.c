/* Large answers: what does not fit in memory waits in a file without a name, which is gone with the process. */
#include "connectors/http/http_private.h"
#include "core/base/file.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

static int open_file(void) {
  const char *folder = getenv("TMPDIR");
  return file_unnamed(folder != NULL && folder[0] != '\0' ? folder : "/tmp");
}

static bool write_out(struct http_response *response, const char *data, size_t len) {
  if (response->file < 0 && (response->file = open_file()) < 0) {
    response->file_error = errno;
    return false;
  }
  while (len > 0) {
    ssize_t done = pwrite(response->file, data, len, (off_t)response->spilled);
    if (done < 0 && errno == EINTR) {
      continue;
    }
    if (done < 0) {
      response->file_error = errno;
      return false;
    }
    response->spilled += (size_t)done;
    data += done;
    len -= (size_t)done;
  }
  return true;
}

bool http_take(struct http_response *response, const char *data, size_t len) {
  size_t total = response->body.len + response->spilled;
  if (len > response->body.limit || total > response->body.limit - len) {
    response->body.failed = ERR_LIMIT;
    return false;
  }
  if (response->memory == 0 || (response->spilled == 0 && total + len <= response->memory)) {
    return buffer_append(&response->body, data, len) == OK;
  }
  return write_out(response, data, len);
}

size_t http_body_length(const struct http_response *response) {
  return response->body.len + response->spilled;
}

enum status http_body_read(const struct http_response *response, size_t offset, char *out, size_t *size,
                           struct error *error) {
  if (offset < response->body.len) {
    size_t left = response->body.len - offset;
    *size = left < *size ? left : *size;
    memcpy(out, response->body.data + offset, *size);
    return OK;
  }
  ssize_t done = 0;
  if (response->spilled > 0) {
    do {
      done = pread(response->file, out, *size, (off_t)(offset - response->body.len));
    } while (done < 0 && errno == EINTR);
  }
  if (done < 0) {
    return error_set(error, ERR_IO, _("the answer cannot be read back: %s"), strerror(errno));
  }
  *size = (size_t)done;
  return OK;
}

enum status http_give_piece(const struct http_response *response, size_t *sent, struct page *page,
                            struct error *error) {
  size_t length = http_body_length(response);
  size_t most = *sent + PIECE < length ? *sent + PIECE : length;
  page->begins = *sent == 0;
  while (*sent < most) {
    size_t size = most - *sent;
    if (buffer_reserve(&page->bytes, size) != OK) {
      return buffer_check(&page->bytes, "page", error);
    }
    enum status status = http_body_read(response, *sent, page->bytes.data + page->bytes.len, &size, error);
    if (status == OK && size == 0) {
      status = error_set(error, ERR_IO, "%s", _("the answer cannot be read back: it has become shorter"));
    }
    if (status != OK) {
      return status;
    }
    page->bytes.len += size;
    page->bytes.data[page->bytes.len] = '\0';
    *sent += size;
  }
  page->ends = *sent == length;
  return OK;
}

void http_body_drop(struct http_response *response) {
  if (response->file >= 0) {
    close(response->file);
    response->file = -1;
  }
  response->spilled = 0;
  response->file_error = 0;
}
