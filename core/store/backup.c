#include "core/store/backup.h"

#include "core/base/file.h"
#include "core/store/copy_digest.h"
#include "core/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TABLES_MOST = 4096, MISTAKE_SQL_MOST = 4096 };

const char *const copy_proofs[] = {"opened", "restored", "read"};

const char *store_backup_suffix(enum store_kind kind) {
  return kind == STORE_SQLITE ? ".db" : ".dump";
}

/* ---- what tables hold ---- */

void holdings_free(struct holdings *holdings) {
  free(holdings->items);
  *holdings = (struct holdings){.items = NULL};
}

enum status holdings_add(struct holdings *holdings, const char *table, int64_t rows, struct error *error) {
  if (holdings->count == TABLES_MOST) {
    return error_set(error, ERR_LIMIT, _("more than %d tables"), TABLES_MOST);
  }
  struct holding *grown = realloc(holdings->items, (holdings->count + 1) * sizeof *grown);
  if (grown == NULL) {
    return error_memory(error);
  }
  holdings->items = grown;
  struct holding *item = &grown[holdings->count++];
  *item = (struct holding){.rows = rows};
  snprintf(item->table, sizeof item->table, "%s", table);
  holdings->rows += rows;
  return OK;
}

static const struct holding *find(const struct holdings *holdings, const char *table) {
  for (size_t i = 0; i < holdings->count; i++) {
    if (strcmp(holdings->items[i].table, table) == 0) {
      return &holdings->items[i];
    }
  }
  return NULL;
}

const char *holdings_differ(const struct holdings *a, const struct holdings *b) {
  for (size_t i = 0; i < a->count; i++) {
    const struct holding *other = find(b, a->items[i].table);
    if (other == NULL || other->rows != a->items[i].rows) {
      return a->items[i].table;
    }
  }
  for (size_t i = 0; i < b->count; i++) {
    if (find(a, b->items[i].table) == NULL) {
      return b->items[i].table;
    }
  }
  return NULL;
}

enum status store_holdings(struct store *store, struct holdings *holdings, struct error *error) {
  *holdings = (struct holdings){.items = NULL};
  enum status status = store->ops->holdings(store->driver, holdings, error);
  if (status != OK) {
    holdings_free(holdings);
  }
  return status;
}

/* ---- reading a copy back ---- */

/* The copy as a store, whatever its version up to this program's. */
static enum status open_copy(const struct store_options *options, const char *file, struct store **copy,
                             struct error *error) {
  struct driver *driver = NULL;
  const struct driver_ops *ops = options->kind == STORE_SQLITE ? &sqlite_driver : &postgres_driver;
  enum status status = ops->open_copy(options, file, &driver, error);
  if (status == OK) {
    status = store_adopt(options, driver, copy, error);
  }
  if (status != OK) {
    return status;
  }
  if ((*copy)->version > STORE_VERSION) {
    status = migrate_too_new(*copy, error);
  } else if ((*copy)->version == 0) {
    status = error_set(error, ERR_STORE, "%s", _("the copy holds no store"));
  }
  status = status == OK ? ring_open(*copy, error) : status;
  if (status != OK) {
    store_close(*copy);
    *copy = NULL;
  }
  return status;
}

static enum status look_at(struct store *copy, copy_check *check, void *context, struct holdings *holdings,
                           struct error *error) {
  enum status status = check == NULL ? OK : check(context, copy, error);
  return status == OK ? store_holdings(copy, holdings, error) : status;
}

enum status store_check_copy(const struct store_options *options, const char *file, copy_check *check, void *context,
                             struct copy_seen *seen, struct error *error) {
  const struct driver_ops *ops = options->kind == STORE_SQLITE ? &sqlite_driver : &postgres_driver;
  struct store *copy = NULL;
  *seen = (struct copy_seen){.proof = ops->proof};
  enum status status = copy_digest_check(file, &seen->digest, error);
  status = status == OK ? open_copy(options, file, &copy, error) : status;
  if (status == ERR_AUTH && ops->scan != NULL) {
    seen->proof = PROOF_READ;
    status = ops->scan(options, file, &seen->holdings, error);
  } else if (status == OK) {
    seen->version = copy->version;
    status = look_at(copy, check, context, &seen->holdings, error);
    store_close(copy);
  }
  if (status != OK) {
    holdings_free(&seen->holdings);
    if (error->place[0] == '\0') {
      error_place(error, "%s", file);
    }
  }
  return status;
}

/* ---- making a copy ---- */

static enum status unreadable(const char *table, struct error *error) {
  error_set(error, ERR_STORE, "%s", _("the backup does not read back as what was copied"));
  error_place(error, _("table %s"), table);
  error_hint(error, "%s", _("it was removed; check the disk and try again"));
  return ERR_STORE;
}

static enum status fill(struct store *store, const struct store_options *options, const struct backup_request *request,
                        const char *part, struct backup_made *made, struct error *error) {
  struct holdings held = {.items = NULL};
  struct copy_seen seen;
  enum status status = store->ops->copy(store->driver, part, request->stop, &held, error);
  status = status == OK ? store_check_copy(options, part, request->check, request->context, &seen, error) : status;
  if (status == OK) {
    made->holdings = seen.holdings;
    made->proof = seen.proof;
  }
  const char *table = status == OK ? holdings_differ(&held, &made->holdings) : NULL;
  if (table != NULL) {
    status = unreadable(table, error);
  }
  holdings_free(&held);
  return status;
}

static enum status io_failed(const char *target, struct error *error) {
  int cause = errno;
  bool full = cause == ENOSPC || cause == EDQUOT || cause == EFBIG;
  error_set(error, full ? ERR_FULL : ERR_IO, _("cannot write the backup: %s"), strerror(cause));
  error_place(error, "%s", target);
  error_hint(error, "%s", _("the folder must exist, be writable by this user, and have room for the store"));
  return error->code;
}

/* From its first byte to its last the copy has another name: what bears the target's name was read back, and its digest
 * is there before it. */
static enum status publish(int file, const char *part, const char *target, struct backup_made *made,
                           struct error *error) {
  struct stat info;
  enum status status = copy_digest_write(part, target, error);
  if (status != OK) {
    return status;
  }
  if (fsync(file) != 0 || fstat(file, &info) != 0 || rename(part, target) != 0) {
    status = io_failed(target, error);
    copy_digest_forget(target);
    return status;
  }
  made->bytes = info.st_size;
  file_sync_folder(target);
  return OK;
}

enum status store_backup(struct store *store, const struct store_options *options, const struct backup_request *request,
                         struct backup_made *made, struct error *error) {
  char *part = NULL;
  *made = (struct backup_made){.bytes = 0};
  if (access(request->target, F_OK) == 0) {
    error_set(error, ERR_IO, "%s", _("a backup never replaces a file that is there"));
    error_place(error, "%s", request->target);
    error_hint(error, "%s", _("give another name"));
    return ERR_IO;
  }
  if (asprintf(&part, "%s.part", request->target) < 0) {
    return error_memory(error);
  }
  enum status status = OK;
  int file = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0 || fchmod(file, 0600) != 0) {
    status = io_failed(request->target, error);
  }
  status = status == OK ? fill(store, options, request, part, made, error) : status;
  if (status == ERR_FULL) { /* the copy's disk, which may be another than the store's */
    error_place(error, "%s", request->target);
    error_hint(error, "%s", _("the folder must exist, be writable by this user, and have room for the store"));
  }
  status = status == OK ? publish(file, part, request->target, made, error) : status;
  if (file >= 0) {
    close(file);
    if (status != OK) {
      unlink(part);
    }
  }
  if (status != OK) {
    holdings_free(&made->holdings);
  }
  free(part);
  return status;
}

/* ---- restoring ---- */

enum status store_restore(const struct store_options *options, const char *file, copy_check *check, void *context,
                          struct buffer *aside, int *version, struct error *error) {
  const struct driver_ops *ops = options->kind == STORE_SQLITE ? &sqlite_driver : &postgres_driver;
  struct copy_seen seen;
  enum status status = store_check_copy(options, file, check, context, &seen, error);
  *version = seen.version;
  if (status != OK) {
    return status;
  }
  buffer_reset(aside);
  status = ops->restore(options, file, aside, error);
  struct store *restored = NULL;
  struct holdings now = {.items = NULL};
  status = status == OK ? store_attach(options, false, &restored, error) : status;
  if (status == OK) {
    *version = restored->version;
    status = store_holdings(restored, &now, error);
  }
  const char *table = status == OK ? holdings_differ(&seen.holdings, &now) : NULL;
  if (table != NULL) {
    error_set(error, ERR_STORE, "%s", _("the restored store does not hold what the copy holds"));
    error_place(error, _("table %s"), table);
    error_hint(error, "%s", _("look for a program that writes to it, then restore again"));
    status = ERR_STORE;
  }
  store_close(restored);
  holdings_free(&now);
  holdings_free(&seen.holdings);
  return status;
}

enum status store_before_upgrade(const struct store_options *options, struct buffer *file, int *version,
                                 struct error *error) {
  struct store *store = NULL;
  enum status status = store_attach(options, false, &store, error);
  if (status != OK) {
    return status;
  }
  buffer_reset(file);
  status = store->version == 0 ? OK : migrate_upgrade_read(store, version, NULL, file, error);
  store_close(store);
  if (status == OK && file->len == 0) {
    error_set(error, ERR_NOT_FOUND, "%s", _("this store knows of no upgrade"));
    error_hint(error, "%s", _("`puente store restore FILE` puts a copy back that you name"));
    return ERR_NOT_FOUND;
  }
  return status;
}

enum status store_forget_upgrade(const struct store_options *options, struct error *error) {
  struct store *store = NULL;
  enum status status = store_attach(options, false, &store, error);
  status = status == OK ? store_begin(store, error) : status;
  status = status == OK ? db_execute(store, error, "DELETE FROM meta WHERE name = 'upgrade'", NULL, 0) : status;
  status = status == OK ? store_commit(store, error) : status;
  store_close(store);
  return status;
}

/* ---- when it was last done ---- */

static const char *note_name(const char *what) {
  return strcmp(what, "restore") == 0 ? "last_restore" : "last_backup";
}

enum status store_note_copy(struct store *store, const char *what, int64_t at, const char *file, struct error *error) {
  enum status status = db_writing(store, error);
  char *text = arena_printf(store->scratch, "%lld %s", (long long)at, file);
  if (status == OK && text == NULL) {
    status = error_memory(error);
  }
  return status != OK ? status
                      : db_execute(store, error,
                                   "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) "
                                   "DO UPDATE SET value = excluded.value",
                                   VALUES(text_value(note_name(what)), slice_value(db_text(store, slice_of(text)))));
}

enum status store_noted_copy(struct store *store, const char *what, int64_t *at, struct buffer *file,
                             struct error *error) {
  struct cursor *cursor;
  *at = 0;
  if (file != NULL) {
    buffer_reset(file);
  }
  enum status status =
      db_query(store, error, &cursor, "SELECT value FROM meta WHERE name = $1", VALUES(text_value(note_name(what))));
  if (status != OK) {
    return status;
  }
  status = store->ops->next(cursor, error);
  if (status == OK) {
    struct slice value = slice_of_value(store->ops->value(cursor, 0));
    const char *space = value.len == 0 ? NULL : memchr(value.data, ' ', value.len);
    struct slice number = slice_make(value.data, space == NULL ? value.len : (size_t)(space - value.data));
    *at = int_of_value(slice_value(number));
    if (file != NULL && space != NULL) {
      buffer_append(file, space + 1, value.len - number.len - 1);
    }
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

/* ---- the store as it stands ---- */

static enum status look_for(struct store *store, const char *what, const char *sql, char *found, size_t size,
                            struct error *error) {
  int64_t rows = 0;
  enum status status = db_integer(store, error, &rows, NULL, sql, NULL, 0);
  if (status == OK && rows > 0) {
    snprintf(found, size, _("%s: %lld"), what, (long long)rows);
  }
  return status;
}

/* Present members name a present consolidated one, and a staged row that is there. */
static enum status check_members(struct store *store, const struct whole *whole, char *what, size_t size,
                                 struct error *error) {
  char sql[MISTAKE_SQL_MOST];
  if (whole->shelf == NULL) {
    return OK;
  }
  snprintf(sql, sizeof sql,
           "SELECT count(*) FROM %s m WHERE m.to_run IS NULL AND NOT EXISTS "
           "(SELECT 1 FROM \"%s\" w WHERE w.%s = m.%s AND w.to_run IS NULL)",
           whole->member, whole->table.name, whole->id, whole->id);
  enum status status = look_for(store, _("members of a person or case that is not there"), sql, what, size, error);
  if (status != OK || what[0] != '\0') {
    return status;
  }
  snprintf(sql, sizeof sql,
           "SELECT count(*) FROM %s m WHERE m.to_run IS NULL AND NOT EXISTS "
           "(SELECT 1 FROM \"%s\" s WHERE s.row_id = m.row_id)",
           whole->member, whole->shelf->table.name);
  status = look_for(store, _("members whose record is not there"), sql, what, size, error);
  if (status != OK || what[0] != '\0') {
    return status;
  }
  snprintf(sql, sizeof sql,
           "SELECT count(*) FROM \"%s\" w WHERE w.to_run IS NULL AND NOT EXISTS "
           "(SELECT 1 FROM %s m WHERE m.%s = w.%s AND m.to_run IS NULL)",
           whole->table.name, whole->member, whole->id, whole->id);
  return look_for(store, _("persons or cases without a member"), sql, what, size, error);
}

enum status store_integrity(struct store *store, char *what, size_t size, struct error *error) {
  what[0] = '\0';
  enum status status = store->ops->integrity(store->driver, what, size, error);
  if (status == OK && what[0] == '\0') {
    status = look_for(store, _("landed versions whose bytes are not there"),
                      "SELECT count(*) FROM raw_record r WHERE NOT EXISTS "
                      "(SELECT 1 FROM raw_chunk c WHERE c.chunk_id = r.chunk_id)",
                      what, size, error);
  }
  for (int kind = CLUSTER_PERSON; kind <= CLUSTER_CASE && status == OK && what[0] == '\0'; kind++) {
    status = check_members(store, &store->wholes[kind], what, size, error);
  }
  return status;
}
