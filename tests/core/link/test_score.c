/* Scoring and patterns, against every pair scored by itself. */
#include "core/link/learn.h"
#include "core/link/score.h"
#include "tests/support/population.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <sodium.h>
#include <stdlib.h>

static const uint8_t secret[16] = {9, 8, 7};

struct desk {
  struct link_plan *plan;
  struct population *population;
  struct prepared prepared;
  struct blocks blocks;
  struct scorer scorer;
  struct error error;
};

static void open_desk(struct desk *desk, size_t count, uint64_t shuffle, unsigned threads) {
  *desk = (struct desk){.plan = population_plan("rules:\n"
                                                "  - {name: papers, when: {document: same}, then: merge}\n"
                                                "  - {name: other day, when: {birth: else}, then: review}\n"),
                        .population = population_make(count, 5, shuffle)};
  assert_int_equal(prepared_init(&desk->prepared, desk->plan, &desk->population->records, 2, &desk->error), OK);
  assert_int_equal(blocks_init(&desk->blocks, &desk->prepared, secret, NULL, threads, &desk->error), OK);
  desk->scorer = (struct scorer){.prepared = &desk->prepared, .blocks = &desk->blocks, .threads = threads};
}

static void close_desk(struct desk *desk) {
  blocks_free(&desk->blocks);
  prepared_free(&desk->prepared);
  population_free(desk->population);
  link_plan_free(desk->plan);
}

static uint64_t sum(const struct patterns *patterns) {
  uint64_t pairs = 0;
  for (size_t i = 0; i < patterns->count; i++) {
    pairs += patterns->pairs[i];
  }
  return pairs;
}

static void assert_same_patterns(const struct patterns *a, const struct patterns *b, size_t width) {
  assert_int_equal(a->count, b->count);
  assert_memory_equal(a->levels, b->levels, a->count * width);
  assert_memory_equal(a->pairs, b->pairs, a->count * sizeof *a->pairs);
}

static void test_pairs_as_one_by_one(void **state) {
  struct desk desk;
  struct link_model *model = NULL;
  struct weights *weights = NULL;
  struct link_result result = {0};
  (void)state;
  open_desk(&desk, 700, 0, 3);
  assert_int_equal(learn_model(&desk.scorer, &model, &desk.error), OK);
  assert_int_equal(weights_make(&desk.prepared, model, &weights, &desk.error), OK);
  assert_int_equal(score_pairs(&desk.scorer, weights, &result, &desk.error), OK);
  struct compare_cache *cache = compare_cache_new(&desk.prepared);
  size_t at = 0;
  size_t merged_below = 0;
  uint64_t compared = 0;
  for (uint32_t a = 0; a < 700; a++) {
    for (uint32_t b = a + 1; b < 700; b++) {
      uint8_t levels[LINK_COMPARISONS_MOST];
      uint16_t rule = blocks_propose(&desk.blocks, a, b);
      if (rule == LINK_NO_RULE) {
        continue;
      }
      const uint32_t *x = desk.prepared.rows + a * desk.prepared.width;
      const uint32_t *y = desk.prepared.rows + b * desk.prepared.width;
      compare_rows(&desk.prepared, cache, x, y, levels);
      float weight = weights_pair(weights, x, y, levels);
      uint16_t verdict = compare_verdict(desk.plan, levels);
      compared++;
      if (weight >= 0 || verdict == 0) {
        assert_true(at < result.pair_count);
        assert_int_equal(result.pairs[at].a, a);
        assert_int_equal(result.pairs[at].b, b);
        assert_true(result.pairs[at].weight == weight);
        assert_int_equal(result.pairs[at].block, rule);
        assert_int_equal(result.pairs[at].verdict, verdict);
        merged_below += weight < 0;
        at++;
      }
    }
  }
  assert_int_equal(result.pair_count, at);
  assert_int_equal(result.compared, compared);
  assert_true(at > 100 && compared > at);
  uint64_t kept = 0;
  for (size_t i = 0; i < desk.plan->block_count; i++) {
    kept += result.blocks[i].kept;
  }
  assert_int_equal(kept + merged_below, at);
  compare_cache_free(cache);
  link_result_free(&result);
  weights_free(weights);
  link_model_free(model);
  close_desk(&desk);
}

/* u by how much more frequent than the mean a value is that is listed; the floor for others; nothing where values
 * differ. */
static void test_term_frequencies(void **state) {
  struct desk desk;
  struct link_model *model = NULL;
  struct weights *weights = NULL;
  (void)state;
  open_desk(&desk, 700, 0, 1);
  assert_int_equal(learn_model(&desk.scorer, &model, &desk.error), OK);
  assert_int_equal(weights_make(&desk.prepared, model, &weights, &desk.error), OK);
  size_t city = 4;
  const struct link_model_comparison *learned = &model->comparisons[city];
  uint32_t with = 0;
  uint32_t of_first = 0;
  size_t at = 0;
  while (desk.prepared.rows[at * desk.prepared.width + city] == LINK_MISSING) {
    at++;
  }
  const uint32_t *row = desk.prepared.rows + at * desk.prepared.width;
  uint32_t first = row[city];
  for (size_t i = 0; i < 700; i++) {
    uint32_t value = desk.prepared.rows[i * desk.prepared.width + city];
    with += value != LINK_MISSING;
    of_first += value == first;
  }
  assert_true(of_first >= FREQUENCY_LEAST);
  uint8_t levels[LINK_COMPARISONS_MOST] = {0};
  levels[city] = 1;
  double expected = log2(learned->frequency->mean / ((double)of_first / with));
  assert_true(fabs(weights_adjustment(weights, city, row, row, levels) - expected) < 1e-4);
  double total = link_model_prior(model) + log2(learned->m[1] / learned->u[1]) + expected;
  assert_true(fabs(weights_pair(weights, row, row, levels) - total) < 1e-4);
  levels[city] = 2;
  assert_true(weights_adjustment(weights, city, row, row, levels) == 0);
  for (size_t i = 0; i < map_count(learned->frequency->values); i++) {
    assert_true(learned->frequency->share[i] * with > FREQUENCY_LEAST - 0.5);
  }
  weights_free(weights);
  link_model_free(model);
  close_desk(&desk);
}

/* A whole name that is more frequent than surnames and given names alone would have it weighs less. */
static void test_whole_names(void **state) {
  static const char *const columns[] = {"given_names", "paternal_surname", "maternal_surname"};
  static const char *const values[] = {"ireneo", "oropeza", "zumarriega"};
  enum { SURNAMES = 1, GIVEN = 2, ALIKE = JOINT_LEAST + 6 };
  struct desk desk;
  struct link_model *model = NULL;
  struct weights *weights = NULL;
  uint8_t levels[LINK_COMPARISONS_MOST] = {0};
  (void)state;
  open_desk(&desk, 700, 0, 1);
  blocks_free(&desk.blocks);
  prepared_free(&desk.prepared);
  for (size_t i = 0; i < ALIKE; i++) {
    for (size_t j = 0; j < 3; j++) {
      population_set(desk.population, i, columns[j], values[j]);
    }
  }
  assert_int_equal(prepared_init(&desk.prepared, desk.plan, &desk.population->records, 2, &desk.error), OK);
  assert_int_equal(blocks_init(&desk.blocks, &desk.prepared, secret, NULL, 1, &desk.error), OK);
  assert_int_equal(learn_model(&desk.scorer, &model, &desk.error), OK);
  assert_int_equal(weights_make(&desk.prepared, model, &weights, &desk.error), OK);
  assert_non_null(model->comparisons[GIVEN].joint);
  uint64_t with[3] = {0};
  for (size_t i = 0; i < 700; i++) {
    const uint32_t *row = desk.prepared.rows + i * desk.prepared.width;
    with[0] += row[SURNAMES] != LINK_MISSING;
    with[1] += row[GIVEN] != LINK_MISSING;
    with[2] += row[SURNAMES] != LINK_MISSING && row[GIVEN] != LINK_MISSING;
  }
  const uint32_t *row = desk.prepared.rows;
  levels[GIVEN] = 1;
  double alone = log2(model->comparisons[GIVEN].frequency->mean / (ALIKE / (double)with[1]));
  assert_true(fabs(weights_adjustment(weights, GIVEN, row, row, levels) - alone) < 1e-4);
  levels[SURNAMES] = 1;
  double product = (ALIKE / (double)with[0]) * (ALIKE / (double)with[1]);
  double whole = alone + log2(product / (ALIKE / (double)with[2]));
  assert_true(fabs(weights_adjustment(weights, GIVEN, row, row, levels) - whole) < 1e-4);
  assert_true(whole < alone);
  weights_free(weights);
  link_model_free(model);
  close_desk(&desk);
}

/* A level that no match showed cannot outweigh the better ones; what is supported may. */
static void test_guesses_are_capped(void **state) {
  struct desk desk;
  struct link_model *model = NULL;
  struct train_report report = {0};
  (void)state;
  open_desk(&desk, 700, 0, 1);
  assert_int_equal(learn_model(&desk.scorer, &model, &desk.error), OK);
  struct link_model_comparison *c = &model->comparisons[0];
  assert_true(c->level_count > 3);
  double moved = c->m[1] / 2;
  c->m[1] -= moved;
  c->m[2] += moved;
  c->u[2] = c->u[1] / 100;
  report.expected[0] = 1e6;
  learn_cap(desk.plan, &report, model);
  assert_true(link_model_weight(model, 0, 2) > link_model_weight(model, 0, 1));
  report.expected[0] = 0;
  double before = c->m[1] / c->u[1];
  double sum = 0;
  learn_cap(desk.plan, &report, model);
  assert_true(fabs(c->m[2] / c->u[2] - before) < 1e-9 * before);
  for (size_t level = 1; level < c->level_count; level++) {
    sum += c->m[level];
  }
  assert_true(fabs(sum - 1) < 1e-9);
  link_model_free(model);
  close_desk(&desk);
}

/* Two of one city and another, whom people call one: m of the city's last level grows by one match. */
static void test_decided_pairs_teach(void **state) {
  enum { CITY = 4, A = 3 };
  struct desk desk;
  struct patterns patterns;
  struct link_model *before = NULL;
  struct link_model *after = NULL;
  (void)state;
  open_desk(&desk, 700, 0, 1);
  struct link_decision decisions[] = {{.a = A, .b = A + 1, .same = true}, {.a = A + 2, .b = A + 3, .same = false}};
  population_set(desk.population, A, "city", "ollantaytambo");
  population_set(desk.population, A + 1, "city", "chachapoyas");
  blocks_free(&desk.blocks);
  prepared_free(&desk.prepared);
  assert_int_equal(prepared_init(&desk.prepared, desk.plan, &desk.population->records, 2, &desk.error), OK);
  assert_int_equal(blocks_init(&desk.blocks, &desk.prepared, secret, NULL, 1, &desk.error), OK);
  assert_int_equal(score_decided(&desk.scorer, &patterns, &desk.error), OK);
  assert_int_equal(patterns.count, 0);
  patterns_free(&patterns);
  assert_int_equal(learn_model(&desk.scorer, &before, &desk.error), OK);
  desk.population->records.decisions = decisions;
  desk.population->records.decision_count = 2;
  assert_int_equal(score_decided(&desk.scorer, &patterns, &desk.error), OK);
  size_t last = desk.plan->comparisons[CITY].level_count - 1;
  assert_int_equal(sum(&patterns), 1);
  assert_int_equal(patterns.levels[CITY], last);
  patterns_free(&patterns);
  assert_int_equal(learn_model(&desk.scorer, &after, &desk.error), OK);
  assert_true(after->comparisons[CITY].m[last] > before->comparisons[CITY].m[last]);
  assert_true(after->comparisons[CITY].u[last] == before->comparisons[CITY].u[last]);
  desk.population->records.decision_count = 0;
  link_model_free(before);
  link_model_free(after);
  close_desk(&desk);
}

static void test_patterns_of_a_rule(void **state) {
  struct desk desk;
  struct patterns one;
  struct patterns five;
  (void)state;
  open_desk(&desk, 500, 0, 1);
  assert_int_equal(score_patterns(&desk.scorer, 3, 0, &one, &desk.error), OK);
  desk.scorer.threads = 5;
  assert_int_equal(score_patterns(&desk.scorer, 3, 0, &five, &desk.error), OK);
  assert_same_patterns(&one, &five, desk.plan->comparison_count);
  uint64_t pairs = 0;
  for (uint32_t a = 0; a < 500; a++) {
    for (uint32_t b = a + 1; b < 500; b++) {
      pairs += blocks_any(&desk.blocks, UINT64_C(1) << 3, a, b);
    }
  }
  assert_int_equal(sum(&one), pairs);
  assert_true(one.count > 3);
  patterns_free(&one);
  patterns_free(&five);
  close_desk(&desk);
}

static void test_random_pairs(void **state) {
  struct desk desk;
  struct desk shuffled;
  struct patterns patterns[4];
  (void)state;
  open_desk(&desk, 500, 0, 1);
  open_desk(&shuffled, 500, 99, 3);
  size_t width = desk.plan->comparison_count;
  assert_int_equal(score_random(&desk.scorer, 42, 20000, 0, &patterns[0], &desk.error), OK);
  assert_int_equal(score_random(&shuffled.scorer, 42, 20000, 0, &patterns[1], &desk.error), OK);
  assert_int_equal(sum(&patterns[0]), 20000);
  assert_same_patterns(&patterns[0], &patterns[1], width);
  assert_int_equal(score_random(&desk.scorer, 43, 20000, 0, &patterns[2], &desk.error), OK);
  assert_true(patterns[0].count != patterns[2].count
              || memcmp(patterns[0].pairs, patterns[2].pairs, patterns[0].count * sizeof *patterns[0].pairs) != 0);
  /* Fewer pairs than asked for: all of them, but those that a rule proposes. */
  assert_int_equal(score_random(&shuffled.scorer, 42, 1000000, 1, &patterns[3], &desk.error), OK);
  uint64_t matches = 0;
  assert_int_equal(score_count(&desk.scorer, 1, &matches, &desk.error), OK);
  assert_true(matches > 0);
  assert_int_equal(sum(&patterns[3]), 500 * 499 / 2 - matches);
  for (size_t i = 0; i < 4; i++) {
    patterns_free(&patterns[i]);
  }
  close_desk(&desk);
  close_desk(&shuffled);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pairs_as_one_by_one), cmocka_unit_test(test_term_frequencies),
      cmocka_unit_test(test_whole_names),         cmocka_unit_test(test_guesses_are_capped),
      cmocka_unit_test(test_decided_pairs_teach), cmocka_unit_test(test_patterns_of_a_rule),
      cmocka_unit_test(test_random_pairs),
  };
  return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
