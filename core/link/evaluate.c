#include "core/link/evaluate.h"

#include "core/base/radix.h"

#include <math.h>
#include <stdlib.h>

/* What the table of counts tells by its rows. */
struct margin {
  uint64_t pairs;       /* within rows */
  uint64_t right_pairs; /* within cells */
  double shares;        /* over records: share of the record's row that is in the record's cell */
};

static uint64_t pairs_of(uint64_t count) {
  return count * (count - 1) / 2;
}

/* Keys are row << 32 | cell, sorted. */
static struct margin margin_of(const uint64_t *keys, size_t count) {
  struct margin margin = {0};
  for (size_t begin = 0, end = 0; begin < count; begin = end) {
    double squares = 0;
    while (end < count && keys[end] >> 32 == keys[begin] >> 32) {
      size_t cell = end;
      while (end < count && keys[end] == keys[cell]) {
        end++;
      }
      margin.right_pairs += pairs_of(end - cell);
      squares += (double)(end - cell) * (double)(end - cell);
    }
    margin.pairs += pairs_of(end - begin);
    margin.shares += squares / (double)(end - begin);
  }
  return margin;
}

static double ratio(double part, double whole) {
  return whole > 0 ? part / whole : 1;
}

enum status link_evaluate(const uint32_t *truth, const uint32_t *cluster, size_t count, struct link_score *score,
                          struct error *error) {
  uint64_t *keys = malloc((2 * count + 1) * sizeof *keys);
  size_t known = 0;
  if (keys == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < count; i++) {
    if (truth[i] != LINK_MISSING) {
      keys[known++] = (uint64_t)truth[i] << 32 | cluster[i];
    }
  }
  radix_sort(keys, keys + count, known);
  struct margin by_truth = margin_of(keys, known);
  for (size_t i = 0; i < known; i++) {
    keys[i] = keys[i] << 32 | keys[i] >> 32;
  }
  radix_sort(keys, keys + count, known);
  struct margin by_cluster = margin_of(keys, known);
  free(keys);

  *score = (struct link_score){.true_pairs = by_truth.pairs,
                               .found_pairs = by_cluster.pairs,
                               .right_pairs = by_truth.right_pairs,
                               .ceiling = NAN};
  double right = (double)score->right_pairs;
  score->precision = ratio(right, (double)score->found_pairs);
  score->recall = ratio(right, (double)score->true_pairs);
  score->f1 = ratio(2 * right, (double)score->found_pairs + (double)score->true_pairs);
  score->b3_precision = ratio(by_cluster.shares, (double)known);
  score->b3_recall = ratio(by_truth.shares, (double)known);
  score->b3_f1 = 2 * score->b3_precision * score->b3_recall / (score->b3_precision + score->b3_recall);
  return OK;
}
