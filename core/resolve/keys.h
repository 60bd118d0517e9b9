/* The kept index of linkage: 64-bit hashes under a secret of the workspace, each with a row, in the store. It answers
 * without reading all rows which ones share a blocking key, are of a case, are called alike by their source, or are
 * connected by a pair that only an early step of the two-pass scheme keeps. Written by a full linking, kept up to date
 * by incremental ones. Private to core/resolve. */
#ifndef PUENTE_RESOLVE_KEYS_H
#define PUENTE_RESOLVE_KEYS_H

#include "core/resolve/closure.h"
#include "core/resolve/twopass.h"

enum { KEYS_SECRET = 16 };

/* What a hash says beside its text, which is "family/key" (of a mark "source/key") as staged_named makes it, or the
 * bytes of a row id. */
enum keys_label {
  KEYS_OWN = 'k',   /* a row by its own key */
  KEYS_CASE = 'g',  /* a person by its case's key */
  KEYS_MARK = 'm',  /* a row of another record that speaks of a person, by the person's key */
  KEYS_EARLY = 'e', /* a row that an early step's pair connects with the row of the text */
};
uint64_t keys_hash(const uint8_t secret[KEYS_SECRET], enum keys_label label, struct slice text);
uint64_t keys_hash_row(const uint8_t secret[KEYS_SECRET], int64_t row_id);

/* A growing list; freed by its user. */
struct key_list {
  struct link_key *keys;
  size_t count, capacity;
};
enum status key_list_add(struct key_list *list, uint64_t key, int64_t row_id, struct error *error) MUST_CHECK;
void key_list_free(struct key_list *list);

/* Blocking keys of rows by what they say themselves: computed columns give none. With `names`: their own keys and their
 * cases' too. `only`: of these rows alone; NULL: of all. */
enum status keys_of_rows(const uint8_t secret[KEYS_SECRET], const struct twopass_side *side,
                         const struct staged_rows *cases, const struct row_set *only, bool names, struct key_list *list,
                         struct error *error) MUST_CHECK;
/* Both ends of the pairs that the side's early step kept and the last one did not. */
enum status keys_of_early(const uint8_t secret[KEYS_SECRET], const struct twopass_side *side, struct key_list *list,
                          struct error *error) MUST_CHECK;

/* Adds the rows that have one of the list's keys to an unsorted set. Where a key has more than `limit` rows (those of
 * the list among them), `*outgrown` becomes true; 0: any number. */
enum status keys_find(struct store *store, enum cluster_kind kind, const struct key_list *list, size_t limit,
                      bool *outgrown, struct row_set *rows, struct error *error) MUST_CHECK;
/* closure_grow, along pairs of early steps too. */
enum status keys_grow(struct store *store, enum cluster_kind kind, const uint8_t secret[KEYS_SECRET],
                      struct row_set *set, struct error *error) MUST_CHECK;

#endif
