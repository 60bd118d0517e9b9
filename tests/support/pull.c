#include "tests/support/pull.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* An opened set of options and what it is made of. */
struct opened {
  const struct connector *connector;
  struct arena *arena;
  void *options;
  char text[8192];
};

static void require(bool good, const char *what) {
  if (!good) {
    fprintf(stderr, "pull of the tests: %s\n", what);
    abort();
  }
}

static void fill_ports(const char *from, int port, char *to, size_t size) {
  size_t kept = 0;
  for (; *from != '\0'; from++) {
    require(kept + 8 < size, "long options");
    if (kept > 0 && to[kept - 1] == ':' && from[0] == '%' && from[1] == 'd') {
      kept += (size_t)snprintf(to + kept, size - kept, "%d", port);
      from++;
    } else {
      to[kept++] = *from;
    }
  }
  to[kept] = '\0';
}

static void open_options(const struct pull_case *one, struct opened *opened) {
  struct error error;
  struct yaml *root = NULL;
  *opened = (struct opened){.connector = connector_find(one->connector), .arena = arena_new(0)};
  require(opened->connector != NULL && opened->arena != NULL, "no such connector");
  fill_ports(one->options, one->port, opened->text, sizeof opened->text);
  opened->options = calloc(1, opened->connector->options_size);
  if (yaml_parse("options", slice_of(opened->text), opened->arena, &root, &error) != OK
      || options_parse(opened->connector->options, root, "/", opened->arena, opened->options, &error) != OK) {
    fprintf(stderr, "%s (%s) %s\n", error.message, error.place, error.hint);
    require(false, "wrong options");
  }
}

static void close_options(struct opened *opened) {
  options_wipe(opened->connector->options, opened->options);
  free(opened->options);
  arena_free(opened->arena);
}

/* "127.0.0.1:43210" becomes "127.0.0.1". */
static void drop_ports(char *text) {
  for (char *at = strstr(text, "127.0.0.1:"); at != NULL; at = strstr(at, "127.0.0.1:")) {
    at += strlen("127.0.0.1");
    size_t size = 1 + strspn(at + 1, "0123456789");
    memmove(at, at + size, strlen(at + size) + 1);
  }
}

static void write_error(const struct error *error, struct pulled *pulled) {
  snprintf(pulled->error, sizeof pulled->error, "%s | %s | %s", error->message, error->place, error->hint);
  drop_ports(pulled->error);
}

static void append(char *text, size_t size, const char *more, const char *end) {
  size_t length = strlen(text);
  snprintf(text + length, size - length, "%s%s", more, end);
}

static void take_page(const struct page *page, struct pulled *pulled) {
  pulled->pages++;
  pulled->length += page->bytes.len;
  append(pulled->shape, sizeof pulled->shape, page->begins ? "(" : "", page->cursor.len > 0 ? "c" : "-");
  append(pulled->shape, sizeof pulled->shape, page->ends ? ")" : "", "");
  append(pulled->bytes, sizeof pulled->bytes, page->bytes.len > 0 ? page->bytes.data : "", "\n");
  append(pulled->origins, sizeof pulled->origins, page->origin.len > 0 ? page->origin.data : "?", ",");
  snprintf(pulled->watermark, sizeof pulled->watermark, "%s", page->watermark.len > 0 ? page->watermark.data : "");
  snprintf(pulled->cursor, sizeof pulled->cursor, "%s", page->cursor.len > 0 ? page->cursor.data : "");
  pulled->source_count = page->source_count;
}

static struct pull make_pull(const struct pull_case *one, const struct opened *opened) {
  return (struct pull){.source = "test",
                       .options = opened->options,
                       .cursor = one->cursor,
                       .watermark = one->watermark,
                       .until = one->until,
                       .stop = one->stop};
}

void pull_all(const struct pull_case *one, struct pulled *pulled) {
  struct opened opened;
  struct error error;
  struct page page;
  struct connection *connection = NULL;
  memset(pulled, 0, sizeof *pulled);
  open_options(one, &opened);
  struct pull pull = make_pull(one, &opened);
  page_init(&page, 64 << 20);
  pulled->status = opened.connector->open(&pull, &connection, &error);
  while (pulled->status == OK && (one->pages_most == 0 || pulled->pages < one->pages_most)) {
    page_reset(&page);
    pulled->status = opened.connector->next(connection, &page, &error);
    if (pulled->status == OK) {
      take_page(&page, pulled);
    }
  }
  if (pulled->status != OK && pulled->status != END) {
    write_error(&error, pulled);
  }
  pulled->status = pulled->status == END ? OK : pulled->status;
  opened.connector->close(connection);
  page_free(&page);
  close_options(&opened);
}

struct pulled pull_answers(struct http_server *server, const char *connector, const char *options,
                           const struct http_answer *answers, size_t count) {
  struct pulled pulled;
  http_server_script(server, answers, count);
  pull_all(&(struct pull_case){.connector = connector, .options = options, .port = http_server_port(server)}, &pulled);
  return pulled;
}

void pull_check(const struct pull_case *one, struct pulled *pulled) {
  struct opened opened;
  struct error error;
  memset(pulled, 0, sizeof *pulled);
  open_options(one, &opened);
  pulled->status = opened.connector->check(opened.options, &error);
  if (pulled->status != OK) {
    write_error(&error, pulled);
  }
  close_options(&opened);
}

void pull_refused(struct http_server *server, const char *connector, const char *options, const char *error) {
  const struct http_answer answer = {.body = ""};
  struct pulled pulled = pull_answers(server, connector, options, &answer, 1);
  assert_string_equal(pulled.error, error);
  assert_int_equal(pulled.status, ERR_CONFIG);
  pull_check(&(struct pull_case){.connector = connector, .options = options, .port = http_server_port(server)},
             &pulled);
  assert_int_equal(pulled.status, ERR_CONFIG);
  assert_memory_equal(pulled.error, error, strcspn(error, "|"));
  assert_int_equal(http_server_requests(server), 0);
}

struct steps {
  char *text;
  size_t size;
};

static void take_step(void *context, const char *step, enum status result, const char *message) {
  struct steps *steps = context;
  append(steps->text, steps->size, step, " ");
  append(steps->text, steps->size, status_name(result), " ");
  append(steps->text, steps->size, message, "\n");
  drop_ports(steps->text);
}

enum status pull_probe(const struct pull_case *one, char *steps, size_t size, struct pulled *pulled) {
  struct opened opened;
  struct error error;
  struct page page;
  struct steps taken = {.text = steps, .size = size};
  memset(pulled, 0, sizeof *pulled);
  steps[0] = '\0';
  open_options(one, &opened);
  struct pull pull = make_pull(one, &opened);
  page_init(&page, 64 << 20);
  pulled->status = opened.connector->probe(&pull, take_step, &taken, &page, &error);
  if (pulled->status == OK) {
    take_page(&page, pulled);
  } else {
    write_error(&error, pulled);
  }
  page_free(&page);
  close_options(&opened);
  return pulled->status;
}
