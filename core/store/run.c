#include "core/store/internal.h"

#include "core/base/date.h"

static const char *const RUN_STATES[] = {
    [RUN_RUNNING] = "running", [RUN_DONE] = "done", [RUN_FAILED] = "failed", [RUN_INTERRUPTED] = "interrupted"};

enum status store_run_begin(struct store *store, const char *kind, int source_id, const char *actor,
                            const char *purpose, int64_t *run, struct error *error) {
  enum status status = db_writing(store, error);
  if (status == OK) {
    status = db_count(store, "runs", 1, run, error);
  }
  if (status != OK) {
    return status;
  }
  return db_execute(store, error,
                    "INSERT INTO run (run_id, kind, source_id, actor, purpose, started, state, pulled, fresh, changed, "
                    "unchanged, repeated, rejected, mapped, quarantined, withheld, deleted, cut, warnings, pages, "
                    "bytes, source_count) "
                    "VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1)",
                    VALUES(int_value(*run), text_value(kind), source_id == 0 ? null_value() : int_value(source_id),
                           text_value(actor), text_value(purpose), int_value(clock_now()),
                           text_value(RUN_STATES[RUN_RUNNING])));
}

enum status store_runs_ended(struct store *store, int source_id, int64_t run, struct error *error) {
  enum status status = db_writing(store, error);
  if (status != OK) {
    return status;
  }
  return db_execute(store, error,
                    "UPDATE run SET state = $3, ended = $4, message = $5 "
                    "WHERE source_id = $1 AND run_id < $2 AND state = $6",
                    VALUES(int_value(source_id), int_value(run), text_value(RUN_STATES[RUN_INTERRUPTED]),
                           int_value(clock_now()), text_value(_("its process was killed")),
                           text_value(RUN_STATES[RUN_RUNNING])));
}

enum status store_run_counts(struct store *store, int64_t run, const struct counts *counts, struct error *error) {
  enum status status = db_writing(store, error);
  if (status != OK) {
    return status;
  }
  return db_execute(store, error,
                    "UPDATE run SET pulled = $2, fresh = $3, changed = $4, unchanged = $5, repeated = $6, "
                    "rejected = $7, mapped = $8, quarantined = $9, withheld = $10, deleted = $11, cut = $12, "
                    "warnings = $13, pages = $14, bytes = $15, source_count = $16 WHERE run_id = $1",
                    VALUES(int_value(run), int_value(counts->pulled), int_value(counts->fresh),
                           int_value(counts->changed), int_value(counts->unchanged), int_value(counts->repeated),
                           int_value(counts->rejected), int_value(counts->mapped), int_value(counts->quarantined),
                           int_value(counts->withheld), int_value(counts->deleted), int_value(counts->cut),
                           int_value(counts->warnings), int_value(counts->pages), int_value(counts->bytes),
                           int_value(counts->source_count)));
}

enum status store_run_end(struct store *store, int64_t run, enum run_state state, const struct counts *counts,
                          const char *message, struct error *error) {
  enum status status = counts == NULL ? db_writing(store, error) : store_run_counts(store, run, counts, error);
  if (status != OK) {
    return status;
  }
  return db_execute(store, error, "UPDATE run SET state = $2, ended = $3, message = $4 WHERE run_id = $1",
                    VALUES(int_value(run), text_value(RUN_STATES[state]), int_value(clock_now()),
                           slice_value(db_text(store, slice_of(message)))));
}
