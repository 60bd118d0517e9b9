#include "core/resolve/resolve.h"

#include "core/audit/audit.h"
#include "core/base/log.h"
#include "core/resolve/columns.h"
#include "core/resolve/history.h"
#include "core/resolve/survive.h"
#include "core/sync/counts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SOURCES_MOST = STAGED_SOURCES_MOST, BATCH_MOST = 512 };
#define SEEN_LIMIT ((size_t)1 << 34)

/* A deterministic rule's weight in the store, where a number has to be finite; pairs kept apart have 0. */
#define CERTAIN_WEIGHT 100.0

struct resolver {
  struct store *store;
  const struct config *config;
  const struct model *model;
  const struct resolve_options *options;
  struct resolve_result *result;
  struct error *error;
  struct policy *policy;
  struct arena *arena; /* of one batch of consolidated rows */
  struct staged_rows persons, cases;
  struct buffer seen;
  struct merkle outcomes;
  bool linked[SOURCES_MOST];
  int precedence[SOURCES_MOST];
};

/* ---- what is linked ---- */

static enum status read_sources(struct resolver *r) {
  size_t count = r->config->source_count;
  int *ids = calloc(count + 1, sizeof *ids);
  if (ids == NULL) {
    return error_memory(r->error);
  }
  for (size_t i = 0; i < SOURCES_MOST; i++) {
    r->linked[i] = true;
    r->precedence[i] = INT32_MAX; /* a source that the configuration no longer has comes last */
  }
  enum status status = store_sources(r->store, r->config->sources, count, ids, r->error);
  for (size_t i = 0; status == OK && i < count; i++) {
    if (ids[i] > 0 && ids[i] < SOURCES_MOST) {
      r->linked[ids[i]] = r->config->sources[i].linked;
      r->precedence[ids[i]] = r->config->sources[i].precedence;
      buffer_append(&r->seen, &ids[i], sizeof ids[i]);
      buffer_append(&r->seen, &r->config->sources[i].linked, sizeof r->config->sources[i].linked);
      buffer_append(&r->seen, &r->config->sources[i].precedence, sizeof r->config->sources[i].precedence);
    }
  }
  free(ids);
  return status == OK ? buffer_check(&r->seen, _("the list of rows"), r->error) : status;
}

static enum status read_rows(struct resolver *r) {
  struct passes *passes = NULL;
  enum status status = passes_read(r->store, &passes, r->error);
  struct staged_context context = {.policy = r->policy, .linked = r->linked, .passes = passes, .seen = &r->seen};
  progress_step(r->options->progress, _("reading staged rows"), 0, -1);
  status = status == OK ? staged_read(r->store, r->policy->one_case.entity, &context, &r->cases, r->error) : status;
  status = status == OK ? staged_read(r->store, r->policy->person.entity, &context, &r->persons, r->error) : status;
  status = status == OK ? staged_mark(r->store, r->model, &context, &r->persons, r->error) : status;
  passes_free(passes);
  return status;
}

/* Everything that the result depends on: rules, sources, and the versions of all rows. */
static struct sha256 inputs_digest(const struct resolver *r) {
  struct sha256 rows = sha256_of(buffer_view(&r->seen));
  return sha256_pair(2, &r->policy->digest, &rows);
}

/* Whether the last linking saw the very same inputs. */
static enum status compare_inputs(struct resolver *r, const char *inputs, bool *same) {
  static const char *const columns[] = {"body"};
  struct filter filter = {.column = "event", .text = "link"};
  struct selection selection = {.view = "audit",
                                .columns = columns,
                                .column_count = 1,
                                .filters = &filter,
                                .filter_count = 1,
                                .order = "-sequence",
                                .most = 1};
  struct result *rows = NULL;
  *same = false;
  enum status status = store_select(r->store, &selection, &rows, r->error);
  if (status != OK) {
    return status;
  }
  status = result_next(rows, r->error);
  if (status == OK) {
    struct slice body = result_text(rows, 0);
    *same = memmem(body.data, body.len, inputs, strlen(inputs)) != NULL;
  }
  result_free(rows);
  return status == END ? OK : status;
}

static int64_t count_unlinkable(const struct staged_rows *rows, const struct link_column *columns, size_t count) {
  int64_t unlinkable = 0;
  for (size_t i = 0; i < rows->count; i++) {
    bool empty = true;
    for (size_t j = 0; empty && j < count; j++) {
      empty = columns[j].values[i] == LINK_MISSING;
    }
    unlinkable += empty || rows->sealed[i] != 0;
  }
  return unlinkable;
}

/* ---- writing ---- */

struct giving {
  const struct link_plan *plan;
  const struct staged_rows *rows;
  const struct link_result *linked;
  size_t at;
};

static bool give_pair(void *context, struct link_pair_row *out) {
  struct giving *giving = context;
  if (giving->at == giving->linked->pair_count) {
    return false;
  }
  const struct link_pair *pair = &giving->linked->pairs[giving->at++];
  int64_t a = giving->rows->row_id[pair->a];
  int64_t b = giving->rows->row_id[pair->b];
  bool joined = isinf(pair->weight);
  *out = (struct link_pair_row){.row_a = a < b ? a : b,
                                .row_b = a < b ? b : a,
                                .weight = joined ? CERTAIN_WEIGHT : (double)pair->weight,
                                .rule = simple_link_plan_rule(giving->plan, pair->rule),
                                .outcome = joined ? PAIR_JOINED : PAIR_APART,
                                .reason = joined ? "weight" : "rule"};
  return true;
}

struct place {
  int64_t id, row_id;
  uint32_t row;
};

static int by_id(const void *a, const void *b) {
  const struct place *x = a;
  const struct place *y = b;
  if (x->id != y->id) {
    return x->id < y->id ? -1 : 1;
  }
  return (x->row_id > y->row_id) - (x->row_id < y->row_id);
}

/* One consolidated row from the run of places that begins at `places`. */
static enum status consolidate_one(struct resolver *r, const struct survivorship *rules, const struct staged_rows *rows,
                                   const struct place *places, size_t count, struct consolidated *out) {
  uint32_t *members = arena_array(r->arena, count, sizeof *members);
  if (members == NULL) {
    return error_memory(r->error);
  }
  for (size_t i = 0; i < count; i++) {
    members[i] = places[i].row;
  }
  out->id = places[0].id;
  return survive(rules, rows, r->precedence, members, count, r->arena, out, r->error);
}

static enum status consolidate(struct resolver *r, enum cluster_kind kind, const struct survivorship *rules,
                               const struct staged_rows *rows, struct place *places) {
  struct consolidated batch[BATCH_MOST];
  size_t filled = 0;
  enum status status = OK;
  for (size_t i = 0; status == OK && i < rows->count;) {
    size_t length = 1;
    while (i + length < rows->count && places[i + length].id == places[i].id) {
      length++;
    }
    status = consolidate_one(r, rules, rows, places + i, length, &batch[filled++]);
    i += length;
    if (status == OK && (filled == BATCH_MOST || i == rows->count)) {
      status = store_write_consolidated(r->store, kind, r->result->run, batch, filled, r->error);
      filled = 0;
      arena_reset(r->arena);
      progress_step(r->options->progress, _("consolidating"), (int64_t)i, (int64_t)rows->count);
    }
  }
  return status;
}

static enum status write_consolidated(struct resolver *r, enum cluster_kind kind, const struct survivorship *rules,
                                      const struct staged_rows *rows, const int64_t *ids) {
  if (rows->count == 0) {
    return OK;
  }
  struct place *places = malloc(rows->count * sizeof *places);
  if (places == NULL) {
    return error_memory(r->error);
  }
  for (uint32_t i = 0; i < rows->count; i++) {
    places[i] = (struct place){.id = ids[i], .row_id = rows->row_id[i], .row = i};
  }
  qsort(places, rows->count, sizeof *places, by_id);
  enum status status = consolidate(r, kind, rules, rows, places);
  free(places);
  return status;
}

/* A leaf for each membership that began (its id) or ended (0): kind, row id, id, most significant byte first. */
static void add_outcome(struct merkle *merkle, enum cluster_kind kind, int64_t row_id, int64_t id) {
  char leaf[17];
  leaf[0] = (char)kind;
  for (int i = 0; i < 8; i++) {
    leaf[1 + i] = (char)((uint64_t)row_id >> (56 - 8 * i));
    leaf[9 + i] = (char)((uint64_t)id >> (56 - 8 * i));
  }
  merkle_add(merkle, slice_make(leaf, sizeof leaf));
}

static enum status write_history(struct resolver *r, enum cluster_kind kind, const struct history *history) {
  enum status status = store_write_members(r->store, kind, r->result->run, history->closed, history->closed_count,
                                           history->opened, history->opened_count, r->error);
  for (size_t i = 0; i < history->closed_count; i++) {
    add_outcome(&r->outcomes, kind, history->closed[i], 0);
  }
  for (size_t i = 0; i < history->opened_count; i++) {
    add_outcome(&r->outcomes, kind, history->opened[i].row_id, history->opened[i].id);
  }
  if (status == OK && history->redirect_count > 0) {
    status =
        store_write_redirects(r->store, kind, r->result->run, history->redirects, history->redirect_count, r->error);
  }
  return status;
}

/* ---- one kind: link, name, consolidate ---- */

struct kind_of_work {
  enum cluster_kind kind;
  const struct link_plan *plan;
  const struct survivorship *rules;
  const struct staged_rows *rows;
  struct resolve_counts *counts;
};

static enum status link_rows(struct resolver *r, const struct kind_of_work *work, struct link_result *linked) {
  struct link_column *columns = NULL;
  size_t count = 0;
  enum status status = columns_make(work->plan, work->rows, &r->cases, &columns, &count, r->error);
  bool persons = work->kind == CLUSTER_PERSON;
  struct link_records records = {.count = work->rows->count, .columns = columns, .column_count = count};
  if (persons) {
    records.group = work->rows->group;
    records.same = work->rows->key;
    records.role = work->rows->role;
    records.sealed = work->rows->sealed;
  }
  status = status == OK ? simple_link_run(work->plan, &records, linked, r->error) : status;
  if (status == OK) {
    work->counts->unlinkable = count_unlinkable(work->rows, columns, count);
  }
  columns_free(columns, count);
  return status;
}

static enum status resolve_kind(struct resolver *r, const struct kind_of_work *work) {
  struct link_result linked = {0};
  struct history history = {0};
  progress_step(r->options->progress, work->kind == CLUSTER_PERSON ? _("linking persons") : _("linking cases"), 0, -1);
  enum status status = link_rows(r, work, &linked);
  if (status == OK) {
    work->counts->rows = (int64_t)work->rows->count;
    work->counts->clusters = (int64_t)linked.cluster_count;
    work->counts->pairs = (int64_t)linked.pair_count;
    status = history_decide(r->store, work->kind, work->rows, linked.cluster, &history, work->counts, r->error);
  }
  status = status == OK ? write_history(r, work->kind, &history) : status;
  status = status == OK ? write_consolidated(r, work->kind, work->rules, work->rows, history.id) : status;
  struct giving giving = {.plan = work->plan, .rows = work->rows, .linked = &linked};
  if (status == OK) {
    status = store_replace_pairs(r->store, work->kind, r->result->run, NULL, 0, give_pair, &giving, r->error);
  }
  simple_link_result_free(&linked);
  history_free(&history);
  return status;
}

/* ---- the run ---- */

static void write_counts(struct buffer *body, const struct resolve_counts *counts) {
  buffer_printf(body,
                "{\"absorbed\":%lld,\"clusters\":%lld,\"created\":%lld,\"dissolved\":%lld,\"merged\":%lld,"
                "\"pairs\":%lld,\"rows\":%lld,\"split\":%lld,\"unlinkable\":%lld}",
                (long long)counts->absorbed, (long long)counts->clusters, (long long)counts->created,
                (long long)counts->dissolved, (long long)counts->merged, (long long)counts->pairs,
                (long long)counts->rows, (long long)counts->split, (long long)counts->unlinkable);
}

static enum status write_audit(struct resolver *r, const char *inputs) {
  struct buffer body;
  char rules[2 * SHA256_SIZE + 1];
  hex_format(r->policy->digest.bytes, SHA256_SIZE, rules);
  buffer_init(&body, 1 << 16);
  buffer_text(&body, "{\"cases\":");
  write_counts(&body, &r->result->cases);
  buffer_printf(&body, ",\"inputs\":\"%s\",\"persons\":", inputs);
  write_counts(&body, &r->result->persons);
  buffer_printf(&body, ",\"rules\":\"%s\"}", rules);
  enum status status = buffer_check(&body, _("the audit entry"), r->error);
  if (status == OK) {
    struct audit_event event = {.event = "link",
                                .actor = r->options->actor,
                                .purpose = r->options->purpose,
                                .run = r->result->run,
                                .body = body.data,
                                .outcomes = merkle_root(&r->outcomes)};
    status = audit_append(r->store, &event, r->error);
  }
  buffer_free(&body);
  return status;
}

static enum status resolve_changed(struct resolver *r, const char *inputs) {
  struct kind_of_work persons = {.kind = CLUSTER_PERSON,
                                 .plan = r->policy->persons,
                                 .rules = &r->policy->person,
                                 .rows = &r->persons,
                                 .counts = &r->result->persons};
  struct kind_of_work cases = {.kind = CLUSTER_CASE,
                               .plan = r->policy->cases,
                               .rules = &r->policy->one_case,
                               .rows = &r->cases,
                               .counts = &r->result->cases};
  enum status status =
      store_run_begin(r->store, "link", 0, r->options->actor, r->options->purpose, &r->result->run, r->error);
  status = status == OK ? resolve_kind(r, &persons) : status;
  status = status == OK ? resolve_kind(r, &cases) : status;
  status = status == OK ? store_run_end(r->store, r->result->run, RUN_DONE, NULL, NULL, r->error) : status;
  return status == OK ? write_audit(r, inputs) : status;
}

static enum status resolve_all(struct resolver *r) {
  char inputs[2 * SHA256_SIZE + 1];
  bool same = false;
  enum status status = read_sources(r);
  status = status == OK ? read_rows(r) : status;
  if (status != OK) {
    return status;
  }
  struct sha256 digest = inputs_digest(r);
  hex_format(digest.bytes, SHA256_SIZE, inputs);
  status = compare_inputs(r, inputs, &same);
  if (status == OK && same) {
    r->result->nothing_new = true;
    return OK;
  }
  return status == OK ? resolve_changed(r, inputs) : status;
}

/* The run that failed, which went with its transaction, written in one of its own, with an entry of the log. */
static enum status write_failed(struct resolver *r, const struct error *cause, struct error *error) {
  bool stopped = cause->code == ERR_INTERRUPTED;
  const struct counts counts = {.source_count = -1};
  char message[sizeof cause->message + sizeof cause->place + sizeof cause->hint + 2];
  snprintf(message, sizeof message, "%s\n%s\n%s", cause->message, cause->place, cause->hint);
  int64_t run = 0;
  enum status status = store_run_begin(r->store, "link", 0, r->options->actor, r->options->purpose, &run, error);
  if (status == OK) {
    status = store_run_end(r->store, run, stopped ? RUN_INTERRUPTED : RUN_FAILED, NULL, message, error);
  }
  struct buffer body;
  buffer_init(&body, 1 << 16);
  counts_json(&counts, NULL, stopped ? "interrupted" : "failed", &body);
  status = status == OK ? buffer_check(&body, _("the audit entry"), error) : status;
  if (status == OK) {
    const struct audit_event event = {
        .event = "run", .actor = r->options->actor, .purpose = r->options->purpose, .run = run, .body = body.data};
    status = audit_append(r->store, &event, error);
  }
  buffer_free(&body);
  r->result->run = status == OK ? run : 0;
  return status;
}

static void record_failure(struct resolver *r) {
  struct error error;
  enum status status = store_begin(r->store, &error);
  status = status == OK ? write_failed(r, r->error, &error) : status;
  status = status == OK ? store_commit(r->store, &error) : status;
  if (status != OK) {
    store_rollback(r->store);
    log_error(LEVEL_WARNING, &error);
  }
}

enum status resolve_run(struct store *store, const struct config *config, const struct model *model,
                        const struct resolve_options *options, struct resolve_result *result, struct error *error) {
  struct resolver *r = calloc(1, sizeof *r);
  *result = (struct resolve_result){0};
  if (r == NULL) {
    return error_memory(error);
  }
  *r = (struct resolver){
      .store = store, .config = config, .model = model, .options = options, .result = result, .error = error};
  buffer_init(&r->seen, SEEN_LIMIT);
  merkle_init(&r->outcomes);
  r->arena = arena_new(0);
  enum status status =
      r->arena == NULL ? error_memory(error) : policy_load(config->link_file, model, &r->policy, error);
  if (status == OK && (status = store_begin(store, error)) == OK) {
    status = resolve_all(r);
    status = status == OK ? store_commit(store, error) : status;
    if (status != OK) {
      store_rollback(store);
    }
  }
  if (status != OK && status != ERR_BUSY) {
    record_failure(r);
  }
  staged_free(&r->persons);
  staged_free(&r->cases);
  buffer_free(&r->seen);
  policy_free(r->policy);
  arena_free(r->arena);
  free(r);
  return status;
}
