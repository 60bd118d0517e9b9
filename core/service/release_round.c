#include "core/base/node.h"
#include "core/service/cube_fields.h"
#include "core/service/release_count.h"
#include "core/service/rounding.h"

#include <stdlib.h>
#include <string.h>

/* Rounded figures of a release: a cell is named as in a report (rounding.h). */

struct rounding {
  const struct workspace *workspace;
  const struct release_table_plan *table;
  struct cube_plan *plan;
  int base;
};

static enum status start(struct rounding *rounding, int64_t run, struct error *error) {
  const struct release_table_plan *table = rounding->table;
  const struct cube_request asked = {.workspace = rounding->workspace,
                                     .indicator = &table->indicator,
                                     .by = table->by,
                                     .by_count = table->by_count,
                                     .as_of_run = run};
  rounding->plan = malloc(sizeof *rounding->plan);
  return rounding->plan == NULL ? error_memory(error) : cube_plan_make(&asked, rounding->plan, error);
}

/* The cell's conditions, then its values by field; NULL: the field is left out. */
static enum status round_cell(const struct rounding *rounding, const char *const *values, int64_t *figure,
                              struct error *error) {
  const struct cube_plan *plan = rounding->plan;
  struct rounding_part parts[ROUNDING_PARTS_MOST];
  size_t count = 0;
  for (; count < plan->condition_count; count++) {
    parts[count] = (struct rounding_part){.field = plan->conditions[count].name,
                                          .kind = plan->conditions[count].kind,
                                          .axes = plan->conditions[count].axes,
                                          .value = slice_of(plan->wanted[count])};
  }
  for (size_t f = 0; f < rounding->table->by_count; f++) {
    if (values[f] != NULL) {
      parts[count++] = (struct rounding_part){
          .field = plan->by[f].name, .kind = plan->by[f].kind, .axes = plan->by[f].axes, .value = slice_of(values[f])};
    }
  }
  return rounding_round(rounding->workspace, &rounding->table->indicator, NULL, parts, count, rounding->base, figure,
                        error);
}

static enum status round_subset(const struct rounding *rounding, struct release_counted *counted, unsigned left_out,
                                struct arena *arena, struct error *error) {
  struct release_figures *figures = &counted->subsets[left_out];
  const struct release_table_plan *table = rounding->table;
  size_t size = 1;
  for (size_t f = 0; f < table->by_count; f++) {
    size *= (left_out >> f & 1) == 0 ? counted->sizes[f] : 1;
  }
  int64_t *rounded = arena_array(arena, size, sizeof *rounded);
  enum status status = rounded == NULL ? error_memory(error) : OK;
  for (size_t place = 0; place < size && status == OK; place++) {
    const char *values[RELEASE_FIELDS_MOST] = {NULL};
    for (size_t f = 0; f < table->by_count; f++) {
      if ((left_out >> f & 1) == 0) {
        size_t value = place / figures->strides[f] % counted->sizes[f];
        values[f] = value + 1 < counted->sizes[f] ? counted->values[f][value] : "";
      }
    }
    rounded[place] = figures->counts[place];
    status = rounded[place] == 0 ? OK : round_cell(rounding, values, &rounded[place], error);
  }
  figures->counts = rounded;
  return status;
}

enum status release_round(const struct release_request *request, const struct release_table_plan *table,
                          struct arena *arena, struct release_counted *counted, struct error *error) {
  struct rounding rounding = {.workspace = request->workspace, .table = table, .base = request->settings.base};
  enum status status = start(&rounding, request->as_of_run, error);
  for (unsigned left_out = 0; left_out < 1U << table->by_count && status == OK; left_out++) {
    status = round_subset(&rounding, counted, left_out, arena, error);
  }
  free(rounding.plan);
  return status;
}

enum status release_round_cell(const struct workspace *workspace, const struct release_table_plan *table, int64_t run,
                               const char *const *values, int base, int64_t *figure, struct error *error) {
  struct rounding rounding = {.workspace = workspace, .table = table, .base = base};
  const char *named[RELEASE_FIELDS_MOST] = {NULL};
  for (size_t f = 0; f < table->by_count; f++) {
    bool left_out = strcmp(values[f], RELEASE_TOTAL) == 0;
    named[f] = left_out ? NULL : strcmp(values[f], RELEASE_NOT_RECORDED) == 0 ? "" : values[f];
  }
  enum status status = start(&rounding, run, error);
  status = status == OK ? round_cell(&rounding, named, figure, error) : status;
  free(rounding.plan);
  return status;
}

enum status release_base_read(const char *settings, struct arena *arena, int *base, struct error *error) {
  struct node *root = NULL;
  *base = 0;
  enum status status = json_read(slice_of(settings), arena, &root, error);
  const struct node *node = status == OK ? node_at(root, "base") : NULL;
  if (node != NULL) {
    bool known = slice_is(node->text, "3") || slice_is(node->text, "5");
    *base = known ? node->text.data[0] - '0' : 0;
    status = known ? OK : error_set(error, ERR_STORE, "%s", _("the settings of a release cannot be read"));
  }
  return status;
}
