#include "core/base/text.h"
#include "core/service/access.h"
#include "core/service/figure.h"
#include "core/service/release_count.h"
#include "core/service/release_make.h"
#include "core/store/erase.h"

#include <string.h>

/* A cell of a released table, found by what was asked for. */
struct telling {
  struct workspace *workspace;
  struct arena *arena;
  const struct figure_request *request;
  struct released released;
  const struct released_table *table;
  struct release_table_plan plan;
  int base; /* of the release's rounding; 0: it suppressed */
  struct ledger_cell *cells;
  size_t count;
  struct ledger_cell wanted;
  const struct ledger_cell *cell;
};

/* ---- the table ---- */

static enum status open_table(struct telling *telling, const char *reference, struct error *error) {
  enum status status = releasing_open(telling->workspace, reference, telling->arena, &telling->released, error);
  if (status != OK) {
    return status;
  }
  telling->table = released_table(&telling->released, telling->request->indicator, error);
  if (telling->table == NULL) {
    return ERR_USAGE;
  }
  if (telling->table->settings == NULL) {
    error_set(error, ERR_USAGE, _("'%s' is a text beside the figures"), telling->table->name);
    error_hint(error, "%s", _("`puente release list` shows the tables of each release"));
    return ERR_USAGE;
  }
  telling->plan.name = telling->table->name;
  status = release_base_read(telling->released.settings, telling->arena, &telling->base, error);
  status = status != OK ? status
                        : release_table_read(slice_of(telling->table->settings), telling->arena, &telling->plan, error);
  status = status == OK ? release_cells_read(telling->workspace, telling->released.id, telling->table, telling->arena,
                                             &telling->cells, &telling->count, error)
                        : status;
  for (size_t i = 0; i < telling->count && status == OK; i++) {
    for (size_t f = 0; f < telling->plan.by_count; f++) { /* a margin may stand as no value */
      const char **value = &telling->cells[i].values[f];
      *value = *value == NULL ? RELEASE_TOTAL : *value;
    }
  }
  return status;
}

/* ---- the cell ---- */

static enum status no_field(const struct telling *telling, const char *field, struct error *error) {
  error_set(error, ERR_USAGE, _("table '%s' has no field '%s'"), telling->table->name, field);
  const char *nearest = text_nearest(slice_of(field), telling->plan.by, telling->plan.by_count);
  error_hint(error, _("did you mean '%s'?"), nearest == NULL ? telling->plan.by[0] : nearest);
  return ERR_USAGE;
}

/* A row as `release show --json` prints it may be pasted whole. */
static bool beside(const char *field) {
  return strcmp(field, "figure") == 0 || strcmp(field, "status") == 0;
}

static enum status read_wanted(struct telling *telling, struct error *error) {
  for (size_t f = 0; f < telling->plan.by_count; f++) {
    telling->wanted.values[f] = RELEASE_TOTAL;
  }
  for (size_t i = 0; i < telling->request->condition_count; i++) {
    const struct condition *condition = &telling->request->conditions[i];
    size_t f = 0;
    while (f < telling->plan.by_count && strcmp(telling->plan.by[f], condition->field) != 0) {
      f++;
    }
    if (f < telling->plan.by_count) {
      telling->wanted.values[f] = condition->value[0] == '\0' ? RELEASE_NOT_RECORDED : condition->value;
    } else if (!beside(condition->field)) {
      return no_field(telling, condition->field, error);
    }
  }
  return OK;
}

/* Fields in which a cell is as it was asked for. */
static size_t likeness(const struct telling *telling, const struct ledger_cell *cell) {
  size_t alike = 0;
  for (size_t f = 0; f < telling->plan.by_count; f++) {
    alike += strcmp(cell->values[f], telling->wanted.values[f]) == 0;
  }
  return alike;
}

/* A value that no cell has; else a cell that counted nobody, as far as the release tells. */
static enum status no_cell(const struct telling *telling, struct error *error) {
  const char **names = arena_array(telling->arena, telling->count + 1, sizeof *names);
  const struct ledger_cell *best = NULL;
  if (names == NULL) {
    return error_memory(error);
  }
  for (size_t f = 0; f < telling->plan.by_count && telling->count > 0; f++) {
    const char *value = telling->wanted.values[f];
    bool known = false;
    for (size_t i = 0; i < telling->count; i++) {
      names[i] = telling->cells[i].values[f];
      known = known || strcmp(names[i], value) == 0;
    }
    if (!known) {
      const char *nearest = text_nearest(slice_of(value), names, telling->count);
      error_set(error, ERR_USAGE, _("no row of table '%s' has %s '%s'"), telling->table->name, telling->plan.by[f],
                value);
      error_hint(error, _("the nearest is %s"), nearest == NULL ? names[0] : nearest);
      return ERR_USAGE;
    }
  }
  for (size_t i = 0; i < telling->count; i++) {
    best = best == NULL || likeness(telling, &telling->cells[i]) > likeness(telling, best) ? &telling->cells[i] : best;
  }
  error_set(error, ERR_USAGE,
            telling->base > 0 ? _("table '%s' has no cell %s: it counted nobody, or few who round to zero")
                              : _("table '%s' has no cell %s: it counted nobody"),
            telling->table->name, release_cell_name(&telling->plan, &telling->wanted, telling->arena));
  if (best != NULL) {
    error_hint(error, _("the nearest is %s"), release_cell_name(&telling->plan, best, telling->arena));
  }
  return ERR_USAGE;
}

static enum status find_cell(struct telling *telling, struct error *error) {
  enum status status = read_wanted(telling, error);
  for (size_t i = 0; i < telling->count && status == OK && telling->cell == NULL; i++) {
    telling->cell = likeness(telling, &telling->cells[i]) == telling->plan.by_count ? &telling->cells[i] : NULL;
  }
  if (status != OK || telling->cell == NULL) {
    return status != OK ? status : no_cell(telling, error);
  }
  bool seen = telling->request->exact || telling->request->sight.reveal;
  return (telling->cell->hidden || telling->base > 0) && !seen ? figure_hidden(telling->base, error) : OK;
}

/* ---- whether it is counted so again ---- */

struct leaving {
  int64_t run, count;
};

static enum status take_erasure(void *context, const struct erasure *erasure, struct error *error) {
  struct leaving *leaving = context;
  (void)error;
  leaving->count += erasure->kind == ERASURE_KEY && erasure->run > leaving->run;
  return OK;
}

/* What is known of why it is not. */
static enum status tell_why(const struct telling *telling, json_t *release, struct error *error) {
  struct releasing_check check;
  struct leaving leaving = {.run = telling->released.run};
  const char *cell = release_cell_name(&telling->plan, telling->cell, telling->arena);
  json_t *findings = json_array();
  json_object_set_new(release, "findings", findings);
  bool seen = !access_restricted(telling->workspace); /* others may not see what was taken out */
  enum status status = seen ? store_visit_erasures(telling->workspace->store, 0, take_erasure, &leaving, error) : OK;
  if (status != OK) {
    return status;
  }
  json_object_set_new(release, "erased", seen ? json_integer(leaving.count) : json_null());
  status = releasing_verify(telling->workspace, &telling->released, telling->arena, &check, error);
  if (status != OK) {
    return status;
  }
  json_object_set_new(release, "changed", check.changed == NULL ? json_null() : json_string(check.changed));
  for (size_t i = 0; i < check.count; i++) {
    const struct releasing_finding *finding = &check.findings[i];
    bool here = finding->table == NULL || strcmp(finding->table, telling->table->name) == 0;
    if (here && (finding->cell == NULL || strcmp(finding->cell, cell) == 0)) {
      json_array_append_new(
          findings, json_pack("{ss? ss? ss?}", "cell", finding->cell, "frozen", finding->frozen, "now", finding->now));
    }
  }
  return OK;
}

static enum status add_release(const struct telling *telling, const struct figure *figure, json_t *answer,
                               struct error *error) {
  const struct released *released = &telling->released;
  const struct ledger_cell *cell = telling->cell;
  int64_t again = figure->extent.figure; /* as it would be published */
  if (telling->base > 0) {
    enum status status = release_round_cell(telling->workspace, &telling->plan, released->run, cell->values,
                                            telling->base, &again, error);
    if (status != OK) {
      return status;
    }
  }
  bool same = !cell->hidden && cell->figure == again;
  json_t *release = json_pack("{sI ss ss sI ss ss ss ss si so so}", "id", (json_int_t)released->id, "name",
                              released->name, "made", released->made, "run", (json_int_t)released->run, "digest",
                              released->digest, "table", telling->table->name, "table_digest", telling->table->digest,
                              "cell", release_cell_name(&telling->plan, cell, telling->arena), "rounded", telling->base,
                              "published", cell->hidden ? json_null() : json_integer(cell->figure), "same",
                              cell->hidden ? json_null() : json_boolean(same));
  if (release == NULL) {
    return error_memory(error);
  }
  json_object_set_new(answer, "release", release);
  json_object_del(answer, "least");
  return same || cell->hidden ? OK : tell_why(telling, release, error);
}

/* ---- all ---- */

static enum status tell(struct telling *telling, json_t **answer, struct error *error) {
  struct figure_request asked = *telling->request;
  struct figure figure;
  asked.indicator = telling->plan.indicator.name;
  asked.release = &telling->released;
  asked.table = &telling->plan;
  asked.condition_count = 0;
  for (size_t f = 0; f < telling->plan.by_count; f++) {
    const char *value = telling->cell->values[f];
    if (strcmp(value, RELEASE_TOTAL) != 0) {
      asked.conditions[asked.condition_count++] = (struct condition){
          .field = telling->plan.by[f], .value = strcmp(value, RELEASE_NOT_RECORDED) == 0 ? "" : value};
    }
  }
  enum status status = figure_find(telling->workspace, &asked, &figure, error);
  status = status == OK ? figure_json(telling->workspace, &figure, &asked.sight, answer, error) : status;
  status = status == OK ? add_release(telling, &figure, *answer, error) : status;
  figure_free(&figure);
  return status;
}

enum status explain_released(struct workspace *workspace, const char *reference, const struct figure_request *request,
                             json_t **answer, struct error *error) {
  struct telling telling = {.workspace = workspace, .arena = arena_new((size_t)8 << 30), .request = request};
  *answer = NULL;
  enum status status = telling.arena == NULL ? error_memory(error) : access_require(workspace, RIGHT_LOG, error);
  status = status == OK ? open_table(&telling, reference, error) : status;
  status = status == OK ? find_cell(&telling, error) : status;
  status = status == OK ? tell(&telling, answer, error) : status;
  if (status != OK) {
    json_decref(*answer);
    *answer = NULL;
  }
  arena_free(telling.arena);
  return status;
}
