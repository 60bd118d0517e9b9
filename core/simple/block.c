#include "core/simple/block.h"

#include <stdlib.h>

enum { VALUES_MOST = 16 };

static enum status append(struct blocks *blocks, const struct block_entry *entry, struct error *error) {
  if (blocks->count == blocks->capacity) {
    size_t capacity = blocks->capacity == 0 ? 4096 : blocks->capacity * 2;
    struct block_entry *entries = realloc(blocks->entries, capacity * sizeof *entries);
    if (entries == NULL) {
      return error_memory(error);
    }
    blocks->entries = entries;
    blocks->capacity = capacity;
  }
  blocks->entries[blocks->count++] = *entry;
  return OK;
}

/* Every combination of the record's keys from position `depth` on. */
static enum status combine(struct blocks *blocks, const struct prepared *p, const struct link_rule *rule,
                           unsigned depth, struct block_entry *entry, struct error *error) {
  uint32_t values[VALUES_MOST];
  if (depth == rule->key_count) {
    return append(blocks, entry, error);
  }
  size_t count = simple_prepared_keys(p, &rule->keys[depth], entry->record, values, VALUES_MOST);
  enum status status = OK;
  for (size_t i = 0; status == OK && i < count; i++) {
    entry->key[depth] = values[i];
    status = combine(blocks, p, rule, depth + 1, entry, error);
  }
  return status;
}

static int by_key(const void *a, const void *b) {
  const struct block_entry *x = a;
  const struct block_entry *y = b;
  for (int i = 0; i < KEYS_MOST; i++) {
    if (x->key[i] != y->key[i]) {
      return x->key[i] < y->key[i] ? -1 : 1;
    }
  }
  return (x->record > y->record) - (x->record < y->record);
}

enum status simple_blocks_build(struct blocks *blocks, const struct prepared *p, const struct link_rule *rule,
                                struct error *error) {
  const uint8_t *sealed = p->records->sealed;
  enum status status = OK;
  blocks->count = 0;
  for (uint32_t i = 0; status == OK && i < p->records->count; i++) {
    if (sealed == NULL || sealed[i] == 0) {
      struct block_entry entry = {.record = i};
      status = combine(blocks, p, rule, 0, &entry, error);
    }
  }
  if (status == OK && blocks->count > 0) {
    qsort(blocks->entries, blocks->count, sizeof *blocks->entries, by_key);
  }
  return status;
}

size_t simple_blocks_next(const struct blocks *blocks, size_t *at) {
  while (*at < blocks->count) {
    const struct block_entry *first = &blocks->entries[*at];
    size_t length = 1;
    while (*at + length < blocks->count
           && memcmp(first->key, blocks->entries[*at + length].key, sizeof first->key) == 0) {
      length++;
    }
    if (length > 1) {
      return length;
    }
    (*at)++;
  }
  return 0;
}

void simple_blocks_free(struct blocks *blocks) {
  free(blocks->entries);
  *blocks = (struct blocks){0};
}
