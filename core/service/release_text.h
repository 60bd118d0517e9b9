/* The texts of a release: tables as CSV with their cells, and what stands beside the figures, each a CSV too. They are
 * made of codes, not of labels, and of nothing but the store as it stood after the run and the settings: the same bytes
 * again. Texts and cells live in the arena. */
#ifndef PUENTE_SERVICE_RELEASE_TEXT_H
#define PUENTE_SERVICE_RELEASE_TEXT_H

#include "core/service/release_count.h"

/* year,department,purpose,figure,status: each cell that counts anybody, margins with "total". */
enum status release_text_cells(const struct release_table_plan *plan, const struct release_counted *counted,
                               struct arena *arena, struct ledger_table *table, struct error *error) MUST_CHECK;

struct release_facts {
  const struct workspace *workspace;
  const struct release_plan *plan;
  const struct release_counted *counted; /* by table of the plan */
  const struct ledger_table *tables;     /* so, too, with what they list; read where figures are rounded */
  const struct ledger_table *coverage;   /* the text, whose codes the dictionary names; of no other text */
  int64_t run;
  int k, base; /* base 0: suppressed */
};
/* table,item,value,en,es: definition, axes, columns and codes of each table. */
enum status release_text_dictionary(const struct release_facts *facts, struct arena *arena, struct ledger_table *table,
                                    struct error *error) MUST_CHECK;
/* table,figure,least,waiting_pairs,records,unlinkable: what linkage has not settled about the total of each table. It
 * is as it was then: pairs that waited are not kept, so that this alone is not made again. Rounded: the figure alone.
 */
enum status release_text_linkage(const struct release_facts *facts, struct arena *arena, struct ledger_table *table,
                                 struct error *error) MUST_CHECK;
/* source,department,from,to,records: which source gave records of cases for which department, from which year to which
 * ("few": fewer than k); and the years for which a department has none from any source ("no_source"). Where figures are
 * rounded, what is of fewer than k records looks as what is of none: it would tell zero from what rounds to zero. */
enum status release_text_coverage(const struct release_facts *facts, struct arena *arena, struct ledger_table *table,
                                  struct error *error) MUST_CHECK;

/* ---- for the files release_*.c ---- */

enum { RELEASE_TEXT_LIMIT = 256 << 20 };
/* A CSV field, quoted where it has to be (RFC 4180); NULL: empty. */
void release_text_put(struct buffer *out, const char *text);
/* The bytes become the body of a text of that name. */
enum status release_text_finish(struct buffer *body, const char *name, struct arena *arena, struct ledger_table *table,
                                struct error *error) MUST_CHECK;

#endif
