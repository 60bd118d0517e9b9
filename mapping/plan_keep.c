/* What a batch keeps between records: results by value, small indexes, default references. All of it is bounded, and
 * none of it changes what a record becomes. */
#include "mapping/plan_internal.h"

#include <stdlib.h>

enum { KEPT_SLOTS = 1 << 15, KEPT_MOST = KEPT_SLOTS / 2, ANCHORS_SCANNED = 16 };
#define KEPT_BYTES_MOST ((size_t)8 << 20)

uint32_t index_hash(const void *data, size_t len, uint32_t seed) {
  const char *at = data;
  uint64_t hash = UINT64_C(0x9E3779B97F4A7C15) * (seed + 1U) ^ len, word;
  for (; len >= 8; at += 8, len -= 8) {
    memcpy(&word, at, 8);
    hash = (hash ^ word) * UINT64_C(0xBF58476D1CE4E5B9);
    hash ^= hash >> 32;
  }
  word = 0;
  for (size_t i = 0; i < len; i++) {
    word = word << 8 | (unsigned char)at[i];
  }
  hash = (hash ^ word) * UINT64_C(0x94D049BB133111EB);
  return (uint32_t)(hash ^ hash >> 32);
}

/* ---- results by value ---- */

static bool kept_prepare(struct plan_scratch *scratch) {
  if (scratch->kept == NULL) {
    scratch->kept = calloc(KEPT_SLOTS, sizeof *scratch->kept);
    scratch->kept_arena = arena_new(KEPT_BYTES_MOST);
    if (scratch->kept == NULL || scratch->kept_arena == NULL) {
      free(scratch->kept);
      arena_free(scratch->kept_arena);
      scratch->kept = NULL;
      scratch->kept_arena = NULL;
    }
  }
  return scratch->kept != NULL;
}

static void kept_clear(struct plan_scratch *scratch) {
  if (scratch->kept != NULL) {
    memset(scratch->kept, 0, KEPT_SLOTS * sizeof *scratch->kept);
    arena_reset(scratch->kept_arena);
  }
  scratch->kept_count = 0;
  scratch->kept_full = false;
}

const struct kept *kept_find(struct plan_scratch *scratch, uint16_t rule, struct slice text, uint32_t *hash) {
  *hash = index_hash(text.data, text.len, rule) | 1U;
  if (scratch->kept == NULL) {
    return NULL;
  }
  for (uint32_t slot = *hash & (KEPT_SLOTS - 1);; slot = (slot + 1) & (KEPT_SLOTS - 1)) {
    const struct kept *kept = &scratch->kept[slot];
    if (kept->hash == 0) {
      return NULL;
    }
    if (kept->hash == *hash && kept->rule == rule && kept->len == text.len
        && memcmp(kept->text, text.data, text.len) == 0) {
      return kept;
    }
  }
}

void kept_add(struct plan_scratch *scratch, uint16_t rule, struct slice text, uint32_t hash,
              const struct value *value) {
  if (scratch->kept_full || !kept_prepare(scratch)) {
    return;
  }
  struct slice key = arena_copy(scratch->kept_arena, text);
  struct slice result = arena_copy(scratch->kept_arena, value->text);
  char *hint = value->hint == NULL ? NULL : arena_text(scratch->kept_arena, slice_of(value->hint));
  if (key.data == NULL || result.data == NULL || (value->hint != NULL && hint == NULL)
      || scratch->kept_count == KEPT_MOST) {
    scratch->kept_full = true;
    return;
  }
  uint32_t slot = hash & (KEPT_SLOTS - 1);
  while (scratch->kept[slot].hash != 0) {
    slot = (slot + 1) & (KEPT_SLOTS - 1);
  }
  struct kept *kept = &scratch->kept[slot];
  *kept = (struct kept){.hash = hash, .rule = rule, .len = (uint16_t)text.len, .text = key.data, .value = *value};
  kept->value.text = result;
  kept->value.hint = hint;
  scratch->kept_count++;
}

/* ---- indexes ---- */

void index_clear(struct index *index) {
  index->count = 0;
  index->stamp++;
  if (index->stamp == 0 && index->slots != NULL) {
    memset(index->slots, 0, index->size * sizeof *index->slots);
    index->stamp = 1;
  }
}

uint32_t index_find(const struct index *index, uint32_t hash, bool (*same)(const void *context, uint32_t value),
                    const void *context) {
  if (index->size == 0) {
    return INDEX_NONE;
  }
  uint32_t mask = index->size - 1;
  for (uint32_t at = hash & mask; index->slots[at].stamp == index->stamp; at = (at + 1) & mask) {
    if (index->slots[at].hash == hash && same(context, index->slots[at].value)) {
      return index->slots[at].value;
    }
  }
  return INDEX_NONE;
}

static void index_place(struct index *index, uint32_t hash, uint32_t value) {
  uint32_t mask = index->size - 1, at = hash & mask;
  while (index->slots[at].stamp == index->stamp) {
    at = (at + 1) & mask;
  }
  index->slots[at] = (struct index_slot){.hash = hash, .value = value, .stamp = index->stamp};
  index->count++;
}

bool index_add(struct index *index, uint32_t hash, uint32_t value) {
  if (index->stamp == 0) {
    index->stamp = 1;
  }
  if (index->count * 2 >= index->size) {
    struct index larger = {.size = index->size == 0 ? 64 : index->size * 2, .stamp = index->stamp};
    larger.slots = calloc(larger.size, sizeof *larger.slots);
    if (larger.slots == NULL) {
      return false;
    }
    for (uint32_t i = 0; i < index->size; i++) {
      if (index->slots[i].stamp == index->stamp) {
        index_place(&larger, index->slots[i].hash, index->slots[i].value);
      }
    }
    free(index->slots);
    *index = larger;
  }
  index_place(index, hash, value);
  return true;
}

/* ---- default references ---- */

struct wanted_anchor {
  const struct anchors *anchors;
  const struct node *node;
};

static bool same_anchor(const void *context, uint32_t value) {
  const struct wanted_anchor *wanted = context;
  return wanted->anchors->items[value].node == wanted->node;
}

static uint32_t node_hash(const struct node *node) {
  return index_hash(&node, sizeof node, 0);
}

static uint32_t anchor_at(const struct anchors *anchors, const struct node *node) {
  if (anchors->count <= ANCHORS_SCANNED) {
    for (size_t i = 0; i < anchors->count; i++) {
      if (anchors->items[i].node == node) {
        return (uint32_t)i;
      }
    }
    return INDEX_NONE;
  }
  struct wanted_anchor wanted = {.anchors = anchors, .node = node};
  return index_find(&anchors->index, node_hash(node), same_anchor, &wanted);
}

bool anchors_add(struct anchors *anchors, const struct node *node, struct slice key) {
  if (anchors->count == anchors->capacity) {
    size_t capacity = anchors->capacity == 0 ? 16 : anchors->capacity * 2;
    struct anchor *items = realloc(anchors->items, capacity * sizeof *items);
    if (items == NULL) {
      return false;
    }
    anchors->items = items;
    anchors->capacity = capacity;
  }
  uint32_t before = anchor_at(anchors, node);
  struct anchor *other = before == INDEX_NONE ? NULL : &anchors->items[before];
  bool shared = other != NULL && (other->shared || !slice_equal(other->key, key));
  if (other != NULL) {
    other->shared = shared;
  }
  anchors->items[anchors->count++] = (struct anchor){.node = node, .key = key, .shared = shared};
  if (anchors->count <= ANCHORS_SCANNED) {
    return true;
  }
  for (size_t i = anchors->count == ANCHORS_SCANNED + 1 ? 0 : anchors->count - 1; i < anchors->count; i++) {
    if (!index_add(&anchors->index, node_hash(anchors->items[i].node), (uint32_t)i)) {
      return false;
    }
  }
  return true;
}

struct slice anchors_enclosing(const struct anchors *anchors, const struct node *node) {
  if (anchors->count == 1) {
    return anchors->items[0].key;
  }
  for (; anchors->count > 0 && node != NULL; node = node->parent) {
    uint32_t found = anchor_at(anchors, node);
    if (found != INDEX_NONE) {
      return anchors->items[found].shared ? slice_of("") : anchors->items[found].key;
    }
  }
  return slice_of("");
}

void anchors_clear(struct anchors *anchors) {
  if (anchors->count > ANCHORS_SCANNED) {
    index_clear(&anchors->index);
  }
  anchors->count = 0;
}

/* ---- the scratch of a batch ---- */

struct plan_scratch *scratch_new(void) {
  return calloc(1, sizeof(struct plan_scratch));
}

void scratch_free(struct plan_scratch *scratch) {
  if (scratch == NULL) {
    return;
  }
  free(scratch->hints);
  free(scratch->lets);
  free(scratch->nodes);
  free(scratch->cases.items);
  free(scratch->cases.index.slots);
  free(scratch->persons.items);
  free(scratch->persons.index.slots);
  free(scratch->keys.slots);
  free(scratch->kept);
  arena_free(scratch->kept_arena);
  free(scratch);
}

void scratch_reset(struct plan_scratch *scratch) {
  if (scratch->kept_full) {
    kept_clear(scratch);
  }
}

/* Positions and results are of one plan; another one starts anew. Rows of the batch may still point at kept text, so
 * that a batch is reset before it changes its plan. */
bool scratch_bind(struct plan_scratch *scratch, const struct plan *plan) {
  if (scratch->plan == plan && memcmp(&scratch->digest, &plan->digest, sizeof plan->digest) == 0) {
    return true;
  }
  free(scratch->hints);
  free(scratch->lets);
  scratch->hints = calloc(plan->hint_count + 1U, sizeof *scratch->hints);
  scratch->lets = calloc((size_t)plan->let_count + 1, sizeof *scratch->lets);
  scratch->plan = scratch->hints == NULL || scratch->lets == NULL ? NULL : plan;
  scratch->digest = plan->digest;
  kept_clear(scratch);
  return scratch->plan != NULL;
}
