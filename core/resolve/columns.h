/* Staged rows as the linker wants them. Private to core/resolve. */
#ifndef PUENTE_RESOLVE_COLUMNS_H
#define PUENTE_RESOLVE_COLUMNS_H

#include "core/resolve/staged.h"

/* Columns in the plan's order; "case.FIELD" is read from the row's own case. They borrow from rows and cases; the array
 * is freed by columns_free. */
enum status columns_make(const struct link_plan *plan, const struct staged_rows *rows, const struct staged_rows *cases,
                         struct link_column **columns, size_t *count, struct error *error) MUST_CHECK;
void columns_free(struct link_column *columns, size_t count); /* NULL allowed */

#endif
