/* A growing byte buffer with a limit at birth. Errors stick: after a failed append every later one fails too, so a
 * writer may append many times and ask once. The owner of the struct frees the bytes. */
#ifndef PUENTE_BASE_BUFFER_H
#define PUENTE_BASE_BUFFER_H

#include "core/base/error.h"
#include "core/base/slice.h"

#include <stddef.h>
#include <stdint.h>

struct buffer {
  char *data; /* terminated by a zero byte that len does not count; NULL before the first append */
  size_t len;
  size_t capacity;
  size_t limit;
  enum status failed; /* OK, ERR_MEMORY or ERR_LIMIT */
};

void buffer_init(struct buffer *buffer, size_t limit);
void buffer_free(struct buffer *buffer);
void buffer_reset(struct buffer *buffer);                       /* empty again, memory kept, error cleared */
enum status buffer_reserve(struct buffer *buffer, size_t more); /* room for `more` further bytes */
enum status buffer_append(struct buffer *buffer, const void *data, size_t len);
enum status buffer_text(struct buffer *buffer, const char *text);
enum status buffer_slice(struct buffer *buffer, struct slice text);
enum status buffer_char(struct buffer *buffer, char c);
enum status buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
/* A JSON string with its quotes, escaped; invalid UTF-8 becomes U+FFFD. */
enum status buffer_json(struct buffer *buffer, struct slice text);
void buffer_drop_front(struct buffer *buffer, size_t count); /* removes the first `count` bytes */
/* OK, or fills `error` with the sticky failure; `what` names the thing that grew ("page", "record"). */
enum status buffer_check(const struct buffer *buffer, const char *what, struct error *error) MUST_CHECK;
static inline struct slice buffer_view(const struct buffer *buffer) {
  return slice_make(buffer->data, buffer->len);
}

#endif
