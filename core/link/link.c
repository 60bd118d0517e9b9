#include "core/link/crew.h"
#include "core/link/learn.h"
#include "core/link/settle.h"

#include <sodium.h>
#include <stdlib.h>

struct linking {
  const struct link_plan *plan;
  const struct link_records *records;
  const struct link_options *options;
  struct link_result *result;
  struct error *error;
  struct prepared prepared;
  struct blocks blocks;
  struct scorer scorer;
  struct judge judge;
  struct weights *weights;
};

const char *link_reason_name(enum link_reason reason) {
  static const char *const names[LINK_REASONS] = {
      [REASON_WEIGHT] = "weight",     [REASON_RULE] = "rule",     [REASON_DECISION] = "decision",
      [REASON_SOURCE] = "source",     [REASON_GROUP] = "group",   [REASON_ROLES] = "roles",
      [REASON_UNIQUE] = "unique",     [REASON_SEALED] = "sealed", [REASON_CLUSTER] = "cluster",
      [REASON_ENCODING] = "encoding",
  };
  return names[reason];
}

static enum status check_input(const struct linking *l) {
  const struct link_records *records = l->records;
  if (records->count >= LINK_MISSING) {
    return error_set(l->error, ERR_LIMIT, _("%zu records are more than linkage can number"), records->count);
  }
  for (size_t i = 0; i < records->decision_count; i++) {
    const struct link_decision *decision = &records->decisions[i];
    if (decision->a >= records->count || decision->b >= records->count || decision->a == decision->b) {
      error_set(l->error, ERR_INPUT, _("decision %zu does not name two records"), i + 1);
      error_hint(l->error, _("a decision is about two different records of the run"));
      return ERR_INPUT;
    }
  }
  if (sodium_init() < 0) {
    return error_set(l->error, ERR_INTERNAL, _("libsodium cannot be started"));
  }
  return l->options->model == NULL ? OK : link_model_matches(l->options->model, l->plan, l->error);
}

static enum status say(const struct linking *l, const char *step) {
  if (l->options->progress != NULL && !l->options->progress(l->options->context, step, 0)) {
    return error_set(l->error, ERR_INTERRUPTED, _("stopped while pairs were compared"));
  }
  return OK;
}

static enum status prepare(struct linking *l) {
  const struct link_model *model = l->options->model;
  uint8_t secret[16];
  enum status status = say(l, "prepare");
  status = status == OK ? prepared_init(&l->prepared, l->plan, l->records, l->scorer.threads, l->error) : status;
  status = status == OK ? say(l, "block") : status;
  if (status == OK) {
    learn_secret(l->plan->train.seed, secret);
    status = blocks_init(&l->blocks, &l->prepared, model == NULL ? secret : model->secret, model, l->scorer.threads,
                         l->error);
  }
  return status;
}

/* The one in the result: given and borrowed, or trained and owned. */
static enum status take_model(struct linking *l) {
  struct link_result *result = l->result;
  if (l->options->model != NULL) {
    memcpy(&result->model, &l->options->model, sizeof result->model);
    return OK;
  }
  enum status status = say(l, "train");
  status = status == OK ? learn_model(&l->scorer, &result->model, l->error) : status;
  result->trained = status == OK;
  return status;
}

static enum status mark_unlinkable(struct linking *l) {
  struct link_result *result = l->result;
  result->alone = malloc(l->records->count + 1);
  if (result->alone == NULL) {
    return error_memory(l->error);
  }
  for (uint32_t i = 0; i < l->records->count; i++) {
    result->alone[i] = !blocks_has_key(&l->blocks, i);
    result->unlinkable += result->alone[i];
  }
  return OK;
}

static enum status settle(struct linking *l) {
  l->judge = (struct judge){.prepared = &l->prepared, .blocks = &l->blocks, .weights = l->weights};
  l->judge.cache = compare_cache_new(&l->prepared);
  enum status status = l->judge.cache == NULL ? error_memory(l->error) : say(l, "cluster");
  status = status == OK ? settle_clusters(&l->judge, l->result, l->error) : status;
  compare_cache_free(l->judge.cache);
  return status;
}

enum status link_run(const struct link_plan *plan, const struct link_records *records,
                     const struct link_options *options, struct link_result *result, struct error *error) {
  struct linking l = {.plan = plan, .records = records, .options = options, .result = result, .error = error};
  l.scorer = (struct scorer){
      .prepared = &l.prepared, .blocks = &l.blocks, .threads = crew_size(options->threads), .options = options};
  *result = (struct link_result){0};
  enum status status = check_input(&l);
  status = status == OK ? prepare(&l) : status;
  status = status == OK ? take_model(&l) : status;
  status = status == OK ? weights_make(&l.prepared, result->model, &l.weights, error) : status;
  status = status == OK ? score_pairs(&l.scorer, l.weights, result, error) : status;
  status = status == OK ? settle(&l) : status;
  status = status == OK ? mark_unlinkable(&l) : status;
  result->outgrown = options->model == NULL ? 0 : l.blocks.capped_count;
  weights_free(l.weights);
  blocks_free(&l.blocks);
  prepared_free(&l.prepared);
  if (status != OK) {
    link_result_free(result);
  }
  return status;
}

void link_result_free(struct link_result *result) {
  free(result->pairs);
  free(result->cluster);
  free(result->clusters);
  free(result->alone);
  if (result->trained) {
    link_model_free(result->model);
  }
  *result = (struct link_result){0};
}

/* ---- new records among old ones ---- */

enum status link_meet(const struct link_plan *plan, const struct link_records *records, const struct link_model *model,
                      uint32_t fresh, struct link_pair **pairs, size_t *count, struct error *error) {
  const struct link_options options = {.model = model};
  struct link_result result = {0};
  struct linking l = {.plan = plan, .records = records, .options = &options, .result = &result, .error = error};
  l.scorer = (struct scorer){
      .prepared = &l.prepared, .blocks = &l.blocks, .threads = crew_size(0), .options = &options, .fresh = fresh};
  enum status status = check_input(&l);
  status = status == OK ? prepare(&l) : status;
  status = status == OK ? weights_make(&l.prepared, model, &l.weights, error) : status;
  status = status == OK ? score_pairs(&l.scorer, l.weights, &result, error) : status;
  weights_free(l.weights);
  blocks_free(&l.blocks);
  prepared_free(&l.prepared);
  *pairs = status == OK ? result.pairs : NULL;
  *count = status == OK ? result.pair_count : 0;
  if (status != OK) {
    link_result_free(&result);
  }
  return status;
}

size_t link_plan_block_limit(const struct link_plan *plan) {
  return plan->block_most * BLOCK_GROWTH_MOST;
}

/* ---- keys for an index ---- */

static enum status visit_keys(const struct prepared *prepared, const struct link_model *model, const uint8_t *secret,
                              uint32_t record, link_key_visitor *visit, void *context, struct error *error) {
  uint64_t plain[BLOCK_SLOTS_MOST];
  uint64_t keyed[BLOCK_SLOTS_MOST];
  enum status status = OK;
  for (size_t rule = 0; rule < prepared->plan->block_count; rule++) {
    size_t count = blocks_hashes(prepared, model->secret, (uint16_t)rule, record, plain);
    for (size_t i = 0; status == OK && i < count; i++) {
      if (!blocks_is_capped(model->capped, model->capped_count, plain[i])) {
        crypto_shorthash((unsigned char *)&keyed[i], (const unsigned char *)&plain[i], sizeof plain[i], secret);
        status = visit(context, record, keyed[i], error);
      }
    }
  }
  return status;
}

enum status link_keys(const struct link_plan *plan, const struct link_records *records, const struct link_model *model,
                      const uint8_t *secret, link_key_visitor *visit, void *context, struct error *error) {
  struct link_options options = {.model = model};
  struct linking l = {.plan = plan, .records = records, .options = &options, .error = error};
  enum status status = check_input(&l);
  status = status == OK ? prepared_init(&l.prepared, plan, records, 1, error) : status;
  for (uint32_t i = 0; status == OK && i < records->count; i++) {
    status = visit_keys(&l.prepared, model, secret, i, visit, context, error);
  }
  prepared_free(&l.prepared);
  return status;
}
