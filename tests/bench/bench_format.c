/* Formats alone, on one core: a document of records of 30 fields, in pages of 4 MiB, split only and split and parsed.
 * One JSON line for each case. */
#include "core/base/date.h"
#include "mapping/format/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { FIELDS = 30, PAGE = 4 << 20, BATCH = 1000 };

struct document {
  const char *name, *format, *record;
  int records;
  const char *before, *begin, *after; /* of the document, of each record */
  const char *field, *between, *end;  /* %d: the field's number, %d: its value */
  const char *close;
};

static const struct document documents[] = {
    {"csv", "csv", "", 400000, "", "", "", "valor %2$d", ",", "\n", ""},
    {"csv_quoted", "csv", "", 400000, "", "", "", "\"valor %2$d\"", ",", "\n", ""},
    {"json", "json", "data/items", 200000, "{\"data\":{\"items\":[{}", ",{", "", "\"columna_%1$d\":\"valor %2$d\"", ",",
     "}", "]}}"},
    {"xml", "xml", "/r/d", 60000, "<r>", "<d>", "", "<columna_%1$d>valor %2$d</columna_%1$d>", "", "</d>\n", "</r>"},
};

static void fail(const char *what) {
  fprintf(stderr, "bench_format: %s\n", what);
  exit(1);
}

static long peak_mib(void) {
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss / 1024 : 0;
}

static struct buffer make(const struct document *document) {
  struct buffer text;
  buffer_init(&text, (size_t)1 << 30);
  buffer_text(&text, document->before);
  if (strcmp(document->format, "csv") == 0)
    for (int i = 0; i < FIELDS; i++)
      buffer_printf(&text, "columna_%d%s", i, i + 1 < FIELDS ? "," : "\n");
  for (int record = 0; record < document->records; record++) {
    buffer_text(&text, document->begin);
    for (int i = 0; i < FIELDS; i++) {
      char field[100];
      buffer_text(&text, i == 0 ? "" : document->between);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
      snprintf(field, sizeof field, document->field, i, (record * 31 + i * 7) % 100000);
#pragma GCC diagnostic pop
      buffer_text(&text, field);
    }
    buffer_text(&text, document->end);
  }
  buffer_text(&text, document->close);
  if (text.failed != OK)
    fail("the document is too large");
  return text;
}

/* Returns the number of records. */
static int64_t walk(const struct format *format, struct splitter *splitter, struct slice text, struct arena *arena) {
  struct error error;
  struct raw raw;
  struct node *root;
  struct decoder *decoder = NULL;
  int64_t count = 0;
  format->begin(splitter);
  for (size_t at = 0; at < text.len; at += PAGE) {
    size_t len = text.len - at < PAGE ? text.len - at : PAGE;
    if (format->feed(splitter, slice_make(text.data + at, len), at + len == text.len, &error) != OK)
      fail(error.message);
    enum status status;
    while ((status = format->next(splitter, &raw, &error)) == OK) {
      if (arena != NULL && decoder == NULL && format->decoder_new(format->context(splitter), &decoder, &error) != OK)
        fail(error.message);
      if (arena != NULL && format->parse(decoder, raw.bytes, arena, &root, &error) != OK)
        fail(error.message);
      if (++count % BATCH == 0 && arena != NULL)
        arena_reset(arena);
    }
    if (status != END)
      fail(error.message);
  }
  if (decoder != NULL)
    format->decoder_free(decoder);
  return count;
}

static void run(const struct document *document) {
  const struct format *format = format_find(document->format);
  const struct format_options options = {.record = document->record};
  struct buffer text = make(document);
  struct splitter *splitter;
  struct error error;
  struct arena *arena = arena_new(0);
  if (arena == NULL || format->splitter_new(&options, &splitter, &error) != OK)
    fail("out of memory");
  for (int parse = 0; parse < 2; parse++) {
    int64_t begin = clock_monotonic();
    int64_t records = walk(format, splitter, buffer_view(&text), parse == 1 ? arena : NULL);
    double seconds = (double)(clock_monotonic() - begin) / 1e6;
    printf("{\"case\":\"format_%s_%s\",\"records\":%" PRId64 ",\"seconds\":%.3f,\"records_per_second\":%.0f,"
           "\"megabytes_per_second\":%.0f,\"peak_mib\":%ld}\n",
           document->name, parse == 1 ? "parse" : "split", records, seconds, (double)records / seconds,
           (double)text.len / seconds / 1e6, peak_mib());
    fflush(stdout);
  }
  format->splitter_free(splitter);
  arena_free(arena);
  buffer_free(&text);
}

int main(void) {
  for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
    run(&documents[i]);
  return 0;
}
