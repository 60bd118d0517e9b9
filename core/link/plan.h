/* What a file of config/link declares, compiled: comparisons with their levels, blocking rules, rules above weights,
 * training, clustering. Private to core/link. */
#ifndef PUENTE_LINK_PLAN_H
#define PUENTE_LINK_PLAN_H

#include "core/base/arena.h"
#include "core/base/yaml.h"
#include "core/link/link.h"
#include "core/link/partition.h"

enum { PLAN_COLUMNS_MOST = 32, PLAN_KEYS_MOST = 4 };

enum comparison_kind {
  COMPARE_DOCUMENT, /* from: number, or type and number */
  COMPARE_GIVEN,    /* from: given names; a second field of surnames tells names that were swapped */
  COMPARE_SURNAMES, /* from: paternal, maternal */
  COMPARE_NAME,     /* from: any columns of names, tokens in any order; the last counts only where the others are all
                       missing: whole names in one field */
  COMPARE_DATE,
  COMPARE_AGE,    /* years, or a date of which the year counts */
  COMPARE_TEXT,   /* fuzzy text: exact, similar by thresholds */
  COMPARE_CODE,   /* equal or not */
  COMPARE_NUMBER, /* of a filing: "N° 2019-000123" */
  COMPARISON_KINDS
};

/* Each kind knows named levels; a file may choose among them (`levels: [...]`), in its own order, and set thresholds
 * (`{jaro_winkler: 0.92}`). Level 0 is "missing", the last one is "else". */
struct comparison_type {
  const char *name;
  const char *const *levels; /* that the kind can tell, best first, NULL-terminated; the default choice */
  const char *const *parts;  /* keys of a record beside the whole value: "any", "first", "year"; NULL-terminated */
  unsigned from_least, from_most;
};
extern const struct comparison_type comparison_types[COMPARISON_KINDS];

struct comparison {
  const char *name;
  enum comparison_kind kind;
  unsigned columns[LINK_FROM_MOST]; /* positions in the plan's columns */
  unsigned column_count;
  const char *levels[LINK_LEVELS_MOST]; /* as the file names them; [0] "missing", last "else" */
  unsigned level_count;
  uint8_t to_level[LINK_LEVELS_MOST * 2]; /* from what the kind tells to the file's level */
  double thresholds[LINK_LEVELS_MOST];    /* by level, of COMPARE_TEXT and fuzzy ones */
  uint8_t measures[LINK_LEVELS_MOST];     /* by level of COMPARE_TEXT: which similarity */
  bool frequency;                         /* adjust agreement by how common the value is */
  const char *const *placeholders;        /* documents that identify nobody */
  size_t placeholder_count;
  const char *const *spikes; /* "01-01": days of the year that stand for an unknown one */
  size_t spike_count;
  double m[LINK_LEVELS_MOST], u[LINK_LEVELS_MOST]; /* fixed by the file; 0: learned */
};

struct block_key {
  unsigned comparison;
  int part; /* -1: the whole value; else a position in comparison_type.parts */
};

struct block_rule {
  const char *name;
  struct block_key keys[PLAN_KEYS_MOST]; /* all of them equal */
  unsigned key_count;
};

enum verdict { VERDICT_MERGE, VERDICT_REVIEW, VERDICT_NEVER };

/* Above weights: the first whose `when` holds, and whose `unless` does not, decides. */
struct verdict_rule {
  const char *name;
  enum verdict verdict;
  uint16_t when[LINK_COMPARISONS_MOST];   /* levels allowed, a bit each; 0: any */
  uint16_t unless[LINK_COMPARISONS_MOST]; /* refused where every one of these holds; all 0: never */
  bool has_unless;
};

struct link_truth {
  unsigned column;     /* position in the plan's columns */
  const char *pattern; /* regular expression whose first group is the entity; NULL: the whole value */
};

struct link_plan {
  struct arena *arena;
  struct slice text;
  const char *path;
  const char *columns[PLAN_COLUMNS_MOST];
  size_t column_count;
  struct comparison comparisons[LINK_COMPARISONS_MOST];
  size_t comparison_count;
  struct block_rule blocks[LINK_RULES_MOST];
  size_t block_count;
  size_t block_most; /* records under one key; larger blocks are left out and counted */
  struct verdict_rule rules[LINK_RULES_MOST];
  size_t rule_count;
  struct link_band band;
  struct {
    uint64_t seed;
    uint64_t random_pairs;
    double recall;                           /* of the deterministic rules */
    uint16_t deterministic[LINK_RULES_MOST]; /* block rules whose pairs are taken for matches */
    size_t deterministic_count;
    uint16_t rounds[LINK_RULES_MOST]; /* block rules whose pairs teach m, a round each */
    size_t round_count;
    double floor, threshold;
    unsigned iterations;
    double frequency_floor; /* least share that an adjustment believes */
  } train;
  struct {
    enum partition_method method;
    float cap, unproposed, stop;
    size_t giant;
  } cluster;
  bool has_truth;
  struct link_truth truth;
  const char *id; /* column that names a record, for files; NULL: its line */
};

#endif
