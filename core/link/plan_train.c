/* `train`, `cluster`, `band`, `truth`: how weights are learned, and what becomes of them. */
#include "core/link/plan_read.h"

#include <regex.h>

const char *const plan_train_keys[] = {"seed",  "random_pairs", "deterministic", "recall",          "rounds",
                                       "floor", "threshold",    "iterations",    "frequency_floor", NULL};
const char *const plan_cluster_keys[] = {"method", "cap", "unproposed", "stop", "giant", NULL};
const char *const plan_band_keys[] = {"hold", "tentative", NULL};
const char *const plan_truth_keys[] = {"column", "match", NULL};

/* ---- train ---- */

/* Blocking rules by name. */
static enum status read_block_names(struct link_plan *plan, const struct yaml *map, const char *key,
                                    uint16_t *positions, size_t *count, struct error *error) {
  const struct yaml *node = yaml_get(map, key);
  const char *names[LINK_RULES_MOST];
  const char *const *words = NULL;
  size_t written = 0;
  if (node == NULL) {
    return OK;
  }
  for (size_t i = 0; i < plan->block_count; i++) {
    names[i] = plan->blocks[i].name;
  }
  enum status status = plan_words(plan, node, &words, &written, error);
  for (size_t i = 0; status == OK && i < written; i++) {
    int found = plan_list_find(names, plan->block_count, slice_of(words[i]));
    if (found < 0) {
      return plan_unknown(plan_word(node, i), _("blocking rule"), slice_of(words[i]), names, plan->block_count, error);
    }
    for (size_t j = 0; j < *count; j++) {
      if (positions[j] == (uint16_t)found) {
        return yaml_error(plan_word(node, i), error, _("the blocking rule '%s' stands twice"), words[i]);
      }
    }
    positions[(*count)++] = (uint16_t)found;
  }
  return status;
}

/* Rounds that together teach every comparison that any rules can: in order, each rule that leaves free what all before
 * it forced. */
static void usual_rounds(struct link_plan *plan) {
  uint32_t untaught = UINT32_MAX;
  for (size_t i = 0; i < plan->block_count; i++) {
    uint32_t left = untaught & plan->blocks[i].forced;
    if (left != untaught) {
      plan->train.rounds[plan->train.round_count++] = (uint16_t)i;
    }
    untaught = left;
  }
}

enum status plan_read_train(struct link_plan *plan, const struct yaml *node, struct error *error) {
  int64_t seed = 1;
  int64_t pairs = 1000000;
  int64_t iterations = 100;
  plan->train.recall = 0.6;
  plan->train.floor = 1e-5;
  plan->train.threshold = 1e-4;
  plan->train.frequency_floor = 1e-5;
  enum status status = yaml_check_keys(node, plan_train_keys, error);
  status = status == OK ? yaml_int(node, "seed", 0, INT64_MAX, &seed, error) : status;
  status = status == OK ? yaml_int(node, "random_pairs", 1000, 1000000000, &pairs, error) : status;
  status = status == OK ? yaml_int(node, "iterations", 1, 10000, &iterations, error) : status;
  status = status == OK ? plan_number_of(node, "recall", 0.01, 1, &plan->train.recall, error) : status;
  status = status == OK ? plan_number_of(node, "floor", 1e-12, 0.1, &plan->train.floor, error) : status;
  status = status == OK ? plan_number_of(node, "threshold", 1e-12, 0.1, &plan->train.threshold, error) : status;
  status =
      status == OK ? plan_number_of(node, "frequency_floor", 1e-12, 0.1, &plan->train.frequency_floor, error) : status;
  status = status == OK ? read_block_names(plan, node, "deterministic", plan->train.deterministic,
                                           &plan->train.deterministic_count, error)
                        : status;
  status = status == OK ? read_block_names(plan, node, "rounds", plan->train.rounds, &plan->train.round_count, error)
                        : status;
  plan->train.seed = (uint64_t)seed;
  plan->train.random_pairs = (uint64_t)pairs;
  plan->train.iterations = (unsigned)iterations;
  if (status == OK && plan->train.deterministic_count == 0) {
    plan->train.deterministic[plan->train.deterministic_count++] = 0;
  }
  if (status == OK && plan->train.round_count == 0) {
    usual_rounds(plan);
  }
  return status;
}

/* ---- cluster ---- */

enum status plan_read_cluster(struct link_plan *plan, const struct yaml *node, struct error *error) {
  int method = PARTITION_AVERAGE;
  int64_t giant = 500;
  double cap = 20;
  double unproposed = -2;
  double stop = 0;
  enum status status = yaml_check_keys(node, plan_cluster_keys, error);
  status = status == OK ? yaml_choice(node, "method", partition_method_names, &method, error) : status;
  status = status == OK ? plan_number_of(node, "cap", 1, 1000, &cap, error) : status;
  status = status == OK ? plan_number_of(node, "unproposed", -1000, 0, &unproposed, error) : status;
  status = status == OK ? plan_number_of(node, "stop", -1000, 1000, &stop, error) : status;
  status = status == OK ? yaml_int(node, "giant", 2, UINT32_MAX, &giant, error) : status;
  plan->cluster.method = (enum partition_method)method;
  plan->cluster.cap = (float)cap;
  plan->cluster.unproposed = (float)unproposed;
  plan->cluster.stop = (float)stop;
  plan->cluster.giant = (size_t)giant;
  return status;
}

/* ---- band ---- */

static enum status read_bounds(const struct yaml *node, struct link_band *band, struct error *error) {
  if (node->kind != YAML_LIST || node->count != 2) {
    enum status status = yaml_error(node, error, "%s", _("two probabilities were expected"));
    error_hint(error, "%s", _("for example: [0.80, 0.99]"));
    return status;
  }
  enum status status = plan_number(&node->children[0], 0, 1, &band->from, error);
  status = status == OK ? plan_number(&node->children[1], 0, 1, &band->to, error) : status;
  if (status == OK && band->from > band->to) {
    status = yaml_error(node, error, "%s", _("the band ends below its beginning"));
  }
  return status;
}

/* "hold", "tentative", or one of them with its bounds. */
enum status plan_read_band(struct link_plan *plan, const struct yaml *node, struct error *error) {
  plan->band = (struct link_band){.from = 0.80, .to = 0.99, .hold = true};
  if (node == NULL) {
    return OK;
  }
  const char *word = node->kind == YAML_SCALAR ? node->text : NULL;
  if (node->kind == YAML_MAP) {
    enum status status = yaml_check_keys(node, plan_band_keys, error);
    if (status == OK && node->count != 1) {
      status = yaml_error(node, error, "%s", _("there is one band: either hold or tentative"));
    }
    status = status == OK ? read_bounds(&node->children[0], &plan->band, error) : status;
    if (status != OK) {
      return status;
    }
    word = node->children[0].key;
  }
  int chosen = word == NULL ? -1 : plan_list_find(plan_band_keys, 2, slice_of(word));
  if (word == NULL) {
    return yaml_error(node, error, "%s", _("hold or tentative was expected"));
  }
  plan->band.hold = chosen == 0;
  return chosen >= 0 ? OK : plan_unknown(node, _("band"), slice_of(word), plan_band_keys, 2, error);
}

/* ---- truth ---- */

static enum status check_pattern(const struct yaml *node, const char *pattern, struct error *error) {
  regex_t compiled;
  int failed = regcomp(&compiled, pattern, REG_EXTENDED);
  if (failed != 0) {
    char reason[160];
    regerror(failed, &compiled, reason, sizeof reason);
    return yaml_error(node, error, _("not a regular expression: %s"), reason);
  }
  size_t groups = compiled.re_nsub;
  regfree(&compiled);
  return groups > 0 ? OK
                    : yaml_error(node, error, "%s", _("the pattern needs a group (…): the part that is the entity"));
}

enum status plan_read_truth(struct link_plan *plan, const struct yaml *node, struct error *error) {
  if (node == NULL) {
    return OK;
  }
  const char *column = yaml_text(node, "column", "");
  const struct yaml *match = yaml_get(node, "match");
  enum status status = yaml_check_keys(node, plan_truth_keys, error);
  if (status == OK && column[0] == '\0') {
    status = yaml_error(node, error, "%s", _("'column' is missing: where the truth is written"));
  }
  if (status == OK && match != NULL && match->kind != YAML_SCALAR) {
    status = yaml_error(match, error, "%s", _("a word was expected"));
  }
  status = status == OK && match != NULL ? check_pattern(match, match->text, error) : status;
  status = status == OK ? plan_column(plan, node, column, &plan->truth.column, error) : status;
  plan->has_truth = status == OK;
  plan->truth.pattern = match == NULL ? NULL : match->text;
  return status;
}
