/* The link model: what was learned of each comparison's levels, and how frequent values are. One versioned JSON file,
 * so that it can be read, approved, fixed and used again; a frozen one gives the same weights for ever. It holds no
 * rare value: names are listed only where at least `FREQUENCY_LEAST` records share them. */
#ifndef PUENTE_LINK_MODEL_H
#define PUENTE_LINK_MODEL_H

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/link/link.h"

enum { FREQUENCY_LEAST = 5 };

/* Term frequencies of the whole values of one comparison. */
struct link_frequency {
  struct map *values; /* standardised text */
  double *share;      /* by value: of the records that have any */
  double floor;       /* share of a value that is not listed, and the least of any */
  double mean;        /* chance that two random records agree: what u of the exact level stands for */
};

struct link_model_comparison {
  const char *name;
  size_t level_count; /* level 0 is missing, the last one is else */
  const char *levels[LINK_LEVELS_MOST];
  double m[LINK_LEVELS_MOST], u[LINK_LEVELS_MOST]; /* level 0 unused; each sums to 1 over the others */
  struct link_frequency *frequency;                /* NULL: no adjustment */
};

struct link_model {
  struct arena *arena;
  double lambda; /* share of all pairs of records that are one: the prior */
  struct link_model_comparison comparisons[LINK_COMPARISONS_MOST];
  size_t comparison_count;
  uint64_t *capped; /* blocking keys left out, ascending: hashes as block.h makes them, under `secret` */
  size_t capped_count;
  uint8_t secret[16];
  uint64_t records; /* that it was learned from */
  uint64_t seed;
  unsigned rounds, iterations;
  bool converged;
};

struct link_model *link_model_new(void); /* NULL: no memory */
void link_model_free(struct link_model *model);
/* Canonical: the same model gives the same bytes. */
enum status link_model_write(const struct link_model *model, struct buffer *out, struct error *error) MUST_CHECK;
enum status link_model_read(const char *name, struct slice text, struct link_model **model,
                            struct error *error) MUST_CHECK;

/* log2(m/u) of a level; 0 for missing. */
double link_model_weight(const struct link_model *model, size_t comparison, size_t level);
/* The prior as a match weight: log2(lambda / (1 - lambda)). */
double link_model_prior(const struct link_model *model);
double link_probability(double weight);

#endif
