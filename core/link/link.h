/* LINKAGE: which records are one person, which filings are one case. A library of its own: columns of records in,
 * scored pairs and clusters out. It knows no store, no connector, no model of entities; it can be fuzzed, benchmarked
 * and embedded by itself. The caller owns all that it passes in; results are freed by link_result_free.
 *
 * Method: Fellegi and Sunter, "A Theory for Record Linkage", JASA 64 (1969): blocking rules propose pairs, comparisons
 * give each pair a level each, levels have match weights log2(m/u), rules stand above weights, and clusters are formed
 * from what remains. m, u and term frequencies are a model, learned without labels, kept in a file.
 *
 * The walk inside: plan (what config/link declares) → prepared (records standardised, one value a comparison) → block
 * (pairs, each once) → score (levels, weights; threads) → train (when there is no model) → partition (clusters).
 *
 * Columns are dictionary-encoded: every distinct value once in a dictionary, a record holds its number, so that work
 * on values is done once per distinct value or pair of values.
 *
 * The same records and model give the same weights and the same partition whatever their order and the number of
 * threads. */
#ifndef PUENTE_LINK_LINK_H
#define PUENTE_LINK_LINK_H

#include "core/base/error.h"
#include "core/base/map.h"
#include "core/base/slice.h"
#include "core/base/texts.h"

#include <stdint.h>

#define LINK_MISSING UINT32_MAX

enum { LINK_COMPARISONS_MOST = 24, LINK_LEVELS_MOST = 16, LINK_FROM_MOST = 4, LINK_RULES_MOST = 64 };

struct link_column {
  const char *name; /* as the configuration names it: "paternal_surname", "birth_date", "document_number" */
  uint32_t *values; /* `count` positions in `dictionary`, or LINK_MISSING */
  struct map *dictionary;
};

/* What a reviewer decided about two records; holds for every later run. */
struct link_decision {
  uint32_t a, b;
  bool same; /* false: never one, directly or through others */
};

/* Records to be linked, in the order of the caller's choice. */
struct link_records {
  size_t count;
  struct link_column *columns;
  size_t column_count;
  const uint32_t *source; /* number of the source of each record; NULL: all of one */
  const uint32_t *group;  /* cannot-link group (a source's case): two records of one group are two people unless
                             their documents agree; LINK_MISSING: none */
  const uint32_t *same;   /* must-link class by the source's own key; LINK_MISSING: none */
  const uint8_t *role;    /* 0 none, else a role; a link between two different non-zero roles is for review only */
  const uint8_t *sealed;  /* 1: deliberately nameless or without consent, never joined by a program */
  const uint8_t *unique;  /* 1: from a source certified free of duplicates: two such records of one source are two */
  const struct link_decision *decisions;
  size_t decision_count;
};

/* What became of a pair. */
enum link_outcome {
  LINK_JOINED,  /* both are in one cluster */
  LINK_WAITING, /* for a person: in the band, or held back by a rule */
  LINK_APART    /* below the band, or refused: kept for explain */
};

/* Why a pair waits or is kept apart although its weight would join it. */
enum link_reason {
  REASON_WEIGHT,   /* its weight alone decides */
  REASON_RULE,     /* a rule of the plan: link_pair.verdict names it */
  REASON_DECISION, /* a reviewer's */
  REASON_SOURCE,   /* the source's own key joined them */
  REASON_GROUP,    /* two people of one source's case */
  REASON_ROLES,    /* a victim and an accused */
  REASON_UNIQUE,   /* two records of a source free of duplicates */
  REASON_SEALED,
  REASON_CLUSTER,  /* the clusters of the two may not be joined, or others fit better */
  REASON_ENCODING, /* codes of their names are alike (clk.h): the caller's, link_run never gives it */
  LINK_REASONS
};
const char *link_reason_name(enum link_reason reason); /* "weight", "rule", …; stable, for the store */

#define LINK_NO_RULE UINT16_MAX

struct link_pair {
  uint32_t a, b;    /* positions, a < b */
  float weight;     /* match weight with the prior: log2 of the odds that the two are one */
  uint16_t block;   /* blocking rule that proposed it first, position in link_plan_block; LINK_NO_RULE: none did */
  uint16_t verdict; /* rule above weights that decided, position in link_plan_rule; LINK_NO_RULE: none */
  uint8_t outcome;  /* enum link_outcome */
  uint8_t reason;   /* enum link_reason */
};

/* Of one blocking rule. */
struct link_block_counts {
  uint64_t proposed; /* pairs that it proposed */
  uint64_t marginal; /* … and no earlier rule had */
  uint64_t kept;     /* marginal ones of weight 0 and more */
  uint64_t dropped;  /* pairs not looked at because their block passed the cap */
  uint64_t capped;   /* blocks that passed it */
};

/* Clusters of three records and more, so that doubtful ones can be looked at. */
struct link_cluster {
  uint32_t first;   /* position of its first record */
  uint32_t size;    /* records */
  float density;    /* share of its pairs that have weight 0 and more */
  uint32_t bridges; /* edges whose loss would cut it in two */
};

struct link_result {
  struct link_pair *pairs; /* of weight 0 and more, and those that a rule or decision touched; by (a, b) */
  size_t pair_count;
  uint32_t *cluster; /* per record: position of the first record of its cluster */
  size_t cluster_count;
  size_t cluster_count_accepted; /* if every waiting pair were accepted */
  struct link_cluster *clusters;
  size_t larger_count; /* of `clusters` */
  uint64_t compared;   /* pairs scored */
  uint64_t waiting;    /* pairs */
  uint64_t unlinkable; /* records that are sealed or have no blocking key at all */
  uint8_t *alone;      /* per record: 1 where it is one of these */
  uint64_t outgrown;   /* blocks left out because they are far larger than when the given model was learned */
  struct link_block_counts blocks[LINK_RULES_MOST];
  struct link_model *model; /* the one used: given (borrowed) or trained (owned) */
  bool trained;
};

/* Rules compiled from a file of config/link. */
struct link_plan;
enum status link_plan_load(const char *path, struct link_plan **plan, struct error *error) MUST_CHECK;
/* The same where `texts` (NULL: files) tell which text of the file counts. */
enum status link_plan_load_approved(const char *path, const struct approved_texts *texts, struct link_plan **plan,
                                    struct error *error) MUST_CHECK;
void link_plan_free(struct link_plan *plan);
size_t link_plan_columns(const struct link_plan *plan, const char *const **names); /* columns it wants, in its order */
size_t link_plan_block_count(const struct link_plan *plan);
const char *link_plan_block(const struct link_plan *plan, uint16_t block);
const char *link_plan_rule(const struct link_plan *plan, uint16_t rule);
struct slice link_plan_text(const struct link_plan *plan); /* for its digest */
/* Of records that come from files alone: the column that names a record (NULL: its line does), and where the truth for
 * measuring stands; `*pattern` (NULL: the whole value) is an extended regular expression whose first group is the
 * entity. False: no truth is named. Whoever fills link_records leaves the column of the truth missing. */
const char *link_plan_id(const struct link_plan *plan);
bool link_plan_truth(const struct link_plan *plan, const char **column, const char **pattern);
/* The band: probabilities between which a pair waits (hold) or is merged until rejected (tentative). */
struct link_band {
  double from, to;
  bool hold;
};
struct link_band link_plan_band(const struct link_plan *plan);

/* A step of the work with its share done, 0..1; returns false to stop (ERR_INTERRUPTED). */
typedef bool link_progress(void *context, const char *step, double done);

struct link_options {
  unsigned threads;               /* 0: one for each processor */
  const struct link_model *model; /* a frozen one; NULL: train */
  link_progress *progress;        /* may be NULL */
  void *context;
  bool quiet;  /* no warnings of training: its model is a step towards another */
  bool sparse; /* columns that no record fills are usual: no warning of them */
};

/* Warnings (a training that did not converge, levels out of order, a block over the cap, a column of one value) go to
 * the log. ERR_LIMIT where a giant cluster would form; ERR_CONFIG where the model is one for other comparisons. */
enum status link_run(const struct link_plan *plan, const struct link_records *records,
                     const struct link_options *options, struct link_result *result, struct error *error) MUST_CHECK;
void link_result_free(struct link_result *result);

/* Blocking keys of each record, for an index that lets new records meet old ones: 64 bits, keyed by `secret` (16
 * bytes), the blocking rule in them; keys that the model caps are left out. Two records share a key exactly where a
 * blocking rule proposes them. */
typedef enum status link_key_visitor(void *context, uint32_t record, uint64_t key, struct error *error);
enum status link_keys(const struct link_plan *plan, const struct link_records *records, const struct link_model *model,
                      const uint8_t *secret, link_key_visitor *visit, void *context, struct error *error) MUST_CHECK;

/* Pairs with one of the first `fresh` records (1 or more) that a run of all these records would keep by weight or rule;
 * nothing is clustered, and what stands above weights is not asked: what new records have to do with old ones. `pairs`
 * is freed by the caller; outcome and reason are not set. */
enum status link_meet(const struct link_plan *plan, const struct link_records *records, const struct link_model *model,
                      uint32_t fresh, struct link_pair **pairs, size_t *count, struct error *error) MUST_CHECK;
/* How many records a blocking key may have before a run with a frozen model leaves it out. */
size_t link_plan_block_limit(const struct link_plan *plan);

/* Why two records are, or are not, one. Sums: prior + all weights and adjustments = weight. */
struct link_comparison {
  const char *name, *level; /* the plan's */
  const char *columns[LINK_FROM_MOST];
  size_t column_count;
  float weight;     /* log2(m/u) of the level; 0 where missing */
  float adjustment; /* by term frequency */
  double m, u;      /* of the level */
};
struct link_explanation {
  struct link_comparison comparisons[LINK_COMPARISONS_MOST];
  size_t count;
  float prior, weight;
  double probability;
  uint16_t block, verdict; /* LINK_NO_RULE: none */
  enum link_reason reason; /* other than REASON_WEIGHT: what stands above the weight */
};
enum status link_explain(const struct link_plan *plan, const struct link_records *records,
                         const struct link_model *model, uint32_t a, uint32_t b, struct link_explanation *explanation,
                         struct error *error) MUST_CHECK;

#endif
