#include "core/store/internal.h"

/* What people decided about pairs, and pairs that wait for them. */

/* ---- two records by name ---- */

struct named_pair {
  int64_t record_a, record_b;
  struct slice key_a, key_b;
};

static enum status read_key(struct store *store, enum cluster_kind kind, int64_t row_id, struct arena *arena,
                            struct slice *key, struct error *error) {
  const struct shelf *shelf = store->wholes[kind].shelf;
  char *sql =
      shelf == NULL ? NULL : arena_printf(arena, "SELECT s.key FROM \"%s\" s WHERE s.row_id = $1", shelf->table.name);
  struct cursor *cursor;
  enum status status =
      sql == NULL ? error_memory(error) : db_query(store, error, &cursor, sql, VALUES(int_value(row_id)));
  if (status != OK) {
    return status;
  }
  status = store->ops->next(cursor, error);
  if (status == OK) {
    const char *text = arena_text(arena, slice_of_value(store->ops->value(cursor, 0)));
    *key = slice_of(text);
    status = text == NULL ? error_memory(error) : OK;
  } else if (status == END) {
    error_set(error, ERR_NOT_FOUND, _("there is no row %lld of a %s"), (long long)row_id,
              kind == CLUSTER_PERSON ? "person" : "case");
    error_hint(error, "%s", _("`puente review list` shows pairs of rows"));
    status = ERR_NOT_FOUND;
  }
  store->ops->finish(cursor);
  return status;
}

static int compare_keys(struct slice a, struct slice b) {
  size_t shorter = a.len < b.len ? a.len : b.len;
  int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
  return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static enum status name_pair(struct store *store, enum cluster_kind kind, int64_t row_a, int64_t row_b,
                             struct arena *arena, struct named_pair *pair, struct error *error) {
  *pair = (struct named_pair){.record_a = record_of(row_a), .record_b = record_of(row_b)};
  enum status status = read_key(store, kind, row_a, arena, &pair->key_a, error);
  status = status == OK ? read_key(store, kind, row_b, arena, &pair->key_b, error) : status;
  if (status != OK) {
    return status;
  }
  bool same_record = pair->record_a == pair->record_b;
  if (pair->record_a > pair->record_b || (same_record && compare_keys(pair->key_a, pair->key_b) > 0)) {
    *pair = (struct named_pair){pair->record_b, pair->record_a, pair->key_b, pair->key_a};
  }
  if (same_record && slice_equal(pair->key_a, pair->key_b)) {
    error_set(error, ERR_USAGE, "%s", _("these two rows are one record of the source"));
    error_hint(error, "%s", _("`puente review list` shows pairs of rows"));
    return ERR_USAGE;
  }
  return OK;
}

/* ---- reading ---- */

#define DECISION_COLUMNS                                                                                               \
  "decision_id, record_a, key_a, record_b, key_b, same, state, actor, reason, approved_by, at, run, approved_at, "     \
  "revoked_at"

static enum status give_decisions(struct store *store, struct cursor *cursor, decision_visitor *visit, void *context,
                                  struct error *error) {
  const struct driver_ops *ops = store->ops;
  struct arena *arena = arena_new(0);
  enum status status = arena == NULL ? error_memory(error) : OK;
  while (status == OK && (status = ops->next(cursor, error)) == OK) {
    arena_reset(arena);
    struct review_decision decision = {.id = int_of_value(ops->value(cursor, 0)),
                                       .record_a = int_of_value(ops->value(cursor, 1)),
                                       .key_a = slice_of_value(ops->value(cursor, 2)),
                                       .record_b = int_of_value(ops->value(cursor, 3)),
                                       .key_b = slice_of_value(ops->value(cursor, 4)),
                                       .same = int_of_value(ops->value(cursor, 5)) != 0,
                                       .state = (enum decision_state)int_of_value(ops->value(cursor, 6)),
                                       .actor = text_of_value(arena, ops->value(cursor, 7)),
                                       .reason = text_of_value(arena, ops->value(cursor, 8)),
                                       .approved_by = text_of_value(arena, ops->value(cursor, 9)),
                                       .at = int_of_value(ops->value(cursor, 10)),
                                       .run = int_of_value(ops->value(cursor, 11)),
                                       .approved_at = int_of_value(ops->value(cursor, 12)),
                                       .revoked_at = int_of_value(ops->value(cursor, 13))};
    bool whole = decision.actor != NULL && decision.reason != NULL && !arena_failed(arena);
    status = whole ? visit(context, &decision, error) : error_memory(error);
  }
  arena_free(arena);
  ops->finish(cursor);
  return status == END ? OK : status;
}

enum status store_visit_decisions(struct store *store, enum cluster_kind kind, decision_visitor *visit, void *context,
                                  struct error *error) {
  struct cursor *cursor;
  enum status status =
      db_query(store, error, &cursor,
               "SELECT " DECISION_COLUMNS " FROM link_decision WHERE kind = $1 AND state = 1 ORDER BY decision_id",
               VALUES(int_value(kind)));
  return status == OK ? give_decisions(store, cursor, visit, context, error) : status;
}

enum status store_visit_all_decisions(struct store *store, enum cluster_kind kind, decision_visitor *visit,
                                      void *context, struct error *error) {
  struct cursor *cursor;
  enum status status = db_query(store, error, &cursor,
                                "SELECT " DECISION_COLUMNS " FROM link_decision WHERE kind = $1 ORDER BY decision_id",
                                VALUES(int_value(kind)));
  return status == OK ? give_decisions(store, cursor, visit, context, error) : status;
}

enum status store_visit_decisions_since(struct store *store, enum cluster_kind kind, int64_t run,
                                        decision_visitor *visit, void *context, struct error *error) {
  struct cursor *cursor;
  enum status status =
      db_query(store, error, &cursor,
               "SELECT " DECISION_COLUMNS " FROM link_decision, (SELECT started - 60000000 AS since FROM run "
               "WHERE run_id = $2) r WHERE kind = $1 AND (at >= r.since OR approved_at >= r.since "
               "OR revoked_at >= r.since) ORDER BY decision_id",
               VALUES(int_value(kind), int_value(run)));
  return status == OK ? give_decisions(store, cursor, visit, context, error) : status;
}

static enum status visit_named(struct store *store, enum cluster_kind kind, const struct named_pair *pair,
                               decision_visitor *visit, void *context, struct error *error) {
  struct cursor *cursor;
  enum status status = db_query(store, error, &cursor,
                                "SELECT " DECISION_COLUMNS " FROM link_decision WHERE kind = $1 AND record_a = $2 "
                                "AND key_a = $3 AND record_b = $4 AND key_b = $5 ORDER BY decision_id",
                                VALUES(int_value(kind), int_value(pair->record_a), slice_value(pair->key_a),
                                       int_value(pair->record_b), slice_value(pair->key_b)));
  return status == OK ? give_decisions(store, cursor, visit, context, error) : status;
}

enum status store_pair_decisions(struct store *store, enum cluster_kind kind, int64_t row_a, int64_t row_b,
                                 decision_visitor *visit, void *context, struct error *error) {
  struct arena *arena = arena_new(0);
  struct named_pair pair;
  enum status status = arena == NULL ? error_memory(error) : name_pair(store, kind, row_a, row_b, arena, &pair, error);
  status = status == OK ? visit_named(store, kind, &pair, visit, context, error) : status;
  arena_free(arena);
  return status;
}

/* ---- deciding ---- */

/* What holds about a pair before somebody decides; ids 0: nothing does. */
struct situation {
  const char *actor; /* who decides now */
  int64_t standing, proposed;
  bool standing_same, proposed_same, own; /* own: the actor proposed it */
};

static enum status see_decision(void *context, const struct review_decision *decision, struct error *error) {
  struct situation *now = context;
  (void)error;
  if (decision->state == DECISION_STANDING) {
    now->standing = decision->id;
    now->standing_same = decision->same;
  } else if (decision->state == DECISION_PROPOSED) {
    now->proposed = decision->id;
    now->proposed_same = decision->same;
    now->own = strcmp(decision->actor, now->actor) == 0;
  }
  return OK;
}

static enum status refuse(const struct situation *now, const struct decide *decide, bool approves,
                          struct error *error) {
  if (approves && now->own && decide->approvals > 1) {
    error_set(error, ERR_USAGE, "%s", _("you proposed this yourself: a second person has to approve it"));
    error_hint(error, "%s", _("another person runs the same command under their own name"));
    return ERR_USAGE;
  }
  if (!approves && now->proposed == 0 && now->standing != 0 && now->standing_same == decide->same) {
    error_set(error, ERR_USAGE, "%s",
              decide->same ? _("it is decided already that the two are one")
                           : _("it is decided already that the two are different"));
    error_hint(error, "%s", _("`puente review show` tells by whom, when and why"));
    return ERR_USAGE;
  }
  return OK;
}

static enum status write_decision(struct store *store, enum cluster_kind kind, const struct decide *decide,
                                  const struct named_pair *pair, const struct review_decision *decision,
                                  struct error *error) {
  return db_execute(store, error,
                    "INSERT INTO link_decision (decision_id, kind, record_a, key_a, record_b, key_b, same, state, "
                    "actor, at, run, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                    VALUES(int_value(decision->id), int_value(kind), int_value(pair->record_a),
                           slice_value(pair->key_a), int_value(pair->record_b), slice_value(pair->key_b),
                           int_value(decide->same), int_value(decision->state), text_value(decide->actor),
                           int_value(decision->at), int_value(decide->run), text_value(decide->reason)));
}

static enum status revoke(struct store *store, int64_t id, int64_t at, struct error *error) {
  return db_execute(store, error, "UPDATE link_decision SET state = 2, revoked_at = $2 WHERE decision_id = $1",
                    VALUES(int_value(id), int_value(at)));
}

enum status store_await_decisions(struct store *store, struct error *error) {
  int64_t last = 0;
  return db_count(store, "decisions", 0, &last, error);
}

static enum status decide_new(struct store *store, enum cluster_kind kind, const struct decide *decide,
                              const struct named_pair *pair, const struct situation *now,
                              struct review_decision *decision, struct error *error) {
  decision->state = decide->approvals > 1 ? DECISION_PROPOSED : DECISION_STANDING;
  enum status status = db_count(store, "decisions", 1, &decision->id, error);
  status = status == OK ? write_decision(store, kind, decide, pair, decision, error) : status;
  if (status == OK && now->proposed != 0) {
    status = revoke(store, now->proposed, decision->at, error);
  }
  if (status == OK && now->standing != 0 && decision->state == DECISION_STANDING) {
    status = revoke(store, now->standing, decision->at, error);
  }
  return status;
}

static enum status approve(struct store *store, const struct decide *decide, const struct situation *now,
                           struct review_decision *decision, struct error *error) {
  decision->id = now->proposed;
  decision->state = DECISION_STANDING;
  enum status status = db_execute(
      store, error, "UPDATE link_decision SET state = 1, approved_by = $2, approved_at = $3 WHERE decision_id = $1",
      VALUES(int_value(decision->id), text_value(decide->actor), int_value(decision->at)));
  return status == OK && now->standing != 0 ? revoke(store, now->standing, decision->at, error) : status;
}

static enum status decide_named(struct store *store, enum cluster_kind kind, const struct decide *decide,
                                const struct named_pair *pair, struct review_decision *decision, struct error *error) {
  struct situation now = {.actor = decide->actor};
  enum status status = store_await_decisions(store, error);
  status = status == OK ? store->ops->now(store->driver, &decision->at, error) : status;
  status = status == OK ? visit_named(store, kind, pair, see_decision, &now, error) : status;
  bool approves = now.proposed != 0 && now.proposed_same == decide->same;
  status = status == OK ? refuse(&now, decide, approves, error) : status;
  if (status != OK) {
    return status;
  }
  return approves && !now.own ? approve(store, decide, &now, decision, error)
                              : decide_new(store, kind, decide, pair, &now, decision, error);
}

enum status store_decide(struct store *store, enum cluster_kind kind, const struct decide *decide,
                         struct review_decision *decision, struct error *error) {
  struct named_pair pair;
  *decision = (struct review_decision){.same = decide->same, .run = decide->run};
  enum status status = db_writing(store, error);
  if (status != OK) {
    return status;
  }
  struct arena *arena = arena_new(0);
  status =
      arena == NULL ? error_memory(error) : name_pair(store, kind, decide->row_a, decide->row_b, arena, &pair, error);
  if (status == OK) {
    decision->record_a = pair.record_a;
    decision->record_b = pair.record_b;
    status = decide_named(store, kind, decide, &pair, decision, error);
  }
  arena_free(arena);
  return status;
}

/* ---- pairs that wait ---- */

/* Where a decision of a state is about the pair p of rows a and b. Within one record the keys' order is the decision's
 * own. */
#define DECIDED(state)                                                                                                 \
  "EXISTS (SELECT 1 FROM link_decision d WHERE d.record_a = p.row_a >> 20 AND d.record_b = p.row_b >> 20 "             \
  "AND d.kind = p.kind AND d.state = " state " AND ((d.key_a = a.key AND d.key_b = b.key) "                            \
  "OR (d.record_a = d.record_b AND d.key_a = b.key AND d.key_b = a.key)))"
#define WAITING_FROM                                                                                                   \
  "FROM link_pair p LEFT JOIN \"%s\" a ON a.row_id = p.row_a LEFT JOIN \"%s\" b ON b.row_id = p.row_b "                \
  "LEFT JOIN run r ON r.run_id = p.since WHERE p.kind = $1 AND p.outcome = 1 AND "

static enum status give_waiting(struct store *store, struct cursor *cursor, waiting_visitor *visit, void *context,
                                struct error *error) {
  const struct driver_ops *ops = store->ops;
  struct arena *arena = arena_new(0);
  enum status status = arena == NULL ? error_memory(error) : OK;
  while (status == OK && (status = ops->next(cursor, error)) == OK) {
    arena_reset(arena);
    struct waiting_pair waiting = {.pair = {.row_a = int_of_value(ops->value(cursor, 0)),
                                            .row_b = int_of_value(ops->value(cursor, 1)),
                                            .weight = real_of_value(ops->value(cursor, 2)),
                                            .rule = text_of_value(arena, ops->value(cursor, 3)),
                                            .verdict = text_of_value(arena, ops->value(cursor, 4)),
                                            .outcome = PAIR_WAITING,
                                            .reason = text_of_value(arena, ops->value(cursor, 5)),
                                            .since = int_of_value(ops->value(cursor, 6))},
                                   .key_a = slice_of_value(ops->value(cursor, 7)),
                                   .key_b = slice_of_value(ops->value(cursor, 8)),
                                   .since = int_of_value(ops->value(cursor, 9)),
                                   .proposed = int_of_value(ops->value(cursor, 10)) != 0};
    status = arena_failed(arena) ? error_memory(error) : visit(context, &waiting, error);
  }
  arena_free(arena);
  ops->finish(cursor);
  return status == END ? OK : status;
}

enum status store_visit_waiting(struct store *store, enum cluster_kind kind, int64_t most, waiting_visitor *visit,
                                void *context, struct error *error) {
  const struct shelf *shelf = store->wholes[kind].shelf;
  struct cursor *cursor = NULL;
  struct buffer sql;
  if (shelf == NULL) {
    return OK;
  }
  buffer_init(&sql, 1 << 14);
  buffer_printf(&sql,
                "SELECT p.row_a, p.row_b, p.weight, p.rule, p.verdict, p.reason, p.since, a.key, b.key, r.started, "
                "CASE WHEN " DECIDED("0") " THEN 1 ELSE 0 END " WAITING_FROM
                                          "NOT " DECIDED("1") " ORDER BY p.weight DESC, p.row_a DESC, p.row_b DESC",
                shelf->table.name, shelf->table.name);
  if (most > 0) {
    buffer_printf(&sql, " LIMIT %lld", (long long)most);
  }
  enum status status = buffer_check(&sql, "statement", error);
  if (status == OK) {
    status = store->ops->stream(store->driver, sql.data, VALUES(int_value(kind)), &cursor, error);
  }
  buffer_free(&sql);
  return status == OK ? give_waiting(store, cursor, visit, context, error) : status;
}

enum status store_count_waiting(struct store *store, enum cluster_kind kind, int64_t *waiting, int64_t *decided,
                                struct error *error) {
  const struct shelf *shelf = store->wholes[kind].shelf;
  struct buffer sql;
  *waiting = *decided = 0;
  if (shelf == NULL) {
    return OK;
  }
  buffer_init(&sql, 1 << 14);
  buffer_printf(&sql, "SELECT count(*) " WAITING_FROM DECIDED("1"), shelf->table.name, shelf->table.name);
  enum status status = buffer_check(&sql, "statement", error);
  if (status == OK) {
    status = db_integer(store, error, decided, NULL, sql.data, VALUES(int_value(kind)));
  }
  if (status == OK) {
    status = db_integer(store, error, waiting, NULL, "SELECT count(*) FROM link_pair WHERE kind = $1 AND outcome = 1",
                        VALUES(int_value(kind)));
  }
  *waiting -= *decided;
  buffer_free(&sql);
  return status;
}
