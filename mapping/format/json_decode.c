/* A landed JSON value read again, and the value without some of its parts. */
#include "mapping/format/json.h"

#include <stdlib.h>

struct json_decoder {
  enum encoding encoding;
};

bool path_step(struct slice *path, struct slice *step) {
  while (path->len > 0 && *path->data == '/')
    *path = slice_make(path->data + 1, path->len - 1);
  if (path->len == 0)
    return false;
  const char *slash = memchr(path->data, '/', path->len);
  size_t len = slash == NULL ? path->len : (size_t)(slash - path->data);
  *step = slice_make(path->data, len);
  *path = slice_make(path->data + len, path->len - len);
  return true;
}

static enum status read_context(struct json_decoder *json, struct slice context, struct error *error) {
  struct arena *arena = arena_new(0);
  struct node *root = NULL;
  if (arena == NULL)
    return error_memory(error);
  enum status status = json_read(context, arena, &root, error);
  if (status == OK) {
    const struct node *encoding = node_at(root, "encoding");
    if (encoding != NULL && !encoding_parse(encoding->text, &json->encoding))
      status = ERR_INPUT;
  }
  arena_free(arena);
  return status == ERR_INPUT ? error_set(error, ERR_INPUT, _("the record's decoding context is damaged")) : status;
}

enum status json_decoder_new(struct slice context, struct decoder **decoder, struct error *error) {
  struct json_decoder *json = calloc(1, sizeof *json);
  if (json == NULL)
    return error_memory(error);
  json->encoding = ENCODING_UTF8;
  enum status status = context.len == 0 ? OK : read_context(json, context, error);
  if (status != OK) {
    free(json);
    return status;
  }
  *decoder = (struct decoder *)json;
  return OK;
}

void json_decoder_free(struct decoder *decoder) {
  free(decoder);
}

static enum status as_utf8(const struct decoder *decoder, struct slice bytes, struct arena *arena, struct slice *text,
                           struct error *error) {
  const struct json_decoder *json = (const struct json_decoder *)decoder;
  *text = bytes;
  if (json->encoding == ENCODING_UTF8 || bytes.len == 0)
    return OK;
  *text = text_to_utf8(arena, bytes, json->encoding);
  return text->data == NULL ? error_memory(error) : OK;
}

enum status json_parse(const struct decoder *decoder, struct slice bytes, struct arena *arena, struct node **root,
                       struct error *error) {
  struct slice text;
  enum status status = as_utf8(decoder, bytes, arena, &text, error);
  return status == OK ? json_read(text, arena, root, error) : status;
}

/* The bytes to replace, in order; values inside one another are counted once. */
struct span {
  uint32_t begin, end;
};
struct spans {
  struct span *items;
  size_t count, capacity;
  struct arena *arena;
};

static enum status add_span(struct spans *spans, const struct node *node, struct error *error) {
  if (spans->count == spans->capacity) {
    size_t capacity = spans->capacity == 0 ? 16 : spans->capacity * 2;
    struct span *items = arena_array(spans->arena, capacity, sizeof *items);
    if (items == NULL)
      return error_memory(error);
    if (spans->count > 0)
      memcpy(items, spans->items, spans->count * sizeof *items);
    spans->items = items;
    spans->capacity = capacity;
  }
  spans->items[spans->count++] = (struct span){node->begin, node->end};
  return OK;
}

/* Collects the values at a path; a list is no level of its own. */
static enum status find_spans(const struct node *node, struct slice path, struct spans *spans, struct error *error) {
  struct slice rest = path, step;
  bool more = path_step(&rest, &step);
  enum status status = OK;
  if (!more)
    return node->kind == NODE_NULL ? OK : add_span(spans, node, error);
  for (uint32_t i = 0; i < node->count && status == OK; i++) {
    const struct node *child = &node->children[i];
    if (node->kind == NODE_LIST)
      status = find_spans(child, path, spans, error);
    else if (slice_equal(child->name, step))
      status = find_spans(child, rest, spans, error);
  }
  return status;
}

static int compare_spans(const void *a, const void *b) {
  const struct span *left = a, *right = b;
  if (left->begin != right->begin)
    return left->begin < right->begin ? -1 : 1;
  return left->end > right->end ? -1 : left->end < right->end;
}

/* The raw offset of an offset in the UTF-8 text: in a single-byte encoding each character is one byte. */
static size_t raw_offset(const struct decoder *decoder, struct slice text, size_t offset) {
  const struct json_decoder *json = (const struct json_decoder *)decoder;
  if (json->encoding == ENCODING_UTF8)
    return offset;
  size_t characters = 0;
  for (size_t i = 0; i < offset; i++)
    characters += ((unsigned char)text.data[i] & 0xc0) != 0x80;
  return characters;
}

enum status json_cut(const struct decoder *decoder, struct slice bytes, const char *const *paths, size_t count,
                     struct arena *arena, struct buffer *out, size_t *cut, struct error *error) {
  struct spans spans = {.arena = arena};
  struct slice text;
  struct node *root = NULL;
  enum status status = as_utf8(decoder, bytes, arena, &text, error);
  if (status == OK)
    status = json_read(text, arena, &root, error);
  for (size_t i = 0; status == OK && i < count; i++)
    status = find_spans(root, slice_of(paths[i]), &spans, error);
  if (status != OK)
    return status;
  if (spans.count > 0)
    qsort(spans.items, spans.count, sizeof *spans.items, compare_spans);
  size_t done = 0;
  *cut = 0;
  for (size_t i = 0; i < spans.count; i++) {
    size_t begin = raw_offset(decoder, text, spans.items[i].begin), end = raw_offset(decoder, text, spans.items[i].end);
    if (begin < done)
      continue;
    buffer_append(out, bytes.data + done, begin - done);
    buffer_text(out, "null");
    done = end;
    ++*cut;
  }
  buffer_append(out, bytes.data + done, bytes.len - done);
  return buffer_check(out, _("record"), error);
}
