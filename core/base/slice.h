/* A borrowed run of bytes: pointer and length, no terminator, owned by somebody else who must outlive it. */
#ifndef PUENTE_BASE_SLICE_H
#define PUENTE_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
  const char *data; /* NULL only when len is 0 */
  size_t len;
};

static inline struct slice slice_of(const char *text) {
  return (struct slice){.data = text, .len = text == NULL ? 0 : strlen(text)};
}
static inline struct slice slice_make(const char *data, size_t len) {
  return (struct slice){.data = data, .len = len};
}
static inline struct slice slice_none(void) {
  return (struct slice){.data = NULL, .len = 0};
}
static inline bool slice_equal(struct slice a, struct slice b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}
static inline bool slice_is(struct slice a, const char *text) {
  return slice_equal(a, slice_of(text));
}
/* Byte order, shorter first on a common prefix; the order of collation C. */
int slice_compare(struct slice a, struct slice b);
struct slice slice_trim(struct slice a); /* ASCII white space, and U+00A0 and U+FEFF */

/* For printf("%.*s"). */
#define SLICE_ARG(s) (int)(s).len, (s).data != NULL ? (s).data : ""

#endif
