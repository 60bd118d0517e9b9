#include "tests/support/pieces.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { CUT_LIMIT = 16 << 20 };

static const struct {
  const char *format;
  struct format_options options;
} kinds[] = {
    {"csv", {.record = ""}},
    {"csv", {.record = "", .delimiter = ';', .encoding = ENCODING_WINDOWS_1252}},
    {"csv", {.record = "", .delimiter = '\t', .quote = '\'', .encoding = ENCODING_LATIN1, .record_limit = 24}},
    {"csv", {.record = "", .header_row = 2}},
    {"row", {.record = ""}},
    {"json", {.record = ""}},
    {"json", {.record = "data/items"}},
    {"json", {.record = "data/items", .record_limit = 24}},
    {"xml", {.record = "/r/d"}},
    {"xml", {.record = "r/d", .record_limit = 40}},
    {"xml", {.record = "/Actas/Acta"}},
};

const struct format *pieces_kind(unsigned byte, const struct format_options **options) {
  size_t kind = byte % (sizeof kinds / sizeof *kinds);
  *options = &kinds[kind].options;
  return format_find(kinds[kind].format);
}

size_t pieces_whole(void *state) {
  (void)state;
  return SIZE_MAX;
}

size_t pieces_fixed(void *size) {
  return *(size_t *)size;
}

static void need(bool holds, const char *what) {
  if (!holds) {
    fprintf(stderr, "pieces: %s\n", what);
    abort();
  }
}

/* Of exactly its size, so that a read past the end shows. */
static char *exact(struct slice bytes) {
  char *copy = malloc(bytes.len == 0 ? 1 : bytes.len);
  need(copy != NULL, "out of memory");
  if (bytes.len > 0) {
    memcpy(copy, bytes.data, bytes.len);
  }
  return copy;
}

static void parse_and_cut(const struct format *format, struct splitter *splitter, struct slice bytes,
                          struct arena *arena) {
  static const char *const paths[] = {"a", "b/c", "items", "Persona/Dni"};
  struct error error;
  struct decoder *decoder = NULL;
  struct node *root = NULL;
  struct buffer out;
  size_t cut = 0;
  char *copy = exact(bytes);
  buffer_init(&out, CUT_LIMIT);
  need(format->decoder_new(format->context(splitter), &decoder, &error) == OK, "the context is read again");
  enum status parsed = format->parse(decoder, slice_make(copy, bytes.len), arena, &root, &error);
  need(parsed == OK || parsed == ERR_INPUT || parsed == ERR_LIMIT, "a record is parsed, or is broken");
  enum status done = format->cut(decoder, slice_make(copy, bytes.len), paths, 4, arena, &out, &cut, &error);
  need(done == OK || parsed != OK, "what is parsed can be cut");
  if (parsed == OK) {
    need(format->parse(decoder, buffer_view(&out), arena, &root, &error) == OK, "what was cut is parsed again");
    size_t again = 0;
    buffer_reset(&out);
    need(format->cut(decoder, slice_make(copy, bytes.len), paths, 0, arena, &out, &again, &error) == OK && again == 0,
         "nothing is cut where nothing is named");
  }
  format->decoder_free(decoder);
  buffer_free(&out);
  free(copy);
}

static void note(struct buffer *out, const struct format *format, struct splitter *splitter, const struct raw *raw,
                 struct arena *arena) {
  buffer_printf(out, "%llu %d %s ", (unsigned long long)raw->line, (int)raw->fault, raw->reason);
  buffer_slice(out, raw->bytes);
  buffer_char(out, '\n');
  if (raw->fault != RECORD_TOO_LARGE) {
    parse_and_cut(format, splitter, raw->bytes, arena);
  }
}

void pieces_run(const struct format *format, const struct format_options *options, struct slice input,
                const struct cutter *cutter, struct buffer *out) {
  struct error error = {.code = OK};
  struct splitter *splitter = NULL;
  struct arena *arena = arena_new(0);
  enum status status = END;
  buffer_reset(out);
  need(arena != NULL && format->splitter_new(options, &splitter, &error) == OK, "a splitter is made");
  format->begin(splitter);
  for (size_t at = 0; status == END && (at < input.len || at == 0);) {
    size_t len = cutter->next(cutter->state);
    len = len < input.len - at ? len : input.len - at;
    char *piece = exact(slice_make(input.data + at, len));
    at += len;
    status = format->feed(splitter, slice_make(piece, len), at == input.len, &error);
    free(piece);
    struct raw raw;
    while (status == OK && (status = format->next(splitter, &raw, &error)) == OK) {
      note(out, format, splitter, &raw, arena);
      arena_reset(arena);
    }
    if (input.len == 0) {
      break;
    }
  }
  /* libxml2's words for what is broken depend on how far it can look ahead; that it is broken does not. */
  if (status != END) {
    buffer_printf(out, "%s %s", status_name(status), strcmp(format->name, "xml") == 0 ? "" : error.message);
  } else {
    buffer_slice(out, format->context(splitter));
  }
  format->splitter_free(splitter);
  arena_free(arena);
}
