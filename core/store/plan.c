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
