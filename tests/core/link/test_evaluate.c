/* Measures of a partition against published and hand-worked figures, and against counting pair by pair. */
#include "core/link/evaluate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

enum { MOST = 40, ROUNDS = 300 };

static struct link_score measure(const uint32_t *truth, const uint32_t *cluster, size_t count) {
  struct link_score score;
  struct error error;
  assert_int_equal(link_evaluate(truth, cluster, count, &score, &error), OK);
  return score;
}

static void assert_near(double value, double expected) {
  if (fabs(value - expected) > 1e-12) {
    fail_msg("%.15g instead of %.15g", value, expected);
  }
}

/* Bagga and Baldwin, "Algorithms for Scoring Coreference Chains" (1998): truth {1-5}
 * {6 7} {8-C}. Response 1 puts the first two together: precision 16/21 = 76%. Response 2 puts the first and the third
 * together: precision 7/12 = 58%. Recall of both is 100%. */
static void b_cubed_as_published(void **state) {
  (void)state;
  static const uint32_t truth[12] = {1, 1, 1, 1, 1, 2, 2, 3, 3, 3, 3, 3};
  static const uint32_t first[12] = {0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9};
  static const uint32_t second[12] = {0, 0, 0, 0, 0, 7, 7, 0, 0, 0, 0, 0};
  struct link_score score = measure(truth, first, 12);
  assert_near(score.b3_precision, 16.0 / 21);
  assert_near(score.b3_recall, 1);
  assert_near(score.b3_f1, 2 * (16.0 / 21) / (16.0 / 21 + 1));
  score = measure(truth, second, 12);
  assert_near(score.b3_precision, 7.0 / 12);
  assert_near(score.b3_recall, 1);
}

/* Truth {0 1 2} {3 4}; found {0 1} {2 3 4}: of 4 pairs found 2 are right, of 4 true ones. */
static void pairs_as_worked_by_hand(void **state) {
  (void)state;
  static const uint32_t truth[5] = {4, 4, 4, 0, 0};
  static const uint32_t cluster[5] = {0, 0, 2, 2, 2};
  struct link_score score = measure(truth, cluster, 5);
  assert_int_equal(score.true_pairs, 4);
  assert_int_equal(score.found_pairs, 4);
  assert_int_equal(score.right_pairs, 2);
  assert_near(score.precision, 0.5);
  assert_near(score.recall, 0.5);
  assert_near(score.f1, 0.5);
  assert_near(score.b3_precision, (1 + 1 + 1.0 / 3 + 2.0 / 3 + 2.0 / 3) / 5);
  assert_near(score.b3_recall, (2.0 / 3 + 2.0 / 3 + 1.0 / 3 + 1 + 1) / 5);
  assert_true(isnan(score.ceiling));
}

static void records_of_unknown_truth_are_left_out(void **state) {
  (void)state;
  static const uint32_t truth[5] = {1, LINK_MISSING, 1, LINK_MISSING, 2};
  static const uint32_t cluster[5] = {0, 0, 0, 3, 3};
  struct link_score score = measure(truth, cluster, 5);
  assert_int_equal(score.found_pairs, 1);
  assert_near(score.f1, 1);
  assert_near(score.b3_f1, 1);
}

static void a_share_of_nothing_is_one(void **state) {
  (void)state;
  static const uint32_t same[2] = {0, 0};
  static const uint32_t apart[2] = {0, 1};
  struct link_score score = measure(NULL, NULL, 0);
  assert_near(score.precision, 1);
  assert_near(score.recall, 1);
  assert_near(score.f1, 1);
  assert_near(score.b3_f1, 1);
  score = measure(same, apart, 2); /* nothing found */
  assert_near(score.precision, 1);
  assert_near(score.recall, 0);
  assert_near(score.f1, 0);
  score = measure(apart, same, 2); /* nothing to find */
  assert_near(score.precision, 0);
  assert_near(score.recall, 1);
  assert_near(score.f1, 0);
  assert_near(measure(apart, apart, 2).f1, 1);
}

/* B³ by its definition, record by record, and pairs one by one. */
static struct link_score measure_slowly(const uint32_t *truth, const uint32_t *cluster, size_t count) {
  struct link_score score = {0};
  for (size_t i = 0; i < count; i++) {
    double of_truth = 0;
    double of_cluster = 0;
    double of_both = 0;
    for (size_t j = 0; j < count; j++) {
      bool true_pair = truth[i] == truth[j];
      bool found_pair = cluster[i] == cluster[j];
      of_truth += true_pair;
      of_cluster += found_pair;
      of_both += true_pair && found_pair;
      score.true_pairs += j < i && true_pair;
      score.found_pairs += j < i && found_pair;
      score.right_pairs += j < i && true_pair && found_pair;
    }
    score.b3_precision += of_both / of_cluster / (double)count;
    score.b3_recall += of_both / of_truth / (double)count;
  }
  return score;
}

static void counts_agree_with_pair_by_pair(void **state) {
  (void)state;
  uint64_t seed = 3;
  for (int round = 0; round < ROUNDS; round++) {
    uint32_t truth[MOST];
    uint32_t cluster[MOST];
    uint32_t spread = (uint32_t)round % 15 + 1;
    for (size_t i = 0; i < MOST; i++) {
      seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
      truth[i] = (uint32_t)(seed >> 60) % spread * 0x01020304;
      cluster[i] = UINT32_MAX - (uint32_t)(seed >> 40 & 15) % spread * 70000;
    }
    struct link_score score = measure(truth, cluster, MOST);
    struct link_score slow = measure_slowly(truth, cluster, MOST);
    assert_int_equal(score.true_pairs, slow.true_pairs);
    assert_int_equal(score.found_pairs, slow.found_pairs);
    assert_int_equal(score.right_pairs, slow.right_pairs);
    assert_near(score.b3_precision, slow.b3_precision);
    assert_near(score.b3_recall, slow.b3_recall);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(b_cubed_as_published),
      cmocka_unit_test(pairs_as_worked_by_hand),
      cmocka_unit_test(records_of_unknown_truth_are_left_out),
      cmocka_unit_test(a_share_of_nothing_is_one),
      cmocka_unit_test(counts_agree_with_pair_by_pair),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
