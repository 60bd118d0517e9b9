/* Delimited lines, shared by the formats csv and row: one reader, two tables. A field is quoted where the quote is its
 * first character; inside, the quote is doubled and line breaks are text. In `row`, which is PostgreSQL's COPY … CSV,
 * an unquoted empty field is NULL and a quoted one is empty text; in `csv` both are empty text. */
#ifndef PUENTE_MAPPING_FORMAT_CSV_H
#define PUENTE_MAPPING_FORMAT_CSV_H

#include "mapping/format/splitter.h"

struct csv_dialect {
  char delimiter, quote;
  bool nulls; /* format row */
  enum encoding encoding;
};

/* Eight bytes, each repeated, for the word-wise scan below. */
struct csv_words {
  uint64_t delimiter, quote;
};
#define CSV_EVERY_BYTE 0x0101010101010101ULL

static inline struct csv_words csv_words_of(const struct csv_dialect *dialect) {
  return (struct csv_words){.delimiter = CSV_EVERY_BYTE * (unsigned char)dialect->delimiter,
                            .quote = CSV_EVERY_BYTE * (unsigned char)dialect->quote};
}
/* 0x80 in each byte of the word that is zero, exactly. */
static inline uint64_t csv_zero_bytes(uint64_t word) {
  const uint64_t low = CSV_EVERY_BYTE * 0x7f;
  return ~(((word & low) + low) | word | low);
}
/* Eight bytes with the first one lowest. */
static inline uint64_t csv_load(const char *data) {
  uint64_t word;
  memcpy(&word, data, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

/* The context of a document as JSON text, and back. */
enum status csv_context_write(const struct csv_dialect *dialect, const struct slice *columns, size_t count,
                              struct buffer *context, struct error *error);
enum status csv_decoder_new(struct slice context, struct decoder **decoder, struct error *error);
enum status csv_parse(const struct decoder *decoder, struct slice bytes, struct arena *arena, struct node **root,
                      struct error *error);
void csv_decoder_free(struct decoder *decoder);
enum status csv_cut(const struct decoder *decoder, struct slice bytes, const char *const *paths, size_t count,
                    struct arena *arena, struct buffer *out, size_t *cut, struct error *error);

/* The slots that csv.c fills for both tables. */
enum status csv_splitter_new(const struct format *format, bool nulls, const struct format_options *options,
                             struct splitter **splitter, struct error *error);
void csv_begin(struct splitter *splitter);
enum status csv_feed(struct splitter *splitter, struct slice bytes, bool final, struct error *error);
enum status csv_next(struct splitter *splitter, struct raw *raw, struct error *error);
struct slice csv_context(struct splitter *splitter);
void csv_splitter_free(struct splitter *splitter);

/* The fields of one record, in the dialect: their bounds without quotes. `*count` above `most` is only a count.
 * False where the quoting is broken. */
struct csv_field {
  uint32_t begin, end; /* of the value, inside its quotes */
  bool quoted;
  bool doubled; /* holds doubled quotes */
};
bool csv_fields(const struct csv_dialect *dialect, struct slice bytes, struct csv_field *fields, size_t most,
                size_t *count);

#endif
