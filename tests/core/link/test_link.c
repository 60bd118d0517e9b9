/* Linkage from records to clusters: the same whatever the order and the threads, every reason, bad input. */
#include "core/link/model.h"
#include "tests/support/population.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

static struct link_result run(const struct link_plan *plan, const struct population *population,
                              const struct link_model *model, unsigned threads) {
  struct link_result result;
  struct error error = {0};
  struct link_options options = {.threads = threads, .model = model};
  if (link_run(plan, &population->records, &options, &result, &error) != OK) {
    fail_msg("%s (%s)", error.message, error.place);
  }
  return result;
}

static void assert_same_result(const struct link_result *x, const struct link_result *y, size_t count) {
  assert_int_equal(x->pair_count, y->pair_count);
  assert_int_equal(x->compared, y->compared);
  assert_int_equal(x->waiting, y->waiting);
  assert_int_equal(x->cluster_count, y->cluster_count);
  assert_int_equal(x->cluster_count_accepted, y->cluster_count_accepted);
  for (size_t i = 0; i < x->pair_count; i++) {
    const struct link_pair *a = &x->pairs[i];
    const struct link_pair *b = &y->pairs[i];
    assert_true(a->a == b->a && a->b == b->b && a->weight == b->weight && a->block == b->block);
    assert_true(a->verdict == b->verdict && a->outcome == b->outcome && a->reason == b->reason);
  }
  assert_memory_equal(x->cluster, y->cluster, count * sizeof *x->cluster);
}

static void test_threads_make_no_difference(void **state) {
  struct link_plan *plan = population_plan("");
  struct population *population = population_make(2500, 3, 0);
  struct link_result one = run(plan, population, NULL, 1);
  (void)state;
  for (unsigned threads = 2; threads <= 5; threads += 3) {
    struct link_result several = run(plan, population, NULL, threads);
    assert_same_result(&one, &several, population->records.count);
    link_result_free(&several);
  }
  struct population_score score = population_score(population, one.cluster);
  assert_true((double)score.right / (double)score.found >= 0.98);
  assert_true((double)score.right / (double)score.there >= 0.60);
  assert_true(one.trained && one.waiting > 0 && one.cluster_count_accepted < one.cluster_count);
  link_result_free(&one);
  population_free(population);
  link_plan_free(plan);
}

struct numbered {
  uint32_t a, b;
  float weight;
  uint8_t outcome;
};

static int by_numbers(const void *a, const void *b) {
  const struct numbered *x = a;
  const struct numbered *y = b;
  if (x->a != y->a) {
    return x->a < y->a ? -1 : 1;
  }
  return (x->b > y->b) - (x->b < y->b);
}

/* Pairs by the numbers that the records had before they were shuffled. */
static struct numbered *renumber(const struct link_result *result, const struct population *population) {
  struct numbered *pairs = calloc(result->pair_count + 1, sizeof *pairs);
  assert_non_null(pairs);
  for (size_t i = 0; i < result->pair_count; i++) {
    uint32_t a = population->order[result->pairs[i].a];
    uint32_t b = population->order[result->pairs[i].b];
    pairs[i] = (struct numbered){
        .a = a < b ? a : b, .b = a < b ? b : a, .weight = result->pairs[i].weight, .outcome = result->pairs[i].outcome};
  }
  qsort(pairs, result->pair_count, sizeof *pairs, by_numbers);
  return pairs;
}

static void test_order_makes_no_difference(void **state) {
  struct link_plan *plan = population_plan("band: {tentative: [0.5, 0.99]}\n");
  struct population *made = population_make(1500, 3, 0);
  struct link_result first = run(plan, made, NULL, 2);
  struct numbered *expected = renumber(&first, made);
  (void)state;
  for (uint64_t seed = 1; seed <= 3; seed++) {
    struct population *shuffled = population_make(1500, 3, seed);
    struct link_result result = run(plan, shuffled, NULL, 2);
    struct numbered *pairs = renumber(&result, shuffled);
    assert_int_equal(result.pair_count, first.pair_count);
    for (size_t i = 0; i < result.pair_count; i++) {
      assert_true(pairs[i].a == expected[i].a && pairs[i].b == expected[i].b);
      assert_true(pairs[i].weight == expected[i].weight && pairs[i].outcome == expected[i].outcome);
    }
    assert_int_equal(result.cluster_count, first.cluster_count);
    uint32_t place[1500];
    for (uint32_t i = 0; i < 1500; i++) {
      place[shuffled->order[i]] = i;
    }
    for (uint32_t i = 0; i < 1500; i++) {
      assert_int_equal(result.cluster[place[i]], result.cluster[place[first.cluster[i]]]);
    }
    free(pairs);
    link_result_free(&result);
    population_free(shuffled);
  }
  free(expected);
  link_result_free(&first);
  population_free(made);
  link_plan_free(plan);
}

/* A model written to its file and read again gives the same, blocks that it capped included. */
static void test_frozen_model_gives_the_same(void **state) {
  struct link_plan *plan = population_plan("block_most: 6\n");
  struct population *population = population_make(1500, 4, 0);
  struct link_result trained = run(plan, population, NULL, 2);
  struct buffer text;
  struct link_model *model = NULL;
  struct error error = {0};
  (void)state;
  assert_true(trained.model->capped_count > 0);
  buffer_init(&text, (size_t)1 << 24);
  assert_int_equal(link_model_write(trained.model, &text, &error), OK);
  assert_int_equal(link_model_read("model.json", buffer_view(&text), &model, &error), OK);
  struct link_result frozen = run(plan, population, model, 2);
  assert_false(frozen.trained);
  assert_ptr_equal(frozen.model, model);
  assert_same_result(&trained, &frozen, 1500);
  for (size_t i = 0; i < link_plan_block_count(plan); i++) {
    assert_int_equal(frozen.blocks[i].dropped, trained.blocks[i].dropped);
    assert_int_equal(frozen.blocks[i].capped, trained.blocks[i].capped);
  }
  link_result_free(&frozen);
  link_result_free(&trained);
  link_model_free(model);
  buffer_free(&text);
  population_free(population);
  link_plan_free(plan);
}

static void test_hold_and_tentative(void **state) {
  struct link_plan *holding = population_plan("band: {hold: [0.5, 0.999]}\n");
  struct link_plan *merging = population_plan("band: {tentative: [0.5, 0.999]}\n");
  struct population *population = population_make(2000, 6, 0);
  (void)state;
  struct link_result hold = run(holding, population, NULL, 2);
  struct link_result tentative = run(merging, population, NULL, 2);
  assert_true(hold.waiting > tentative.waiting);
  assert_true(hold.cluster_count > tentative.cluster_count);
  assert_true(hold.cluster_count_accepted < hold.cluster_count);
  size_t in_band = 0;
  for (size_t i = 0; i < hold.pair_count; i++) {
    const struct link_pair *pair = &hold.pairs[i];
    double p = link_probability(pair->weight);
    bool one = hold.cluster[pair->a] == hold.cluster[pair->b];
    assert_int_equal(pair->outcome == LINK_JOINED, one);
    if (p >= 0.5 && p < 0.999 && !one) {
      assert_int_equal(pair->outcome, LINK_WAITING);
      assert_int_equal(pair->reason, REASON_WEIGHT);
      in_band++;
    } else if (p < 0.5 && !one) {
      assert_int_equal(pair->outcome, LINK_APART);
    }
  }
  assert_true(in_band > 0);
  link_result_free(&hold);
  link_result_free(&tentative);
  population_free(population);
  link_plan_free(holding);
  link_plan_free(merging);
}

/* ---- reasons ---- */

struct scene {
  struct link_plan *plan;
  struct population *population;
  struct link_result result;
};

enum { CROWD = 1200 };

/* A crowd in which some first records say the same and are much alike, without documents. */
static void open_scene(struct scene *scene, const char *rules, size_t alike) {
  static const char *const columns[] = {"given_names", "paternal_surname", "maternal_surname", "birth_date", "city"};
  static const char *const values[] = {"wenceslao ireneo", "oropeza", "zumarriega", "1971-03-09", "city 4"};
  *scene = (struct scene){.plan = population_plan(rules), .population = population_make(CROWD, 8, 0)};
  for (size_t i = 0; i < alike; i++) {
    for (size_t j = 0; j < sizeof columns / sizeof *columns; j++) {
      population_set(scene->population, i, columns[j], values[j]);
    }
    population_set(scene->population, i, "document", NULL);
  }
}

static void close_scene(struct scene *scene) {
  link_result_free(&scene->result);
  population_free(scene->population);
  link_plan_free(scene->plan);
}

static const struct link_pair *find_pair(const struct scene *scene, uint32_t a, uint32_t b) {
  for (size_t i = 0; i < scene->result.pair_count; i++) {
    if (scene->result.pairs[i].a == a && scene->result.pairs[i].b == b) {
      return &scene->result.pairs[i];
    }
  }
  return NULL;
}

/* Runs and says what became of the pair; "none" where it is not kept. */
static void expect(struct scene *scene, uint32_t a, uint32_t b, enum link_outcome outcome, enum link_reason reason) {
  link_result_free(&scene->result);
  scene->result = run(scene->plan, scene->population, NULL, 2);
  const struct link_pair *pair = find_pair(scene, a, b);
  assert_non_null(pair);
  assert_string_equal(link_reason_name((enum link_reason)pair->reason), link_reason_name(reason));
  assert_int_equal(pair->outcome, outcome);
  assert_int_equal(scene->result.cluster[a] == scene->result.cluster[b], outcome == LINK_JOINED);
}

static void test_reasons_of_constraints(void **state) {
  struct scene scene;
  uint32_t group[CROWD];
  uint32_t source[CROWD] = {0};
  uint8_t role[CROWD] = {1, 2};
  uint8_t flags[CROWD] = {1, 1};
  (void)state;
  open_scene(&scene, "", 2);
  struct link_records *records = &scene.population->records;
  memset(group, 0xFF, sizeof group);
  group[0] = group[1] = 7;
  expect(&scene, 0, 1, LINK_JOINED, REASON_WEIGHT);
  records->group = group;
  expect(&scene, 0, 1, LINK_APART, REASON_GROUP);
  records->group = NULL;
  records->role = role;
  expect(&scene, 0, 1, LINK_WAITING, REASON_ROLES);
  records->role = NULL;
  records->source = source;
  records->unique = flags;
  expect(&scene, 0, 1, LINK_APART, REASON_UNIQUE);
  records->unique = NULL;
  records->sealed = flags;
  uint64_t without = scene.result.unlinkable;
  struct link_decision refused = {.a = 0, .b = 2, .same = false};
  records->decisions = &refused;
  records->decision_count = 1;
  expect(&scene, 0, 2, LINK_APART, REASON_DECISION);
  assert_null(find_pair(&scene, 0, 1));
  assert_int_equal(scene.result.unlinkable, without + 2);
  assert_int_equal(scene.result.alone[0] + scene.result.alone[1], 2);
  assert_int_equal(scene.result.alone[2], 0);
  close_scene(&scene);
}

static void test_reasons_of_decisions(void **state) {
  struct scene scene;
  uint32_t same[CROWD];
  (void)state;
  open_scene(&scene, "", 2);
  struct link_records *records = &scene.population->records;
  struct link_decision decisions[3] = {{.a = 1, .b = 0, .same = false}};
  records->decisions = decisions;
  records->decision_count = 1;
  expect(&scene, 0, 1, LINK_APART, REASON_DECISION);
  /* Two that have nothing in common. */
  decisions[0] = (struct link_decision){.a = 20, .b = 900, .same = true};
  expect(&scene, 20, 900, LINK_JOINED, REASON_DECISION);
  /* One, one, and not one: what is refused holds. */
  decisions[1] = (struct link_decision){.a = 900, .b = 500, .same = true};
  decisions[2] = (struct link_decision){.a = 20, .b = 500, .same = false};
  records->decision_count = 3;
  expect(&scene, 20, 500, LINK_APART, REASON_DECISION);
  decisions[2] = (struct link_decision){.a = 20, .b = 900, .same = false};
  expect(&scene, 20, 900, LINK_APART, REASON_DECISION);
  records->decision_count = 0;
  memset(same, 0xFF, sizeof same);
  same[30] = same[801] = 5;
  records->same = same;
  expect(&scene, 30, 801, LINK_JOINED, REASON_SOURCE);
  close_scene(&scene);
}

static void test_reasons_of_rules(void **state) {
  struct scene scene;
  (void)state;
  open_scene(&scene, "rules:\n  - {name: day, when: {birth: full, given: same_set}, then: review}\n", 2);
  expect(&scene, 0, 1, LINK_WAITING, REASON_RULE);
  assert_string_equal(link_plan_rule(scene.plan, find_pair(&scene, 0, 1)->verdict), "day");
  close_scene(&scene);
  open_scene(&scene, "rules:\n  - {name: day, when: {birth: full, given: same_set}, then: never}\n", 2);
  expect(&scene, 0, 1, LINK_APART, REASON_RULE);
  close_scene(&scene);
  open_scene(&scene, "rules:\n  - {name: papers, when: {document: same}, then: merge}\n", 0);
  population_set(scene.population, 3, "document", "40718265");
  population_set(scene.population, 700, "document", "40718265");
  expect(&scene, 3, 700, LINK_JOINED, REASON_RULE);
  close_scene(&scene);
}

/* Two whose documents disagree, and a third that has none: it joins them where the rule holds back, not where it leaves
 * them to a person. */
static void test_third_records(void **state) {
  static const char *const rules[] = {"rules:\n  - {name: papers, when: {document: conflict}, then: hold}\n",
                                      "rules:\n  - {name: papers, when: {document: conflict}, then: review}\n"};
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    struct scene scene;
    open_scene(&scene, rules[i], 2);
    population_set(scene.population, 0, "document", "40718265");
    population_set(scene.population, 1, "document", "81932746");
    expect(&scene, 0, 1, LINK_WAITING, REASON_RULE);
    close_scene(&scene);
    open_scene(&scene, rules[i], 3);
    population_set(scene.population, 0, "document", "40718265");
    population_set(scene.population, 1, "document", "81932746");
    expect(&scene, 0, 1, i == 0 ? LINK_JOINED : LINK_WAITING, i == 0 ? REASON_WEIGHT : REASON_RULE);
    close_scene(&scene);
  }
}

/* Of three that are alike two may not be one: the third goes with one of them, and its other pair waits. */
static void test_reason_of_clusters(void **state) {
  struct scene scene;
  struct link_decision decision = {.a = 0, .b = 1, .same = false};
  (void)state;
  open_scene(&scene, "", 3);
  scene.population->records.decisions = &decision;
  scene.population->records.decision_count = 1;
  expect(&scene, 0, 1, LINK_APART, REASON_DECISION);
  bool with_first = scene.result.cluster[2] == scene.result.cluster[0];
  assert_true(with_first != (scene.result.cluster[2] == scene.result.cluster[1]));
  expect(&scene, with_first ? 1 : 0, 2, LINK_WAITING, REASON_CLUSTER);
  expect(&scene, with_first ? 0 : 1, 2, LINK_JOINED, REASON_WEIGHT);
  close_scene(&scene);
}

/* ---- keys, explanations, bad input ---- */

struct keys {
  uint64_t of[CROWD][64];
  size_t count[CROWD];
};

static enum status note_key(void *context, uint32_t record, uint64_t key, struct error *error) {
  struct keys *keys = context;
  (void)error;
  assert_true(keys->count[record] < 64);
  keys->of[record][keys->count[record]++] = key;
  return OK;
}

static bool share(const struct keys *keys, uint32_t a, uint32_t b) {
  for (size_t i = 0; i < keys->count[a]; i++) {
    for (size_t j = 0; j < keys->count[b]; j++) {
      if (keys->of[a][i] == keys->of[b][j]) {
        return true;
      }
    }
  }
  return false;
}

static void test_keys_and_explanations(void **state) {
  static const uint8_t secret[16] = {5, 4, 3};
  struct scene scene;
  struct error error = {0};
  struct keys *keys = calloc(1, sizeof *keys);
  (void)state;
  assert_non_null(keys);
  open_scene(&scene, "block_most: 6\n", 2);
  expect(&scene, 0, 1, LINK_JOINED, REASON_WEIGHT);
  struct link_records *records = &scene.population->records;
  assert_int_equal(link_keys(scene.plan, records, scene.result.model, secret, note_key, keys, &error), OK);
  for (uint32_t a = 0; a < 40; a++) {
    for (uint32_t b = a + 1; b < CROWD; b += 3) {
      struct link_explanation explanation;
      assert_int_equal(link_explain(scene.plan, records, scene.result.model, a, b, &explanation, &error), OK);
      assert_int_equal(explanation.block != LINK_NO_RULE, share(keys, a, b));
      if (b > 200) {
        break;
      }
    }
  }
  for (size_t i = 0; i < scene.result.pair_count; i += 5) {
    const struct link_pair *pair = &scene.result.pairs[i];
    struct link_explanation explanation;
    assert_int_equal(link_explain(scene.plan, records, scene.result.model, pair->b, pair->a, &explanation, &error), OK);
    float sum = explanation.prior;
    for (size_t j = 0; j < explanation.count; j++) {
      sum += explanation.comparisons[j].weight + explanation.comparisons[j].adjustment;
    }
    assert_true(fabsf(sum - pair->weight) < 1e-3F);
    assert_true(explanation.weight == pair->weight);
    assert_int_equal(explanation.block, pair->block);
    assert_int_equal(explanation.verdict, pair->verdict);
    assert_string_equal(explanation.comparisons[1].columns[1], "maternal_surname");
  }
  struct link_explanation explanation;
  assert_int_equal(link_explain(scene.plan, records, scene.result.model, 4, 4, &explanation, &error), ERR_NOT_FOUND);
  free(keys);
  close_scene(&scene);
}

static enum status try_run(const struct link_plan *plan, const struct link_records *records,
                           const struct link_model *model, struct error *error) {
  struct link_result result;
  struct link_options options = {.threads = 2, .model = model};
  enum status status = link_run(plan, records, &options, &result, error);
  link_result_free(&result);
  return status;
}

static void test_bad_input(void **state) {
  struct scene scene;
  struct error error = {0};
  (void)state;
  open_scene(&scene, "", 2);
  struct link_records records = scene.population->records;
  struct link_decision decision = {.a = 3, .b = CROWD, .same = true};
  records.decisions = &decision;
  records.decision_count = 1;
  assert_int_equal(try_run(scene.plan, &records, NULL, &error), ERR_INPUT);
  assert_string_equal(error.message, "decision 1 does not name two records");
  records = scene.population->records;
  records.count = UINT32_MAX;
  assert_int_equal(try_run(scene.plan, &records, NULL, &error), ERR_LIMIT);
  assert_string_equal(error.message, "4294967295 records are more than linkage can number");
  /* A model of other comparisons. */
  struct link_plan *other = population_plan_of("compare:\n  city: {kind: code, from: city}\n"
                                               "  born: {kind: date, from: birth_date}\n"
                                               "block: [city]\n");
  struct link_result result = run(other, scene.population, NULL, 1);
  assert_int_equal(try_run(scene.plan, &scene.population->records, result.model, &error), ERR_CONFIG);
  link_result_free(&result);
  link_plan_free(other);
  close_scene(&scene);
}

/* No record, one record, columns of one value and of none: a result, and no wrong merge. */
static void test_empty_and_constant(void **state) {
  struct link_plan *plan = population_plan("");
  struct error error = {0};
  (void)state;
  for (size_t count = 0; count < 2; count++) {
    struct population *population = population_make(count, 1, 0);
    struct link_result result = run(plan, population, NULL, 2);
    assert_int_equal(result.cluster_count, count);
    assert_int_equal(result.pair_count, 0);
    link_result_free(&result);
    population_free(population);
  }
  struct population *population = population_make(400, 1, 0);
  for (size_t i = 0; i < 400; i++) {
    population_set(population, i, "document", "71345209");
    population_set(population, i, "city", NULL);
  }
  struct link_result result = run(plan, population, NULL, 2);
  struct population_score score = population_score(population, result.cluster);
  assert_true(score.found - score.right <= score.found / 20);
  link_result_free(&result);
  population_free(population);
  link_plan_free(plan);
  assert_int_equal(error.code, OK);
}

static bool stop_at(void *context, const char *step, double done) {
  (void)done;
  return strcmp(step, context) != 0;
}

static void test_stopping(void **state) {
  static char steps[][8] = {"prepare", "block", "train", "score", "cluster"};
  struct scene scene;
  (void)state;
  open_scene(&scene, "", 2);
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    struct link_options options = {.threads = 2, .progress = stop_at, .context = steps[i]};
    struct link_result result;
    struct error error = {0};
    assert_int_equal(link_run(scene.plan, &scene.population->records, &options, &result, &error), ERR_INTERRUPTED);
    assert_null(result.pairs);
  }
  close_scene(&scene);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_threads_make_no_difference),
      cmocka_unit_test(test_order_makes_no_difference),
      cmocka_unit_test(test_frozen_model_gives_the_same),
      cmocka_unit_test(test_hold_and_tentative),
      cmocka_unit_test(test_reasons_of_constraints),
      cmocka_unit_test(test_reasons_of_decisions),
      cmocka_unit_test(test_reasons_of_rules),
      cmocka_unit_test(test_third_records),
      cmocka_unit_test(test_reason_of_clusters),
      cmocka_unit_test(test_keys_and_explanations),
      cmocka_unit_test(test_bad_input),
      cmocka_unit_test(test_empty_and_constant),
      cmocka_unit_test(test_stopping),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
