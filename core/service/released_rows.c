#include "core/base/text.h"
#include "core/service/releasing.h"

#include <string.h>

static size_t count_of(struct slice text, char wanted) {
  size_t count = 0;
  for (size_t i = 0; i < text.len; i++) {
    count += text.data[i] == wanted;
  }
  return count;
}

/* The next field of a line, as release_text_put wrote it; moves past its comma. */
static const char *next_field(const char **at, const char *end, struct arena *arena) {
  char *text = arena_bytes(arena, (size_t)(end - *at) + 1);
  size_t len = 0;
  bool quoted = *at < end && **at == '"';
  if (text == NULL) {
    return NULL;
  }
  for (*at += quoted; *at < end; ++*at) {
    bool quote = **at == '"';
    if (quoted && quote && *at + 1 < end && (*at)[1] == '"') {
      ++*at;
    } else if (quoted && quote) {
      quoted = false;
      continue;
    } else if (!quoted && **at == ',') {
      break;
    }
    text[len++] = **at;
  }
  *at += *at < end;
  text[len] = '\0';
  return text;
}

/* Releases hold no text with a line end: a line is a row. */
static enum status read_line(struct slice line, struct arena *arena, size_t columns, const char **fields,
                             struct error *error) {
  const char *at = line.data, *end = line.data + line.len;
  for (size_t i = 0; i < columns; i++) {
    fields[i] = next_field(&at, end, arena);
    if (fields[i] == NULL) {
      return error_memory(error);
    }
  }
  return OK;
}

enum status released_rows_read(struct slice body, struct arena *arena, struct released_rows *rows,
                               struct error *error) {
  size_t lines = count_of(body, '\n'), row = 0;
  const char *first_end = body.len == 0 ? NULL : memchr(body.data, '\n', body.len);
  *rows = (struct released_rows){.columns = 1};
  if (first_end == NULL) {
    return error_set(error, ERR_STORE, "%s", _("a released table cannot be read"));
  }
  rows->columns += count_of(slice_make(body.data, (size_t)(first_end - body.data)), ',');
  rows->fields = arena_array(arena, lines * rows->columns, sizeof *rows->fields);
  rows->lines = arena_array(arena, lines, sizeof *rows->lines);
  if (rows->fields == NULL || rows->lines == NULL) {
    return error_memory(error);
  }
  for (const char *at = body.data, *end; at < body.data + body.len; at = end + 1, row++) {
    end = memchr(at, '\n', (size_t)(body.data + body.len - at));
    end = end == NULL ? body.data + body.len : end;
    struct slice line = slice_make(at, (size_t)(end - at));
    rows->lines[row] = arena_text(arena, line);
    enum status status = rows->lines[row] == NULL
                             ? error_memory(error)
                             : read_line(line, arena, rows->columns, rows->fields + row * rows->columns, error);
    if (status != OK || row + 1 == lines) {
      rows->head = rows->fields;
      rows->fields += rows->columns;
      rows->lines++;
      rows->count = lines - 1;
      return status;
    }
  }
  return OK;
}

const struct released_table *released_table(const struct released *released, const char *name, struct error *error) {
  const char *names[RELEASED_TABLES_MOST];
  for (size_t i = 0; i < released->count; i++) {
    names[i] = released->tables[i].name;
    if (name == NULL || strcmp(names[i], name) == 0) {
      return &released->tables[i];
    }
  }
  error_set(error, ERR_USAGE, _("release %lld has no table '%s'"), (long long)released->id, name == NULL ? "" : name);
  const char *nearest = name == NULL ? NULL : text_nearest(slice_of(name), names, released->count);
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  } else {
    error_hint(error, "%s", _("`puente release list` shows the tables of each release"));
  }
  return NULL;
}
