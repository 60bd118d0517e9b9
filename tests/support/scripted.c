#include "tests/support/scripted.h"

#include <stdio.h>
#include <stdlib.h>

struct script scripted;

struct connection {
  const struct pull *pull;
  size_t next;
  bool inside; /* a document */
};

static void keep(char *target, size_t size, const char *text) {
  snprintf(target, size, "%s", text == NULL ? "" : text);
}

static enum status scripted_open(const struct pull *pull, struct connection **connection, struct error *error) {
  *connection = calloc(1, sizeof **connection);
  if (*connection == NULL) {
    return error_memory(error);
  }
  (*connection)->pull = pull;
  (*connection)->next = pull->cursor == NULL ? 0 : (size_t)strtoul(pull->cursor, NULL, 10);
  scripted.opened++;
  keep(scripted.watermark, sizeof scripted.watermark, pull->watermark);
  keep(scripted.cursor, sizeof scripted.cursor, pull->cursor);
  keep(scripted.until, sizeof scripted.until, pull->until);
  return OK;
}

static enum status scripted_next(struct connection *connection, struct page *page, struct error *error) {
  const struct scripted_page *given = NULL;
  bool known = true;
  while (known) {
    if (connection->next >= scripted.count) {
      return END;
    }
    given = &scripted.pages[connection->next++];
    known = false;
    enum status status =
        given->memory == NULL ? OK : connection->pull->remembers(connection->pull->core, given->memory, &known, error);
    if (status != OK) {
      return status;
    }
  }
  if (given->fails != OK) {
    error_set(error, given->fails, "the script fails here");
    error_hint(error, "ask the script");
    return given->fails;
  }
  scripted.given++;
  page->begins = !connection->inside;
  page->ends = !given->continues;
  connection->inside = given->continues;
  page->source_count = given->source_count == 0 ? -1 : given->source_count;
  buffer_text(&page->bytes, given->bytes);
  buffer_printf(&page->origin, "page %zu", connection->next);
  if (!scripted.no_cursor) {
    buffer_printf(&page->cursor, "%zu", connection->next);
  }
  buffer_text(&page->watermark, given->watermark == NULL ? "" : given->watermark);
  buffer_text(&page->memory, given->memory == NULL ? "" : given->memory);
  return buffer_check(&page->bytes, "page", error);
}

static void scripted_close(struct connection *connection) {
  free(connection);
}

static enum status scripted_probe(const struct pull *pull, probe_report *report, void *context, struct page *first,
                                  struct error *error) {
  struct connection connection = {.pull = pull};
  report(context, "login", OK, "the script needs none");
  return scripted_next(&connection, first, error);
}

static bool scripted_narrows(const void *options, bool until) {
  (void)options, (void)until;
  return !scripted.gives_all;
}

static const struct option OPTIONS[] = {{.name = NULL}};

const struct connector scripted_connector = {
    .name = "scripted",
    .description = "pages written in a test",
    .options = OPTIONS,
    .options_size = 1,
    .narrows = scripted_narrows,
    .open = scripted_open,
    .next = scripted_next,
    .close = scripted_close,
    .probe = scripted_probe,
};
