#include "core/store/internal.h"

enum status store_plan(struct store *store, int source_id, const struct plan *plan, int64_t run, int64_t *plan_id,
                       struct error *error) {
  enum status status = db_writing(store, error);
  struct sha256 digest = plan_digest(plan);
  struct slice text = plan_text(plan);
  bool found = false;
  if (status == OK) {
    status = db_integer(store, error, plan_id, &found, "SELECT plan_id FROM plan WHERE source_id = $1 AND digest = $2",
                        VALUES(int_value(source_id), bytes_value(digest.bytes, SHA256_SIZE)));
  }
  if (status != OK || found) {
    return status;
  }
  status = db_count(store, "plans", 1, plan_id, error);
  if (status != OK) {
    return status;
  }
  return db_execute(store, error,
                    "INSERT INTO plan (plan_id, source_id, digest, body, run) VALUES ($1, $2, $3, $4, $5)",
                    VALUES(int_value(*plan_id), int_value(source_id), bytes_value(digest.bytes, SHA256_SIZE),
                           bytes_value(text.data, text.len), int_value(run)));
}

enum status store_plan_run(struct store *store, int64_t plan_id, int64_t *run, struct error *error) {
  bool found = false;
  enum status status =
      db_integer(store, error, run, &found, "SELECT run FROM plan WHERE plan_id = $1", VALUES(int_value(plan_id)));
  if (status == OK && !found) {
    status = error_set(error, ERR_NOT_FOUND, _("the store has no plan %lld"), (long long)plan_id);
  }
  return status;
}

/* Appends the one text of a query; *found false where there is no row. */
static enum status read_text(struct store *store, struct cursor *cursor, struct buffer *text, bool *found,
                             struct error *error) {
  enum status status = store->ops->next(cursor, error);
  *found = status == OK;
  if (status == OK && buffer_slice(text, slice_of_value(store->ops->value(cursor, 0))) != OK) {
    status = buffer_check(text, _("the mapping"), error);
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

enum status store_plan_text(struct store *store, int64_t plan_id, struct buffer *text, struct error *error) {
  struct cursor *cursor;
  bool found = false;
  enum status status =
      db_query(store, error, &cursor, "SELECT body FROM plan WHERE plan_id = $1", VALUES(int_value(plan_id)));
  status = status == OK ? read_text(store, cursor, text, &found, error) : status;
  if (status == OK && !found) {
    status = error_set(error, ERR_NOT_FOUND, _("the store has no plan %lld"), (long long)plan_id);
  }
  return status;
}

/* ---- the configuration ---- */

enum status store_note_config(struct store *store, struct slice text, struct error *error) {
  enum status status = db_writing(store, error);
  return status != OK ? status
                      : db_execute(store, error,
                                   "INSERT INTO meta (name, value) VALUES ('config', $1) ON CONFLICT (name) "
                                   "DO UPDATE SET value = excluded.value",
                                   VALUES(slice_value(db_text(store, text))));
}

enum status store_noted_config(struct store *store, struct buffer *text, struct error *error) {
  struct cursor *cursor;
  bool found = false;
  enum status status = db_query(store, error, &cursor, "SELECT value FROM meta WHERE name = 'config'", NULL, 0);
  return status == OK ? read_text(store, cursor, text, &found, error) : status;
}
