#include "core/link/joint.h"

#include <math.h>
#include <stdlib.h>

/* More than the rounding of a sum of weights. */
#define SLACK 0.01F

struct comparison_weights {
  float levels[LINK_LEVELS_MOST];
  float *adjustments; /* by value; NULL: none */
  unsigned exact;
  float differing;                    /* the greatest weight that two different values may have */
  bool instead;                       /* may be taken back, and then weighs 0 */
  uint64_t merging[LINK_LEVELS_MOST]; /* by level: rules that merge and allow it, a bit each */
};

struct weights {
  float prior;
  size_t width;
  uint8_t order[LINK_COMPARISONS_MOST]; /* cheap comparisons first */
  size_t cheap;                         /* of them */
  uint64_t merging;                     /* rules */
  struct joint joint;
  struct comparison_weights comparisons[LINK_COMPARISONS_MOST];
};

unsigned weights_exact_level(const struct comparison *comparison) {
  if (comparison->kind != COMPARE_TEXT) {
    return comparison->to_level[TELL_SAME];
  }
  for (unsigned i = 1; i + 1 < comparison->level_count; i++) {
    if (comparison->measures[i] == TEXT_EXACT) {
      return i;
    }
  }
  return 0;
}

/* log2(mean / share), so that u becomes u · share / mean: agreement on a rare value says more than agreement on a
 * common one (Winkler 1989; Splink's term-frequency adjustment, where u itself is the mean). Records that share a value
 * because they are one person are in share and in mean alike, and not in u: an e-mail address that one person alone has
 * does not look common because the file has that person five times. Shares below the floors are not believed: a value
 * seen once may be a slip of the pen. */
static enum status make_adjustments(const struct prepared *prepared, const struct link_model *model, size_t comparison,
                                    struct comparison_weights *weights, struct error *error) {
  const struct link_frequency *frequency = model->comparisons[comparison].frequency;
  size_t count = prepared_value_count(prepared, comparison);
  double floor = prepared->plan->train.frequency_floor;
  struct arena *arena = arena_new(0);
  weights->adjustments = malloc((count + 1) * sizeof *weights->adjustments);
  if (weights->adjustments == NULL || arena == NULL) {
    arena_free(arena);
    return error_memory(error);
  }
  floor = frequency->floor > floor ? frequency->floor : floor;
  enum status status = OK;
  for (size_t i = 0; status == OK && i < count; i++) {
    arena_reset(arena);
    uint32_t at = map_get(frequency->values, prepared_text(prepared, comparison, (uint32_t)i, arena));
    status = arena_failed(arena) ? error_memory(error) : OK;
    double share = at == MAP_NONE ? 0 : frequency->share[at];
    share = share < floor ? floor : share;
    weights->adjustments[i] = frequency->mean > 0 && share > 0 ? (float)log2(frequency->mean / share) : 0;
  }
  arena_free(arena);
  return status;
}

static bool agrees(const struct weights *weights, size_t comparison, const uint32_t *a, const uint32_t *b,
                   const uint8_t *levels) {
  const struct comparison_weights *here = &weights->comparisons[comparison];
  return here->adjustments != NULL && a[comparison] == b[comparison] && levels[comparison] == here->exact
         && a[comparison] != LINK_MISSING;
}

/* That of given names holds what whole names take back. */
float weights_adjustment(const struct weights *weights, size_t comparison, const uint32_t *a, const uint32_t *b,
                         const uint8_t *levels) {
  const struct joint *joint = &weights->joint;
  if (!agrees(weights, comparison, a, b, levels)) {
    return 0;
  }
  float adjustment = weights->comparisons[comparison].adjustments[a[comparison]];
  bool whole = joint->slots > 0 && comparison == joint->given && agrees(weights, joint->surname, a, b, levels);
  return whole ? adjustment + joint_less(joint, a[joint->surname], a[joint->given]) : adjustment;
}

/* ---- what a pair may reach ---- */

/* Different values are told TELL_SAME by no comparison of these kinds. */
static bool differing_may_be(const struct comparison *comparison, unsigned level) {
  static const bool never_same[COMPARISON_KINDS] = {[COMPARE_SURNAMES] = true,
                                                    [COMPARE_DATE] = true,
                                                    [COMPARE_AGE] = true,
                                                    [COMPARE_NUMBER] = true,
                                                    [COMPARE_DAYS] = true};
  if (comparison->kind == COMPARE_TEXT) {
    return comparison->measures[level] != TEXT_EXACT;
  }
  if (!never_same[comparison->kind]) {
    return true;
  }
  for (unsigned tell = TELL_SAME + 1; comparison_types[comparison->kind].levels[tell] != NULL; tell++) {
    if (comparison->to_level[tell] == level) {
      return true;
    }
  }
  return false;
}

static void make_bounds(const struct link_plan *plan, struct weights *weights) {
  for (size_t i = 0; i < weights->width; i++) {
    struct comparison_weights *here = &weights->comparisons[i];
    const struct comparison *comparison = &plan->comparisons[i];
    here->instead = comparison->instead_of != 0;
    for (unsigned level = 1; level < comparison->level_count; level++) {
      bool greater = differing_may_be(comparison, level) && here->levels[level] > here->differing;
      here->differing = greater ? here->levels[level] : here->differing;
    }
  }
  for (size_t rule = 0; rule < plan->rule_count; rule++) {
    uint64_t bit = UINT64_C(1) << rule;
    weights->merging |= plan->rules[rule].verdict == VERDICT_MERGE ? bit : 0;
    for (size_t i = 0; i < weights->width; i++) {
      for (unsigned level = 0; level < LINK_LEVELS_MOST; level++) {
        uint16_t when = plan->rules[rule].when[i];
        weights->comparisons[i].merging[level] |= when == 0 || (when >> level & 1) != 0 ? bit : 0;
      }
    }
  }
}

enum { COSTLY = 3 }; /* what looks at texts, and more */

/* Given names after surnames: what whole names take back needs the level of both. */
static void make_order(const struct link_plan *plan, struct weights *weights) {
  static const uint8_t cost[COMPARISON_KINDS] = {
      [COMPARE_CODE] = 0,     [COMPARE_AGE] = 0,   [COMPARE_DATE] = 1,  [COMPARE_DOCUMENT] = 2,
      [COMPARE_NUMBER] = 3,   [COMPARE_DAYS] = 1,  [COMPARE_PLACE] = 2, [COMPARE_TEXT] = 3,
      [COMPARE_SURNAMES] = 4, [COMPARE_GIVEN] = 5, [COMPARE_NAME] = 6};
  for (size_t i = 0; i < weights->width; i++) {
    size_t at = i;
    for (; at > 0 && cost[plan->comparisons[weights->order[at - 1]].kind] > cost[plan->comparisons[i].kind]; at--) {
      weights->order[at] = weights->order[at - 1];
    }
    weights->order[at] = (uint8_t)i;
    weights->cheap += cost[plan->comparisons[i].kind] < COSTLY;
  }
}

/* At most so much has a comparison of two values; exact where they are equal. */
static float most_of(const struct comparison_weights *here, uint32_t a, uint32_t b) {
  float most = here->differing;
  if (a == LINK_MISSING || b == LINK_MISSING) {
    return 0;
  }
  if (a == b) {
    /* Equal values are told something else only where they say less: a year alone, a maternal surname alone. */
    most = here->levels[here->exact] + (here->adjustments == NULL ? 0 : here->adjustments[a]);
    most = most > here->differing ? most : here->differing;
  }
  return here->instead && most < 0 ? 0 : most;
}

/* Compares by the k-th to compare; what that found takes the place of `most` in the bound. */
static inline void compare_next(const struct weights *weights, struct compare_cache *cache, size_t k, const uint32_t *a,
                                const uint32_t *b, float most, struct reach *reach) {
  size_t i = weights->order[k];
  const struct comparison_weights *here = &weights->comparisons[i];
  uint8_t level = compare_level(cache, i, a, b);
  float found = here->levels[level];
  reach->levels[i] = level;
  if (here->adjustments != NULL && a[i] == b[i]) {
    found += weights_adjustment(weights, i, a, b, reach->levels);
  }
  reach->bound += (here->instead && found < 0 ? 0 : found) - most;
  /* What is taken back is missing then. */
  reach->merging &= here->merging[level] | (here->instead ? here->merging[TELL_MISSING] : 0);
}

bool weights_begin(const struct weights *weights, struct compare_cache *cache, const uint32_t *a, const uint32_t *b,
                   struct reach *reach) {
  reach->bound = weights->prior + SLACK;
  reach->merging = weights->merging;
  for (size_t k = 0; k < weights->cheap; k++) {
    compare_next(weights, cache, k, a, b, 0, reach);
  }
  for (size_t k = weights->cheap; k < weights->width; k++) {
    size_t i = weights->order[k];
    reach->bound += most_of(&weights->comparisons[i], a[i], b[i]);
  }
  return reach->bound >= 0 || reach->merging != 0;
}

bool weights_end(const struct weights *weights, struct compare_cache *cache, const uint32_t *a, const uint32_t *b,
                 struct reach *reach) {
  for (size_t k = weights->cheap; k < weights->width; k++) {
    size_t i = weights->order[k];
    if (reach->bound < 0 && reach->merging == 0) {
      return false;
    }
    compare_next(weights, cache, k, a, b, most_of(&weights->comparisons[i], a[i], b[i]), reach);
  }
  compare_settle(cache, reach->levels);
  return reach->bound >= 0 || reach->merging != 0;
}

uint32_t weights_cheap(const struct weights *weights) {
  uint32_t comparisons = 0;
  for (size_t k = 0; k < weights->cheap; k++) {
    comparisons |= UINT32_C(1) << weights->order[k];
  }
  return comparisons;
}

enum status weights_make(const struct prepared *prepared, const struct link_model *model, struct weights **out,
                         struct error *error) {
  struct weights *weights = calloc(1, sizeof *weights);
  enum status status = weights == NULL ? error_memory(error) : OK;
  *out = NULL;
  if (status == OK) {
    weights->prior = (float)link_model_prior(model);
    weights->width = prepared->plan->comparison_count;
  }
  for (size_t i = 0; status == OK && i < weights->width; i++) {
    const struct comparison *comparison = &prepared->plan->comparisons[i];
    struct comparison_weights *here = &weights->comparisons[i];
    for (unsigned j = 1; j < comparison->level_count; j++) {
      here->levels[j] = (float)link_model_weight(model, i, j);
    }
    here->exact = weights_exact_level(comparison);
    if (comparison->frequency && here->exact != 0 && model->comparisons[i].frequency != NULL) {
      status = make_adjustments(prepared, model, i, here, error);
    }
  }
  status = status == OK ? joint_make(prepared, model, &weights->joint, error) : status;
  if (status != OK) {
    weights_free(weights);
    return status;
  }
  make_bounds(prepared->plan, weights);
  make_order(prepared->plan, weights);
  *out = weights;
  return OK;
}

void weights_free(struct weights *weights) {
  if (weights != NULL) {
    for (size_t i = 0; i < LINK_COMPARISONS_MOST; i++) {
      free(weights->comparisons[i].adjustments);
    }
    joint_free(&weights->joint);
    free(weights);
  }
}

float weights_pair(const struct weights *weights, const uint32_t *a, const uint32_t *b, const uint8_t *levels) {
  float sum = weights->prior;
  for (size_t i = 0; i < weights->width; i++) {
    sum += weights->comparisons[i].levels[levels[i]];
    if (a[i] == b[i]) {
      sum += weights_adjustment(weights, i, a, b, levels);
    }
  }
  return sum;
}
