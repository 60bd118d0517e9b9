#include "core/base/log.h"
#include "core/resolve/encoded.h"
#include "core/resolve/resolver.h"
#include "core/store/erase.h"
#include "core/store/watch.h"
#include "core/sync/counts.h"

#include <stdio.h>
#include <stdlib.h>

enum { GROWTH_MOST = 4 };
#define SEEN_LIMIT ((size_t)1 << 34)

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
  bool same = false;
  enum status status = r->trial ? store_sources_stand(r->store, r->config->sources, count, ids, &same, r->error)
                                : store_sources(r->store, r->config->sources, count, ids, r->error);
  succession_make(r->config, ids, &r->succession);
  for (size_t i = 0; status == OK && i < count; i++) {
    if (ids[i] > 0 && ids[i] < SOURCES_MOST) {
      r->linked[ids[i]] = r->config->sources[i].linked;
      r->precedence[ids[i]] = config_turn(r->config, &r->config->sources[i]);
      r->duplicate_free[ids[i]] = r->config->sources[i].duplicate_free;
      buffer_append(&r->seen, &ids[i], sizeof ids[i]);
      buffer_append(&r->seen, &r->config->sources[i].duplicate_free, sizeof r->config->sources[i].duplicate_free);
      buffer_append(&r->seen, &r->config->sources[i].linked, sizeof r->config->sources[i].linked);
      buffer_append(&r->seen, &r->config->sources[i].precedence, sizeof r->config->sources[i].precedence);
      const int *before = &r->succession.before[ids[i]];
      buffer_append(&r->seen, before, *before == 0 ? 0 : sizeof *before);
    }
  }
  free(ids);
  r->sources = sha256_of(buffer_view(&r->seen));
  buffer_reset(&r->seen);
  buffer_append(&r->seen, r->sources.bytes, SHA256_SIZE);
  return status == OK ? buffer_check(&r->seen, _("the list of rows"), r->error) : status;
}

static enum status read_rows(struct resolver *r) {
  struct staged_context context = {.policy = r->policy,
                                   .linked = r->linked,
                                   .succession = &r->succession,
                                   .passes = r->passes,
                                   .seen = &r->seen,
                                   .marked = incremental_marked,
                                   .told = r};
  progress_step(r->options->progress, _("reading staged rows"), 0, -1);
  enum status status = staged_read(r->store, r->policy->one_case.entity, &context, &r->cases, r->error);
  status = status == OK ? staged_read(r->store, r->policy->person.entity, &context, &r->persons, r->error) : status;
  status = status == OK ? staged_mark(r->store, r->model, &context, &r->persons, r->error) : status;
  return status;
}

/* Everything that the result depends on: rules, sources, and the versions of all rows. */
static struct sha256 inputs_digest(const struct resolver *r) {
  struct sha256 rows = sha256_of(buffer_view(&r->seen));
  return sha256_pair(2, &r->policy->digest, &rows);
}

enum status resolver_last(struct resolver *r, int64_t *run, struct buffer *body) {
  static const char *const columns[] = {"run", "body"};
  struct filter filter = {.column = "event", .text = "link"};
  struct selection selection = {.view = "audit",
                                .columns = columns,
                                .column_count = 2,
                                .filters = &filter,
                                .filter_count = 1,
                                .order = "-sequence",
                                .most = 1};
  struct result *rows = NULL;
  *run = 0;
  enum status status = store_select(r->store, &selection, &rows, r->error);
  if (status != OK) {
    return status;
  }
  status = result_next(rows, r->error);
  if (status == OK) {
    *run = result_integer(rows, 0);
    buffer_slice(body, result_text(rows, 1));
    status = buffer_check(body, _("the audit entry"), r->error);
  }
  result_free(rows);
  return status == END ? OK : status;
}

static bool names_model(const struct buffer *body, const struct sha256 *model) {
  char hex[2 * SHA256_SIZE + 1];
  hex_format(model->bytes, SHA256_SIZE, hex);
  return memmem(body->data, body->len, hex, strlen(hex)) != NULL;
}

/* Whether the last linking saw the very same inputs; under approval, also with the models that act now, and none is to
 * be learned or proposed. */
static enum status compare_inputs(struct resolver *r, const char *inputs, bool *same) {
  struct buffer body;
  int64_t run;
  buffer_init(&body, 1 << 20);
  enum status status = resolver_last(r, &run, &body);
  *same = status == OK && run > 0 && memmem(body.data, body.len, inputs, strlen(inputs)) != NULL;
  if (*same && resolver_governed(r)) {
    *same = !r->learn && !r->offer && names_model(&body, &r->models[CLUSTER_PERSON])
            && names_model(&body, &r->models[CLUSTER_CASE]);
  }
  buffer_free(&body);
  return status;
}

/* ---- linking ---- */

static enum status mark_unique(struct resolver *r) {
  r->unique = calloc(r->persons.count + 1, sizeof *r->unique);
  if (r->unique == NULL) {
    return error_memory(r->error);
  }
  for (size_t i = 0; i < r->persons.count; i++) {
    r->unique[i] = r->duplicate_free[r->persons.source[i]];
  }
  return OK;
}

bool resolver_fits(const struct link_model *model, size_t rows) {
  return model != NULL && rows / GROWTH_MOST <= model->records;
}

/* Too few records teach nothing: the policy's model serves until there are more. */
static enum status start_with(struct resolver *r, size_t persons, size_t cases) {
  struct twopass *t = &r->twopass;
  if (r->options->train || persons >= LEARN_LEAST || cases >= LEARN_LEAST) {
    return OK;
  }
  enum status status =
      learned_start(r->policy, CLUSTER_PERSON, &t->persons.model, &r->models[CLUSTER_PERSON], r->error);
  return status == OK ? learned_start(r->policy, CLUSTER_CASE, &t->cases.model, &r->models[CLUSTER_CASE], r->error)
                      : status;
}

void resolver_forget(struct resolver *r) {
  struct twopass *t = &r->twopass;
  link_model_free(t->persons.model);
  link_model_free(t->cases.model);
  t->persons.model = NULL;
  t->cases.model = NULL;
}

/* Those that the store has learned, or those to start with. */
enum status resolver_models(struct resolver *r, size_t persons, size_t cases) {
  struct twopass *t = &r->twopass;
  resolver_forget(r);
  if (resolver_governed(r)) {
    return weighing_models(r, persons, cases);
  }
  const char *why[2] = {NULL, NULL};
  enum status status = learned_model(r->store, r->policy, CLUSTER_PERSON, &t->persons.model, &r->models[CLUSTER_PERSON],
                                     &why[0], r->error);
  if (status == OK) {
    status =
        learned_model(r->store, r->policy, CLUSTER_CASE, &t->cases.model, &r->models[CLUSTER_CASE], &why[1], r->error);
  }
  bool both = t->persons.model != NULL && t->cases.model != NULL;
  bool fit = both && resolver_fits(t->persons.model, persons) && resolver_fits(t->cases.model, cases);
  if (status == OK && fit && !r->options->train) {
    return OK;
  }
  resolver_forget(r);
  if (!r->options->train) {
    r->result->why_trained = both             ? _("there are far more records than the link model was learned from")
                             : why[0] != NULL ? why[0]
                                              : why[1];
  }
  return status == OK ? start_with(r, persons, cases) : status;
}

static void name_sides(struct resolver *r) {
  struct twopass *t = &r->twopass;
  t->persons.plan = r->policy->persons;
  t->persons.rows = &r->persons;
  t->persons.progress = t->cases.progress = r->options->progress;
  t->persons.what = _("linking persons");
  t->cases.what = _("linking cases");
  t->cases.plan = r->policy->cases;
  t->cases.rows = &r->cases;
}

enum status resolver_prepare(struct resolver *r) {
  struct twopass *t = &r->twopass;
  enum status status = mark_unique(r);
  t->persons.unique = r->unique;
  if (status == OK) {
    status = learned_decisions(r->store, CLUSTER_PERSON, &r->persons, &t->persons.decisions, &t->persons.decision_count,
                               r->error);
  }
  if (status == OK) {
    status =
        learned_decisions(r->store, CLUSTER_CASE, &r->cases, &t->cases.decisions, &t->cases.decision_count, r->error);
  }
  return status;
}

static void note_decisions(struct resolver *r, const struct twopass_side *side) {
  for (size_t i = 0; i < side->decision_count; i++) {
    const struct link_decision *decision = &side->decisions[i];
    buffer_append(&r->seen, &side->rows->row_id[decision->a], sizeof *side->rows->row_id);
    buffer_append(&r->seen, &side->rows->row_id[decision->b], sizeof *side->rows->row_id);
    buffer_append(&r->seen, &decision->same, sizeof decision->same);
  }
}

static enum status keep_models(struct resolver *r) {
  const struct twopass *t = &r->twopass;
  enum status status = learned_keep(r->store, CLUSTER_PERSON, r->result->run, t->persons.model, true,
                                    &r->models[CLUSTER_PERSON], r->error);
  return status == OK ? learned_keep(r->store, CLUSTER_CASE, r->result->run, t->cases.model, true,
                                     &r->models[CLUSTER_CASE], r->error)
                      : status;
}

enum status resolver_write(struct resolver *r, enum cluster_kind kind, const struct row_set *among) {
  bool persons = kind == CLUSTER_PERSON;
  const struct twopass_side *side = persons ? &r->twopass.persons : &r->twopass.cases;
  struct writing writing = {.store = r->store,
                            .run = r->result->run,
                            .kind = kind,
                            .plan = side->plan,
                            .rules = persons ? &r->policy->person : &r->policy->one_case,
                            .rows = side->rows,
                            .among = among,
                            .precedence = r->precedence,
                            .succession = &r->succession,
                            .arena = r->arena,
                            .outcomes = &r->outcomes,
                            .progress = r->options->progress,
                            .error = r->error};
  return write_linked(&writing, &side->result, persons ? &r->result->persons : &r->result->cases);
}

/* ---- the run ---- */

static void write_blocks(struct buffer *body, const struct twopass_side *side) {
  for (size_t i = 0; i < link_plan_block_count(side->plan); i++) {
    const struct link_block_counts *counts = &side->result.blocks[i];
    buffer_printf(
        body, "%s{\"capped\":%llu,\"dropped\":%llu,\"kept\":%llu,\"marginal\":%llu,\"proposed\":%llu,\"rule\":",
        i == 0 ? "" : ",", (unsigned long long)counts->capped, (unsigned long long)counts->dropped,
        (unsigned long long)counts->kept, (unsigned long long)counts->marginal, (unsigned long long)counts->proposed);
    buffer_json(body, slice_of(link_plan_block(side->plan, (uint16_t)i)));
    buffer_text(body, "}");
  }
}

/* What blocking rules found is told of all rows, as it was when all were linked last. */
static void write_counts(struct buffer *body, const struct resolve_counts *counts, const struct twopass_side *side,
                         const char *blocks) {
  buffer_printf(body, "{\"absorbed\":%lld,\"accepted\":%lld,\"blocks\":", (long long)counts->absorbed,
                (long long)counts->accepted);
  if (blocks != NULL) {
    buffer_text(body, blocks);
  } else {
    buffer_char(body, '[');
    write_blocks(body, side);
    buffer_char(body, ']');
  }
  buffer_printf(body,
                ",\"clusters\":%lld,\"created\":%lld,\"dissolved\":%lld,"
                "\"merged\":%lld,\"pairs\":%lld,\"rows\":%lld,\"split\":%lld,\"unlinkable\":%lld,\"waiting\":%lld}",
                (long long)counts->clusters, (long long)counts->created, (long long)counts->dissolved,
                (long long)counts->merged, (long long)counts->pairs, (long long)counts->rows, (long long)counts->split,
                (long long)counts->unlinkable, (long long)counts->waiting);
}

static enum status write_body(const struct resolver *r, const char *inputs, struct buffer *body) {
  char rules[2 * SHA256_SIZE + 1];
  char person_model[2 * SHA256_SIZE + 1];
  char case_model[2 * SHA256_SIZE + 1];
  char sources[2 * SHA256_SIZE + 1];
  hex_format(r->sources.bytes, SHA256_SIZE, sources);
  hex_format(r->policy->digest.bytes, SHA256_SIZE, rules);
  hex_format(r->models[CLUSTER_PERSON].bytes, SHA256_SIZE, person_model);
  hex_format(r->models[CLUSTER_CASE].bytes, SHA256_SIZE, case_model);
  buffer_text(body, "{\"cases\":");
  write_counts(body, &r->result->cases, &r->twopass.cases, r->blocks[CLUSTER_CASE]);
  buffer_printf(body, ",\"decisions\":%zu,\"indexed\":%s,\"inputs\":\"%s\",\"mode\":\"%s\",\"models\":[\"%s\",\"%s\"],",
                r->twopass.persons.decision_count + r->twopass.cases.decision_count, r->indexed ? "true" : "false",
                inputs, r->result->incremental ? "incremental" : "full", person_model, case_model);
  buffer_text(body, "\"ordered\":true,\"persons\":");
  write_counts(body, &r->result->persons, &r->twopass.persons, r->blocks[CLUSTER_PERSON]);
  buffer_printf(body, ",\"rules\":\"%s\",\"sources\":\"%s\",\"touched\":%lld,\"trained\":%s}", rules, sources,
                (long long)r->result->touched, r->twopass.trained ? "true" : "false");
  return buffer_check(body, _("the audit entry"), r->error);
}

static enum status write_audit(struct resolver *r, const char *inputs) {
  struct buffer body;
  buffer_init(&body, 1 << 16);
  enum status status = write_body(r, inputs, &body);
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

enum status resolver_begin(struct resolver *r) {
  return store_run_begin(r->store, "link", 0, r->options->actor, r->options->purpose, &r->result->run, r->error);
}

enum status resolver_end(struct resolver *r, const char *inputs) {
  enum status status = store_run_end(r->store, r->result->run, RUN_DONE, NULL, NULL, r->error);
  return status == OK ? write_audit(r, inputs) : status;
}

static enum status resolve_changed(struct resolver *r, const char *inputs) {
  struct twopass *t = &r->twopass;
  bool governed = resolver_governed(r), acts = !governed || resolver_acts(r);
  enum status status = acts ? resolver_begin(r) : OK;
  status = status == OK && governed ? weighing_settle(r) : status;
  if (status != OK || !acts) {
    return status;
  }
  status = twopass_run(t, r->error);
  if (status == OK) {
    status = encoded_pairs(r->store, &t->persons, r->error);
  }
  r->result->trained = r->result->trained || t->trained;
  r->result->touched = (int64_t)(r->persons.count + r->cases.count);
  status = status == OK && t->trained ? keep_models(r) : status;
  status = status == OK ? resolver_write(r, CLUSTER_PERSON, NULL) : status;
  status = status == OK ? resolver_write(r, CLUSTER_CASE, NULL) : status;
  status = status == OK ? incremental_index(r) : status;
  return status == OK ? resolver_end(r, inputs) : status;
}

enum status resolver_rows(struct resolver *r) {
  enum status status = read_rows(r);
  return status == OK ? resolver_prepare(r) : status;
}

/* Where all rows have to be linked. */
static enum status resolve_full(struct resolver *r) {
  char inputs[2 * SHA256_SIZE + 1];
  bool same = false;
  enum status status = resolver_rows(r);
  if (status != OK) {
    return status;
  }
  note_decisions(r, &r->twopass.persons);
  note_decisions(r, &r->twopass.cases);
  struct sha256 digest = inputs_digest(r);
  hex_format(digest.bytes, SHA256_SIZE, inputs);
  bool governed = resolver_governed(r);
  status = governed ? resolver_models(r, r->persons.count, r->cases.count) : OK;
  status = status == OK ? compare_inputs(r, inputs, &same) : status;
  if (status == OK && same && !r->options->train && !r->options->full) {
    r->result->nothing_new = true;
    return OK;
  }
  status = status == OK && !governed ? resolver_models(r, r->persons.count, r->cases.count) : status;
  return status == OK ? resolve_changed(r, inputs) : status;
}

enum status resolver_open(struct resolver *r) {
  name_sides(r);
  enum status status = read_sources(r);
  status = status == OK ? passes_read(r->store, &r->passes, r->error) : status;
  return status == OK ? store_secret(r->store, "link", r->secret, r->error) : status;
}

static enum status resolve_all(struct resolver *r) {
  bool done = false;
  enum status status = store_erase_shut(r->store, r->error);
  status = status == OK ? resolver_open(r) : status;
  if (status == OK && !r->options->train && !r->options->full) {
    status = incremental_run(r, &done);
  }
  status = status == OK && !done ? resolve_full(r) : status;
  r->result->governed = resolver_governed(r);
  return status == OK && r->result->governed ? weighing_waiting(r) : status;
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
  counts_json(&counts, NULL, stopped ? "interrupted" : "failed", NULL, &body);
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

/* One linking at a time, on all hosts of a store: two would give the same records different persons. */
static const char LINK_HOLD[] = "link";

static enum status hold(struct resolver *r) {
  enum status status = store_hold(r->store, LINK_HOLD, r->error);
  if (status == ERR_BUSY) {
    error_set(r->error, ERR_BUSY, _("another process is linking"));
    error_hint(r->error, _("wait for it to end"));
  }
  return status;
}

enum status resolver_new(const struct resolver *given, struct resolver **resolver) {
  struct resolver *r = calloc(1, sizeof *r);
  *resolver = r;
  if (r == NULL) {
    return error_memory(given->error);
  }
  *r = *given;
  buffer_init(&r->seen, SEEN_LIMIT);
  merkle_init(&r->outcomes);
  r->arena = arena_new(0);
  return r->arena == NULL ? error_memory(r->error)
                          : policy_load(r->config->link_file, r->options->texts, r->model, &r->policy, r->error);
}

void resolver_free(struct resolver *r) {
  if (r == NULL) {
    return;
  }
  twopass_free(&r->twopass);
  free(r->unique);
  staged_free(&r->persons);
  staged_free(&r->cases);
  free(r->blocks[CLUSTER_PERSON]);
  free(r->blocks[CLUSTER_CASE]);
  key_list_free(&r->marks);
  passes_free(r->passes);
  buffer_free(&r->seen);
  policy_free(r->policy);
  arena_free(r->arena);
  free(r);
}

enum status resolve_run(struct store *store, const struct config *config, const struct model *model,
                        const struct resolve_options *options, struct resolve_result *result, struct error *error) {
  const struct resolver given = {
      .store = store, .config = config, .model = model, .options = options, .result = result, .error = error};
  struct resolver *r = NULL;
  *result = (struct resolve_result){0};
  enum status status = resolver_new(&given, &r);
  if (r == NULL) {
    return status;
  }
  status = status == OK ? hold(r) : status;
  bool held = status == OK;
  if (held && (status = store_begin(store, error)) == OK) {
    status = resolve_all(r);
    status = status == OK ? store_commit(store, error) : status;
    if (status != OK) {
      store_rollback(store);
    }
  }
  if (status != OK && status != ERR_BUSY) {
    record_failure(r);
  }
  if (held) {
    store_unhold(store, LINK_HOLD);
  }
  resolver_free(r);
  return status;
}
