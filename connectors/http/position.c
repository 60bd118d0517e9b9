#include "connectors/http/position.h"
#include "connectors/http/mark.h"
#include "core/base/date.h"
#include "core/base/log.h"
#include "core/base/node.h"
#include "core/base/text.h"

#include <inttypes.h>

enum { POSITION_TEXT_MOST = 16384, MARK_TEXT_MOST = 256 };

static enum status set_range(struct position *position, const struct pull *pull, const struct range_settings *range,
                             struct error *error) {
  char now[TIMESTAMP_TEXT_SIZE];
  const char *since = pull->watermark != NULL ? pull->watermark : range->since;
  const char *until = pull->until != NULL ? pull->until : range->until;
  if (until != NULL && strcmp(until, "now") == 0) {
    clock_format(clock_now(), now);
    until = now;
  }
  enum status status = OK;
  int64_t ignored;
  if (range->zone != NULL && !zone_parse(slice_of(range->zone), &ignored)) {
    error_set(error, ERR_CONFIG, "%s", _("`since_zone` is no zone"));
    error_hint(error, "%s", _("write it as \"-05:00\""));
    return ERR_CONFIG;
  }
  if (since != NULL) {
    status = range->format == NULL ? mark_widen(since, pull->form, false, &position->since, error)
                                   : mark_write(since, range->format, range->zone, &position->since, error);
  }
  if (status == OK && until != NULL) {
    status = range->format == NULL ? mark_widen(until, pull->form, true, &position->until, error)
                                   : mark_write_end(until, range->format, range->zone, &position->until, error);
  }
  return status;
}

enum status position_init(struct position *position, const struct pull *pull, const struct range_settings *range,
                          struct error *error) {
  *position = (struct position){.page = 1, .total = -1};
  buffer_init(&position->at, POSITION_TEXT_MOST);
  buffer_init(&position->mark, MARK_TEXT_MOST);
  buffer_init(&position->since, MARK_TEXT_MOST);
  buffer_init(&position->until, MARK_TEXT_MOST);
  return set_range(position, pull, range, error);
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

enum status position_write(const struct position *position, const char *paging, struct buffer *out,
                           struct error *error) {
  buffer_printf(out, "{\"paging\":\"%s\",\"page\":%" PRId64 ",\"offset\":%" PRId64 ",\"total\":%" PRId64 ",\"done\":%s",
                paging, position->page, position->offset, position->total, position->done ? "true" : "false");
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

bool position_read(struct position *position, const char *paging, struct slice text, struct arena *arena) {
  struct node *root = NULL;
  struct error ignored;
  if (json_read(text, arena, &root, &ignored) != OK) {
    return false;
  }
  const struct node *kind = node_at(root, "paging");
  const struct node *done = node_at(root, "done");
  if (kind == NULL || !slice_is(kind->text, paging) || done == NULL) {
    return false;
  }
  position->done = done->kind == NODE_TRUE;
  return read_number(root, "page", &position->page) && read_number(root, "offset", &position->offset)
         && read_number(root, "total", &position->total) && read_text(root, "at", &position->at)
         && read_text(root, "mark", &position->mark) && read_text(root, "since", &position->since)
         && read_text(root, "until", &position->until);
}

enum status position_resume(struct position *position, const struct pull *pull, const char *paging,
                            const struct range_settings *range, bool *resumed, struct error *error) {
  *resumed = false;
  if (pull->cursor == NULL || pull->cursor[0] == '\0') {
    return OK;
  }
  struct arena *arena = arena_new(0);
  if (arena == NULL) {
    return error_memory(error);
  }
  *resumed = position_read(position, paging, slice_of(pull->cursor), arena);
  arena_free(arena);
  if (*resumed) {
    return OK;
  }
  log_message(LEVEL_WARNING, _("source %s: its cursor does not fit the configuration; the pass begins anew"),
              pull->source);
  position_free(position);
  return position_init(position, pull, range, error);
}

enum status position_check(const struct position *position, const struct pages_settings *settings,
                           struct error *error) {
  if (position->page <= settings->most) {
    return OK;
  }
  error_set(error, ERR_LIMIT, _("the source has more than %lld pages"), (long long)settings->most);
  error_hint(error, "%s", _("raise `max_pages` if that is right; a later run goes on from here"));
  return ERR_LIMIT;
}

enum status position_describe(const struct position *position, int64_t number, const char *paging, struct page *page,
                              struct error *error) {
  page->source_count = position->total;
  buffer_slice(&page->watermark, buffer_view(&position->mark));
  buffer_printf(&page->origin, "page %" PRId64, number);
  enum status status = buffer_check(&page->watermark, "watermark", error);
  status = status == OK ? buffer_check(&page->origin, "origin", error) : status;
  return status == OK && page->ends ? position_write(position, paging, &page->cursor, error) : status;
}

enum status repeats_init(struct repeats *repeats, struct error *error) {
  *repeats = (struct repeats){.seen = map_new()};
  return repeats->seen == NULL ? error_memory(error) : OK;
}

void repeats_free(struct repeats *repeats) {
  map_free(repeats->seen);
  repeats->seen = NULL;
}

enum status repeats_check(struct repeats *repeats, struct slice bytes, struct slice at, int64_t most,
                          struct error *error) {
  struct sha256 digest = sha256_of(bytes);
  bool same = repeats->count > 0 && memcmp(&digest, &repeats->last, sizeof digest) == 0;
  repeats->count = same ? repeats->count + 1 : 1;
  repeats->last = digest;
  if (repeats->count > most) {
    error_set(error, ERR_INPUT, "%s", _("the source gives the same page again and again"));
    error_hint(error, "%s", _("check that the source knows the paging parameter, and its name"));
    return ERR_INPUT;
  }
  if (at.len == 0) {
    return OK;
  }
  uint32_t before = map_count(repeats->seen);
  if (map_intern(repeats->seen, at) == MAP_NONE) {
    return error_memory(error);
  }
  if (map_count(repeats->seen) == before) {
    error_set(error, ERR_INPUT, "%s", _("the source leads in a circle: a page that was read is to come again"));
    error_hint(error, "%s", _("tell the source's contact; nothing is lost, a later run goes on from here"));
    return ERR_INPUT;
  }
  return OK;
}
