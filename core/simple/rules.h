/* What a file of config/link declares, compiled: comparisons of columns, and rules that block on equal keys and accept
 * pairs by levels of those comparisons. Private to core/link. */
#ifndef PUENTE_SIMPLE_RULES_H
#define PUENTE_SIMPLE_RULES_H

#include "core/base/arena.h"
#include "core/simple/link.h"

enum {
  COMPARISONS_MOST = LINK_COMPARISONS_MOST,
  COLUMNS_MOST = 32,
  FROM_MOST = LINK_FROM_MOST,
  KEYS_MOST = 3,
  RULES_MOST = 64,
  LEVELS_MOST = 9
};

enum comparison_kind {
  COMPARE_DOCUMENT, /* from: number, or type and number */
  COMPARE_GIVEN,    /* from: given names */
  COMPARE_SURNAMES, /* from: paternal, maternal */
  COMPARE_WHOLE,    /* from: any columns of names; the last one counts only where the others are all missing */
  COMPARE_DATE,
  COMPARE_CODE,
  COMPARE_NUMBER, /* of a filing */
  COMPARISON_KINDS
};

/* Levels of each kind, best first; `missing` is always level 0 and `conflict` the last one. */
struct comparison_type {
  const char *name;
  const char *levels[LEVELS_MOST]; /* NULL-terminated */
  const char *parts[3];            /* keys of a record beside the whole value: "any", "first", "year" */
  unsigned from_least, from_most;
};
extern const struct comparison_type simple_comparison_types[COMPARISON_KINDS];

enum key_part { PART_WHOLE = -1 }; /* else a position in comparison_type.parts */

struct comparison {
  const char *name;
  enum comparison_kind kind;
  unsigned columns[FROM_MOST]; /* positions in the plan's columns */
  unsigned column_count;
  const char *const *placeholders; /* documents that identify nobody, as simple_standard_document writes them */
  size_t placeholder_count;
  const char *const *spikes; /* "01-01": days of the year that stand for an unknown one */
  size_t spike_count;
};

struct block_key {
  unsigned comparison;
  int part; /* enum key_part */
};

struct link_rule {
  const char *name;
  struct block_key keys[KEYS_MOST];
  unsigned key_count;
  uint16_t accept[COMPARISONS_MOST]; /* levels allowed, a bit each; 0: any */
  uint16_t unless[COMPARISONS_MOST]; /* refused where every one of these holds; all 0: never */
  bool has_unless;
};

struct link_plan {
  struct arena *arena;
  struct slice text;
  const char *columns[COLUMNS_MOST];
  size_t column_count;
  struct comparison comparisons[COMPARISONS_MOST];
  size_t comparison_count;
  struct link_rule rules[RULES_MOST + 1]; /* rule 0 is the source's own person key */
  size_t rule_count;
  size_t block_most; /* records in one block; larger ones are left out and counted */
};

#endif
