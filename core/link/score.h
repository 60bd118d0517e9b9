/* Scoring: proposed pairs to levels, patterns, weights; by threads, without a lock on the way. Private to core/link. */
#ifndef PUENTE_LINK_SCORE_H
#define PUENTE_LINK_SCORE_H

#include "core/link/block.h"
#include "core/link/train.h"

/* Weights by comparison and level with the prior, and term-frequency adjustments by comparison and value. */
struct weights;
enum status weights_make(const struct prepared *prepared, const struct link_model *model, struct weights **weights,
                         struct error *error) MUST_CHECK;
void weights_free(struct weights *weights);
float weights_pair(const struct weights *weights, const uint32_t *a, const uint32_t *b, const uint8_t *levels);

struct scorer {
  const struct prepared *prepared;
  const struct blocks *blocks;
  unsigned threads;
  const struct link_options *options; /* progress */
};

/* Patterns of the pairs of one blocking rule (deduplicated within it), or of `count` seeded random pairs. Owned by the
 * caller, freed by patterns_free. */
enum status score_patterns(const struct scorer *scorer, uint16_t rule, struct patterns *patterns,
                           struct error *error) MUST_CHECK;
enum status score_random(const struct scorer *scorer, uint64_t seed, uint64_t count, struct patterns *patterns,
                         struct error *error) MUST_CHECK;
void patterns_free(struct patterns *patterns);

/* Scores every proposed pair; keeps those of weight 0 and more and those that a rule above weights names, sorted by
 * (a, b). Fills compared and blocks of the result. */
enum status score_pairs(const struct scorer *scorer, const struct weights *weights, struct link_result *result,
                        struct error *error) MUST_CHECK;

#endif
