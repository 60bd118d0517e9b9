#include "core/store/internal.h"

int64_t store_source_first(int source_id) {
  return source_first(source_id);
}

int64_t store_source_last(int source_id) {
  return source_last(source_id);
}

static enum status visit_outcomes(struct store *store, const char *sql, const struct outcome_bounds *bounds,
                                  outcome_visitor *visit, void *context, struct error *error) {
  const struct driver_ops *ops = store->ops;
  struct cursor *cursor;
  enum status status = db_query(store, error, &cursor, sql,
                                VALUES(int_value(bounds->raw_first), int_value(bounds->raw_last),
                                       int_value(bounds->first), int_value(bounds->last)));
  while (status == OK && (status = ops->next(cursor, error)) == OK) {
    struct outcome_row row = {.raw_id = int_of_value(ops->value(cursor, 0)),
                              .chunk_id = int_of_value(ops->value(cursor, 1)),
                              .run = int_of_value(ops->value(cursor, 2)),
                              .state = (enum record_state)int_of_value(ops->value(cursor, 5)),
                              .plan_id = int_of_value(ops->value(cursor, 6))};
    digest_of_value(ops->value(cursor, 3), row.key.bytes, KEYED_SIZE);
    digest_of_value(ops->value(cursor, 4), row.digest.bytes, KEYED_SIZE);
    status = visit(context, &row, error);
  }
  ops->finish(cursor);
  return status == END ? OK : status;
}

/* What it was until its first change, or is where none changed it. */
enum status store_visit_landed(struct store *store, const struct outcome_bounds *bounds, outcome_visitor *visit,
                               void *context, struct error *error) {
  return visit_outcomes(store,
                        "SELECT r.raw_id, r.chunk_id, r.from_run, r.key_digest, r.digest, "
                        "COALESCE((SELECT o.state FROM outcome o WHERE o.raw_id = r.raw_id ORDER BY o.run LIMIT 1), "
                        "r.state), "
                        "COALESCE((SELECT o.plan_id FROM outcome o WHERE o.raw_id = r.raw_id ORDER BY o.run LIMIT 1), "
                        "r.plan_id) FROM raw_record r WHERE r.raw_id BETWEEN $1 AND $2 AND r.chunk_id BETWEEN $3 AND "
                        "$4 ORDER BY r.chunk_id, r.raw_id",
                        bounds, visit, context, error);
}

/* What it became: what it was until the next change, or is where no later one came. */
enum status store_visit_changed(struct store *store, const struct outcome_bounds *bounds, outcome_visitor *visit,
                                void *context, struct error *error) {
  return visit_outcomes(store,
                        "SELECT c.raw_id, r.chunk_id, c.run, r.key_digest, r.digest, "
                        "COALESCE((SELECT o.state FROM outcome o WHERE o.raw_id = c.raw_id AND o.run > c.run "
                        "ORDER BY o.run LIMIT 1), r.state), "
                        "COALESCE((SELECT o.plan_id FROM outcome o WHERE o.raw_id = c.raw_id AND o.run > c.run "
                        "ORDER BY o.run LIMIT 1), r.plan_id) FROM outcome c JOIN raw_record r ON r.raw_id = c.raw_id "
                        "WHERE c.raw_id BETWEEN $1 AND $2 AND c.run BETWEEN $3 AND $4 ORDER BY c.run, c.raw_id",
                        bounds, visit, context, error);
}

enum status store_plan_then(struct store *store, int64_t record_id, int64_t run, int64_t *plan_id,
                            struct error *error) {
  const struct driver_ops *ops = store->ops;
  struct cursor *cursor;
  enum status status = db_query(
      store, error, &cursor,
      "SELECT COALESCE((SELECT o.plan_id FROM outcome o WHERE o.raw_id = r.raw_id AND "
      "o.run > $3 ORDER BY o.run LIMIT 1), r.plan_id) FROM raw_record r WHERE r.raw_id "
      "BETWEEN $1 AND $2 AND r.from_run <= $3 AND (r.to_run IS NULL OR r.to_run > $3)",
      VALUES(int_value(record_id << ORDINAL_BITS), int_value(((record_id + 1) << ORDINAL_BITS) - 1), int_value(run)));
  *plan_id = 0;
  if (status == OK && (status = ops->next(cursor, error)) == OK) {
    *plan_id = int_of_value(ops->value(cursor, 0));
  }
  ops->finish(cursor);
  return status == END ? OK : status;
}

enum status store_visit_memberships(struct store *store, membership_visitor *visit, void *context,
                                    struct error *error) {
  const struct driver_ops *ops = store->ops;
  struct cursor *cursor;
  enum status status =
      db_query(store, error, &cursor,
               "SELECT to_run AS run, 0 AS kind, 0 AS opened, row_id, 0 AS id FROM person_member "
               "WHERE to_run IS NOT NULL UNION ALL SELECT from_run, 0, 1, row_id, person_id FROM person_member "
               "UNION ALL SELECT to_run, 1, 0, row_id, 0 FROM case_member WHERE to_run IS NOT NULL "
               "UNION ALL SELECT from_run, 1, 1, row_id, case_id FROM case_member ORDER BY 1, 2, 3, 4",
               NULL, 0);
  while (status == OK && (status = ops->next(cursor, error)) == OK) {
    const struct membership_change change = {
        .run = int_of_value(ops->value(cursor, 0)),
        .kind = int_of_value(ops->value(cursor, 1)) == 0 ? CLUSTER_PERSON : CLUSTER_CASE,
        .member = {.row_id = int_of_value(ops->value(cursor, 3)), .id = int_of_value(ops->value(cursor, 4))}};
    status = visit(context, &change, error);
  }
  ops->finish(cursor);
  return status == END ? OK : status;
}

/* ---- as they are now ---- */

static enum status visit_states(struct store *store, const char *sql, const int64_t *list, size_t count,
                                version_state_visitor *visit, void *context, struct error *error) {
  const struct driver_ops *ops = store->ops;
  struct cursor *cursor;
  enum status status = db_query(store, error, &cursor, sql, VALUES(list_value(list, count)));
  if (status != OK) {
    return status;
  }
  while ((status = ops->next(cursor, error)) == OK) {
    struct version_state version = {.raw_id = int_of_value(ops->value(cursor, 0)),
                                    .length = int_of_value(ops->value(cursor, 1)),
                                    .state = (enum record_state)int_of_value(ops->value(cursor, 2)),
                                    .plan_id = int_of_value(ops->value(cursor, 3))};
    digest_of_value(ops->value(cursor, 4), version.key.bytes, KEYED_SIZE);
    digest_of_value(ops->value(cursor, 5), version.digest.bytes, KEYED_SIZE);
    if ((status = visit(context, &version, error)) != OK) {
      break;
    }
  }
  ops->finish(cursor);
  return status == END ? OK : status;
}

#define STATE_COLUMNS "SELECT r.raw_id, r.chunk_length, r.state, r.plan_id, r.key_digest, r.digest "

enum status store_visit_version_states(struct store *store, const int64_t *raw_ids, size_t count,
                                       version_state_visitor *visit, void *context, struct error *error) {
  return visit_states(store,
                      STATE_COLUMNS "FROM LIST(1) CROSS JOIN raw_record r WHERE r.raw_id = k.value ORDER BY r.raw_id",
                      raw_ids, count, visit, context, error);
}

enum status store_visit_record_states(struct store *store, const int64_t *records, size_t count,
                                      version_state_visitor *visit, void *context, struct error *error) {
  return visit_states(store,
                      STATE_COLUMNS "FROM LIST(1) CROSS JOIN raw_record r WHERE r.raw_id >= k.value * 1048576 "
                                    "AND r.raw_id < (k.value + 1) * 1048576 ORDER BY r.raw_id",
                      records, count, visit, context, error);
}
