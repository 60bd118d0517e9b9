/* Clusters from scored pairs, and the measure of them, on one thread: 7 million records of people with one to five
 * records each, 5 million edges of which some are wrong; and a single component too large for a matrix. Prints a JSON
 * line for each.
 *
 * usage: bench_partition [RECORDS]; BENCH_RECORDS does as well; default seven million. */
#include "core/base/date.h"
#include "core/link/evaluate.h"
#include "core/link/partition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { RECORDS = 7000000, LARGE = 200000 };

static uint64_t random_state = 42;

static uint32_t draw(uint32_t below) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)(random_state >> 33) % below;
}

static void fail(const char *what) {
  fprintf(stderr, "bench_partition: %s\n", what);
  exit(1);
}

static void *room(size_t count, size_t size) {
  void *made = calloc(count + 1, size);
  if (made == NULL) {
    fail("out of memory");
  }
  return made;
}

static long peak_mib(void) {
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss / 1024 : 0;
}

struct input {
  size_t count, edge_count;
  uint32_t *truth, *rank;
  uint8_t *bound;
  struct partition_edge *edges;
};

static bool allows(void *context, uint32_t a, uint32_t b) {
  const struct input *input = context;
  return a % 1000 != b % 1000 || input->truth[a] == input->truth[b];
}

static float weigh(void *context, uint32_t a, uint32_t b) {
  const struct input *input = context;
  return input->truth[a] == input->truth[b] ? 3 : -8;
}

static void add(struct input *input, uint32_t a, uint32_t b, float weight) {
  input->edges[input->edge_count++] = (struct partition_edge){.a = a, .b = b, .weight = weight, .joins = weight >= 0};
}

/* People stand in a row, `size` records at most; each record has an edge to most later ones of its person and now and
 * then to a later record of `reach`, which is another person's. */
static struct input make(size_t count, uint32_t size, uint32_t wrong, uint32_t reach) {
  struct input input = {.count = count};
  input.truth = room(count, sizeof *input.truth);
  input.rank = room(count, sizeof *input.rank);
  input.bound = room(count, sizeof *input.bound);
  input.edges = room(count * (size + 1), sizeof *input.edges);
  for (uint32_t i = 0, end = 0, person = 0; i < count; i++) {
    if (i == end) {
      end = i + 1 + draw(2) * draw(size);
      person = i;
    }
    input.truth[i] = person;
  }
  for (uint32_t i = 0; i < count; i++) {
    input.rank[i] = i * 2654435761U;
    input.bound[i] = draw(10) == 0;
    uint32_t j = i + 1;
    for (; j < count && input.truth[j] == input.truth[i]; j++) {
      if (draw(10) > 0) {
        add(&input, i, j, (float)draw(2400) / 100);
      }
    }
    j += draw(reach);
    if (draw(100) < wrong && j < count) {
      add(&input, i, j, (float)draw(600) / 100);
    }
  }
  return input;
}

static void run(const char *name, struct input *input, enum partition_method method) {
  struct partition partition = {.count = input->count,
                                .edges = input->edges,
                                .edge_count = input->edge_count,
                                .method = method,
                                .cap = 20,
                                .unproposed = -2,
                                .giant = method == PARTITION_AVERAGE ? 1000 : 0,
                                .rank = input->rank,
                                .bound = input->bound,
                                .allows = allows,
                                .weight = weigh,
                                .context = input};
  struct partition_result result;
  struct link_score score;
  struct error error;
  int64_t begin = clock_monotonic();
  if (partition_run(&partition, &result, &error) != OK) {
    fail(error.message);
  }
  int64_t clustered = clock_monotonic();
  if (link_evaluate(input->truth, result.cluster, input->count, &score, &error) != OK) {
    fail(error.message);
  }
  printf("{\"case\":\"partition_%s_%s\",\"records\":%zu,\"edges\":%zu,\"seconds\":%.3f,\"clusters\":%zu,\"larger\":%zu,"
         "\"f1\":%.4f,\"evaluate_seconds\":%.3f,\"peak_mib\":%ld}\n",
         name, partition_method_names[method], input->count, input->edge_count, (double)(clustered - begin) / 1e6,
         result.cluster_count, result.larger_count, score.f1, (double)(clock_monotonic() - clustered) / 1e6,
         peak_mib());
  fflush(stdout);
  partition_result_free(&result);
}

static void input_free(struct input *input) {
  free(input->truth);
  free(input->rank);
  free(input->bound);
  free(input->edges);
}

int main(int argc, char **argv) {
  const char *wanted = argc > 1 ? argv[1] : getenv("BENCH_RECORDS");
  size_t count = wanted != NULL ? strtoull(wanted, NULL, 10) : RECORDS;
  if (count == 0 || count >= UINT32_MAX) {
    fail("RECORDS is a number of records");
  }
  struct input input = make(count, 5, 2, 1000);
  for (int method = PARTITION_AVERAGE; method <= PARTITION_BEST; method++) {
    run("small", &input, (enum partition_method)method);
  }
  input_free(&input);
  input = make(count < LARGE ? count : LARGE, 20, 80, 1000);
  run("large", &input, PARTITION_AVERAGE);
  input_free(&input);
  return 0;
}
