/* Training without labels: expectation maximisation on counts of comparison patterns, so that its cost does not grow
 * with the number of pairs (Winkler 1988; Splink's treatment of rounds with different blocks). Pure arithmetic; knows
 * no records. Private to core/link. */
#ifndef PUENTE_LINK_TRAIN_H
#define PUENTE_LINK_TRAIN_H

#include "core/link/model.h"

struct comparison;

/* Distinct patterns of levels (one byte a comparison) and how many pairs show each, in any order. */
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
  unsigned iterations;                    /* of the longest round */
  bool converged;                         /* every round did */
  uint32_t disordered;                    /* bit per comparison: a better level has a lower weight than a worse one */
  uint32_t unlearned;                     /* bit per comparison: no round could teach its m */
  double change;                          /* greatest change of m in the last iteration */
  double expected[LINK_COMPARISONS_MOST]; /* matches that taught each comparison, those without a value left out */
};

/* In all of these `fixed` is the plan's comparisons, whose m[] and u[] other than 0 stand whatever is learned, the
 * others sharing what they leave of 1; NULL: nothing is fixed. Every m and u that comes out is at least `floor` (or
 * half of an equal share, where that is less) and each comparison's add up to 1. */

/* What stands where nothing can be learned: u alike for all levels; m 0.9 for the best level, of the rest half for the
 * next, a quarter for the one after, …: agreement is what one expects of two records of one person. */
void train_defaults(struct link_model *model, const struct comparison *fixed);
/* u from random pairs, nearly all of which are two people. Levels never seen get `floor`; a comparison of which no pair
 * has both values gets its default. */
void train_u(struct link_model *model, const struct patterns *random, double floor, const struct comparison *fixed);
/* λ from the pairs that deterministic rules find, which are taken to be `recall` of all matches; above 0 and at most
 * 0.5, half a pair where they find none. */
double train_lambda(uint64_t deterministic_pairs, double recall, uint64_t records);
/* m by EM with u fixed, under conditional independence; a missing level says nothing. Each round has a prior of its
 * own, the share of matches among the pairs that its block proposed, which is learned too and takes up what the blocked
 * comparisons, equal for all of them, would say. Where several rounds teach a comparison its m is the mean over rounds,
 * weighted by the expected matches that have both values. `threshold` on the greatest change of any m ends a round, or
 * `iterations_most`. A comparison that fewer than one expected match teaches keeps its default and is `unlearned`. */
enum status train_m(struct link_model *model, const struct train_round *rounds, size_t count, double floor,
                    double threshold, unsigned iterations_most, const struct comparison *fixed,
                    struct train_report *report, struct error *error) MUST_CHECK;
/* m counted from pairs that people decided are one, each worth `weight` pairs that EM expects: added to
 * report->expected, from a report of zeros where there was no EM. The default of what is unlearned counts ten pairs.
 * Brings the bits of the report up to date. */
void train_labels(struct link_model *model, const struct patterns *same, double weight, double floor,
                  const struct comparison *fixed, struct train_report *report);
/* What few matches taught is no proof that a level which none of them showed never occurs: half a match more for each
 * level of what was learned (Krichevsky and Trofimov, "The Performance of Universal Encoding", 1981: Jeffreys' prior).
 * Of ten thousand matches it changes next to nothing. Last, after train_m and train_labels; brings the bits of the
 * report up to date. */
void train_unseen(struct link_model *model, double floor, const struct comparison *fixed, struct train_report *report);

#endif
