/* Parts of taking out, shared by its files. */
#ifndef PUENTE_STORE_ERASE_WHOLE_H
#define PUENTE_STORE_ERASE_WHOLE_H

#include "core/store/internal.h"

struct id_batch {
  int64_t *ids;
  size_t count, capacity;
};
void id_batch_free(struct id_batch *batch);
enum status id_batch_add(struct id_batch *batch, int64_t id, struct error *error) MUST_CHECK;
/* Adds the first column of a query's rows. `sql` NULL: there was no memory for it. */
enum status id_batch_read(struct store *store, const char *sql, const struct value *values, size_t count,
                          struct id_batch *batch, struct error *error) MUST_CHECK;

/* Values that consolidated persons or cases have from these rows go, in all their intervals; values of other rows
 * stay. */
enum status whole_erase(struct store *store, enum cluster_kind kind, const struct id_batch *rows, int64_t *changed,
                        struct error *error) MUST_CHECK;

#endif
