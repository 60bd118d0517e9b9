#include "tests/support/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

void graph_init(struct graph *graph, uint32_t count) {
  memset(graph, 0, sizeof *graph);
  graph->count = count;
  for (uint32_t i = 0; i < GRAPH_MOST; i++) {
    graph->rank[i] = i;
    graph->same[i] = LINK_MISSING;
    for (uint32_t j = 0; j < GRAPH_MOST; j++) {
      graph->weight[i][j] = -2;
    }
  }
}

void graph_pair(struct graph *graph, uint32_t a, uint32_t b, float weight, bool edge, bool joins) {
  graph->weight[a][b] = graph->weight[b][a] = weight;
  graph->edge[a][b] = graph->edge[b][a] = edge;
  graph->joins[a][b] = graph->joins[b][a] = joins;
}

void graph_edge(struct graph *graph, uint32_t a, uint32_t b, float weight) {
  graph_pair(graph, a, b, weight, true, true);
}

void graph_refuse(struct graph *graph, uint32_t a, uint32_t b) {
  graph->refused[a][b] = graph->refused[b][a] = true;
}

static bool graph_allows(void *context, uint32_t a, uint32_t b) {
  struct graph *graph = context;
  assert_true(a < b);
  graph->asked++;
  return !graph->refused[a][b];
}

static float graph_weight(void *context, uint32_t a, uint32_t b) {
  struct graph *graph = context;
  assert_true(a < b);
  assert_false(graph->edge[a][b]);
  return graph->weight[a][b];
}

struct partition graph_partition(struct graph *graph, enum partition_method method) {
  size_t edges = 0;
  for (uint32_t a = 0; a < graph->count; a++) {
    for (uint32_t b = a + 1; b < graph->count; b++) {
      if (graph->edge[a][b]) {
        graph->edges[edges++] =
            (struct partition_edge){.a = a, .b = b, .weight = graph->weight[a][b], .joins = graph->joins[a][b]};
      }
    }
  }
  return (struct partition){.count = graph->count,
                            .edges = graph->edges,
                            .edge_count = edges,
                            .method = method,
                            .cap = 20,
                            .unproposed = -2,
                            .stop = 0,
                            .rank = graph->rank,
                            .source = graph->source,
                            .same = graph->same,
                            .allows = graph_allows,
                            .weight = graph_weight,
                            .context = graph};
}

void clusters_write(const uint32_t *cluster, uint32_t count, char text[GRAPH_TEXT]) {
  size_t at = 0;
  text[0] = '\0';
  for (uint32_t first = 0; first < count; first++) {
    for (uint32_t i = first; i < count && cluster[first] == first; i++) {
      if (cluster[i] == first) {
        at += (size_t)snprintf(text + at, GRAPH_TEXT - at, "%s%u", i > first ? " " : first > 0 ? "|" : "", i);
      }
    }
  }
}

void clusters_check(const struct partition *partition, const char *expected) {
  struct partition_result result;
  struct error error;
  char text[GRAPH_TEXT];
  assert_int_equal(partition_run(partition, &result, &error), OK);
  clusters_write(result.cluster, (uint32_t)partition->count, text);
  assert_string_equal(text, expected);
  partition_result_free(&result);
}
