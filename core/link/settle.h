/* From scored pairs to clusters, and what became of every pair. Private to core/link. */
#ifndef PUENTE_LINK_SETTLE_H
#define PUENTE_LINK_SETTLE_H

#include "core/link/score.h"

/* One pair judged at any time: level, weight, rule above weights. Of one thread. */
struct judge {
  const struct prepared *prepared;
  const struct blocks *blocks;
  const struct weights *weights;
  struct compare_cache *cache;
};
struct judgement {
  uint8_t levels[LINK_COMPARISONS_MOST];
  float weight;
  uint16_t verdict; /* LINK_NO_RULE: none */
};
void judge_pair(const struct judge *judge, uint32_t a, uint32_t b, struct judgement *judgement);

/* Clusters from result->pairs, to which pairs are added that a reviewer or a source decided without a rule proposing
 * them. A reviewer's "not one" holds against every "one", also through others; contradictions are a warning.
 * An edge joins where its probability reaches the band's end (`hold`) or its beginning (`tentative`), or where a rule
 * merges (it then counts as the cap in means). Fills clusters, outcomes, reasons and what is counted of them. */
enum status settle_clusters(const struct judge *judge, struct link_result *result, struct error *error) MUST_CHECK;

#endif
