#include "core/base/radix.h"

#include <string.h>

enum { BYTES = 8, VALUES = 256 };

void radix_sort(uint64_t *keys, uint64_t *scratch, size_t count) {
  size_t counts[BYTES][VALUES] = {0};
  uint64_t *from = keys;
  uint64_t *to = scratch;
  for (size_t i = 0; i < count; i++) {
    for (int byte = 0; byte < BYTES; byte++) {
      counts[byte][keys[i] >> (8 * byte) & 0xFF]++;
    }
  }
  for (int byte = 0; byte < BYTES && count > 1; byte++) {
    size_t at = 0;
    if (counts[byte][from[0] >> (8 * byte) & 0xFF] == count) {
      continue;
    }
    for (int value = 0; value < VALUES; value++) {
      size_t here = counts[byte][value];
      counts[byte][value] = at;
      at += here;
    }
    for (size_t i = 0; i < count; i++) {
      to[counts[byte][from[i] >> (8 * byte) & 0xFF]++] = from[i];
    }
    uint64_t *swap = from;
    from = to;
    to = swap;
  }
  if (from != keys) {
    memcpy(keys, from, count * sizeof *keys);
  }
}
