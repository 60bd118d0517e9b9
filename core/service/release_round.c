#include "core/base/node.h"
#include "core/service/cube_fields.h"
#include "core/service/release_count.h"
#include "core/service/rounding.h"

#include <stdlib.h>

/* Rounded figures of a release: a cell is named as in a report (rounding.h). */

struct rounding {
  const struct release_request *request;
  const struct release_table_plan *table;
  const struct cube_plan *plan;
  struct release_counted *counted;
};

/* The cell's conditions, then the fields that are not left out. */
static size_t name_cell(const struct rounding *rounding, unsigned left_out, size_t place, struct rounding_part *parts) {
  const struct cube_plan *plan = rounding->plan;
  const struct release_counted *counted = rounding->counted;
  size_t count = 0;
  for (; count < plan->condition_count; count++) {
    parts[count] = (struct rounding_part){.field = plan->conditions[count].name,
                                          .kind = plan->conditions[count].kind,
                                          .axes = plan->conditions[count].axes,
                                          .value = slice_of(plan->wanted[count])};
  }
  for (size_t f = 0; f < rounding->table->by_count; f++) {
    if ((left_out >> f & 1) == 0) {
      size_t value = place / counted->subsets[left_out].strides[f] % counted->sizes[f];
      bool recorded = value + 1 < counted->sizes[f];
      parts[count++] = (struct rounding_part){.field = plan->by[f].name,
                                              .kind = plan->by[f].kind,
                                              .axes = plan->by[f].axes,
                                              .value = slice_of(recorded ? counted->values[f][value] : "")};
    }
  }
  return count;
}

static enum status round_subset(const struct rounding *rounding, unsigned left_out, struct arena *arena,
                                struct error *error) {
  struct release_figures *figures = &rounding->counted->subsets[left_out];
  struct rounding_part parts[ROUNDING_PARTS_MOST];
  size_t size = 1;
  for (size_t f = 0; f < rounding->table->by_count; f++) {
    size *= (left_out >> f & 1) == 0 ? rounding->counted->sizes[f] : 1;
  }
  int64_t *rounded = arena_array(arena, size, sizeof *rounded);
  enum status status = rounded == NULL ? error_memory(error) : OK;
  for (size_t place = 0; place < size && status == OK; place++) {
    rounded[place] = figures->counts[place];
    if (rounded[place] != 0) {
      size_t count = name_cell(rounding, left_out, place, parts);
      status = rounding_round(rounding->request->workspace, &rounding->table->indicator, NULL, parts, count,
                              rounding->request->settings.base, &rounded[place], error);
    }
  }
  figures->counts = rounded;
  return status;
}

enum status release_round(const struct release_request *request, const struct release_table_plan *table,
                          struct arena *arena, struct release_counted *counted, struct error *error) {
  const struct cube_request asked = {.workspace = request->workspace,
                                     .indicator = &table->indicator,
                                     .by = table->by,
                                     .by_count = table->by_count,
                                     .as_of_run = request->as_of_run};
  struct cube_plan *plan = malloc(sizeof *plan);
  const struct rounding rounding = {.request = request, .table = table, .plan = plan, .counted = counted};
  enum status status = plan == NULL ? error_memory(error) : cube_plan_make(&asked, plan, error);
  for (unsigned left_out = 0; left_out < 1U << table->by_count && status == OK; left_out++) {
    status = round_subset(&rounding, left_out, arena, error);
  }
  free(plan);
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
