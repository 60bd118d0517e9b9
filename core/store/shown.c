#include "core/store/shown.h"

#include "core/store/internal.h"

enum status store_write_shown(struct store *store, const struct shown_row *row, struct error *error) {
  enum status status = db_writing(store, error);
  return status == OK ? db_execute(
             store, error,
             "INSERT INTO shown (digest, persons, ids) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING",
             VALUES(bytes_value(row->digest.bytes, SHA256_SIZE), int_value(row->persons), slice_value(row->ids)))
                      : status;
}

enum status store_visit_shown(struct store *store, shown_visitor *visit, void *context, struct error *error) {
  struct cursor *cursor = NULL;
  enum status status = store->ops->stream(store->driver, "SELECT ids FROM shown", NULL, 0, &cursor, error);
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    status = visit(context, slice_of_value(store->ops->value(cursor, 0)), error);
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

static enum status visit_ids(struct store *store, const char *sql, const struct value *values, size_t count,
                             id_visitor *visit, void *context, struct error *error) {
  struct cursor *cursor = NULL;
  enum status status =
      sql == NULL ? error_memory(error) : store->ops->stream(store->driver, sql, values, count, &cursor, error);
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    status = visit(context, int_of_value(store->ops->value(cursor, 0)), error);
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

enum status store_visit_own(struct store *store, enum cluster_kind kind, const char *institution, id_visitor *visit,
                            void *context, struct error *error) {
  const struct whole *whole = &store->wholes[kind];
  if (whole->shelf == NULL) {
    return error_set(error, ERR_CONFIG, _("the model has no entity %s"), kind == CLUSTER_PERSON ? "person" : "case");
  }
  arena_reset(store->scratch);
  const char *sql = arena_printf(store->scratch,
                                 "SELECT DISTINCT m.%s FROM %s m JOIN \"%s\" s ON s.row_id = m.row_id "
                                 "AND s.to_run IS NULL WHERE m.to_run IS NULL AND s.institution = $1 ORDER BY 1",
                                 whole->id, whole->member, whole->shelf->table.name);
  return visit_ids(store, sql, VALUES(text_value(institution)), visit, context, error);
}

enum status store_visit_involved(struct store *store, const int64_t *cases, size_t count, id_visitor *visit,
                                 void *context, struct error *error) {
  if (model_entity(store->model, "involvement") == NULL || count == 0) {
    return OK; /* nothing ties a person to a case */
  }
  return visit_ids(store,
                   /* CROSS JOIN: SQLite scans involvements once, and not persons with an index made for it. */
                   "SELECT DISTINCT p.person_id FROM st_involvement i CROSS JOIN person_member p "
                   "WHERE p.source_id = i.row_id >> 52 AND p.row_key = i.person_key AND p.to_run IS NULL "
                   "AND i.to_run IS NULL AND (i.row_id >> 52, i.case_key) IN (SELECT c.source_id, c.row_key "
                   "FROM case_member c WHERE c.to_run IS NULL AND c.case_id IN (SELECT k.value FROM LIST(1))) "
                   "ORDER BY 1",
                   VALUES(list_value(cases, count)), visit, context, error);
}
