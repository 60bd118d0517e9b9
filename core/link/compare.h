/* What compare.c and compare_names.c share: a thread's memory of pairs of names that were compared before, and the
 * test that refuses most pairs without looking at their texts. Private to compare*.c. */
#ifndef PUENTE_LINK_COMPARE_H
#define PUENTE_LINK_COMPARE_H

#include "core/link/prepare.h"
#include "core/link/values.h"

enum { CACHE_ENTRIES = 1 << 14 }; /* 256 KiB: stays in a core's second cache */

struct compare_cache {
  const struct prepared *prepared;
  struct compared {
    const struct comparison_values *values;
    uint8_t kind;
    bool one_code; /* COMPARE_CODE of which no value has several */
    uint8_t to_level[LINK_LEVELS_MOST];
  } compared[LINK_COMPARISONS_MOST]; /* what every pair reads, side by side */
  size_t count;
  bool instead; /* some comparison counts only where others are missing */
  struct cached {
    uint32_t a, b;
    uint32_t what; /* comparison, and which of its questions; CACHE_EMPTY */
    uint32_t answer;
  } entries[CACHE_ENTRIES];
};
#define CACHE_EMPTY UINT32_MAX

/* The place of a question about two numbers, whichever comes first; its answer holds where cache_holds. */
static inline struct cached *cache_at(struct compare_cache *cache, uint32_t what, uint32_t *a, uint32_t *b) {
  if (*a > *b) {
    uint32_t kept = *a;
    *a = *b;
    *b = kept;
  }
  uint64_t mixed = (((uint64_t)*a << 32 | *b) + what) * UINT64_C(0x9E3779B97F4A7C15);
  return &cache->entries[mixed >> 50];
}
static inline bool cache_holds(const struct cached *cached, uint32_t what, uint32_t a, uint32_t b) {
  return cached->a == a && cached->b == b && cached->what == what;
}

/* A text that comparing looks at, at most SIMILAR_LENGTH_MOST bytes. */
struct looked {
  const char *text;
  uint64_t signature;
  unsigned length;
};

/* Bits that are set: without an instruction that not every machine has (Warren, Hacker's Delight, 5-1). */
static inline unsigned bits_of(uint64_t word) {
  word -= word >> 1 & UINT64_C(0x5555555555555555);
  word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
  word = (word + (word >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
  return (unsigned)(word * UINT64_C(0x0101010101010101) >> 56);
}

/* Whether two texts may reach the Jaro-Winkler similarity of `bounds` (values.h), whatever they begin with. At most so
 * many letters can match as both have: (|a| + |b| - differing bits of their signatures) / 2; no transposition is
 * assumed. */
static inline bool alike_may_be(const double bounds[5], const struct looked *x, const struct looked *y) {
  unsigned both = x->length + y->length;
  unsigned differing = bits_of(x->signature ^ y->signature);
  unsigned most = x->length < y->length ? x->length : y->length;
  unsigned matches = differing >= both ? 0 : (both - differing) / 2;
  matches = matches < most ? matches : most;
  return matches * both + 1e-6 >= bounds[4] * (x->length * y->length);
}

/* The same with what they begin with. */
static inline bool alike_can_be(const double bounds[5], const struct looked *x, const struct looked *y) {
  unsigned both = x->length + y->length;
  unsigned most = x->length < y->length ? x->length : y->length;
  unsigned differing = bits_of(x->signature ^ y->signature);
  unsigned matches = differing >= both ? 0 : (both - differing) / 2;
  unsigned prefix = 0;
  matches = matches < most ? matches : most;
  while (prefix < 4 && prefix < most && x->text[prefix] == y->text[prefix]) {
    prefix++;
  }
  return matches * both + 1e-6 >= bounds[prefix] * (x->length * y->length);
}

/* Jaro's greedy matching may depend on which text comes first, so content decides it. */
double looked_jaro_winkler(const struct looked *x, const struct looked *y);
bool looked_within(const struct looked *x, const struct looked *y, int edits);

/* What a comparison of names tells of two of its values, which differ. */
unsigned tell_surnames(struct compare_cache *cache, const struct comparison_values *values, uint32_t a, uint32_t b);
unsigned tell_same_surnames(const struct comparison_values *values, uint32_t value);
unsigned tell_given(struct compare_cache *cache, const struct comparison_values *values, const uint32_t *a,
                    const uint32_t *b);
unsigned tell_name(struct compare_cache *cache, const struct comparison_values *values, uint32_t a, uint32_t b);

#endif
