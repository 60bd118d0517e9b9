/* What prepared records keep of values: distinct ones numbered by content hash, and by number what comparing needs.
 * Built by one thread, then read by many. Private to prepare*.c and compare*.c. */
#ifndef PUENTE_LINK_VALUES_H
#define PUENTE_LINK_VALUES_H

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/link/plan.h"
#include "core/link/similar.h"
#include "core/link/standard.h"

/* SipHash-2-4 under a fixed key (Aumasson and Bernstein 2012); the same in every run and on every machine, never 0. */
uint64_t value_hash(struct slice text);

/* Of several hashes in their order (Steele, Lea and Flood 2014, the finaliser of SplitMix64); never 0. */
static inline uint64_t value_mix(uint64_t a, uint64_t b) {
  uint64_t mixed = (a ^ (b + UINT64_C(0x9E3779B97F4A7C15) + (a << 6) + (a >> 2))) * UINT64_C(0xBF58476D1CE4E5B9);
  mixed = (mixed ^ mixed >> 29) * UINT64_C(0x94D049BB133111EB);
  mixed ^= mixed >> 32;
  return mixed == 0 ? 1 : mixed;
}

/* ---- numbers of distinct values: 0, 1, … in the order of their coming ---- */

struct numbering {
  uint64_t *hashes; /* by number: content */
  uint32_t *slots;
  uint32_t count, capacity, slot_count;
};
/* Whether the value of this number is `value`. */
typedef bool numbering_equal(const void *context, uint32_t number, const void *value);
/* The number of `value`: one that equals it, or count() of before, whose content the caller keeps then. */
enum status numbering_add(struct numbering *numbering, uint64_t hash, numbering_equal *equal, const void *context,
                          const void *value, uint32_t *number, struct error *error) MUST_CHECK;
void numbering_free(struct numbering *numbering);
/* Room for the element at `count` of an array that grows; `array` is the address of the pointer to it. */
enum status array_reserve(void *array, size_t *room, size_t count, size_t size, struct error *error) MUST_CHECK;

/* ---- texts ---- */

struct texts {
  struct numbering numbering;
  struct buffer bytes;
  uint64_t *starts; /* by number, and the end of the last */
  size_t room;
};
void texts_init(struct texts *texts);
void texts_free(struct texts *texts);
enum status texts_add(struct texts *texts, struct slice text, uint32_t *number, struct error *error) MUST_CHECK;
static inline struct slice texts_get(const struct texts *texts, uint32_t number) {
  return slice_make(texts->bytes.data + texts->starts[number],
                    (size_t)(texts->starts[number + 1] - texts->starts[number]));
}

/* ---- pairs of numbers ---- */

struct number_pair {
  uint32_t first, second; /* LINK_MISSING: none */
};
struct number_pairs {
  struct numbering numbering;
  struct number_pair *pairs;
  size_t room;
};
void number_pairs_free(struct number_pairs *pairs);
enum status number_pairs_add(struct number_pairs *pairs, struct number_pair pair, uint64_t hash, uint32_t *number,
                             struct error *error) MUST_CHECK;

/* ---- names: sequences of tokens ---- */

enum { NAMES_TOKENS_MOST = 16, NAMES_TOKENS_NEAR = 8, CODES_MOST = 32 };

/* 64 bytes, one line of a processor's cache; of the tokens written as one word: "JUAN CARLOS" is JUANCARLOS. */
struct name_value {
  uint64_t signature;
  const char *text;
  uint32_t sound; /* of a single token, else MAP_NONE */
  uint32_t andean;
  uint32_t mask;                    /* a bit for each token, by its hash: names of disjoint masks share none */
  uint8_t count;                    /* tokens */
  uint8_t length;                   /* bytes of `text` that comparing looks at */
  bool initials;                    /* some token is one */
  bool shortened;                   /* some token may be, or have, a diminutive */
  uint32_t near[NAMES_TOKENS_NEAR]; /* its tokens; of more: [0] is where they start in names.tokens */
};
struct names {
  struct standard *standard;
  struct numbering numbering;
  struct name_value *values;
  uint32_t *tokens;
  size_t room, token_count, token_room;
  struct arena *joined;
  uint64_t *token_hashes; /* by token of `standard` */
  size_t hashed, hash_room;
  uint64_t *sound_hashes, *andean_hashes; /* by number in the maps of `standard`; made by names_finish */
};
enum status names_init(struct names *names, struct standard *standard, struct error *error) MUST_CHECK;
void names_free(struct names *names);
/* The number of a sequence of at most NAMES_TOKENS_MOST tokens; LINK_MISSING where count is 0. */
enum status names_add(struct names *names, const uint32_t *tokens, size_t count, uint32_t *number,
                      struct error *error) MUST_CHECK;
/* The same of a set: each token once, in an order that content alone decides. */
enum status names_add_set(struct names *names, uint32_t *tokens, size_t count, uint32_t *number,
                          struct error *error) MUST_CHECK;
enum status names_finish(struct names *names, struct error *error) MUST_CHECK;
static inline const uint32_t *names_tokens(const struct names *names, const struct name_value *name) {
  return name->count <= NAMES_TOKENS_NEAR ? name->near : names->tokens + name->near[0];
}

/* ---- what a comparison keeps ---- */

/* Of a text: what tells it apart from most others. */
struct text_look {
  uint64_t signature; /* of its first SIMILAR_LENGTH_MOST bytes */
  uint32_t length;    /* bytes of the whole text */
};

/* Of a document: all that tells two apart most of the time, since each look elsewhere waits for memory. */
struct document_value {
  uint64_t head;   /* the first eight bytes of its number */
  uint32_t number; /* in `texts` */
  uint32_t type;   /* in `types`; LINK_MISSING: none */
  uint32_t length; /* bytes of the number */
};

enum { PLACE_REGION = 2 }; /* characters of the code of the largest places of a country */

struct standing;
struct comparison_values {
  const struct comparison *comparison;
  const struct names *names;
  size_t row;    /* where rows hold its number */
  size_t hidden; /* COMPARE_GIVEN: where rows hold the surnames that may have been swapped with it; 0: nowhere */
  struct arena *scratch;      /* while its values get their numbers */
  struct texts texts;         /* document numbers, free text, codes, numbers of filings */
  struct texts types;         /* of documents */
  struct number_pairs pairs;  /* surnames: two names; documents: number and type */
  struct numbering numbering; /* dates and ages */
  uint32_t *scalars;          /* dates as 0xYYYYMMDD of decimal digits; ages in years */
  size_t scalar_room;
  struct text_look *looks; /* by text */
  uint64_t *word_sets;     /* free text: a bit for each word, so that disjoint ones are refused */
  size_t look_room, word_room;
  struct document_value *documents; /* by pair of number and type */
  size_t document_room;
  struct texts atoms; /* codes: single ones */
  uint32_t *atom_starts, *atom_numbers;
  size_t atom_start_room, atom_count, atom_room;
  bool several; /* some code has several values */
  /* By level of COMPARE_TEXT, [0] of `fuzzy`, and length of a common prefix: what shared letters must reach for the
   * least Jaro-Winkler similarity; see alike_may_be. */
  double bounds[LINK_LEVELS_MOST][5];
};

/* Fills `rank` by what the rows, roles, sources, groups and decisions say. */
struct prepared;
enum status prepare_rank(struct prepared *prepared, struct error *error) MUST_CHECK;
/* Reviewers' decisions by pair. */
enum status standing_make(struct prepared *prepared, struct error *error) MUST_CHECK;
void standing_free(struct standing *standing);

/* The content hash of a value of a comparison. */
uint64_t comparison_value_hash(const struct comparison_values *values, uint32_t value);
uint32_t comparison_value_count(const struct comparison_values *values);

#endif
