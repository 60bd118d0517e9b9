/* `block`: which pairs are worth comparing. */
#include "core/link/plan_read.h"

#include "core/base/buffer.h"
#include "core/base/text.h"

const char *const plan_block_keys[] = {"name", "keys", NULL};

enum { NAME_MOST = 200 };

/* "birth", or "birth.year"; comparisons may have dots in their names too. */
static enum status read_key(const struct link_plan *plan, const struct yaml *at, const char *text,
                            struct block_key *key, struct error *error) {
  const char *dot = strrchr(text, '.');
  key->part = -1;
  for (size_t i = 0; i < plan->comparison_count; i++) {
    if (strcmp(plan->comparisons[i].name, text) == 0) {
      key->comparison = (unsigned)i;
      return OK;
    }
  }
  struct slice name = dot == NULL ? slice_of(text) : slice_make(text, (size_t)(dot - text));
  enum status status = plan_find_comparison(plan, at, name, &key->comparison, error);
  if (status != OK || dot == NULL) {
    return status;
  }
  const struct comparison_type *type = &comparison_types[plan->comparisons[key->comparison].kind];
  size_t count = plan_list_length(type->parts);
  key->part = plan_list_find(type->parts, count, slice_of(dot + 1));
  if (key->part >= 0) {
    return OK;
  }
  if (count > 0) {
    return plan_unknown(at, _("part"), slice_of(dot + 1), type->parts, count, error);
  }
  status = yaml_error(at, error, _("a comparison of kind %s has no parts"), type->name);
  error_hint(error, "%s", _("its whole value is a key: the name alone"));
  return status;
}

static enum status read_keys(struct link_plan *plan, const struct yaml *node, struct block_rule *rule,
                             struct error *error) {
  const char *const *words = NULL;
  size_t count = 0;
  enum status status = plan_words(plan, node, &words, &count, error);
  if (status == OK && count > PLAN_KEYS_MOST) {
    status = yaml_error(node, error, _("a rule blocks on 1 to %d keys"), PLAN_KEYS_MOST);
  }
  for (size_t i = 0; status == OK && i < count; i++) {
    struct block_key key;
    status = read_key(plan, plan_word(node, i), words[i], &key, error);
    for (size_t j = 0; status == OK && j < rule->key_count; j++) {
      if (rule->keys[j].comparison == key.comparison && rule->keys[j].part == key.part) {
        status = yaml_error(plan_word(node, i), error, _("the key %s stands twice"), words[i]);
      }
    }
    if (status == OK) {
      rule->keys[rule->key_count++] = key;
    }
  }
  return status;
}

/* The keys, joined by " + ". */
static const char *usual_name(const struct link_plan *plan, const struct block_rule *rule) {
  struct buffer text;
  buffer_init(&text, NAME_MOST);
  for (size_t i = 0; i < rule->key_count; i++) {
    const struct comparison *comparison = &plan->comparisons[rule->keys[i].comparison];
    buffer_printf(&text, "%s%s", i == 0 ? "" : " + ", comparison->name);
    if (rule->keys[i].part >= 0) {
      buffer_printf(&text, ".%s", comparison_types[comparison->kind].parts[rule->keys[i].part]);
    }
  }
  const char *name = arena_text(plan->arena, buffer_view(&text));
  buffer_free(&text);
  return name;
}

/* Columns that say who it is; of given names a second one only tells swapped names. */
static unsigned own_columns(const struct comparison *comparison) {
  return comparison->kind == COMPARE_GIVEN ? 1 : comparison->column_count;
}

static bool share_a_column(const struct comparison *a, const struct comparison *b) {
  for (unsigned i = 0; i < own_columns(a); i++) {
    for (unsigned j = 0; j < own_columns(b); j++) {
      if (a->columns[i] == b->columns[j]) {
        return true;
      }
    }
  }
  return false;
}

static uint32_t forced_by(const struct link_plan *plan, const struct block_rule *rule) {
  uint32_t forced = 0;
  for (size_t i = 0; i < rule->key_count; i++) {
    for (size_t j = 0; j < plan->comparison_count; j++) {
      bool shares = share_a_column(&plan->comparisons[rule->keys[i].comparison], &plan->comparisons[j]);
      forced |= shares ? UINT32_C(1) << j : 0;
    }
  }
  return forced;
}

static enum status check_name(const struct link_plan *plan, const struct yaml *node, const struct block_rule *rule,
                              struct error *error) {
  for (size_t i = 0; i < plan->block_count; i++) {
    if (strcmp(plan->blocks[i].name, rule->name) == 0) {
      return yaml_error(node, error, _("two blocking rules are called '%s'"), rule->name);
    }
  }
  return OK;
}

/* "document", [surnames.any, birth.year], or {name: …, keys: …}. */
static enum status read_block(struct link_plan *plan, const struct yaml *node, struct error *error) {
  if (plan->block_count == LINK_RULES_MOST) {
    return yaml_error(node, error, _("more than %d rules"), LINK_RULES_MOST);
  }
  struct block_rule rule = {0};
  const struct yaml *keys = node;
  enum status status = OK;
  if (node->kind == YAML_MAP) {
    keys = yaml_get(node, "keys");
    status = yaml_check_keys(node, plan_block_keys, error);
    if (status == OK && keys == NULL) {
      status = yaml_error(node, error, "%s", _("'keys' is missing: what is equal in both records"));
    }
    rule.name = yaml_text(node, "name", NULL);
  }
  status = status == OK ? read_keys(plan, keys, &rule, error) : status;
  if (status == OK && (rule.name == NULL || rule.name[0] == '\0')) {
    rule.name = usual_name(plan, &rule);
    status = rule.name == NULL ? error_memory(error) : OK;
  }
  status = status == OK ? check_name(plan, node, &rule, error) : status;
  if (status == OK) {
    rule.forced = forced_by(plan, &rule);
    plan->blocks[plan->block_count++] = rule;
  }
  return status;
}

enum status plan_read_blocks(struct link_plan *plan, const struct yaml *node, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; status == OK && i < node->count; i++) {
    status = read_block(plan, &node->children[i], error);
  }
  return status;
}
