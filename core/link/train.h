/* Training without labels: expectation maximisation on counts of comparison patterns, so that its cost does not grow
 * with the number of pairs (Winkler 1988; Splink's treatment of rounds with different blocks). Pure arithmetic; knows
 * no records. Private to core/link. */
#ifndef PUENTE_LINK_TRAIN_H
#define PUENTE_LINK_TRAIN_H

#include "core/link/model.h"

/* Distinct patterns of levels (one byte a comparison) and how many pairs show each. */
struct patterns {
  uint8_t *levels; /* count × comparisons */
  uint64_t *pairs; /* by pattern */
  size_t count;
};

struct train_round {
  const struct patterns *patterns; /* of the pairs that this round's block proposed */
  uint32_t blocked; /* bit per comparison: agreement is forced by the block, so nothing is learned of it */
};

struct train_report {
  unsigned iterations; /* of the longest round */
  bool converged;      /* every round did */
  uint32_t disordered; /* bit per comparison: a better level has a lower weight than a worse one */
  uint32_t unlearned;  /* bit per comparison: no round could teach its m */
  double change;       /* greatest change of m in the last iteration */
};

/* u from random pairs, nearly all of which are two people. Levels never seen get `floor`. */
void train_u(struct link_model *model, const struct patterns *random, double floor);
/* λ from the pairs that deterministic rules find, which are taken to be `recall` of all matches. */
double train_lambda(uint64_t deterministic_pairs, double recall, uint64_t records);
/* m by EM, u fixed; where several rounds teach a comparison its m is the mean over rounds, weighted by expected
 * matches. `threshold` on the greatest change of any m ends a round, or `iterations_most`. */
enum status train_m(struct link_model *model, const struct train_round *rounds, size_t count, double floor,
                    double threshold, unsigned iterations_most, struct train_report *report,
                    struct error *error) MUST_CHECK;
/* m counted from pairs that people decided are one; added to what EM expects as `weight` pairs each. */
void train_labels(struct link_model *model, const struct patterns *same, double floor);

#endif
