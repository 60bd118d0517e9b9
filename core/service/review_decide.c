#include "core/audit/audit.h"
#include "core/audit/state.h"
#include "core/resolve/policy.h"
#include "core/service/access.h"
#include "core/service/review.h"

#include <stdio.h>

enum { BODY_MOST = 1 << 16, DECISIONS_MOST = 256 };

static enum status count_row(void *context, const struct row *row, struct error *error) {
  (void)row;
  (void)error;
  ++*(int *)context;
  return OK;
}

/* What the two rows are: both are current, and of one kind. */
static enum status find_kind(struct workspace *workspace, const int64_t rows[2], enum cluster_kind *kind,
                             struct error *error) {
  static const char *const entities[] = {[CLUSTER_PERSON] = "person", [CLUSTER_CASE] = "case"};
  struct row_filter filter = {.rows = rows, .count = 2};
  for (int i = CLUSTER_PERSON; i <= CLUSTER_CASE; i++) {
    const struct entity *entity = model_entity(workspace->model, entities[i]);
    int found = 0;
    enum status status =
        entity == NULL ? OK : store_visit_rows(workspace->store, entity, &filter, count_row, &found, error);
    if (status != OK) {
      return status;
    }
    if (found == 2) {
      *kind = (enum cluster_kind)i;
      return OK;
    }
  }
  error_set(error, ERR_NOT_FOUND, _("rows %lld and %lld are no two current persons, and no two current cases"),
            (long long)rows[0], (long long)rows[1]);
  error_hint(error, "%s", _("`puente review list` shows the pairs that wait"));
  return ERR_NOT_FOUND;
}

/* How many persons have to agree. */
static enum status read_approvals(const struct workspace *workspace, bool same, int *approvals, struct error *error) {
  struct policy *policy = NULL;
  *approvals = 1;
  if (!same) {
    return OK;
  }
  enum status status = policy_load(workspace->config->link_file, workspace->texts, workspace->model, &policy, error);
  if (status == OK) {
    *approvals = policy->approvals;
  }
  policy_free(policy);
  return status;
}

/* ---- before and after ---- */

/* Each decision about the pair as it stood, by a digest. */
struct stood {
  int64_t id;
  char before[STATE_TEXT + 1], after[STATE_TEXT + 1]; /* "": there was none */
};
struct pair_states {
  struct state state;
  enum cluster_kind kind;
  bool after;
  struct stood items[DECISIONS_MOST];
  size_t count;
};

static enum status take_state(void *context, const struct review_decision *decision, struct error *error) {
  struct pair_states *states = context;
  size_t at = 0;
  while (at < states->count && states->items[at].id != decision->id) {
    at++;
  }
  if (at == DECISIONS_MOST) {
    return error_set(error, ERR_LIMIT, _("more than %d decisions about a pair"), DECISIONS_MOST);
  }
  struct stood *stood = &states->items[at];
  if (at == states->count) {
    *stood = (struct stood){.id = decision->id};
    states->count++;
  }
  state_decision(&states->state, states->kind, decision);
  return state_digest(&states->state, states->after ? stood->after : stood->before, error);
}

static void put_states(struct buffer *body, const struct pair_states *states, bool after) {
  bool first = true;
  buffer_printf(body, "\"%s\":[", after ? "after" : "before");
  for (size_t i = 0; i < states->count; i++) {
    const struct stood *stood = &states->items[i];
    const char *digest = after ? stood->after : stood->before;
    if (strcmp(stood->before, stood->after) != 0 && digest[0] != '\0') {
      buffer_printf(body, "%s[%lld,\"%s\"]", first ? "" : ",", (long long)stood->id, digest);
      first = false;
    }
  }
  buffer_text(body, "],");
}

static enum status write_entry(struct workspace *workspace, enum cluster_kind kind, const struct decide *decide,
                               const struct review_decision *made, const struct pair_states *states,
                               struct error *error) {
  struct buffer body;
  buffer_init(&body, BODY_MOST);
  buffer_char(&body, '{');
  put_states(&body, states, true);
  put_states(&body, states, false);
  buffer_printf(&body, "\"decision\":%lld,\"kind\":\"%s\",\"rows\":[%lld,%lld],\"same\":%s,\"state\":\"%s\"}",
                (long long)made->id, kind == CLUSTER_PERSON ? "person" : "case", (long long)decide->row_a,
                (long long)decide->row_b, decide->same ? "true" : "false",
                made->state == DECISION_PROPOSED ? "proposed" : "standing");
  enum status status = buffer_check(&body, _("an audit entry"), error);
  if (status == OK) {
    const struct audit_event event = {
        .event = "review", .actor = decide->actor, .purpose = decide->reason, .run = decide->run, .body = body.data};
    status = audit_append(workspace->store, &event, error);
  }
  buffer_free(&body);
  return status;
}

static enum status decide_pair(struct workspace *workspace, enum cluster_kind kind, struct decide *decide,
                               struct review_decision *made, struct error *error) {
  struct store *store = workspace->store;
  struct counts counts = {.source_count = -1};
  struct pair_states states = {.kind = kind};
  enum status status = state_init(&states.state, workspace->key, error);
  status = status == OK ? store_await_decisions(store, error) : status;
  if (status == OK) {
    status = store_pair_decisions(store, kind, decide->row_a, decide->row_b, take_state, &states, error);
  }
  if (status == OK) {
    status = store_run_begin(store, "review", 0, decide->actor, decide->reason, &decide->run, error);
  }
  status = status == OK ? store_decide(store, kind, decide, made, error) : status;
  states.after = true;
  if (status == OK) {
    status = store_pair_decisions(store, kind, decide->row_a, decide->row_b, take_state, &states, error);
  }
  status = status == OK ? store_run_end(store, decide->run, RUN_DONE, &counts, NULL, error) : status;
  status = status == OK ? write_entry(workspace, kind, decide, made, &states, error) : status;
  state_free(&states.state);
  return status;
}

enum status review_decide(struct workspace *workspace, int64_t row_a, int64_t row_b, bool same, const char *reason,
                          struct review_decided *decided, struct error *error) {
  const int64_t rows[2] = {row_a, row_b};
  struct decide decide = {.row_a = row_a, .row_b = row_b, .same = same, .actor = workspace->actor, .reason = reason};
  struct review_decision made;
  enum cluster_kind kind = CLUSTER_PERSON;
  enum status status = access_person(workspace, error);
  status = status == OK ? find_kind(workspace, rows, &kind, error) : status;
  status = status == OK ? read_approvals(workspace, same, &decide.approvals, error) : status;
  if (status != OK || (status = store_begin(workspace->store, error)) != OK) {
    return status;
  }
  status = decide_pair(workspace, kind, &decide, &made, error);
  status = status == OK ? store_commit(workspace->store, error) : status;
  if (status != OK) {
    store_rollback(workspace->store);
    return status;
  }
  *decided = (struct review_decided){.id = made.id, .kind = kind, .state = made.state};
  return OK;
}
