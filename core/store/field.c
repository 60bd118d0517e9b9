/* The fields that sources send, and how they drifted. */
#include "core/store/internal.h"
#include "core/store/watch.h"

#include "core/base/date.h"

enum status store_visit_fields(struct store *store, int source_id, field_visitor *visit, void *context,
                               struct error *error) {
  struct cursor *cursor;
  enum status status = db_query(store, error, &cursor,
                                "SELECT path, kinds, records, looked, first_run, last_run FROM field "
                                "WHERE source_id = $1 ORDER BY path",
                                VALUES(int_value(source_id)));
  if (status != OK) {
    return status;
  }
  while ((status = store->ops->next(cursor, error)) == OK) {
    struct field_seen field = {.path = slice_of_value(store->ops->value(cursor, 0)),
                               .kinds = (int)int_of_value(store->ops->value(cursor, 1)),
                               .records = int_of_value(store->ops->value(cursor, 2)),
                               .looked = int_of_value(store->ops->value(cursor, 3)),
                               .first_run = int_of_value(store->ops->value(cursor, 4)),
                               .last_run = int_of_value(store->ops->value(cursor, 5))};
    if ((status = visit(context, &field, error)) != OK) {
      break;
    }
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

enum status store_save_fields(struct store *store, int source_id, const struct field_seen *fields, size_t count,
                              struct error *error) {
  enum status status = db_writing(store, error);
  for (size_t i = 0; i < count && status == OK; i++) {
    status = db_execute(store, error,
                        "INSERT INTO field (source_id, path, kinds, records, looked, first_run, last_run) "
                        "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (source_id, path) DO UPDATE SET "
                        "kinds = excluded.kinds, records = excluded.records, looked = excluded.looked, "
                        "first_run = excluded.first_run, last_run = excluded.last_run",
                        VALUES(int_value(source_id), slice_value(db_text(store, fields[i].path)),
                               int_value(fields[i].kinds), int_value(fields[i].records), int_value(fields[i].looked),
                               int_value(fields[i].first_run), int_value(fields[i].last_run)));
  }
  return status;
}

/* ---- drift ---- */

const char *const drift_names[] = {[DRIFT_NEW] = "new", [DRIFT_MISSING] = "missing", [DRIFT_RETYPED] = "retyped"};

enum status store_visit_drift(struct store *store, int source_id, drift_visitor *visit, void *context,
                              struct error *error) {
  struct cursor *cursor;
  enum status status = db_query(store, error, &cursor,
                                "SELECT path, kind, run, mapped, was_kinds, is_kinds, since, closed FROM drift "
                                "WHERE source_id = $1 AND closed = 0 ORDER BY path, kind",
                                VALUES(int_value(source_id)));
  if (status != OK) {
    return status;
  }
  while ((status = store->ops->next(cursor, error)) == OK) {
    int64_t kind = int_of_value(store->ops->value(cursor, 1));
    struct drift drift = {.path = slice_of_value(store->ops->value(cursor, 0)),
                          .kind = kind == DRIFT_MISSING || kind == DRIFT_RETYPED ? (enum drift_kind)kind : DRIFT_NEW,
                          .run = int_of_value(store->ops->value(cursor, 2)),
                          .mapped = int_of_value(store->ops->value(cursor, 3)) != 0,
                          .was = (int)int_of_value(store->ops->value(cursor, 4)),
                          .is = (int)int_of_value(store->ops->value(cursor, 5)),
                          .since = int_of_value(store->ops->value(cursor, 6)),
                          .closed = int_of_value(store->ops->value(cursor, 7))};
    if ((status = visit(context, &drift, error)) != OK) {
      break;
    }
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

/* One that stands goes on as it was found, one that is new is added. */
static enum status keep(struct store *store, int source_id, const struct drift *drift, struct error *error) {
  int64_t changed = 0;
  struct slice path = db_text(store, drift->path);
  enum status status = db_change(store, error, &changed,
                                 "UPDATE drift SET closed = 0, mapped = $4, is_kinds = $5 "
                                 "WHERE source_id = $1 AND path = $2 AND kind = $3 AND closed = -1",
                                 VALUES(int_value(source_id), slice_value(path), int_value(drift->kind),
                                        int_value(drift->mapped), int_value(drift->is)));
  if (status != OK || changed > 0) {
    return status;
  }
  return db_execute(store, error,
                    "INSERT INTO drift (source_id, path, kind, run, mapped, was_kinds, is_kinds, since, closed) "
                    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0) ON CONFLICT (source_id, path, kind, run) "
                    "DO UPDATE SET closed = 0, mapped = excluded.mapped, is_kinds = excluded.is_kinds",
                    VALUES(int_value(source_id), slice_value(path), int_value(drift->kind), int_value(drift->run),
                           int_value(drift->mapped), int_value(drift->was), int_value(drift->is),
                           int_value(drift->since)));
}

enum status store_replace_drift(struct store *store, int source_id, const struct drift *drifts, size_t count,
                                struct error *error) {
  enum status status = db_writing(store, error);
  if (status == OK) {
    status = db_execute(store, error, "UPDATE drift SET closed = -1 WHERE source_id = $1 AND closed = 0",
                        VALUES(int_value(source_id)));
  }
  for (size_t i = 0; i < count && status == OK; i++) {
    status = keep(store, source_id, &drifts[i], error);
  }
  return status == OK ? db_execute(store, error, "UPDATE drift SET closed = $2 WHERE source_id = $1 AND closed = -1",
                                   VALUES(int_value(source_id), int_value(clock_now())))
                      : status;
}

enum status store_settle_drift(struct store *store, int source_id, int64_t plan_id, struct error *error) {
  enum status status = db_writing(store, error);
  if (status != OK) {
    return status;
  }
  return db_execute(store, error,
                    "UPDATE drift SET closed = $3 WHERE source_id = $1 AND closed = 0 "
                    "AND run < (SELECT run FROM plan WHERE plan_id = $2)",
                    VALUES(int_value(source_id), int_value(plan_id), int_value(clock_now())));
}

enum status store_accept_drift(struct store *store, int source_id, const char *path, struct error *error) {
  enum status status = db_writing(store, error);
  if (status != OK || path == NULL) {
    return status != OK ? status
                        : db_execute(store, error, "UPDATE drift SET closed = $2 WHERE source_id = $1 AND closed = 0",
                                     VALUES(int_value(source_id), int_value(clock_now())));
  }
  return db_execute(store, error, "UPDATE drift SET closed = $3 WHERE source_id = $1 AND path = $2 AND closed = 0",
                    VALUES(int_value(source_id), slice_value(db_text(store, slice_of(path))), int_value(clock_now())));
}
