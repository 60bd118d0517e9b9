/* Clusters on random graphs full of ties: the same in any order of records, and as a slow way of average-link finds
 * them. */
#include "tests/support/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 400 };

/* ---- the order of records ---- */

static uint32_t draw(uint64_t *seed, uint32_t below) {
  *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
  return (uint32_t)(*seed >> 33) % below;
}

/* Weights are a few whole numbers, so ties abound. Records of one content (rank) are alike in everything. */
static void make_random(struct graph *graph, uint64_t *seed, bool alike, bool classes) {
  graph_init(graph, 2 + draw(seed, GRAPH_MOST / 2));
  uint32_t contents = alike ? 1 + draw(seed, graph->count) : graph->count;
  uint32_t spread = 1 + draw(seed, 6);
  struct graph *model = malloc(sizeof *model);
  graph_init(model, contents);
  for (uint32_t a = 0; a < contents; a++) {
    model->source[a] = draw(seed, 3);
    model->same[a] = classes && draw(seed, 3) == 0 ? draw(seed, 3) : LINK_MISSING;
    for (uint32_t b = a; b < contents; b++) {
      bool edge = draw(seed, 3) > 0;
      graph_pair(model, a, b, (float)draw(seed, spread + 3) - 3, edge, edge && draw(seed, 5) > 0);
      if (draw(seed, 12) == 0) {
        graph_refuse(model, a, b);
      }
    }
  }
  for (uint32_t i = 0; i < graph->count; i++) {
    uint32_t x = i < contents ? i : draw(seed, contents);
    graph->rank[i] = x;
    graph->source[i] = model->source[x];
    graph->same[i] = model->same[x];
  }
  for (uint32_t i = 0; i < graph->count; i++) {
    for (uint32_t j = 0; j < graph->count; j++) {
      uint32_t x = graph->rank[i];
      uint32_t y = graph->rank[j];
      graph->weight[i][j] = model->weight[x][y];
      graph->edge[i][j] = model->edge[x][y];
      graph->joins[i][j] = model->joins[x][y];
      graph->refused[i][j] = model->refused[x][y];
    }
  }
  free(model);
}

static void permute(struct graph *to, const struct graph *from, uint64_t *seed, uint32_t place[GRAPH_MOST]) {
  *to = *from;
  for (uint32_t i = 0; i < from->count; i++) {
    uint32_t j = draw(seed, i + 1);
    place[i] = place[j];
    place[j] = i;
  }
  for (uint32_t i = 0; i < from->count; i++) {
    to->rank[place[i]] = from->rank[i];
    to->source[place[i]] = from->source[i];
    to->same[place[i]] = from->same[i];
    for (uint32_t j = 0; j < from->count; j++) {
      to->weight[place[i]][place[j]] = from->weight[i][j];
      to->edge[place[i]][place[j]] = from->edge[i][j];
      to->joins[place[i]][place[j]] = from->joins[i][j];
      to->refused[place[i]][place[j]] = from->refused[i][j];
    }
  }
}

static int by_text(const void *a, const void *b) {
  return strcmp(a, b);
}

static int by_number(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a;
  uint32_t y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* Clusters as lists of contents, in order, so that it does not matter which of two alike is which. */
static void write_contents(const struct graph *graph, const uint32_t *cluster, char text[GRAPH_TEXT]) {
  char lists[GRAPH_MOST][GRAPH_TEXT] = {{0}};
  uint32_t ranks[GRAPH_MOST];
  for (uint32_t first = 0; first < graph->count; first++) {
    size_t count = 0;
    size_t at = 0;
    for (uint32_t i = 0; i < graph->count; i++) {
      if (cluster[i] == first) {
        ranks[count++] = graph->rank[i];
      }
    }
    qsort(ranks, count, sizeof *ranks, by_number);
    for (size_t i = 0; i < count; i++) {
      at += (size_t)snprintf(lists[first] + at, GRAPH_TEXT - at, " %u", ranks[i]);
    }
  }
  qsort(lists, graph->count, GRAPH_TEXT, by_text);
  size_t at = 0;
  for (uint32_t i = 0; i < graph->count; i++) {
    at += (size_t)snprintf(text + at, GRAPH_TEXT - at, "%s%s", lists[i], lists[i][0] == '\0' ? "" : "|");
  }
}

static void run_contents(struct graph *graph, int method, size_t matrix_most, char text[GRAPH_TEXT]) {
  struct partition partition = graph_partition(graph, (enum partition_method)method);
  struct partition_result result;
  struct error error;
  partition.matrix_most = matrix_most;
  assert_int_equal(partition_run(&partition, &result, &error), OK);
  write_contents(graph, result.cluster, text);
  partition_result_free(&result);
}

static void the_order_of_records_does_not_matter(void **state) {
  (void)state;
  uint64_t seed = 20240331;
  for (int round = 0; round < ROUNDS * 6; round++) {
    struct graph graph;
    struct graph other;
    uint32_t place[GRAPH_MOST] = {0};
    char expected[GRAPH_TEXT];
    char text[GRAPH_TEXT];
    make_random(&graph, &seed, round % 2 == 0, round % 2 == 1);
    permute(&other, &graph, &seed, place);
    int method = round % 3;
    size_t matrix_most = round % 4 < 2 ? 0 : 1;
    run_contents(&graph, method, matrix_most, expected);
    run_contents(&other, method, matrix_most, text);
    assert_string_equal(text, expected);
  }
}

/* ---- a slow way ---- */

struct slow {
  const struct graph *graph;
  bool proposed_only; /* pairs that are no edges count -2 */
  uint32_t cluster[GRAPH_MOST];
};

/* Sum and number of the cross pairs of two clusters, and whether they may be joined. */
static bool slow_means(const struct slow *slow, uint32_t x, uint32_t y, int64_t *sum, int64_t *pairs) {
  const struct graph *g = slow->graph;
  bool joins = false;
  bool allowed = true;
  *sum = *pairs = 0;
  for (uint32_t i = 0; i < g->count; i++) {
    for (uint32_t j = 0; j < g->count; j++) {
      if (slow->cluster[i] == x && slow->cluster[j] == y) {
        *sum += slow->proposed_only && !g->edge[i][j] ? -2 : (int64_t)g->weight[i][j];
        (*pairs)++;
        joins = joins || g->joins[i][j];
        allowed = allowed && !g->refused[i][j];
      }
    }
  }
  return joins && allowed;
}

/* Clusters are named by their first record, which is the first by rank as well. */
static bool slow_step(struct slow *slow) {
  uint32_t best_x = 0;
  uint32_t best_y = 0;
  int64_t best_sum = 0;
  int64_t best_pairs = 0;
  for (uint32_t x = 0; x < slow->graph->count; x++) {
    for (uint32_t y = x + 1; y < slow->graph->count; y++) {
      int64_t sum;
      int64_t pairs;
      if (slow->cluster[x] == x && slow->cluster[y] == y && slow_means(slow, x, y, &sum, &pairs) && sum >= 0
          && (best_pairs == 0 || sum * best_pairs > best_sum * pairs)) {
        best_x = x;
        best_y = y;
        best_sum = sum;
        best_pairs = pairs;
      }
    }
  }
  for (uint32_t i = 0; i < slow->graph->count && best_pairs > 0; i++) {
    slow->cluster[i] = slow->cluster[i] == best_y ? best_x : slow->cluster[i];
  }
  return best_pairs > 0;
}

static void average_link_agrees_with_a_slow_way(void **state) {
  (void)state;
  uint64_t seed = 7;
  unsigned joined = 0;
  for (int round = 0; round < ROUNDS * 4; round++) {
    struct graph graph;
    char expected[GRAPH_TEXT];
    make_random(&graph, &seed, false, false);
    struct slow slow = {.graph = &graph, .proposed_only = round % 2 == 1};
    for (uint32_t i = 0; i < graph.count; i++) {
      slow.cluster[i] = i;
    }
    while (slow_step(&slow)) {
      joined++;
    }
    clusters_write(slow.cluster, graph.count, expected);
    struct partition partition = graph_partition(&graph, PARTITION_AVERAGE);
    if (slow.proposed_only) {
      partition.weight = NULL;
      clusters_check(&partition, expected);
      partition.matrix_most = 1;
    }
    clusters_check(&partition, expected);
  }
  assert_true(joined > ROUNDS * 4);
}

/* ---- large components ---- */

enum { LARGE = 400, LARGE_EDGES = 1600 };

static bool large_allows(void *context, uint32_t a, uint32_t b) {
  (void)context;
  return (a * 31 + b) % 53 != 0;
}

static int by_ends(const void *a, const void *b) {
  const struct partition_edge *x = a;
  const struct partition_edge *y = b;
  return x->a != y->a ? (x->a > y->a) - (x->a < y->a) : (x->b > y->b) - (x->b < y->b);
}

static size_t make_large(struct partition_edge edges[LARGE_EDGES], uint64_t *seed, uint32_t spread) {
  size_t kept = 1;
  for (size_t i = 0; i < LARGE_EDGES; i++) {
    uint32_t a = draw(seed, LARGE - 1);
    uint32_t b = a + 1 + draw(seed, LARGE - 1 - a < 20 ? LARGE - 1 - a : 20);
    edges[i] =
        (struct partition_edge){.a = a, .b = b, .weight = (float)draw(seed, spread), .joins = draw(seed, 10) > 0};
  }
  qsort(edges, LARGE_EDGES, sizeof *edges, by_ends);
  for (size_t i = 1; i < LARGE_EDGES; i++) {
    if (by_ends(&edges[i], &edges[kept - 1]) != 0) {
      edges[kept++] = edges[i];
    }
  }
  return kept;
}

static void lists_of_neighbours_and_a_matrix_agree(void **state) {
  (void)state;
  uint64_t seed = 11;
  size_t clusters = 0;
  for (int round = 0; round < 60; round++) {
    struct partition_edge edges[LARGE_EDGES];
    uint32_t rank[LARGE];
    struct partition_result matrix;
    struct partition_result lists;
    struct error error;
    for (uint32_t i = 0; i < LARGE; i++) {
      rank[i] = i * 2654435761U;
    }
    struct partition partition = {.count = LARGE,
                                  .edges = edges,
                                  .edge_count = make_large(edges, &seed, round % 3 == 0 ? 3 : 30),
                                  .method = (enum partition_method)(round % 3),
                                  .cap = 20,
                                  .unproposed = -2,
                                  .rank = rank,
                                  .allows = round % 2 == 0 ? large_allows : NULL};
    assert_int_equal(partition_run(&partition, &matrix, &error), OK);
    partition.matrix_most = 1;
    assert_int_equal(partition_run(&partition, &lists, &error), OK);
    assert_memory_equal(matrix.cluster, lists.cluster, sizeof rank);
    clusters += matrix.larger_count;
    partition_result_free(&matrix);
    partition_result_free(&lists);
  }
  assert_true(clusters > 60);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_order_of_records_does_not_matter),
      cmocka_unit_test(average_link_agrees_with_a_slow_way),
      cmocka_unit_test(lists_of_neighbours_and_a_matrix_agree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
