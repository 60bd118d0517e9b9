#include "core/store/internal.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* Migrations, each in a transaction of its own: a store that stopped between two goes on from there. A new store takes
 * all of them in one, so that it is there or is not. Those that are published never change; a new one is added below.
 */

static enum status make_system(struct store *store, struct error *error) {
  static const struct table *const EXTRA[] = {&TABLE_RAW_CHUNK, &TABLE_RAW_RECORD, &TABLE_ISSUE, &TABLE_SEEN,
                                              &TABLE_LINK_PAIR};
  size_t count;
  const struct table *tables = tables_system(&count);
  enum status status = OK;
  for (size_t i = 0; i < count && status == OK; i++) {
    status = tables_create(store, &tables[i], error);
  }
  for (size_t i = 0; i < sizeof EXTRA / sizeof *EXTRA && status == OK; i++) {
    status = tables_create(store, EXTRA[i], error);
  }
  if (status == OK) {
    status = store->ops->script(store->driver, TABLES_INDEXES, error);
  }
  if (status == OK) {
    status = store->ops->script(store->driver, store->dialect.settle_tables, error);
  }
  struct sha256 zero = {0};
  if (status == OK) {
    status = db_execute(store, error, "INSERT INTO audit_head (id, sequence, hash) VALUES (1, 0, $1)",
                        VALUES(bytes_value(zero.bytes, SHA256_SIZE)));
  }
  return status;
}

/* Tables of the model, and what they lack of it. */
static enum status make_model(struct store *store, struct error *error) {
  enum status status = OK;
  for (size_t e = 0; e < store->model->entity_count && status == OK; e++) {
    status = tables_create(store, &store->shelves[e].table, error);
    if (status == OK) {
      status = tables_complete(store, &store->shelves[e].table, NULL, error);
    }
  }
  if (status == OK) {
    status = tables_create(store, &store->identity, error);
  }
  if (status == OK) {
    status = tables_complete(store, &store->identity, NULL, error);
  }
  for (int kind = CLUSTER_PERSON; kind <= CLUSTER_CASE && status == OK; kind++) {
    const struct whole *whole = &store->wholes[kind];
    if (whole->shelf == NULL) {
      continue;
    }
    status = tables_create(store, &whole->table, error);
    if (status == OK) {
      status = tables_complete(store, &whole->table, NULL, error);
    }
    if (status == OK) {
      status = tables_create(store, &whole->identity, error);
    }
  }
  return status == OK ? tables_number_entities(store, error) : status;
}

static enum status remember_model(struct store *store, struct error *error) {
  char digest[2 * SHA256_SIZE + 1];
  hex_format(store->model->digest.bytes, SHA256_SIZE, digest);
  return db_execute(store, error,
                    "INSERT INTO meta (name, value) VALUES ('model', $1) "
                    "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    VALUES(text_value(digest)));
}

/* Views stand on tables of every version: those that came after the first are there before them. */
static enum status make_later(struct store *store, struct error *error) {
  static const struct table *const NEW[] = {
      &TABLE_LINK_DECISION, &TABLE_LINK_MODEL,   &TABLE_LINK_KEY, &TABLE_LINK_UNLINKABLE, &TABLE_DUTY,
      &TABLE_HEALTH,        &TABLE_FIELD,        &TABLE_DRIFT,    &TABLE_EXPIRY,          &TABLE_NOTICE,
      &TABLE_DATA_KEY,      &TABLE_ERASURE,      &TABLE_APPROVAL, &TABLE_RECEIPT,         &TABLE_RELEASE,
      &TABLE_RELEASE_TABLE, &TABLE_RELEASE_CELL, &TABLE_GRANTED,  &TABLE_SIGHT,           &TABLE_SIGHT_RECORD,
      &TABLE_SHARE,         &TABLE_ENCODING,     &TABLE_OUTCOME,  &TABLE_SHOWN,           &TABLE_TOLD};
  enum status status = tables_complete(store, &TABLE_LINK_PAIR, NULL, error);
  status = status == OK ? tables_complete(store, tables_source(), NULL, error) : status;
  for (size_t i = 0; i < sizeof NEW / sizeof *NEW && status == OK; i++) {
    status = tables_create(store, NEW[i], error);
  }
  status = status == OK ? tables_complete(store, &TABLE_LINK_MODEL, NULL, error) : status;
  if (status == OK) {
    status = store->ops->script(store->driver, TABLES_LINK_INDEXES, error);
  }
  /* Former linkings wrote a weight of 0 for pairs that they kept apart. */
  return status == OK ? db_execute(store, error,
                                   "UPDATE link_pair SET outcome = CASE WHEN weight = 0 THEN 2 ELSE 0 END, "
                                   "reason = 'weight' WHERE outcome IS NULL",
                                   NULL, 0)
                      : status;
}

static enum status model_same(struct store *store, bool *same, struct error *error) {
  char digest[2 * SHA256_SIZE + 1];
  int64_t one = 0;
  hex_format(store->model->digest.bytes, SHA256_SIZE, digest);
  return db_integer(store, error, &one, same, "SELECT 1 FROM meta WHERE name = 'model' AND value = $1",
                    VALUES(text_value(digest)));
}

/* A model that grew together with the program: its columns come before the views that name them. */
static enum status make_views(struct store *store, struct error *error) {
  bool same = false;
  enum status status = make_later(store, error);
  status = status == OK ? model_same(store, &same, error) : status;
  if (status == OK) {
    status = same ? tables_number_entities(store, error) : make_model(store, error);
  }
  status = status == OK ? views_make(store, error) : status;
  return status == OK ? remember_model(store, error) : status;
}

struct migration {
  const char *title;
  enum status (*apply)(struct store *store, struct error *error);
};
/* The version of a store is the number of migrations that it has seen. */
static const struct migration MIGRATIONS[STORE_VERSION] = {
    {N_("tables of sources, runs, landed records, issues and the log"), make_system},
    {N_("tables of the model"), make_model},
    {N_("views for analysts"), make_views},
    {N_("tables of linkage: decisions, models and keys"), make_views},
    {N_("table of linkage: rows that cannot be linked"), make_views},
    {N_("tables of unattended work: duties, health, fields, drift, notices"), make_views},
    {N_("tables of trust: keys, erasures, approvals, receipts, releases, grants"), make_views},
    {N_("table of the log: whom sights of many show"), make_views},
    {N_("table of what reports told"), make_views},
};

static enum status apply_one(struct store *store, int target, struct error *error) {
  enum status status = MIGRATIONS[target - 1].apply(store, error);
  if (status != OK) {
    error_place(error, _("migration %d (%s)"), target, _(MIGRATIONS[target - 1].title));
    return status;
  }
  return store->ops->set_version(store->driver, target, error);
}

/* Steps from the store's version up to `target` in one transaction, unless another process has taken them in the
 * meantime. */
static enum status apply_up_to(struct store *store, int target, struct error *error) {
  int version = 0;
  enum status status = store_begin(store, error);
  if (status != OK) {
    return status;
  }
  status = store->ops->lock_schema(store->driver, error);
  if (status == OK) {
    status = store->ops->version(store->driver, &version, error);
  }
  while (status == OK && version < target) {
    status = apply_one(store, ++version, error);
  }
  if (status == OK) {
    status = store_commit(store, error);
  }
  if (status != OK) {
    store_rollback(store);
    return status;
  }
  store->version = version;
  return OK;
}

static enum status apply_all(struct store *store, struct error *error) {
  enum status status = OK;
  while (store->version < STORE_VERSION && status == OK) {
    status = apply_up_to(store, store->version == 0 ? STORE_VERSION : store->version + 1, error);
  }
  return status;
}

/* ---- checks ---- */

enum status migrate_too_new(const struct store *store, struct error *error) {
  error_set(error, ERR_VERSION, _("the store is of version %d, this program knows up to %d"), store->version,
            STORE_VERSION);
  error_hint(error, "%s", _("use the newer puente that wrote it; nothing was changed"));
  return ERR_VERSION;
}

static enum status has_views(struct store *store, bool *made, struct error *error) {
  int64_t count = 0;
  enum status status = db_integer(store, error, &count, NULL, store->dialect.has_views, NULL, 0);
  *made = count > 0;
  return status;
}

/* What a field held in the clear stays in its column and in the rows of former runs when the field is sealed from now
 * on: it would look protected, and is not. */
static enum status none_unsealed(struct store *store, const struct shelf *shelf, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < shelf->entity->column_count && status == OK; i++) {
    const struct column *column = &shelf->entity->columns[i];
    bool found = false;
    int64_t fits = 0;
    if (column->field->sensitivity == SENSITIVITY_IDENTIFIER) { /* encodings are, too */
      status = db_integer(store, error, &fits, &found, store->dialect.find_column,
                          VALUES(text_value(shelf->table.name), text_value(column->name),
                                 text_value(store->dialect.types[COLUMN_TEXT])));
    }
    if (status == OK && found) {
      error_set(error, ERR_CONFIG, "%s", _("the model seals a field that stands in the store unsealed"));
      error_place(error, "%s.%s", shelf->table.name, column->name);
      error_hint(error, "%s",
                 _("take the change back, or begin a new store (`puente store init`, `puente sync`): what this one and "
                   "its copies hold stays readable"));
      return ERR_CONFIG;
    }
  }
  return status;
}

/* How many columns and numbers the model has that the store lacks. */
static enum status model_lacks(struct store *store, size_t *missing, struct error *error) {
  enum status status = tables_complete(store, &store->identity, missing, error);
  for (size_t e = 0; e < store->model->entity_count && status == OK; e++) {
    status = none_unsealed(store, &store->shelves[e], error);
    status = status == OK ? tables_complete(store, &store->shelves[e].table, missing, error) : status;
  }
  for (int kind = CLUSTER_PERSON; kind <= CLUSTER_CASE && status == OK; kind++) {
    if (store->wholes[kind].shelf != NULL) {
      status = tables_complete(store, &store->wholes[kind].table, missing, error);
    }
  }
  for (size_t e = 0; e < store->model->entity_count; e++) {
    const struct shelf *shelf = &store->shelves[e];
    *missing += shelf->number < 0;
    for (size_t i = 0; i < shelf->identifier_count; i++) {
      *missing += shelf->identifier_numbers[i] == 0;
    }
  }
  return status;
}

enum status migrate_check(struct store *store, struct error *error) {
  bool same = false, made = false;
  size_t missing = 0;
  if (store->version == 0) {
    error_set(error, ERR_NOT_FOUND, "%s", _("there is no store here yet"));
    error_hint(error, "%s", _("run `puente store init`"));
    return ERR_NOT_FOUND;
  }
  if (store->version > STORE_VERSION) {
    return migrate_too_new(store, error);
  }
  if (store->version < STORE_VERSION) {
    error_set(error, ERR_CONFIG, _("the store is of version %d, this program needs %d"), store->version, STORE_VERSION);
    error_hint(error, "%s", _("run `puente store migrate`: it makes a backup first"));
    return ERR_CONFIG;
  }
  enum status status = has_views(store, &made, error);
  if (status == OK && !made) {
    error_set(error, ERR_CONFIG, "%s", _("the store has no views: it was restored from a backup"));
    error_hint(error, "%s", _("run `puente store migrate`: it makes them anew"));
    return ERR_CONFIG;
  }
  if (status == OK) {
    status = model_same(store, &same, error);
  }
  if (status == OK) {
    status = tables_number_entities(store, error);
  }
  if (status == OK && !same) {
    status = model_lacks(store, &missing, error);
  }
  if (status == OK && missing > 0) {
    error_set(error, ERR_CONFIG, _("the model has %zu columns that the store lacks"), missing);
    error_hint(error, "%s", _("run `puente store migrate`: it makes a backup first"));
    return ERR_CONFIG;
  }
  return status;
}

/* ---- creating and migrating ---- */

enum status store_create(const struct store_options *options, struct error *error) {
  struct store *store;
  enum status status = store_attach(options, true, &store, error);
  if (status != OK) {
    return status;
  }
  if (store->version > STORE_VERSION) {
    status = migrate_too_new(store, error);
  } else if (store->version == STORE_VERSION) {
    status = error_set(error, ERR_CONFIG, "%s", _("there is a store here already"));
    error_hint(error, "%s", _("nothing was changed; `puente status` shows it"));
  } else {
    status = apply_all(store, error);
    status = status == OK ? ring_open(store, error) : status;
  }
  store_close(store);
  return status;
}

static enum status renew_model(struct store *store, struct error *error) {
  enum status status = store_begin(store, error);
  if (status == OK) {
    status = store->ops->lock_schema(store->driver, error);
  }
  if (status == OK) {
    status = make_views(store, error);
  }
  if (status == OK) {
    return store_commit(store, error);
  }
  store_rollback(store);
  return status;
}

/* ---- the way back ---- */

/* "FROM TO FILE" */
enum status migrate_upgrade_read(struct store *store, int *from, int *to, struct buffer *file, struct error *error) {
  struct cursor *cursor;
  buffer_reset(file);
  *from = 0;
  enum status status = db_query(store, error, &cursor, "SELECT value FROM meta WHERE name = 'upgrade'", NULL, 0);
  if (status != OK) {
    return status;
  }
  status = store->ops->next(cursor, error);
  if (status == OK) {
    struct value value = store->ops->value(cursor, 0);
    const char *text = text_of_value(store->scratch, value);
    bool lacks = text == NULL && value.kind != VALUE_NULL;
    char *end = NULL;
    long numbers[2] = {0, 0};
    for (int i = 0; i < 2 && text != NULL; i++) {
      numbers[i] = strtol(text, &end, 10);
      text = *end == ' ' ? end + 1 : NULL;
    }
    *from = (int)numbers[0];
    if (to != NULL) {
      *to = (int)numbers[1];
    }
    if (text != NULL) {
      buffer_text(file, text);
    }
    status = lacks ? error_memory(error) : OK;
  }
  store->ops->finish(cursor);
  return status == END ? OK : status == OK ? buffer_check(file, "backup", error) : status;
}

/* A try that goes on where a former one stopped goes back to where that one began: `began` and `file` say so then. */
static enum status remember_upgrade(struct store *store, struct buffer *file, int *began, struct error *error) {
  int from = 0, to = 0;
  struct buffer former;
  buffer_init(&former, PATH_MAX + 64);
  enum status status = migrate_upgrade_read(store, &from, &to, &former, error);
  bool goes_on = former.len > 0 && to == STORE_VERSION && from < store->version && store->version < STORE_VERSION
                 && access(former.data, R_OK) == 0;
  if (status == OK && goes_on) {
    *began = from;
    buffer_reset(file);
    buffer_text(file, former.data);
    status = buffer_check(file, "backup", error);
  }
  buffer_free(&former);
  if (status != OK || goes_on) {
    return status;
  }
  char *value = realpath(file->data, NULL);
  status = store_begin(store, error);
  if (status == OK) {
    char *text = value == NULL ? NULL : arena_printf(store->scratch, "%d %d %s", store->version, STORE_VERSION, value);
    status = text == NULL ? error_memory(error)
                          : db_execute(store, error,
                                       "INSERT INTO meta (name, value) VALUES ('upgrade', $1) ON CONFLICT (name) "
                                       "DO UPDATE SET value = excluded.value",
                                       VALUES(text_value(text)));
  }
  free(value);
  if (status == OK) {
    return store_commit(store, error);
  }
  store_rollback(store);
  return status;
}

static enum status copy_first(struct store *store, const struct store_options *options, struct buffer *file, int *began,
                              struct error *error) {
  struct backup_made made;
  enum status status = store->ops->backup_name(store->driver, store->version, file, error);
  if (status != OK) {
    return status;
  }
  const struct backup_request request = {.target = file->data};
  status = store_backup(store, options, &request, &made, error);
  if (status != OK) {
    buffer_reset(file);
    return status;
  }
  holdings_free(&made.holdings);
  return remember_upgrade(store, file, began, error);
}

static enum status migrate(struct store *store, const struct store_options *options, int *from, int *to,
                           struct buffer *backup, struct error *error) {
  bool same = false;
  *from = *to = store->version;
  if (store->version == 0) {
    return migrate_check(store, error);
  }
  if (store->version > STORE_VERSION) {
    return migrate_too_new(store, error);
  }
  bool made = false;
  size_t missing = 0;
  enum status status = model_same(store, &same, error);
  if (status == OK) {
    status = has_views(store, &made, error);
  }
  if (status == OK && same && !made && store->version == STORE_VERSION) {
    return renew_model(store, error);
  }
  if (status != OK || (same && store->version == STORE_VERSION)) {
    return status;
  }
  status = model_lacks(store, &missing, error); /* a model that does not fit is refused before anything is copied */
  status = status == OK ? copy_first(store, options, backup, from, error) : status;
  if (status == OK) {
    status = store->version < STORE_VERSION ? apply_all(store, error) : renew_model(store, error);
  }
  *to = store->version;
  return status;
}

enum status store_migrate(const struct store_options *options, int *from, int *to, struct buffer *backup,
                          struct error *error) {
  struct store *store;
  enum status status = store_attach(options, false, &store, error);
  if (status != OK) {
    return status;
  }
  status = migrate(store, options, from, to, backup, error);
  store_close(store);
  return status;
}
