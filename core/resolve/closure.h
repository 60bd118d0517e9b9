/* Which rows hang together: everything that kept pairs connect with some rows. Private to core/resolve. */
#ifndef PUENTE_RESOLVE_CLOSURE_H
#define PUENTE_RESOLVE_CLOSURE_H

#include "core/store/store.h"

struct row_set {
  int64_t *ids; /* ascending, each once */
  size_t count, capacity;
};
enum status row_set_add(struct row_set *set, int64_t id, struct error *error) MUST_CHECK; /* unordered until sorted */
enum status row_set_add_all(struct row_set *set, const struct row_set *others, struct error *error) MUST_CHECK;
void row_set_sort(struct row_set *set);
bool row_set_has(const struct row_set *set, int64_t id); /* of a sorted one */
void row_set_free(struct row_set *set);
/* The records of its rows, each once. */
enum status row_set_records(const struct row_set *set, struct row_set *records, struct error *error) MUST_CHECK;

/* Grows a sorted set by all that pairs in the store connect with it, directly or through others. */
enum status closure_grow(struct store *store, enum cluster_kind kind, struct row_set *set,
                         struct error *error) MUST_CHECK;

#endif
