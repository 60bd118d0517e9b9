#include "core/service/outbound_cell.h"

#include "core/base/date.h"

void csv_cell(struct buffer *row, struct slice text) {
  bool quoted = false;
  for (size_t i = 0; i < text.len && !quoted; i++) {
    quoted = strchr(",\"\r\n", text.data[i]) != NULL;
  }
  if (!quoted) {
    buffer_slice(row, text);
    return;
  }
  buffer_char(row, '"');
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] == '"') {
      buffer_char(row, '"');
    }
    buffer_char(row, text.data[i]);
  }
  buffer_char(row, '"');
}

static bool joined_already(const struct buffer *out, size_t start, struct slice text) {
  for (size_t at = start; at < out->len;) {
    const char *end = memchr(out->data + at, ';', out->len - at);
    size_t len = end == NULL ? out->len - at : (size_t)(end - (out->data + at));
    if (len == text.len && memcmp(out->data + at, text.data, len) == 0) {
      return true;
    }
    at += len + 1;
  }
  return false;
}

static void htcds_code(const struct codelists *lists, const struct field *field, struct slice text,
                       struct buffer *out) {
  const struct codelist *list = codelists_find(lists, field->codelist);
  bool translated = list != NULL && codelist_has_system(list, "htcds");
  size_t start = out->len;
  for (size_t at = 0; at < text.len;) {
    const char *end = memchr(text.data + at, ';', text.len - at);
    size_t len = end == NULL ? text.len - at : (size_t)(end - (text.data + at));
    struct slice word = slice_make(text.data + at, len);
    if (translated) {
      const struct code *code = codelist_code(list, word);
      word = code == NULL ? slice_make(NULL, 0) : codelist_text_in(list, "htcds", code);
    }
    if (word.len > 0 && !joined_already(out, start, word)) {
      buffer_text(out, out->len > start ? ";" : "");
      buffer_slice(out, word);
    }
    at += len + 1;
  }
}

void htcds_cell(const struct codelists *lists, const struct field *field, struct slice text, struct buffer *out) {
  struct date date;
  switch (field->type) {
  case FIELD_CODE:
    htcds_code(lists, field, text, out);
    break;
  case FIELD_DATE:
    if (date_parse_iso(text, &date) && date.precision == DATE_DAY) {
      buffer_slice(out, text);
    }
    break;
  case FIELD_BOOLEAN:
    buffer_text(out, text.len == 1 && text.data[0] == '1' ? "true" : "false");
    break;
  case FIELD_TEXT:
  case FIELD_INTEGER:
  case FIELD_DECIMAL:
    buffer_slice(out, text);
    break;
  case FIELD_ENCODING: /* leaves by nothing */
    break;
  }
}
