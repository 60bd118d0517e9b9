/* Printing a released table: for people with the labels that were frozen beside it, for programs its very bytes.
 * Internal to core/command/release*.c. */
#ifndef PUENTE_COMMAND_RELEASE_SHOW_H
#define PUENTE_COMMAND_RELEASE_SHOW_H

#include "core/command/table.h"
#include "core/service/releasing.h"
#include "core/store/ledger.h"

/* `where`: "year=2022,purpose=sexual_exploitation" by codes or labels; NULL: all rows. */
enum status release_show(const struct released *released, const struct released_table *table, const char *where,
                         enum table_form form, struct arena *arena, struct error *error) MUST_CHECK;

#endif
