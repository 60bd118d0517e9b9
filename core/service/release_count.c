#include "core/service/release_count.h"

#include "core/base/map.h"
#include "core/service/release_told.h"

#include <stdlib.h>
#include <string.h>

enum { LEVELS_MOST = RELEASE_FIELDS_MOST + INDICATOR_CONDITIONS_MOST };

/* A table with its levels. */
struct laid {
  const struct release_table_plan *plan;
  struct release_level fields[RELEASE_FIELDS_MOST], filters[INDICATOR_CONDITIONS_MOST];
  size_t layouts[RELEASE_SUBSETS]; /* by subset left out: position among the problem's tables */
  size_t strides[RELEASE_SUBSETS][RELEASE_FIELDS_MOST];
};

/* All tables of one unit and role. The suppressor gets each choice of levels once, first those of this publication. */
struct gathering {
  const struct release_request *request;
  struct arena *arena;
  struct release_axes axes;
  struct disclose_table *tables;
  uint8_t **earlier;          /* statuses of the tables before */
  size_t count, fresh;        /* fresh: of this publication */
  unsigned tier;              /* of the table that is laid out: tables stand in the order of their worth */
  struct map *known;          /* keys of layouts to their positions */
  struct laid *laid, *before; /* of the request's tables and of those before, where they are of this unit and role */
};

static bool same_base(const struct indicator *a, const struct indicator *b) {
  return a->unit == b->unit
         && (a->role == NULL || b->role == NULL ? a->role == b->role : strcmp(a->role, b->role) == 0);
}

/* ---- axes ---- */

static enum status add_axes(struct gathering *gathering, const struct release_table_plan *plan, struct error *error) {
  const struct indicator *indicator = &plan->indicator;
  enum status status = OK;
  for (size_t i = 0; i < plan->by_count && status == OK; i++) {
    status = release_axes_add(&gathering->axes, plan->by[i], indicator, error);
  }
  for (size_t i = 0; i < indicator->condition_count && status == OK; i++) {
    status = release_axes_add(&gathering->axes, indicator->conditions[i].field, indicator, error);
  }
  return status;
}

static enum status lay_levels(const struct gathering *gathering, const struct release_table_plan *plan,
                              struct laid *laid, struct error *error) {
  const struct indicator *indicator = &plan->indicator;
  enum status status = OK;
  laid->plan = plan;
  for (size_t i = 0; i < plan->by_count && status == OK; i++) {
    status = release_level_make(&gathering->axes, plan->by[i], plan, &laid->fields[i], error);
  }
  for (size_t i = 0; i < indicator->condition_count && status == OK; i++) {
    status = release_filter_make(&gathering->axes, &indicator->conditions[i], plan, &laid->filters[i], error);
  }
  return status;
}

/* ---- layouts: a subset of a table's fields, with its filters ---- */

static int compare_levels(const struct gathering *gathering, const struct release_level *a,
                          const struct release_level *b) {
  if (a->axis != b->axis) {
    return a->axis < b->axis ? -1 : 1;
  }
  size_t size = gathering->axes.axes[a->axis].atoms * sizeof *a->group;
  return memcmp(a->group, b->group, size);
}

/* The levels that stay, in an order that all tables share; `fields[i]` is the field of levels[i], or -1. */
static size_t pick_levels(const struct gathering *gathering, const struct laid *laid, unsigned left_out,
                          const struct release_level **levels, int *fields) {
  size_t count = 0;
  for (size_t i = 0; i < laid->plan->by_count + laid->plan->indicator.condition_count; i++) {
    bool field = i < laid->plan->by_count;
    if (field && (left_out >> i & 1) != 0) {
      continue;
    }
    const struct release_level *level = field ? &laid->fields[i] : &laid->filters[i - laid->plan->by_count];
    size_t at = count++;
    for (; at > 0 && compare_levels(gathering, levels[at - 1], level) > 0; at--) {
      levels[at] = levels[at - 1];
      fields[at] = fields[at - 1];
    }
    levels[at] = level;
    fields[at] = field ? (int)i : -1;
  }
  return count;
}

static enum status layout_key(const struct gathering *gathering, const struct release_level *const *levels,
                              size_t count, bool earlier, struct buffer *key, struct error *error) {
  buffer_reset(key);
  buffer_char(key, earlier ? 'e' : 'f');
  for (size_t i = 0; i < count; i++) {
    buffer_append(key, &levels[i]->axis, sizeof levels[i]->axis);
    buffer_append(key, levels[i]->group, gathering->axes.axes[levels[i]->axis].atoms * sizeof *levels[i]->group);
  }
  return buffer_check(key, "table", error);
}

static enum status add_layout(struct gathering *gathering, const char *name, const struct release_level *const *levels,
                              size_t count, bool earlier, struct error *error) {
  if (gathering->count == DISCLOSE_TABLES_MOST) {
    return error_set(error, ERR_LIMIT, _("there are more than %d published tables and margins to protect together"),
                     DISCLOSE_TABLES_MOST);
  }
  if (count > DISCLOSE_AXES_MOST) {
    return error_set(error, ERR_LIMIT, _("table '%s' has more than %d fields and conditions"), name,
                     DISCLOSE_AXES_MOST);
  }
  struct disclose_table *table = &gathering->tables[gathering->count++];
  size_t cells = 1;
  *table = (struct disclose_table){.name = name, .level_count = count, .tier = gathering->tier};
  for (size_t i = 0; i < count; i++) {
    table->levels[i] =
        (struct disclose_level){.axis = levels[i]->axis, .groups = levels[i]->count, .group = levels[i]->group};
    cells *= levels[i]->count;
    if (cells > DISCLOSE_CELLS_MOST) {
      return error_set(error, ERR_LIMIT, _("table '%s' has more than %d cells"), name, DISCLOSE_CELLS_MOST);
    }
  }
  if (earlier) {
    uint8_t *statuses = arena_alloc(gathering->arena, cells);
    if (statuses == NULL) {
      return error_memory(error);
    }
    memset(statuses, DISCLOSE_ABSENT, cells);
    gathering->earlier[gathering->count - 1] = statuses;
    table->earlier = statuses;
  }
  return OK;
}

/* Every subset of a table's fields: its layout, made where it is new, and the strides of the fields in it. */
static enum status lay_out(struct gathering *gathering, struct laid *laid, bool earlier, struct error *error) {
  struct buffer key;
  buffer_init(&key, (size_t)1 << 28);
  enum status status = OK;
  for (unsigned left_out = 0; left_out < 1U << laid->plan->by_count && status == OK; left_out++) {
    const struct release_level *levels[LEVELS_MOST];
    int fields[LEVELS_MOST];
    size_t count = pick_levels(gathering, laid, left_out, levels, fields), stride = 1;
    status = layout_key(gathering, levels, count, earlier, &key, error);
    uint32_t before = map_count(gathering->known);
    uint32_t at = status == OK ? map_intern(gathering->known, buffer_view(&key)) : MAP_NONE;
    if (status == OK && at == MAP_NONE) {
      status = error_memory(error);
    }
    if (status == OK && at == before) {
      status = add_layout(gathering, laid->plan->name, levels, count, earlier, error);
    }
    laid->layouts[left_out] = at;
    for (size_t i = count; i-- > 0;) {
      if (fields[i] >= 0) {
        laid->strides[left_out][fields[i]] = stride;
      }
      stride *= levels[i]->count;
    }
  }
  buffer_free(&key);
  return status;
}

/* ---- what earlier tables tell of today's cells ---- */

static enum status tell_before(struct gathering *gathering, size_t at, const struct disclose_result *now,
                               struct error *error) {
  const struct laid *laid = &gathering->before[at];
  struct release_layout layouts[RELEASE_SUBSETS];
  for (unsigned s = 0; s < 1U << laid->plan->by_count; s++) {
    const struct disclose_figures *figures = &now->tables[laid->layouts[s]];
    layouts[s] = (struct release_layout){
        .now = figures->counts, .size = figures->size, .earlier = gathering->earlier[laid->layouts[s]]};
    memcpy(layouts[s].strides, laid->strides[s], sizeof layouts[s].strides);
  }
  return release_told(gathering->request->workspace, &gathering->request->before[at], laid->fields, layouts,
                      gathering->request->settings.k, gathering->arena, error);
}

/* ---- running ---- */

static enum status run(const struct gathering *gathering, struct disclose_settings settings,
                       struct disclose_result *result, struct error *error) {
  uint32_t atoms[DISCLOSE_AXES_MOST];
  for (size_t i = 0; i < gathering->axes.count; i++) {
    atoms[i] = gathering->axes.axes[i].atoms;
  }
  const struct disclose_problem problem = {.settings = settings,
                                           .axes = atoms,
                                           .axis_count = gathering->axes.count,
                                           .rows = gathering->axes.rows,
                                           .row_count = gathering->axes.row_count,
                                           .tables = gathering->tables,
                                           .table_count = gathering->count,
                                           .stop = gathering->request->stop};
  return disclose_run(&problem, gathering->arena, result, error);
}

/* What is rounded is not hidden. */
static struct disclose_settings suppression_of(const struct release_request *request) {
  bool rounded = request->settings.base > 0;
  const struct disclose_settings settings = {.k = rounded ? 1 : request->settings.k,
                                             .width = rounded ? 0 : request->settings.width};
  return settings;
}

static enum status tell_all_before(struct gathering *gathering, struct error *error) {
  struct disclose_result now;
  if (gathering->count == gathering->fresh) {
    return OK;
  }
  enum status status = run(gathering, (struct disclose_settings){.k = 1}, &now, error);
  for (size_t i = 0; i < gathering->request->before_count && status == OK; i++) {
    if (gathering->before[i].plan != NULL) {
      status = tell_before(gathering, i, &now, error);
    }
  }
  return status;
}

/* Figures that are out cannot be hidden any more. Whoever knows them may find out, by what these tables show beside
 * them, what one of both hides. What the earlier tables give away by themselves is out, too: these add nothing to it.
 */
static enum status refuse_exposing(struct gathering *gathering, const struct disclose_result *result,
                                   struct error *error) {
  struct disclose_result alone = {.exposed = 0};
  struct gathering earlier = *gathering;
  if (!gathering->request->first || result->exposed == 0) {
    return OK;
  }
  earlier.tables += gathering->fresh;
  earlier.count -= gathering->fresh;
  enum status status = earlier.count == 0 ? OK : run(&earlier, suppression_of(gathering->request), &alone, error);
  if (status == OK && result->exposed > alone.exposed) {
    error_set(error, ERR_INPUT, _("with what earlier releases show, these tables would give away %zu hidden figures"),
              result->exposed - alone.exposed);
    error_hint(error, "%s", _("leave out the tables that are new and finest, or use coarser fields for them"));
    return ERR_INPUT;
  }
  return status;
}

static void give(const struct laid *laid, const struct disclose_result *result, struct release_counted *counted) {
  *counted = (struct release_counted){.sizes = {0}};
  for (size_t f = 0; f < laid->plan->by_count; f++) {
    counted->values[f] = laid->fields[f].values;
    counted->sizes[f] = laid->fields[f].count;
    counted->codelists[f] = laid->fields[f].codelist;
  }
  for (unsigned s = 0; s < 1U << laid->plan->by_count; s++) {
    const struct disclose_figures *figures = &result->tables[laid->layouts[s]];
    counted->subsets[s] = (struct release_figures){.counts = figures->counts, .status = figures->status};
    memcpy(counted->subsets[s].strides, laid->strides[s], sizeof counted->subsets[s].strides);
  }
}

/* A table that is out is looked at with the one of its name, else with the last. */
static unsigned tier_of(const struct release_request *request, size_t at) {
  unsigned tier = (unsigned)at;
  if (at >= request->count) {
    const char *name = request->before[at - request->count].table->name;
    for (tier = 0; tier + 1 < request->count && strcmp(request->tables[tier]->name, name) != 0;) {
      tier++;
    }
  }
  return tier;
}

/* Tables of the base that stands at `first`. */
static enum status gather(struct gathering *gathering, size_t first, struct error *error) {
  const struct release_request *request = gathering->request;
  const struct indicator *base = &request->tables[first]->indicator;
  enum status status = OK;
  for (size_t i = 0; i < request->count + request->before_count && status == OK; i++) {
    const struct release_table_plan *plan =
        i < request->count ? request->tables[i] : request->before[i - request->count].table;
    if (same_base(&plan->indicator, base)) {
      status = add_axes(gathering, plan, error);
    }
  }
  status = status == OK ? release_axes_count(&gathering->axes, base, request->as_of_run, error) : status;
  for (size_t i = 0; i < request->count + request->before_count && status == OK; i++) {
    bool earlier = i >= request->count;
    const struct release_table_plan *plan = earlier ? request->before[i - request->count].table : request->tables[i];
    struct laid *laid = earlier ? &gathering->before[i - request->count] : &gathering->laid[i];
    if (!same_base(&plan->indicator, base)) {
      continue;
    }
    status = lay_levels(gathering, plan, laid, error);
    gathering->tier = tier_of(request, i);
    status = status == OK ? lay_out(gathering, laid, earlier, error) : status;
    gathering->fresh = earlier ? gathering->fresh : gathering->count;
  }
  return status;
}

static enum status count_base(const struct release_request *request, size_t first, struct arena *arena,
                              struct release_counted *counted, struct error *error) {
  struct gathering gathering = {.request = request,
                                .arena = arena,
                                .axes = {.workspace = request->workspace, .arena = arena},
                                .tables = arena_array(arena, DISCLOSE_TABLES_MOST, sizeof *gathering.tables),
                                .earlier = arena_array(arena, DISCLOSE_TABLES_MOST, sizeof *gathering.earlier),
                                .known = map_new(),
                                .laid = arena_array(arena, request->count, sizeof *gathering.laid),
                                .before = arena_array(arena, request->before_count + 1, sizeof *gathering.before)};
  struct disclose_result result;
  enum status status = gathering.tables == NULL || gathering.earlier == NULL || gathering.known == NULL
                               || gathering.laid == NULL || gathering.before == NULL
                           ? error_memory(error)
                           : gather(&gathering, first, error);
  status = status == OK ? tell_all_before(&gathering, error) : status;
  status = status == OK ? run(&gathering, suppression_of(request), &result, error) : status;
  status = status == OK ? refuse_exposing(&gathering, &result, error) : status;
  for (size_t i = 0; i < request->count && status == OK; i++) {
    if (gathering.laid[i].plan != NULL) {
      give(&gathering.laid[i], &result, &counted[i]);
      status =
          request->settings.base > 0 ? release_round(request, request->tables[i], arena, &counted[i], error) : status;
    }
  }
  map_free(gathering.known);
  return status;
}

enum status release_count(const struct release_request *request, struct arena *arena, struct release_counted *counted,
                          struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < request->count && status == OK; i++) {
    bool done = false;
    for (size_t k = 0; k < i && !done; k++) {
      done = same_base(&request->tables[k]->indicator, &request->tables[i]->indicator);
    }
    status = done ? OK : count_base(request, i, arena, counted, error);
  }
  return status;
}
