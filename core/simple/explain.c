#include "core/simple/prepare.h"

enum { VALUES_MOST = 16 };

/* Whether both records have a value of the blocking key in common. */
static bool key_shared(const struct prepared *p, const struct block_key *key, uint32_t a, uint32_t b) {
  uint32_t x[VALUES_MOST];
  uint32_t y[VALUES_MOST];
  size_t count_x = simple_prepared_keys(p, key, a, x, VALUES_MOST);
  size_t count_y = simple_prepared_keys(p, key, b, y, VALUES_MOST);
  for (size_t i = 0; i < count_x; i++) {
    for (size_t j = 0; j < count_y; j++) {
      if (x[i] == y[j]) {
        return true;
      }
    }
  }
  return false;
}

static bool rule_joins(const struct prepared *p, const struct link_rule *rule, uint32_t a, uint32_t b) {
  for (unsigned i = 0; i < rule->key_count; i++) {
    if (!key_shared(p, &rule->keys[i], a, b)) {
      return false;
    }
  }
  return simple_compare_accepts(p, rule, a, b);
}

static int find_rule(const struct prepared *p, uint32_t a, uint32_t b) {
  const uint32_t *same = p->records->same;
  if (same != NULL && same[a] != LINK_MISSING && same[a] == same[b]) {
    return 0;
  }
  for (size_t i = 1; i < p->plan->rule_count; i++) {
    if (rule_joins(p, &p->plan->rules[i], a, b)) {
      return (int)i;
    }
  }
  return -1;
}

static bool is_needed(const struct link_rule *rule, size_t comparison) {
  for (unsigned i = 0; i < rule->key_count; i++) {
    if (rule->keys[i].comparison == comparison) {
      return true;
    }
  }
  return rule->accept[comparison] != 0;
}

enum status simple_link_explain(const struct link_plan *plan, const struct link_records *records, uint32_t a,
                                uint32_t b, struct link_explanation *explanation, struct error *error) {
  struct prepared prepared;
  enum status status = simple_prepared_init(&prepared, plan, records, error);
  *explanation = (struct link_explanation){.rule = -1};
  if (status == OK) {
    const uint8_t *sealed = records->sealed;
    explanation->rule = find_rule(&prepared, a, b);
    explanation->apart =
        !simple_compare_allows(&prepared, a, b) || (sealed != NULL && (sealed[a] != 0 || sealed[b] != 0));
    explanation->count = plan->comparison_count;
  }
  for (size_t i = 0; i < explanation->count; i++) {
    const struct comparison *comparison = &plan->comparisons[i];
    struct link_comparison *out = &explanation->comparisons[i];
    out->name = comparison->name;
    out->level = simple_comparison_types[comparison->kind].levels[simple_compare_records(&prepared, comparison, a, b)];
    out->needed = explanation->rule > 0 && is_needed(&plan->rules[explanation->rule], i);
    out->column_count = comparison->column_count;
    for (unsigned j = 0; j < comparison->column_count; j++) {
      out->columns[j] = plan->columns[comparison->columns[j]];
    }
  }
  simple_prepared_free(&prepared);
  return status;
}
