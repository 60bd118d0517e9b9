#include "core/resolve/closure.h"
#include "core/resolve/columns.h"
#include "core/resolve/encoded.h"
#include "core/resolve/resolve.h"
#include "core/resolve/twopass.h"

#include <stdlib.h>

#define SEEN_LIMIT ((size_t)1 << 30)

struct pair_view {
  struct store *store;
  const struct model *model;
  enum cluster_kind kind;
  int64_t rows[2];
  struct policy *policy;
  struct staged_rows persons, cases;
  struct buffer seen;
  bool linked[SUCCESSION_SOURCES_MOST];
  struct succession succession;
  struct twopass twopass;
  struct evidence evidence;
  struct link_records records; /* of the kind */
  struct error *error;
};

static enum status read_rows(struct pair_view *view, const struct entity *entity, const struct row_set *rows,
                             struct staged_rows *out) {
  struct row_set records = {0};
  enum status status = row_set_records(rows, &records, view->error);
  struct staged_context context = {.policy = view->policy,
                                   .linked = view->linked,
                                   .succession = &view->succession,
                                   .seen = &view->seen,
                                   .records = records.ids,
                                   .record_count = records.count};
  status = status == OK ? staged_read(view->store, entity, &context, out, view->error) : status;
  if (status == OK && entity == view->policy->person.entity) {
    status = staged_mark(view->store, view->model, &context, out, view->error);
  }
  row_set_free(&records);
  return status;
}

/* The rows of one kind that the two records hold; of the other kind than the pair's with all that hangs together with
 * them, which is what the pair's evidence is made of. */
static enum status read_side(struct pair_view *view, const struct entity *entity, enum cluster_kind kind,
                             struct staged_rows *out) {
  struct row_set rows = {0};
  struct staged_rows own = {.entity = NULL};
  enum status status = OK;
  for (int i = 0; status == OK && i < 2; i++) {
    status = row_set_add(&rows, view->rows[i], view->error);
  }
  row_set_sort(&rows);
  if (status == OK && kind != view->kind) {
    status = read_rows(view, entity, &rows, &own);
    row_set_free(&rows);
    for (size_t i = 0; status == OK && i < own.count; i++) {
      status = row_set_add(&rows, own.row_id[i], view->error);
    }
    row_set_sort(&rows);
    staged_free(&own);
    status = status == OK ? closure_grow(view->store, kind, &rows, view->error) : status;
  }
  status = status == OK ? read_rows(view, entity, &rows, out) : status;
  row_set_free(&rows);
  return status;
}

/* The model in use: what the store has learned, or the one to start with. */
static enum status read_model(const struct pair_view *view, enum cluster_kind kind, struct twopass_side *side) {
  const char *why = NULL;
  enum status status = learned_model(view->store, view->policy, kind, &side->model, NULL, &why, view->error);
  if (status == OK && side->model == NULL) {
    status = learned_start(view->policy, kind, &side->model, NULL, view->error);
  }
  if (status == OK && side->model == NULL) {
    status = error_set(view->error, ERR_NOT_FOUND, "%s", why);
    error_hint(view->error, "%s", _("`puente link` learns it"));
  }
  return status;
}

/* Those that a linking would use now, as it chooses them. */
static enum status read_governed(struct pair_view *view) {
  struct link_model *models[2] = {NULL, NULL};
  struct sha256 digests[2];
  bool approved = false;
  const char *why = NULL;
  enum status status = learned_acting(view->store, view->policy, models, digests, &approved, &why, view->error);
  view->twopass.persons.model = models[CLUSTER_PERSON];
  view->twopass.cases.model = models[CLUSTER_CASE];
  if (status == OK && models[CLUSTER_PERSON] == NULL) {
    status = error_set(view->error, ERR_NOT_FOUND, "%s", why);
    error_hint(view->error, "%s", _("`puente approve list` shows what waits"));
  }
  return status;
}

static enum status read_models(struct pair_view *view) {
  struct twopass *t = &view->twopass;
  t->persons = (struct twopass_side){.plan = view->policy->persons, .rows = &view->persons};
  t->cases = (struct twopass_side){.plan = view->policy->cases, .rows = &view->cases};
  if (approved_texts_govern(view->policy->texts, TEXT_LINK)) {
    return read_governed(view);
  }
  enum status status = read_model(view, CLUSTER_PERSON, &t->persons);
  return status == OK ? read_model(view, CLUSTER_CASE, &t->cases) : status;
}

/* What the other kind says of the two, as the linking of the kind would see it. */
static enum status gather_evidence(struct pair_view *view) {
  struct twopass *t = &view->twopass;
  uint32_t *cluster = NULL;
  enum status status;
  if (view->kind == CLUSTER_PERSON) {
    status = twopass_cases_alone(t, &cluster, view->error);
    status =
        status == OK ? evidence_of_cases(&view->persons, &view->cases, cluster, &view->evidence, view->error) : status;
  } else {
    status = twopass_persons_alone(t, &cluster, view->error);
    status =
        status == OK ? evidence_of_people(&view->persons, &view->cases, cluster, &view->evidence, view->error) : status;
  }
  free(cluster);
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
  for (size_t i = 0; i < view->records.column_count; i++) {
    const struct link_column *column = &view->records.columns[i];
    if (strcmp(column->name, name) == 0) {
      uint32_t value = column->values[row];
      return value == LINK_MISSING ? slice_none() : map_key(column->dictionary, value);
    }
  }
  return slice_none();
}

static enum status tell(const struct pair_view *view, const struct link_plan *plan,
                        const struct link_explanation *found, const uint32_t at[2], resolve_told *told, void *context) {
  struct resolve_pair *pair = calloc(1, sizeof *pair);
  if (pair == NULL) {
    return error_memory(view->error);
  }
  pair->explanation = found;
  pair->block = found->block == LINK_NO_RULE ? NULL : link_plan_block(plan, found->block);
  pair->verdict = found->verdict == LINK_NO_RULE ? NULL : link_plan_rule(plan, found->verdict);
  for (size_t i = 0; i < found->count; i++) {
    for (size_t j = 0; j < found->comparisons[i].column_count; j++) {
      for (int side = 0; side < 2; side++) {
        pair->values[side][i][j] = value_of(view, found->comparisons[i].columns[j], at[side]);
      }
    }
  }
  enum status status = OK;
  if (view->kind == CLUSTER_PERSON) {
    status = encoded_pair(view->store, &view->persons, at, &pair->encoded, &pair->dice, view->error);
  }
  status = status != OK ? status : told(context, pair) == OK ? OK : error_memory(view->error);
  free(pair);
  return status;
}

static enum status compare_both(struct pair_view *view, resolve_told *told, void *context) {
  struct twopass *t = &view->twopass;
  struct twopass_side *side = view->kind == CLUSTER_PERSON ? &t->persons : &t->cases;
  struct link_explanation found;
  uint32_t at[2] = {0, 0};
  enum status status = find_row(view, side->rows, 0, &at[0]);
  status = status == OK ? find_row(view, side->rows, 1, &at[1]) : status;
  status = status == OK ? gather_evidence(view) : status;
  if (status == OK) {
    status = learned_decisions(view->store, view->kind, view->kind == CLUSTER_PERSON ? &view->persons : &view->cases,
                               &side->decisions, &side->decision_count, view->error);
  }
  if (status == OK) {
    status = twopass_records(side, &view->cases, &view->evidence, &view->records, view->error);
  }
  if (status == OK) {
    status = link_explain(side->plan, &view->records, side->model, at[0], at[1], &found, view->error);
  }
  return status == OK ? tell(view, side->plan, &found, at, told, context) : status;
}

static enum status read_succession(struct pair_view *view, const struct config *config) {
  int *ids = calloc(config->source_count + 1, sizeof *ids);
  bool same = false;
  enum status status =
      ids == NULL ? error_memory(view->error)
                  : store_sources_stand(view->store, config->sources, config->source_count, ids, &same, view->error);
  if (status == OK) {
    succession_make(config, ids, &view->succession);
  }
  free(ids);
  return status;
}

enum status resolve_explain(struct store *store, const struct config *config, const struct approved_texts *texts,
                            const struct model *model, enum cluster_kind kind, int64_t row_a, int64_t row_b,
                            resolve_told *told, void *context, struct error *error) {
  struct pair_view *view = calloc(1, sizeof *view);
  if (view == NULL) {
    return error_memory(error);
  }
  *view = (struct pair_view){.store = store, .model = model, .kind = kind, .rows = {row_a, row_b}, .error = error};
  memset(view->linked, true, sizeof view->linked);
  buffer_init(&view->seen, SEEN_LIMIT);
  enum status status = policy_load(config->link_file, texts, model, &view->policy, error);
  status = status == OK ? read_succession(view, config) : status;
  status = status == OK ? read_models(view) : status;
  status = status == OK ? read_side(view, view->policy->one_case.entity, CLUSTER_CASE, &view->cases) : status;
  status = status == OK ? read_side(view, view->policy->person.entity, CLUSTER_PERSON, &view->persons) : status;
  status = status == OK ? compare_both(view, told, context) : status;
  columns_free(view->records.columns, view->records.column_count);
  evidence_free(&view->evidence);
  twopass_free(&view->twopass);
  staged_free(&view->persons);
  staged_free(&view->cases);
  buffer_free(&view->seen);
  policy_free(view->policy);
  free(view);
  return status;
}
