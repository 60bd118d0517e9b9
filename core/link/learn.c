#include "core/link/learn.h"

#include "core/base/log.h"

#include <sodium.h>
#include <stdlib.h>

/* Pairs that a round of EM looks at: enough for levels that one match in a hundred thousand shows. */
#define ROUND_PAIRS_MOST UINT64_C(2000000)

void learn_secret(uint64_t seed, uint8_t secret[16]) {
  static const char purpose[] = "puente link blocks";
  (void)crypto_generichash(secret, 16, (const unsigned char *)&seed, sizeof seed, (const unsigned char *)purpose,
                           sizeof purpose);
}

static uint64_t deterministic_rules(const struct link_plan *plan) {
  uint64_t rules = 0;
  for (size_t i = 0; i < plan->train.deterministic_count; i++) {
    rules |= UINT64_C(1) << plan->train.deterministic[i];
  }
  return rules;
}

static enum status learn_lambda(const struct scorer *scorer, struct link_model *model, struct error *error) {
  const struct link_plan *plan = scorer->prepared->plan;
  uint64_t pairs = 0;
  enum status status = score_count(scorer, deterministic_rules(plan), &pairs, error);
  if (status == OK && pairs == 0) {
    log_message(LEVEL_WARNING, _("no deterministic rule finds a pair: the share of matches is a guess"));
  }
  if (status == OK) {
    model->lambda = train_lambda(pairs, plan->train.recall, scorer->prepared->records->count);
  }
  return status;
}

static enum status learn_u(const struct scorer *scorer, struct link_model *model, struct error *error) {
  const struct link_plan *plan = scorer->prepared->plan;
  struct patterns patterns;
  enum status status =
      score_random(scorer, plan->train.seed, plan->train.random_pairs, deterministic_rules(plan), &patterns, error);
  if (status == OK) {
    train_u(model, &patterns, plan->train.floor, plan->comparisons);
  }
  patterns_free(&patterns);
  return status;
}

static void warn_training(const struct link_plan *plan, const struct train_report *report) {
  if (!report->converged) {
    log_message(LEVEL_WARNING, _("training has not converged after %u iterations (last change %.2g)"),
                report->iterations, report->change);
  }
  for (size_t i = 0; i < plan->comparison_count; i++) {
    if ((report->unlearned >> i & 1) != 0) {
      log_message(LEVEL_WARNING,
                  _("comparison %s: no round of training teaches how often matches agree; a guess stands instead"),
                  plan->comparisons[i].name);
    }
    if ((report->disordered >> i & 1) != 0) {
      log_message(LEVEL_WARNING, _("comparison %s: a better level has a lower weight than a worse one"),
                  plan->comparisons[i].name);
    }
  }
}

/* A pair that a reviewer accepted counts as much as one that EM expects: those of the band, which alone are shown to
 * people, must not outweigh the plain ones that nobody needs to look at. */
#define DECIDED_WEIGHT 1.0

/* m from what people decided to be one. */
static enum status learn_decided(const struct scorer *scorer, struct link_model *model, struct train_report *report,
                                 struct error *error) {
  const struct link_plan *plan = scorer->prepared->plan;
  struct patterns patterns = {0};
  enum status status = score_decided(scorer, &patterns, error);
  if (status == OK && patterns.count > 0) {
    train_labels(model, &patterns, DECIDED_WEIGHT, plan->train.floor, plan->comparisons, report);
  }
  patterns_free(&patterns);
  return status;
}

static enum status learn_m(const struct scorer *scorer, struct link_model *model, struct error *error) {
  const struct link_plan *plan = scorer->prepared->plan;
  struct patterns patterns[LINK_RULES_MOST] = {0};
  struct train_round rounds[LINK_RULES_MOST];
  struct train_report report;
  enum status status = OK;
  for (size_t i = 0; status == OK && i < plan->train.round_count; i++) {
    uint16_t rule = plan->train.rounds[i];
    rounds[i] = (struct train_round){.patterns = &patterns[i], .blocked = plan->blocks[rule].forced};
    status = score_patterns(scorer, rule, ROUND_PAIRS_MOST, &patterns[i], error);
  }
  if (status == OK) {
    status = train_m(model, rounds, plan->train.round_count, plan->train.floor, plan->train.threshold,
                     plan->train.iterations, plan->comparisons, &report, error);
  }
  status = status == OK ? learn_decided(scorer, model, &report, error) : status;
  if (status == OK) {
    train_unseen(model, plan->train.floor, plan->comparisons, &report);
    warn_training(plan, &report);
    model->rounds = (unsigned)plan->train.round_count;
    model->iterations = report.iterations;
    model->converged = report.converged;
  }
  for (size_t i = 0; i < LINK_RULES_MOST; i++) {
    patterns_free(&patterns[i]);
  }
  return status;
}

static enum status note_blocks(const struct blocks *blocks, struct link_model *model, struct error *error) {
  model->capped = arena_array(model->arena, blocks->capped_count + 1, sizeof *model->capped);
  if (model->capped == NULL) {
    return error_memory(error);
  }
  if (blocks->capped_count > 0) {
    memcpy(model->capped, blocks->capped, blocks->capped_count * sizeof *model->capped);
  }
  model->capped_count = blocks->capped_count;
  memcpy(model->secret, blocks->secret, sizeof model->secret);
  return OK;
}

/* A column that says the same of everybody says nothing, and one that is empty even less. */
static void warn_columns(const struct prepared *prepared) {
  for (size_t i = 0; i < prepared->plan->comparison_count; i++) {
    size_t values = prepared_value_count(prepared, i);
    if (prepared->records->count > 1 && values == 0) {
      log_message(LEVEL_WARNING, _("comparison %s: no record has a value"), prepared->plan->comparisons[i].name);
    } else if (prepared->records->count > 1 && values == 1) {
      log_message(LEVEL_WARNING, _("comparison %s: all records have the same value"),
                  prepared->plan->comparisons[i].name);
    }
  }
}

enum status learn_model(const struct scorer *scorer, struct link_model **out, struct error *error) {
  const struct prepared *prepared = scorer->prepared;
  struct link_model *model = NULL;
  *out = NULL;
  warn_columns(prepared);
  enum status status = link_model_for(prepared->plan, &model, error);
  if (status == OK) {
    model->seed = prepared->plan->train.seed;
    model->records = prepared->records->count;
    status = note_blocks(scorer->blocks, model, error);
  }
  status = status == OK ? learn_lambda(scorer, model, error) : status;
  status = status == OK ? learn_u(scorer, model, error) : status;
  status = status == OK ? learn_m(scorer, model, error) : status;
  status = status == OK ? learn_frequencies(prepared, model, error) : status;
  if (status != OK) {
    link_model_free(model);
    return status;
  }
  *out = model;
  return OK;
}
