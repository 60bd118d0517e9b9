/* Staged rows as the linker wants them. Private to core/resolve. */
#ifndef PUENTE_RESOLVE_COLUMNS_H
#define PUENTE_RESOLVE_COLUMNS_H

#include "core/resolve/evidence.h"
#include "core/resolve/staged.h"

/* Columns in the plan's order; "case.FIELD" is read from the row's own case, computed ones are `evidence`. They borrow
 * from rows, cases and evidence; the array is freed by columns_free. */
enum status columns_make(const struct link_plan *plan, const struct staged_rows *rows, const struct staged_rows *cases,
                         const struct evidence *evidence, struct link_column **columns, size_t *count,
                         struct error *error) MUST_CHECK;
void columns_free(struct link_column *columns, size_t count); /* NULL allowed */
/* Whether a column of a plan is none of the model's but computed here. */
bool columns_is_computed(const char *name);

/* By row: the position of the row's own case, in its source; LINK_MISSING. NULL: no memory. The caller frees it. */
uint32_t *columns_own_case(const struct staged_rows *rows, const struct staged_rows *cases);

#endif
