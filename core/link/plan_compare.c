/* `compare`: what is compared, and how. */
#include "core/link/plan_read.h"

#include "core/base/date.h"
#include "core/base/text.h"

#include <stdio.h>

const char *const plan_compare_keys[] = {"kind",         "from",   "whole",      "levels", "frequency",
                                         "placeholders", "spikes", "instead_of", NULL};

static enum status read_kind(const struct yaml *node, enum comparison_kind *kind, struct error *error) {
  const char *names[COMPARISON_KINDS];
  const struct yaml *word = yaml_get(node, "kind");
  for (size_t i = 0; i < COMPARISON_KINDS; i++) {
    names[i] = comparison_types[i].name;
  }
  if (word == NULL || word->kind != YAML_SCALAR) {
    return yaml_error(word == NULL ? node : word, error, "%s", _("'kind' is missing: how the columns are compared"));
  }
  int found = plan_list_find(names, COMPARISON_KINDS, slice_of(word->text));
  if (found < 0) {
    return plan_unknown(word, _("kind"), slice_of(word->text), names, COMPARISON_KINDS, error);
  }
  *kind = (enum comparison_kind)found;
  return OK;
}

static enum status read_from(struct link_plan *plan, const struct yaml *node, struct comparison *comparison,
                             struct error *error) {
  const struct comparison_type *type = &comparison_types[comparison->kind];
  const struct yaml *from = yaml_get(node, "from");
  const char *const *names = NULL;
  size_t count = 0;
  if (from == NULL) {
    return yaml_error(node, error, "%s", _("'from' is missing: the columns that are compared"));
  }
  enum status status = plan_words(plan, from, &names, &count, error);
  if (status == OK && (count < type->from_least || count > type->from_most)) {
    status = yaml_error(from, error, _("a comparison of kind %s takes %u to %u columns"), type->name, type->from_least,
                        type->from_most);
  }
  for (size_t i = 0; status == OK && i < count; i++) {
    status = plan_column(plan, plan_word(from, i), names[i], &comparison->columns[comparison->column_count++], error);
  }
  return status;
}

/* `whole`: one more column of a name. */
static enum status read_whole(struct link_plan *plan, const struct yaml *node, struct comparison *comparison,
                              struct error *error) {
  const struct yaml *whole = yaml_get(node, "whole");
  if (whole == NULL) {
    return OK;
  }
  if (comparison->kind != COMPARE_NAME) {
    return yaml_error(whole, error, _("'%s' is for comparisons of kind %s"), "whole",
                      comparison_types[COMPARE_NAME].name);
  }
  if (whole->kind != YAML_SCALAR || whole->text[0] == '\0') {
    return yaml_error(whole, error, "%s", _("a word was expected"));
  }
  if (comparison->column_count == LINK_FROM_MOST) {
    return yaml_error(whole, error, _("a comparison of kind %s takes %u to %u columns"),
                      comparison_types[COMPARE_NAME].name, comparison_types[COMPARE_NAME].from_least, LINK_FROM_MOST);
  }
  comparison->whole = true;
  return plan_column(plan, whole, whole->text, &comparison->columns[comparison->column_count++], error);
}

/* Words under a key that only one kind takes. */
static enum status read_special(struct link_plan *plan, const struct yaml *node, const char *key,
                                enum comparison_kind kind, const struct comparison *comparison,
                                const char *const **words, size_t *count, struct error *error) {
  const struct yaml *list = yaml_get(node, key);
  if (list == NULL) {
    return OK;
  }
  if (comparison->kind != kind) {
    return yaml_error(list, error, _("'%s' is for comparisons of kind %s"), key, comparison_types[kind].name);
  }
  return plan_words(plan, list, words, count, error);
}

static enum status check_spikes(const struct yaml *list, const struct comparison *comparison, struct error *error) {
  for (size_t i = 0; i < comparison->spike_count; i++) {
    char text[DATE_TEXT_SIZE];
    struct date date;
    int length = snprintf(text, sizeof text, "2000-%.6s", comparison->spikes[i]);
    if (length != DATE_TEXT_SIZE - 1 || !date_parse_iso(slice_of(text), &date)) {
      enum status status = yaml_error(plan_word(list, i), error, "%s", _("a day of the year was expected"));
      error_hint(error, "%s", _("month and day in quotes: \"01-01\""));
      return status;
    }
  }
  return OK;
}

/* Bits of comparisons that stand above this one in the file. */
static enum status read_instead(struct link_plan *plan, const struct yaml *node, struct comparison *comparison,
                                struct error *error) {
  const struct yaml *list = yaml_get(node, "instead_of");
  const char *const *words = NULL;
  size_t count = 0;
  enum status status = list == NULL ? OK : plan_words(plan, list, &words, &count, error);
  for (size_t i = 0; status == OK && i < count; i++) {
    unsigned other = 0;
    status = plan_find_comparison(plan, plan_word(list, i), slice_of(words[i]), &other, error);
    comparison->instead_of |= UINT32_C(1) << other;
  }
  return status;
}

enum status plan_read_comparison(struct link_plan *plan, const struct yaml *node, struct error *error) {
  if (plan->comparison_count == LINK_COMPARISONS_MOST) {
    return yaml_error(node, error, _("more than %d comparisons"), LINK_COMPARISONS_MOST);
  }
  struct comparison *comparison = &plan->comparisons[plan->comparison_count];
  *comparison = (struct comparison){.name = node->key};
  enum status status = yaml_check_keys(node, plan_compare_keys, error);
  status = status == OK ? read_kind(node, &comparison->kind, error) : status;
  status = status == OK ? read_from(plan, node, comparison, error) : status;
  status = status == OK ? read_whole(plan, node, comparison, error) : status;
  status = status == OK ? read_special(plan, node, "placeholders", COMPARE_DOCUMENT, comparison,
                                       &comparison->placeholders, &comparison->placeholder_count, error)
                        : status;
  status = status == OK ? read_special(plan, node, "spikes", COMPARE_DATE, comparison, &comparison->spikes,
                                       &comparison->spike_count, error)
                        : status;
  status = status == OK ? check_spikes(yaml_get(node, "spikes"), comparison, error) : status;
  status = status == OK ? read_instead(plan, node, comparison, error) : status;
  comparison->frequency =
      comparison->kind == COMPARE_GIVEN || comparison->kind == COMPARE_SURNAMES || comparison->kind == COMPARE_NAME;
  status = status == OK ? yaml_bool(node, "frequency", &comparison->frequency, error) : status;
  status = status == OK ? plan_read_levels(plan, yaml_get(node, "levels"), comparison, error) : status;
  plan->comparison_count++;
  return status;
}
