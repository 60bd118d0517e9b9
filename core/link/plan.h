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
  COMPARE_NAME,     /* from: any columns of names, tokens in any order */
  COMPARE_DATE,
  COMPARE_AGE,    /* years, or a date of which the year counts */
  COMPARE_TEXT,   /* fuzzy text: exact, similar by thresholds */
  COMPARE_CODE,   /* equal or not */
  COMPARE_NUMBER, /* of a filing: "N° 2019-000123" */
  COMPARE_DAYS,   /* from: dates, of which the first that is known counts; how many days lie between */
  COMPARE_PLACE,  /* a code whose beginning is the code of a larger place */
  COMPARISON_KINDS
};

/* What a kind can tell of two values, best first: positions in comparison_type.levels, which begins with "missing" and
 * ends with what is left, "else" (of documents: "conflict"). A kind tells the best that holds. */
enum { TELL_MISSING, TELL_SAME };
enum tell_document {
  DOCUMENT_SAME = 1, /* type and number; where one record has no type, number */
  DOCUMENT_SLIP,     /* numbers one edit apart, types equal or unknown; or equal numbers under two types */
  DOCUMENT_CONFLICT  /* numbers of two different types say nothing about each other: missing */
};
enum tell_given {
  GIVEN_SAME_SET = 1,
  GIVEN_SUBSET,
  GIVEN_INITIALS, /* tokens that are initials of the other's: J. Carlos, Juan C. */
  GIVEN_FUZZY,    /* first tokens alike: threshold */
  GIVEN_DIMINUTIVE,
  GIVEN_SWAPPED, /* a's are among b's surnames, or the other way round */
  GIVEN_ELSE
};
enum tell_surnames {
  SURNAMES_BOTH_EXACT = 1, /* both, or the paternal one where neither record has a maternal one */
  SURNAMES_BOTH_SWAPPED,
  SURNAMES_PATERNAL_EXACT,    /* the maternal one is missing in one record */
  SURNAMES_BOTH_FUZZY,        /* threshold; the paternal one alone where a maternal one is missing */
  SURNAMES_PATERNAL_CONFLICT, /* paternal exact, maternal ones disagree */
  SURNAMES_MATERNAL_ONLY,
  SURNAMES_PHONETIC, /* sound keys agree: of both, or of the paternal one where a maternal one is missing */
  SURNAMES_ELSE
};
enum tell_name {
  NAME_SAME_SET = 1,
  NAME_SUBSET,
  NAME_FUZZY,
  NAME_SLIP, /* of three tokens and more all but a short one agree, and that one is one edit away */
  NAME_ELSE
};
enum tell_date {
  DATE_FULL = 1,
  DATE_SLIP, /* one edit, or day and month swapped */
  DATE_MONTH_AND_YEAR,
  DATE_YEAR_ONLY,
  DATE_NEAR, /* one or two years apart */
  DATE_ELSE
};
enum tell_age { AGE_SAME = 1, AGE_NEAR, AGE_NEAR2, AGE_ELSE };
/* Of COMPARE_TEXT the file lists measures with thresholds: the first level of the list that holds is the level itself,
 * to_level is not used. */
enum tell_text { TEXT_EXACT = 1, TEXT_JARO_WINKLER, TEXT_DAMERAU_LEVENSHTEIN, TEXT_JACCARD, TEXT_ELSE };
enum tell_code { CODE_SAME = 1, CODE_ELSE }; /* fields of several values, joined by ';': same where they share one */
enum tell_number { NUMBER_SAME = 1, NUMBER_SLIP, NUMBER_ELSE };
enum tell_days { DAYS_SAME = 1, DAYS_WEEK, DAYS_MONTH, DAYS_QUARTER, DAYS_ELSE }; /* 7, 31, 92 days at most */
enum tell_place {
  PLACE_SAME = 1,
  PLACE_WITHIN, /* one is a part of the other: 08 and 080105 */
  PLACE_NEAR,   /* of one region: the first two characters */
  PLACE_ELSE
};

/* Parts of a value that serve as blocking keys: positions in comparison_type.parts. "any" gives a key for each token.
 * A sound is standard_sound of a token; of surnames and whole names standard_andean, which is coarser. */
enum part_document {
  PART_DOCUMENT_NUMBER,
  PART_DOCUMENT_PREFIX,
  PART_DOCUMENT_SUFFIX
};                                                                      /* 5 characters of the number */
enum part_given { PART_GIVEN_FIRST, PART_GIVEN_ANY, PART_GIVEN_SOUND }; /* sound: of the first */
enum part_surnames {
  PART_SURNAMES_PATERNAL, /* all its tokens */
  PART_SURNAMES_MATERNAL,
  PART_SURNAMES_ANY,  /* each token of either */
  PART_SURNAMES_SOUND /* the same by sound */
};
enum part_name {
  PART_NAME_ANY,
  PART_NAME_SOUND, /* of each token */
  PART_NAME_PAIR   /* every two of its first five tokens, in either order */
};
/* Spikes count as unknown: 1 January gives a year and no day. day_and_month: in either order, so that swapped ones
 * meet. */
enum part_date { PART_DATE_YEAR, PART_DATE_MONTH_AND_YEAR, PART_DATE_DAY_AND_MONTH };
enum part_text { PART_TEXT_PREFIX, PART_TEXT_TOKEN, PART_TEXT_SOUND }; /* prefix: 4 characters; sound: of each token */
enum part_code { PART_CODE_ANY };                                      /* each of several values */
enum part_number { PART_NUMBER_PREFIX };                               /* 4 characters */
enum part_place { PART_PLACE_REGION };                                 /* 2 characters */

/* A file may choose among the levels (`levels: [...]`), in its own order, and set thresholds (`{jaro_winkler: 0.92}`).
 * Whole dates of less precision compare as far as both are known: 1990-05 and 1990-05-17 tell month_and_year, 1990 and
 * 1990-05-17 year. */
struct comparison_type {
  const char *name;
  const char *const *levels; /* "missing" first, best first after it, what is left last; NULL-terminated */
  const char *const *parts;  /* NULL-terminated */
  unsigned from_least, from_most;
};
extern const struct comparison_type comparison_types[COMPARISON_KINDS];

struct comparison {
  const char *name;
  enum comparison_kind kind;
  unsigned columns[LINK_FROM_MOST]; /* positions in the plan's columns */
  unsigned column_count;
  bool whole; /* COMPARE_NAME: the last column holds whole names, and counts only where the others are all missing */
  const char *levels[LINK_LEVELS_MOST]; /* as the file names them, best first; [0] "missing", the last what is left */
  unsigned level_count;
  /* From what the kind tells to the file's level. A level that the file does not choose falls to the next chosen one
   * that it implies (same_set is a subset too), else to the last. */
  uint8_t to_level[LINK_LEVELS_MOST * 2];
  double thresholds[LINK_LEVELS_MOST]; /* by level of COMPARE_TEXT: least similarity, or most edits */
  uint8_t measures[LINK_LEVELS_MOST];  /* by level of COMPARE_TEXT: enum tell_text */
  double fuzzy;                        /* least Jaro-Winkler similarity of the kind's fuzzy level */
  uint32_t instead_of; /* bit per comparison: this one is missing unless those are all missing (no evidence twice) */
  bool frequency;      /* adjust agreement by how common the value is */
  const char *const *placeholders; /* documents that identify nobody */
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
  uint32_t
      forced; /* bit per comparison: reads a column that the keys read, so that its agreement here teaches nothing */
};

enum verdict {
  VERDICT_MERGE,  /* joined whatever the weight */
  VERDICT_REVIEW, /* waits for a person where its weight would let it join or wait; less weight stays apart; no
                     third record joins the two */
  VERDICT_HOLD,   /* the same, but a third record may join the two */
  VERDICT_NEVER   /* apart, through others too */
};

/* Above weights: the first whose `when` holds, and whose `unless` does not, decides. */
struct verdict_rule {
  const char *name;
  enum verdict verdict;
  uint16_t when[LINK_COMPARISONS_MOST];   /* levels allowed, a bit each (1 << level); 0: any */
  uint16_t unless[LINK_COMPARISONS_MOST]; /* refused where every one of these holds; all 0: never */
  bool has_unless;
};

struct link_truth {
  unsigned column;     /* position in the plan's columns */
  const char *pattern; /* regular expression whose first group is the entity; NULL: the whole value */
};

struct link_plan {
  const char *entity; /* "person"; NULL: the file does not say */
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
