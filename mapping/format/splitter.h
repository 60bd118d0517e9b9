/* What the formats share inside this folder: the head of every splitter and decoder, and the bytes that were fed and
 * not yet taken. Nothing here is for other rooms. */
#ifndef PUENTE_MAPPING_FORMAT_SPLITTER_H
#define PUENTE_MAPPING_FORMAT_SPLITTER_H

#include "mapping/format/format.h"

#define RECORD_LIMIT ((size_t)16 << 20)
#define RECORD_HEAD 256              /* bytes kept of a record that is too large */
#define FEED_LIMIT ((size_t)1 << 30) /* of bytes fed and not yet taken */
#define FORMAT_DEPTH 128             /* of nested values */

struct splitter {
  const struct format *format;
};

/* Bytes of the document from the first one not yet taken; `start` is its offset in the buffer. */
struct stream {
  struct buffer bytes;
  size_t start;
  bool final;
};

void stream_init(struct stream *stream);
void stream_reset(struct stream *stream);
void stream_free(struct stream *stream);
enum status stream_feed(struct stream *stream, struct slice bytes, bool final, struct error *error) MUST_CHECK;
static inline struct slice stream_view(const struct stream *stream) {
  return slice_make(stream->bytes.data + stream->start, stream->bytes.len - stream->start);
}

/* Fills the fault of a raw record; the text must not hold a value. */
void raw_fault(struct raw *raw, enum record_fault fault, const char *format, ...) PRINTF_LIKE(3, 4);
/* The fault of a record over the limit, with the head of its bytes. */
void raw_too_large(struct raw *raw, struct slice head, size_t limit);
/* Whether a document is a web page: what a proxy or a login page answers instead of data. */
bool looks_like_html(struct slice bytes);
/* ERR_INPUT: "the source answered with HTML where CSV was expected". */
enum status error_html(struct error *error, const char *expected);
/* Whether the first bytes of a document are a UTF-16 or UTF-32 byte order mark. */
bool looks_like_utf16(struct slice bytes);
/* A size as people read it: "16 MiB", "300 bytes". */
const char *size_words(size_t size, char words[32]);

extern const struct format format_csv, format_row, format_json, format_xml;

#endif
