#include "core/disclose/disclose.h"
#include "core/service/cube_cells.h"
#include "core/service/cube_fields.h"
#include "core/service/rounding.h"

#include <stdlib.h>

enum { NAME_LIMIT = 1 << 16 };

/* What a field is made of, where that can differ. */
static const char *made_of(const struct rounding_part *part) {
  static const char *const dates[] = {"facts", "filing", "registration"}, *const places[] = {"facts", "residence"};
  switch (part->kind) {
  case CUBE_YEAR:
  case CUBE_PERIOD:
  case CUBE_MONTH:
    return dates[part->axes->date];
  case CUBE_REGION:
  case CUBE_DEPARTMENT:
  case CUBE_PROVINCE:
    return places[part->axes->place];
  case CUBE_AGE:
  case CUBE_AGE_BAND:
    return dates[part->axes->age];
  default:
    return "";
  }
}

static int by_part(const void *a, const void *b) {
  const struct rounding_part *left = a, *right = b;
  int order = strcmp(left->field, right->field);
  order = order != 0 ? order : strcmp(made_of(left), made_of(right));
  return order != 0 ? order : slice_compare(left->value, right->value);
}

static void write_name(const struct indicator *indicator, const char *source, const struct rounding_part *parts,
                       size_t count, struct buffer *out) {
  buffer_printf(out, "%s/%s/%s", indicator->unit == UNIT_PERSON ? "person" : "case",
                indicator->role == NULL ? "" : indicator->role, source == NULL ? "" : source);
  for (size_t i = 0; i < count; i++) {
    if (i == 0 || by_part(&parts[i], &parts[i - 1]) != 0) {
      buffer_printf(out, "|%s@%s=", parts[i].field, made_of(&parts[i]));
      buffer_json(out, parts[i].value.data == NULL ? slice_of("") : parts[i].value);
    }
  }
}

enum status rounding_round(const struct workspace *workspace, const struct indicator *indicator, const char *source,
                           const struct rounding_part *parts, size_t count, int base, int64_t *figure,
                           struct error *error) {
  struct rounding_part sorted[ROUNDING_PARTS_MOST];
  struct buffer name;
  if (workspace->key == NULL) {
    error_set(error, ERR_CONFIG, "%s", _("figures are rounded by the workspace key, and there is none"));
    error_hint(error, "%s", _("`key:` of puente.yaml names its file"));
    return ERR_CONFIG;
  }
  memcpy(sorted, parts, count * sizeof *parts);
  qsort(sorted, count, sizeof *sorted, by_part);
  buffer_init(&name, NAME_LIMIT);
  write_name(indicator, source, sorted, count, &name);
  enum status status = buffer_check(&name, _("a cell's name"), error);
  if (status == OK) {
    const struct subkey seed = key_subkey(workspace->key, "round");
    *figure = disclose_round(seed.bytes, name.data, *figure, base);
  }
  buffer_free(&name);
  return status;
}

/* The conditions' parts stand behind those of the cell's fields. */
static enum status round_cell(const struct cube_request *request, const struct cube *cube, const uint32_t *values,
                              struct rounding_part *parts, size_t condition_count, struct extent *extent,
                              struct error *error) {
  size_t fields = values == NULL ? 0 : cube->field_count;
  for (size_t i = 0; i < fields; i++) {
    struct slice value = values[i] == MAP_NONE ? slice_of("") : map_key(cube->dictionary, values[i]);
    parts[condition_count + i] = (struct rounding_part){
        .field = cube->fields[i].name, .kind = cube->fields[i].kind, .axes = cube->fields[i].axes, .value = value};
  }
  int64_t figure = extent->figure;
  enum status status =
      rounding_round(request->workspace, request->indicator, request->source, parts, condition_count + fields,
                     request->workspace->config->disclosure.base, &figure, error);
  *extent = (struct extent){.figure = figure, .unlinkable = -1};
  return status;
}

enum status cube_round(const struct cube_request *request, struct cube *cube, struct error *error) {
  struct rounding_part parts[ROUNDING_PARTS_MOST];
  struct cube_plan *plan = malloc(sizeof *plan);
  enum status status = plan == NULL ? error_memory(error) : cube_plan_make(request, plan, error);
  size_t count = status == OK ? plan->condition_count : 0;
  for (size_t i = 0; i < count; i++) {
    parts[i] = (struct rounding_part){.field = plan->conditions[i].name,
                                      .kind = plan->conditions[i].kind,
                                      .axes = plan->conditions[i].axes,
                                      .value = slice_of(plan->wanted[i])};
  }
  for (size_t i = 0; i < cube->count && status == OK && cube->field_count > 0; i++) {
    status = round_cell(request, cube, cube->cells[i].values, parts, count, &cube->cells[i].extent, error);
  }
  status = status == OK ? round_cell(request, cube, NULL, parts, count, &cube->total, error) : status;
  cube->waiting = 0;
  cube->rounded = request->workspace->config->disclosure.base;
  free(plan);
  return status;
}
