#include "core/base/slice.h"

int slice_compare(struct slice a, struct slice b) {
  size_t common = a.len < b.len ? a.len : b.len;
  int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
  if (order != 0) {
    return order;
  }
  return (a.len > b.len) - (a.len < b.len);
}

static bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Bytes of white space at the start of `a`: ASCII, U+00A0 (C2 A0), U+FEFF (EF BB BF); 0 if none. */
static size_t space_at_start(struct slice a) {
  if (a.len >= 1 && is_space(a.data[0])) {
    return 1;
  }
  if (a.len >= 2 && memcmp(a.data, "\xC2\xA0", 2) == 0) {
    return 2;
  }
  return a.len >= 3 && memcmp(a.data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

static size_t space_at_end(struct slice a) {
  if (a.len >= 1 && is_space(a.data[a.len - 1])) {
    return 1;
  }
  if (a.len >= 2 && memcmp(a.data + a.len - 2, "\xC2\xA0", 2) == 0) {
    return 2;
  }
  return a.len >= 3 && memcmp(a.data + a.len - 3, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

struct slice slice_trim(struct slice a) {
  for (size_t count; (count = space_at_start(a)) > 0;) {
    a.data += count;
    a.len -= count;
  }
  for (size_t count; (count = space_at_end(a)) > 0;) {
    a.len -= count;
  }
  return a;
}
