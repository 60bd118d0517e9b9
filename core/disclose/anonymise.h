/* K-ANONYMITY of rows: each combination of values that leaves is that of k rows at least. Values are hidden by steps,
 * the same columns for all rows of a step; what no step brings to k rows is left out. Pure.
 *
 * What it does not promise: that k rows of one combination differ in what they tell (they do not: every column counts
 * as one by which somebody may be known), or anything about tables that are published beside. */
#ifndef PUENTE_DISCLOSE_ANONYMISE_H
#define PUENTE_DISCLOSE_ANONYMISE_H

#include "core/base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { ANONYMISE_COLUMNS_MOST = 64, ANONYMISE_STEPS_MOST = 16 };

struct anonymise {
  uint32_t *values; /* row by row, the caller's; changed in place */
  size_t columns, count;
  uint32_t missing;      /* the value of what is not there, and of what is hidden */
  int k;                 /* 1 or more */
  const uint64_t *steps; /* by step the columns that it hides, as bits, beside those of the steps before */
  size_t step_count;
  /* out: */
  size_t kept;                         /* rows in front of `values`; the others are of no use any more */
  size_t at[ANONYMISE_STEPS_MOST + 1]; /* of those, with nothing hidden, with step 1, … */
};

enum status anonymise(struct anonymise *rows, struct error *error) MUST_CHECK;

#endif
