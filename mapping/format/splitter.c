#include "mapping/format/splitter.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

void stream_init(struct stream *stream) {
  buffer_init(&stream->bytes, FEED_LIMIT);
  stream->start = 0;
  stream->final = false;
}

void stream_reset(struct stream *stream) {
  buffer_reset(&stream->bytes);
  stream->start = 0;
  stream->final = false;
}

void stream_free(struct stream *stream) {
  buffer_free(&stream->bytes);
}

enum status stream_feed(struct stream *stream, struct slice bytes, bool final, struct error *error) {
  if (stream->start > 0) {
    buffer_drop_front(&stream->bytes, stream->start);
    stream->start = 0;
  }
  stream->final = final;
  buffer_slice(&stream->bytes, bytes);
  return buffer_check(&stream->bytes, _("page"), error);
}

void raw_fault(struct raw *raw, enum record_fault fault, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(raw->reason, sizeof raw->reason, format, arguments);
  va_end(arguments);
  raw->fault = fault;
}

void raw_too_large(struct raw *raw, struct slice head, size_t limit) {
  char words[32];
  size_t most = limit < RECORD_HEAD ? limit : RECORD_HEAD;
  raw->bytes = slice_make(head.data, head.len < most ? head.len : most);
  raw_fault(raw, RECORD_TOO_LARGE, _("the record is larger than %s"), size_words(limit, words));
}

static bool begins_with(struct slice bytes, const char *word) {
  size_t len = strlen(word);
  return bytes.len >= len && strncasecmp(bytes.data, word, len) == 0;
}

bool looks_like_html(struct slice bytes) {
  struct slice text = slice_trim(bytes);
  return begins_with(text, "<!doctype html") || begins_with(text, "<html") || begins_with(text, "<head")
         || begins_with(text, "<body");
}

enum status error_html(struct error *error, const char *expected) {
  error_set(error, ERR_INPUT, _("the source answered with HTML where %s was expected"), expected);
  error_hint(error, _("a login page, a proxy or an error page stands in the way: open the address in a browser"));
  return ERR_INPUT;
}

bool looks_like_utf16(struct slice bytes) {
  return bytes.len >= 2 && (memcmp(bytes.data, "\xff\xfe", 2) == 0 || memcmp(bytes.data, "\xfe\xff", 2) == 0);
}

const char *size_words(size_t size, char words[32]) {
  if (size >= ((size_t)1 << 20) && size % ((size_t)1 << 20) == 0)
    snprintf(words, 32, "%zu MiB", size >> 20);
  else
    snprintf(words, 32, _("%zu bytes"), size);
  return words;
}
