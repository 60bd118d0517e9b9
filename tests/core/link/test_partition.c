/* Clusters from edges: dendrograms worked by hand, constraints, limits, bridges. */
#include "tests/support/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

static void check_stopping(struct graph *graph, float stop, const char *expected) {
  struct partition partition = graph_partition(graph, PARTITION_AVERAGE);
  partition.stop = stop;
  clusters_check(&partition, expected);
  partition.weight = NULL;
  partition.matrix_most = 1;
  clusters_check(&partition, expected);
}

/* ---- average-link ---- */

/* The bacteria of Wikipedia's "UPGMA" (5S ribosomal RNA, Erdmann and Wolters 1986), distances taken from 50: joined at
 * distances 17 (a b), 22 (e with a b), 28 (c d), 33 (all). */
static void upgma_joins_as_worked_by_hand(void **state) {
  (void)state;
  static const float distances[5][5] = {
      {0, 17, 21, 31, 23}, {17, 0, 30, 34, 21}, {21, 30, 0, 28, 39}, {31, 34, 28, 0, 43}, {23, 21, 39, 43, 0}};
  struct graph graph;
  graph_init(&graph, 5);
  for (uint32_t a = 0; a < 5; a++) {
    for (uint32_t b = a + 1; b < 5; b++) {
      graph_edge(&graph, a, b, 50 - distances[a][b]);
    }
  }
  struct partition partition = graph_partition(&graph, PARTITION_AVERAGE);
  partition.cap = 100;
  static const struct {
    float stop;
    const char *clusters;
  } cuts[] = {{50 - 16.9F, "0|1|2|3|4"}, {50 - 17, "0 1|2|3|4"}, {50 - 21.9F, "0 1|2|3|4"}, {50 - 22, "0 1 4|2|3"},
              {50 - 27.9F, "0 1 4|2|3"}, {50 - 28, "0 1 4|2 3"}, {50 - 32.9F, "0 1 4|2 3"}, {50 - 33, "0 1 2 3 4"}};
  for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
    partition.stop = cuts[i].stop;
    partition.matrix_most = 0;
    clusters_check(&partition, cuts[i].clusters);
    partition.matrix_most = 1;
    clusters_check(&partition, cuts[i].clusters);
  }
}

/* 0-1 joined at 8, then {0 1} with 2 has mean (4 - 2) / 2 = 1, then 3 has (4 - 2 - 2) / 3 = 0. */
static void means_take_in_pairs_that_no_rule_proposed(void **state) {
  (void)state;
  struct graph graph;
  graph_init(&graph, 4);
  graph_edge(&graph, 0, 1, 8);
  graph_edge(&graph, 1, 2, 4);
  graph_edge(&graph, 2, 3, 3.999F);
  check_stopping(&graph, 1.001F, "0 1|2 3");
  check_stopping(&graph, 0, "0 1|2 3");
  graph.weight[2][3] = 0.5F;
  check_stopping(&graph, 1, "0 1 2|3");
  check_stopping(&graph, -1.1667F, "0 1 2 3"); /* (0.5 - 2 - 2) / 3 */
  check_stopping(&graph, -1.1666F, "0 1 2|3");
}

static void chains_are_cut_where_components_would_go_on(void **state) {
  (void)state;
  struct graph graph;
  graph_init(&graph, 6);
  for (uint32_t i = 0; i < 5; i++) {
    graph_edge(&graph, i, i + 1, i == 2 ? 1 : 6);
  }
  struct partition partition = graph_partition(&graph, PARTITION_COMPONENTS);
  clusters_check(&partition, "0 1 2 3 4 5");
  check_stopping(&graph, 0, "0 1 2|3 4 5");
}

/* Uncapped, 40 would outweigh two refusals of the mean. */
static void weights_are_capped(void **state) {
  (void)state;
  struct graph graph;
  graph_init(&graph, 3);
  graph_edge(&graph, 0, 1, 50);
  graph_edge(&graph, 1, 2, 40);
  graph_pair(&graph, 0, 2, -30, true, false);
  check_stopping(&graph, 0, "0 1|2");
  struct partition partition = graph_partition(&graph, PARTITION_AVERAGE);
  partition.cap = 100;
  clusters_check(&partition, "0 1 2");
}

static void edges_that_do_not_join_only_count(void **state) {
  (void)state;
  struct graph graph;
  graph_init(&graph, 4);
  graph_pair(&graph, 0, 1, 15, true, false);
  check_stopping(&graph, 0, "0|1|2|3");
  graph_edge(&graph, 1, 2, 3);
  check_stopping(&graph, 0, "0|1 2|3");
  graph_edge(&graph, 0, 2, 1); /* (15 + 1) / 2 */
  check_stopping(&graph, 8, "0|1|2|3");
  check_stopping(&graph, 3, "0 1 2|3");
}

static void unscored_pairs_are_asked_for(void **state) {
  (void)state;
  struct graph graph;
  graph_init(&graph, 3);
  graph_edge(&graph, 0, 1, 6);
  graph_edge(&graph, 1, 2, 5);
  graph.weight[0][2] = graph.weight[2][0] = -7;
  struct partition partition = graph_partition(&graph, PARTITION_AVERAGE);
  clusters_check(&partition, "0 1|2");
  partition.weight = NULL;
  clusters_check(&partition, "0 1 2");
}

/* ---- constraints ---- */

static void cannot_link_holds_through_others(void **state) {
  (void)state;
  struct graph graph;
  graph_init(&graph, 4);
  graph_edge(&graph, 0, 1, 9);
  graph_edge(&graph, 1, 2, 8);
  graph_edge(&graph, 2, 3, 12);
  graph_refuse(&graph, 0, 3);
  for (int method = PARTITION_AVERAGE; method <= PARTITION_BEST; method++) {
    struct partition partition = graph_partition(&graph, (enum partition_method)method);
    clusters_check(&partition, "0 1|2 3");
    partition.matrix_most = 1;
    clusters_check(&partition, "0 1|2 3");
  }
}

static void only_bound_records_are_asked_about(void **state) {
  (void)state;
  struct graph graph;
  uint8_t bound[GRAPH_MOST] = {0};
  graph_init(&graph, 10);
  for (uint32_t i = 1; i < 10; i++) {
    graph_edge(&graph, 0, i, 10);
  }
  graph_refuse(&graph, 3, 7);
  bound[3] = bound[7] = 1;
  struct partition partition = graph_partition(&graph, PARTITION_COMPONENTS);
  partition.bound = bound;
  clusters_check(&partition, "0 1 2 3 4 5 6 8 9|7");
  assert_int_equal(graph.asked, 1);
  bound[7] = 0;
  clusters_check(&partition, "0 1 2 3 4 5 6 7 8 9");
  assert_int_equal(graph.asked, 1);
}

static void must_link_comes_first_and_gives_way_to_cannot_link(void **state) {
  (void)state;
  struct graph graph;
  graph_init(&graph, 6);
  graph.same[0] = graph.same[3] = graph.same[5] = 7;
  struct partition partition = graph_partition(&graph, PARTITION_AVERAGE);
  clusters_check(&partition, "0 3 5|1|2|4");
  graph_refuse(&graph, 0, 3);
  clusters_check(&partition, "0 5|1|2|3|4");
  graph.rank[0] = 9;
  clusters_check(&partition, "0|1|2|3 5|4");
  graph.rank[0] = 0;
  graph_edge(&graph, 3, 4, 10);
  graph_edge(&graph, 4, 5, 9);
  partition = graph_partition(&graph, PARTITION_COMPONENTS);
  clusters_check(&partition, "0 5|1|2|3 4");
  partition.allows = NULL;
  clusters_check(&partition, "0 3 4 5|1|2");
}

static void a_refused_record_joins_the_next_part_of_its_class(void **state) {
  (void)state;
  struct graph graph;
  graph_init(&graph, 5);
  graph.same[0] = graph.same[1] = graph.same[2] = graph.same[3] = 1;
  graph_refuse(&graph, 0, 1);
  graph_refuse(&graph, 0, 2);
  struct partition partition = graph_partition(&graph, PARTITION_AVERAGE);
  clusters_check(&partition, "0 3|1 2|4");
}

/* The mean of the class {0 1 2} with 3: (9 - 2 - 2) / 3. */
static void a_must_link_class_counts_as_one_cluster(void **state) {
  (void)state;
  struct graph graph;
  graph_init(&graph, 4);
  graph.same[0] = graph.same[1] = graph.same[2] = 0;
  graph_edge(&graph, 0, 3, 9);
  check_stopping(&graph, 1.6F, "0 1 2 3");
  check_stopping(&graph, 1.7F, "0 1 2|3");
}

/* ---- best-link ---- */

static void best_link_keeps_the_best_of_each_source(void **state) {
  (void)state;
  struct graph graph;
  graph_init(&graph, 5); /* 0 1 of source 0; 2 3 of source 1; 4 of source 2 */
  graph.source[2] = graph.source[3] = 1;
  graph.source[4] = 2;
  graph_edge(&graph, 0, 2, 9);
  graph_edge(&graph, 1, 2, 4);
  graph_edge(&graph, 0, 3, 5);
  graph_edge(&graph, 1, 3, 7);
  graph_edge(&graph, 1, 4, 3);
  struct partition partition = graph_partition(&graph, PARTITION_BEST);
  clusters_check(&partition, "0 2|1 3 4");
  partition.matrix_most = 1;
  clusters_check(&partition, "0 2|1 3 4");
  graph.weight[1][2] = 8; /* now the best partner of 1, although not that of 2 */
  partition = graph_partition(&graph, PARTITION_BEST);
  clusters_check(&partition, "0 1 2 3 4");
}

static void best_link_without_sources_takes_the_best_of_all(void **state) {
  (void)state;
  struct graph graph;
  graph_init(&graph, 4);
  graph_edge(&graph, 0, 1, 9);
  graph_edge(&graph, 1, 2, 5);
  graph_edge(&graph, 2, 3, 8);
  struct partition partition = graph_partition(&graph, PARTITION_BEST);
  partition.source = NULL;
  clusters_check(&partition, "0 1|2 3");
  graph_edge(&graph, 0, 3, 9); /* 3 now prefers 0; 2 still has none better than 3 */
  partition = graph_partition(&graph, PARTITION_BEST);
  partition.source = NULL;
  clusters_check(&partition, "0 1 2 3");
}

/* 0 has two best partners; the edge to 2 is no best of 2's. */
static void best_link_breaks_ties_by_rank(void **state) {
  (void)state;
  struct graph graph;
  graph_init(&graph, 4);
  graph_edge(&graph, 0, 1, 5);
  graph_edge(&graph, 0, 2, 5);
  graph_edge(&graph, 2, 3, 9);
  struct partition partition = graph_partition(&graph, PARTITION_BEST);
  clusters_check(&partition, "0 1|2 3");
  graph.rank[1] = 9;
  clusters_check(&partition, "0 1 2 3");
}

/* 1 is as near to 0 as to 2, who may not be one; content decides, not arrival. */
static void equal_means_are_joined_in_the_order_of_content(void **state) {
  (void)state;
  struct graph graph;
  graph_init(&graph, 3);
  graph_edge(&graph, 0, 1, 5);
  graph_edge(&graph, 1, 2, 5);
  graph_refuse(&graph, 0, 2);
  check_stopping(&graph, 0, "0 1|2");
  graph.rank[0] = 9;
  check_stopping(&graph, 0, "0|1 2");
}

/* ---- limits, facts ---- */

static void a_giant_cluster_stops_the_run(void **state) {
  (void)state;
  struct graph graph;
  graph_init(&graph, 8);
  for (uint32_t i = 1; i < 8; i++) {
    graph_edge(&graph, i - 1, i, 20);
  }
  for (int method = PARTITION_AVERAGE; method <= PARTITION_COMPONENTS; method++) {
    struct partition partition = graph_partition(&graph, (enum partition_method)method);
    struct partition_result result;
    struct error error;
    partition.stop = -100;
    partition.allows = NULL;
    partition.giant = 8;
    clusters_check(&partition, "0 1 2 3 4 5 6 7");
    partition.giant = 7;
    assert_int_equal(partition_run(&partition, &result, &error), ERR_LIMIT);
    assert_string_equal(error.message, "a cluster of 8 records would form, and at most 7 are allowed");
    assert_string_equal(error.hint, "tighten the blocking rules or raise cluster.giant");
    assert_null(result.cluster);
  }
}

static void check_facts(const struct partition *partition, uint32_t first, uint32_t size, double density,
                        uint32_t bridges) {
  struct partition_result result;
  struct error error;
  assert_int_equal(partition_run(partition, &result, &error), OK);
  assert_int_equal(result.larger_count, 1);
  assert_int_equal(result.clusters[0].first, first);
  assert_int_equal(result.clusters[0].size, size);
  assert_true(fabs((double)result.clusters[0].density - density) < 1e-6);
  assert_int_equal(result.clusters[0].bridges, bridges);
  partition_result_free(&result);
}

/* Two triangles and the edge between them, a path, a ring, and a path on a must-link class. */
static void bridges_and_density_of_known_graphs(void **state) {
  (void)state;
  struct graph graph;
  graph_init(&graph, 8);
  static const uint32_t edges[][2] = {{1, 2}, {2, 3}, {1, 3}, {3, 4}, {4, 5}, {5, 6}, {4, 6}};
  for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
    graph_edge(&graph, edges[i][0], edges[i][1], 3);
  }
  struct partition partition = graph_partition(&graph, PARTITION_COMPONENTS);
  check_facts(&partition, 1, 6, 7.0 / 15, 1);
  graph_pair(&graph, 2, 5, -1, true, false); /* a pair of negative weight holds nothing together */
  partition = graph_partition(&graph, PARTITION_COMPONENTS);
  check_facts(&partition, 1, 6, 7.0 / 15, 1);
  graph_pair(&graph, 2, 5, 0, true, false);
  partition = graph_partition(&graph, PARTITION_COMPONENTS);
  check_facts(&partition, 1, 6, 8.0 / 15, 0);

  graph_init(&graph, 5);
  for (uint32_t i = 1; i < 5; i++) {
    graph_edge(&graph, i - 1, i, 3);
  }
  partition = graph_partition(&graph, PARTITION_COMPONENTS);
  check_facts(&partition, 0, 5, 0.4, 4);
  graph.same[1] = graph.same[3] = 0; /* 1 and 3 are one: 1-2-3 is a ring */
  check_facts(&partition, 0, 5, 0.4, 2);
  graph_edge(&graph, 0, 4, 3);
  graph.same[1] = graph.same[3] = LINK_MISSING;
  partition = graph_partition(&graph, PARTITION_COMPONENTS);
  check_facts(&partition, 0, 5, 0.5, 0);
}

static void edges_out_of_order_are_refused(void **state) {
  (void)state;
  static const struct partition_edge edges[2] = {{.a = 1, .b = 2}, {.a = 0, .b = 1}};
  static const uint32_t rank[3] = {0, 1, 2};
  struct partition partition = {.count = 3, .edges = edges, .edge_count = 2, .rank = rank};
  struct partition_result result;
  struct error error;
  assert_int_equal(partition_run(&partition, &result, &error), ERR_INTERNAL);
  assert_string_equal(error.message, "the edges of a partition are not in order");
}

static void nothing_gives_nothing(void **state) {
  (void)state;
  struct graph graph;
  struct error error;
  struct partition_result result;
  graph_init(&graph, 0);
  struct partition partition = {.method = PARTITION_AVERAGE};
  assert_int_equal(partition_run(&partition, &result, &error), OK);
  assert_int_equal(result.cluster_count, 0);
  assert_int_equal(result.larger_count, 0);
  partition_result_free(&result);
  graph.count = 3;
  partition = graph_partition(&graph, PARTITION_AVERAGE);
  assert_int_equal(partition_run(&partition, &result, &error), OK);
  assert_int_equal(result.cluster_count, 3);
  partition_result_free(&result);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(upgma_joins_as_worked_by_hand),
      cmocka_unit_test(means_take_in_pairs_that_no_rule_proposed),
      cmocka_unit_test(chains_are_cut_where_components_would_go_on),
      cmocka_unit_test(weights_are_capped),
      cmocka_unit_test(edges_that_do_not_join_only_count),
      cmocka_unit_test(unscored_pairs_are_asked_for),
      cmocka_unit_test(cannot_link_holds_through_others),
      cmocka_unit_test(only_bound_records_are_asked_about),
      cmocka_unit_test(must_link_comes_first_and_gives_way_to_cannot_link),
      cmocka_unit_test(a_refused_record_joins_the_next_part_of_its_class),
      cmocka_unit_test(best_link_breaks_ties_by_rank),
      cmocka_unit_test(equal_means_are_joined_in_the_order_of_content),
      cmocka_unit_test(a_must_link_class_counts_as_one_cluster),
      cmocka_unit_test(best_link_keeps_the_best_of_each_source),
      cmocka_unit_test(best_link_without_sources_takes_the_best_of_all),
      cmocka_unit_test(a_giant_cluster_stops_the_run),
      cmocka_unit_test(bridges_and_density_of_known_graphs),
      cmocka_unit_test(edges_out_of_order_are_refused),
      cmocka_unit_test(nothing_gives_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
