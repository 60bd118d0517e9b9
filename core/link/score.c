#include "core/link/score.h"

#include "core/link/crew.h"
#include "core/link/walk.h"

#include <stdlib.h>

/* 5 GiB of pairs: a configuration that keeps more tells nobody apart. */
#define PAIRS_MOST ((size_t)1 << 28)

struct kept {
  struct link_pair *pairs;
  size_t count, capacity;
  uint64_t above; /* of the rule at work, of weight 0 and more */
  struct compare_cache *cache;
};

struct scoring {
  const struct scorer *scorer;
  const struct weights *weights;
  uint32_t cheap; /* comparisons that look at no text, a bit each */
  uint16_t rule;
  struct kept kept[CREW_MOST];
};

static bool keep(struct kept *kept, const struct link_pair *pair) {
  if (kept->count == kept->capacity) {
    size_t capacity = kept->capacity == 0 ? 4096 : kept->capacity * 2;
    struct link_pair *pairs = kept->count > PAIRS_MOST ? NULL : realloc(kept->pairs, capacity * sizeof *pairs);
    if (pairs == NULL) {
      return false;
    }
    kept->pairs = pairs;
    kept->capacity = capacity;
  }
  kept->pairs[kept->count++] = *pair;
  return true;
}

/* A pair that may reach weight 0, by what was compared so far. */
static bool score_pair(struct scoring *scoring, struct kept *kept, const struct walk_tile *tile, unsigned i,
                       struct reach *reach) {
  const struct prepared *prepared = scoring->scorer->prepared;
  const uint32_t *row = tile->b_rows + i * prepared->width;
  if (!weights_end(scoring->weights, kept->cache, tile->a_row, row, reach)) {
    return true;
  }
  float weight = weights_pair(scoring->weights, tile->a_row, row, reach->levels);
  uint16_t verdict = compare_verdict(prepared->plan, reach->levels);
  bool merges = verdict != LINK_NO_RULE && prepared->plan->rules[verdict].verdict == VERDICT_MERGE;
  uint32_t b = tile->b[i];
  struct link_pair pair = {.a = tile->a < b ? tile->a : b,
                           .b = tile->a < b ? b : tile->a,
                           .weight = weight,
                           .block = scoring->rule,
                           .verdict = verdict};
  kept->above += weight >= 0;
  return (weight < 0 && !merges) || keep(kept, &pair);
}

/* First what numbers tell; of the few pairs that are left, texts are called for before they are looked at. */
static bool score_tile(void *context, unsigned thread, const struct walk_tile *tile) {
  struct scoring *scoring = context;
  const struct prepared *prepared = scoring->scorer->prepared;
  struct kept *kept = &scoring->kept[thread];
  struct reach reach[WALK_TILE];
  uint32_t left = 0;
  for (uint32_t bits = tile->wanted; bits != 0; bits &= bits - 1) {
    unsigned i = (unsigned)__builtin_ctz(bits);
    const uint32_t *row = tile->b_rows + i * prepared->width;
    if (weights_begin(scoring->weights, kept->cache, tile->a_row, row, &reach[i])) {
      compare_call(prepared, row, ~scoring->cheap);
      left |= UINT32_C(1) << i;
    }
  }
  if (left != 0) {
    compare_call(prepared, tile->a_row, ~scoring->cheap);
  }
  bool fine = true;
  for (; fine && left != 0; left &= left - 1) {
    unsigned i = (unsigned)__builtin_ctz(left);
    fine = score_pair(scoring, kept, tile, i, &reach[i]);
  }
  return fine;
}

static int by_second(const void *a, const void *b) {
  const struct link_pair *x = a;
  const struct link_pair *y = b;
  return (x->b > y->b) - (x->b < y->b);
}

/* By (a, b): counted into place by `a`, then each run by `b`. */
static enum status sort_pairs(struct scoring *scoring, struct link_result *result, struct error *error) {
  size_t records = scoring->scorer->prepared->records->count;
  size_t total = 0;
  for (unsigned i = 0; i < CREW_MOST; i++) {
    total += scoring->kept[i].count;
  }
  if (total > PAIRS_MOST) {
    error_set(error, ERR_LIMIT, _("more than %zu pairs of records have a weight of 0 and more"), PAIRS_MOST);
    error_hint(error, _("compare more columns, or block by stricter rules"));
    return ERR_LIMIT;
  }
  size_t *starts = calloc(records + 2, sizeof *starts);
  result->pairs = malloc((total + 1) * sizeof *result->pairs);
  if (starts == NULL || result->pairs == NULL) {
    free(starts);
    return error_memory(error);
  }
  for (unsigned i = 0; i < CREW_MOST; i++) {
    for (size_t j = 0; j < scoring->kept[i].count; j++) {
      starts[scoring->kept[i].pairs[j].a + 1]++;
    }
  }
  for (size_t i = 0; i < records; i++) {
    starts[i + 1] += starts[i];
  }
  for (unsigned i = 0; i < CREW_MOST; i++) {
    for (size_t j = 0; j < scoring->kept[i].count; j++) {
      result->pairs[starts[scoring->kept[i].pairs[j].a]++] = scoring->kept[i].pairs[j];
    }
    free(scoring->kept[i].pairs);
    scoring->kept[i].pairs = NULL;
  }
  result->pair_count = total;
  for (size_t i = 0, from = 0; i < records; from = starts[i++]) {
    if (starts[i] - from > 1) {
      qsort(result->pairs + from, starts[i] - from, sizeof *result->pairs, by_second);
    }
  }
  free(starts);
  return OK;
}

static enum status score_rule(struct scoring *scoring, uint16_t rule, struct link_result *result, struct error *error) {
  const struct scorer *scorer = scoring->scorer;
  double rules = (double)scorer->prepared->plan->block_count;
  struct walk_counts counts;
  struct walk walk = {.blocks = scorer->blocks,
                      .rule = rule,
                      .earlier = (UINT64_C(1) << rule) - 1,
                      .calls = scoring->cheap,
                      .fresh = scorer->fresh,
                      .threads = scorer->threads,
                      .options = scorer->options,
                      .step = "score",
                      .from = rule / rules,
                      .to = (rule + 1) / rules,
                      .visit = score_tile,
                      .context = scoring};
  scoring->rule = rule;
  enum status status = walk_pairs(&walk, &counts, error);
  result->blocks[rule] = scorer->blocks->counts[rule];
  result->blocks[rule].proposed = counts.proposed;
  result->blocks[rule].marginal = counts.wanted;
  result->compared += counts.wanted;
  for (unsigned i = 0; i < CREW_MOST; i++) {
    result->blocks[rule].kept += scoring->kept[i].above;
    scoring->kept[i].above = 0;
  }
  return status;
}

enum status score_pairs(const struct scorer *scorer, const struct weights *weights, struct link_result *result,
                        struct error *error) {
  struct scoring *scoring = calloc(1, sizeof *scoring);
  enum status status = scoring == NULL ? error_memory(error) : OK;
  if (status == OK) {
    scoring->scorer = scorer;
    scoring->weights = weights;
    scoring->cheap = weights_cheap(weights);
  }
  for (unsigned i = 0; status == OK && i < scorer->threads; i++) {
    scoring->kept[i].cache = compare_cache_new(scorer->prepared);
    status = scoring->kept[i].cache == NULL ? error_memory(error) : OK;
  }
  for (uint16_t rule = 0; status == OK && rule < scorer->prepared->plan->block_count; rule++) {
    status = score_rule(scoring, rule, result, error);
  }
  status = status == OK ? sort_pairs(scoring, result, error) : status;
  for (unsigned i = 0; scoring != NULL && i < CREW_MOST; i++) {
    compare_cache_free(scoring->kept[i].cache);
    free(scoring->kept[i].pairs);
  }
  free(scoring);
  return status;
}

static bool pass_over(void *context, unsigned thread, const struct walk_tile *tile) {
  (void)context;
  (void)thread;
  (void)tile;
  return true;
}

enum status score_count(const struct scorer *scorer, uint64_t rules, uint64_t *pairs, struct error *error) {
  enum status status = OK;
  *pairs = 0;
  for (uint16_t rule = 0; status == OK && rule < scorer->prepared->plan->block_count; rule++) {
    struct walk_counts counts;
    struct walk walk = {.blocks = scorer->blocks,
                        .rule = rule,
                        .earlier = rules & ((UINT64_C(1) << rule) - 1),
                        .threads = scorer->threads,
                        .visit = pass_over};
    if ((rules >> rule & 1) != 0) {
      status = walk_pairs(&walk, &counts, error);
      *pairs += counts.wanted;
    }
  }
  return status;
}
