/* Splits a JSON document into records without building a tree: walks down the record path, passes over all that is
 * beside it, and yields the bytes of each element. Without a path the document is a list of records, one record, or
 * JSON lines; what it yields does not depend on where pages were cut. */
#include "mapping/format/json.h"

#include <inttypes.h>
#include <stdlib.h>

enum json_stage {
  JSON_MARK,
  JSON_TOP,
  JSON_VALUE,
  JSON_FIRST,
  JSON_KEY_FIRST,
  JSON_KEY,
  JSON_AFTER,
  JSON_PASS,
  JSON_FAILED
};
enum json_level { LEVEL_OBJECT, LEVEL_LIST, LEVEL_RECORDS };
enum { SEEN_MOST = 400, PATH_DEPTH = 32, NAME_MOST = 64 << 10 };

struct json_splitter {
  struct splitter head;
  struct arena *arena;
  char *path; /* as given */
  struct slice *steps;
  size_t step_count;
  enum encoding encoding;
  size_t record_limit;
  struct stream stream;
  struct buffer context;
  struct error failure;
  enum json_stage stage;
  uint64_t line, column; /* of the first byte not taken, from 1 */
  struct {
    enum json_level kind;
    size_t step; /* steps of the path that lead to it */
  } levels[PATH_DEPTH];
  size_t depth;
  size_t step;        /* steps that lead to the value that comes */
  bool beside;        /* the value that comes is not on the path */
  bool found;         /* the path led somewhere */
  bool lines;         /* JSON lines, for certain */
  bool by_line;       /* the value that is passed over is one of JSON lines */
  bool maybe;         /* an object at the top, in one line so far: may prove to be the first of JSON lines */
  size_t deepest;     /* step of the object whose names are in `seen` */
  struct buffer seen; /* names found where the path went on, for the hint */
  /* The value being passed over. */
  struct json_scan scan;
  bool record, skipping;
  size_t wrong;   /* where a broken line was found to be broken */
  struct raw raw; /* line and fault of the record so far */
  char kept[RECORD_HEAD];
  size_t kept_len;
};

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

/* Takes `len` bytes, keeping count of the place. */
static void take(struct json_splitter *json, size_t len) {
  const char *at = json->stream.bytes.data + json->stream.start, *end = at + len;
  json->stream.start += len;
  const char *newline;
  while (at < end && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
    json->line++;
    json->column = 1;
    at = newline + 1;
  }
  json->column += (uint64_t)(end - at);
}

static enum status fail(struct json_splitter *json, struct error *error) {
  error_place(error, _("line %" PRIu64 ", column %" PRIu64), json->line, json->column);
  json->failure = *error;
  json->stage = JSON_FAILED;
  return error->code;
}

static enum status fail_with(struct json_splitter *json, struct error *error, const char *message) {
  error_set(error, ERR_INPUT, "%s", message);
  return fail(json, error);
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
  take(json, space);
  *c = space < bytes.len ? bytes.data[space] : '\0';
  return space < bytes.len ? OK : END;
}

static enum status take_mark(struct json_splitter *json, struct error *error) {
  struct slice bytes = stream_view(&json->stream);
  if (bytes.len < 3 && !json->stream.final)
    return END;
  if (looks_like_utf16(bytes))
    return fail_with(json, error, _("the text is UTF-16, and JSON is UTF-8"));
  if (bytes.len >= 3 && memcmp(bytes.data, "\xef\xbb\xbf", 3) == 0)
    json->stream.start += 3;
  json->stage = JSON_TOP;
  return OK;
}

static enum status push(struct json_splitter *json, enum json_level kind, enum json_stage stage, struct error *error) {
  if (json->depth == PATH_DEPTH)
    return fail_with(json, error, _("lists nested too deep on the record path"));
  if (kind == LEVEL_OBJECT && json->step >= json->deepest) {
    buffer_reset(&json->seen);
    json->deepest = json->step;
  }
  json->levels[json->depth].kind = kind;
  json->levels[json->depth++].step = json->step;
  json->stage = stage;
  take(json, 1);
  return OK;
}

static void pass(struct json_splitter *json, bool record) {
  json->scan = (struct json_scan){0};
  json->record = record;
  json->skipping = false;
  json->raw = (struct raw){.line = json->line};
  json->by_line = json->lines && json->depth == 0;
  json->maybe = record && json->depth == 0 && !json->lines;
  json->stage = JSON_PASS;
}

/* A value at the end of the path: the list of records, or the one record. */
static enum status at_target(struct json_splitter *json, char c, struct error *error) {
  json->found = true;
  if (c == '[')
    return push(json, LEVEL_RECORDS, JSON_FIRST, error);
  if (c != '{' && c != 'n') {
    if (json->lines && json->depth == 0) {
      pass(json, true);
      json->scan.broken = true;
      return OK;
    }
    return fail_with(json, error, _("the records' place holds neither a list nor an object"));
  }
  pass(json, c == '{');
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
  return fail(json, error);
}

static bool begins_value(char c) {
  return c != '\0' && strchr("{[\"-0123456789tfn", c) != NULL;
}

static enum status at_value(struct json_splitter *json, struct error *error) {
  char c;
  if (peek(json, &c) == END)
    return END;
  if (json->depth == 0 && c == '<' && !json->lines)
    return not_json(json, error);
  if (!begins_value(c) && !(json->lines && json->depth == 0))
    return fail_with(json, error, _("a JSON value is expected here"));
  bool record = json->depth > 0 && json->levels[json->depth - 1].kind == LEVEL_RECORDS;
  if (record || json->beside) {
    pass(json, record);
    return OK;
  }
  if (json->step == json->step_count)
    return at_target(json, c, error);
  if (c == '{')
    return push(json, LEVEL_OBJECT, JSON_KEY_FIRST, error);
  if (c == '[')
    return push(json, LEVEL_LIST, JSON_FIRST, error);
  json->found = json->found || (c == 'n' && json->step > 0);
  pass(json, false);
  return OK;
}

/* After a bracket or a comma of the walk: an element or the end of the container. */
static enum status at_first(struct json_splitter *json, struct error *error) {
  char c, close = json->stage == JSON_FIRST ? ']' : '}';
  (void)error;
  if (peek(json, &c) == END)
    return END;
  if (c == close) {
    take(json, 1);
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
    return fail_with(json, error, _("a member name in double quotes is expected here"));
  struct slice bytes = stream_view(&json->stream);
  struct json_scan scan = {0};
  enum json_stop stop = json_scan_value(&scan, bytes, false, json->stream.final);
  if (stop == JSON_NEWLINE || scan.at > NAME_MOST)
    return fail_with(json, error, _("a member name is not closed"));
  size_t colon = scan.at + skip_space(bytes, scan.at);
  if (stop == JSON_MORE || colon == bytes.len)
    return END;
  if (bytes.data[colon] != ':')
    return fail_with(json, error, _("a colon is expected after a member name"));
  choose_member(json, slice_make(bytes.data + 1, scan.at - 2));
  take(json, colon + 1);
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
    take(json, 1);
    json->depth--;
    return OK;
  }
  if (c != ',')
    return fail_with(json, error,
                     object ? _("a comma or a closing brace is expected here")
                            : _("a comma or a closing bracket is expected here"));
  take(json, 1);
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
  return fail(json, error);
}

static enum status at_top(struct json_splitter *json, struct error *error) {
  char c;
  if (peek(json, &c) == END) {
    bool missing = json->stream.final && json->step_count > 0 && !json->found;
    if (missing && json->line == 1 && json->column == 1)
      return fail_with(json, error, _("the document is empty"));
    return missing ? path_missing(json, error) : END;
  }
  json->step = 0;
  json->beside = false;
  json->stage = JSON_VALUE;
  return OK;
}

/* The rest of a broken line, without its line break. */
static enum json_stop scan_line(struct json_scan *scan, struct slice bytes, bool last) {
  const char *from = bytes.data + scan->at;
  const char *newline = memchr(from, '\n', bytes.len - scan->at);
  scan->at = newline != NULL ? (size_t)(newline - bytes.data) : bytes.len;
  return newline != NULL || last ? JSON_NEWLINE : JSON_MORE;
}

/* A line break where the value is not complete: in JSON lines the line is broken. A first object is one of JSON lines
 * where the next line begins with a brace. */
static enum status at_break(struct json_splitter *json, struct slice bytes, bool last, struct error *error) {
  if (!json->lines) {
    size_t after = json->scan.at + 1;
    if (after >= bytes.len && !last)
      return END;
    if (json->maybe && after < bytes.len && bytes.data[after] == '{') {
      json->lines = true;
    } else if (!json->scan.broken && !json->scan.in_string) {
      json->scan.at++; /* a line break between members */
      json->maybe = false;
      return OK;
    } else {
      take(json, json->scan.broken && !json->skipping ? json->wrong : json->scan.at);
      return fail_with(json, error, _("the JSON is broken here: a bracket or a string is not closed"));
    }
  }
  if (json->raw.fault == RECORD_FINE)
    raw_fault(&json->raw, RECORD_BROKEN, _("the line is not one complete JSON value"));
  return OK;
}

static enum status at_mismatch(struct json_splitter *json, enum json_stop stop, struct error *error) {
  if (json->lines || (json->maybe && json->record)) {
    json->scan.broken = true;
    return OK;
  }
  take(json, json->scan.at);
  return fail_with(json, error,
                   stop == JSON_DEEP ? _("the JSON is nested more than 128 levels deep")
                                     : _("the JSON is broken here: this bracket does not close the last one opened"));
}

/* Throws away what was looked at of a value that is not wanted or too large. */
static void drop(struct json_splitter *json, struct slice bytes) {
  if (json->record && !json->skipping) {
    json->kept_len = json->record_limit < RECORD_HEAD ? json->record_limit : RECORD_HEAD;
    memcpy(json->kept, bytes.data, json->kept_len);
    raw_too_large(&json->raw, slice_make(json->kept, json->kept_len), json->record_limit);
  }
  json->skipping = true;
  take(json, json->scan.at);
  json->scan.at = 0;
}

static enum status value_done(struct json_splitter *json, struct raw *raw) {
  struct slice bytes = stream_view(&json->stream);
  size_t len = json->scan.at;
  while (len > 0 && bytes.data[len - 1] == '\r')
    len--;
  *raw = json->raw;
  if (!json->skipping)
    raw->bytes = slice_make(bytes.data, len);
  if (!json->skipping && json->record && len > json->record_limit)
    raw_too_large(raw, raw->bytes, json->record_limit);
  take(json, json->scan.at);
  json->stage = JSON_AFTER;
  /* One object in one line, and more to come: JSON lines. */
  json->lines = json->lines || (json->maybe && json->step_count == 0);
  json->maybe = false;
  return json->record ? OK : END;
}

/* What stopped the scan before the end of the value: OK to go on, or to take it as it is (`*done`). */
static enum status settle(struct json_splitter *json, enum json_stop stop, struct slice bytes, bool last, bool *done,
                          struct error *error) {
  if (stop != JSON_NEWLINE)
    return at_mismatch(json, stop, error);
  enum status status = at_break(json, bytes, last, error);
  *done = status == OK && json->lines && json->raw.fault != RECORD_FINE;
  return status;
}

/* OK with a record, END where a value was passed that is none, or where more bytes are needed (`*more`). */
static enum status at_pass(struct json_splitter *json, struct raw *raw, bool *more, struct error *error) {
  for (;;) {
    struct slice bytes = stream_view(&json->stream);
    bool capped = json->record && !json->skipping && bytes.len > json->record_limit + 2;
    bool last = json->stream.final && !capped;
    if (capped)
      bytes.len = json->record_limit + 2;
    enum json_stop stop = json->scan.broken ? scan_line(&json->scan, bytes, last)
                                            : json_scan_value(&json->scan, bytes, json->by_line || json->maybe, last);
    bool done = stop == JSON_DONE;
    enum status status = stop == JSON_MORE ? END : OK;
    if (!done && stop != JSON_MORE)
      status = settle(json, stop, bytes, last, &done, error);
    if (done)
      return value_done(json, raw);
    if (status == OK)
      continue;
    if (status != END)
      return status;
    if (capped || json->skipping || !json->record)
      drop(json, bytes);
    if (!capped) {
      *more = true;
      return END;
    }
  }
}

static enum status at_end(struct json_splitter *json, struct raw *raw, struct error *error) {
  if (!json->stream.final || json->stage == JSON_TOP || json->stage == JSON_MARK)
    return END;
  if (json->lines && json->stage == JSON_PASS) {
    json->scan.at = stream_view(&json->stream).len;
    if (json->raw.fault == RECORD_FINE)
      raw_fault(&json->raw, RECORD_BROKEN, _("the line is not one complete JSON value"));
    return value_done(json, raw);
  }
  take(json, stream_view(&json->stream).len);
  error_set(error, ERR_INPUT, _("the document ends before it is complete"));
  error_hint(error, _("the answer was cut short: try again, or ask for smaller pages"));
  return fail(json, error);
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
      status = at_pass(json, raw, &more, error);
      if (status == END && more)
        return at_end(json, raw, error);
      if (status != END)
        return status;
      continue;
    }
    status = step_walk(json, error);
    if (status == END)
      return at_end(json, raw, error);
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
