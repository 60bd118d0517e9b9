#include "core/store/internal.h"

#include <stdlib.h>

enum { SCRATCH_LIMIT = 512 << 20 };

enum status db_execute(struct store *store, struct error *error, const char *sql, const struct value *values,
                       size_t count) {
  return store->ops->execute(store->driver, sql, values, count, NULL, error);
}

enum status db_change(struct store *store, struct error *error, int64_t *changed, const char *sql,
                      const struct value *values, size_t count) {
  return store->ops->execute(store->driver, sql, values, count, changed, error);
}

enum status db_query(struct store *store, struct error *error, struct cursor **cursor, const char *sql,
                     const struct value *values, size_t count) {
  *cursor = NULL;
  return store->ops->query(store->driver, sql, values, count, cursor, error);
}

enum status db_integer(struct store *store, struct error *error, int64_t *integer, bool *found, const char *sql,
                       const struct value *values, size_t count) {
  struct cursor *cursor;
  enum status status = db_query(store, error, &cursor, sql, values, count);
  if (status != OK)
    return status;
  status = store->ops->next(cursor, error);
  if (found != NULL)
    *found = status == OK;
  if (status == OK)
    *integer = int_of_value(store->ops->value(cursor, 0));
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

enum status db_writing(struct store *store, struct error *error) {
  arena_reset(store->scratch);
  if (store->open)
    return OK;
  return error_set(error, ERR_INTERNAL, "%s", _("the store is written outside a transaction"));
}

enum status db_count(struct store *store, const char *name, int64_t count, int64_t *first, struct error *error) {
  int64_t last = 0;
  enum status status = db_integer(store, error, &last, NULL,
                                  "INSERT INTO counter (name, value) VALUES ($1, $2) ON CONFLICT (name) "
                                  "DO UPDATE SET value = counter.value + excluded.value RETURNING value",
                                  VALUES(text_value(name), int_value(count)));
  *first = last - count + 1;
  return status;
}

static int by_number(const void *a, const void *b) {
  int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
  return (left > right) - (left < right);
}

int64_t *db_sorted(const int64_t *ids, size_t count) {
  int64_t *copy = malloc((count + 1) * sizeof *copy);
  if (copy != NULL && count > 0) {
    memcpy(copy, ids, count * sizeof *copy);
    qsort(copy, count, sizeof *copy, by_number);
  }
  return copy;
}

/* ---- transactions ---- */

enum status store_begin(struct store *store, struct error *error) {
  if (store->open)
    return error_set(error, ERR_INTERNAL, "%s", _("a transaction is open already"));
  if (store->read_only) {
    error_set(error, ERR_IO, "%s", _("the store was opened for reading only"));
    return ERR_IO;
  }
  enum status status = store->ops->begin(store->driver, error);
  store->open = status == OK;
  ring_ended(store);
  return status;
}

enum status store_commit(struct store *store, struct error *error) {
  enum status status = db_writing(store, error);
  if (status != OK)
    return status;
  status = store->ops->commit(store->driver, error);
  if (status != OK)
    store->ops->rollback(store->driver);
  store->open = false;
  arena_reset(store->scratch);
  return status;
}

void store_rollback(struct store *store) {
  if (store->open)
    store->ops->rollback(store->driver);
  store->open = false;
  arena_reset(store->scratch);
}

enum status db_begin_own(struct store *store, bool *own, struct error *error) {
  *own = !store->open;
  return *own ? store_begin(store, error) : OK;
}

enum status db_finish_own(struct store *store, bool own, enum status status, struct error *error) {
  if (!own) {
    return status;
  }
  if (status == OK) {
    return store_commit(store, error);
  }
  store_rollback(store);
  return status;
}

/* ---- opening ---- */

void store_close(struct store *store) {
  if (store == NULL)
    return;
  if (store->scratch != NULL) /* else it was never whole */
    store_rollback(store);
  if (store->driver != NULL)
    store->ops->close(store->driver);
  ring_close(store);
  ZSTD_freeCCtx(store->compressor);
  ZSTD_freeDCtx(store->decompressor);
  free(store->packed);
  arena_free(store->scratch);
  arena_free(store->memory);
  free(store);
}

int store_version(const struct store *store) {
  return store->version;
}

/* Everything but the check of the version, and the driver. */
static enum status make(const struct store_options *options, struct store **store, struct error *error) {
  struct store *made = calloc(1, sizeof *made);
  *store = NULL;
  if (made == NULL)
    return error_memory(error);
  made->ops = options->kind == STORE_SQLITE ? &sqlite_driver : &postgres_driver;
  made->model = options->model;
  made->key = options->key;
  made->key_file = options->key_file;
  made->read_only = options->read_only;
  made->memory = arena_new(0);
  made->scratch = arena_new(SCRATCH_LIMIT);
  made->compressor = ZSTD_createCCtx();
  made->decompressor = ZSTD_createDCtx();
  enum status status = OK;
  if (made->memory == NULL || made->scratch == NULL || made->compressor == NULL || made->decompressor == NULL)
    status = error_memory(error);
  if (status == OK)
    status = tables_from_model(made, error);
  if (status != OK) {
    store_close(made);
    return status;
  }
  *store = made;
  return OK;
}

/* An embedded store has no logins. */
static bool views_alone(const struct store_options *options) {
  return options->views_only && options->kind == STORE_POSTGRES;
}

static enum status look_at(struct store *store, bool views_only, struct error *error) {
  store->ops->dialect(store->driver, &store->dialect);
  store->version = STORE_VERSION;
  enum status status = views_only ? OK : store->ops->version(store->driver, &store->version, error);
  return status == OK ? views_compose(store, error) : status;
}

enum status store_attach(const struct store_options *options, bool create, struct store **store, struct error *error) {
  enum status status = make(options, store, error);
  if (status != OK)
    return status;
  status = (*store)->ops->open(options, create, &(*store)->driver, error);
  if (status == OK)
    status = look_at(*store, views_alone(options), error);
  if (status != OK) {
    store_close(*store);
    *store = NULL;
  }
  return status;
}

enum status store_adopt(const struct store_options *options, struct driver *driver, struct store **store,
                        struct error *error) {
  enum status status = make(options, store, error);
  if (status != OK) {
    driver->ops->close(driver);
    return status;
  }
  (*store)->driver = driver;
  (*store)->read_only = true;
  status = look_at(*store, false, error);
  if (status != OK) {
    store_close(*store);
    *store = NULL;
  }
  return status;
}

enum status store_open(const struct store_options *options, struct store **store, struct error *error) {
  enum status status = store_attach(options, false, store, error);
  if (status != OK)
    return status;
  if (views_alone(options))
    return OK;
  status = migrate_check(*store, error);
  if (status == OK)
    status = ring_open(*store, error);
  if (status != OK) {
    store_close(*store);
    *store = NULL;
  }
  return status;
}
