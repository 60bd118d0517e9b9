/* What the text cases cannot say: landed bytes read again, cuts, records of many megabytes, format options. */
#include "mapping/format/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct cutting {
  const char *format, *context, *record;
  const char *paths[3];
  size_t cut;
  const char *result;
};

static const char csv_context[] =
    "{\"columns\":[\"a\",\"b\",\"c\"],\"delimiter\":\";\",\"quote\":\"\\\"\",\"encoding\":\"windows-1252\"}";
static const char row_context[] =
    "{\"columns\":[\"a\",\"b\",\"c\"],\"delimiter\":\",\",\"quote\":\"\\\"\",\"encoding\":\"utf-8\",\"nulls\":true}";

static void cuts_what_is_forbidden(void **state) {
  (void)state;
  static const struct cutting cuttings[] = {
      {"csv", csv_context, "1;\"x;\"\"y\";3", {"b", "none"}, 1, "1;;3"},
      {"csv", csv_context, "1;;3", {"b"}, 0, "1;;3"},
      {"row", row_context, "1,\"\",\"z\"", {"c", "a"}, 2, ",\"\","},
      {"json",
       "{}",
       "{\"a\":1, \"b\" : {\"c\":[1,2]}, \"d\":[{\"e\":\"x\"},{\"e\":null},{\"e\":2}]}",
       {"b", "d/e"},
       3,
       "{\"a\":1, \"b\" : null, \"d\":[{\"e\":null},{\"e\":null},{\"e\":null}]}"},
      {"json", "{}", "{\"a\":{\"b\":1,\"c\":2}}", {"a/b", "a", "a/c"}, 1, "{\"a\":null}"},
      {"json",
       "{\"encoding\":\"windows-1252\"}",
       "{\"a\xf1o\":\"\xf1\xf1\",\"b\":\"secret\",\"c\":\"\xf1\"}",
       {"b"},
       1,
       "{\"a\xf1o\":\"\xf1\xf1\",\"b\":null,\"c\":\"\xf1\"}"},
      {"xml",
       "{}",
       "<v:V xmlns:v=\"urn:v\" n=\"1\"><v:A x=\"2\" y=\"3\">s</v:A><B><A>t</A></B><A>u</A></v:V>",
       {"A", "@n"},
       3,
       "<v:V xmlns:v=\"urn:v\"><B><A>t</A></B></v:V>"},
      {"xml", "{}", "<V><B><A>t</A><A>u</A></B><C z=\"1\">w</C></V>", {"B/A", "C/@z"}, 3, "<V><B></B><C>w</C></V>"},
  };
  for (size_t i = 0; i < sizeof cuttings / sizeof *cuttings; i++) {
    const struct cutting *cutting = &cuttings[i];
    const struct format *format = format_find(cutting->format);
    struct decoder *decoder;
    struct error error;
    struct arena *arena = arena_new(0);
    struct node *root;
    struct buffer out;
    size_t count = 0, cut = 99;
    buffer_init(&out, 1 << 16);
    while (count < 3 && cutting->paths[count] != NULL)
      count++;
    assert_int_equal(format->decoder_new(slice_of(cutting->context), &decoder, &error), OK);
    assert_int_equal(format->cut(decoder, slice_of(cutting->record), cutting->paths, count, arena, &out, &cut, &error),
                     OK);
    assert_string_equal(out.data, cutting->result);
    assert_int_equal(cut, cutting->cut);
    assert_int_equal(format->parse(decoder, buffer_view(&out), arena, &root, &error), OK);
    format->decoder_free(decoder);
    buffer_free(&out);
    arena_free(arena);
  }
}

struct broken {
  const char *format, *context, *record, *message;
};

static void tells_what_does_not_parse(void **state) {
  (void)state;
  static const struct broken broken[] = {
      {"csv", csv_context, "1;2", "2 fields instead of 3"},
      {"csv", csv_context, "1;2;3;4", "4 fields instead of 3"},
      {"csv", csv_context, "1;\"2;3", "a quote is not closed, or text follows a closing quote"},
      {"row", row_context, "1,\xf1,3", "not valid UTF-8 (is the file windows-1252?)"},
      {"json", "{}", "{\"a\":}", "not JSON: a value was expected"},
      {"xml", "{}", "<a><b></a>", "the record is not well-formed XML"},
      {"xml", "{}", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "the record is not well-formed XML"},
      {"xml", "{}", "", "the record is not well-formed XML"},
      {"csv", "{}", NULL, "the record's decoding context is damaged"},
      {"csv", "not json", NULL, "the record's decoding context is damaged"},
      {"row", "{\"columns\":[]}", NULL, "the record's decoding context is damaged"},
      {"json", "{\"encoding\":\"klingon\"}", NULL, "the record's decoding context is damaged"},
  };
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    const struct format *format = format_find(broken[i].format);
    struct decoder *decoder = NULL;
    struct error error = {0};
    struct arena *arena = arena_new(0);
    struct node *root;
    enum status status = format->decoder_new(slice_of(broken[i].context), &decoder, &error);
    if (broken[i].record != NULL) {
      assert_int_equal(status, OK);
      status = format->parse(decoder, slice_of(broken[i].record), arena, &root, &error);
    }
    assert_int_equal(status, ERR_INPUT);
    assert_string_equal(error.message, broken[i].message);
    if (decoder != NULL)
      format->decoder_free(decoder);
    arena_free(arena);
  }
}

/* A landed XML record carries the namespaces that were in scope, and reads the same by itself. */
static void lands_canonical_xml(void **state) {
  (void)state;
  const struct format *format = format_find("xml");
  struct splitter *splitter;
  struct error error;
  struct raw raw;
  const struct format_options options = {.record = "/r/d"};
  assert_int_equal(format->splitter_new(&options, &splitter, &error), OK);
  for (int pass = 0; pass < 2; pass++) { /* `begin` forgets the document before */
    format->begin(splitter);
    const char *text =
        "<r xmlns='urn:r' xmlns:p=\"urn:p\"><p:d b='2' a=\"1\"><p:x/><![CDATA[<&>]]><!-- c --></p:d></r>";
    assert_int_equal(format->feed(splitter, slice_of(text), true, &error), OK);
    assert_int_equal(format->next(splitter, &raw, &error), OK);
    char landed[300];
    snprintf(landed, sizeof landed, "%.*s", SLICE_ARG(raw.bytes));
    assert_string_equal(landed,
                        "<p:d xmlns=\"urn:r\" xmlns:p=\"urn:p\" a=\"1\" b=\"2\"><p:x></p:x>&lt;&amp;&gt;</p:d>");
    assert_int_equal(format->next(splitter, &raw, &error), END);
  }
  assert_true(slice_is(format->context(splitter), "{}"));
  format->splitter_free(splitter);
}

static void csv_context_is_complete(void **state) {
  (void)state;
  const struct format *format = format_find("csv");
  struct splitter *splitter;
  struct error error;
  struct raw raw;
  const struct format_options options = {.delimiter = ';', .encoding = ENCODING_WINDOWS_1252};
  assert_int_equal(format->splitter_new(&options, &splitter, &error), OK);
  format->begin(splitter);
  assert_int_equal(format->feed(splitter, slice_of("a ;\"b;\"\"\";\xf1\n1;2;3"), true, &error), OK);
  assert_int_equal(format->next(splitter, &raw, &error), OK);
  assert_true(slice_is(format->context(splitter),
                       "{\"columns\":[\"a\",\"b;\\\"\",\"ñ\"],\"delimiter\":\";\",\"quote\":\"\\\"\",\"encoding\":"
                       "\"windows-1252\"}"));
  format->splitter_free(splitter);
}

struct large {
  const char *format, *path, *before, *open, *fill, *close, *after;
};

/* 100 MB in one record, fed in pages: reported as too large, the records after it go on, and what is held stays small.
 */
static void a_huge_record_is_passed_over(void **state) {
  (void)state;
  static const struct large larges[] = {
      {"csv", NULL, "a,b\n1,2\n", "x,", "yyyyyyyy", "\n", "3,4\n"},
      {"csv", NULL, "a,b\n1,2\n", "\"", "yy\"\"\nyy,", "\",2\n", "3,4\n"},
      {"json", "d", "{\"d\":[{\"a\":1},", "{\"a\":\"", "yyyyyyyy", "\"},", "{\"a\":2}]}"},
      {"json", "d", "{\"d\":[{\"a\":1},", "{\"a\":[", "{\"b\":1},", "{}]},", "{\"a\":2}]}"},
      {"json", "d", "{\"skipped\":\"", "", "yyyyyyyy", "\",\"d\":[", "{\"a\":1},{\"a\":2}]}"},
      {"json", NULL, "{\"a\":1}\n", "{\"a\":\"", "yyyyyyyy", "\"}\n", "{\"a\":2}\n"},
      {"xml", "/d/r", "<d><r>1</r>", "<r><x>", "yyyyyyyy", "</x></r>", "<r>2</r></d>"},
      {"xml", "/d/r", "<d><r>1</r>", "<r>", "<x>y</x>", "</r>", "<r>2</r></d>"},
      {"xml", "/d/r", "<d><s>", "", "<x>y</x>", "</s><r>1</r>", "<r>2</r></d>"},
  };
  static char block[1 << 20];
  for (size_t i = 0; i < sizeof larges / sizeof *larges; i++) {
    const struct large *large = &larges[i];
    const struct format *format = format_find(large->format);
    const struct format_options options = {.record = large->path, .record_limit = 1 << 20};
    struct splitter *splitter;
    struct error error = {0};
    struct raw raw;
    int fine = 0, too_large = 0;
    size_t unit = strlen(large->fill);
    assert_int_equal(format->splitter_new(&options, &splitter, &error), OK);
    format->begin(splitter);
    for (int step = 0; step < 104; step++) {
      size_t len = 0;
      const char *piece = step == 0     ? large->before
                          : step == 1   ? large->open
                          : step == 102 ? large->close
                                        : large->after;
      if (step > 1 && step < 102) {
        for (; len + unit <= sizeof block; len += unit)
          memcpy(block + len, large->fill, unit);
        piece = block;
      } else {
        len = strlen(piece);
      }
      assert_int_equal(format->feed(splitter, slice_make(piece, len), step == 103, &error), OK);
      enum status status;
      while ((status = format->next(splitter, &raw, &error)) == OK) {
        fine += raw.fault == RECORD_FINE;
        too_large += raw.fault == RECORD_TOO_LARGE;
        if (raw.fault != RECORD_FINE) {
          assert_string_equal(raw.reason, "the record is larger than 1 MiB");
          assert_true(raw.bytes.len <= 256);
        }
      }
      if (status != END)
        fail_msg("%s %zu: %s at %s", large->format, i, error.message, error.place);
    }
    assert_int_equal(fine, 2);
    assert_int_equal(too_large, *large->open == '\0' ? 0 : 1);
    format->splitter_free(splitter);
  }
}

static void names_are_known(void **state) {
  (void)state;
  size_t count;
  const char *const *names = format_names(&count);
  assert_int_equal(count, 4);
  for (size_t i = 0; i < count; i++)
    assert_string_equal(format_find(names[i])->name, names[i]);
  assert_null(names[count]);
  assert_null(format_find("xlsx"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cuts_what_is_forbidden), cmocka_unit_test(tells_what_does_not_parse),
      cmocka_unit_test(lands_canonical_xml),    cmocka_unit_test(csv_context_is_complete),
      cmocka_unit_test(names_are_known),        cmocka_unit_test(a_huge_record_is_passed_over),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
