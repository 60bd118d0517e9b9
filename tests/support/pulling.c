#include "tests/support/pulling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEEN_LIMIT = 64 << 20 };

static enum status remembers(void *core, const char *memory, bool *known, struct error *error) {
  const struct pulling *pulling = core;
  (void)error;
  *known = pulling->memory.len > 0 && strstr(pulling->memory.data, memory) != NULL;
  return OK;
}

void pulling_begin(struct pulling *pulling, const char *connector, const char *yaml, const char *folder) {
  struct yaml *map;
  *pulling = (struct pulling){.connector = connector_find(connector), .arena = arena_new(0)};
  assert_non_null(pulling->connector);
  buffer_init(&pulling->seen, SEEN_LIMIT);
  buffer_init(&pulling->memory, SEEN_LIMIT);
  buffer_init(&pulling->probed, SEEN_LIMIT);
  page_init(&pulling->page, SEEN_LIMIT);
  pulling->options = arena_alloc(pulling->arena, pulling->connector->options_size);
  assert_int_equal(yaml_parse("options", slice_of(yaml), pulling->arena, &map, &pulling->error), OK);
  if (options_parse(pulling->connector->options, map, folder, pulling->arena, pulling->options, &pulling->error) != OK)
    fail_msg("%s", pulling_error(pulling));
  pulling->pull =
      (struct pull){.source = "prueba", .options = pulling->options, .remembers = remembers, .core = pulling};
}

static void note(struct pulling *pulling) {
  const struct page *page = &pulling->page;
  buffer_printf(&pulling->seen, "[%.*s%s%s]", SLICE_ARG(buffer_view(&page->origin)), page->begins ? " begins" : "",
                page->ends ? " ends" : "");
  buffer_slice(&pulling->seen, buffer_view(&page->bytes));
  buffer_char(&pulling->seen, '\n');
  if (page->memory.len > 0)
    buffer_printf(&pulling->memory, "%s\n", page->memory.data);
  pulling->pages++;
}

enum status pulling_more(struct pulling *pulling, int most) {
  enum status status = OK;
  while (status == OK && most-- != 0) {
    struct page *page = &pulling->page;
    buffer_reset(&page->bytes);
    buffer_reset(&page->origin);
    buffer_reset(&page->memory);
    page->begins = page->ends = false;
    struct buffer cursor = page->cursor, watermark = page->watermark;
    buffer_init(&page->cursor, 1 << 16);
    buffer_init(&page->watermark, 1 << 16);
    status = pulling->connector->next(pulling->connection, page, &pulling->error);
    if (status == OK) {
      note(pulling);
      buffer_free(&cursor);
      buffer_free(&watermark);
    } else { /* the last page's stay */
      buffer_free(&page->cursor);
      buffer_free(&page->watermark);
      page->cursor = cursor;
      page->watermark = watermark;
    }
  }
  return status;
}

enum status pulling_pass(struct pulling *pulling, int most) {
  if (pulling->connection != NULL)
    pulling->connector->close(pulling->connection);
  pulling->connection = NULL;
  buffer_reset(&pulling->seen);
  pulling->pages = 0;
  enum status status = pulling->connector->open(&pulling->pull, &pulling->connection, &pulling->error);
  return status == OK ? pulling_more(pulling, most) : status;
}

static void on_step(void *context, const char *step, enum status result, const char *message) {
  struct pulling *pulling = context;
  buffer_printf(&pulling->probed, "%s: %s: %s\n", step, status_name(result), message);
}

enum status pulling_probe(struct pulling *pulling) {
  buffer_reset(&pulling->probed);
  buffer_text(&pulling->probed, "");
  page_reset(&pulling->page);
  return pulling->connector->probe(&pulling->pull, on_step, pulling, &pulling->page, &pulling->error);
}

const char *pulling_error(const struct pulling *pulling) {
  static char text[1200];
  snprintf(text, sizeof text, "%s%s%s%s%s", pulling->error.message, pulling->error.place[0] != '\0' ? " @ " : "",
           pulling->error.place, pulling->error.hint[0] != '\0' ? " ! " : "", pulling->error.hint);
  return text;
}

int pulling_mark(const char *line, bool *had, long most) {
  int rows = 0;
  while (*line >= '0' && *line <= '9') {
    char *end;
    long number = strtol(line, &end, 10) * 100;
    assert_int_equal(*end, ',');
    number += strtol(end + 1, &end, 10);
    assert_true(number < most && !had[number]);
    had[number] = true;
    line = strchr(end, '\n') + 1;
    rows++;
  }
  return rows;
}

void pulling_end(struct pulling *pulling) {
  if (pulling->connection != NULL)
    pulling->connector->close(pulling->connection);
  options_wipe(pulling->connector->options, pulling->options);
  page_free(&pulling->page);
  buffer_free(&pulling->seen);
  buffer_free(&pulling->memory);
  buffer_free(&pulling->probed);
  arena_free(pulling->arena);
}
