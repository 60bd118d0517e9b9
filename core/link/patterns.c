/* Counts of comparison patterns: what training learns from. */
#include "core/link/crew.h"
#include "core/link/score.h"
#include "core/link/walk.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { LEVEL_BITS = 4, LEVELS_A_WORD = 16, FIRST_SLOTS = 1 << 10, RANDOM_AT_ONCE = 64 };

/* Levels of one pair, four bits a comparison. */
struct packed {
  uint64_t low, high;
};

struct tally {
  struct entry {
    struct packed levels;
    uint64_t pairs; /* 0: empty */
  } * slots;
  size_t slot_count, count; /* slot_count: a power of two */
};

static struct packed pack(const uint8_t *levels, size_t width) {
  struct packed packed = {0};
  for (size_t i = 0; i < width; i++) {
    uint64_t *word = i < LEVELS_A_WORD ? &packed.low : &packed.high;
    *word |= (uint64_t)levels[i] << (i % LEVELS_A_WORD * LEVEL_BITS);
  }
  return packed;
}

static struct entry *tally_slot(const struct tally *tally, const struct packed *levels) {
  uint64_t hash = (levels->low ^ (levels->high * UINT64_C(0xBF58476D1CE4E5B9))) * UINT64_C(0x9E3779B97F4A7C15);
  size_t mask = tally->slot_count - 1;
  for (size_t slot = (hash >> 32) & mask;; slot = (slot + 1) & mask) {
    struct entry *entry = &tally->slots[slot];
    if (entry->pairs == 0 || (entry->levels.low == levels->low && entry->levels.high == levels->high)) {
      return entry;
    }
  }
}

static bool tally_grow(struct tally *tally) {
  struct tally larger = {.slot_count = tally->slot_count == 0 ? FIRST_SLOTS : tally->slot_count * 2,
                         .count = tally->count};
  larger.slots = calloc(larger.slot_count, sizeof *larger.slots);
  if (larger.slots == NULL) {
    return false;
  }
  for (size_t i = 0; i < tally->slot_count; i++) {
    if (tally->slots[i].pairs > 0) {
      *tally_slot(&larger, &tally->slots[i].levels) = tally->slots[i];
    }
  }
  free(tally->slots);
  *tally = larger;
  return true;
}

static bool tally_add(struct tally *tally, struct packed levels, uint64_t pairs) {
  if (tally->count >= tally->slot_count / 2 && !tally_grow(tally)) {
    return false;
  }
  struct entry *entry = tally_slot(tally, &levels);
  tally->count += entry->pairs == 0;
  entry->levels = levels;
  entry->pairs += pairs;
  return true;
}

/* ---- threads ---- */

struct counting {
  const struct scorer *scorer;
  unsigned threads;
  struct compare_cache *caches[CREW_MOST];
  struct tally tallies[CREW_MOST];
  /* Of random pairs. */
  const uint32_t *order; /* records by content */
  uint64_t seed, pairs, without;
  bool every; /* pair, not random ones */
  atomic_uint_fast64_t next;
  atomic_bool failed;
};

static void counting_free(struct counting *counting) {
  for (unsigned i = 0; i < CREW_MOST; i++) {
    compare_cache_free(counting->caches[i]);
    free(counting->tallies[i].slots);
  }
  free(counting);
}

static struct counting *counting_new(const struct scorer *scorer) {
  struct counting *counting = calloc(1, sizeof *counting);
  bool fine = counting != NULL;
  for (unsigned i = 0; fine && i < scorer->threads; i++) {
    counting->caches[i] = compare_cache_new(scorer->prepared);
    fine = counting->caches[i] != NULL;
  }
  if (!fine) {
    if (counting != NULL) {
      counting_free(counting);
    }
    return NULL;
  }
  counting->scorer = scorer;
  counting->threads = scorer->threads;
  return counting;
}

static bool count_pair(struct counting *counting, unsigned thread, const uint32_t *a, const uint32_t *b) {
  uint8_t levels[LINK_COMPARISONS_MOST];
  const struct prepared *prepared = counting->scorer->prepared;
  compare_rows(prepared, counting->caches[thread], a, b, levels);
  return tally_add(&counting->tallies[thread], pack(levels, prepared->plan->comparison_count), 1);
}

static const uint32_t *row_of(const struct prepared *prepared, uint32_t record) {
  return prepared->rows + record * prepared->width;
}

static int by_levels(const void *a, const void *b) {
  const struct entry *x = a;
  const struct entry *y = b;
  if (x->levels.high != y->levels.high) {
    return x->levels.high < y->levels.high ? -1 : 1;
  }
  return (x->levels.low > y->levels.low) - (x->levels.low < y->levels.low);
}

static bool merge_tallies(struct counting *counting) {
  struct tally *all = &counting->tallies[0];
  for (unsigned i = 1; i < counting->threads; i++) {
    const struct tally *tally = &counting->tallies[i];
    for (size_t j = 0; j < tally->slot_count; j++) {
      if (tally->slots[j].pairs > 0 && !tally_add(all, tally->slots[j].levels, tally->slots[j].pairs)) {
        return false;
      }
    }
  }
  size_t kept = 0;
  for (size_t i = 0; i < all->slot_count; i++) {
    if (all->slots[i].pairs > 0) {
      all->slots[kept++] = all->slots[i];
    }
  }
  if (kept > 1) {
    qsort(all->slots, kept, sizeof *all->slots, by_levels);
  }
  return true;
}

/* In order of levels, so that sums over patterns are the same for any number of threads. */
static enum status gather(struct counting *counting, struct patterns *patterns, struct error *error) {
  size_t width = counting->scorer->prepared->plan->comparison_count;
  if (!merge_tallies(counting)) {
    return error_memory(error);
  }
  const struct tally *all = &counting->tallies[0];
  patterns->levels = malloc(all->count * width + 1);
  patterns->pairs = malloc((all->count + 1) * sizeof *patterns->pairs);
  if (patterns->levels == NULL || patterns->pairs == NULL) {
    patterns_free(patterns);
    return error_memory(error);
  }
  for (size_t i = 0; i < all->count; i++) {
    for (size_t j = 0; j < width; j++) {
      uint64_t word = j < LEVELS_A_WORD ? all->slots[i].levels.low : all->slots[i].levels.high;
      patterns->levels[i * width + j] = (word >> (j % LEVELS_A_WORD * LEVEL_BITS)) & ((1U << LEVEL_BITS) - 1);
    }
    patterns->pairs[i] = all->slots[i].pairs;
  }
  patterns->count = all->count;
  return OK;
}

void patterns_free(struct patterns *patterns) {
  free(patterns->levels);
  free(patterns->pairs);
  *patterns = (struct patterns){0};
}

/* ---- pairs of a rule ---- */

static bool visit_tile(void *context, unsigned thread, const struct walk_tile *tile) {
  struct counting *counting = context;
  size_t width = counting->scorer->prepared->width;
  for (uint32_t bits = tile->wanted; bits != 0; bits &= bits - 1) {
    const uint32_t *row = tile->b_rows + (size_t)__builtin_ctz(bits) * width;
    if (!count_pair(counting, thread, tile->a_row, row)) {
      return false;
    }
  }
  return true;
}

enum status score_patterns(const struct scorer *scorer, uint16_t rule, uint64_t most, struct patterns *patterns,
                           struct error *error) {
  struct counting *counting = counting_new(scorer);
  struct walk_counts counts;
  *patterns = (struct patterns){0};
  if (counting == NULL) {
    return error_memory(error);
  }
  struct walk walk = {.blocks = scorer->blocks,
                      .rule = rule,
                      .calls = COMPARE_ALL,
                      .pairs_most = most,
                      .threads = scorer->threads,
                      .options = scorer->options,
                      .step = "train",
                      .to = 1,
                      .visit = visit_tile,
                      .context = counting};
  enum status status = walk_pairs(&walk, &counts, error);
  status = status == OK ? gather(counting, patterns, error) : status;
  counting_free(counting);
  return status;
}

/* ---- random pairs ---- */

/* The k-th number of a seeded sequence (SplitMix64: Steele, Lea and Flood 2014). */
static uint64_t split_mix(uint64_t seed, uint64_t k) {
  uint64_t z = seed + (k + 1) * UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

static uint64_t draw(uint64_t seed, uint64_t k, uint64_t bound) {
  return (uint64_t)(((unsigned __int128)split_mix(seed, k) * bound) >> 64);
}

/* Records by rank; those of one rank say the same, so that it is no matter which comes first. */
static uint32_t *order_records(const struct prepared *prepared) {
  size_t count = prepared->records->count;
  uint32_t *starts = calloc(count + 2, sizeof *starts);
  uint32_t *order = malloc((count + 1) * sizeof *order);
  if (starts == NULL || order == NULL) {
    free(starts);
    free(order);
    return NULL;
  }
  for (size_t i = 0; i < count; i++) {
    starts[prepared->rank[i] + 1]++;
  }
  for (size_t i = 0; i < count; i++) {
    starts[i + 1] += starts[i];
  }
  for (size_t i = 0; i < count; i++) {
    order[starts[prepared->rank[i]]++] = (uint32_t)i;
  }
  free(starts);
  return order;
}

/* Whether the comparisons of a rule's keys all found something in common. */
static bool alike(const struct link_plan *plan, const struct block_rule *rule, const uint8_t *levels) {
  for (unsigned i = 0; i < rule->key_count; i++) {
    unsigned level = levels[rule->keys[i].comparison];
    if (level == 0 || level + 1 == plan->comparisons[rule->keys[i].comparison].level_count) {
      return false;
    }
  }
  return true;
}

static uint64_t rules_alike(const struct link_plan *plan, uint64_t rules, const uint8_t *levels) {
  for (size_t i = 0; i < plan->block_count; i++) {
    if ((rules >> i & 1) != 0 && !alike(plan, &plan->blocks[i], levels)) {
      rules &= ~(UINT64_C(1) << i);
    }
  }
  return rules;
}

/* Keys are looked at only where the two have what these read in common: most have not, and keys are far away in
 * memory. */
static bool count_records(struct counting *counting, unsigned thread, uint32_t a, uint32_t b) {
  uint8_t levels[LINK_COMPARISONS_MOST];
  const struct prepared *prepared = counting->scorer->prepared;
  compare_rows(prepared, counting->caches[thread], row_of(prepared, a), row_of(prepared, b), levels);
  uint64_t without = rules_alike(prepared->plan, counting->without, levels);
  return (without != 0 && blocks_any(counting->scorer->blocks, without, a, b))
         || tally_add(&counting->tallies[thread], pack(levels, prepared->plan->comparison_count), 1);
}

static void count_every(struct counting *counting, unsigned thread) {
  uint64_t records = counting->scorer->prepared->records->count;
  uint64_t b;
  while ((b = atomic_fetch_add(&counting->next, 1)) < records) {
    for (uint64_t a = 0; a < b; a++) {
      if (!count_records(counting, thread, counting->order[a], counting->order[b])) {
        atomic_store(&counting->failed, true);
        return;
      }
    }
  }
}

/* Pairs `from` to `to`; rows are called for some pairs before they are compared, since they are far away in memory. */
static bool count_batch(struct counting *counting, unsigned thread, uint64_t from, uint64_t to) {
  const struct prepared *prepared = counting->scorer->prepared;
  uint64_t records = prepared->records->count;
  uint32_t pairs[RANDOM_AT_ONCE][2];
  for (uint64_t k = from; k < to; k++) {
    uint64_t a = draw(counting->seed, 2 * k, records);
    uint64_t b = draw(counting->seed, 2 * k + 1, records - 1);
    b += b >= a;
    pairs[k - from][0] = counting->order[a];
    pairs[k - from][1] = counting->order[b];
    __builtin_prefetch(prepared->rows + pairs[k - from][0] * prepared->width);
    __builtin_prefetch(prepared->rows + pairs[k - from][1] * prepared->width);
  }
  for (uint64_t k = from; k < to; k++) {
    compare_call(prepared, prepared->rows + pairs[k - from][0] * prepared->width, COMPARE_ALL);
    compare_call(prepared, prepared->rows + pairs[k - from][1] * prepared->width, COMPARE_ALL);
  }
  for (uint64_t k = from; k < to; k++) {
    if (!count_records(counting, thread, pairs[k - from][0], pairs[k - from][1])) {
      return false;
    }
  }
  return true;
}

static void count_drawn(struct counting *counting, unsigned thread) {
  uint64_t from;
  while ((from = atomic_fetch_add(&counting->next, RANDOM_AT_ONCE)) < counting->pairs) {
    uint64_t to = from + RANDOM_AT_ONCE < counting->pairs ? from + RANDOM_AT_ONCE : counting->pairs;
    if (!count_batch(counting, thread, from, to)) {
      atomic_store(&counting->failed, true);
      return;
    }
  }
}

static void count_random(void *context, unsigned thread) {
  struct counting *counting = context;
  if (counting->every) {
    count_every(counting, thread);
  } else {
    count_drawn(counting, thread);
  }
}

enum status score_random(const struct scorer *scorer, uint64_t seed, uint64_t count, uint64_t without,
                         struct patterns *patterns, struct error *error) {
  uint64_t records = scorer->prepared->records->count;
  struct counting *counting = counting_new(scorer);
  uint32_t *order = order_records(scorer->prepared);
  enum status status = counting == NULL || order == NULL ? error_memory(error) : OK;
  *patterns = (struct patterns){0};
  if (status == OK) {
    counting->order = order;
    counting->seed = seed;
    counting->every = records < 2 || records * (records - 1) / 2 <= count;
    counting->pairs = count;
    counting->without = without;
    crew_run(scorer->threads, count_random, counting);
    status = atomic_load(&counting->failed) ? error_memory(error) : gather(counting, patterns, error);
  }
  if (counting != NULL) {
    counting_free(counting);
  }
  free(order);
  return status;
}

/* ---- pairs that people decided ---- */

enum status score_decided(const struct scorer *scorer, struct patterns *patterns, struct error *error) {
  const struct prepared *prepared = scorer->prepared;
  const struct link_records *records = prepared->records;
  *patterns = (struct patterns){0};
  if (records->decision_count == 0) {
    return OK;
  }
  struct counting *counting = counting_new(scorer);
  bool fine = true;
  if (counting == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; fine && i < records->decision_count; i++) {
    const struct link_decision *decision = &records->decisions[i];
    fine = !decision->same || count_pair(counting, 0, row_of(prepared, decision->a), row_of(prepared, decision->b));
  }
  enum status status = fine ? gather(counting, patterns, error) : error_memory(error);
  counting_free(counting);
  return status;
}
