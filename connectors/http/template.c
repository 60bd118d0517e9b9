#include "connectors/http/template.h"
#include "core/base/text.h"

#include <stdio.h>

enum { NAMES_MOST = 64 };

static void write_xml(struct buffer *out, const char *value) {
  for (; *value != '\0'; value++) {
    switch (*value) {
    case '&':
      buffer_text(out, "&amp;");
      break;
    case '<':
      buffer_text(out, "&lt;");
      break;
    case '>':
      buffer_text(out, "&gt;");
      break;
    case '"':
      buffer_text(out, "&quot;");
      break;
    case '\'':
      buffer_text(out, "&apos;");
      break;
    default:
      buffer_char(out, *value);
    }
  }
}

/* The inside of the quoted string that buffer_json makes. */
static void write_json(struct buffer *out, const char *value) {
  size_t start = out->len;
  if (buffer_json(out, slice_of(value)) == OK) {
    memmove(out->data + start, out->data + start + 1, out->len - start - 2);
    out->len -= 2;
    out->data[out->len] = '\0';
  }
}

static void write_value(struct buffer *out, const struct placeholder *placeholder, bool quoted, enum escape escape) {
  if (quoted && placeholder->value == NULL) {
    buffer_text(out, "null");
  } else if (placeholder->value == NULL) {
    return;
  } else if (quoted) {
    buffer_json(out, slice_of(placeholder->value));
  } else if (placeholder->raw || escape == ESCAPE_NONE) {
    buffer_text(out, placeholder->value);
  } else if (escape == ESCAPE_JSON) {
    write_json(out, placeholder->value);
  } else {
    write_xml(out, placeholder->value);
  }
}

static enum status unknown(const char *what, struct slice name, const struct placeholder *placeholders, size_t count,
                           struct error *error) {
  const char *names[NAMES_MOST];
  size_t known = count < NAMES_MOST ? count : NAMES_MOST;
  for (size_t i = 0; i < known; i++) {
    names[i] = placeholders[i].name;
  }
  const char *nearest = text_nearest(name, names, known);
  error_set(error, ERR_CONFIG, _("unknown placeholder {{%.*s}} in %s"), (int)(name.len < 40 ? name.len : 40), name.data,
            what);
  if (nearest != NULL) {
    error_hint(error, _("did you mean {{%s}}?"), nearest);
  } else {
    error_hint(error, "%s",
               _("known are {{since}}, {{until}}, {{cursor}}, {{page}}, {{offset}}, {{page_size}}, "
                 "{{username}}, {{password}}, and the names under `secrets`"));
  }
  return ERR_CONFIG;
}

static const struct placeholder *find(struct slice name, const struct placeholder *placeholders, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (slice_is(name, placeholders[i].name)) {
      return &placeholders[i];
    }
  }
  return NULL;
}

enum status template_render(const char *what, const char *text, const struct placeholder *placeholders, size_t count,
                            enum escape escape, struct buffer *out, struct error *error) {
  for (const char *at = text; *at != '\0';) {
    const char *open = strstr(at, "{{");
    const char *close = open != NULL ? strstr(open, "}}") : NULL;
    if (close == NULL) {
      buffer_text(out, at);
      break;
    }
    buffer_append(out, at, (size_t)(open - at));
    struct slice name = slice_trim(slice_make(open + 2, (size_t)(close - open - 2)));
    bool quoted = escape == ESCAPE_JSON && name.len > 5 && memcmp(name.data, "json:", 5) == 0;
    if (quoted) {
      name = slice_make(name.data + 5, name.len - 5);
    }
    const struct placeholder *placeholder = find(name, placeholders, count);
    if (placeholder == NULL) {
      return unknown(what, name, placeholders, count, error);
    }
    write_value(out, placeholder, quoted, escape);
    at = close + 2;
  }
  return buffer_check(out, what, error);
}

bool template_has(const char *text, const char *name) {
  for (const char *open = strstr(text, "{{"); open != NULL; open = strstr(open + 2, "{{")) {
    const char *close = strstr(open, "}}");
    if (close == NULL) {
      return false;
    }
    struct slice found = slice_trim(slice_make(open + 2, (size_t)(close - open - 2)));
    if (found.len > 5 && memcmp(found.data, "json:", 5) == 0) {
      found = slice_make(found.data + 5, found.len - 5);
    }
    if (slice_is(found, name)) {
      return true;
    }
  }
  return false;
}
