#include "mapping/format/json.h"

/* Classes of bytes outside strings; 0: nothing to do. */
enum { OPENS = 1, CLOSES, QUOTES, BREAKS };
static const unsigned char outside[256] = {
    ['{'] = OPENS, ['['] = OPENS, ['}'] = CLOSES, [']'] = CLOSES, ['"'] = QUOTES, ['\n'] = BREAKS,
};
/* Bytes that a string does not simply pass over. */
static const unsigned char inside[256] = {['"'] = 1, ['\\'] = 1, ['\n'] = 1};

/* The end of a string whose quote was passed. JSON_DONE: behind the closing quote. */
static enum json_stop scan_string(struct json_scan *scan, struct slice bytes, bool last) {
  const unsigned char *data = (const unsigned char *)bytes.data;
  size_t at = scan->at;
  for (;;) {
    while (at < bytes.len && inside[data[at]] == 0)
      at++;
    scan->at = at;
    if (at == bytes.len)
      return JSON_MORE;
    if (data[at] == '"') {
      scan->in_string = false;
      scan->at = at + 1;
      return JSON_DONE;
    }
    if (data[at] == '\n')
      return JSON_NEWLINE;
    if (at + 1 == bytes.len && !last)
      return JSON_MORE;
    at += at + 1 < bytes.len && data[at + 1] != '\n' ? 2 : 1;
  }
}

static bool is_object(const struct json_scan *scan) {
  return (scan->objects[scan->depth / 64] >> (scan->depth % 64) & 1) != 0;
}

static enum json_stop open_container(struct json_scan *scan, char bracket) {
  if (scan->depth + 1 >= FORMAT_DEPTH)
    return JSON_DEEP;
  scan->depth++;
  uint64_t bit = 1ULL << (scan->depth % 64);
  if (bracket == '{')
    scan->objects[scan->depth / 64] |= bit;
  else
    scan->objects[scan->depth / 64] &= ~bit;
  scan->at++;
  return JSON_DONE;
}

/* true, false, null or a number: up to what may follow a value. */
static enum json_stop scan_scalar(struct json_scan *scan, struct slice bytes, bool last) {
  while (scan->at < bytes.len && (bytes.data[scan->at] == '\0' || strchr(",]} \t\r\n", bytes.data[scan->at]) == NULL))
    scan->at++;
  return scan->at < bytes.len || last ? JSON_DONE : JSON_MORE;
}

static enum json_stop start(struct json_scan *scan, struct slice bytes) {
  scan->started = true;
  switch (bytes.data[0]) {
  case '{':
  case '[':
    return open_container(scan, bytes.data[0]);
  case '"':
    scan->in_string = true;
    scan->at = 1;
    return JSON_DONE;
  default:
    scan->scalar = true;
    return JSON_DONE;
  }
}

/* One byte outside strings that means something. */
static enum json_stop at_mark(struct json_scan *scan, char c, bool lines) {
  switch (outside[(unsigned char)c]) {
  case OPENS:
    return open_container(scan, c);
  case BREAKS:
    if (lines)
      return JSON_NEWLINE;
    break;
  case CLOSES:
    if (is_object(scan) != (c == '}'))
      return JSON_MISMATCH;
    scan->depth--;
    break;
  default:
    scan->in_string = true;
  }
  scan->at++;
  return JSON_DONE;
}

enum json_stop json_scan_value(struct json_scan *scan, struct slice bytes, bool lines, bool last) {
  if (bytes.len == 0)
    return JSON_MORE;
  enum json_stop stop = scan->started ? JSON_DONE : start(scan, bytes);
  if (stop == JSON_DONE && scan->scalar)
    return scan_scalar(scan, bytes, last);
  while (stop == JSON_DONE && (scan->depth > 0 || scan->in_string)) {
    if (scan->in_string) {
      stop = scan_string(scan, bytes, last);
      continue;
    }
    while (scan->at < bytes.len && outside[(unsigned char)bytes.data[scan->at]] == 0)
      scan->at++;
    if (scan->at == bytes.len)
      return JSON_MORE;
    stop = at_mark(scan, bytes.data[scan->at], lines);
  }
  return stop;
}
