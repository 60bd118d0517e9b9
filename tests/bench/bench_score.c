/* Scoring alone, on one core: made-up persons whose first comparison is a code that many share, so that blocks are
 * large; seven comparisons a pair. One JSON line: pairs per second. usage: bench_score [RECORDS] [THREADS] */
#include "core/base/text.h"
#include "core/link/crew.h"
#include "core/link/learn.h"
#include "core/link/score.h"
#include "tests/support/population.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { PAIRS_FLOOR = 10000000 };

static const char plan_text[] = "block_most: 5000\n"
                                "compare:\n"
                                "  document: {kind: document, from: document}\n"
                                "  surnames: {kind: surnames, from: [paternal_surname, maternal_surname], "
                                "frequency: true}\n"
                                "  given: {kind: given_names, from: [given_names, paternal_surname], frequency: true}\n"
                                "  birth: {kind: date, from: birth_date}\n"
                                "  city: {kind: code, from: city, frequency: true}\n"
                                "  town: {kind: text, from: city, levels: [exact, {jaro_winkler: 0.9}]}\n"
                                "  age: {kind: age, from: birth_date}\n"
                                "block:\n"
                                "  - document\n"
                                "  - [surnames.any, birth.year]\n"
                                "  - [given.any, birth.year]\n"
                                "  - [city, birth.month_and_year]\n"
                                "  - [birth.year, city]\n"
                                "  - [surnames.any, given.any]\n"
                                "  - [city, surnames.any]\n"
                                "train: {deterministic: document}\n";

static void fail(const char *what, const struct error *error) {
  fprintf(stderr, "bench_score: %s: %s\n", what, error->message);
  exit(1);
}

static double now(void) {
  struct timespec time;
  (void)clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Of all threads; what a core does does not depend on who else uses the machine. */
static double cpu_now(void) {
  struct timespec time;
  (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static long peak_mib(void) {
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss / 1024 : 0;
}

static uint64_t argument(int count, char **arguments, int at, uint64_t otherwise) {
  int64_t value = 0;
  return count > at && text_to_int64(slice_of(arguments[at]), &value) && value > 0 ? (uint64_t)value : otherwise;
}

int main(int count, char **arguments) {
  struct error error = {0};
  size_t records = argument(count, arguments, 1, 100000);
  unsigned threads = crew_size((unsigned)argument(count, arguments, 2, 1));
  struct population *population = population_make(records, 1, 0);
  struct link_plan *plan = population_plan_of(plan_text);
  struct prepared prepared;
  struct blocks blocks;
  struct scorer scorer = {.prepared = &prepared, .blocks = &blocks, .threads = threads};
  struct link_model *model = NULL;
  struct weights *weights = NULL;
  struct link_result result = {0};
  uint8_t secret[16];
  double times[5];
  if (sodium_init() < 0) {
    fail("sodium", &error);
  }
  learn_secret(1, secret);
  times[0] = now();
  if (prepared_init(&prepared, plan, &population->records, threads, &error) != OK) {
    fail("prepare", &error);
  }
  times[1] = now();
  if (blocks_init(&blocks, &prepared, secret, NULL, threads, &error) != OK) {
    fail("block", &error);
  }
  times[2] = now();
  if (learn_model(&scorer, &model, &error) != OK || weights_make(&prepared, model, &weights, &error) != OK) {
    fail("train", &error);
  }
  times[3] = now();
  double cpu = cpu_now();
  if (score_pairs(&scorer, weights, &result, &error) != OK) {
    fail("score", &error);
  }
  times[4] = now();
  cpu = cpu_now() - cpu;
  printf("{\"bench\":\"score\",\"records\":%zu,\"comparisons\":%zu,\"threads\":%u,\"pairs\":%" PRIu64
         ",\"kept\":%zu,\"prepare_seconds\":%.3f,\"block_seconds\":%.3f,\"train_seconds\":%.3f,\"score_seconds\":%.3f,"
         "\"score_cpu_seconds\":%.3f,\"pairs_per_second_per_core\":%.0f,\"pairs_per_second_per_core_floor\":%d,"
         "\"peak_mib\":%ld,\"held\":%s}\n",
         records, plan->comparison_count, threads, result.compared, result.pair_count, times[1] - times[0],
         times[2] - times[1], times[3] - times[2], times[4] - times[3], cpu, (double)result.compared / cpu, PAIRS_FLOOR,
         peak_mib(), (double)result.compared / cpu >= PAIRS_FLOOR ? "true" : "false");
  link_result_free(&result);
  weights_free(weights);
  link_model_free(model);
  blocks_free(&blocks);
  prepared_free(&prepared);
  population_free(population);
  link_plan_free(plan);
  return 0;
}
