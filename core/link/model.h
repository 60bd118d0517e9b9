/* The link model: what was learned of each comparison's levels, and how frequent values are. One versioned JSON file,
 * so that it can be read, approved, fixed and used again; a frozen one gives the same weights for ever. It holds no
 * rare value: names are listed only where at least `FREQUENCY_LEAST` records share them, and whole names, of which a
 * few records may be one person's, where `JOINT_LEAST` do. */
#ifndef PUENTE_LINK_MODEL_H
#define PUENTE_LINK_MODEL_H

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/link/link.h"

enum { FREQUENCY_LEAST = 5, JOINT_LEAST = 30, LINK_MODEL_FORMAT = 1 };

/* What a hand writes has few digits; shares whose sum is further than this from 1 are a mistake. */
#define LINK_SHARES_SLACK 1e-6

/* Term frequencies of the whole values of one comparison. Made by link_model_frequency. */
struct link_frequency {
  struct map *values; /* standardised text; the model's, freed with it */
  double *share;      /* by value: of the records that have any; in the model's arena */
  double floor;       /* share of a value that is not listed, and the least of any */
  double mean;        /* chance that two random records agree: sum of all shares squared */
};

struct link_model_comparison {
  const char *name;
  size_t level_count; /* level 0 is missing, the last one is else */
  const char *levels[LINK_LEVELS_MOST];
  double m[LINK_LEVELS_MOST], u[LINK_LEVELS_MOST]; /* level 0 unused; each sums to 1 over the others */
  struct link_frequency *frequency;                /* NULL: no adjustment */
  /* Of given names: of whole persons' names, that is of surname and given names together (link_model_joint_text). A
   * share of the records that have both; NULL: none. */
  struct link_frequency *joint;
};

struct link_model {
  struct arena *arena; /* holds names, shares and capped keys */
  double lambda;       /* share of all pairs of records that are one: the prior */
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

struct link_model *link_model_new(void); /* empty; NULL: no memory */
void link_model_free(struct link_model *model);
/* A model of the plan's comparisons and levels in which nothing is learned yet: u all alike, m the defaults of
 * train.h, lambda 0.5. ERR_CONFIG where the m or u that the plan fixes cannot add up to 1. */
enum status link_model_for(const struct link_plan *plan, struct link_model **model, struct error *error) MUST_CHECK;
/* Term frequencies of a comparison, empty, with room for `most` values; NULL: no memory. */
struct link_frequency *link_model_frequency(struct link_model *model, size_t comparison, size_t most);
struct link_frequency *link_model_joint(struct link_model *model, size_t comparison, size_t most); /* likewise */
/* The text of a surname and given names together; data NULL: no memory. */
struct slice link_model_joint_text(struct arena *arena, struct slice surname, struct slice given);

/* Canonical JSON: the same model gives the same bytes, whatever the order in which its values were found. */
enum status link_model_write(const struct link_model *model, struct buffer *out, struct error *error) MUST_CHECK;
/* ERR_VERSION for a format of another version, else ERR_CONFIG with file:line: not JSON, unknown or missing fields,
 * wrong types, m or u outside (0, 1] or not adding up to 1, names that stand twice, values or keys out of order. The
 * field "weight" of a level is for people and not read. */
enum status link_model_read(const char *name, struct slice text, struct link_model **model,
                            struct error *error) MUST_CHECK;
/* ERR_CONFIG with the first difference where the model is not one of the plan's comparisons and levels. */
enum status link_model_matches(const struct link_model *model, const struct link_plan *plan,
                               struct error *error) MUST_CHECK;

/* log2(m/u) of a level (Fellegi and Sunter 1969, weights in bits as Winkler 1988 and Splink write them); 0 for
 * missing. */
double link_model_weight(const struct link_model *model, size_t comparison, size_t level);
/* The prior as a match weight: log2(lambda / (1 - lambda)). */
double link_model_prior(const struct link_model *model);
/* 2^weight / (1 + 2^weight), without overflow. */
double link_probability(double weight);

#endif
