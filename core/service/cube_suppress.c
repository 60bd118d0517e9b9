#include "core/disclose/disclose.h"
#include "core/service/cube_cells.h"
#include "core/service/cube_fields.h"
#include "core/service/cube_lattice.h"

#include <stdlib.h>

/* A count is looked up in the lattice of its tables: its fields and those of its conditions say which table, its values
 * and theirs which cell. */

enum { BOUNDS_MOST = CUBE_FIELDS_MOST + CUBE_CONDITIONS_MOST };
#define NOWHERE SIZE_MAX

/* A value that a field has to have. */
struct bound {
  size_t chain, step;
  uint32_t group; /* DISCLOSE_NONE: nobody has that value */
};
struct lookup {
  const struct cube_request *request;
  struct cube_lattice *lattice;
  struct bound filters[BOUNDS_MOST];
  size_t filter_count;
  bool nobody; /* has the value of a filter */
};

/* ---- bounds ---- */

static enum status find_step(const struct cube_lattice *lattice, const char *field, struct bound *bound,
                             struct error *error) {
  if (!cube_lattice_step(lattice, field, &bound->chain, &bound->step)) {
    return error_set(error, ERR_INTERNAL, _("indicator '%s' has no field '%s'"), lattice->indicator->name, field);
  }
  return OK;
}

static const struct release_level *level_of(const struct lookup *lookup, const struct bound *bound) {
  return &lookup->lattice->chains[bound->chain].steps[bound->step].level;
}

/* "": not recorded, which comes last. */
static uint32_t group_of(const struct release_level *level, struct slice text) {
  uint32_t group = 0;
  if (text.len == 0) {
    return level->count - 1;
  }
  while (group + 1 < level->count && !slice_is(text, level->values[group])) {
    group++;
  }
  return group + 1 < level->count ? group : DISCLOSE_NONE;
}

static enum status bind(struct lookup *lookup, const char *field, const char *wanted, struct error *error) {
  struct bound *bound = &lookup->filters[lookup->filter_count++];
  enum status status = find_step(lookup->lattice, field, bound, error);
  if (status == OK) {
    bound->group = group_of(level_of(lookup, bound), slice_of(wanted));
    lookup->nobody = lookup->nobody || bound->group == DISCLOSE_NONE;
  }
  return status;
}

/* What filters mean, the indicator's first: a label is its code, "yes" is 1. */
static enum status bind_all(struct lookup *lookup, struct error *error) {
  const struct cube_request *request = lookup->request;
  struct cube_plan plan;
  enum status status = cube_plan_make(request, &plan, error);
  for (size_t i = 0; i < plan.condition_count && status == OK; i++) {
    size_t own = request->indicator->condition_count;
    const struct condition *condition = i < own ? &request->indicator->conditions[i] : &request->conditions[i - own];
    status = bind(lookup, condition->field, plan.wanted[i], error);
  }
  return status;
}

static bool is_met(const struct lookup *lookup, const struct bound *bounds, size_t count, size_t chain, uint32_t atom) {
  for (size_t i = 0; i < count; i++) {
    if (bounds[i].chain == chain && level_of(lookup, &bounds[i])->group[atom] != bounds[i].group) {
      return false;
    }
  }
  return true;
}

/* ---- tables and cells ---- */

/* A table with the filters' fields and some of the request's, by bit. */
struct sought {
  struct lattice_steps steps;
  struct disclose_table laid;
  const struct lattice_table *table;
};

static void take_step(const struct cube_lattice *lattice, const struct bound *bound, struct lattice_steps *steps) {
  size_t *at = &steps->at[bound->chain];
  *at = cube_lattice_both(lattice, bound->chain, *at, bound->step);
}

static enum status seek(const struct lookup *lookup, uint32_t fields, struct sought *sought, struct error *error) {
  enum status status = OK;
  *sought = (struct sought){.table = NULL};
  for (size_t c = 0; c < lookup->lattice->chain_count; c++) {
    sought->steps.at[c] = lookup->lattice->chains[c].count;
  }
  for (size_t i = 0; i < lookup->filter_count; i++) {
    take_step(lookup->lattice, &lookup->filters[i], &sought->steps);
  }
  for (size_t i = 0; i < lookup->request->by_count && status == OK; i++) {
    struct bound bound = {.chain = 0};
    status = (fields >> i & 1) == 0 ? END : find_step(lookup->lattice, lookup->request->by[i], &bound, error);
    if (status == OK) {
      take_step(lookup->lattice, &bound, &sought->steps);
    }
    status = status == END ? OK : status;
  }
  sought->laid = cube_lattice_laid(lookup->lattice, &sought->steps);
  return status == OK ? cube_lattice_table(lookup->lattice, &sought->steps, &sought->table, error) : status;
}

/* The group of the table's step that all bounds of its chain leave; DISCLOSE_NONE: none. */
static uint32_t group_at(const struct lookup *lookup, const struct bound *bounds, size_t count, size_t chain,
                         size_t step) {
  const struct release_level *level = &lookup->lattice->chains[chain].steps[step].level;
  size_t own = 0, last = 0;
  for (size_t i = 0; i < count; i++) {
    own += bounds[i].chain == chain;
    last = bounds[i].chain == chain ? i : last;
  }
  if (own == 1 && bounds[last].step == step) {
    return bounds[last].group;
  }
  for (uint32_t atom = 0; atom < lookup->lattice->counts[level->axis]; atom++) {
    if (is_met(lookup, bounds, count, chain, atom)) {
      return level->group[atom];
    }
  }
  return DISCLOSE_NONE;
}

/* NOWHERE: no atom has all these values. A unit with several values of a field may have them: its count is in no table
 * by that field. */
static size_t place_of(const struct lookup *lookup, const struct sought *sought, const struct bound *bounds,
                       size_t count) {
  uint32_t values[DISCLOSE_AXES_MOST];
  for (size_t c = 0; c < lookup->lattice->chain_count; c++) {
    size_t step = sought->steps.at[c];
    if (step == lookup->lattice->chains[c].count) {
      continue;
    }
    uint32_t group = group_at(lookup, bounds, count, c, step);
    for (size_t i = 0; i < sought->laid.level_count; i++) {
      if (sought->laid.levels[i].axis == lookup->lattice->chains[c].steps[step].level.axis) {
        values[i] = group;
      }
    }
    if (group == DISCLOSE_NONE) {
      return NOWHERE;
    }
  }
  return disclose_place(&sought->laid, values);
}

static bool may_be_told(const struct lookup *lookup, const struct sought *sought, const struct bound *bounds,
                        size_t count, int64_t figure) {
  size_t place = place_of(lookup, sought, bounds, count);
  if (place == NOWHERE) {
    return figure == 0 || lookup->request->workspace->config->disclosure.k <= 1;
  }
  return disclose_is_shown(sought->table->status[place]);
}

/* ---- marking ---- */

static void hide(struct extent *extent) {
  *extent = (struct extent){.hidden = true, .unlinkable = -1};
}

/* Whether it is told that the cell counts somebody. */
static bool is_listed(const struct sought *sought, size_t place) {
  const struct lattice_table *table = sought->table;
  return place == NOWHERE ? !table->withheld
         : table->quiet   ? disclose_is_shown(table->status[place])
                          : table->status[place] != DISCLOSE_ABSENT;
}

static enum status mark_cells(const struct lookup *lookup, struct cube *cube, struct error *error) {
  struct bound bounds[BOUNDS_MOST];
  struct sought sought;
  size_t count = lookup->filter_count + cube->field_count, kept = 0;
  enum status status = seek(lookup, (1U << cube->field_count) - 1, &sought, error);
  memcpy(bounds, lookup->filters, lookup->filter_count * sizeof *bounds);
  for (size_t f = 0; f < cube->field_count && status == OK; f++) {
    status = find_step(lookup->lattice, lookup->request->by[f], &bounds[lookup->filter_count + f], error);
  }
  for (size_t i = 0; i < cube->count && status == OK; i++) {
    struct cube_cell *cell = &cube->cells[i];
    for (size_t f = 0; f < cube->field_count; f++) {
      struct bound *bound = &bounds[lookup->filter_count + f];
      struct slice text = cell->values[f] == MAP_NONE ? slice_of("") : map_key(cube->dictionary, cell->values[f]);
      bound->group = group_of(level_of(lookup, bound), text);
    }
    if (!may_be_told(lookup, &sought, bounds, count, cell->extent.figure)) {
      hide(&cell->extent);
    }
    if (is_listed(&sought, place_of(lookup, &sought, bounds, count))) {
      cube->hidden += cell->extent.hidden;
      cube->cells[kept++] = *cell;
    }
  }
  cube->withheld = status == OK && sought.table->withheld;
  cube->count = kept;
  return status;
}

static enum status mark(const struct lookup *lookup, struct cube *cube, struct error *error) {
  struct sought sought;
  enum status status = seek(lookup, 0, &sought, error);
  if (status == OK && !lookup->nobody
      && !may_be_told(lookup, &sought, lookup->filters, lookup->filter_count, cube->total.figure)) {
    hide(&cube->total);
  }
  return status == OK && cube->field_count > 0 ? mark_cells(lookup, cube, error) : status;
}

/* ---- what is told of the table asked for ---- */

/* The cells of a table within the filters, and those of them that are shown. */
static void count_cells(const struct lookup *lookup, const struct sought *sought, struct cube_shown *shown) {
  const struct lattice_table *table = sought->table;
  const struct disclose_table *laid = &sought->laid;
  for (size_t place = 0; place < table->size; place++) {
    size_t rest = place;
    bool within = table->counts[place] > 0 && is_listed(sought, place);
    for (size_t i = laid->level_count; i-- > 0 && within;) {
      uint32_t group = (uint32_t)(rest % laid->levels[i].groups), atom = 0;
      rest /= laid->levels[i].groups;
      while (atom < lookup->lattice->counts[laid->levels[i].axis] && laid->levels[i].group[atom] != group) {
        atom++;
      }
      for (size_t f = 0; f < lookup->filter_count && within; f++) {
        const struct release_level *level = level_of(lookup, &lookup->filters[f]);
        within = level->axis != laid->levels[i].axis || level->group[atom] == lookup->filters[f].group;
      }
    }
    shown->filled += within;
    shown->kept += within && disclose_is_shown(table->status[place]);
  }
}

static bool is_within(const struct lookup *lookup, const struct disclose_row *row) {
  for (size_t i = 0; i < lookup->filter_count; i++) {
    const struct release_level *level = level_of(lookup, &lookup->filters[i]);
    if (level->group[row->atoms[level->axis]] != lookup->filters[i].group) {
      return false;
    }
  }
  return true;
}

static bool is_seen(const struct sought *sought, const struct disclose_row *row) {
  uint32_t values[DISCLOSE_AXES_MOST];
  for (size_t i = 0; i < sought->laid.level_count; i++) {
    values[i] = sought->laid.levels[i].group[row->atoms[sought->laid.levels[i].axis]];
  }
  return disclose_is_shown(sought->table->status[disclose_place(&sought->laid, values)]);
}

/* By unit whether it is counted, and whether it is seen in a cell; fields of which a value is recorded, by bit. */
struct seen {
  int64_t units, seen;
  uint32_t valued;
};

static enum status count_units(const struct lookup *lookup, const struct sought *sought, struct seen *seen,
                               struct error *error) {
  const struct release_axes *axes = &lookup->lattice->axes;
  struct map *units = map_new();
  uint8_t *told = calloc(axes->row_count + 1, sizeof *told);
  enum status status = units == NULL || told == NULL ? error_memory(error) : OK;
  for (size_t i = 0; i < axes->row_count && status == OK; i++) {
    const struct disclose_row *row = &axes->rows[i];
    if (!is_within(lookup, row)) {
      continue;
    }
    uint32_t at = map_intern(units, slice_make((const char *)&row->unit, sizeof row->unit));
    if (at == MAP_NONE) {
      status = error_memory(error);
      break;
    }
    seen->units += told[at] == 0;
    bool visible = is_seen(sought, row) && told[at] != 2;
    seen->seen += visible;
    told[at] = visible || told[at] == 2 ? 2 : 1;
    for (size_t f = 0; f < lookup->request->by_count; f++) {
      struct bound bound = {.chain = 0};
      if (cube_lattice_step(lookup->lattice, lookup->request->by[f], &bound.chain, &bound.step)) {
        const struct release_level *level = level_of(lookup, &bound);
        seen->valued |= (uint32_t)(level->group[row->atoms[level->axis]] + 1 < level->count) << f;
      }
    }
  }
  map_free(units);
  free(told);
  return status;
}

/* Fields of the request that no filter fixes, by bit. */
static uint32_t free_fields(const struct lookup *lookup) {
  uint32_t fields = 0;
  for (size_t i = 0; i < lookup->request->by_count; i++) {
    struct bound bound = {.chain = 0};
    bool fixed = !cube_lattice_step(lookup->lattice, lookup->request->by[i], &bound.chain, &bound.step);
    for (size_t f = 0; f < lookup->filter_count; f++) {
      fixed = fixed || (lookup->filters[f].chain == bound.chain && lookup->filters[f].step == bound.step);
    }
    fields |= (uint32_t)!fixed << i;
  }
  return fields;
}

/* Of a total that is hidden no share is told: it would say how large it is at least. */
static enum status tell_shown(const struct lookup *lookup, struct cube_shown *shown, struct error *error) {
  uint32_t own = free_fields(lookup), fields = own;
  struct seen seen = {.valued = 0};
  struct sought sought;
  *shown = (struct cube_shown){.share = -1};
  if (lookup->nobody) {
    return OK;
  }
  enum status status = seek(lookup, 0, &sought, error);
  bool total = status == OK && may_be_told(lookup, &sought, lookup->filters, lookup->filter_count, 1);
  for (bool more = true; more && status == OK; fields = (fields - 1) & own) {
    status = seek(lookup, fields, &sought, error);
    if (status == OK) {
      count_cells(lookup, &sought, shown);
      shown->withheld = shown->withheld || sought.table->withheld;
    }
    more = fields > 0;
  }
  status = status == OK ? seek(lookup, own, &sought, error) : status;
  status = status == OK ? count_units(lookup, &sought, &seen, error) : status;
  uint32_t asked = (1U << lookup->request->by_count) - 1;
  shown->valued = (asked & ~seen.valued) == 0;
  shown->totalled = total;
  if (total) {
    shown->share = disclose_share(seen.seen, seen.units, lookup->request->workspace->config->disclosure.k);
  }
  return status;
}

/* `cube` NULL: only what is told of all of it. */
static enum status suppress(const struct cube_request *request, struct cube *cube, struct cube_shown *shown,
                            struct error *error) {
  struct lookup lookup = {.request = request, .lattice = request->lattice};
  enum status status = request->lattice != NULL ? OK : cube_lattice_open(request, &lookup.lattice, error);
  status = status == OK ? bind_all(&lookup, error) : status;
  status = status == OK ? tell_shown(&lookup, shown, error) : status;
  status = status == OK && cube != NULL ? mark(&lookup, cube, error) : status;
  if (status == OK && request->lattice == NULL && request->guard) {
    status = cube_lattice_tell(lookup.lattice, error);
  }
  if (request->lattice == NULL) {
    cube_lattice_close(lookup.lattice);
  }
  return status;
}

enum status cube_suppress(const struct cube_request *request, struct cube *cube, struct error *error) {
  return suppress(request, cube, &cube->shown, error);
}

enum status cube_show(const struct cube_request *request, struct cube_shown *shown, struct error *error) {
  return suppress(request, NULL, shown, error);
}
