/* Blocking: which pairs are worth comparing. Rules stand in order; a pair belongs to the first that proposes it, so
 * that none is scored twice. Private to core/link. */
#ifndef PUENTE_LINK_BLOCK_H
#define PUENTE_LINK_BLOCK_H

#include "core/link/model.h"
#include "core/link/prepare.h"

/* A record has at most so many keys of one rule: of more, those of the least hashes, a choice that its content alone
 * makes. A block of a frozen model may outgrow the cap so many times before it is left out. */
enum { BLOCK_SLOTS_MOST = 16, BLOCK_GROWTH_MOST = 10, BLOCK_START = sizeof(uint64_t) / sizeof(uint16_t) };

/* Keys of all records for all rules: the low 32 bits of a keyed hash (SipHash-2-4) of rule name and values; 0: no key.
 * A rule with several values a record (each surname token) has as many slots; a record's keys of a rule ascend, no
 * keys stand last. Two blocks that share 32 bits propose a few pairs too many, the same ones in every run. */
struct blocks {
  const struct prepared *prepared;
  uint8_t secret[16];
  uint32_t *keys; /* of record i and rule r: blocks_keys */
  /* i * stride: the first key of record i in BLOCK_START numbers, then by rule where among the record's keys its own
   * begin: in one place, since records are looked at in no order. */
  uint16_t *slots;
  size_t stride, rules;
  uint16_t slots_most[LINK_RULES_MOST]; /* by rule: of any record */
  uint64_t *capped;                     /* full hashes left out, ascending */
  size_t capped_count;
  struct link_block_counts counts[LINK_RULES_MOST]; /* dropped and capped alone */
};

/* Slots of one record and rule. */
static inline uint32_t *blocks_keys(const struct blocks *blocks, size_t rule, size_t record, size_t *slots) {
  const uint16_t *of = blocks->slots + record * blocks->stride;
  const uint16_t *at = of + BLOCK_START + rule;
  uint64_t start;
  memcpy(&start, of, sizeof start);
  *slots = (size_t)(at[1] - at[0]);
  return blocks->keys + start + at[0];
}

/* `model` NULL: blocks over the plan's cap are found and left out; else those that the model lists, and with a warning
 * those that have since grown past BLOCK_GROWTH_MOST caps. Sealed records have no keys. */
enum status blocks_init(struct blocks *blocks, const struct prepared *prepared, const uint8_t secret[16],
                        const struct link_model *model, unsigned threads, struct error *error) MUST_CHECK;
void blocks_free(struct blocks *blocks);

/* Full hashes of one record's keys of one rule, ascending, each once, capped ones too; returns their number. */
size_t blocks_hashes(const struct prepared *prepared, const uint8_t secret[16], uint16_t rule, uint32_t record,
                     uint64_t hashes[BLOCK_SLOTS_MOST]);
/* Whether a full hash is among `count` ascending ones. */
bool blocks_is_capped(const uint64_t *capped, size_t count, uint64_t hash);

/* Records of one rule in order of (key, record). */
struct block_index {
  struct block_entry {
    uint32_t key, record;
  } * entries;
  size_t count;
};
enum status block_index_make(const struct blocks *blocks, uint16_t rule, struct block_index *index,
                             struct error *error) MUST_CHECK;
void block_index_free(struct block_index *index);
/* Entries from `at` on that share its key. */
size_t block_index_length(const struct block_index *index, size_t at);

/* The first rule that proposes the two, or LINK_NO_RULE. */
uint16_t blocks_propose(const struct blocks *blocks, uint32_t a, uint32_t b);
/* Whether any of some rules (a bit each) proposes the two. */
bool blocks_any(const struct blocks *blocks, uint64_t rules, uint32_t a, uint32_t b);
/* Whether the record has any key. */
bool blocks_has_key(const struct blocks *blocks, uint32_t record);

#endif
