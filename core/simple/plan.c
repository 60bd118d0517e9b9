/* Reads a file of config/link. */
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/simple/rules.h"

#include <stdlib.h>

#define FILE_LIMIT ((size_t)1024 * 1024)
#define BLOCK_MOST 200

const struct comparison_type simple_comparison_types[COMPARISON_KINDS] = {
    [COMPARE_DOCUMENT] = {"document", {"missing", "same", "near", "conflict"}, {NULL}, 1, 2},
    [COMPARE_GIVEN] =
        {"given_names", {"missing", "same", "subset", "close", "first", "conflict"}, {"first", NULL}, 1, 1},
    [COMPARE_SURNAMES] =
        {"surnames", {"missing", "same", "swapped", "part", "close", "one", "conflict"}, {"any", NULL}, 2, 2},
    [COMPARE_WHOLE] = {"whole_name", {"missing", "same", "conflict"}, {NULL}, 1, 4},
    [COMPARE_DATE] = {"date",
                      {"missing", "same", "swapped", "slip", "compatible", "year", "near", "conflict"},
                      {"year", NULL},
                      1,
                      1},
    [COMPARE_CODE] = {"code", {"missing", "same", "conflict"}, {NULL}, 1, 1},
    [COMPARE_NUMBER] = {"number", {"missing", "same", "conflict"}, {NULL}, 1, 1},
};

static size_t list_length(const char *const *names) {
  size_t count = 0;
  while (names[count] != NULL) {
    count++;
  }
  return count;
}

static int list_find(const char *const *names, size_t count, struct slice name) {
  for (size_t i = 0; i < count; i++) {
    if (slice_is(name, names[i])) {
      return (int)i;
    }
  }
  return -1;
}

/* ERR_CONFIG at the node with the nearest name as the hint. */
static enum status unknown(const struct yaml *node, const char *what, const char *const *names, size_t count,
                           struct error *error) {
  struct slice written = slice_of(node->text);
  const char *nearest = text_nearest(written, names, count);
  enum status status = yaml_error(node, error, _("unknown %s '%.*s'"), what, SLICE_ARG(written));
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  }
  return status;
}

/* A list of words, or one word. */
static enum status read_words(const struct link_plan *plan, const struct yaml *node, const char *const **words,
                              size_t *count, struct error *error) {
  size_t length = node->kind == YAML_LIST ? node->count : 1;
  const char **made = arena_array(plan->arena, length + 1, sizeof *made);
  if (made == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < length; i++) {
    const struct yaml *word = node->kind == YAML_LIST ? &node->children[i] : node;
    if (word->kind != YAML_SCALAR || word->text[0] == '\0') {
      return yaml_error(word, error, "%s", _("a word was expected"));
    }
    made[i] = word->text;
  }
  *words = made;
  *count = length;
  return OK;
}

static enum status add_column(struct link_plan *plan, const struct yaml *at, const char *name, unsigned *position,
                              struct error *error) {
  int found = list_find(plan->columns, plan->column_count, slice_of(name));
  if (found < 0 && plan->column_count == COLUMNS_MOST) {
    return yaml_error(at, error, _("more than %d columns"), COLUMNS_MOST);
  }
  if (found < 0) {
    found = (int)plan->column_count;
    plan->columns[plan->column_count++] = name;
  }
  *position = (unsigned)found;
  return OK;
}

static enum status read_from(struct link_plan *plan, const struct yaml *node, struct comparison *comparison,
                             struct error *error) {
  const struct comparison_type *type = &simple_comparison_types[comparison->kind];
  const struct yaml *from = yaml_get(node, "from");
  const char *const *names = NULL;
  size_t count = 0;
  if (from == NULL) {
    return yaml_error(node, error, _("'from' is missing: the columns that are compared"));
  }
  enum status status = read_words(plan, from, &names, &count, error);
  if (status == OK && (count < type->from_least || count > type->from_most)) {
    status = yaml_error(from, error, _("a comparison of kind %s takes %u to %u columns"), type->name, type->from_least,
                        type->from_most);
  }
  for (size_t i = 0; status == OK && i < count; i++) {
    status = add_column(plan, from, names[i], &comparison->columns[comparison->column_count++], error);
  }
  return status;
}

static enum status read_kind(const struct yaml *node, enum comparison_kind *kind, struct error *error) {
  const char *names[COMPARISON_KINDS];
  const struct yaml *word = yaml_get(node, "kind");
  for (size_t i = 0; i < COMPARISON_KINDS; i++) {
    names[i] = simple_comparison_types[i].name;
  }
  if (word == NULL || word->kind != YAML_SCALAR) {
    return yaml_error(node, error, _("'kind' is missing: how the columns are compared"));
  }
  int found = list_find(names, COMPARISON_KINDS, slice_of(word->text));
  if (found < 0) {
    return unknown(word, _("kind"), names, COMPARISON_KINDS, error);
  }
  *kind = (enum comparison_kind)found;
  return OK;
}

static enum status read_comparison(struct link_plan *plan, const struct yaml *node, struct error *error) {
  static const char *const known[] = {"kind", "from", "placeholders", "spikes", NULL};
  struct comparison *comparison = &plan->comparisons[plan->comparison_count];
  if (plan->comparison_count == COMPARISONS_MOST) {
    return yaml_error(node, error, _("more than %d comparisons"), COMPARISONS_MOST);
  }
  *comparison = (struct comparison){.name = node->key};
  const struct yaml *placeholders = yaml_get(node, "placeholders");
  const struct yaml *spikes = yaml_get(node, "spikes");
  enum status status = yaml_check_keys(node, known, error);
  status = status == OK ? read_kind(node, &comparison->kind, error) : status;
  status = status == OK ? read_from(plan, node, comparison, error) : status;
  if (status == OK && placeholders != NULL) {
    status = read_words(plan, placeholders, &comparison->placeholders, &comparison->placeholder_count, error);
  }
  if (status == OK && spikes != NULL) {
    status = read_words(plan, spikes, &comparison->spikes, &comparison->spike_count, error);
  }
  plan->comparison_count++;
  return status;
}

static int find_comparison(const struct link_plan *plan, struct slice name) {
  for (size_t i = 0; i < plan->comparison_count; i++) {
    if (slice_is(name, plan->comparisons[i].name)) {
      return (int)i;
    }
  }
  return -1;
}

static enum status unknown_comparison(const struct link_plan *plan, const struct yaml *at, const char *text,
                                      struct error *error) {
  const char *names[COMPARISONS_MOST];
  struct yaml word = *at;
  word.text = text;
  for (size_t i = 0; i < plan->comparison_count; i++) {
    names[i] = plan->comparisons[i].name;
  }
  return unknown(&word, _("comparison"), names, plan->comparison_count, error);
}

/* "birth", or "birth.year". */
static enum status read_key(const struct link_plan *plan, const struct yaml *node, const char *text,
                            struct block_key *key, struct error *error) {
  size_t dot = strcspn(text, ".");
  int comparison = find_comparison(plan, slice_make(text, dot));
  if (comparison < 0) {
    return unknown_comparison(plan, node, text, error);
  }
  *key = (struct block_key){.comparison = (unsigned)comparison, .part = PART_WHOLE};
  if (text[dot] == '\0') {
    return OK;
  }
  const char *const *parts = simple_comparison_types[plan->comparisons[comparison].kind].parts;
  key->part = list_find(parts, list_length(parts), slice_of(text + dot + 1));
  return key->part >= 0 ? OK : yaml_error(node, error, _("'%s' has no such part"), text);
}

static enum status read_block(const struct link_plan *plan, const struct yaml *node, struct link_rule *rule,
                              struct error *error) {
  const struct yaml *block = yaml_get(node, "block");
  const char *const *words = NULL;
  size_t count = 0;
  if (block == NULL) {
    return yaml_error(node, error, _("'block' is missing: the keys that are equal in both records"));
  }
  enum status status = read_words(plan, block, &words, &count, error);
  if (status == OK && (count == 0 || count > KEYS_MOST)) {
    status = yaml_error(block, error, _("a rule blocks on 1 to %d keys"), KEYS_MOST);
  }
  for (size_t i = 0; status == OK && i < count; i++) {
    status = read_key(plan, block, words[i], &rule->keys[rule->key_count++], error);
  }
  return status;
}

static enum status read_levels(const struct link_plan *plan, const struct yaml *node, uint16_t *masks,
                               struct error *error) {
  int comparison = find_comparison(plan, slice_of(node->key));
  const char *const *words = NULL;
  size_t count = 0;
  if (comparison < 0) {
    return unknown_comparison(plan, node, node->key, error);
  }
  const char *const *levels = simple_comparison_types[plan->comparisons[comparison].kind].levels;
  size_t level_count = list_length(levels);
  enum status status = read_words(plan, node, &words, &count, error);
  for (size_t i = 0; status == OK && i < count; i++) {
    int level = list_find(levels, level_count, slice_of(words[i]));
    if (level < 0) {
      const struct yaml *word = node->kind == YAML_LIST ? &node->children[i] : node;
      return unknown(word, _("level"), levels, level_count, error);
    }
    masks[comparison] = (uint16_t)(masks[comparison] | 1U << level);
  }
  return status;
}

static enum status read_conditions(const struct link_plan *plan, const struct yaml *node, uint16_t *masks,
                                   struct error *error) {
  if (node == NULL) {
    return OK;
  }
  if (node->kind != YAML_MAP) {
    return yaml_error(node, error, "%s", _("a map (comparison: [levels]) was expected"));
  }
  enum status status = OK;
  for (size_t i = 0; status == OK && i < node->count; i++) {
    status = read_levels(plan, &node->children[i], masks, error);
  }
  return status;
}

static enum status read_rule(struct link_plan *plan, const struct yaml *node, struct error *error) {
  static const char *const known[] = {"name", "block", "when", "unless", NULL};
  struct link_rule *rule = &plan->rules[plan->rule_count];
  if (plan->rule_count > RULES_MOST) {
    return yaml_error(node, error, _("more than %d rules"), RULES_MOST);
  }
  *rule = (struct link_rule){.name = yaml_text(node, "name", NULL), .has_unless = yaml_get(node, "unless") != NULL};
  enum status status = yaml_check_keys(node, known, error);
  if (status == OK && rule->name == NULL) {
    status = yaml_error(node, error, _("'name' is missing: explanations call the rule by it"));
  }
  status = status == OK ? read_block(plan, node, rule, error) : status;
  status = status == OK ? read_conditions(plan, yaml_get(node, "when"), rule->accept, error) : status;
  status = status == OK ? read_conditions(plan, yaml_get(node, "unless"), rule->unless, error) : status;
  plan->rule_count++;
  return status;
}

/* The part of the file under `key`, which has to be there and not be empty. */
static enum status read_part(const struct yaml *root, const char *key, enum yaml_kind kind, const struct yaml **part,
                             struct error *error) {
  *part = yaml_get(root, key);
  if (*part == NULL || (*part)->kind != kind || (*part)->count == 0) {
    return yaml_error(*part == NULL ? root : *part, error,
                      kind == YAML_MAP ? _("'%s' has to be a map with at least one entry")
                                       : _("'%s' has to be a list with at least one entry"),
                      key);
  }
  return OK;
}

static enum status read_plan(struct link_plan *plan, const struct yaml *root, struct error *error) {
  static const char *const known[] = {"entity", "block_limit", "compare", "rules", NULL};
  const struct yaml *compare = NULL;
  const struct yaml *rules = NULL;
  int64_t block_most = BLOCK_MOST;
  enum status status = yaml_check_keys(root, known, error);
  status = status == OK ? yaml_int(root, "block_limit", 2, 100000, &block_most, error) : status;
  status = status == OK ? read_part(root, "compare", YAML_MAP, &compare, error) : status;
  status = status == OK ? read_part(root, "rules", YAML_LIST, &rules, error) : status;
  for (size_t i = 0; status == OK && i < compare->count; i++) {
    status = read_comparison(plan, &compare->children[i], error);
  }
  plan->block_most = (size_t)block_most;
  plan->rules[0] = (struct link_rule){.name = "own key"};
  plan->rule_count = 1;
  for (size_t i = 0; status == OK && i < rules->count; i++) {
    status = read_rule(plan, &rules->children[i], error);
  }
  return status;
}

static enum status load(struct link_plan *plan, const char *path, struct error *error) {
  struct buffer bytes;
  struct yaml *root;
  enum status status = file_read(path, FILE_LIMIT, &bytes, error);
  if (status != OK) {
    error->code = status == ERR_NOT_FOUND ? ERR_CONFIG : status;
    return error->code;
  }
  const char *text = arena_text(plan->arena, buffer_view(&bytes));
  plan->text = slice_make(text, text == NULL ? 0 : bytes.len);
  buffer_free(&bytes);
  status = text == NULL ? error_memory(error) : yaml_parse(path, plan->text, plan->arena, &root, error);
  return status == OK ? read_plan(plan, root, error) : status;
}

enum status simple_link_plan_load(const char *path, struct link_plan **plan, struct error *error) {
  *plan = NULL;
  struct link_plan *made = calloc(1, sizeof *made);
  if (made == NULL) {
    return error_memory(error);
  }
  made->arena = arena_new(0);
  enum status status = made->arena == NULL ? error_memory(error) : load(made, path, error);
  if (status != OK) {
    simple_link_plan_free(made);
    return status;
  }
  *plan = made;
  return OK;
}

void simple_link_plan_free(struct link_plan *plan) {
  if (plan != NULL) {
    arena_free(plan->arena);
    free(plan);
  }
}

size_t simple_link_plan_columns(const struct link_plan *plan, const char *const **names) {
  *names = plan->columns;
  return plan->column_count;
}

const char *simple_link_plan_rule(const struct link_plan *plan, uint16_t rule) {
  return rule < plan->rule_count ? plan->rules[rule].name : "";
}

struct slice simple_link_plan_text(const struct link_plan *plan) {
  return plan->text;
}
