#include "core/link/plan_read.h"

#include "core/base/buffer.h"
#include "core/base/text.h"

#include <stdlib.h>

size_t plan_list_length(const char *const *names) {
  size_t count = 0;
  while (names[count] != NULL) {
    count++;
  }
  return count;
}

int plan_list_find(const char *const *names, size_t count, struct slice name) {
  for (size_t i = 0; i < count; i++) {
    if (slice_is(name, names[i])) {
      return (int)i;
    }
  }
  return -1;
}

/* "one of: …", as many as the hint has room for. */
static void hint_names(const char *const *names, size_t count, struct error *error) {
  struct buffer list;
  buffer_init(&list, sizeof error->hint - 64);
  for (size_t i = 0; i < count && list.len + strlen(names[i]) + 3 < sizeof error->hint - 64; i++) {
    buffer_printf(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
  }
  error_hint(error, _("one of: %.*s"), SLICE_ARG(buffer_view(&list)));
  buffer_free(&list);
}

enum status plan_unknown(const struct yaml *at, const char *what, struct slice name, const char *const *names,
                         size_t count, struct error *error) {
  const char *nearest = text_nearest(name, names, count);
  enum status status = yaml_error(at, error, _("unknown %s '%.*s'"), what, SLICE_ARG(name));
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  } else if (count > 0) {
    hint_names(names, count, error);
  }
  return status;
}

const struct yaml *plan_word(const struct yaml *node, size_t i) {
  return node->kind == YAML_LIST ? &node->children[i] : node;
}

enum status plan_words(struct link_plan *plan, const struct yaml *node, const char *const **words, size_t *count,
                       struct error *error) {
  size_t length = node->kind == YAML_LIST ? node->count : 1;
  const char **made = arena_array(plan->arena, length + 1, sizeof *made);
  if (made == NULL) {
    return error_memory(error);
  }
  if (length == 0) {
    return yaml_error(node, error, "%s", _("a word was expected"));
  }
  for (size_t i = 0; i < length; i++) {
    const struct yaml *word = plan_word(node, i);
    if (word->kind != YAML_SCALAR || word->text[0] == '\0') {
      return yaml_error(word, error, "%s", _("a word was expected"));
    }
    made[i] = word->text;
  }
  *words = made;
  *count = length;
  return OK;
}

enum status plan_number(const struct yaml *node, double least, double most, double *number, struct error *error) {
  char *end = NULL;
  bool plain =
      node->kind == YAML_SCALAR && node->text[0] != '\0' && node->text[strspn(node->text, "+-.0123456789eE")] == '\0';
  double value = plain ? strtod(node->text, &end) : 0;
  if (!plain || *end != '\0' || !(value >= least && value <= most)) {
    return yaml_error(node, error, _("a number from %g to %g was expected"), least, most);
  }
  *number = value;
  return OK;
}

enum status plan_number_of(const struct yaml *map, const char *key, double least, double most, double *number,
                           struct error *error) {
  const struct yaml *node = yaml_get(map, key);
  return node == NULL ? OK : plan_number(node, least, most, number, error);
}

enum status plan_column(struct link_plan *plan, const struct yaml *at, const char *name, unsigned *position,
                        struct error *error) {
  int found = plan_list_find(plan->columns, plan->column_count, slice_of(name));
  if (found < 0 && plan->column_count == PLAN_COLUMNS_MOST) {
    return yaml_error(at, error, _("more than %d columns"), PLAN_COLUMNS_MOST);
  }
  if (found < 0) {
    found = (int)plan->column_count;
    plan->columns[plan->column_count++] = name;
  }
  *position = (unsigned)found;
  return OK;
}

enum status plan_find_comparison(const struct link_plan *plan, const struct yaml *at, struct slice name,
                                 unsigned *position, struct error *error) {
  const char *names[LINK_COMPARISONS_MOST];
  for (size_t i = 0; i < plan->comparison_count; i++) {
    names[i] = plan->comparisons[i].name;
  }
  int found = plan_list_find(names, plan->comparison_count, name);
  if (found < 0) {
    return plan_unknown(at, _("comparison"), name, names, plan->comparison_count, error);
  }
  *position = (unsigned)found;
  return OK;
}
