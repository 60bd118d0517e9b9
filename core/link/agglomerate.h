/* One connected component into clusters, the best pair of clusters first. Two ways that give the same where both see
 * the same weights: a matrix for components of a usual size, lists of neighbours and a heap for large ones.
 *
 * Sums of weights are whole numbers, so that they do not depend on the order of addition. Private to partition.c. */
#ifndef PUENTE_LINK_AGGLOMERATE_H
#define PUENTE_LINK_AGGLOMERATE_H

#include "core/link/partition.h"

#define PILE_NONE UINT32_MAX

/* A cluster that grows. Its members are a chain; the first pile to be joined keeps its place in `piles`. */
struct pile {
  uint32_t first, last; /* members */
  uint32_t least;       /* of its members, so the first by content */
  uint32_t size;        /* 0: joined to another */
  uint32_t best;        /* the pile that it would be joined with, or PILE_NONE */
  uint32_t place;       /* in the heap */
  double score;         /* with `best` */
};

/* An edge inside the component, between members. */
struct joint {
  uint32_t a, b;
  float weight;
  bool joins;
};

/* Owned by the caller. A member is a position in `member`, whose order is that of content: of equal pairs the first
 * comes first, so that the outcome does not hang on the order of arrival. */
struct component {
  const struct partition *partition;
  uint32_t *member; /* records */
  uint32_t *next;   /* by member: the next one of its pile, or PILE_NONE */
  uint32_t *pile;   /* by member: its pile at the beginning */
  size_t count;
  struct pile *piles;
  size_t pile_count;
  struct joint *joints;
  size_t joint_count;
};

/* Memory that is kept from one component to the next. */
struct workshop {
  int64_t *values; /* by pair of piles */
  uint8_t *flags;  /* by pair of piles */
  uint8_t *known;  /* by pair of members */
  size_t piles, members;
};
void workshop_free(struct workshop *workshop);

/* Both leave the clusters in `piles` and `next`. ERR_LIMIT where a cluster would pass `giant`. */
enum status agglomerate_dense(struct component *component, struct workshop *workshop, struct error *error) MUST_CHECK;
enum status agglomerate_sparse(struct component *component, struct error *error) MUST_CHECK;

/* Shared by the two. */
int64_t weight_fixed(const struct partition *partition, float weight); /* capped */
double stop_fixed(const struct partition *partition);
bool piles_better(const struct component *component, uint32_t i, uint32_t j, double score, uint32_t k, uint32_t l,
                  double other);
bool piles_allowed(const struct component *component, uint32_t i, uint32_t j);
enum status piles_join(struct component *component, uint32_t into, uint32_t from, struct error *error) MUST_CHECK;
enum status cluster_giant(const struct partition *partition, size_t size, struct error *error) MUST_CHECK;

#endif
