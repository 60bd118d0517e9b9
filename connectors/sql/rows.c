#include "connectors/sql/sql.h"
#include "core/base/node.h"

static bool needs_quotes(struct slice text) {
  for (size_t i = 0; i < text.len; i++)
    if (text.data[i] == ',' || text.data[i] == '"' || text.data[i] == '\n' || text.data[i] == '\r')
      return true;
  return text.len == 0;
}

static void write_quoted(struct buffer *out, struct slice text) {
  buffer_char(out, '"');
  for (size_t at = 0; at < text.len;) {
    const char *quote = memchr(text.data + at, '"', text.len - at);
    size_t len = quote == NULL ? text.len - at : (size_t)(quote - text.data) - at + 1;
    buffer_append(out, text.data + at, len);
    if (quote != NULL)
      buffer_char(out, '"');
    at += len;
  }
  buffer_char(out, '"');
}

void sql_write_row(struct buffer *out, const struct slice *values, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (i > 0)
      buffer_char(out, ',');
    if (values[i].data == NULL)
      continue;
    if (needs_quotes(values[i]))
      write_quoted(out, values[i]);
    else
      buffer_append(out, values[i].data, values[i].len);
  }
  buffer_char(out, '\n');
}

void sql_write_cursor(struct buffer *out, const struct sql_range *range, const struct slice *values) {
  buffer_reset(out);
  if (range->watermark < 0 && range->key_count == 0)
    return; /* no order: a pass can only begin anew */
  buffer_char(out, '{');
  if (range->watermark >= 0) {
    buffer_text(out, "\"w\":");
    if (values[range->watermark].data == NULL)
      buffer_text(out, "null");
    else
      buffer_json(out, values[range->watermark]);
    buffer_char(out, ',');
  }
  buffer_text(out, "\"k\":[");
  for (size_t i = 0; i < range->key_count; i++) {
    buffer_text(out, i == 0 ? "" : ",");
    buffer_json(out, values[range->keys[i]]);
  }
  buffer_text(out, "]}");
}

static enum status read_position(struct sql *sql, const struct node *root, struct error *error) {
  struct sql_range *range = &sql->range;
  const struct node *mark = node_at(root, "w"), *keys = node_at(root, "k");
  range->resumes = true;
  if (mark != NULL && mark->kind == NODE_TEXT) {
    range->after = arena_text(sql->arena, mark->text);
    if (range->after == NULL)
      return error_memory(error);
  }
  for (size_t i = 0; i < range->key_count; i++) {
    range->after_keys[i] = arena_text(sql->arena, keys->children[i].text);
    if (range->after_keys[i] == NULL)
      return error_memory(error);
  }
  return OK;
}

enum status sql_read_cursor(struct sql *sql, const char *cursor, struct error *error) {
  struct node *root;
  if (cursor == NULL || *cursor == '\0')
    return OK;
  struct slice text = arena_copy(sql->arena, slice_of(cursor));
  if (text.data == NULL)
    return error_memory(error);
  enum status status = json_read(text, sql->arena, &root, error);
  if (status == ERR_MEMORY)
    return status;
  const struct node *keys = status == OK ? node_at(root, "k") : NULL;
  /* A cursor of a former configuration, with another key: the pass begins anew, which costs time and nothing else. */
  if (keys == NULL || keys->count != sql->range.key_count || (node_at(root, "w") == NULL) != (sql->range.watermark < 0))
    return OK;
  return read_position(sql, root, error);
}
