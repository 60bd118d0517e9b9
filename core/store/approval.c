#include "core/store/approval.h"

#include "core/store/internal.h"

const char *const approval_state_names[APPROVAL_STATES] = {[APPROVAL_WAITING] = "waiting",
                                                           [APPROVAL_APPROVED] = "approved",
                                                           [APPROVAL_REJECTED] = "rejected",
                                                           [APPROVAL_WITHDRAWN] = "withdrawn",
                                                           [APPROVAL_FORMER] = "former"};

/* Of two who decide at the same time the second waits here, and then sees what the first one did. */
static enum status wait_turn(struct store *store, struct error *error) {
  int64_t last = 0;
  return db_count(store, "approvals", 0, &last, error);
}

enum status store_propose(struct store *store, struct approval *approval, struct error *error) {
  enum status status = db_writing(store, error);
  status = status == OK ? wait_turn(store, error) : status;
  status = status == OK ? store->ops->now(store->driver, &approval->proposed_at, error) : status;
  status = status == OK ? db_execute(store, error,
                                     "UPDATE approval SET state = 'withdrawn' WHERE kind = $1 AND name = $2 "
                                     "AND state = 'waiting'",
                                     VALUES(text_value(approval->kind), text_value(approval->name)))
                        : status;
  status = status == OK ? db_count(store, "approvals", 1, &approval->id, error) : status;
  /* Each start compares approvals with the log, which may have a million other entries. */
  status = status == OK ? store->ops->script(store->driver, TABLES_APPROVAL_INDEX, error) : status;
  if (status != OK) {
    return status;
  }
  approval->state = APPROVAL_WAITING;
  approval->digest = sha256_of(approval->body);
  return db_execute(store, error,
                    "INSERT INTO approval (approval_id, kind, name, digest, body, proposed_by, proposed_at, "
                    "approved_at, reason, document, state) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, 'waiting')",
                    VALUES(int_value(approval->id), text_value(approval->kind), text_value(approval->name),
                           bytes_value(approval->digest.bytes, SHA256_SIZE),
                           bytes_value(approval->body.data, approval->body.len), text_value(approval->proposed_by),
                           int_value(approval->proposed_at), text_value(approval->reason),
                           text_value(approval->document)));
}

enum status store_decide_approval(struct store *store, const struct approval *approval, bool accept, const char *actor,
                                  const char *remark, struct error *error) {
  int64_t now = 0, changed = 0;
  enum status status = db_writing(store, error);
  status = status == OK ? wait_turn(store, error) : status;
  status = status == OK ? store->ops->now(store->driver, &now, error) : status;
  if (status == OK && accept) {
    status = db_execute(store, error,
                        "UPDATE approval SET state = 'former' WHERE kind = $1 AND name = $2 AND state = 'approved'",
                        VALUES(text_value(approval->kind), text_value(approval->name)));
  }
  status =
      status == OK
          ? db_change(store, error, &changed,
                      "UPDATE approval SET state = $2, approved_by = $3, approved_at = $4, remark = $5, "
                      "document = $6 WHERE approval_id = $1 AND state = 'waiting'",
                      VALUES(int_value(approval->id), text_value(accept ? "approved" : "rejected"), text_value(actor),
                             int_value(accept ? now : 0), text_value(remark), text_value(approval->document)))
          : status;
  if (status == OK && changed != 1) {
    error_set(error, ERR_USAGE, _("proposal %lld does not wait any more"), (long long)approval->id);
    error_hint(error, "%s", _("`puente approve list` shows what waits"));
    return ERR_USAGE;
  }
  return status;
}

static enum approval_state state_of(struct value value) {
  struct slice name = slice_of_value(value);
  for (int i = 0; i < APPROVAL_STATES; i++) {
    if (slice_is(name, approval_state_names[i])) {
      return (enum approval_state)i;
    }
  }
  return APPROVAL_WITHDRAWN; /* of a newer program: neither waits nor counts */
}

static struct approval read_row(struct store *store, struct cursor *cursor, struct arena *arena) {
  const struct driver_ops *ops = store->ops;
  struct approval row = {.id = int_of_value(ops->value(cursor, 0)),
                         .kind = text_of_value(arena, ops->value(cursor, 1)),
                         .name = text_of_value(arena, ops->value(cursor, 2)),
                         .body = slice_of_value(ops->value(cursor, 4)),
                         .proposed_by = text_of_value(arena, ops->value(cursor, 5)),
                         .proposed_at = int_of_value(ops->value(cursor, 6)),
                         .approved_by = text_of_value(arena, ops->value(cursor, 7)),
                         .approved_at = int_of_value(ops->value(cursor, 8)),
                         .reason = text_of_value(arena, ops->value(cursor, 9)),
                         .document = text_of_value(arena, ops->value(cursor, 10)),
                         .state = state_of(ops->value(cursor, 11)),
                         .remark = text_of_value(arena, ops->value(cursor, 12))};
  digest_of_value(ops->value(cursor, 3), row.digest.bytes, SHA256_SIZE);
  struct sha256 now = sha256_of(row.body);
  bool counts = row.state == APPROVAL_WAITING || row.state == APPROVAL_APPROVED;
  row.changed = counts && memcmp(now.bytes, row.digest.bytes, SHA256_SIZE) != 0;
  return row;
}

enum status store_visit_approvals(struct store *store, int64_t id, approval_visitor *visit, void *context,
                                  struct error *error) {
  struct cursor *cursor;
  enum status status =
      db_query(store, error, &cursor,
               "SELECT approval_id, kind, name, digest, CASE WHEN state IN ('waiting', 'approved') OR approval_id = $1 "
               "THEN body END, proposed_by, proposed_at, approved_by, approved_at, reason, document, state, remark "
               "FROM approval WHERE $1 = 0 OR approval_id = $1 ORDER BY approval_id",
               VALUES(int_value(id)));
  if (status != OK) {
    return status;
  }
  struct arena *arena = arena_new(0);
  status = arena == NULL ? error_memory(error) : OK;
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    arena_reset(arena);
    struct approval row = read_row(store, cursor, arena);
    bool whole = row.kind != NULL && row.name != NULL && row.proposed_by != NULL && !arena_failed(arena);
    status = whole ? visit(context, &row, error) : error_memory(error);
  }
  store->ops->finish(cursor);
  arena_free(arena);
  return status == END ? OK : status;
}

enum status store_linked_rows(struct store *store, int64_t *rows, struct error *error) {
  return db_integer(store, error, rows, NULL,
                    "SELECT (SELECT count(*) FROM person_member WHERE to_run IS NULL) "
                    "+ (SELECT count(*) FROM case_member WHERE to_run IS NULL)",
                    NULL, 0);
}
