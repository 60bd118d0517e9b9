/* Records made ready for comparing: every dictionary value standardised once, every record's whole value of each
 * comparison numbered. Borrows plan and records; freed by simple_prepared_free. Private to core/link. */
#ifndef PUENTE_SIMPLE_PREPARE_H
#define PUENTE_SIMPLE_PREPARE_H

#include "core/simple/rules.h"
#include "core/simple/standard.h"

struct prepared {
  const struct link_plan *plan;
  const struct link_records *records;
  struct standard standard;
  const struct link_column *columns[COLUMNS_MOST];
  /* By dictionary value of a column; which of them is filled follows from the comparisons that read the column. */
  struct name *names[COLUMNS_MOST];
  uint32_t *texts[COLUMNS_MOST]; /* numbers in standard.texts */
  struct date *dates[COLUMNS_MOST];
  /* By record: the number of its whole value for a comparison, equal for equal values; LINK_MISSING. Of a document
   * the number without its type. */
  uint32_t *values[COMPARISONS_MOST];
};

enum status simple_prepared_init(struct prepared *prepared, const struct link_plan *plan,
                                 const struct link_records *records, struct error *error) MUST_CHECK;
void simple_prepared_free(struct prepared *prepared);

/* What a column holds for a record: NULL, LINK_MISSING, or precision DATE_NONE where it holds nothing. */
const struct name *simple_prepared_name(const struct prepared *prepared, unsigned column, uint32_t record);
uint32_t simple_prepared_text(const struct prepared *prepared, unsigned column, uint32_t record);
struct date simple_prepared_date(const struct prepared *prepared, unsigned column, uint32_t record);

/* The keys of one record for a blocking key, at most `most`; returns their number. */
size_t simple_prepared_keys(const struct prepared *prepared, const struct block_key *key, uint32_t record,
                            uint32_t *keys, size_t most);

/* The level of a comparison (position in its type's levels) of two records. */
int simple_compare_records(const struct prepared *prepared, const struct comparison *comparison, uint32_t a,
                           uint32_t b);
/* Whether both records have documents and these agree in number, and in type where both have one. */
bool simple_compare_documents_agree(const struct prepared *prepared, uint32_t a, uint32_t b);
/* Whether the two records alone may be one person, whatever a rule says: roles, and two people of one group. */
bool simple_compare_allows(const struct prepared *prepared, uint32_t a, uint32_t b);
/* Whether the levels of the two records are what the rule asks for. Its blocking keys are not looked at. */
bool simple_compare_accepts(const struct prepared *prepared, const struct link_rule *rule, uint32_t a, uint32_t b);

#endif
