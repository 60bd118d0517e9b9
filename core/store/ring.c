#include "core/store/ring.h"

#include "core/base/date.h"
#include "core/store/internal.h"

#include <sodium.h>
#include <stdlib.h>

enum { RING_MOST = 64, MARK_TEXT = 2 * KEYED_SIZE + 1 };

struct ring {
  struct subkey wrapping;
  struct keyed_digest wrapper;
  struct seal_nonces nonces;
  struct seal_key keys[RING_MOST]; /* ascending */
  size_t count;
  uint32_t present; /* 0: none yet */
  bool asked;       /* in this transaction */
};

/* ---- without a key, or with another one ---- */

static void tell_place(const struct store *store, struct error *error) {
  if (store->key != NULL && key_path(store->key)[0] != '\0') {
    error_place(error, "%s", key_path(store->key));
  } else if (store->key_file != NULL) {
    error_place(error, "%s", store->key_file);
  }
}

enum status ring_need(const struct store *store, struct error *error) {
  if (store->ring != NULL) {
    return OK;
  }
  error_set(error, ERR_CONFIG, "%s",
            _("this is sealed, and the key file of the workspace is not there, or not yours to read"));
  tell_place(store, error);
  error_hint(error, "%s", _("put its copy there, mode 0600, or join two shares: `puente key join SHARE SHARE FILE`"));
  return ERR_CONFIG;
}

static enum status refuse_key(const struct store *store, bool replaced, struct error *error) {
  if (replaced) {
    error_set(error, ERR_CONFIG, "%s", _("this key file was replaced: it no longer opens the store"));
  } else {
    error_set(error, ERR_CONFIG, "%s", _("the key is not the one that this store was made with"));
  }
  tell_place(store, error);
  error_hint(error, "%s",
             _("put the key file of this workspace back from its copy, or join two shares: `puente key join`; nothing "
               "was changed"));
  return ERR_CONFIG;
}

/* ---- reading the table ---- */

/* One row of the table. */
struct wrapped {
  uint32_t id;
  struct keyed_digest wrapper;
  bool digest, retired;
  uint8_t bytes[SEAL_WRAPPED];
  bool whole;
};

static void take_wrapped(struct store *store, struct cursor *cursor, struct wrapped *row) {
  const struct driver_ops *ops = store->ops;
  *row = (struct wrapped){.id = (uint32_t)int_of_value(ops->value(cursor, 0)),
                          .digest = slice_is(slice_of_value(ops->value(cursor, 2)), PURPOSE_DIGEST),
                          .retired = int_of_value(ops->value(cursor, 4)) != 0,
                          .whole = ops->value(cursor, 3).len == SEAL_WRAPPED};
  digest_of_value(ops->value(cursor, 1), row->wrapper.bytes, KEYED_SIZE);
  digest_of_value(ops->value(cursor, 3), row->bytes, SEAL_WRAPPED);
}

static const struct seal_key *find_key(const struct ring *ring, uint32_t id) {
  for (size_t i = ring->count; i > 0; i--) {
    if (ring->keys[i - 1].id == id) {
      return &ring->keys[i - 1];
    }
  }
  return NULL;
}

/* A key that is known stays, though its row be gone: a reader may still meet what it sealed. */
static void keep_key(struct ring *ring, const struct seal_key *key) {
  if (find_key(ring, key->id) != NULL) {
    return;
  }
  if (ring->count == RING_MOST) {
    memmove(ring->keys, ring->keys + 1, (RING_MOST - 1) * sizeof *ring->keys);
    ring->count--;
  }
  ring->keys[ring->count++] = *key;
}

/* What the rows hold for this wrapping key. */
struct found_keys {
  bool digest, any_digest; /* under this key; under any */
  bool any_body;           /* perhaps one that this login may not open */
  uint8_t root[KEY_SIZE];
};

static enum status read_table(struct store *store, struct found_keys *found, struct error *error) {
  struct ring *ring = store->ring;
  struct cursor *cursor;
  struct wrapped row;
  *found = (struct found_keys){.digest = false};
  ring->present = 0;
  enum status status =
      db_query(store, error, &cursor,
               "SELECT key_id, wrapper, purpose, wrapped, retired FROM data_key ORDER BY key_id, wrapper", NULL, 0);
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    struct seal_key key;
    take_wrapped(store, cursor, &row);
    found->any_digest = found->any_digest || (row.digest && !row.retired);
    found->any_body = found->any_body || !row.digest;
    if (memcmp(&row.wrapper, &ring->wrapper, sizeof row.wrapper) != 0 || row.retired || !row.whole) {
      continue;
    }
    key.id = row.id;
    if (!seal_unwrap(&ring->wrapping, row.id, row.digest ? PURPOSE_DIGEST : PURPOSE_BODY, row.bytes, key.bytes)) {
      status = error_set(error, ERR_STORE, _("data key %u was changed in the store and does not open"), row.id);
      error_hint(error, "%s", _("restore the last backup beside it and compare; keep the store as it is"));
      break;
    }
    if (row.digest) {
      found->digest = true;
      memcpy(found->root, key.bytes, KEY_SIZE);
    } else {
      keep_key(ring, &key);
      ring->present = row.id;
    }
    sodium_memzero(&key, sizeof key);
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

static void use_wrapping(struct ring *ring, const struct key *key) {
  ring->wrapping = key_wrapping(key);
  ring->wrapper = seal_wrapper(&ring->wrapping);
}

/* The key file may have been replaced since it was read. */
static enum status read_key_again(struct store *store, struct error *error) {
  struct key *key = NULL;
  struct found_keys found;
  if (key_path(store->key)[0] == '\0') {
    return OK;
  }
  enum status status = key_load(key_path(store->key), &key, error);
  if (status == OK) {
    use_wrapping(store->ring, key);
    status = read_table(store, &found, error);
    sodium_memzero(&found, sizeof found);
  }
  key_free(key);
  return status;
}

static enum status need_id(struct store *store, uint32_t id, const struct seal_key **key, struct error *error) {
  struct found_keys found;
  enum status status = ring_need(store, error);
  if (status != OK) {
    return status;
  }
  *key = find_key(store->ring, id);
  if (*key == NULL) {
    status = read_table(store, &found, error);
    sodium_memzero(&found, sizeof found);
    *key = find_key(store->ring, id);
  }
  if (*key == NULL && status == OK) {
    status = read_key_again(store, error);
    *key = find_key(store->ring, id);
  }
  if (*key == NULL && status == OK) {
    status = error_set(error, ERR_STORE, _("data key %u, under which this was sealed, is not in the store"), id);
    tell_place(store, error);
    error_hint(error, "%s", _("run it again; if it stays so, restore the last backup beside it and compare"));
  }
  return status;
}

enum status ring_lock(struct store *store, bool alone, struct error *error) {
  return store->ops->lock_keys == NULL ? OK : store->ops->lock_keys(store->driver, alone, error);
}

/* ---- opening ---- */

/* Tells keys apart and nothing of them. */
static void mark_of(const struct key *key, char text[MARK_TEXT]) {
  struct keyed_digest mark = key_digest(key, "store", slice_of("puente"));
  hex_format(mark.bytes, KEYED_SIZE, text);
}

static enum status same_mark(struct store *store, bool *known, bool *same, struct error *error) {
  char text[MARK_TEXT];
  int64_t equal = 0;
  mark_of(store->key, text);
  enum status status = db_integer(store, error, &equal, known,
                                  "SELECT CASE WHEN value = $1 THEN 1 ELSE 0 END FROM meta WHERE name = 'key'",
                                  VALUES(text_value(text)));
  *same = equal != 0;
  return status;
}

/* The root is the file's bytes, or what a row of the table holds for this file. */
static enum status find_root(struct store *store, const struct found_keys *found, bool *known, struct error *error) {
  bool same = false;
  if (found->digest && memcmp(key_root(store->key), found->root, KEY_SIZE) != 0) {
    key_set_root(store->key, found->root);
  }
  enum status status = same_mark(store, known, &same, error);
  if (status != OK || !*known) {
    return status;
  }
  if (!same) {
    return refuse_key(store, false, error);
  }
  return found->any_digest && !found->digest ? refuse_key(store, true, error) : OK;
}

/* The mark of a store that knows no key yet, and the first data key. */
static enum status found_ring(struct store *store, struct error *error) {
  char text[MARK_TEXT];
  struct found_keys found;
  enum status status = store_begin(store, error);
  if (status != OK) {
    return status;
  }
  mark_of(store->key, text);
  status = ring_lock(store, true, error);
  if (status == OK) {
    status = db_execute(store, error, "INSERT INTO meta (name, value) VALUES ('key', $1) ON CONFLICT (name) DO NOTHING",
                        VALUES(text_value(text)));
  }
  status = status == OK ? read_table(store, &found, error) : status;
  if (status == OK && store->ring->present == 0) {
    status = ring_make(store, error);
  }
  if (status == OK) {
    status = store_commit(store, error);
    return status == OK ? read_table(store, &found, error) : status;
  }
  store_rollback(store);
  return status;
}

static enum status open_once(struct store *store, struct error *error) {
  struct found_keys found = {.digest = false};
  bool known = false, keys = store->version >= 7; /* the version that brought their table */
  enum status status = keys ? read_table(store, &found, error) : OK;
  status = status == OK ? find_root(store, &found, &known, error) : status;
  sodium_memzero(found.root, sizeof found.root);
  if (status == OK && keys && !store->read_only && (!known || !found.any_body)) {
    status = found_ring(store, error);
  }
  if (status == OK) {
    tables_subkeys(store);
  }
  return status;
}

/* The file may have been replaced between its reading and this. */
static enum status open_ring(struct store *store, struct error *error) {
  bool changed = false;
  struct error ignored;
  enum status status = open_once(store, error);
  if (status != ERR_CONFIG || key_again(store->key, &changed, &ignored) != OK || !changed) {
    return status;
  }
  use_wrapping(store->ring, store->key);
  return open_once(store, error);
}

enum status ring_open(struct store *store, struct error *error) {
  if (store->key == NULL) {
    return OK;
  }
  store->ring = sodium_malloc(sizeof *store->ring);
  if (store->ring == NULL) {
    return error_memory(error);
  }
  memset(store->ring, 0, sizeof *store->ring);
  use_wrapping(store->ring, store->key);
  seal_start(&store->ring->nonces);
  return open_ring(store, error);
}

void ring_close(struct store *store) {
  sodium_free(store->ring);
  store->ring = NULL;
}

/* ---- making keys ---- */

enum status ring_wrappers(struct store *store, int64_t *count, bool *ours, struct error *error) {
  int64_t mine = 0;
  enum status status =
      db_integer(store, error, count, NULL, "SELECT count(DISTINCT wrapper) FROM data_key WHERE retired = 0", NULL, 0);
  if (status == OK) {
    status = db_integer(store, error, &mine, NULL, "SELECT count(*) FROM data_key WHERE retired = 0 AND wrapper = $1",
                        VALUES(bytes_value(store->ring->wrapper.bytes, KEYED_SIZE)));
  }
  *ours = mine > 0;
  return status;
}

/* A key is made under the file that opens all others, and under no file while that is being replaced: the other one
 * would not open it. */
static enum status settle_wrapping(struct store *store, struct error *error) {
  int64_t count = 0;
  bool ours = false;
  enum status status = ring_wrappers(store, &count, &ours, error);
  if (status == OK && count > 1) {
    error_set(error, ERR_BUSY, "%s", _("the workspace's key is being replaced, or that was interrupted"));
    error_hint(error, "%s", _("`puente key rotate --workspace-key` goes on with it"));
    return ERR_BUSY;
  }
  return status == OK && count == 1 && !ours ? read_key_again(store, error) : status;
}

enum status ring_make(struct store *store, struct error *error) {
  struct ring *ring = store->ring;
  struct seal_key key;
  uint8_t wrapped[SEAL_WRAPPED];
  int64_t number = 0, now = 0;
  enum status status = settle_wrapping(store, error);
  status = status == OK ? db_count(store, "data_keys", 1, &number, error) : status;
  status = status == OK ? store->ops->now(store->driver, &now, error) : status;
  if (status != OK) {
    return status;
  }
  key.id = (uint32_t)number;
  randombytes_buf(key.bytes, sizeof key.bytes);
  seal_wrap(&ring->wrapping, key.id, PURPOSE_BODY, key.bytes, wrapped);
  status = db_execute(store, error,
                      "INSERT INTO data_key (key_id, wrapper, purpose, wrapped, made, retired) "
                      "VALUES ($1, $2, $3, $4, $5, 0)",
                      VALUES(int_value(number), bytes_value(ring->wrapper.bytes, KEYED_SIZE), text_value(PURPOSE_BODY),
                             bytes_value(wrapped, sizeof wrapped), int_value(now)));
  sodium_memzero(&key, sizeof key);
  return status;
}

/* ---- replacing the key file ---- */

static enum status write_wrapped(struct store *store, const struct subkey *wrapping, const struct seal_key *key,
                                 const char *purpose, struct error *error) {
  uint8_t wrapped[SEAL_WRAPPED];
  struct keyed_digest wrapper = seal_wrapper(wrapping);
  seal_wrap(wrapping, key->id, purpose, key->bytes, wrapped);
  return db_execute(store, error,
                    "INSERT INTO data_key (key_id, wrapper, purpose, wrapped, made, retired) "
                    "SELECT $1, $2, $3, $4, coalesce((SELECT max(made) FROM data_key WHERE key_id = $1), $5), 0",
                    VALUES(int_value(key->id), bytes_value(wrapper.bytes, KEYED_SIZE), text_value(purpose),
                           bytes_value(wrapped, sizeof wrapped), int_value(clock_now())));
}

/* The numbers of the keys that open bodies, under this handle's file. */
static enum status live_keys(struct store *store, uint32_t ids[RING_MOST], size_t *count, struct error *error) {
  struct cursor *cursor;
  *count = 0;
  enum status status =
      db_query(store, error, &cursor,
               "SELECT key_id FROM data_key WHERE retired = 0 AND purpose = $1 AND wrapper = $2 ORDER BY key_id",
               VALUES(text_value(PURPOSE_BODY), bytes_value(store->ring->wrapper.bytes, KEYED_SIZE)));
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    if (*count == RING_MOST) {
      status = error_set(error, ERR_LIMIT, _("more than %d data keys"), RING_MOST);
      break;
    }
    ids[(*count)++] = (uint32_t)int_of_value(store->ops->value(cursor, 0));
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

enum status ring_wrap_again(struct store *store, const struct key *fresh, struct error *error) {
  struct found_keys found;
  struct subkey wrapping = key_wrapping(fresh);
  struct seal_key root = {.id = 0};
  uint32_t ids[RING_MOST];
  size_t count = 0;
  enum status status = read_table(store, &found, error);
  status = status == OK ? live_keys(store, ids, &count, error) : status;
  for (size_t i = 0; i < count && status == OK; i++) {
    const struct seal_key *key = NULL;
    status = need_id(store, ids[i], &key, error);
    status = status == OK ? write_wrapped(store, &wrapping, key, PURPOSE_BODY, error) : status;
  }
  memcpy(root.bytes, key_root(store->key), KEY_SIZE);
  if (status == OK && !found.digest) {
    status = write_wrapped(store, &store->ring->wrapping, &root, PURPOSE_DIGEST, error);
  }
  status = status == OK ? write_wrapped(store, &wrapping, &root, PURPOSE_DIGEST, error) : status;
  sodium_memzero(&found, sizeof found);
  sodium_memzero(&root, sizeof root);
  sodium_memzero(&wrapping, sizeof wrapping);
  return status;
}

enum status ring_drop_others(struct store *store, const struct key *kept, struct error *error) {
  struct subkey wrapping = key_wrapping(kept);
  struct keyed_digest wrapper = seal_wrapper(&wrapping);
  int64_t lost = 0;
  sodium_memzero(&wrapping, sizeof wrapping);
  enum status status =
      db_integer(store, error, &lost, NULL,
                 "SELECT count(*) FROM data_key d WHERE d.retired = 0 AND NOT EXISTS (SELECT 1 FROM data_key k WHERE "
                 "k.key_id = d.key_id AND k.retired = 0 AND k.wrapper = $1)",
                 VALUES(bytes_value(wrapper.bytes, KEYED_SIZE)));
  if (status == OK && lost > 0) {
    status =
        error_set(error, ERR_STORE, "%s", _("a data key is not wrapped under the new key file; nothing was changed"));
    error_hint(error, "%s", _("keep both key files, and run `puente key rotate --workspace-key` again"));
  }
  return status == OK ? db_execute(store, error, "DELETE FROM data_key WHERE retired = 0 AND wrapper <> $1",
                                   VALUES(bytes_value(wrapper.bytes, KEYED_SIZE)))
                      : status;
}

uint32_t ring_present(const struct store *store) {
  return store->ring->present;
}

void ring_ended(struct store *store) {
  if (store->ring != NULL) {
    store->ring->asked = false;
  }
}

enum status ring_writing(struct store *store, struct error *error) {
  const struct seal_key *key = NULL;
  int64_t present = 0;
  enum status status = ring_need(store, error);
  if (status != OK || store->ring->asked) {
    return status;
  }
  status = ring_lock(store, false, error);
  if (status == OK) {
    status = db_integer(store, error, &present, NULL,
                        "SELECT coalesce(max(key_id), 0) FROM data_key WHERE purpose = $1 AND retired = 0",
                        VALUES(text_value(PURPOSE_BODY)));
  }
  status = status == OK ? need_id(store, (uint32_t)present, &key, error) : status;
  if (status == OK) {
    store->ring->present = (uint32_t)present;
    store->ring->asked = true;
  }
  return status;
}

/* ---- bodies ---- */

enum status ring_seal_there(struct store *store, const struct seal_place *place, size_t len, char *sealed,
                            struct error *error) {
  const struct seal_key *key = store->ring == NULL ? NULL : find_key(store->ring, store->ring->present);
  if (key == NULL || !store->ring->asked) {
    return error_set(error, ERR_INTERNAL, "%s", _("a body is sealed before its key was asked for"));
  }
  seal_close(key, &store->ring->nonces, place, slice_make(sealed + SEAL_HEAD, len), sealed);
  return OK;
}

enum status ring_seal(struct store *store, const struct seal_place *place, struct slice text, struct slice *sealed,
                      struct error *error) {
  *sealed = slice_make(NULL, 0);
  if (text.len == 0) {
    return OK;
  }
  char *out = arena_bytes(store->scratch, text.len + SEAL_EXTRA);
  if (out == NULL) {
    return error_memory(error);
  }
  memcpy(out + SEAL_HEAD, text.data, text.len);
  *sealed = slice_make(out, text.len + SEAL_EXTRA);
  return ring_seal_there(store, place, text.len, out, error);
}

void opened_free(struct opened *opened) {
  free(opened->data);
  *opened = (struct opened){.data = NULL};
}

enum status ring_unseal(struct store *store, const struct seal_place *place, struct slice body, struct opened *room,
                        struct slice *text, struct error *error) {
  const struct seal_key *key = NULL;
  *text = body;
  if (!seal_is(body)) {
    return OK;
  }
  enum status status = need_id(store, seal_key_id(body), &key, error);
  if (status == OK && body.len > room->capacity) {
    char *grown = realloc(room->data, body.len);
    if (grown == NULL) {
      return error_memory(error);
    }
    *room = (struct opened){.data = grown, .capacity = body.len};
  }
  if (status != OK) {
    return status;
  }
  if (!seal_open(key, place, body, room->data)) {
    error_set(error, ERR_STORE, "%s", _("a sealed body was changed, or put in the place of another"));
    error_place(error, "%s %lld", place->part, (long long)place->id);
    error_hint(error, "%s", _("restore the last backup beside it and compare; keep the store as it is"));
    return ERR_STORE;
  }
  *text = slice_make(room->data, body.len - SEAL_EXTRA);
  return OK;
}
