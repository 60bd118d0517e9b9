/* Runs the cases in tests/mapping/format/cases: options, input and what must come of it, as text. Every case is fed in
 * pieces of every size and must give the same each time. A case:
 *
 *   == name
 *   format: csv            (YAML, as at the head of a mapping)
 *   --- input              (\r \n \t \\ \0 \xNN; a backslash at the end of a line takes the line break away)
 *   --- expect
 *   2 {a: "x", b: null}    (line, then the record)
 *   3 broken: reason
 *   error: message @ place ! hint
 */
#include "core/base/file.h"
#include "mapping/format/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { OUT_LIMIT = 1 << 20 };

static void show_text(struct buffer *out, struct slice text) {
  buffer_json(out, text);
}

static void show_node(struct buffer *out, const struct node *node) {
  bool list = node->kind == NODE_LIST;
  switch (node->kind) {
  case NODE_NULL:
    buffer_text(out, "null");
    return;
  case NODE_TRUE:
  case NODE_FALSE:
    buffer_text(out, node->kind == NODE_TRUE ? "true" : "false");
    return;
  case NODE_NUMBER:
    buffer_slice(out, node->text);
    return;
  case NODE_TEXT:
    show_text(out, node->text);
    return;
  default:
    break;
  }
  buffer_char(out, list ? '[' : '{');
  for (uint32_t i = 0; i < node->count; i++) {
    const struct node *child = &node->children[i];
    assert_ptr_equal(child->parent, node);
    buffer_text(out, i == 0 ? "" : ", ");
    if (!list)
      buffer_printf(out, "%.*s: ", SLICE_ARG(child->name));
    show_node(out, child);
  }
  if (node->kind == NODE_OBJECT && node->text.len > 0 && node->text.data != NULL && node->begin == node->end) {
    buffer_text(out, ", #text: ");
    show_text(out, node->text);
  }
  buffer_char(out, list ? ']' : '}');
}

static void show_error(struct buffer *out, const struct error *error) {
  buffer_printf(out, "error: %s", error->message);
  if (error->place[0] != '\0')
    buffer_printf(out, " @ %s", error->place);
  if (error->hint[0] != '\0')
    buffer_printf(out, " ! %s", error->hint);
  buffer_char(out, '\n');
}

static void show_record(struct buffer *out, const struct format *format, struct splitter *splitter,
                        const struct raw *raw) {
  struct error error;
  struct decoder *decoder = NULL;
  struct node *root = NULL;
  struct arena *arena = arena_new(0);
  if (raw->line > 0)
    buffer_printf(out, "%llu ", (unsigned long long)raw->line);
  if (raw->fault != RECORD_FINE) {
    buffer_printf(out, "%s: %s\n", raw->fault == RECORD_BROKEN ? "broken" : "too large", raw->reason);
  } else if (format->decoder_new(format->context(splitter), &decoder, &error) != OK
             || format->parse(decoder, raw->bytes, arena, &root, &error) != OK) {
    show_error(out, &error);
  } else {
    show_node(out, root);
    buffer_char(out, '\n');
  }
  if (decoder != NULL)
    format->decoder_free(decoder);
  arena_free(arena);
}

/* All that comes of one input, fed in pieces of `size`. Each piece stands in memory of its own, so that a sanitizer
 * sees a splitter that reads past it or keeps it. */
static void run(const struct format *format, const struct format_options *options, struct slice input, size_t size,
                struct buffer *out) {
  struct error error;
  struct splitter *splitter = NULL;
  buffer_reset(out);
  if (format->splitter_new(options, &splitter, &error) != OK) {
    show_error(out, &error);
    return;
  }
  format->begin(splitter);
  enum status status = END;
  for (size_t at = 0; status == END && (at < input.len || at == 0); at += size) {
    size_t len = input.len - at < size ? input.len - at : size;
    char *piece = malloc(len + 1);
    memcpy(piece, input.data + at, len);
    assert_int_equal(format->feed(splitter, slice_make(piece, len), at + len == input.len, &error), OK);
    memset(piece, '#', len);
    free(piece);
    struct raw raw;
    while ((status = format->next(splitter, &raw, &error)) == OK)
      show_record(out, format, splitter, &raw);
  }
  if (status != END) {
    show_error(out, &error);
    struct error again;
    struct raw raw;
    assert_int_equal(format->next(splitter, &raw, &again), status);
    assert_string_equal(again.message, error.message);
  } else {
    struct raw raw;
    assert_int_equal(format->next(splitter, &raw, &error), END);
  }
  format->splitter_free(splitter);
}

static int hex(char c) {
  return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void unescape(struct slice text, struct buffer *out) {
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] != '\\') {
      buffer_char(out, text.data[i]);
      continue;
    }
    char c = text.data[++i];
    if (c == 'x') {
      buffer_char(out, (char)(hex(text.data[i + 1]) * 16 + hex(text.data[i + 2])));
      i += 2;
    } else if (c != '\n') {
      buffer_char(out, c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c == '0' ? '\0' : c);
    }
  }
}

static struct slice section(const char **at, const char *end_mark) {
  const char *begin = *at, *end = strstr(begin, end_mark);
  size_t len = end == NULL ? strlen(begin) : (size_t)(end - begin) + 1;
  *at = end == NULL ? begin + len : end + strlen(end_mark);
  return slice_make(begin, len);
}

static int complain(const char *name, size_t size, const char *wanted, const char *got) {
  print_message("case \"%s\", pieces of %zu bytes: expected\n%sgot\n%s\n", name, size, wanted, got);
  return 1;
}

static int run_case(const char *name, struct slice head, struct slice input, struct slice expect) {
  struct arena *arena = arena_new(0);
  struct yaml *map;
  struct error error = {0};
  const struct format *format = NULL;
  struct format_options options;
  struct buffer bytes, out;
  buffer_init(&bytes, OUT_LIMIT);
  buffer_init(&out, OUT_LIMIT);
  unescape(input, &bytes);
  if (bytes.len == 0)
    buffer_reserve(&bytes, 1);
  const char *wanted = arena_text(arena, expect);
  int faults = 0;
  assert_int_equal(yaml_parse("head", head, arena, &map, &error), OK);
  if (format_options_read(map, arena, &format, &options, &error) != OK) {
    show_error(&out, &error);
    faults += strcmp(out.data, wanted) == 0 ? 0 : complain(name, 0, wanted, out.data);
  } else {
    for (size_t size = 1; faults == 0 && size <= bytes.len + 1; size += size < 300 ? 1 : 61) {
      run(format, &options, buffer_view(&bytes), size, &out);
      if (!slice_equal(buffer_view(&out), expect))
        faults += complain(name, size, wanted, out.len > 0 ? out.data : "");
    }
  }
  buffer_free(&bytes);
  buffer_free(&out);
  arena_free(arena);
  return faults;
}

static void run_file(const char *path) {
  struct buffer text;
  struct error error;
  buffer_init(&text, OUT_LIMIT);
  assert_int_equal(file_read(path, OUT_LIMIT, &text, &error), OK);
  const char *at = strstr(text.data, "== ");
  int cases = 0, faults = 0;
  while (at != NULL && *at != '\0') {
    at += 3;
    char name[100];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(at, "\n"), at);
    at += strcspn(at, "\n") + 1;
    struct slice head = section(&at, "\n--- input\n");
    struct slice input = section(&at, "\n--- expect\n");
    struct slice expect = section(&at, "\n== ");
    at -= *at == '\0' ? 0 : 3;
    while (expect.len > 0 && expect.data[expect.len - 1] == '\n'
           && (expect.len < 2 || expect.data[expect.len - 2] == '\n'))
      expect.len--; /* the empty line between cases */
    faults += run_case(name, head, input, expect);
    cases++;
  }
  assert_true(cases > 0);
  assert_int_equal(faults, 0);
  buffer_free(&text);
}

static void csv_cases(void **state) {
  (void)state;
  run_file("tests/mapping/format/cases/csv.txt");
}
static void row_cases(void **state) {
  (void)state;
  run_file("tests/mapping/format/cases/row.txt");
}
static void json_cases(void **state) {
  (void)state;
  run_file("tests/mapping/format/cases/json.txt");
}
static void xml_cases(void **state) {
  (void)state;
  run_file("tests/mapping/format/cases/xml.txt");
}
static void option_cases(void **state) {
  (void)state;
  run_file("tests/mapping/format/cases/options.txt");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(csv_cases), cmocka_unit_test(row_cases),    cmocka_unit_test(json_cases),
      cmocka_unit_test(xml_cases), cmocka_unit_test(option_cases),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
