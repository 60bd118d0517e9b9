/* Parameters of the Fellegi-Sunter model from counts of comparison patterns. The mixture and its EM are Winkler's
 * ("Using the EM Algorithm for Weight Computation in the Fellegi-Sunter Model of Record Linkage", 1988); u from random
 * pairs and fixed, m in rounds whose blocks differ, as Splink's documentation of training describes. */
#include "core/link/train.h"

#include "core/link/plan.h"

#include <math.h>
#include <stdlib.h>

/* Shares stay this far from 0, and that of matches from 1, where weights would be infinite. */
#define SHARE_LEAST 1e-12
/* EM starts here: blocks propose mostly pairs that are two, and from below it finds the matches rather than the
 * families and villages that a block brings together. */
#define SHARE_FIRST 0.1
#define BEST_DEFAULT 0.9
/* Fewer expected matches than this teach nothing. */
#define EXPECTED_LEAST 1.0
/* Matches that each level is taken to have shown beside those that were seen. */
#define UNSEEN 0.5
/* Pairs that a default m counts beside decided ones. */
#define DEFAULT_PAIRS 10.0
/* Weights nearer than this are equal: sums of rounded shares. */
#define WEIGHT_SLACK 1e-9

typedef double levels_of[LINK_LEVELS_MOST];

/* ---- shares ---- */

/* Makes weights of the levels 1 … count - 1 shares that add up to 1: `fixed` ones other than 0 stand, the free ones
 * share the rest as their weights do, none less than `floor` or half of an equal share. False where there is nothing to
 * go by. */
static bool make_shares(const double *weights, const double *fixed, double floor, size_t count, double *shares) {
  double rest = 1;
  double sum = 0;
  size_t free_count = 0;
  bool low[LINK_LEVELS_MOST] = {false};
  for (size_t level = 1; level < count; level++) {
    bool stands = fixed != NULL && fixed[level] > 0;
    shares[level] = stands ? fixed[level] : weights[level];
    rest -= stands ? fixed[level] : 0;
    sum += stands ? 0 : weights[level];
    free_count += !stands;
    low[level] = stands;
  }
  if (free_count == 0) {
    return true;
  }
  if (!(sum > 0)) {
    return false;
  }
  rest = fmax(rest, SHARE_LEAST);
  double least = fmin(fmax(floor, SHARE_LEAST), rest / (2 * (double)free_count));
  /* Lifting one level takes from the others, which may bring another below: once more, each time with one less. */
  for (bool again = true; again;) {
    again = false;
    for (size_t level = 1; level < count && sum > 0; level++) {
      if (!low[level] && shares[level] * rest / sum < least) {
        low[level] = again = true;
        sum -= shares[level];
        rest -= least;
        shares[level] = least;
        break;
      }
    }
  }
  for (size_t level = 1; level < count; level++) {
    shares[level] *= low[level] ? 1 : rest / sum;
  }
  return true;
}

static const double *fixed_m(const struct comparison *fixed, size_t c) {
  return fixed == NULL ? NULL : fixed[c].m;
}

static const double *fixed_u(const struct comparison *fixed, size_t c) {
  return fixed == NULL ? NULL : fixed[c].u;
}

static void default_m(struct link_model_comparison *c, const double *fixed) {
  levels_of weights = {0};
  double rest = 1 - BEST_DEFAULT;
  weights[1] = BEST_DEFAULT;
  for (size_t level = 2; level < c->level_count; level++) {
    rest /= level + 1 < c->level_count ? 2 : 1;
    weights[level] = rest;
  }
  (void)make_shares(weights, fixed, 0, c->level_count, c->m);
}

static void default_u(struct link_model_comparison *c, const double *fixed) {
  levels_of weights;
  for (size_t level = 0; level < LINK_LEVELS_MOST; level++) {
    weights[level] = 1;
  }
  (void)make_shares(weights, fixed, 0, c->level_count, c->u);
}

void train_defaults(struct link_model *model, const struct comparison *fixed) {
  for (size_t c = 0; c < model->comparison_count; c++) {
    default_m(&model->comparisons[c], fixed_m(fixed, c));
    default_u(&model->comparisons[c], fixed_u(fixed, c));
  }
}

/* ---- u, lambda ---- */

static void count_levels(const struct patterns *patterns, size_t comparison, size_t width, double *counts) {
  uint64_t pairs[LINK_LEVELS_MOST] = {0}; /* whole numbers: the order of the patterns must not matter */
  for (size_t i = 0; i < patterns->count; i++) {
    pairs[patterns->levels[i * width + comparison]] += patterns->pairs[i];
  }
  for (size_t level = 0; level < LINK_LEVELS_MOST; level++) {
    counts[level] = (double)pairs[level];
  }
}

void train_u(struct link_model *model, const struct patterns *random, double floor, const struct comparison *fixed) {
  for (size_t c = 0; c < model->comparison_count; c++) {
    levels_of counts;
    struct link_model_comparison *comparison = &model->comparisons[c];
    count_levels(random, c, model->comparison_count, counts);
    if (!make_shares(counts, fixed_u(fixed, c), floor, comparison->level_count, comparison->u)) {
      default_u(comparison, fixed_u(fixed, c));
    }
  }
}

double train_lambda(uint64_t deterministic_pairs, double recall, uint64_t records) {
  double all = records < 2 ? 1 : (double)records * (double)(records - 1) / 2;
  double found = deterministic_pairs == 0 ? 0.5 : (double)deterministic_pairs;
  double matches = recall > 0 && recall < 1 ? found / recall : found;
  return fmin(matches / all, 0.5);
}

/* ---- m ---- */

/* One round's EM. */
struct round {
  const struct link_model *model; /* u */
  const struct patterns *patterns;
  const size_t *order; /* of the patterns, by their bytes: a sum of doubles depends on its order */
  uint32_t blocked;
  double floor;
  const struct comparison *fixed;
  double share; /* of matches among the pairs: the prior */
  levels_of m[LINK_COMPARISONS_MOST];
  levels_of expected[LINK_COMPARISONS_MOST]; /* matches by level, of the last E step */
};

static int by_levels(const void *a, const void *b, void *context) {
  const struct round *round = context;
  size_t width = round->model->comparison_count;
  const uint8_t *levels = round->patterns->levels;
  return memcmp(levels + *(const size_t *)a * width, levels + *(const size_t *)b * width, width);
}

/* E: the chance that a pair of each pattern is one, summed by comparison and level. Returns the expected matches. */
static double expect(struct round *round) {
  size_t width = round->model->comparison_count;
  levels_of weights[LINK_COMPARISONS_MOST] = {{0}};
  double prior = log2(round->share) - log1p(-round->share) / M_LN2;
  double matches = 0;
  for (size_t c = 0; c < width; c++) {
    const struct link_model_comparison *comparison = &round->model->comparisons[c];
    for (size_t level = 1; level < comparison->level_count && !(round->blocked >> c & 1); level++) {
      weights[c][level] = log2(round->m[c][level]) - log2(comparison->u[level]);
    }
  }
  memset(round->expected, 0, sizeof round->expected);
  for (size_t i = 0; i < round->patterns->count; i++) {
    const uint8_t *levels = round->patterns->levels + round->order[i] * width;
    double weight = prior;
    for (size_t c = 0; c < width; c++) {
      weight += weights[c][levels[c]];
    }
    double expected = (double)round->patterns->pairs[round->order[i]] * link_probability(weight);
    matches += expected;
    for (size_t c = 0; c < width; c++) {
      round->expected[c][levels[c]] += expected;
    }
  }
  return matches;
}

/* M: m and the prior as the expectation has them. Returns the greatest change of an m. */
static double maximise(struct round *round, double matches, double pairs) {
  double change = 0;
  for (size_t c = 0; c < round->model->comparison_count; c++) {
    levels_of m;
    size_t count = round->model->comparisons[c].level_count;
    if (round->blocked >> c & 1 || !make_shares(round->expected[c], fixed_m(round->fixed, c), round->floor, count, m)) {
      continue;
    }
    for (size_t level = 1; level < count; level++) {
      change = fmax(change, fabs(m[level] - round->m[c][level]));
      round->m[c][level] = m[level];
    }
  }
  round->share = fmin(fmax(matches / pairs, SHARE_LEAST), 1 - SHARE_LEAST);
  return change;
}

/* Expected matches that have both values of a comparison. */
static double taught(const double *expected, size_t level_count) {
  double sum = 0;
  for (size_t level = 1; level < level_count; level++) {
    sum += expected[level];
  }
  return sum;
}

static enum status run_round(struct round *round, double threshold, unsigned iterations_most,
                             struct train_report *report, struct error *error) {
  size_t count = round->patterns->count;
  double pairs = 0;
  double change = 0;
  unsigned iterations = 0;
  bool converged = false;
  size_t *order = malloc((count > 0 ? count : 1) * sizeof *order);
  if (order == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < count; i++) {
    order[i] = i;
    pairs += (double)round->patterns->pairs[i];
  }
  qsort_r(order, count, sizeof *order, by_levels, round);
  round->order = order;
  while (!converged && iterations < iterations_most && pairs > 0) {
    change = maximise(round, expect(round), pairs);
    converged = change <= threshold;
    iterations++;
  }
  free(order);
  report->iterations = iterations > report->iterations ? iterations : report->iterations;
  report->converged = report->converged && (converged || !(pairs > 0));
  report->change = fmax(report->change, change);
  return OK;
}

static void begin_round(struct round *round, const struct train_round *from) {
  round->patterns = from->patterns;
  round->blocked = from->blocked;
  round->share = SHARE_FIRST;
  for (size_t c = 0; c < round->model->comparison_count; c++) {
    struct link_model_comparison start = round->model->comparisons[c];
    default_m(&start, fixed_m(round->fixed, c));
    memcpy(round->m[c], start.m, sizeof start.m);
  }
}

/* Adds what a round learned to the sums of all rounds. */
static void add_round(const struct round *round, levels_of *sums, double *expected) {
  for (size_t c = 0; c < round->model->comparison_count; c++) {
    size_t count = round->model->comparisons[c].level_count;
    double weight = round->blocked >> c & 1 ? 0 : taught(round->expected[c], count);
    if (weight < EXPECTED_LEAST) {
      continue;
    }
    expected[c] += weight;
    for (size_t level = 1; level < count; level++) {
      sums[c][level] += weight * round->m[c][level];
    }
  }
}

/* ---- what came of it ---- */

static bool is_disordered(const struct link_model *model, size_t comparison) {
  double least = INFINITY;
  for (size_t level = 1; level < model->comparisons[comparison].level_count; level++) {
    double weight = link_model_weight(model, comparison, level);
    if (weight > least + WEIGHT_SLACK) {
      return true;
    }
    least = fmin(least, weight);
  }
  return false;
}

/* Whether the file leaves anything of m to learn. */
static bool has_free_m(const struct link_model_comparison *c, const double *fixed) {
  for (size_t level = 1; level < c->level_count && c->level_count > 2; level++) {
    if (fixed == NULL || !(fixed[level] > 0)) {
      return true;
    }
  }
  return false;
}

static void fill_bits(const struct link_model *model, const struct comparison *fixed, struct train_report *report) {
  report->unlearned = report->disordered = 0;
  for (size_t c = 0; c < model->comparison_count; c++) {
    bool unlearned = !(report->expected[c] > 0) && has_free_m(&model->comparisons[c], fixed_m(fixed, c));
    report->unlearned |= (uint32_t)unlearned << c;
    report->disordered |= (uint32_t)is_disordered(model, c) << c;
  }
}

enum status train_m(struct link_model *model, const struct train_round *rounds, size_t count, double floor,
                    double threshold, unsigned iterations_most, const struct comparison *fixed,
                    struct train_report *report, struct error *error) {
  levels_of sums[LINK_COMPARISONS_MOST] = {{0}};
  struct round *round = calloc(1, sizeof *round);
  if (round == NULL) {
    return error_memory(error);
  }
  *report = (struct train_report){.converged = true};
  round->model = model;
  round->floor = floor;
  round->fixed = fixed;
  enum status status = OK;
  for (size_t i = 0; status == OK && i < count; i++) {
    begin_round(round, &rounds[i]);
    status = run_round(round, threshold, iterations_most, report, error);
    if (status == OK) {
      add_round(round, sums, report->expected);
    }
    memset(round->expected, 0, sizeof round->expected);
  }
  free(round);
  for (size_t c = 0; status == OK && c < model->comparison_count; c++) {
    struct link_model_comparison *comparison = &model->comparisons[c];
    if (!make_shares(sums[c], fixed_m(fixed, c), floor, comparison->level_count, comparison->m)) {
      default_m(comparison, fixed_m(fixed, c));
    }
  }
  model->rounds = (unsigned)count;
  model->iterations = report->iterations;
  model->converged = report->converged;
  fill_bits(model, fixed, report);
  return status;
}

void train_labels(struct link_model *model, const struct patterns *same, double weight, double floor,
                  const struct comparison *fixed, struct train_report *report) {
  for (size_t c = 0; c < model->comparison_count; c++) {
    struct link_model_comparison *comparison = &model->comparisons[c];
    levels_of counts;
    count_levels(same, c, model->comparison_count, counts);
    double decided = weight * taught(counts, comparison->level_count);
    if (!(decided > 0)) {
      continue;
    }
    double before = report->expected[c] > 0 ? report->expected[c] : DEFAULT_PAIRS;
    for (size_t level = 1; level < comparison->level_count; level++) {
      counts[level] = weight * counts[level] + before * comparison->m[level];
    }
    (void)make_shares(counts, fixed_m(fixed, c), floor, comparison->level_count, comparison->m);
    report->expected[c] += decided;
  }
  fill_bits(model, fixed, report);
}

void train_unseen(struct link_model *model, double floor, const struct comparison *fixed, struct train_report *report) {
  for (size_t c = 0; c < model->comparison_count; c++) {
    struct link_model_comparison *comparison = &model->comparisons[c];
    levels_of matches = {0};
    for (size_t level = 1; level < comparison->level_count; level++) {
      matches[level] = report->expected[c] * comparison->m[level] + UNSEEN;
    }
    if (report->expected[c] > 0) {
      (void)make_shares(matches, fixed_m(fixed, c), floor, comparison->level_count, comparison->m);
    }
  }
  fill_bits(model, fixed, report);
}
