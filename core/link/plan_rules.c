/* `rules`: what stands above weights. */
#include "core/link/plan_read.h"

const char *const plan_rule_keys[] = {"name", "when", "unless", "then", NULL};
const char *const plan_verdicts[] = {
    [VERDICT_MERGE] = "merge", [VERDICT_REVIEW] = "review", [VERDICT_HOLD] = "hold", [VERDICT_NEVER] = "never", NULL};

static enum status read_levels(struct link_plan *plan, const struct yaml *node, uint16_t *masks, struct error *error) {
  unsigned position = 0;
  const char *const *words = NULL;
  size_t count = 0;
  struct yaml key = *node;
  key.line = node->key_line;
  key.column = node->key_column;
  enum status status = plan_find_comparison(plan, &key, slice_of(node->key), &position, error);
  status = status == OK ? plan_words(plan, node, &words, &count, error) : status;
  const struct comparison *comparison = &plan->comparisons[position];
  for (size_t i = 0; status == OK && i < count; i++) {
    int level = plan_list_find(comparison->levels, comparison->level_count, slice_of(words[i]));
    if (level < 0) {
      return plan_unknown(plan_word(node, i), _("level"), slice_of(words[i]), comparison->levels,
                          comparison->level_count, error);
    }
    masks[position] = (uint16_t)(masks[position] | 1U << level);
  }
  return status;
}

static enum status read_conditions(struct link_plan *plan, const struct yaml *node, uint16_t *masks,
                                   struct error *error) {
  if (node->kind != YAML_MAP || node->count == 0) {
    return yaml_error(node, error, "%s", _("a map (comparison: [levels]) was expected"));
  }
  enum status status = OK;
  for (size_t i = 0; status == OK && i < node->count; i++) {
    status = read_levels(plan, &node->children[i], masks, error);
  }
  return status;
}

static enum status check_rule(const struct link_plan *plan, const struct yaml *node, struct error *error) {
  const char *name = yaml_text(node, "name", NULL);
  if (name == NULL || name[0] == '\0') {
    return yaml_error(node, error, "%s", _("'name' is missing: explanations call the rule by it"));
  }
  for (size_t i = 0; i < plan->rule_count; i++) {
    if (strcmp(plan->rules[i].name, name) == 0) {
      return yaml_error(node, error, _("two rules are called '%s'"), name);
    }
  }
  if (yaml_get(node, "when") == NULL) {
    return yaml_error(node, error, "%s", _("'when' is missing: the levels at which the rule decides"));
  }
  if (yaml_get(node, "then") == NULL) {
    return yaml_error(node, error, "%s", _("'then' is missing: merge, review or never"));
  }
  return OK;
}

static enum status read_rule(struct link_plan *plan, const struct yaml *node, struct error *error) {
  if (plan->rule_count == LINK_RULES_MOST) {
    return yaml_error(node, error, _("more than %d rules"), LINK_RULES_MOST);
  }
  struct verdict_rule *rule = &plan->rules[plan->rule_count];
  const struct yaml *unless = yaml_get(node, "unless");
  int verdict = VERDICT_REVIEW;
  enum status status = yaml_check_keys(node, plan_rule_keys, error);
  status = status == OK ? check_rule(plan, node, error) : status;
  *rule = (struct verdict_rule){.name = yaml_text(node, "name", NULL), .has_unless = unless != NULL};
  status = status == OK ? yaml_choice(node, "then", plan_verdicts, &verdict, error) : status;
  status = status == OK ? read_conditions(plan, yaml_get(node, "when"), rule->when, error) : status;
  status = status == OK && unless != NULL ? read_conditions(plan, unless, rule->unless, error) : status;
  rule->verdict = (enum verdict)verdict;
  plan->rule_count++;
  return status;
}

enum status plan_read_rules(struct link_plan *plan, const struct yaml *node, struct error *error) {
  if (node->kind != YAML_LIST) {
    return yaml_error(node, error, _("'%s' has to be a list with at least one entry"), "rules");
  }
  enum status status = OK;
  for (size_t i = 0; status == OK && i < node->count; i++) {
    status = read_rule(plan, &node->children[i], error);
  }
  return status;
}
