/* Splits a JSON document into records without building a tree: walks down the record path, passes over all that is
 * beside it, and yields the bytes of each element. Without a path the document is a list of records, one record, or
 * JSON lines; what it yields does not depend on where pages were cut. */
#include "mapping/format/json.h"

#include <inttypes.h>
#include <stdlib.h>

static inline struct json_splitter *json_of(struct splitter *splitter) {
  return (struct json_splitter *)splitter;
}

static enum status read_path(struct json_splitter *json, const char *path, struct error *error) {
  json->path = arena_text(json->arena, slice_of(path));
  json->steps = arena_array(json->arena, PATH_DEPTH, sizeof *json->steps);
  if (json->path == NULL || json->steps == NULL)
    return error_memory(error);
  struct slice rest = slice_of(json->path), step;
  while (path_step(&rest, &step)) {
    if (json->step_count + 1 == PATH_DEPTH)
      return error_set(error, ERR_CONFIG, _("the record path has more than %d steps"), PATH_DEPTH - 1);
    json->steps[json->step_count++] = step;
  }
  return OK;
}

static void json_splitter_free(struct splitter *splitter) {
  if (splitter == NULL)
    return;
  struct json_splitter *json = json_of(splitter);
  stream_free(&json->stream);
  buffer_free(&json->context);
  buffer_free(&json->seen);
  arena_free(json->arena);
  free(json);
}

static void json_begin(struct splitter *splitter) {
  struct json_splitter *json = json_of(splitter);
  stream_reset(&json->stream);
  buffer_reset(&json->seen);
  json->stage = JSON_MARK;
  json->line = json->column = 1;
  json->depth = json->step = json->deepest = 0;
  json->beside = json->found = json->lines = json->maybe = false;
  json->scan = (struct json_scan){0};
  json->skipping = false;
}

static enum status json_splitter_new(const struct format_options *options, struct splitter **splitter,
                                     struct error *error) {
  struct json_splitter *json = calloc(1, sizeof *json);
  if (json == NULL)
    return error_memory(error);
  json->head.format = &format_json;
  json->encoding = options->encoding;
  json->record_limit = options->record_limit != 0 ? options->record_limit : RECORD_LIMIT;
  stream_init(&json->stream);
  buffer_init(&json->context, 256);
  buffer_init(&json->seen, SEEN_MOST);
  json->arena = arena_new(0);
  enum status status = json->arena == NULL ? error_memory(error)
                                           : read_path(json, options->record != NULL ? options->record : "", error);
  if (json->encoding == ENCODING_UTF8)
    buffer_text(&json->context, "{}");
  else
    buffer_printf(&json->context, "{\"encoding\":\"%s\"}", encoding_name(json->encoding));
  if (status == OK)
    status = buffer_check(&json->context, _("context"), error);
  if (status != OK) {
    json_splitter_free(&json->head);
    return status;
  }
  json_begin(&json->head);
  *splitter = &json->head;
  return OK;
}

static enum status json_feed(struct splitter *splitter, struct slice bytes, bool final, struct error *error) {
  return stream_feed(&json_of(splitter)->stream, bytes, final, error);
}

static struct slice json_context(struct splitter *splitter) {
  return buffer_view(&json_of(splitter)->context);
}

static size_t skip_space(struct slice bytes, size_t at) {
  size_t from = at;
  while (at < bytes.len
         && (bytes.data[at] == ' ' || bytes.data[at] == '\n' || bytes.data[at] == '\r' || bytes.data[at] == '\t'))
    at++;
  return at - from;
}

/* The next byte that is no white space, not taken; END where there is none yet. */
static enum status peek(struct json_splitter *json, char *c) {
  struct slice bytes = stream_view(&json->stream);
  size_t space = skip_space(bytes, 0);
  json_take(json, space);
  *c = space < bytes.len ? bytes.data[space] : '\0';
  return space < bytes.len ? OK : END;
}

static enum status take_mark(struct json_splitter *json, struct error *error) {
  struct slice bytes = stream_view(&json->stream);
  if (bytes.len < 3 && !json->stream.final)
    return END;
  if (looks_like_utf16(bytes))
    return json_fail_with(json, error, _("the text is UTF-16, and JSON is UTF-8"));
  if (bytes.len >= 3 && memcmp(bytes.data, "\xef\xbb\xbf", 3) == 0)
    json->stream.start += 3;
  json->stage = JSON_TOP;
  return OK;
}

static enum status push(struct json_splitter *json, enum json_level kind, enum json_stage stage, struct error *error) {
  if (json->depth == PATH_DEPTH)
    return json_fail_with(json, error, _("lists nested too deep on the record path"));
  if (kind == LEVEL_OBJECT && json->step >= json->deepest) {
    buffer_reset(&json->seen);
    json->deepest = json->step;
  }
  json->levels[json->depth].kind = kind;
  json->levels[json->depth++].step = json->step;
  json->stage = stage;
  json_take(json, 1);
  return OK;
}

/* A value at the end of the path: the list of records, or the one record. */
static enum status at_target(struct json_splitter *json, char c, struct error *error) {
  json->found = true;
  if (c == '[')
    return push(json, LEVEL_RECORDS, JSON_FIRST, error);
  if (c != '{' && c != 'n') {
    if (json->lines && json->depth == 0) {
      json_pass_begin(json, true);
      json->scan.broken = true;
      return OK;
    }
    return json_fail_with(json, error, _("the records' place holds neither a list nor an object"));
  }
  json_pass_begin(json, c == '{');
  return OK;
}

static enum status not_json(struct json_splitter *json, struct error *error) {
  struct slice bytes = stream_view(&json->stream);
  if (bytes.len < 16 && !json->stream.final)
    return END;
  if (looks_like_html(bytes))
    error_html(error, "JSON");
  else
    error_set(error, ERR_INPUT, _("the source answered with XML where JSON was expected"));
  return json_fail(json, error);
}

/* In JSON lines whatever begins a line is looked at, if only to be reported as broken. */
static bool may_begin(const struct json_splitter *json, char c) {
  return (c != '\0' && strchr("{[\"-0123456789tfn", c) != NULL) || (json->lines && json->depth == 0);
}

static enum status at_value(struct json_splitter *json, struct error *error) {
  char c;
  if (peek(json, &c) == END)
    return END;
  if (!may_begin(json, c))
    return json->depth == 0 && c == '<' ? not_json(json, error)
                                        : json_fail_with(json, error, _("a JSON value is expected here"));
  bool record = json->depth > 0 && json->levels[json->depth - 1].kind == LEVEL_RECORDS;
  if (record || json->beside) {
    json_pass_begin(json, record);
    return OK;
  }
  if (json->step == json->step_count)
    return at_target(json, c, error);
  if (c == '{' || c == '[')
    return push(json, c == '{' ? LEVEL_OBJECT : LEVEL_LIST, c == '{' ? JSON_KEY_FIRST : JSON_FIRST, error);
  json->found = json->found || (c == 'n' && json->step > 0);
  json_pass_begin(json, false);
  return OK;
}

/* After a bracket or a comma of the walk: an element or the end of the container. */
static enum status at_first(struct json_splitter *json, struct error *error) {
  char c, close = json->stage == JSON_FIRST ? ']' : '}';
  (void)error;
  if (peek(json, &c) == END)
    return END;
  if (c == close) {
    json_take(json, 1);
    json->depth--;
    json->stage = JSON_AFTER;
    return OK;
  }
  json->step = json->levels[json->depth - 1].step;
  json->beside = false;
  json->stage = json->stage == JSON_FIRST ? JSON_VALUE : JSON_KEY;
  return OK;
}

/* Whether the member is on the path; names beside it are kept for the hint. */
static void choose_member(struct json_splitter *json, struct slice name) {
  size_t step = json->levels[json->depth - 1].step;
  json->beside = !slice_equal(name, json->steps[step]);
  json->step = json->beside ? step : step + 1;
  if (json->beside && step == json->deepest && name.len < 64 && json->seen.len + name.len + 1 < SEEN_MOST) {
    buffer_slice(&json->seen, name);
    buffer_char(&json->seen, '\0');
  }
}

/* A member name on the path, and its colon; taken together so that nothing of it has to be kept. */
static enum status at_key(struct json_splitter *json, struct error *error) {
  char c;
  if (peek(json, &c) == END)
    return END;
  if (c != '"')
    return json_fail_with(json, error, _("a member name in double quotes is expected here"));
  struct slice bytes = stream_view(&json->stream);
  struct json_scan scan = {0};
  enum json_stop stop = json_scan_value(&scan, bytes, false, json->stream.final);
  if (stop == JSON_NEWLINE || scan.at > NAME_MOST)
    return json_fail_with(json, error, _("a member name is not closed"));
  size_t colon = scan.at + skip_space(bytes, scan.at);
  if (stop == JSON_MORE || colon == bytes.len)
    return END;
  if (bytes.data[colon] != ':')
    return json_fail_with(json, error, _("a colon is expected after a member name"));
  choose_member(json, slice_make(bytes.data + 1, scan.at - 2));
  json_take(json, colon + 1);
  json->stage = JSON_VALUE;
  return OK;
}

static enum status at_after(struct json_splitter *json, struct error *error) {
  char c;
  if (json->depth == 0) {
    json->stage = JSON_TOP;
    return OK;
  }
  if (peek(json, &c) == END)
    return END;
  bool object = json->levels[json->depth - 1].kind == LEVEL_OBJECT;
  if (c == (object ? '}' : ']')) {
    json_take(json, 1);
    json->depth--;
    return OK;
  }
  if (c != ',')
    return json_fail_with(json, error,
                          object ? _("a comma or a closing brace is expected here")
                                 : _("a comma or a closing bracket is expected here"));
  json_take(json, 1);
  json->step = json->levels[json->depth - 1].step;
  json->beside = false;
  json->stage = object ? JSON_KEY : JSON_VALUE;
  return OK;
}

static enum status path_missing(struct json_splitter *json, struct error *error) {
  const char *names[SEEN_MOST / 2];
  size_t count = 0;
  struct buffer list;
  buffer_init(&list, SEEN_MOST);
  for (size_t at = 0; at < json->seen.len; at += strlen(json->seen.data + at) + 1)
    names[count++] = json->seen.data + at;
  for (size_t i = 0; i < count && i < 8; i++)
    buffer_printf(&list, i == 0 ? "%s" : ", %s", names[i]);
  error_set(error, ERR_INPUT, _("the document has no \"%s\""), json->path);
  const char *nearest = text_nearest(json->steps[json->deepest], names, count);
  if (nearest != NULL)
    error_hint(error, _("did you mean \"%s\"?"), nearest);
  else if (count > 0)
    error_hint(error, _("where \"%.*s\" is looked for there is: %s"), SLICE_ARG(json->steps[json->deepest]), list.data);
  buffer_free(&list);
  return json_fail(json, error);
}

static enum status at_top(struct json_splitter *json, struct error *error) {
  char c;
  if (peek(json, &c) == END) {
    bool missing = json->stream.final && json->step_count > 0 && !json->found;
    if (missing && json->line == 1 && json->column == 1)
      return json_fail_with(json, error, _("the document is empty"));
    return missing ? path_missing(json, error) : END;
  }
  json->step = 0;
  json->beside = false;
  json->stage = JSON_VALUE;
  return OK;
}

static enum status step_walk(struct json_splitter *json, struct error *error) {
  switch (json->stage) {
  case JSON_MARK:
    return take_mark(json, error);
  case JSON_TOP:
    return at_top(json, error);
  case JSON_VALUE:
    return at_value(json, error);
  case JSON_FIRST:
  case JSON_KEY_FIRST:
    return at_first(json, error);
  case JSON_KEY:
    return at_key(json, error);
  default:
    return at_after(json, error);
  }
}

static enum status json_next(struct splitter *splitter, struct raw *raw, struct error *error) {
  struct json_splitter *json = json_of(splitter);
  for (;;) {
    enum status status;
    if (json->stage == JSON_FAILED) {
      *error = json->failure;
      return error->code;
    }
    if (json->stage == JSON_PASS) {
      bool more = false;
      status = json_pass(json, raw, &more, error);
      if (status == END && more)
        return json_at_end(json, raw, error);
      if (status != END)
        return status;
      continue;
    }
    status = step_walk(json, error);
    if (status == END)
      return json_at_end(json, raw, error);
    if (status != OK)
      return status;
  }
}

const struct format format_json = {
    .name = "json",
    .splitter_new = json_splitter_new,
    .begin = json_begin,
    .feed = json_feed,
    .next = json_next,
    .context = json_context,
    .splitter_free = json_splitter_free,
    .decoder_new = json_decoder_new,
    .parse = json_parse,
    .decoder_free = json_decoder_free,
    .cut = json_cut,
};
