#include "core/link/similar.h"

enum { PREFIX_MOST = 4, SECOND_LETTERS = 26, DIGITS = 52, OTHERS = 62 };
static const double prefix_weight = 0.1;

static struct slice cut(struct slice text) {
  text.len = text.len > SIMILAR_LENGTH_MOST ? SIMILAR_LENGTH_MOST : text.len;
  return text;
}

static unsigned char byte_at(struct slice text, size_t at) {
  return (unsigned char)text.data[at];
}

/* Where each byte stands in `pattern`, a bit a position. Only the bytes that either text has are set: to clear 2 KiB
 * would cost more than the comparison. */
static void positions_make(uint64_t positions[256], struct slice pattern, struct slice text) {
  for (size_t i = 0; i < text.len; i++) {
    positions[byte_at(text, i)] = 0;
  }
  for (size_t i = 0; i < pattern.len; i++) {
    positions[byte_at(pattern, i)] = 0;
  }
  for (size_t i = 0; i < pattern.len; i++) {
    positions[byte_at(pattern, i)] |= UINT64_C(1) << i;
  }
}

/* Bits from..to (exclusive, to > from) of 64. */
static uint64_t window(size_t from, size_t to) {
  return (~UINT64_C(0) >> (64 - (to - from))) << from;
}

/* Of the letters assigned to one another, in order, how many differ. */
static size_t out_of_order(struct slice a, uint64_t taken_a, struct slice b, uint64_t taken_b) {
  size_t count = 0;
  for (; taken_a != 0; taken_a &= taken_a - 1, taken_b &= taken_b - 1) {
    count += a.data[__builtin_ctzll(taken_a)] != b.data[__builtin_ctzll(taken_b)];
  }
  return count;
}

double similar_jaro(struct slice a, struct slice b) {
  uint64_t positions[256];
  uint64_t taken_a = 0;
  uint64_t taken_b = 0;
  a = cut(a);
  b = cut(b);
  if (a.len == 0 || b.len == 0) {
    return a.len == b.len ? 1.0 : 0.0;
  }
  size_t longer = a.len > b.len ? a.len : b.len;
  size_t range = longer < 4 ? 0 : longer / 2 - 1;
  positions_make(positions, b, a);
  for (size_t i = 0; i < a.len; i++) {
    size_t from = i > range ? i - range : 0;
    size_t to = i + range + 1 < b.len ? i + range + 1 : b.len;
    if (from >= to) {
      break;
    }
    uint64_t found = positions[byte_at(a, i)] & window(from, to) & ~taken_b;
    taken_b |= found & (~found + 1);
    taken_a |= (uint64_t)(found != 0) << i;
  }
  if (taken_a == 0) {
    return 0.0;
  }
  double common = __builtin_popcountll(taken_a);
  size_t transpositions = out_of_order(a, taken_a, b, taken_b) / 2; /* whole ones, as in Winkler's strcmp95.c */
  double transposed = (double)transpositions;
  return (common / (double)a.len + common / (double)b.len + (common - transposed) / common) / 3.0;
}

double similar_jaro_winkler(struct slice a, struct slice b) {
  double jaro = similar_jaro(a, b);
  size_t prefix = 0;
  while (prefix < PREFIX_MOST && prefix < a.len && prefix < b.len && a.data[prefix] == b.data[prefix]) {
    prefix++;
  }
  return jaro + (double)prefix * prefix_weight * (1.0 - jaro);
}

/* What both begin and end with alike costs no edit. */
static void strip_common(struct slice *a, struct slice *b) {
  while (a->len > 0 && b->len > 0 && a->data[0] == b->data[0]) {
    *a = slice_make(a->data + 1, a->len - 1);
    *b = slice_make(b->data + 1, b->len - 1);
  }
  while (a->len > 0 && b->len > 0 && a->data[a->len - 1] == b->data[b->len - 1]) {
    a->len--;
    b->len--;
  }
}

/* Hyyrö, "A Bit-Vector Algorithm for Computing Levenshtein and Damerau Edit Distances", Nordic Journal of Computing 10
 * (2003): a column of the matrix as vertical differences of +1 and -1, a bit a row. Both have bytes. */
static int distance(struct slice a, struct slice b, int most) {
  uint64_t positions[256];
  uint64_t plus = ~UINT64_C(0);
  uint64_t minus = 0;
  uint64_t diagonal = 0;
  uint64_t matches_before = 0;
  uint64_t last_row = UINT64_C(1) << (a.len - 1);
  int score = (int)a.len;
  positions_make(positions, a, b);
  for (size_t j = 0; j < b.len; j++) {
    uint64_t matches = positions[byte_at(b, j)];
    uint64_t swapped = ((~diagonal & matches) << 1) & matches_before;
    diagonal = (((matches & plus) + plus) ^ plus) | matches | minus | swapped;
    uint64_t across_plus = minus | ~(diagonal | plus);
    uint64_t across_minus = diagonal & plus;
    score += (across_plus & last_row) != 0;
    score -= (across_minus & last_row) != 0;
    if (score - (int)(b.len - 1 - j) > most) {
      return most + 1; /* each further column takes away one at most */
    }
    across_plus = across_plus << 1 | 1;
    plus = across_minus << 1 | ~(diagonal | across_plus);
    minus = across_plus & diagonal;
    matches_before = matches;
  }
  return score;
}

int similar_damerau_levenshtein(struct slice a, struct slice b, int most) {
  a = cut(a);
  b = cut(b);
  int longer = (int)(a.len > b.len ? a.len - b.len : b.len - a.len);
  if (longer > most) {
    return most + 1;
  }
  strip_common(&a, &b);
  if (a.len == 0 || b.len == 0) {
    return longer;
  }
  return most == 0 ? 1 : distance(a, b, most);
}

double similar_jaccard(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count) {
  size_t shared = 0;
  size_t i = 0;
  size_t j = 0;
  while (i < a_count && j < b_count) {
    uint32_t left = a[i];
    uint32_t right = b[j];
    shared += left == right;
    i += left <= right;
    j += right <= left;
  }
  size_t all = a_count + b_count - shared;
  return all == 0 ? 0.0 : (double)shared / (double)all;
}

uint64_t similar_signature(struct slice text) {
  uint64_t signature = 0;
  text = cut(text);
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = byte_at(text, i);
    if (c >= 'A' && c <= 'Z') {
      uint64_t once = UINT64_C(1) << (c - 'A');
      signature |= (signature & once) << SECOND_LETTERS | once;
    } else if (c >= '0' && c <= '9') {
      signature |= UINT64_C(1) << (DIGITS + c - '0');
    } else {
      signature |= UINT64_C(1) << (OTHERS + (c & 1));
    }
  }
  return signature;
}
