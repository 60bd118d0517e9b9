#include "core/resolve/weights.h"

#include "core/resolve/learned.h"

#include <stdio.h>
#include <string.h>

enum { HEX = 2 * SHA256_SIZE };

const char WEIGHTS_NAME[] = "learned";
static const char HEAD[] = "{\"cases\":\"", MIDDLE[] = "\",\"persons\":\"";

void weights_text(const struct sha256 models[2], char text[WEIGHTS_TEXT]) {
  char persons[HEX + 1], cases[HEX + 1];
  hex_format(models[CLUSTER_PERSON].bytes, SHA256_SIZE, persons);
  hex_format(models[CLUSTER_CASE].bytes, SHA256_SIZE, cases);
  snprintf(text, WEIGHTS_TEXT, "%s%s%s%s\"}", HEAD, cases, MIDDLE, persons);
}

bool weights_read(struct slice text, struct sha256 models[2]) {
  const size_t cases = sizeof HEAD - 1, persons = cases + HEX + sizeof MIDDLE - 1;
  char again[WEIGHTS_TEXT];
  if (text.len != persons + HEX + 2
      || !hex_parse(slice_make(text.data + cases, HEX), models[CLUSTER_CASE].bytes, SHA256_SIZE)
      || !hex_parse(slice_make(text.data + persons, HEX), models[CLUSTER_PERSON].bytes, SHA256_SIZE)) {
    return false;
  }
  weights_text(models, again);
  return slice_is(text, again);
}

/* ---- what they change ---- */

static enum status compare_kind(enum cluster_kind kind, const struct link_model *acting,
                                const struct link_model *proposed, weights_visitor *visit, void *context,
                                struct error *error) {
  struct weights_level level = {.kind = kind,
                                .acts = acting != NULL,
                                .now = acting == NULL ? 0 : link_model_prior(acting),
                                .then = link_model_prior(proposed)};
  enum status status = visit(context, &level, error);
  for (size_t c = 0; c < proposed->comparison_count && status == OK; c++) {
    const struct link_model_comparison *comparison = &proposed->comparisons[c];
    for (size_t l = 1; l < comparison->level_count && status == OK; l++) {
      level.comparison = comparison->name;
      level.level = comparison->levels[l];
      level.now = acting == NULL ? 0 : link_model_weight(acting, c, l);
      level.then = link_model_weight(proposed, c, l);
      status = visit(context, &level, error);
    }
  }
  return status;
}

static enum status compare_both(struct store *store, const struct policy *policy, const struct sha256 proposed[2],
                                weights_visitor *visit, void *context, struct error *error) {
  struct link_model *acting[2] = {NULL, NULL}, *made[2] = {NULL, NULL};
  struct sha256 digests[2];
  const char *why = NULL;
  bool approved = false;
  enum status status = OK;
  for (int kind = 0; kind < 2 && status == OK; kind++) {
    status = learned_of(store, policy, (enum cluster_kind)kind, &proposed[kind], &made[kind], error);
  }
  if (status == OK && visit != NULL) {
    status = learned_acting(store, policy, acting, digests, &approved, &why, error);
  }
  for (int kind = 0; kind < 2 && status == OK && visit != NULL; kind++) {
    status = compare_kind((enum cluster_kind)kind, acting[kind], made[kind], visit, context, error);
  }
  for (int kind = 0; kind < 2; kind++) {
    link_model_free(acting[kind]);
    link_model_free(made[kind]);
  }
  return status;
}

enum status weights_compare(struct store *store, const struct config *config, const struct approved_texts *texts,
                            const struct model *model, const struct sha256 proposed[2], weights_visitor *visit,
                            void *context, struct error *error) {
  struct policy *policy = NULL;
  enum status status = policy_load(config->link_file, texts, model, &policy, error);
  status = status == OK ? compare_both(store, policy, proposed, visit, context, error) : status;
  policy_free(policy);
  return status;
}
