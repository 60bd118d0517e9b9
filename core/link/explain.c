#include "core/link/settle.h"

#include <stdlib.h>

/* Two records by themselves, with dictionaries of their own, so that no other value has to be standardised. */
struct couple {
  struct link_records records;
  struct link_column *columns;
  uint32_t (*values)[2];
  uint32_t source[2], group[2], same[2];
  uint8_t role[2], sealed[2], unique[2];
  struct link_decision decision;
};

static void couple_free(struct couple *couple) {
  for (size_t i = 0; couple->columns != NULL && i < couple->records.column_count; i++) {
    map_free(couple->columns[i].dictionary);
  }
  free(couple->columns);
  free(couple->values);
}

static enum status copy_columns(struct couple *couple, const struct link_records *from, const uint32_t at[2],
                                struct error *error) {
  couple->columns = calloc(from->column_count + 1, sizeof *couple->columns);
  couple->values = calloc(from->column_count + 1, sizeof *couple->values);
  if (couple->columns == NULL || couple->values == NULL) {
    return error_memory(error);
  }
  couple->records.column_count = from->column_count;
  for (size_t i = 0; i < from->column_count; i++) {
    struct map *dictionary = map_new();
    couple->columns[i] =
        (struct link_column){.name = from->columns[i].name, .values = couple->values[i], .dictionary = dictionary};
    for (size_t j = 0; j < 2; j++) {
      uint32_t value = from->columns[i].values[at[j]];
      couple->values[i][j] = LINK_MISSING;
      if (dictionary == NULL) {
        return error_memory(error);
      }
      if (value != LINK_MISSING) {
        couple->values[i][j] = map_intern(dictionary, map_key(from->columns[i].dictionary, value));
        if (couple->values[i][j] == MAP_NONE) {
          return error_memory(error);
        }
      }
    }
  }
  couple->records.columns = couple->columns;
  return OK;
}

#define COPY_FACT(couple, from, at, field)                                                                             \
  do {                                                                                                                 \
    if ((from)->field != NULL) {                                                                                       \
      (couple)->field[0] = (from)->field[(at)[0]];                                                                     \
      (couple)->field[1] = (from)->field[(at)[1]];                                                                     \
      (couple)->records.field = (couple)->field;                                                                       \
    }                                                                                                                  \
  } while (0)

static void copy_facts(struct couple *couple, const struct link_records *from, const uint32_t at[2]) {
  COPY_FACT(couple, from, at, source);
  COPY_FACT(couple, from, at, group);
  COPY_FACT(couple, from, at, same);
  COPY_FACT(couple, from, at, role);
  COPY_FACT(couple, from, at, sealed);
  COPY_FACT(couple, from, at, unique);
  for (size_t i = 0; i < from->decision_count; i++) {
    const struct link_decision *decision = &from->decisions[i];
    bool about = (decision->a == at[0] && decision->b == at[1]) || (decision->a == at[1] && decision->b == at[0]);
    /* A refusal stands against any other decision. */
    if (about && (couple->records.decision_count == 0 || !decision->same)) {
      couple->decision = (struct link_decision){.a = 0, .b = 1, .same = decision->same};
      couple->records.decisions = &couple->decision;
      couple->records.decision_count = 1;
    }
  }
}

static void fill_comparison(const struct judge *judge, const struct link_model *model, size_t at,
                            const struct judgement *judgement, struct link_comparison *out) {
  const struct prepared *prepared = judge->prepared;
  const struct comparison *comparison = &prepared->plan->comparisons[at];
  unsigned level = judgement->levels[at];
  *out = (struct link_comparison){.name = comparison->name,
                                  .level = comparison->levels[level],
                                  .column_count = comparison->column_count,
                                  .weight = level == 0 ? 0 : (float)link_model_weight(model, at, level),
                                  .m = model->comparisons[at].m[level],
                                  .u = model->comparisons[at].u[level]};
  out->adjustment =
      weights_adjustment(judge->weights, at, prepared->rows, prepared->rows + prepared->width, judgement->levels);
  for (unsigned i = 0; i < comparison->column_count; i++) {
    out->columns[i] = prepared->plan->columns[comparison->columns[i]];
  }
}

static void fill(const struct judge *judge, const struct link_model *model, struct link_explanation *out) {
  struct judgement judgement;
  bool never = false;
  judge_pair(judge, 0, 1, &judgement);
  *out = (struct link_explanation){.count = judge->prepared->plan->comparison_count,
                                   .prior = (float)link_model_prior(model),
                                   .weight = judgement.weight,
                                   .probability = link_probability(judgement.weight),
                                   .block = blocks_propose(judge->blocks, 0, 1),
                                   .verdict = judgement.verdict,
                                   .reason = compare_standing(judge->prepared, 0, 1, &never)};
  if (out->reason == REASON_WEIGHT && judgement.verdict != LINK_NO_RULE) {
    out->reason = REASON_RULE;
  }
  for (size_t i = 0; i < out->count; i++) {
    fill_comparison(judge, model, i, &judgement, &out->comparisons[i]);
  }
}

static enum status explain(const struct link_plan *plan, const struct link_records *records,
                           const struct link_model *model, struct link_explanation *explanation, struct error *error) {
  struct prepared prepared = {0};
  struct blocks blocks = {0};
  struct weights *weights = NULL;
  enum status status = prepared_init(&prepared, plan, records, 1, error);
  status = status == OK ? blocks_init(&blocks, &prepared, model->secret, model, 1, error) : status;
  status = status == OK ? weights_make(&prepared, model, &weights, error) : status;
  struct judge judge = {.prepared = &prepared, .blocks = &blocks, .weights = weights};
  if (status == OK) {
    judge.cache = compare_cache_new(&prepared);
    status = judge.cache == NULL ? error_memory(error) : OK;
  }
  if (status == OK) {
    fill(&judge, model, explanation);
  }
  compare_cache_free(judge.cache);
  weights_free(weights);
  blocks_free(&blocks);
  prepared_free(&prepared);
  return status;
}

enum status link_explain(const struct link_plan *plan, const struct link_records *records,
                         const struct link_model *model, uint32_t a, uint32_t b, struct link_explanation *explanation,
                         struct error *error) {
  struct couple couple = {.records = {.count = 2}};
  const uint32_t at[2] = {a, b};
  if (a >= records->count || b >= records->count || a == b) {
    error_set(error, ERR_NOT_FOUND, _("a pair is two different records of the run"));
    return ERR_NOT_FOUND;
  }
  enum status status = link_model_matches(model, plan, error);
  status = status == OK ? copy_columns(&couple, records, at, error) : status;
  if (status == OK) {
    copy_facts(&couple, records, at);
    status = explain(plan, &couple.records, model, explanation, error);
  }
  couple_free(&couple);
  return status;
}
