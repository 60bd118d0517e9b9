/* How well a partition agrees with a known truth. Truth is never read by the method; this is for measuring it. */
#ifndef PUENTE_LINK_EVALUATE_H
#define PUENTE_LINK_EVALUATE_H

#include "core/link/link.h"

struct link_score {
  uint64_t true_pairs, found_pairs, right_pairs;
  double precision, recall, f1;          /* pairwise; f1 = 2·right / (found + true) */
  double b3_precision, b3_recall, b3_f1; /* B³ (Bagga and Baldwin 1998): mean over records */
  double ceiling;                        /* share of the true pairs that blocking proposed; left NAN, the caller's */
};
/* Both by record: any numbers that are equal within a cluster; LINK_MISSING in `truth`: the record is left out. By
 * counts of truth and cluster together, so pairs are not enumerated. A share of nothing is 1: precision where no pair
 * was found, recall where there is none to find, all of them where no record is known. */
enum status link_evaluate(const uint32_t *truth, const uint32_t *cluster, size_t count, struct link_score *score,
                          struct error *error) MUST_CHECK;

#endif
