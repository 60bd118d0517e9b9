/* Blocking and the walk over pairs, against all pairs looked at one by one. */
#include "core/link/block.h"
#include "core/link/walk.h"
#include "tests/support/population.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

static const uint8_t secret[16] = {1, 2, 3, 4, 5, 6, 7, 8};

struct bench {
  struct link_plan *plan;
  struct population *population;
  struct prepared prepared;
  struct blocks blocks;
  struct error error;
};

static void open_bench(struct bench *bench, size_t count, size_t most) {
  *bench = (struct bench){.plan = population_plan(""), .population = population_make(count, 11, 0)};
  bench->plan->block_most = most;
  assert_int_equal(prepared_init(&bench->prepared, bench->plan, &bench->population->records, 1, &bench->error), OK);
}

static void close_bench(struct bench *bench) {
  blocks_free(&bench->blocks);
  prepared_free(&bench->prepared);
  population_free(bench->population);
  link_plan_free(bench->plan);
}

/* Whether two records share a full hash of a rule that is not left out. */
static bool shares(const struct bench *bench, uint16_t rule, uint32_t a, uint32_t b) {
  uint64_t x[BLOCK_SLOTS_MOST];
  uint64_t y[BLOCK_SLOTS_MOST];
  size_t x_count = blocks_hashes(&bench->prepared, secret, rule, a, x);
  size_t y_count = blocks_hashes(&bench->prepared, secret, rule, b, y);
  for (size_t i = 0; i < x_count; i++) {
    for (size_t j = 0; j < y_count; j++) {
      if (x[i] == y[j] && !blocks_is_capped(bench->blocks.capped, bench->blocks.capped_count, x[i])) {
        return true;
      }
    }
  }
  return false;
}

static uint16_t first_sharing(const struct bench *bench, uint32_t a, uint32_t b) {
  for (uint16_t rule = 0; rule < (uint16_t)bench->plan->block_count; rule++) {
    if (shares(bench, rule, a, b)) {
      return rule;
    }
  }
  return LINK_NO_RULE;
}

/* Visits by pair: how often, over all rules. */
struct visits {
  uint8_t *times;
  size_t records;
  pthread_mutex_t lock;
};

static bool note_visits(void *context, unsigned thread, const struct walk_tile *tile) {
  struct visits *visits = context;
  (void)thread;
  pthread_mutex_lock(&visits->lock);
  for (unsigned i = 0; i < WALK_TILE; i++) {
    if ((tile->wanted >> i & 1) != 0) {
      uint32_t a = tile->a < tile->b[i] ? tile->a : tile->b[i];
      uint32_t b = tile->a < tile->b[i] ? tile->b[i] : tile->a;
      visits->times[a * visits->records + b]++;
    }
  }
  pthread_mutex_unlock(&visits->lock);
  return true;
}

static void walk_all(struct bench *bench, unsigned threads, struct visits *visits, struct walk_counts *counts) {
  size_t records = bench->population->records.count;
  *visits = (struct visits){.times = calloc(records * records, 1), .records = records};
  assert_non_null(visits->times);
  assert_int_equal(pthread_mutex_init(&visits->lock, NULL), 0);
  for (uint16_t rule = 0; rule < (uint16_t)bench->plan->block_count; rule++) {
    struct walk walk = {.blocks = &bench->blocks,
                        .rule = rule,
                        .earlier = (UINT64_C(1) << rule) - 1,
                        .threads = threads,
                        .visit = note_visits,
                        .context = visits};
    assert_int_equal(walk_pairs(&walk, &counts[rule], &bench->error), OK);
  }
  pthread_mutex_destroy(&visits->lock);
}

static void check_pairs(size_t count, size_t most, unsigned threads) {
  struct bench bench;
  struct visits visits;
  struct walk_counts counts[LINK_RULES_MOST];
  struct walk_counts expected[LINK_RULES_MOST] = {0};
  open_bench(&bench, count, most);
  assert_int_equal(blocks_init(&bench.blocks, &bench.prepared, secret, NULL, threads, &bench.error), OK);
  walk_all(&bench, threads, &visits, counts);
  for (uint32_t a = 0; a < count; a++) {
    for (uint32_t b = a + 1; b < count; b++) {
      uint16_t first = first_sharing(&bench, a, b);
      assert_int_equal(visits.times[a * count + b], first != LINK_NO_RULE);
      assert_int_equal(blocks_propose(&bench.blocks, a, b), first);
      assert_int_equal(blocks_propose(&bench.blocks, b, a), first);
      for (uint16_t rule = 0; rule < (uint16_t)bench.plan->block_count; rule++) {
        expected[rule].proposed += shares(&bench, rule, a, b);
        expected[rule].wanted += rule == first;
      }
    }
  }
  uint64_t proposed = 0;
  for (uint16_t rule = 0; rule < (uint16_t)bench.plan->block_count; rule++) {
    assert_int_equal(counts[rule].proposed, expected[rule].proposed);
    assert_int_equal(counts[rule].wanted, expected[rule].wanted);
    proposed += expected[rule].proposed;
  }
  assert_true(proposed >= count / 4);
  free(visits.times);
  close_bench(&bench);
}

static void test_every_pair_once(void **state) {
  (void)state;
  check_pairs(600, 1000, 1);
  check_pairs(600, 1000, 3);
  check_pairs(1, 1000, 2);
  check_pairs(0, 1000, 2);
}

static void test_capped_blocks_are_left_out(void **state) {
  (void)state;
  check_pairs(600, 5, 2);
}

/* A block of half of the records: left out, counted, and listed for the model. */
static void test_block_of_half_the_records(void **state) {
  struct bench bench;
  (void)state;
  open_bench(&bench, 300, 50);
  prepared_free(&bench.prepared);
  for (size_t i = 0; i < 300; i += 2) {
    population_set(bench.population, i, "document", "87654309");
  }
  assert_int_equal(prepared_init(&bench.prepared, bench.plan, &bench.population->records, 1, &bench.error), OK);
  assert_int_equal(blocks_init(&bench.blocks, &bench.prepared, secret, NULL, 2, &bench.error), OK);
  assert_int_equal(bench.blocks.counts[0].capped, 1);
  assert_int_equal(bench.blocks.counts[0].dropped, 150 * 149 / 2);
  assert_int_equal(bench.blocks.capped_count, 1);

  /* A frozen model leaves out what it lists, and counts it alike. */
  struct link_model model = {.capped = bench.blocks.capped, .capped_count = 1};
  struct blocks again;
  assert_int_equal(blocks_init(&again, &bench.prepared, secret, &model, 2, &bench.error), OK);
  assert_int_equal(again.counts[0].capped, 1);
  assert_int_equal(again.counts[0].dropped, 150 * 149 / 2);
  for (uint32_t a = 0; a < 300; a++) {
    for (uint32_t b = a + 1; b < 300; b += 7) {
      assert_int_equal(blocks_propose(&again, a, b), blocks_propose(&bench.blocks, a, b));
    }
  }
  blocks_free(&again);

  /* One that lists nothing: the block is compared as long as it has not passed ten caps. */
  struct link_model empty = {.capped_count = 0};
  assert_int_equal(blocks_init(&again, &bench.prepared, secret, &empty, 2, &bench.error), OK);
  assert_int_equal(again.counts[0].capped, 0);
  assert_int_equal(blocks_propose(&again, 0, 2), 0);
  blocks_free(&again);
  bench.plan->block_most = 14;
  assert_int_equal(blocks_init(&again, &bench.prepared, secret, &empty, 2, &bench.error), OK);
  assert_int_equal(again.counts[0].capped, 1);
  assert_int_not_equal(blocks_propose(&again, 0, 2), 0);
  blocks_free(&again);
  close_bench(&bench);
}

static void test_sealed_records_have_no_keys(void **state) {
  struct bench bench;
  uint8_t sealed[40] = {0};
  (void)state;
  memset(sealed, 1, 20);
  open_bench(&bench, 40, 1000);
  bench.population->records.sealed = sealed;
  assert_int_equal(blocks_init(&bench.blocks, &bench.prepared, secret, NULL, 1, &bench.error), OK);
  size_t with_keys = 0;
  for (uint32_t i = 0; i < 40; i++) {
    assert_false(i < 20 && blocks_has_key(&bench.blocks, i));
    with_keys += blocks_has_key(&bench.blocks, i);
  }
  assert_true(with_keys > 10);
  bench.population->records.sealed = NULL;
  close_bench(&bench);
}

/* Of more pairs than asked for about so many are walked, the same ones for any number of threads. */
static void test_sample_of_blocks(void **state) {
  struct bench bench;
  struct walk_counts all;
  struct walk_counts some[2];
  (void)state;
  open_bench(&bench, 3000, 1000);
  assert_int_equal(blocks_init(&bench.blocks, &bench.prepared, secret, NULL, 2, &bench.error), OK);
  struct visits visits;
  struct walk_counts counts[LINK_RULES_MOST];
  walk_all(&bench, 2, &visits, counts);
  free(visits.times);
  visits = (struct visits){.times = calloc((size_t)3000 * 3000, 1), .records = 3000};
  assert_non_null(visits.times);
  assert_int_equal(pthread_mutex_init(&visits.lock, NULL), 0);
  struct walk walk = {.blocks = &bench.blocks, .rule = 4, .threads = 1, .visit = note_visits, .context = &visits};
  assert_int_equal(walk_pairs(&walk, &all, &bench.error), OK);
  walk.pairs_most = all.wanted / 3;
  for (unsigned i = 0; i < 2; i++) {
    walk.threads = i + 1;
    assert_int_equal(walk_pairs(&walk, &some[i], &bench.error), OK);
  }
  assert_int_equal(some[0].wanted, some[1].wanted);
  assert_true(some[0].wanted > 0 && some[0].wanted < all.wanted * 2 / 3);
  pthread_mutex_destroy(&visits.lock);
  free(visits.times);
  close_bench(&bench);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_pair_once),           cmocka_unit_test(test_capped_blocks_are_left_out),
      cmocka_unit_test(test_block_of_half_the_records), cmocka_unit_test(test_sealed_records_have_no_keys),
      cmocka_unit_test(test_sample_of_blocks),
  };
  return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
