/* LINKAGE: which records are one person, which filings are one case. A library of its own: columns of records in,
 * scored pairs and clusters out. It knows no store, no connector, no model; it can be fuzzed, benchmarked and embedded
 * by itself. The caller owns all that it passes in; results are freed by simple_link_result_free.
 *
 * Columns are dictionary-encoded: every distinct value once in a dictionary, a record holds its number, so that work
 * on values (standardising, comparing) is done once per distinct value or pair of values. */
#ifndef PUENTE_SIMPLE_LINK_H
#define PUENTE_SIMPLE_LINK_H

#include "core/base/error.h"
#include "core/base/map.h"
#include "core/base/slice.h"
#include "core/base/yaml.h"

#include <stdint.h>

#define LINK_MISSING UINT32_MAX

struct link_column {
  const char *name; /* as the configuration names it: "paternal_surname", "birth_date", "document" */
  uint32_t *values; /* `count` positions in `dictionary`, or LINK_MISSING */
  struct map *dictionary;
};

/* Records to be linked, in the order of the caller's choice; results do not depend on it but for numbering. */
struct link_records {
  size_t count;
  struct link_column *columns;
  size_t column_count;
  const uint32_t *source; /* number of the source of each record */
  const uint32_t *group;  /* cannot-link group (a source's case): two records of one group are two people unless
                             their documents agree; LINK_MISSING: none */
  const uint32_t *same;   /* must-link class by the source's own person key; LINK_MISSING: none */
  const uint8_t *role;    /* 0 none, else a role; two different non-zero roles are never joined by a program */
  const uint8_t *sealed;  /* 1: deliberately nameless, never joined by a program */
};

struct link_pair {
  uint32_t a, b; /* positions, a < b */
  float weight;  /* match weight, log2 of the likelihood ratio; +INFINITY where a deterministic rule joined them, 0
                    where a rule accepted the pair and a constraint kept it apart: for a person to look at */
  uint16_t rule; /* position in simple_link_plan_rule */
};

struct link_result {
  struct link_pair *pairs; /* kept pairs, by (a, b) */
  size_t pair_count;
  uint32_t *cluster; /* per record: position of the first record of its cluster */
  size_t cluster_count;
  uint64_t compared;
  uint64_t *rule_pairs; /* per rule: pairs that it proposed and no earlier one had (marginal) */
  uint64_t dropped;     /* pairs not looked at because a block passed its cap */
};

/* Rules compiled from a file of config/link. */
struct link_plan;
enum status simple_link_plan_load(const char *path, struct link_plan **plan, struct error *error) MUST_CHECK;
void simple_link_plan_free(struct link_plan *plan);
size_t simple_link_plan_columns(const struct link_plan *plan,
                                const char *const **names); /* columns it wants, in its order */
const char *simple_link_plan_rule(const struct link_plan *plan, uint16_t rule);
struct slice simple_link_plan_text(const struct link_plan *plan); /* for its digest */

/* Deterministic: the same records give the same partition whatever their order. */
enum status simple_link_run(const struct link_plan *plan, const struct link_records *records,
                            struct link_result *result, struct error *error) MUST_CHECK;
void simple_link_result_free(struct link_result *result);

/* Why two records are, or are not, one: the level of each comparison, and the first rule that would join them. */
enum { LINK_COMPARISONS_MOST = 24, LINK_FROM_MOST = 4 };
struct link_comparison {
  const char *name, *level; /* the plan's */
  const char *columns[LINK_FROM_MOST];
  size_t column_count;
  bool needed; /* the rule blocks on it or asks for its level */
};
struct link_explanation {
  struct link_comparison comparisons[LINK_COMPARISONS_MOST];
  size_t count;
  int rule;   /* -1: none */
  bool apart; /* roles, sealing, or being two people of one case keep them apart whatever a rule says */
};
enum status simple_link_explain(const struct link_plan *plan, const struct link_records *records, uint32_t a,
                                uint32_t b, struct link_explanation *explanation, struct error *error) MUST_CHECK;

#endif
