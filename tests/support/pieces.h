/* A document through a splitter in pieces of any size; what comes of it must not depend on how it was cut. */
#ifndef PUENTE_TESTS_SUPPORT_PIECES_H
#define PUENTE_TESTS_SUPPORT_PIECES_H

#include "mapping/format/format.h"

/* Formats and options of a document in the corpus of pages: by its first byte, which is no part of it. */
const struct format *pieces_kind(unsigned byte, const struct format_options **options);

/* Bytes of the next piece; `state` is the caller's. Called until the document is fed. */
struct cutter {
  size_t (*next)(void *state);
  void *state;
};

/* Every record with its line, fault and reason, then how the document ended, as text. Each record that is not too large
 * is parsed, cut and parsed again; what does not hold there (a cut record that cannot be parsed, bytes read past the
 * end, which a sanitizer sees) ends the program. `out` is reset first. */
void pieces_run(const struct format *format, const struct format_options *options, struct slice input,
                const struct cutter *cutter, struct buffer *out);
/* The whole document as one piece, and pieces of a fixed size (state: size_t *). */
size_t pieces_whole(void *state);
size_t pieces_fixed(void *size);

#endif
