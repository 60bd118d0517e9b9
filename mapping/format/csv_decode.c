/* A landed line of delimited text read again: its context, its fields as a tree, and the line without some of them. */
#include "mapping/format/csv.h"

#include <stdlib.h>

struct csv_decoder {
  struct csv_dialect dialect;
  struct csv_words words;
  struct arena *arena;
  struct slice *names;
  size_t count;
};

static inline const struct csv_decoder *csv_of(const struct decoder *decoder) {
  return (const struct csv_decoder *)decoder;
}

enum status csv_context_write(const struct csv_dialect *dialect, const struct slice *columns, size_t count,
                              struct buffer *context, struct error *error) {
  buffer_reset(context);
  buffer_text(context, "{\"columns\":[");
  for (size_t i = 0; i < count; i++) {
    buffer_text(context, i == 0 ? "" : ",");
    buffer_json(context, columns[i]);
  }
  buffer_text(context, "],\"delimiter\":");
  buffer_json(context, slice_make(&dialect->delimiter, 1));
  buffer_text(context, ",\"quote\":");
  buffer_json(context, slice_make(&dialect->quote, 1));
  buffer_text(context, ",\"encoding\":");
  buffer_json(context, slice_of(encoding_name(dialect->encoding)));
  buffer_text(context, dialect->nulls ? ",\"nulls\":true}" : "}");
  return buffer_check(context, _("header"), error);
}

static enum status bad_context(struct error *error) {
  return error_set(error, ERR_INPUT, _("the record's decoding context is damaged"));
}

static enum status read_dialect(struct csv_decoder *csv, const struct node *root, struct error *error) {
  const struct node *delimiter = node_at(root, "delimiter"), *quote = node_at(root, "quote");
  const struct node *encoding = node_at(root, "encoding"), *nulls = node_at(root, "nulls");
  if (delimiter == NULL || delimiter->text.len != 1 || quote == NULL || quote->text.len != 1 || encoding == NULL
      || !encoding_parse(encoding->text, &csv->dialect.encoding))
    return bad_context(error);
  csv->dialect.delimiter = *delimiter->text.data;
  csv->dialect.quote = *quote->text.data;
  csv->dialect.nulls = nulls != NULL && nulls->kind == NODE_TRUE;
  csv->words = csv_words_of(&csv->dialect);
  return OK;
}

static enum status read_context(struct csv_decoder *csv, struct slice context, struct error *error) {
  struct slice copy = arena_copy(csv->arena, context); /* names borrow from it */
  struct node *root;
  if (copy.data == NULL)
    return error_memory(error);
  if (json_read(copy, csv->arena, &root, error) != OK)
    return error->code == ERR_MEMORY ? ERR_MEMORY : bad_context(error);
  const struct node *columns = node_at(root, "columns");
  if (columns == NULL || columns->kind != NODE_LIST || columns->count == 0)
    return bad_context(error);
  csv->count = columns->count;
  csv->names = arena_array(csv->arena, csv->count, sizeof *csv->names);
  if (csv->names == NULL)
    return error_memory(error);
  for (size_t i = 0; i < csv->count; i++)
    csv->names[i] = columns->children[i].text;
  return read_dialect(csv, root, error);
}

enum status csv_decoder_new(struct slice context, struct decoder **decoder, struct error *error) {
  struct csv_decoder *csv = calloc(1, sizeof *csv);
  if (csv == NULL)
    return error_memory(error);
  csv->arena = arena_new(0);
  enum status status = csv->arena == NULL ? error_memory(error) : read_context(csv, context, error);
  if (status != OK) {
    csv_decoder_free((struct decoder *)csv);
    return status;
  }
  *decoder = (struct decoder *)csv;
  return OK;
}

void csv_decoder_free(struct decoder *decoder) {
  if (decoder == NULL)
    return;
  struct csv_decoder *csv = (struct csv_decoder *)decoder;
  arena_free(csv->arena);
  free(csv);
}

/* The end of a quoted field that opens at `at`, past its closing quote; 0 where it does not close. */
static size_t quoted_field(const struct csv_dialect *dialect, struct slice bytes, size_t at, struct csv_field *field) {
  *field = (struct csv_field){.begin = (uint32_t)at + 1, .quoted = true};
  for (at++; at < bytes.len; at += 2) {
    while (at < bytes.len && bytes.data[at] != dialect->quote)
      at++;
    if (at == bytes.len)
      return 0;
    if (at + 1 == bytes.len || bytes.data[at + 1] != dialect->quote) {
      field->end = (uint32_t)at;
      return at + 1;
    }
    field->doubled = true;
  }
  return 0;
}

bool csv_fields(const struct csv_dialect *dialect, struct slice bytes, struct csv_field *fields, size_t most,
                size_t *count) {
  size_t at = 0, n = 0;
  for (;;) {
    struct csv_field field = {.begin = (uint32_t)at};
    if (at < bytes.len && bytes.data[at] == dialect->quote) {
      at = quoted_field(dialect, bytes, at, &field);
      if (at == 0 || (at < bytes.len && bytes.data[at] != dialect->delimiter))
        return false;
    } else {
      const char *delimiter = at < bytes.len ? memchr(bytes.data + at, dialect->delimiter, bytes.len - at) : NULL;
      at = delimiter == NULL ? bytes.len : (size_t)(delimiter - bytes.data);
      field.end = (uint32_t)at;
    }
    if (n < most)
      fields[n] = field;
    n++;
    if (at == bytes.len)
      break;
    at++;
  }
  *count = n;
  return true;
}

static inline void put_field(const struct csv_decoder *csv, struct slice bytes, struct node *root, size_t at,
                             size_t begin, size_t end) {
  struct node *node = &root->children[at];
  node->name = csv->names[at];
  node->text = slice_make(bytes.data + begin, end - begin);
  node->parent = root;
  node->begin = (uint32_t)begin;
  node->end = (uint32_t)end;
  node->kind = csv->dialect.nulls && begin == end ? NODE_NULL : NODE_TEXT;
}

/* A line without quotes: eight bytes at a time. Returns the number of fields, which may pass the number of columns. */
static size_t parse_plain(const struct csv_decoder *csv, struct slice bytes, struct node *root) {
  size_t count = 0, begin = 0, at = 0;
  for (; at + 8 <= bytes.len; at += 8) {
    uint64_t delimiters = csv_zero_bytes(csv_load(bytes.data + at) ^ csv->words.delimiter);
    for (; delimiters != 0; delimiters &= delimiters - 1) {
      size_t end = at + (size_t)(__builtin_ctzll(delimiters) >> 3);
      if (count < csv->count)
        put_field(csv, bytes, root, count, begin, end);
      count++;
      begin = end + 1;
    }
  }
  for (; at < bytes.len; at++) {
    if (bytes.data[at] != csv->dialect.delimiter)
      continue;
    if (count < csv->count)
      put_field(csv, bytes, root, count, begin, at);
    count++;
    begin = at + 1;
  }
  if (count < csv->count)
    put_field(csv, bytes, root, count, begin, bytes.len);
  return count + 1;
}

/* Doubled quotes made single, in the arena; data is NULL when out of memory. */
static struct slice undouble(struct slice text, char quote, struct arena *arena) {
  char *plain = arena_bytes(arena, text.len);
  size_t len = 0;
  for (size_t i = 0; plain != NULL && i < text.len; i++) {
    plain[len++] = text.data[i];
    if (text.data[i] == quote)
      i++;
  }
  return slice_make(plain, plain == NULL ? 0 : len);
}

static enum status parse_quoted(const struct csv_decoder *csv, struct slice bytes, struct node *root,
                                struct arena *arena, size_t *count, struct error *error) {
  struct csv_field *fields = arena_array(arena, csv->count, sizeof *fields);
  if (fields == NULL)
    return error_memory(error);
  if (!csv_fields(&csv->dialect, bytes, fields, csv->count, count))
    return error_set(error, ERR_INPUT, _("a quote is not closed, or text follows a closing quote"));
  for (size_t i = 0; i < csv->count && i < *count; i++) {
    put_field(csv, bytes, root, i, fields[i].begin, fields[i].end);
    struct node *node = &root->children[i];
    if (fields[i].quoted)
      node->kind = NODE_TEXT;
    if (fields[i].doubled)
      node->text = undouble(node->text, csv->dialect.quote, arena);
    if (node->text.data == NULL)
      return error_memory(error);
  }
  return OK;
}

static bool is_ascii(struct slice bytes) {
  uint64_t high = 0;
  size_t at = 0;
  for (; at + 8 <= bytes.len; at += 8)
    high |= csv_load(bytes.data + at);
  for (; at < bytes.len; at++)
    high |= (unsigned char)bytes.data[at];
  return (high & CSV_EVERY_BYTE * 0x80) == 0;
}

static enum status decode_text(const struct csv_decoder *csv, struct slice bytes, struct node *root,
                               struct arena *arena, struct error *error) {
  if (is_ascii(bytes))
    return OK;
  if (csv->dialect.encoding == ENCODING_UTF8)
    return utf8_valid(bytes) ? OK : error_set(error, ERR_INPUT, _("not valid UTF-8 (is the file windows-1252?)"));
  for (size_t i = 0; i < csv->count; i++) {
    struct slice *text = &root->children[i].text;
    if (is_ascii(*text))
      continue;
    *text = text_to_utf8(arena, *text, csv->dialect.encoding);
    if (text->data == NULL)
      return error_memory(error);
  }
  return OK;
}

enum status csv_parse(const struct decoder *decoder, struct slice bytes, struct arena *arena, struct node **root,
                      struct error *error) {
  const struct csv_decoder *csv = csv_of(decoder);
  if (bytes.data == NULL)
    bytes.data = "";
  struct node *nodes = arena_array(arena, csv->count + 1, sizeof *nodes);
  if (nodes == NULL)
    return error_memory(error);
  *nodes = (struct node){
      .children = nodes + 1, .count = (uint32_t)csv->count, .kind = NODE_OBJECT, .end = (uint32_t)bytes.len};
  size_t count = 0;
  enum status status = OK;
  if (memchr(bytes.data, csv->dialect.quote, bytes.len) == NULL)
    count = parse_plain(csv, bytes, nodes);
  else
    status = parse_quoted(csv, bytes, nodes, arena, &count, error);
  if (status != OK)
    return status;
  if (count != csv->count)
    return error_set(error, ERR_INPUT, _("%zu fields instead of %zu"), count, csv->count);
  *root = nodes;
  return decode_text(csv, bytes, nodes, arena, error);
}

static bool is_cut(struct slice name, const char *const *paths, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (slice_is(name, paths[i]))
      return true;
  return false;
}

/* A cut field becomes an empty one: NULL in row, blank in csv. */
enum status csv_cut(const struct decoder *decoder, struct slice bytes, const char *const *paths, size_t count,
                    struct arena *arena, struct buffer *out, size_t *cut, struct error *error) {
  const struct csv_decoder *csv = csv_of(decoder);
  struct csv_field *fields = arena_array(arena, csv->count, sizeof *fields);
  size_t found = 0;
  if (fields == NULL)
    return error_memory(error);
  if (!csv_fields(&csv->dialect, bytes, fields, csv->count, &found))
    return error_set(error, ERR_INPUT, _("a quote is not closed, or text follows a closing quote"));
  if (found != csv->count)
    return error_set(error, ERR_INPUT, _("%zu fields instead of %zu"), found, csv->count);
  *cut = 0;
  for (size_t i = 0; i < csv->count; i++) {
    size_t begin = fields[i].begin - (fields[i].quoted ? 1 : 0), end = fields[i].end + (fields[i].quoted ? 1 : 0);
    if (i > 0)
      buffer_char(out, csv->dialect.delimiter);
    if (!is_cut(csv->names[i], paths, count))
      buffer_append(out, bytes.data + begin, end - begin);
    else if (fields[i].end > fields[i].begin)
      ++*cut;
  }
  return buffer_check(out, _("record"), error);
}
