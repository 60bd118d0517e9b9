/* Clusters from weighted edges under constraints. Knows no records beyond their positions. Private to core/link. */
#ifndef PUENTE_LINK_PARTITION_H
#define PUENTE_LINK_PARTITION_H

#include "core/link/link.h"

enum partition_method {
  PARTITION_AVERAGE,    /* average-link (UPGMA) on match weights: the default */
  PARTITION_COMPONENTS, /* connected components */
  PARTITION_BEST        /* best-link: components of the edges that are, for one of their ends, the best to a source */
};
extern const char *const partition_method_names[]; /* NULL-terminated */

enum { PARTITION_MATRIX_MOST = 1500 }; /* about 25 MiB */

struct partition_edge {
  uint32_t a, b; /* a < b */
  float weight;
  bool joins; /* may itself bring two clusters together; others only count in means */
};

struct partition {
  size_t count;                       /* records */
  const struct partition_edge *edges; /* by (a, b), each pair once; else ERR_INTERNAL */
  size_t edge_count;
  enum partition_method method;
  float cap, unproposed, stop; /* average-link: +20, -2, 0 */
  size_t giant;                /* a cluster larger than this stops the run: ERR_LIMIT; 0: any size */
  size_t matrix_most; /* components of more records are clustered by lists of neighbours, where pairs that are not among
                         the edges are not asked for and count as unproposed; 0: PARTITION_MATRIX_MOST */
  const uint32_t *rank;   /* order of records by content: breaks ties, so that arrival does not */
  const uint32_t *source; /* best-link; NULL: all of one */
  const uint32_t *same;   /* must-link class, joined first, or LINK_MISSING; NULL: none */
  /* Whether the two may ever be in one cluster, a < b. Called for pairs of different clusters before they are joined,
   * for each pair once unless it is refused. NULL: always. */
  bool (*allows)(void *context, uint32_t a, uint32_t b);
  const uint8_t *bound; /* by record, 0: `allows` never refuses a pair with it and is not asked; NULL: ask for all */
  /* Average-link: the weight of a pair inside a component that is not among the edges, a < b; `unproposed` where no
   * blocking rule proposes it. NULL: always unproposed. Called from one thread. */
  float (*weight)(void *context, uint32_t a, uint32_t b);
  void *context;
};

struct partition_result {
  uint32_t *cluster; /* by record: position of the first record of its cluster; owned */
  size_t cluster_count;
  struct link_cluster *clusters; /* of three and more, by first record; bridges: must-link classes are not cut; owned */
  size_t larger_count;
};
/* Identical for any order of records, up to which of two records of equal rank is which, as long as records of equal
 * rank are alike in weights, constraints and class. Inside a must-link class the
 * records join by rank, each to the first part of the class that has none it is refused; so must-link pairs that
 * `allows` refuses stay apart. Average-link: UPGMA (Sokal and Michener 1958) on similarities; equal means are joined in
 * the order of content, larger clusters first. Components: edges by descending weight, an edge that would bring a
 * refused pair into one cluster is passed over. */
enum status partition_run(const struct partition *partition, struct partition_result *result,
                          struct error *error) MUST_CHECK;
void partition_result_free(struct partition_result *result);

#endif
