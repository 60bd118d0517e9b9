/* Similarity of short texts. Bytes are compared: the caller has folded them (standard.h). No function allocates. Each
 * is tested against values that its source published. Private to core/link. */
#ifndef PUENTE_LINK_SIMILAR_H
#define PUENTE_LINK_SIMILAR_H

#include "core/base/slice.h"

#include <stdint.h>

enum { SIMILAR_LENGTH_MOST = 64 }; /* longer texts are compared by their first 64 bytes */

/* Jaro 1989, "Advances in Record-Linkage Methodology", JASA 84: 0..1; two empty texts are 1. */
double similar_jaro(struct slice a, struct slice b);
/* Winkler 1990, prefix weight 0.1, prefix of at most 4, applied at any Jaro score. */
double similar_jaro_winkler(struct slice a, struct slice b);
/* Damerau 1964, restricted (optimal string alignment); more than `most` is given as most + 1. Bit-parallel (Hyyrö
 * 2003). */
int similar_damerau_levenshtein(struct slice a, struct slice b, int most);
/* Jaccard 1912, on sets of numbers in ascending order, each once; two empty sets are 0. */
double similar_jaccard(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count);
/* Which letters a text has, once and twice, and which digits: an edit changes at most 2 bits, so that texts further
 * apart than 2·k bits are more than k edits apart. */
uint64_t similar_signature(struct slice text);
/* For refusing most pairs in a few instructions before their texts are looked at. */
static inline bool similar_may_be_within(uint64_t a, uint64_t b, int edits) {
  return __builtin_popcountll(a ^ b) <= 2 * edits;
}

#endif
