/* Clusters of records under constraints. Edges come in classes that are joined or refused as one, so that the
 * partition depends on the records only, not on the order in which they came. Private to core/link. */
#ifndef PUENTE_SIMPLE_CLUSTER_H
#define PUENTE_SIMPLE_CLUSTER_H

#include "core/simple/prepare.h"

struct edge {
  uint32_t a, b;      /* records */
  uint32_t low, high; /* ranks of their content, low <= high: the order in which edges are tried */
};

struct clusters {
  const struct prepared *prepared;
  uint32_t *parent; /* union-find */
  uint32_t *next;   /* circular list of the records of one cluster */
  uint32_t *size;
  uint8_t *role; /* of the root: the role of its records, 0 none yet */
  struct member_fact *facts;
  size_t fact_capacity;
};

enum status simple_clusters_init(struct clusters *clusters, const struct prepared *prepared,
                                 struct error *error) MUST_CHECK;
void simple_clusters_free(struct clusters *clusters);
uint32_t simple_clusters_find(struct clusters *clusters, uint32_t record);
/* Tries edges of one class together: each connected part of them is joined whole, or not at all where it would bring
 * two roles together, or two records of one group whose documents do not agree. */
enum status simple_clusters_join(struct clusters *clusters, const struct edge *edges, size_t count,
                                 struct error *error) MUST_CHECK;

#endif
