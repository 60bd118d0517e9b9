/* Values as both databases give and take them. Calls nothing of the store, so that what needs only these links no
 * driver. */
#include "core/store/internal.h"

#include "core/base/text.h"

#include <stdlib.h>

/* Neither a zero byte nor broken UTF-8 fits PostgreSQL's text; both become U+FFFD in both stores. */
struct slice db_text(struct store *store, struct slice text) {
  if (text.len == 0 || (memchr(text.data, 0, text.len) == NULL && utf8_valid(text)))
    return text;
  char *copy = arena_bytes(store->scratch, text.len * 3 + 1);
  if (copy == NULL)
    return slice_make(NULL, 0);
  size_t used = 0;
  bool valid = utf8_valid(text);
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.data[i];
    if (c != 0 && (valid || c < 0x80)) {
      copy[used++] = text.data[i];
      continue;
    }
    memcpy(copy + used, "\xef\xbf\xbd", 3);
    used += 3;
  }
  return slice_make(copy, used);
}

struct slice slice_of_value(struct value value) {
  bool text = value.kind == VALUE_TEXT || value.kind == VALUE_BYTES;
  return text ? slice_make(value.text, value.len) : slice_make(NULL, 0);
}

int64_t int_of_value(struct value value) {
  int64_t integer = 0;
  if (value.kind == VALUE_INTEGER)
    return value.integer;
  if (value.kind == VALUE_REAL)
    return (int64_t)value.real;
  if (value.kind == VALUE_TEXT && !text_to_int64(slice_make(value.text, value.len), &integer))
    return 0;
  return integer;
}

void digest_of_value(struct value value, uint8_t *bytes, size_t len) {
  memset(bytes, 0, len);
  if (value.kind == VALUE_BYTES && value.len == len)
    memcpy(bytes, value.text, len);
}

double real_of_value(struct value value) {
  char text[64];
  if (value.kind == VALUE_REAL)
    return value.real;
  if (value.kind != VALUE_TEXT || value.len >= sizeof text)
    return (double)int_of_value(value);
  memcpy(text, value.text, value.len);
  text[value.len] = '\0';
  return strtod(text, NULL);
}

const char *text_of_value(struct arena *arena, struct value value) {
  return value.kind == VALUE_NULL ? NULL : arena_text(arena, slice_of_value(value));
}
