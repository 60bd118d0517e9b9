/* Reads a file of config/link. */
#include "core/link/plan_read.h"

#include "core/base/file.h"
#include "core/base/text.h"

#include <stdlib.h>

#define FILE_LIMIT ((size_t)1024 * 1024)
#define BLOCK_MOST 500

const char *const plan_keys[] = {"entity", "id",      "block_most", "compare", "block", "rules",
                                 "train",  "cluster", "band",       "truth",   NULL};

const struct comparison_type comparison_types[COMPARISON_KINDS] = {
    [COMPARE_DOCUMENT] = {"document", (const char *const[]){"missing", "same", "slip", "conflict", NULL},
                          (const char *const[]){"number", "prefix", "suffix", NULL}, 1, 2},
    [COMPARE_GIVEN] = {"given_names",
                       (const char *const[]){"missing", "same_set", "subset", "initials", "fuzzy", "diminutive",
                                             "swapped", "else", NULL},
                       (const char *const[]){"first", "any", "sound", NULL}, 1, 2},
    [COMPARE_SURNAMES] = {"surnames",
                          (const char *const[]){"missing", "both_exact", "both_swapped", "paternal_exact", "both_fuzzy",
                                                "paternal_conflict", "maternal_only", "phonetic", "else", NULL},
                          (const char *const[]){"paternal", "maternal", "any", "sound", NULL}, 2, 2},
    [COMPARE_NAME] = {"name", (const char *const[]){"missing", "same_set", "subset", "fuzzy", "slip", "else", NULL},
                      (const char *const[]){"any", "sound", "pair", NULL}, 1, LINK_FROM_MOST},
    [COMPARE_DATE] = {"date",
                      (const char *const[]){"missing", "full", "slip", "month_and_year", "year", "near", "else", NULL},
                      (const char *const[]){"year", "month_and_year", "day_and_month", NULL}, 1, 1},
    [COMPARE_AGE] = {"age", (const char *const[]){"missing", "same", "near", "near2", "else", NULL},
                     (const char *const[]){NULL}, 1, 1},
    [COMPARE_TEXT] = {"text",
                      (const char *const[]){"missing", "exact", "jaro_winkler", "damerau_levenshtein", "jaccard",
                                            "else", NULL},
                      (const char *const[]){"prefix", "token", "sound", NULL}, 1, 1},
    [COMPARE_CODE] = {"code", (const char *const[]){"missing", "same", "else", NULL},
                      (const char *const[]){"any", NULL}, 1, 1},
    [COMPARE_NUMBER] = {"number", (const char *const[]){"missing", "same", "slip", "else", NULL},
                        (const char *const[]){"prefix", NULL}, 1, 1},
    [COMPARE_DAYS] = {"days", (const char *const[]){"missing", "same", "week", "month", "quarter", "else", NULL},
                      (const char *const[]){NULL}, 1, LINK_FROM_MOST},
    [COMPARE_PLACE] = {"place", (const char *const[]){"missing", "same", "within", "near", "else", NULL},
                       (const char *const[]){"region", NULL}, 1, 1},
};

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

/* A word that may be absent. */
static enum status read_word(const struct yaml *root, const char *key, const char **word, struct error *error) {
  const struct yaml *node = yaml_get(root, key);
  if (node != NULL && (node->kind != YAML_SCALAR || node->text[0] == '\0')) {
    return yaml_error(node, error, "%s", _("a word was expected"));
  }
  *word = node == NULL ? NULL : node->text;
  return OK;
}

static enum status read_compare(struct link_plan *plan, const struct yaml *root, struct error *error) {
  const struct yaml *compare = NULL;
  enum status status = read_part(root, "compare", YAML_MAP, &compare, error);
  for (size_t i = 0; status == OK && i < compare->count; i++) {
    status = plan_read_comparison(plan, &compare->children[i], error);
  }
  return status;
}

static enum status read_plan(struct link_plan *plan, const struct yaml *root, struct error *error) {
  const struct yaml *block = NULL;
  const struct yaml *rules = yaml_get(root, "rules");
  int64_t block_most = BLOCK_MOST;
  enum status status = yaml_check_keys(root, plan_keys, error);
  status = status == OK ? read_word(root, "entity", &plan->entity, error) : status;
  status = status == OK ? read_word(root, "id", &plan->id, error) : status;
  status = status == OK ? yaml_int(root, "block_most", 2, 1000000, &block_most, error) : status;
  status = status == OK ? read_compare(plan, root, error) : status;
  status = status == OK ? read_part(root, "block", YAML_LIST, &block, error) : status;
  status = status == OK ? plan_read_blocks(plan, block, error) : status;
  status = status == OK && rules != NULL ? plan_read_rules(plan, rules, error) : status;
  status = status == OK ? plan_read_train(plan, yaml_get(root, "train"), error) : status;
  status = status == OK ? plan_read_cluster(plan, yaml_get(root, "cluster"), error) : status;
  status = status == OK ? plan_read_band(plan, yaml_get(root, "band"), error) : status;
  status = status == OK ? plan_read_truth(plan, yaml_get(root, "truth"), error) : status;
  plan->block_most = (size_t)block_most;
  return status;
}

static enum status load(struct link_plan *plan, const char *path, const struct approved_texts *texts,
                        struct error *error) {
  struct buffer bytes;
  struct yaml *root;
  enum status status = approved_texts_read(texts, TEXT_LINK, path, FILE_LIMIT, &bytes, error);
  if (status != OK) {
    error->code = status == ERR_NOT_FOUND || status == ERR_LIMIT ? ERR_CONFIG : status;
    return error->code;
  }
  const char *text = arena_text(plan->arena, buffer_view(&bytes));
  plan->text = slice_make(text, text == NULL ? 0 : bytes.len);
  plan->path = arena_text(plan->arena, slice_of(path));
  buffer_free(&bytes);
  bool stored = text != NULL && plan->path != NULL;
  status = stored ? yaml_parse(path, plan->text, plan->arena, &root, error) : error_memory(error);
  return status == OK ? read_plan(plan, root, error) : status;
}

enum status link_plan_load(const char *path, struct link_plan **plan, struct error *error) {
  return link_plan_load_approved(path, NULL, plan, error);
}

enum status link_plan_load_approved(const char *path, const struct approved_texts *texts, struct link_plan **plan,
                                    struct error *error) {
  *plan = NULL;
  struct link_plan *made = calloc(1, sizeof *made);
  if (made == NULL) {
    return error_memory(error);
  }
  made->arena = arena_new(0);
  enum status status = made->arena == NULL ? error_memory(error) : load(made, path, texts, error);
  if (status != OK) {
    link_plan_free(made);
    return status;
  }
  *plan = made;
  return OK;
}

void link_plan_free(struct link_plan *plan) {
  if (plan != NULL) {
    arena_free(plan->arena);
    free(plan);
  }
}

size_t link_plan_columns(const struct link_plan *plan, const char *const **names) {
  *names = plan->columns;
  return plan->column_count;
}

size_t link_plan_block_count(const struct link_plan *plan) {
  return plan->block_count;
}

const char *link_plan_block(const struct link_plan *plan, uint16_t block) {
  return block < plan->block_count ? plan->blocks[block].name : "";
}

const char *link_plan_rule(const struct link_plan *plan, uint16_t rule) {
  return rule < plan->rule_count ? plan->rules[rule].name : "";
}

struct slice link_plan_text(const struct link_plan *plan) {
  return plan->text;
}

struct link_band link_plan_band(const struct link_plan *plan) {
  return plan->band;
}
