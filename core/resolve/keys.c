#include "core/resolve/keys.h"

#include "core/resolve/columns.h"

#include <sodium.h>
#include <stdlib.h>

/* ---- hashes ---- */

uint64_t keys_hash(const uint8_t secret[KEYS_SECRET], enum keys_label label, struct slice text) {
  unsigned char room[STAGED_KEY_MOST + 1];
  uint64_t hash;
  size_t length = text.len < STAGED_KEY_MOST ? text.len : STAGED_KEY_MOST;
  room[0] = (unsigned char)label;
  if (length > 0) {
    memcpy(room + 1, text.data, length);
  }
  crypto_shorthash((unsigned char *)&hash, room, length + 1, secret);
  return hash;
}

uint64_t keys_hash_row(const uint8_t secret[KEYS_SECRET], int64_t row_id) {
  return keys_hash(secret, KEYS_EARLY, slice_make((const char *)&row_id, sizeof row_id));
}

/* ---- lists ---- */

enum status key_list_add(struct key_list *list, uint64_t key, int64_t row_id, struct error *error) {
  if (list->count == list->capacity) {
    size_t capacity = list->capacity == 0 ? 1024 : list->capacity * 2;
    struct link_key *grown = realloc(list->keys, capacity * sizeof *grown);
    if (grown == NULL) {
      return error_memory(error);
    }
    list->keys = grown;
    list->capacity = capacity;
  }
  list->keys[list->count++] = (struct link_key){.key = key, .row_id = row_id};
  return OK;
}

void key_list_free(struct key_list *list) {
  free(list->keys);
  *list = (struct key_list){0};
}

/* ---- keys of rows ---- */

struct listing {
  struct key_list *list;
  const struct staged_rows *rows;
  const struct row_set *only;
};

static bool is_listed(const struct listing *listing, size_t row) {
  return listing->only == NULL || row_set_has(listing->only, listing->rows->row_id[row]);
}

static enum status take_key(void *context, uint32_t record, uint64_t key, struct error *error) {
  const struct listing *listing = context;
  return is_listed(listing, record) ? key_list_add(listing->list, key, listing->rows->row_id[record], error) : OK;
}

static enum status add_names(const uint8_t *secret, const struct listing *listing, bool persons, struct error *error) {
  const struct staged_rows *rows = listing->rows;
  enum status status = OK;
  for (size_t i = 0; status == OK && i < rows->count; i++) {
    if (!is_listed(listing, i)) {
      continue;
    }
    uint64_t own = keys_hash(secret, KEYS_OWN, staged_own(rows, i));
    status = key_list_add(listing->list, own, rows->row_id[i], error);
    if (status == OK && persons && rows->fellows[i] != LINK_MISSING) {
      uint64_t of_case = keys_hash(secret, KEYS_CASE, map_key(rows->groups, rows->fellows[i]));
      status = key_list_add(listing->list, of_case, rows->row_id[i], error);
    }
  }
  return status;
}

enum status keys_of_rows(const uint8_t secret[KEYS_SECRET], const struct twopass_side *side,
                         const struct staged_rows *cases, const struct row_set *only, bool names, struct key_list *list,
                         struct error *error) {
  struct listing listing = {.list = list, .rows = side->rows, .only = only};
  struct link_records records = {0};
  struct evidence none;
  struct twopass_side undecided = *side; /* decisions are about no keys, and may speak of where rows stood before */
  undecided.decision_count = 0;
  enum status status = evidence_none(side->rows->count, &none, error);
  status = status == OK ? twopass_records(&undecided, cases, &none, &records, error) : status;
  if (status == OK) {
    status = link_keys(side->plan, &records, side->model, secret, take_key, &listing, error);
  }
  columns_free(records.columns, records.column_count);
  evidence_free(&none);
  return status == OK && names ? add_names(secret, &listing, side->rows != cases, error) : status;
}

static int by_ends(const struct link_pair *x, const struct link_pair *y) {
  if (x->a != y->a) {
    return x->a < y->a ? -1 : 1;
  }
  return (x->b > y->b) - (x->b < y->b);
}

enum status keys_of_early(const uint8_t secret[KEYS_SECRET], const struct twopass_side *side, struct key_list *list,
                          struct error *error) {
  const struct link_result *last = &side->result;
  enum status status = OK;
  size_t at = 0;
  for (size_t i = 0; status == OK && i < side->early.pair_count; i++) {
    const struct link_pair *pair = &side->early.pairs[i];
    while (at < last->pair_count && by_ends(&last->pairs[at], pair) < 0) {
      at++;
    }
    if (at < last->pair_count && by_ends(&last->pairs[at], pair) == 0) {
      continue;
    }
    int64_t a = side->rows->row_id[pair->a];
    int64_t b = side->rows->row_id[pair->b];
    status = key_list_add(list, keys_hash_row(secret, a), b, error);
    status = status == OK ? key_list_add(list, keys_hash_row(secret, b), a, error) : status;
  }
  return status;
}

/* ---- asking ---- */

static int by_key(const void *a, const void *b) {
  const struct link_key *x = a;
  const struct link_key *y = b;
  if (x->key != y->key) {
    return x->key < y->key ? -1 : 1;
  }
  return (x->row_id > y->row_id) - (x->row_id < y->row_id);
}

static enum status take_found(void *context, const struct link_key *key, struct error *error) {
  return key_list_add(context, key->key, key->row_id, error);
}

/* Whether a key has more rows than the limit. */
static bool has_outgrown(struct key_list *list, size_t limit) {
  size_t rows = 0;
  qsort(list->keys, list->count, sizeof *list->keys, by_key);
  for (size_t i = 0; i < list->count; i++) {
    bool same = i > 0 && list->keys[i].key == list->keys[i - 1].key;
    rows = same ? rows + (list->keys[i].row_id != list->keys[i - 1].row_id) : 1;
    if (rows > limit) {
      return true;
    }
  }
  return false;
}

/* The keys of a list, each once; freed by the caller. */
static uint64_t *distinct(const struct key_list *list, size_t *count) {
  struct link_key *sorted = malloc((list->count + 1) * sizeof *sorted);
  uint64_t *keys = malloc((list->count + 1) * sizeof *keys);
  *count = 0;
  if (sorted == NULL || keys == NULL) {
    free(sorted);
    free(keys);
    return NULL;
  }
  if (list->count > 0) {
    memcpy(sorted, list->keys, list->count * sizeof *sorted);
    qsort(sorted, list->count, sizeof *sorted, by_key);
  }
  for (size_t i = 0; i < list->count; i++) {
    if (i == 0 || sorted[i].key != sorted[i - 1].key) {
      keys[(*count)++] = sorted[i].key;
    }
  }
  free(sorted);
  return keys;
}

enum status keys_find(struct store *store, enum cluster_kind kind, const struct key_list *list, size_t limit,
                      bool *outgrown, struct row_set *rows, struct error *error) {
  struct key_list found = {0};
  size_t count = 0;
  uint64_t *keys = distinct(list, &count);
  enum status status = keys == NULL ? error_memory(error) : OK;
  if (status == OK && count > 0) {
    status = store_visit_keys(store, kind, keys, count, take_found, &found, error);
  }
  for (size_t i = 0; status == OK && i < found.count; i++) {
    status = row_set_add(rows, found.keys[i].row_id, error);
  }
  for (size_t i = 0; status == OK && limit > 0 && i < list->count; i++) {
    status = key_list_add(&found, list->keys[i].key, list->keys[i].row_id, error);
  }
  if (status == OK && limit > 0 && found.count > 0) {
    *outgrown = *outgrown || has_outgrown(&found, limit);
  }
  key_list_free(&found);
  free(keys);
  return status;
}

/* The rows that early pairs connect with those of the set that they are not asked for yet. */
static enum status grow_early(struct store *store, enum cluster_kind kind, const uint8_t *secret,
                              const struct row_set *from, struct row_set *found, struct error *error) {
  struct key_list list = {0};
  enum status status = OK;
  for (size_t i = 0; status == OK && i < from->count; i++) {
    status = key_list_add(&list, keys_hash_row(secret, from->ids[i]), from->ids[i], error);
  }
  status = status == OK ? keys_find(store, kind, &list, 0, NULL, found, error) : status;
  key_list_free(&list);
  return status;
}

static enum status take_new(const struct row_set *set, const struct row_set *found, struct row_set *fresh,
                            struct error *error) {
  enum status status = OK;
  for (size_t i = 0; status == OK && i < found->count; i++) {
    status = row_set_has(set, found->ids[i]) ? OK : row_set_add(fresh, found->ids[i], error);
  }
  row_set_sort(fresh);
  return status;
}

static enum status take_ends(void *context, const struct link_pair_row *pair, struct error *error) {
  enum status status = row_set_add(context, pair->row_a, error);
  return status == OK ? row_set_add(context, pair->row_b, error) : status;
}

enum status keys_grow(struct store *store, enum cluster_kind kind, const uint8_t secret[KEYS_SECRET],
                      struct row_set *set, struct error *error) {
  struct row_set frontier = {0};
  row_set_sort(set);
  enum status status = row_set_add_all(&frontier, set, error);
  while (status == OK && frontier.count > 0) {
    struct row_set found = {0};
    struct row_set fresh = {0};
    status = store_visit_pairs(store, kind, frontier.ids, frontier.count, take_ends, &found, error);
    status = status == OK ? grow_early(store, kind, secret, &frontier, &found, error) : status;
    status = status == OK ? take_new(set, &found, &fresh, error) : status;
    status = status == OK ? row_set_add_all(set, &fresh, error) : status;
    row_set_sort(set);
    row_set_free(&found);
    row_set_free(&frontier);
    frontier = fresh;
  }
  row_set_free(&frontier);
  return status;
}
