#include "core/link/learn.h"

#include "core/base/log.h"

#include <math.h>
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

static bool is_quiet(const struct scorer *scorer) {
  return scorer->options != NULL && scorer->options->quiet;
}

static enum status learn_lambda(const struct scorer *scorer, struct link_model *model, struct error *error) {
  const struct link_plan *plan = scorer->prepared->plan;
  uint64_t pairs = 0;
  enum status status = score_count(scorer, deterministic_rules(plan), &pairs, error);
  if (status == OK && pairs == 0 && !is_quiet(scorer)) {
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

/* ---- warnings: each once, with all comparisons that it is about ---- */

enum { NAMES_BYTES_MOST = 4096 };
/* Fewer matches than this at a level do not prove that it weighs less than another. */
#define SUPPORT_LEAST 30.0
/* Weights in bits nearer than this are taken for equal. */
#define ORDER_SLACK 1.0

/* `message` after the names of the comparisons whose bits are set. */
static void warn_of(const struct link_plan *plan, uint32_t comparisons, const char *message) {
  struct buffer names;
  if (comparisons == 0) {
    return;
  }
  buffer_init(&names, NAMES_BYTES_MOST);
  for (size_t i = 0; i < plan->comparison_count; i++) {
    if ((comparisons >> i & 1) != 0) {
      buffer_printf(&names, "%s%s", names.len == 0 ? "" : ", ", plan->comparisons[i].name);
    }
  }
  log_message(LEVEL_WARNING, "%.*s: %s", SLICE_ARG(buffer_view(&names)), message);
  buffer_free(&names);
}

/* Records that have a value. */
static size_t count_filled(const struct prepared *prepared, size_t comparison) {
  size_t filled = 0;
  for (size_t i = 0; i < prepared->records->count; i++) {
    filled += prepared->rows[i * prepared->width + comparison] != LINK_MISSING;
  }
  return filled;
}

static bool is_supported(const struct link_model_comparison *comparison, double expected, size_t level) {
  return expected * comparison->m[level] >= SUPPORT_LEAST;
}

static bool is_out_of_order(const struct link_model *model, size_t c, double expected) {
  const struct link_model_comparison *comparison = &model->comparisons[c];
  for (size_t better = 1; better < comparison->level_count; better++) {
    for (size_t worse = better + 1; worse < comparison->level_count; worse++) {
      if (is_supported(comparison, expected, better) && is_supported(comparison, expected, worse)
          && link_model_weight(model, c, worse) > link_model_weight(model, c, better) + ORDER_SLACK) {
        return true;
      }
    }
  }
  return false;
}

void learn_cap(const struct link_plan *plan, const struct train_report *report, struct link_model *model) {
  for (size_t i = 0; i < model->comparison_count; i++) {
    struct link_model_comparison *c = &model->comparisons[i];
    double best = c->m[1] / c->u[1];
    for (size_t level = 2; level + 1 < c->level_count; level++) {
      bool fixed = plan->comparisons[i].m[level] > 0 || plan->comparisons[i].m[1] > 0;
      if (!fixed && !is_supported(c, report->expected[i], level) && c->m[level] > c->u[level] * best) {
        c->m[1] += c->m[level] - c->u[level] * best;
        c->m[level] = c->u[level] * best;
      }
      best = fmax(best, c->m[level] / c->u[level]);
    }
  }
}

/* What counts only instead of others has nothing to learn where those are never missing. */
static void warn_training(const struct scorer *scorer, const struct link_model *model,
                          const struct train_report *report) {
  const struct link_plan *plan = scorer->prepared->plan;
  uint32_t unlearned = 0;
  uint32_t disordered = 0;
  if (is_quiet(scorer)) {
    return;
  }
  if (!report->converged) {
    log_message(LEVEL_WARNING, _("training has not converged after %u iterations (last change %.2g)"),
                report->iterations, report->change);
  }
  for (size_t i = 0; i < plan->comparison_count; i++) {
    bool learns = plan->comparisons[i].instead_of == 0 && count_filled(scorer->prepared, i) > 1;
    unlearned |= (uint32_t)(learns && (report->unlearned >> i & 1) != 0) << i;
    disordered |= (uint32_t)is_out_of_order(model, i, report->expected[i]) << i;
  }
  warn_of(
      plan, unlearned,
      _("no match that training finds has these values on both sides; guesses stand for their weights, and 'levels' "
        "with m and u can fix them"));
  warn_of(plan, disordered,
          _("a level weighs less than one below it; 'levels' can name them in another order, or leave one out"));
}

/* A column that says the same of everybody says nothing, and one that is empty even less. */
static void warn_columns(const struct scorer *scorer) {
  const struct prepared *prepared = scorer->prepared;
  bool sparse = scorer->options != NULL && scorer->options->sparse;
  uint32_t empty = 0;
  uint32_t same = 0;
  if (is_quiet(scorer) || prepared->records->count < 2) {
    return;
  }
  for (size_t i = 0; i < prepared->plan->comparison_count; i++) {
    bool filled = count_filled(prepared, i) > 0;
    empty |= (uint32_t)(!filled && !sparse) << i;
    same |= (uint32_t)(filled && prepared_value_count(prepared, i) == 1) << i;
  }
  warn_of(prepared->plan, empty, _("no record has a value, so that these comparisons say nothing"));
  warn_of(prepared->plan, same, _("all records have the same value, so that these comparisons say nothing"));
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
    learn_cap(plan, &report, model);
    warn_training(scorer, model, &report);
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

enum status learn_model(const struct scorer *scorer, struct link_model **out, struct error *error) {
  const struct prepared *prepared = scorer->prepared;
  struct link_model *model = NULL;
  *out = NULL;
  warn_columns(scorer);
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
