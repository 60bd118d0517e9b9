/* Passes over one value of the walk, and yields it where it is a record: broken lines, limits, the end of the text. */
#include "mapping/format/json.h"

#include <inttypes.h>

/* Takes `len` bytes, keeping count of the place. */
void json_take(struct json_splitter *json, size_t len) {
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

enum status json_fail(struct json_splitter *json, struct error *error) {
  error_place(error, _("line %" PRIu64 ", column %" PRIu64), json->line, json->column);
  json->failure = *error;
  json->stage = JSON_FAILED;
  return error->code;
}

enum status json_fail_with(struct json_splitter *json, struct error *error, const char *message) {
  error_set(error, ERR_INPUT, "%s", message);
  return json_fail(json, error);
}

void json_pass_begin(struct json_splitter *json, bool record) {
  json->scan = (struct json_scan){0};
  json->record = record;
  json->skipping = false;
  json->raw = (struct raw){.line = json->line};
  json->by_line = json->lines && json->depth == 0;
  json->maybe = record && json->depth == 0 && !json->lines;
  json->stage = JSON_PASS;
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
      json_take(json, json->scan.broken && !json->skipping ? json->wrong : json->scan.at);
      return json_fail_with(json, error, _("the JSON is broken here: a bracket or a string is not closed"));
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
  json_take(json, json->scan.at);
  return json_fail_with(json, error,
                        stop == JSON_DEEP
                            ? _("the JSON is nested more than 128 levels deep")
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
  json_take(json, json->scan.at);
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
  json_take(json, json->scan.at);
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

/* The bytes to look at: of a record no more than decides whether it is too large. */
static struct slice window(const struct json_splitter *json, bool *capped) {
  struct slice bytes = stream_view(&json->stream);
  *capped = json->record && !json->skipping && bytes.len > json->record_limit + 2;
  if (*capped)
    bytes.len = json->record_limit + 2;
  return bytes;
}

static enum json_stop look(struct json_splitter *json, struct slice bytes, bool last) {
  return json->scan.broken ? scan_line(&json->scan, bytes, last)
                           : json_scan_value(&json->scan, bytes, json->by_line || json->maybe, last);
}

enum status json_pass(struct json_splitter *json, struct raw *raw, bool *more, struct error *error) {
  for (;;) {
    bool capped;
    struct slice bytes = window(json, &capped);
    bool last = json->stream.final && !capped;
    enum json_stop stop = look(json, bytes, last);
    bool done = stop == JSON_DONE;
    enum status status = stop == JSON_MORE ? END : OK;
    if (stop != JSON_DONE && stop != JSON_MORE)
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

enum status json_at_end(struct json_splitter *json, struct raw *raw, struct error *error) {
  if (!json->stream.final || json->stage == JSON_TOP || json->stage == JSON_MARK)
    return END;
  if (json->lines && json->stage == JSON_PASS) {
    json->scan.at = stream_view(&json->stream).len;
    if (json->raw.fault == RECORD_FINE)
      raw_fault(&json->raw, RECORD_BROKEN, _("the line is not one complete JSON value"));
    return value_done(json, raw);
  }
  json_take(json, stream_view(&json->stream).len);
  error_set(error, ERR_INPUT, _("the document ends before it is complete"));
  error_hint(error, _("the answer was cut short: try again, or ask for smaller pages"));
  return json_fail(json, error);
}
