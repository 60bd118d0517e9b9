/* Pages of every format, whole and cut into pieces: the same records, and each record is parsed, cut and parsed again.
 * The first byte chooses the format and its options, the second the sizes of the pieces; the rest is the page. */
#include "tests/fuzz/fuzz.h"
#include "tests/support/pieces.h"

enum { OUT_LIMIT = 64 << 20 };

/* Sizes from a seed: one that repeats, or one after the other. */
static size_t draw(void *state) {
  uint32_t *seed = state;
  if (*seed % 3 == 0) {
    return 1 + *seed / 3 % 16;
  }
  *seed = (*seed * 1664525U + 1013904223U) | 1;
  return 1 + (*seed >> 24) % 9;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct slice input = slice_make((const char *)data, size);
  static struct buffer whole, cut;
  const struct format_options *options = NULL;
  const struct format *format = pieces_kind(fuzz_byte(&input), &options);
  uint32_t seed = fuzz_byte(&input);
  const struct cutter one = {pieces_whole, NULL}, many = {draw, &seed};
  buffer_init(&whole, OUT_LIMIT);
  buffer_init(&cut, OUT_LIMIT);
  pieces_run(format, options, input, &one, &whole);
  pieces_run(format, options, input, &many, &cut);
  promise(slice_equal(buffer_view(&whole), buffer_view(&cut)), "pieces do not matter");
  buffer_free(&whole);
  buffer_free(&cut);
  return 0;
}
