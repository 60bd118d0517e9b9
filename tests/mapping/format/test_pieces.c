/* Thousands of damaged documents, from a fixed seed: whatever comes of one must not depend on how it was cut into
 * pieces, what parses must parse again after a cut, and nothing may read past what it was given (a sanitizer looks). */
#include "mapping/format/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROUNDS = 10000, INPUT_MOST = 2048, OUT_LIMIT = 1 << 20 };

static uint64_t random_state = 20210331;

static unsigned draw(unsigned below) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (unsigned)(random_state >> 33) % below;
}

struct subject {
  const char *format, *record, *text;
};

static const struct subject subjects[] = {
    {"csv", "", "a,b,c\n1,2,3\n\"x\",\"y\"\"z\",\n\"multi\nline\",2,3\r\n4,5,6"},
    {"row", "", "a,b\n1,\n\"\",\"2\"\n,\n"},
    {"json", "data/items",
     "{\"data\":{\"items\":[{\"a\":1,\"b\":{\"c\":[1,\"x\\\"y\"]}},{\"a\":null}],\"n\":2},\"z\":[1,{}]}"},
    {"json", "", "{\"a\":1}\n{\"a\":2,\"b\":\"q\"}\r\n{\"items\":[1]}\n"},
    {"json", "", "[{\"a\":1},{\"b\":[{\"c\":2}]}]"},
    {"xml", "/r/d",
     "<?xml version=\"1.0\"?><r xmlns=\"urn:x\" xmlns:p='q'><d a='1'><b><c>t</c></b>&amp;<p:e/></d><d/></r>"},
    {"xml", "r/d",
     "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><x><r><d><a>1</a></d></r></x></s:Body>"
     "</s:Envelope>"},
};

/* Inserts, removes, replaces or repeats bytes. */
static size_t damage(char *text, size_t len) {
  static const char glue[] = "\"\"\",,;\n\n\r{}[]:<>/&\\ \x80\xff\0a";
  for (unsigned change = draw(6); change > 0 && len > 1; change--) {
    size_t at = draw((unsigned)len), from = draw((unsigned)len), count = draw(20);
    char piece[20];
    switch (draw(4)) {
    case 0:
      memmove(text + at + 1, text + at, len++ - at);
      text[at] = glue[draw(sizeof glue - 1)];
      break;
    case 1:
      memmove(text + at, text + at + 1, --len - at);
      break;
    case 2:
      text[at] = glue[draw(sizeof glue - 1)];
      break;
    default:
      if (from + count > len)
        break;
      memcpy(piece, text + from, count);
      memmove(text + at + count, text + at, len - at);
      memcpy(text + at, piece, count);
      len += count;
    }
  }
  return len;
}

static void parse_and_cut(const struct format *format, struct splitter *splitter, struct slice bytes,
                          struct arena *arena) {
  static const char *const paths[] = {"a", "b/c", "items"};
  struct error error;
  struct decoder *decoder;
  struct node *root;
  struct buffer out;
  size_t cut;
  char *copy = malloc(bytes.len + 1); /* of exactly the record, so that reading past it shows */
  memcpy(copy, bytes.len > 0 ? bytes.data : "", bytes.len);
  buffer_init(&out, OUT_LIMIT);
  assert_int_equal(format->decoder_new(format->context(splitter), &decoder, &error), OK);
  enum status parsed = format->parse(decoder, slice_make(copy, bytes.len), arena, &root, &error);
  assert_true(parsed == OK || parsed == ERR_INPUT);
  enum status done = format->cut(decoder, slice_make(copy, bytes.len), paths, 3, arena, &out, &cut, &error);
  assert_true(done == OK || parsed != OK);
  if (parsed == OK)
    assert_int_equal(format->parse(decoder, buffer_view(&out), arena, &root, &error), OK);
  format->decoder_free(decoder);
  buffer_free(&out);
  free(copy);
}

static void note(struct buffer *out, const struct format *format, struct splitter *splitter, const struct raw *raw,
                 struct arena *arena) {
  buffer_printf(out, "%llu %d %s ", (unsigned long long)raw->line, (int)raw->fault, raw->reason);
  buffer_slice(out, raw->bytes);
  buffer_char(out, '\n');
  if (raw->fault != RECORD_TOO_LARGE)
    parse_and_cut(format, splitter, raw->bytes, arena);
}

/* `pieces`: cut at random, else fed whole. */
static void run(const struct format *format, const struct format_options *options, struct slice input, bool pieces,
                struct buffer *out) {
  struct error error;
  struct splitter *splitter;
  struct arena *arena = arena_new(0);
  enum status status = END;
  buffer_reset(out);
  assert_int_equal(format->splitter_new(options, &splitter, &error), OK);
  format->begin(splitter);
  for (size_t at = 0; status == END && (at < input.len || at == 0);) {
    size_t len = pieces ? 1 + draw(7) : input.len;
    len = len < input.len - at ? len : input.len - at;
    char *piece = malloc(len + 1);
    memcpy(piece, input.data + at, len);
    at += len;
    assert_int_equal(format->feed(splitter, slice_make(piece, len), at == input.len, &error), OK);
    free(piece);
    struct raw raw;
    while ((status = format->next(splitter, &raw, &error)) == OK)
      note(out, format, splitter, &raw, arena);
  }
  /* libxml2's words for what is broken depend on how far it can look ahead; that it is broken does not. */
  if (status != END)
    buffer_printf(out, "%s %s", status_name(status), strcmp(format->name, "xml") == 0 ? "" : error.message);
  format->splitter_free(splitter);
  arena_free(arena);
}

static void pieces_do_not_matter(void **state) {
  (void)state;
  struct buffer whole, cut;
  buffer_init(&whole, OUT_LIMIT);
  buffer_init(&cut, OUT_LIMIT);
  for (int round = 0; round < ROUNDS; round++) {
    const struct subject *subject = &subjects[draw(sizeof subjects / sizeof *subjects)];
    char text[INPUT_MOST];
    size_t len = strlen(subject->text);
    memcpy(text, subject->text, len);
    len = damage(text, len);
    const struct format_options options = {.record = subject->record,
                                           .record_limit = draw(3) > 0 ? 0 : 5 + draw(40),
                                           .delimiter = draw(5) > 0 ? ',' : ';',
                                           .encoding = draw(3) > 0 ? ENCODING_UTF8 : ENCODING_WINDOWS_1252};
    const struct format *format = format_find(subject->format);
    run(format, &options, slice_make(text, len), false, &whole);
    run(format, &options, slice_make(text, len), true, &cut);
    if (!slice_equal(buffer_view(&whole), buffer_view(&cut)))
      fail_msg("round %d, %s:\n%.*s\nwhole:\n%.*s\nin pieces:\n%.*s\n", round, subject->format, (int)len, text,
               SLICE_ARG(buffer_view(&whole)), SLICE_ARG(buffer_view(&cut)));
  }
  buffer_free(&whole);
  buffer_free(&cut);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(pieces_do_not_matter)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
