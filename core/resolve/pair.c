#include "core/resolve/columns.h"
#include "core/resolve/resolve.h"

#include <stdio.h>
#include <stdlib.h>

enum { SEEN_LIMIT = 1 << 20 };

struct pair_view {
  struct store *store;
  const struct model *model;
  enum cluster_kind kind;
  int64_t rows[2];
  resolve_compared *compared;
  void *context;
  struct resolve_pair *pair;
  struct error *error;
  struct policy *policy;
  struct staged_rows persons, cases;
  struct link_column *columns;
  size_t column_count;
};

static enum status read_both(struct pair_view *view) {
  static bool linked[STAGED_SOURCES_MOST];
  struct buffer seen;
  int64_t records[2] = {record_of(view->rows[0]), record_of(view->rows[1])};
  buffer_init(&seen, SEEN_LIMIT);
  for (size_t i = 0; i < STAGED_SOURCES_MOST; i++) {
    linked[i] = true;
  }
  struct staged_context context = {.policy = view->policy,
                                   .linked = linked,
                                   .seen = &seen,
                                   .records = records,
                                   .record_count = records[0] == records[1] ? 1 : 2};
  enum status status = staged_read(view->store, view->policy->one_case.entity, &context, &view->cases, view->error);
  if (status == OK && view->kind == CLUSTER_PERSON) {
    status = staged_read(view->store, view->policy->person.entity, &context, &view->persons, view->error);
    status = status == OK ? staged_mark(view->store, view->model, &context, &view->persons, view->error) : status;
  }
  buffer_free(&seen);
  return status;
}

static enum status find_row(const struct pair_view *view, const struct staged_rows *rows, int side, uint32_t *found) {
  for (size_t i = 0; i < rows->count; i++) {
    if (rows->row_id[i] == view->rows[side]) {
      *found = (uint32_t)i;
      return OK;
    }
  }
  error_set(view->error, ERR_NOT_FOUND, _("row %lld is not a current %s"), (long long)view->rows[side],
            view->kind == CLUSTER_PERSON ? "person" : "case");
  error_hint(view->error, "%s", _("`puente explain person ID` lists rows and pairs"));
  return ERR_NOT_FOUND;
}

static struct slice value_of(const struct pair_view *view, const char *name, uint32_t row) {
  for (size_t i = 0; i < view->column_count; i++) {
    if (strcmp(view->columns[i].name, name) == 0) {
      uint32_t value = view->columns[i].values[row];
      return value == LINK_MISSING ? slice_make(NULL, 0) : map_key(view->columns[i].dictionary, value);
    }
  }
  return (struct slice){0};
}

static enum status tell(struct pair_view *view, const struct link_plan *plan, const struct link_explanation *found,
                        uint32_t a, uint32_t b) {
  enum status status = OK;
  const char *rule = found->rule < 0 ? "" : simple_link_plan_rule(plan, (uint16_t)found->rule);
  snprintf(view->pair->rule, sizeof view->pair->rule, "%s", rule);
  view->pair->apart = found->apart;
  for (size_t i = 0; status == OK && i < found->count; i++) {
    const struct link_comparison *comparison = &found->comparisons[i];
    struct slice left[LINK_FROM_MOST];
    struct slice right[LINK_FROM_MOST];
    for (size_t j = 0; j < comparison->column_count; j++) {
      left[j] = value_of(view, comparison->columns[j], a);
      right[j] = value_of(view, comparison->columns[j], b);
    }
    status = view->compared(view->context, comparison, left, right);
  }
  return status == OK ? OK : error_memory(view->error);
}

static enum status compare_both(struct pair_view *view) {
  bool persons = view->kind == CLUSTER_PERSON;
  const struct link_plan *plan = persons ? view->policy->persons : view->policy->cases;
  const struct staged_rows *rows = persons ? &view->persons : &view->cases;
  struct link_explanation found;
  uint32_t at[2] = {0, 0};
  enum status status = find_row(view, rows, 0, &at[0]);
  status = status == OK ? find_row(view, rows, 1, &at[1]) : status;
  if (status == OK) {
    status = columns_make(plan, rows, &view->cases, &view->columns, &view->column_count, view->error);
  }
  if (status != OK) {
    return status;
  }
  struct link_records records = {.count = rows->count, .columns = view->columns, .column_count = view->column_count};
  if (persons) {
    records.group = rows->group;
    records.same = rows->key;
    records.role = rows->role;
    records.sealed = rows->sealed;
  }
  status = simple_link_explain(plan, &records, at[0], at[1], &found, view->error);
  return status == OK ? tell(view, plan, &found, at[0], at[1]) : status;
}

enum status resolve_explain(struct store *store, const struct config *config, const struct model *model,
                            enum cluster_kind kind, int64_t row_a, int64_t row_b, resolve_compared *compared,
                            void *context, struct resolve_pair *pair, struct error *error) {
  struct pair_view view = {.store = store,
                           .model = model,
                           .kind = kind,
                           .rows = {row_a, row_b},
                           .compared = compared,
                           .context = context,
                           .pair = pair,
                           .error = error};
  *pair = (struct resolve_pair){.apart = false};
  enum status status = policy_load(config->link_file, model, &view.policy, error);
  status = status == OK ? read_both(&view) : status;
  status = status == OK ? compare_both(&view) : status;
  columns_free(view.columns, view.column_count);
  staged_free(&view.persons);
  staged_free(&view.cases);
  policy_free(view.policy);
  return status;
}
