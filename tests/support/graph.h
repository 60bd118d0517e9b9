/* Small graphs for tests of clusters: what is known of every pair, the edges made from it, clusters as text. */
#ifndef PUENTE_TESTS_GRAPH_H
#define PUENTE_TESTS_GRAPH_H

#include "core/link/partition.h"

enum { GRAPH_MOST = 24, GRAPH_EDGES_MOST = GRAPH_MOST * GRAPH_MOST, GRAPH_TEXT = 512 };

/* Records and what is known of their pairs, by matrices; the edges are made from them. */
struct graph {
  uint32_t count;
  bool edge[GRAPH_MOST][GRAPH_MOST], joins[GRAPH_MOST][GRAPH_MOST], refused[GRAPH_MOST][GRAPH_MOST];
  float weight[GRAPH_MOST][GRAPH_MOST]; /* of every pair, edge or not */
  uint32_t rank[GRAPH_MOST], source[GRAPH_MOST], same[GRAPH_MOST];
  struct partition_edge edges[GRAPH_EDGES_MOST];
  unsigned asked;
};

void graph_init(struct graph *graph, uint32_t count); /* no edges; every pair weighs -2 */
void graph_pair(struct graph *graph, uint32_t a, uint32_t b, float weight, bool edge, bool joins);
void graph_edge(struct graph *graph, uint32_t a, uint32_t b, float weight); /* that joins */
void graph_refuse(struct graph *graph, uint32_t a, uint32_t b);
/* Average-link's defaults; borrows the graph. */
struct partition graph_partition(struct graph *graph, enum partition_method method);

/* "0 1|2": records of each cluster in order. */
void clusters_write(const uint32_t *cluster, uint32_t count, char text[GRAPH_TEXT]);
/* Runs and asserts the clusters. */
void clusters_check(const struct partition *partition, const char *expected);

#endif
