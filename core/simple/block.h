/* Blocking: the pairs of records that a rule proposes. Private to core/link. */
#ifndef PUENTE_SIMPLE_BLOCK_H
#define PUENTE_SIMPLE_BLOCK_H

#include "core/simple/prepare.h"

struct block_entry {
  uint32_t key[KEYS_MOST];
  uint32_t record;
};

struct blocks {
  struct block_entry *entries; /* by key, then record */
  size_t count, capacity;
};

/* Fills `blocks` with the keys of every record that may be linked; memory is kept from one rule to the next. */
enum status simple_blocks_build(struct blocks *blocks, const struct prepared *prepared, const struct link_rule *rule,
                                struct error *error) MUST_CHECK;
/* The next run of entries with one key from `*at` on, of two records or more; 0 at the end. */
size_t simple_blocks_next(const struct blocks *blocks, size_t *at);
void simple_blocks_free(struct blocks *blocks);

#endif
