/* Where a pass stands, as text that the store keeps between runs. */
#include "connectors/http/mark.h"
#include "connectors/rest/rest.h"
#include "core/base/date.h"
#include "core/base/text.h"

#include <inttypes.h>

enum { POSITION_TEXT_MOST = 16384, MARK_TEXT_MOST = 256 };

static enum status set_range(struct position *position, const struct pull *pull, const struct rest_options *options,
                             struct error *error) {
  char now[TIMESTAMP_TEXT_SIZE];
  const char *since = pull->watermark != NULL ? pull->watermark : options->since_default;
  const char *until = pull->until != NULL ? pull->until : options->until_default;
  if (until != NULL && strcmp(until, "now") == 0) {
    clock_format(clock_now(), now);
    until = now;
  }
  enum status status = OK;
  if (since != NULL) {
    status = mark_write(since, options->since_format, &position->since, error);
  }
  if (status == OK && until != NULL) {
    status = mark_write(until, options->since_format, &position->until, error);
  }
  return status;
}

enum status position_init(struct position *position, const struct pull *pull, const struct rest_options *options,
                          struct error *error) {
  *position = (struct position){.page = 1, .total = -1};
  buffer_init(&position->at, POSITION_TEXT_MOST);
  buffer_init(&position->mark, MARK_TEXT_MOST);
  buffer_init(&position->since, MARK_TEXT_MOST);
  buffer_init(&position->until, MARK_TEXT_MOST);
  return set_range(position, pull, options, error);
}

void position_free(struct position *position) {
  buffer_free(&position->at);
  buffer_free(&position->mark);
  buffer_free(&position->since);
  buffer_free(&position->until);
}

static void write_text(struct buffer *out, const char *name, const struct buffer *text) {
  if (text->len > 0) {
    buffer_printf(out, ",\"%s\":", name);
    buffer_json(out, buffer_view(text));
  }
}

enum status position_write(const struct position *position, int paging, struct buffer *out, struct error *error) {
  buffer_printf(out, "{\"paging\":\"%s\",\"page\":%" PRId64 ",\"offset\":%" PRId64 ",\"total\":%" PRId64 ",\"done\":%s",
                rest_pagings[paging], position->page, position->offset, position->total,
                position->done ? "true" : "false");
  write_text(out, "at", &position->at);
  write_text(out, "mark", &position->mark);
  write_text(out, "since", &position->since);
  write_text(out, "until", &position->until);
  buffer_char(out, '}');
  return buffer_check(out, "cursor", error);
}

static bool read_number(const struct node *root, const char *name, int64_t *value) {
  const struct node *node = node_at(root, name);
  return node != NULL && node->kind == NODE_NUMBER && text_to_int64(node->text, value);
}

static bool read_text(const struct node *root, const char *name, struct buffer *text) {
  const struct node *node = node_at(root, name);
  buffer_reset(text);
  return node == NULL || (node->kind == NODE_TEXT && buffer_slice(text, node->text) == OK);
}

bool position_read(struct position *position, int paging, struct slice text, struct arena *arena) {
  struct node *root = NULL;
  struct error ignored;
  if (json_read(text, arena, &root, &ignored) != OK) {
    return false;
  }
  const struct node *kind = node_at(root, "paging");
  const struct node *done = node_at(root, "done");
  if (kind == NULL || !slice_is(kind->text, rest_pagings[paging]) || done == NULL) {
    return false;
  }
  position->done = done->kind == NODE_TRUE;
  return read_number(root, "page", &position->page) && read_number(root, "offset", &position->offset)
         && read_number(root, "total", &position->total) && read_text(root, "at", &position->at)
         && read_text(root, "mark", &position->mark) && read_text(root, "since", &position->since)
         && read_text(root, "until", &position->until);
}
