/* Steps of staging that have a file of their own. */
#ifndef PUENTE_STORE_STAGE_H
#define PUENTE_STORE_STAGE_H

#include "core/store/internal.h"

/* An absent key is NULL in the store. */
struct slice stage_missing_key(struct slice key);
/* The values of a row in the order of the shelf's table, but for its id. */
void stage_values(struct store *store, const struct staging *staging, const struct shelf *shelf,
                  const struct rows *rows, size_t row, struct value *values);
/* Compares the rows of known records with what is current: ids[i] is the id of a row to write, or 0 where an equal one
 * stands already. Rows that changed or vanished are closed. */
enum status stage_compare(struct store *store, const struct staging *staging, const struct shelf *shelf,
                          const struct rows *rows, int64_t *ids, struct staged *staged, struct error *error) MUST_CHECK;
enum status stage_issues(struct store *store, const struct staging *staging, struct error *error) MUST_CHECK;

#endif
