#include "core/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unicode/utf8.h>

void buffer_init(struct buffer *buffer, size_t limit) {
  *buffer = (struct buffer){.limit = limit};
}

void buffer_free(struct buffer *buffer) {
  free(buffer->data);
  *buffer = (struct buffer){.limit = buffer->limit};
}

void buffer_reset(struct buffer *buffer) {
  buffer->len = 0;
  buffer->failed = OK;
  if (buffer->data != NULL) {
    buffer->data[0] = '\0';
  }
}

enum status buffer_reserve(struct buffer *buffer, size_t more) {
  if (buffer->failed != OK) {
    return buffer->failed;
  }
  if (more > buffer->limit || buffer->len > buffer->limit - more) {
    return buffer->failed = ERR_LIMIT;
  }
  size_t needed = buffer->len + more + 1;
  if (needed <= buffer->capacity) {
    return OK;
  }
  size_t capacity = buffer->capacity < 64 ? 64 : buffer->capacity * 2;
  capacity = capacity > buffer->limit + 1 ? buffer->limit + 1 : capacity;
  capacity = capacity < needed ? needed : capacity;
  char *data = realloc(buffer->data, capacity);
  if (data == NULL) {
    return buffer->failed = ERR_MEMORY;
  }
  data[buffer->len] = '\0';
  buffer->data = data;
  buffer->capacity = capacity;
  return OK;
}

enum status buffer_append(struct buffer *buffer, const void *data, size_t len) {
  if (buffer_reserve(buffer, len) != OK) {
    return buffer->failed;
  }
  if (len > 0) {
    memcpy(buffer->data + buffer->len, data, len);
    buffer->len += len;
  }
  buffer->data[buffer->len] = '\0';
  return OK;
}

enum status buffer_text(struct buffer *buffer, const char *text) {
  return buffer_append(buffer, text, strlen(text));
}

enum status buffer_slice(struct buffer *buffer, struct slice text) {
  return buffer_append(buffer, text.data, text.len);
}

enum status buffer_char(struct buffer *buffer, char c) {
  return buffer_append(buffer, &c, 1);
}

enum status buffer_printf(struct buffer *buffer, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length < 0) {
    return buffer->failed = ERR_MEMORY;
  }
  if (buffer_reserve(buffer, (size_t)length) != OK) {
    return buffer->failed;
  }
  va_start(arguments, format);
  vsnprintf(buffer->data + buffer->len, (size_t)length + 1, format, arguments);
  va_end(arguments);
  buffer->len += (size_t)length;
  return OK;
}

/* Bytes of the valid UTF-8 sequence at `at`, 0 where it is not one. */
static size_t sequence_length(const char *at, size_t left) {
  size_t length = 0;
  UChar32 c;
  U8_NEXT(at, length, left, c);
  return c < 0 ? 0 : length;
}

static void append_escape(struct buffer *buffer, unsigned char c) {
  static const char letters[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
  if (c == '"' || c == '\\') {
    char pair[2] = {'\\', (char)c};
    buffer_append(buffer, pair, 2);
  } else if (c < sizeof letters && letters[c] != '\0') {
    char pair[2] = {'\\', letters[c]};
    buffer_append(buffer, pair, 2);
  } else {
    buffer_printf(buffer, "\\u%04x", c);
  }
}

enum status buffer_json(struct buffer *buffer, struct slice text) {
  const unsigned char *bytes = (const unsigned char *)text.data;
  size_t start = 0;
  buffer_char(buffer, '"');
  for (size_t i = 0; i < text.len;) {
    unsigned char c = bytes[i];
    bool special = c < 0x20 || c == '"' || c == '\\' || c == 0x7F;
    size_t length = special ? 1 : sequence_length(text.data + i, text.len - i);
    if (!special && length > 0) {
      i += length;
      continue;
    }
    buffer_append(buffer, bytes + start, i - start);
    if (special) {
      append_escape(buffer, c);
    } else {
      buffer_text(buffer, "\xEF\xBF\xBD");
    }
    start = ++i;
  }
  if (text.len > start) {
    buffer_append(buffer, bytes + start, text.len - start);
  }
  return buffer_char(buffer, '"');
}

void buffer_drop_front(struct buffer *buffer, size_t count) {
  if (buffer->data == NULL || count == 0) {
    return;
  }
  count = count > buffer->len ? buffer->len : count;
  memmove(buffer->data, buffer->data + count, buffer->len - count);
  buffer->len -= count;
  buffer->data[buffer->len] = '\0';
}

enum status buffer_check(const struct buffer *buffer, const char *what, struct error *error) {
  if (buffer->failed == OK) {
    return OK;
  }
  if (buffer->failed == ERR_LIMIT) {
    return error_set(error, ERR_LIMIT, _("%s is larger than its limit of %zu bytes"), what, buffer->limit);
  }
  return error_memory(error);
}
