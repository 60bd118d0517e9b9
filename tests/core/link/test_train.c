#include "core/link/train.h"

#include "core/link/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#define FLOOR 1e-6

/* A model of comparisons with so many levels each, missing counted; 0 ends the list. */
static struct link_model *make_model(const size_t *level_counts) {
  struct link_model *model = link_model_new();
  assert_non_null(model);
  for (; level_counts[model->comparison_count] > 0; model->comparison_count++) {
    model->comparisons[model->comparison_count].level_count = level_counts[model->comparison_count];
  }
  model->lambda = 0.01;
  train_defaults(model, NULL);
  return model;
}

static void set_shares(double *shares, const double *values, size_t count) {
  for (size_t level = 1; level < count; level++) {
    shares[level] = values[level];
  }
}

static void learn(struct link_model *model, const struct train_round *rounds, size_t count,
                  const struct comparison *fixed, struct train_report *report) {
  struct error error;
  assert_int_equal(train_m(model, rounds, count, FLOOR, 1e-9, 5000, fixed, report, &error), OK);
}

static void assert_distributions(const struct link_model *model) {
  for (size_t c = 0; c < model->comparison_count; c++) {
    double m = 0;
    double u = 0;
    for (size_t level = 1; level < model->comparisons[c].level_count; level++) {
      assert_true(model->comparisons[c].m[level] > 0 && model->comparisons[c].u[level] > 0);
      assert_true(isfinite(link_model_weight(model, c, level)));
      m += model->comparisons[c].m[level];
      u += model->comparisons[c].u[level];
    }
    assert_float_equal(m, 1, 1e-12);
    assert_float_equal(u, 1, 1e-12);
  }
}

/* ---- by hand ---- */

/* Two comparisons (missing, exact, else), u = (1/10, 9/10) and (1/5, 4/5), m from its default (9/10, 1/10), 1040 pairs,
 * share of matches from 1/10, so prior odds of 1/9. Odds of a pattern: 1/9 times m/u of its levels; p = odds / (1 +
 * odds).
 *
 *   pattern        pairs  m/u of each            odds    p      expected matches
 *   exact exact      100  9          9/2         9/2     9/11   900/11
 *   exact else        50  9          1/8         1/8     1/9     50/9
 *   else  exact       50  1/9        9/2         1/18    1/19    50/19
 *   else  else       800  1/9        1/8         1/648   1/649  800/649
 *   missing exact     40  1          9/2         1/2     1/3     40/3
 *
 * First M step: m of "exact" is (900/11 + 50/9) / (900/11 + 50/9 + 50/19 + 800/649) for the first comparison, which the
 * 40 pairs without it do not teach, and (900/11 + 50/19 + 40/3) / (all five) for the second; the share of matches is
 * the sum of all five / 1040. */
static const uint8_t hand_levels[] = {1, 1, 1, 2, 2, 1, 2, 2, 0, 1};
static uint64_t hand_pairs[] = {100, 50, 50, 800, 40};

static struct link_model *hand_model(void) {
  static const size_t level_counts[] = {3, 3, 0};
  struct link_model *model = make_model(level_counts);
  set_shares(model->comparisons[0].u, (const double[]){0, 0.1, 0.9}, 3);
  set_shares(model->comparisons[1].u, (const double[]){0, 0.2, 0.8}, 3);
  return model;
}

static void run_by_hand(struct link_model *model, unsigned iterations, struct train_report *report) {
  uint8_t levels[sizeof hand_levels];
  memcpy(levels, hand_levels, sizeof levels);
  const struct patterns patterns = {levels, hand_pairs, 5};
  const struct train_round round = {&patterns, 0};
  struct error error;
  assert_int_equal(train_m(model, &round, 1, 1e-12, 1e-9, iterations, NULL, report, &error), OK);
}

static void the_first_iteration_is_as_by_hand(void **state) {
  (void)state;
  struct link_model *model = hand_model();
  struct train_report report;
  run_by_hand(model, 1, &report);
  double first = 900.0 / 11 + 50.0 / 9 + 50.0 / 19 + 800.0 / 649;
  double all = first + 40.0 / 3;
  assert_float_equal(report.expected[0], first, 1e-9);
  assert_float_equal(report.expected[1], all, 1e-9);
  assert_float_equal(model->comparisons[0].m[1], (900.0 / 11 + 50.0 / 9) / first, 1e-9);
  assert_float_equal(model->comparisons[0].m[2], (50.0 / 19 + 800.0 / 649) / first, 1e-9);
  assert_float_equal(model->comparisons[1].m[1], (900.0 / 11 + 50.0 / 19 + 40.0 / 3) / all, 1e-9);
  assert_float_equal(report.change, fabs((900.0 / 11 + 50.0 / 9) / first - 0.9), 1e-9);
  assert_int_equal(report.iterations, 1);
  assert_false(report.converged);
  assert_false(model->converged);
  assert_int_equal(model->iterations, 1);
  assert_int_equal(model->rounds, 1);
  link_model_free(model);
}

/* The second begins with what the first gave, its share of matches too. */
static void the_second_iteration_goes_on_from_the_first(void **state) {
  (void)state;
  static const double u[2][3] = {{1, 0.1, 0.9}, {1, 0.2, 0.8}};
  struct link_model *model = hand_model();
  struct train_report report;
  double first = 900.0 / 11 + 50.0 / 9 + 50.0 / 19 + 800.0 / 649;
  double all = first + 40.0 / 3;
  const double m[2][3] = {{1, (900.0 / 11 + 50.0 / 9) / first, (50.0 / 19 + 800.0 / 649) / first},
                          {1, (900.0 / 11 + 50.0 / 19 + 40.0 / 3) / all, (50.0 / 9 + 800.0 / 649) / all}};
  double share = all / 1040;
  double expected[3] = {0};
  for (size_t i = 0; i < 5; i++) {
    const uint8_t *levels = &hand_levels[2 * i];
    double one = share * m[0][levels[0]] * m[1][levels[1]];
    double two = (1 - share) * u[0][levels[0]] * u[1][levels[1]];
    expected[levels[0]] += (double)hand_pairs[i] * one / (one + two);
  }
  run_by_hand(model, 2, &report);
  assert_float_equal(model->comparisons[0].m[1], expected[1] / (expected[1] + expected[2]), 1e-9);
  assert_int_equal(report.iterations, 2);
  link_model_free(model);
}

/* ---- recovery from exact counts ---- */

enum { WIDTH_MOST = 5, PATTERNS_MOST = 1024 };

struct truth {
  size_t level_counts[WIDTH_MOST + 1];
  double m[WIDTH_MOST][LINK_LEVELS_MOST]; /* by level; [0] the share of pairs without a value, of both kinds */
  double u[WIDTH_MOST][LINK_LEVELS_MOST];
};

static const struct truth truth = {
    .level_counts = {4, 3, 3, 4, 3, 0},
    .m = {{0.1, 0.85, 0.1, 0.05}, {0, 0.95, 0.05}, {0.2, 0.7, 0.3}, {0.05, 0.6, 0.3, 0.1}, {0, 0.8, 0.2}},
    .u = {{0.1, 0.01, 0.04, 0.95}, {0, 0.5, 0.5}, {0.2, 0.05, 0.95}, {0.05, 0.02, 0.08, 0.9}, {0, 0.1, 0.9}},
};

struct generated {
  uint8_t levels[PATTERNS_MOST * WIDTH_MOST];
  uint64_t pairs[PATTERNS_MOST];
  struct patterns patterns;
};

static double chance(const double *shares, size_t level) {
  return level == 0 ? shares[0] : (1 - shares[0]) * shares[level];
}

/* Every pattern of the first `width` comparisons with the pairs that are to be expected of `pairs`; `blocked` ones are
 * at level 1. */
static struct generated *generate(const struct truth *from, size_t width, uint32_t blocked, double pairs,
                                  double share) {
  struct generated *made = calloc(1, sizeof *made);
  uint8_t levels[WIDTH_MOST] = {0};
  assert_non_null(made);
  made->patterns = (struct patterns){made->levels, made->pairs, 0};
  for (size_t at = 0; at < width;) {
    double one = share;
    double two = 1 - share;
    for (size_t c = 0; c < width; c++) {
      bool forced = blocked >> c & 1;
      one *= forced ? levels[c] == 1 : chance(from->m[c], levels[c]);
      two *= forced ? levels[c] == 1 : chance(from->u[c], levels[c]);
    }
    if (one + two > 0) {
      memcpy(made->levels + made->patterns.count * width, levels, width);
      made->pairs[made->patterns.count++] = (uint64_t)(pairs * (one + two) + 0.5);
    }
    for (at = 0; at < width && ++levels[at] == from->level_counts[at]; at++) {
      levels[at] = 0;
    }
  }
  return made;
}

static struct link_model *model_of(size_t width) {
  size_t level_counts[WIDTH_MOST + 1] = {0};
  memcpy(level_counts, truth.level_counts, width * sizeof *level_counts);
  struct link_model *model = make_model(level_counts);
  for (size_t c = 0; c < width; c++) {
    set_shares(model->comparisons[c].u, truth.u[c], level_counts[c]);
  }
  return model;
}

static void assert_shares(const double *shares, const double *expected, size_t count, double slack) {
  for (size_t level = 1; level < count; level++) {
    assert_float_equal(shares[level], expected[level], slack);
  }
}

static void m_is_found_again(void **state) {
  (void)state;
  static const double shares[] = {0.5, 0.05, 0.01};
  for (size_t width = 3; width <= WIDTH_MOST; width++) {
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
      struct link_model *model = model_of(width);
      struct generated *made = generate(&truth, width, 0, 1e12, shares[i]);
      const struct train_round round = {&made->patterns, 0};
      struct train_report report;
      learn(model, &round, 1, NULL, &report);
      assert_true(report.converged);
      assert_int_equal(report.unlearned, 0);
      assert_int_equal(report.disordered, 0);
      for (size_t c = 0; c < width; c++) {
        assert_shares(model->comparisons[c].m, truth.m[c], truth.level_counts[c], 1e-3);
      }
      assert_float_equal(report.expected[1] / 1e12, shares[i], 1e-3 * shares[i]);
      assert_distributions(model);
      free(made);
      link_model_free(model);
    }
  }
}

static void u_and_lambda_are_found_again(void **state) {
  (void)state;
  struct link_model *model = model_of(4);
  struct generated *made = generate(&truth, 4, 0, 1e12, 0);
  train_defaults(model, NULL);
  train_u(model, &made->patterns, FLOOR, NULL);
  for (size_t c = 0; c < 4; c++) {
    assert_shares(model->comparisons[c].u, truth.u[c], truth.level_counts[c], 1e-9);
  }
  free(made);
  link_model_free(model);
  /* 1000 records: 499,500 pairs; 400 found are 80 of 100 */
  assert_float_equal(train_lambda(400, 0.8, 1000), 500.0 / 499500, 1e-15);
  assert_float_equal(train_lambda(0, 0.8, 1000), 0.5 / 0.8 / 499500, 1e-15);
  assert_float_equal(train_lambda(400, 0, 1000), 400.0 / 499500, 1e-15);
  assert_float_equal(train_lambda(5, 0.5, 2), 0.5, 0);
  assert_float_equal(train_lambda(0, 1, 0), 0.5, 0);
}

/* Each round is blind for what it blocks and taught by the other; what both see is their mean, by expected matches:
 * 1e9 · 0.3 with m of 0.7 and 3e9 · 0.2 with m of 0.6. */
static void rounds_complete_each_other(void **state) {
  (void)state;
  struct truth second = truth;
  second.m[2][1] = 0.6;
  second.m[2][2] = 0.4;
  struct link_model *model = model_of(5);
  struct generated *a = generate(&truth, 5, 1U << 0, 1e9, 0.3);
  struct generated *b = generate(&second, 5, 1U << 1, 3e9, 0.2);
  const struct train_round rounds[] = {{&a->patterns, 1U << 0}, {&b->patterns, 1U << 1}};
  struct train_report report;
  learn(model, rounds, 2, NULL, &report);
  assert_int_equal(report.unlearned, 0);
  assert_shares(model->comparisons[0].m, truth.m[0], 4, 1e-3);
  assert_shares(model->comparisons[1].m, truth.m[1], 3, 1e-3);
  assert_float_equal(model->comparisons[2].m[1], (3e8 * 0.7 + 6e8 * 0.6) / 9e8, 1e-3);
  assert_float_equal(report.expected[0], 6e8 * 0.9, 1e6);
  assert_float_equal(report.expected[2], 9e8 * 0.8, 1e6);
  assert_int_equal(model->rounds, 2);
  free(a);
  free(b);
  link_model_free(model);
}

static void what_no_round_teaches_keeps_its_default(void **state) {
  (void)state;
  struct link_model *model = model_of(4);
  struct generated *made = generate(&truth, 4, 1U << 0, 1e9, 0.3);
  const struct train_round round = {&made->patterns, 1U << 0};
  struct train_report report;
  learn(model, &round, 1, NULL, &report);
  assert_int_equal(report.unlearned, 1U << 0);
  assert_shares(model->comparisons[0].m, (const double[]){0, 0.9, 0.05, 0.05}, 4, 1e-12);
  assert_shares(model->comparisons[3].m, truth.m[3], 4, 1e-3);
  free(made);
  link_model_free(model);
}

/* The order in which patterns were found must not move a bit. */
static void the_order_of_patterns_does_not_matter(void **state) {
  (void)state;
  struct link_model *forth = model_of(4);
  struct link_model *back = model_of(4);
  struct generated *made = generate(&truth, 4, 0, 1e9, 0.1);
  struct generated *turned = calloc(1, sizeof *turned);
  struct train_report report;
  assert_non_null(turned);
  size_t count = made->patterns.count;
  for (size_t i = 0; i < count; i++) {
    memcpy(turned->levels + i * 4, made->levels + (count - 1 - i) * 4, 4);
    turned->pairs[i] = made->pairs[count - 1 - i];
  }
  turned->patterns = (struct patterns){turned->levels, turned->pairs, count};
  learn(forth, &(struct train_round){&made->patterns, 0}, 1, NULL, &report);
  learn(back, &(struct train_round){&turned->patterns, 0}, 1, NULL, &report);
  for (size_t c = 0; c < 4; c++) {
    assert_memory_equal(forth->comparisons[c].m, back->comparisons[c].m, sizeof forth->comparisons[c].m);
  }
  free(made);
  free(turned);
  link_model_free(forth);
  link_model_free(back);
}

/* ---- floors, fixed levels, order ---- */

static void levels_never_seen_get_the_floor(void **state) {
  (void)state;
  static const size_t level_counts[] = {4, 4, 0};
  uint8_t levels[] = {1, 0, 3, 0};
  uint64_t pairs[] = {1, 999};
  const struct patterns patterns = {levels, pairs, 2};
  struct link_model *model = make_model(level_counts);
  train_u(model, &patterns, 0.01, NULL);
  /* 0.001 and 0 are lifted to 0.01, the last one pays for both; no pair has the second */
  assert_shares(model->comparisons[0].u, (const double[]){0, 0.01, 0.01, 0.98}, 4, 1e-12);
  assert_shares(model->comparisons[1].u, (const double[]){0, 1.0 / 3, 1.0 / 3, 1.0 / 3}, 4, 1e-12);
  /* a floor that three levels cannot all have: half of a third */
  train_u(model, &patterns, 0.9, NULL);
  assert_shares(model->comparisons[0].u, (const double[]){0, 1.0 / 6, 1.0 / 6, 2.0 / 3}, 4, 1e-12);
  link_model_free(model);
}

static void m_has_a_floor(void **state) {
  (void)state;
  struct truth without = truth;
  without.m[3][2] = 0;
  without.m[3][3] = 0.4;
  struct link_model *model = model_of(4);
  struct generated *made = generate(&without, 4, 0, 1e9, 0.3);
  const struct train_round round = {&made->patterns, 0};
  struct train_report report;
  struct error error;
  assert_int_equal(train_m(model, &round, 1, 1e-4, 1e-9, 5000, NULL, &report, &error), OK);
  assert_float_equal(model->comparisons[3].m[2], 1e-4, 1e-12);
  assert_int_equal(report.disordered, 1U << 3); /* its weight is below that of "else" */
  assert_distributions(model);
  free(made);
  link_model_free(model);
}

static void what_the_file_fixes_stands(void **state) {
  (void)state;
  struct comparison fixed[4] = {0};
  fixed[0].m[2] = 0.1;
  fixed[1].m[1] = 0.95;
  fixed[1].m[2] = 0.05;
  fixed[3].u[1] = 0.001;
  struct link_model *model = model_of(4);
  struct generated *made = generate(&truth, 4, 0, 1e9, 0.3);
  struct generated *random = generate(&truth, 4, 0, 1e9, 0);
  const struct train_round round = {&made->patterns, 0};
  struct train_report report;
  train_u(model, &random->patterns, FLOOR, fixed);
  /* the others share 0.999 as 8 to 90 */
  assert_shares(model->comparisons[3].u, (const double[]){0, 0.001, 0.999 * 8 / 98, 0.999 * 90 / 98}, 4, 1e-9);
  set_shares(model->comparisons[3].u, truth.u[3], 4);
  learn(model, &round, 1, fixed, &report);
  assert_true(model->comparisons[0].m[2] == 0.1);
  assert_shares(model->comparisons[0].m, truth.m[0], 4, 1e-3);
  assert_true(model->comparisons[1].m[1] == 0.95 && model->comparisons[1].m[2] == 0.05);
  assert_int_equal(report.unlearned, 0);
  assert_distributions(model);
  /* where no round teaches it, the free levels keep their default among the rest; all fixed is nothing to learn */
  const struct train_round blind = {&made->patterns, 1U << 0 | 1U << 1};
  learn(model, &blind, 1, fixed, &report);
  assert_shares(model->comparisons[0].m, (const double[]){0, 0.9 * 0.9 / 0.95, 0.1, 0.9 * 0.05 / 0.95}, 4, 1e-12);
  assert_int_equal(report.unlearned, 1U << 0);
  free(made);
  free(random);
  link_model_free(model);
}

static void levels_out_of_order_are_told(void **state) {
  (void)state;
  struct truth turned = truth;
  turned.m[0][2] = 0.02; /* weight -1, "else" 0.13 · 0.95⁻¹: -2.87; still in order */
  turned.m[0][3] = 0.13;
  turned.m[3][1] = 0.05; /* weight 1.3, below 3.1 of the next */
  turned.m[3][2] = 0.85;
  struct link_model *model = model_of(5);
  struct generated *made = generate(&turned, 5, 0, 1e9, 0.3);
  const struct train_round round = {&made->patterns, 0};
  struct train_report report;
  learn(model, &round, 1, NULL, &report);
  assert_int_equal(report.disordered, 1U << 3);
  free(made);
  link_model_free(model);
}

/* ---- what people decided ---- */

static void decisions_are_added_to_what_em_expects(void **state) {
  (void)state;
  static const size_t level_counts[] = {3, 3, 3, 0};
  uint8_t levels[] = {1, 1, 0, 2, 1, 0, 2, 0, 0};
  uint64_t pairs[] = {30, 20, 5};
  const struct patterns same = {levels, pairs, 3};
  struct link_model *model = make_model(level_counts);
  struct train_report report = {.expected = {50, 0, 0}};
  set_shares(model->comparisons[0].m, (const double[]){0, 0.8, 0.2}, 3);
  train_labels(model, &same, 2, FLOOR, NULL, &report);
  /* 50 expected ones at 0.8, and 30 of 55 decided ones that count twice */
  assert_float_equal(model->comparisons[0].m[1], (50 * 0.8 + 2 * 30) / (50 + 2 * 55), 1e-12);
  /* ten of the default at 0.9, and 50 decided ones, all equal, that count twice */
  assert_float_equal(model->comparisons[1].m[1], (10 * 0.9 + 2 * 50) / (10 + 2 * 50), 1e-12);
  assert_float_equal(model->comparisons[2].m[1], 0.9, 1e-12);
  assert_int_equal(report.unlearned, 1U << 2);
  assert_float_equal(report.expected[0], 160, 1e-12);
  assert_distributions(model);
  link_model_free(model);
}

static void a_reversed_decision_shows_as_disorder(void **state) {
  (void)state;
  static const size_t level_counts[] = {3, 0};
  uint8_t levels[] = {2};
  uint64_t pairs[] = {1000000};
  struct link_model *model = make_model(level_counts);
  struct train_report report = {0};
  train_labels(model, &(struct patterns){levels, pairs, 1}, 1, FLOOR, NULL, &report);
  assert_int_equal(report.disordered, 1);
  assert_distributions(model);
  /* one that counts nothing teaches nothing */
  double m = model->comparisons[0].m[1];
  train_labels(model, &(struct patterns){levels, pairs, 1}, 0, FLOOR, NULL, &report);
  assert_true(model->comparisons[0].m[1] == m);
  link_model_free(model);
}

static void what_was_not_seen_is_half_a_match(void **state) {
  (void)state;
  static const size_t level_counts[] = {4, 3, 0};
  struct link_model *model = make_model(level_counts);
  struct train_report report = {.expected = {100, 0}};
  set_shares(model->comparisons[0].m, (const double[]){0, 0.9, 0.1 - FLOOR, FLOOR}, 4);
  train_unseen(model, FLOOR, NULL, &report);
  assert_float_equal(model->comparisons[0].m[1], (90 + 0.5) / (100 + 3 * 0.5), 1e-6);
  assert_float_equal(model->comparisons[0].m[3], 0.5 / (100 + 3 * 0.5), 1e-6);
  assert_float_equal(model->comparisons[1].m[1], 0.9, 1e-12); /* a default is no count */
  assert_int_equal(report.unlearned, 1U << 1);
  assert_distributions(model);
  link_model_free(model);
}

/* ---- nothing to learn from ---- */

static void poor_patterns_never_give_what_is_no_number(void **state) {
  (void)state;
  static const size_t level_counts[] = {4, 2, 3, 0};
  static const struct {
    uint8_t levels[6];
    uint64_t pairs[2];
    size_t count;
  } cases[] = {
      {{0}, {0}, 0},
      {{0, 0, 0}, {1000}, 1},
      {{1, 1, 1}, {1000}, 1},
      {{3, 1, 2}, {1000}, 1},
      {{3, 1, 2}, {UINT64_MAX}, 1},
      {{1, 1, 1, 3, 1, 2}, {0, 0}, 2},
      {{1, 1, 1, 3, 1, 2}, {1, UINT64_MAX / 2}, 2},
      {{0, 1, 0, 0, 1, 0}, {7, 7}, 2},
  };
  static const double floors[] = {0, 1e-6, 0.5, 2};
  for (size_t i = 0; i < 4 * sizeof cases / sizeof cases[0]; i++) {
    uint8_t levels[6];
    uint64_t pairs[2];
    memcpy(levels, cases[i / 4].levels, sizeof levels);
    memcpy(pairs, cases[i / 4].pairs, sizeof pairs);
    const struct patterns patterns = {levels, pairs, cases[i / 4].count};
    const struct train_round rounds[] = {{&patterns, 0}, {&patterns, 7}};
    struct link_model *model = make_model(level_counts);
    struct train_report report;
    struct error error;
    train_u(model, &patterns, floors[i % 4], NULL);
    assert_distributions(model);
    assert_int_equal(train_m(model, rounds, 2, floors[i % 4], 1e-6, 100, NULL, &report, &error), OK);
    assert_distributions(model);
    assert_true(isfinite(report.change));
    assert_true(model->comparisons[1].m[1] == 1 && model->comparisons[1].u[1] == 1);
    assert_false(report.unlearned >> 1 & 1); /* one level teaches nothing, and need not */
    train_labels(model, &patterns, 1, floors[i % 4], NULL, &report);
    assert_distributions(model);
    link_model_free(model);
  }
}

static void no_rounds_leave_the_defaults(void **state) {
  (void)state;
  struct link_model *model = model_of(3);
  struct train_report report;
  learn(model, NULL, 0, NULL, &report);
  assert_int_equal(report.unlearned, 7);
  assert_true(report.converged);
  assert_shares(model->comparisons[0].m, (const double[]){0, 0.9, 0.05, 0.05}, 4, 1e-12);
  assert_int_equal(model->rounds, 0);
  link_model_free(model);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_iteration_is_as_by_hand),
      cmocka_unit_test(the_second_iteration_goes_on_from_the_first),
      cmocka_unit_test(m_is_found_again),
      cmocka_unit_test(u_and_lambda_are_found_again),
      cmocka_unit_test(rounds_complete_each_other),
      cmocka_unit_test(what_no_round_teaches_keeps_its_default),
      cmocka_unit_test(the_order_of_patterns_does_not_matter),
      cmocka_unit_test(levels_never_seen_get_the_floor),
      cmocka_unit_test(m_has_a_floor),
      cmocka_unit_test(what_the_file_fixes_stands),
      cmocka_unit_test(levels_out_of_order_are_told),
      cmocka_unit_test(decisions_are_added_to_what_em_expects),
      cmocka_unit_test(a_reversed_decision_shows_as_disorder),
      cmocka_unit_test(what_was_not_seen_is_half_a_match),
      cmocka_unit_test(poor_patterns_never_give_what_is_no_number),
      cmocka_unit_test(no_rounds_leave_the_defaults),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
