/* Scoring: proposed pairs to levels, patterns, weights; by threads, without a lock on the way. Private to core/link. */
#ifndef PUENTE_LINK_SCORE_H
#define PUENTE_LINK_SCORE_H

#include "core/link/block.h"
#include "core/link/train.h"

/* Weights by comparison and level with the prior, and term-frequency adjustments by comparison and value. */
struct weights;
enum status weights_make(const struct prepared *prepared, const struct link_model *model, struct weights **out,
                         struct error *error) MUST_CHECK;
void weights_free(struct weights *weights);
float weights_pair(const struct weights *weights, const uint32_t *a, const uint32_t *b, const uint8_t *levels);
/* Whether two may reach weight 0, or a rule above weights may merge them; then all levels are known. Comparing ends as
 * soon as what is left cannot make up for what was found: the answer is exact, and most pairs are settled by
 * weights_begin, without looking at a text. Where both say yes, levels are as compare_rows gives them. */
struct reach {
  float bound;
  uint64_t merging; /* rules above weights that may yet merge, a bit each */
  uint8_t levels[LINK_COMPARISONS_MOST];
};
bool weights_begin(const struct weights *weights, struct compare_cache *cache, const uint32_t *a, const uint32_t *b,
                   struct reach *reach);
bool weights_end(const struct weights *weights, struct compare_cache *cache, const uint32_t *a, const uint32_t *b,
                 struct reach *reach);
/* The comparisons by which weights_begin compares, a bit each. */
uint32_t weights_cheap(const struct weights *weights);
/* What term frequency adds to the weight of one comparison; 0 where it has nothing to say. The sum over comparisons is
 * what weights_pair adds. */
float weights_adjustment(const struct weights *weights, size_t comparison, const uint32_t *a, const uint32_t *b,
                         const uint8_t *levels);
/* The level of a comparison that says that two values are equal; 0: it has none. */
unsigned weights_exact_level(const struct comparison *comparison);

struct scorer {
  const struct prepared *prepared;
  const struct blocks *blocks;
  unsigned threads;                   /* as crew_size says */
  const struct link_options *options; /* progress; NULL: none */
  uint32_t fresh;                     /* only pairs with one of the first so many records; 0: all */
};

/* Patterns of the pairs of one blocking rule (deduplicated within it; of at most about `most` pairs, blocks chosen by
 * their hashes; 0: all), or of `count` seeded random pairs, which depend on the seed and on what the records say, not
 * on their order; all pairs where there are fewer. Random pairs that any of the rules `without` (a bit each) proposes
 * are left out: they are matches, and u is of those that are none. Owned by the caller, freed by patterns_free; in
 * order of levels. */
enum status score_patterns(const struct scorer *scorer, uint16_t rule, uint64_t most, struct patterns *patterns,
                           struct error *error) MUST_CHECK;
enum status score_random(const struct scorer *scorer, uint64_t seed, uint64_t count, uint64_t without,
                         struct patterns *patterns, struct error *error) MUST_CHECK;
/* Of the pairs that reviewers decided to be one; one decided twice counts twice. */
enum status score_decided(const struct scorer *scorer, struct patterns *patterns, struct error *error) MUST_CHECK;
void patterns_free(struct patterns *patterns);

/* Pairs that any of some rules (a bit each) proposes. */
enum status score_count(const struct scorer *scorer, uint64_t rules, uint64_t *pairs, struct error *error) MUST_CHECK;

/* Scores every proposed pair; keeps those of weight 0 and more and those that a rule above weights merges, sorted by
 * (a, b). Fills compared and blocks of the result. ERR_LIMIT where more pairs than memory is meant for are kept. */
enum status score_pairs(const struct scorer *scorer, const struct weights *weights, struct link_result *result,
                        struct error *error) MUST_CHECK;

#endif
