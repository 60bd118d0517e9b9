/* Records made ready for comparing: every dictionary value standardised once, and for each comparison one value number
 * a record, so that a record is one short row of numbers and a pair of values is judged once. Borrows plan and records;
 * freed by prepared_free. Read by many threads. Private to core/link. */
#ifndef PUENTE_LINK_PREPARE_H
#define PUENTE_LINK_PREPARE_H

#include "core/link/plan.h"
#include "core/link/standard.h"

struct prepared {
  const struct link_plan *plan;
  const struct link_records *records;
  struct standard *standard;
  /* Record i, comparison c: rows[i * width + c], the number of its value there, or LINK_MISSING. Equal numbers are
   * equal values, unequal numbers are different values. Behind the comparisons stand further numbers that compare_rows
   * reads: a copy of a row has `width` numbers. */
  uint32_t *rows;
  size_t width;                                            /* comparison_count or more */
  struct comparison_values *values[LINK_COMPARISONS_MOST]; /* what its kind keeps of a value: values.h */
  struct names *names;                                     /* that the kinds of names share */
  struct standing *standing;                               /* reviewers' decisions, by pair */
  uint32_t *rank; /* by record: its place by content alone, equal for equal contents */
};

enum status prepared_init(struct prepared *prepared, const struct link_plan *plan, const struct link_records *records,
                          unsigned threads, struct error *error) MUST_CHECK;
void prepared_free(struct prepared *prepared);

/* Standardised text of a value, for term frequencies and for people; one of its own for each value of a comparison. In
 * `arena` where it has to be made; data NULL: no memory. */
struct slice prepared_text(const struct prepared *prepared, size_t comparison, uint32_t value, struct arena *arena);
size_t prepared_value_count(const struct prepared *prepared, size_t comparison);

/* Content hashes of the parts of one record that a blocking key reads, at most `most`; returns their number. Never 0;
 * equal content gives equal hashes in every run. */
enum { PREPARED_PARTS_MOST = 12 };
size_t prepared_parts(const struct prepared *prepared, const struct block_key *key, uint32_t record, uint64_t *hashes,
                      size_t most);

/* ---- compare.c ---- */

/* The level of each comparison of two rows; `levels` has comparison_count bytes. `cache` is the calling thread's. (a,
 * b) and (b, a) give the same. */
struct compare_cache;
struct compare_cache *compare_cache_new(const struct prepared *prepared); /* NULL: no memory */
void compare_cache_free(struct compare_cache *cache);
void compare_rows(const struct prepared *prepared, struct compare_cache *cache, const uint32_t *a, const uint32_t *b,
                  uint8_t *levels);
/* The same one by one, for who need not know all: the level of one comparison, and, once all are known, what is taken
 * back of them because it counts only instead of others. */
uint8_t compare_level(struct compare_cache *cache, size_t comparison, const uint32_t *a, const uint32_t *b);
void compare_settle(const struct compare_cache *cache, uint8_t *levels);

/* Calls for what comparing this row by some comparisons (a bit each) will read, which is far away in memory, some time
 * before it is compared. */
#define COMPARE_ALL UINT32_MAX
void compare_call(const struct prepared *prepared, const uint32_t *row, uint32_t comparisons);

/* The first rule above weights that decides on these levels, or LINK_NO_RULE. */
uint16_t compare_verdict(const struct link_plan *plan, const uint8_t *levels);
/* Whether both have documents and these agree in number, and in type where both have one. */
bool compare_documents_agree(const struct prepared *prepared, uint32_t a, uint32_t b);
/* What stands above the weight of two records, the first that holds: a reviewer's decision (through others decided to
 * be the same, too), sealing, roles, the source's own person key, uniqueness, groups; REASON_WEIGHT: nothing.
 * `never`: they may not be in one cluster at all, through others either; with REASON_DECISION and REASON_SOURCE and
 * not `never`: they are one. */
enum link_reason compare_standing(const struct prepared *prepared, uint32_t a, uint32_t b, bool *never);

#endif
