#include "core/link/score.h"

#include <math.h>
#include <stdlib.h>

struct comparison_weights {
  float levels[LINK_LEVELS_MOST];
  float *adjustments; /* by value; NULL: none */
  unsigned exact;
};

struct weights {
  float prior;
  size_t width;
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

/* log2(u / share), so that the weight of the level becomes log2(m / share): agreement on a rare value says more than
 * agreement on a common one (Winkler 1989; Splink's term-frequency adjustment). Shares below the floors are not
 * believed: a value seen once may be a slip of the pen. */
static enum status make_adjustments(const struct prepared *prepared, const struct link_model *model, size_t comparison,
                                    struct comparison_weights *weights, struct error *error) {
  const struct link_frequency *frequency = model->comparisons[comparison].frequency;
  size_t count = prepared_value_count(prepared, comparison);
  double u = model->comparisons[comparison].u[weights->exact];
  double floor = prepared->plan->train.frequency_floor;
  struct arena *arena = arena_new(0);
  weights->adjustments = malloc((count + 1) * sizeof *weights->adjustments);
  if (weights->adjustments == NULL || arena == NULL) {
    arena_free(arena);
    return error_memory(error);
  }
  floor = frequency->floor > floor ? frequency->floor : floor;
  for (size_t i = 0; i < count; i++) {
    arena_reset(arena);
    uint32_t at = map_get(frequency->values, prepared_text(prepared, comparison, (uint32_t)i, arena));
    double share = at == MAP_NONE ? 0 : frequency->share[at];
    share = share < floor ? floor : share;
    weights->adjustments[i] = u > 0 && share > 0 ? (float)log2(u / share) : 0;
  }
  arena_free(arena);
  return OK;
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
  if (status != OK) {
    weights_free(weights);
    return status;
  }
  *out = weights;
  return OK;
}

void weights_free(struct weights *weights) {
  if (weights != NULL) {
    for (size_t i = 0; i < LINK_COMPARISONS_MOST; i++) {
      free(weights->comparisons[i].adjustments);
    }
    free(weights);
  }
}

float weights_adjustment(const struct weights *weights, size_t comparison, const uint32_t *a, const uint32_t *b,
                         const uint8_t *levels) {
  const struct comparison_weights *here = &weights->comparisons[comparison];
  bool applies = here->adjustments != NULL && a[comparison] == b[comparison] && levels[comparison] == here->exact
                 && a[comparison] != LINK_MISSING;
  return applies ? here->adjustments[a[comparison]] : 0;
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
