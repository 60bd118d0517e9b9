/* Similarity of short texts. Bytes are compared: the caller has folded them (standard.h). Each function is tested
 * against values that its source published. Private to core/link. */
#ifndef PUENTE_LINK_SIMILAR_H
#define PUENTE_LINK_SIMILAR_H

#include "core/base/slice.h"

#include <stdint.h>

enum { SIMILAR_LENGTH_MOST = 64 }; /* longer texts are compared by their first 64 bytes */

/* Jaro 1989, "Advances in Record-Linkage Methodology", JASA 84: 0..1. */
double similar_jaro(struct slice a, struct slice b);
/* Winkler 1990, prefix weight 0.1, prefix of at most 4, applied at any Jaro score. */
double similar_jaro_winkler(struct slice a, struct slice b);
/* Damerau 1964, restricted (optimal string alignment); more than `most` is given as most + 1. Bit-parallel (Hyyrö 2003)
 * . */
int similar_damerau_levenshtein(struct slice a, struct slice b, int most);
/* Jaccard 1912, on sets of numbers in ascending order. */
double similar_jaccard(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count);
/* A signature of the letters and pairs of letters of a text: texts whose signatures differ in more than 4·k bits are
 * more than k edits apart (each edit touches at most 4). For refusing most pairs in a few instructions. */
uint64_t similar_signature(struct slice text);

#endif
