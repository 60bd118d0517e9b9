/* Blocking: which pairs are worth comparing. Rules stand in order; a pair belongs to the first that proposes it, so
 * that none is scored twice. Private to core/link. */
#ifndef PUENTE_LINK_BLOCK_H
#define PUENTE_LINK_BLOCK_H

#include "core/link/model.h"
#include "core/link/prepare.h"

/* Keys of all records for all rules: hash of rule and values, under a secret; 0: no key. A rule with several values a
 * record (each surname token) has as many slots. */
struct blocks {
  const struct prepared *prepared;
  uint32_t *keys; /* record i: keys[i * slots …] */
  size_t slots;
  uint16_t first_slot[LINK_RULES_MOST + 1]; /* of each rule */
  uint64_t *capped;                         /* full hashes left out, ascending */
  size_t capped_count;
  struct link_block_counts counts[LINK_RULES_MOST];
};

/* `model` NULL: blocks over the plan's cap are found and left out; else those that the model lists. */
enum status blocks_init(struct blocks *blocks, const struct prepared *prepared, const struct link_model *model,
                        struct error *error) MUST_CHECK;
void blocks_free(struct blocks *blocks);

/* Records of one rule in order of key. */
struct block_index {
  struct block_entry {
    uint32_t key, record;
  } * entries;
  size_t count;
};
enum status block_index_make(const struct blocks *blocks, uint16_t rule, struct block_index *index,
                             struct error *error) MUST_CHECK;
void block_index_free(struct block_index *index);

/* The first rule that proposes the two, or LINK_NO_RULE. */
uint16_t blocks_propose(const struct blocks *blocks, uint32_t a, uint32_t b);

#endif
