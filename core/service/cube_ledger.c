#include "core/service/cube_fields.h"
#include "core/service/cube_told.h"
#include "core/service/release_make.h"
#include "core/service/release_told.h"

#include <stdlib.h>
#include <string.h>

/* A table that was released, among the axes of the lattice; what it tells is read when it is needed first. */
struct entry {
  const struct release_before *before;
  struct release_level fields[RELEASE_FIELDS_MOST];
  struct disclose_table laid[RELEASE_SUBSETS]; /* by the bits of the fields that are left out */
  struct release_layout layouts[RELEASE_SUBSETS];
  size_t subsets;
  bool told;
  bool matters; /* to whatever is asked for, since reports that were told lead to it */
};
struct lattice_ledger {
  struct release_before *before;
  size_t before_count;
  struct entry *entries; /* those that count the same units */
  size_t count;
};

static bool same_units(const struct indicator *a, const struct indicator *b) {
  return a->unit == b->unit
         && (a->role == NULL || b->role == NULL ? a->role == b->role : strcmp(a->role, b->role) == 0);
}

static enum status add_axes(struct cube_lattice *lattice, const struct release_table_plan *plan, struct error *error) {
  const struct indicator *indicator = &plan->indicator;
  enum status status = OK;
  for (size_t i = 0; i < plan->by_count && status == OK; i++) {
    status = release_axes_add(&lattice->axes, cube_finest_field(plan->by[i]), indicator, error);
  }
  for (size_t i = 0; i < indicator->condition_count && status == OK; i++) {
    status = release_axes_add(&lattice->axes, cube_finest_field(indicator->conditions[i].field), indicator, error);
  }
  return status;
}

/* Reports that were told, and through them the releases that lead to what is asked for. */
static enum status read_told(struct cube_lattice *lattice, struct error *error) {
  struct lattice_ledger *ledger = lattice->ledger;
  const struct release_table_plan **plans = arena_array(lattice->arena, ledger->count + 1, sizeof *plans);
  bool *matters = arena_array(lattice->arena, ledger->count + 1, sizeof *matters);
  if (plans == NULL || matters == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < ledger->count; i++) {
    plans[i] = ledger->entries[i].before->table;
  }
  enum status status = lattice_told_read(lattice, error);
  status = status == OK ? lattice_told_choose(lattice, plans, matters, ledger->count, error) : status;
  for (size_t i = 0; i < ledger->count; i++) {
    ledger->entries[i].matters = matters[i];
  }
  return status;
}

enum status lattice_ledger_read(struct cube_lattice *lattice, struct error *error) {
  struct lattice_ledger *ledger = lattice->ledger = arena_alloc(lattice->arena, sizeof *ledger);
  if (ledger == NULL) {
    return error_memory(error);
  }
  enum status status =
      lattice->workspace->config->disclosure.k <= 1
          ? OK
          : release_ledger_read(lattice->workspace, 0, lattice->arena, &ledger->before, &ledger->before_count, error);
  ledger->entries = arena_array(lattice->arena, ledger->before_count + 1, sizeof *ledger->entries);
  if (status == OK && ledger->entries == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < ledger->before_count && status == OK; i++) {
    if (same_units(&ledger->before[i].table->indicator, lattice->indicator)) {
      ledger->entries[ledger->count++].before = &ledger->before[i];
      status = add_axes(lattice, ledger->before[i].table, error);
    }
  }
  const struct disclosure_config *settings = &lattice->workspace->config->disclosure;
  return status == OK && settings->ledger && settings->k > 1 ? read_told(lattice, error) : status;
}

/* ---- layouts ---- */

struct picked {
  struct disclose_level level;
  int field; /* -1: of a condition */
};

static int by_axis(const void *a, const void *b) {
  const struct picked *left = a, *right = b;
  if (left->level.axis != right->level.axis) {
    return left->level.axis < right->level.axis ? -1 : 1;
  }
  return left->field < right->field ? -1 : left->field > right->field;
}

static struct disclose_level level_of(const struct release_level *level) {
  return (struct disclose_level){.axis = level->axis, .groups = level->count, .group = level->group};
}

static enum status lay_subset(struct cube_lattice *lattice, struct entry *entry, const struct release_level *filters,
                              unsigned left_out, struct error *error) {
  const struct release_table_plan *plan = entry->before->table;
  struct picked picked[RELEASE_FIELDS_MOST + INDICATOR_CONDITIONS_MOST];
  struct disclose_table *table = &entry->laid[left_out];
  struct release_layout *layout = &entry->layouts[left_out];
  size_t count = 0;
  for (size_t f = 0; f < plan->by_count; f++) {
    if ((left_out >> f & 1) == 0) {
      picked[count++] = (struct picked){.level = level_of(&entry->fields[f]), .field = (int)f};
    }
  }
  for (size_t i = 0; i < plan->indicator.condition_count; i++) {
    picked[count++] = (struct picked){.level = level_of(&filters[i]), .field = -1};
  }
  if (count > DISCLOSE_AXES_MOST) {
    return error_set(error, ERR_LIMIT, _("table '%s' has more than %d fields and conditions"), plan->name,
                     DISCLOSE_AXES_MOST);
  }
  qsort(picked, count, sizeof *picked, by_axis);
  *table = (struct disclose_table){.name = plan->name, .level_count = count};
  layout->size = 1;
  for (size_t i = count; i-- > 0;) {
    table->levels[i] = picked[i].level;
    if (picked[i].field >= 0) {
      layout->strides[picked[i].field] = layout->size;
    }
    layout->size *= picked[i].level.groups;
    if (layout->size > DISCLOSE_CELLS_MOST) {
      return error_set(error, ERR_LIMIT, _("table '%s' has more than %d cells"), plan->name, DISCLOSE_CELLS_MOST);
    }
  }
  layout->earlier = arena_alloc(lattice->arena, layout->size + 1);
  if (layout->earlier == NULL) {
    return error_memory(error);
  }
  memset(layout->earlier, DISCLOSE_ABSENT, layout->size);
  return OK;
}

static enum status lay(struct cube_lattice *lattice, struct entry *entry, struct error *error) {
  const struct release_table_plan *plan = entry->before->table;
  struct release_level filters[INDICATOR_CONDITIONS_MOST];
  enum status status = OK;
  for (size_t f = 0; f < plan->by_count && status == OK; f++) {
    status = release_level_make(&lattice->axes, plan->by[f], plan, &entry->fields[f], error);
  }
  for (size_t i = 0; i < plan->indicator.condition_count && status == OK; i++) {
    status = release_filter_make(&lattice->axes, &plan->indicator.conditions[i], plan, &filters[i], error);
  }
  entry->subsets = (size_t)1 << plan->by_count;
  for (unsigned s = 0; s < entry->subsets && status == OK; s++) {
    status = lay_subset(lattice, entry, filters, s, error);
  }
  return status;
}

enum status lattice_ledger_lay(struct cube_lattice *lattice, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < lattice->ledger->count && status == OK; i++) {
    status = lay(lattice, &lattice->ledger->entries[i], error);
  }
  return status;
}

/* ---- what they tell ---- */

static enum status tell(const struct cube_lattice *lattice, struct entry *entry, struct error *error) {
  struct disclose_result now;
  const struct disclose_problem problem = {.settings = {.k = 1},
                                           .axes = lattice->counts,
                                           .axis_count = lattice->axes.count,
                                           .rows = lattice->axes.rows,
                                           .row_count = lattice->axes.row_count,
                                           .tables = entry->laid,
                                           .table_count = entry->subsets};
  if (entry->told) {
    return OK;
  }
  struct arena *arena = arena_new(0);
  enum status status = arena == NULL ? error_memory(error) : disclose_run(&problem, arena, &now, error);
  for (size_t s = 0; s < entry->subsets && status == OK; s++) {
    entry->layouts[s].now = now.tables[s].counts;
  }
  status = status == OK ? release_told(lattice->workspace, entry->before, entry->fields, entry->layouts,
                                       lattice->workspace->config->disclosure.k, arena, error)
                        : status;
  arena_free(arena);
  entry->told = status == OK;
  return status;
}

static unsigned axes_of(const struct disclose_table *table) {
  unsigned axes = 0;
  for (size_t i = 0; i < table->level_count; i++) {
    axes |= 1U << table->levels[i].axis;
  }
  return axes;
}

static void merge(uint8_t *told, const struct release_layout *layout) {
  for (size_t i = 0; i < layout->size; i++) {
    told[i] = layout->earlier[i] == DISCLOSE_ABSENT ? told[i] : layout->earlier[i];
  }
}

bool lattice_ledger_has(const struct cube_lattice *lattice, const struct disclose_table *table) {
  for (size_t i = 0; i < lattice->ledger->count; i++) {
    for (size_t s = 0; s < lattice->ledger->entries[i].subsets; s++) {
      if (cube_lattice_alike(lattice, table, &lattice->ledger->entries[i].laid[s])) {
        return true;
      }
    }
  }
  return false;
}

enum status lattice_ledger_tell(const struct cube_lattice *lattice, const struct disclose_table *table, uint8_t *told,
                                size_t size, struct error *error) {
  enum status status = OK;
  memset(told, DISCLOSE_ABSENT, size);
  for (size_t i = 0; i < lattice->ledger->count && status == OK; i++) {
    struct entry *entry = &lattice->ledger->entries[i];
    for (size_t s = 0; s < entry->subsets && status == OK; s++) {
      if (cube_lattice_alike(lattice, table, &entry->laid[s])) {
        status = tell(lattice, entry, error);
        merge(told, &entry->layouts[s]);
      }
    }
  }
  if (status == OK && lattice->told != NULL) {
    lattice_told_tell(lattice, table, told);
  }
  return status;
}

/* Tables of several releases that are laid out alike are one: the later tells. */
static enum status add(const struct cube_lattice *lattice, const struct entry *entry, size_t subset, size_t first,
                       struct released_tables *to, struct arena *arena, struct error *error) {
  const struct release_layout *layout = &entry->layouts[subset];
  size_t at = first;
  while (at < to->count && !cube_lattice_alike(lattice, &to->tables[at], &entry->laid[subset])) {
    at++;
  }
  if (at == to->count) {
    if (at == DISCLOSE_TABLES_MOST) {
      return error_set(error, ERR_LIMIT, _("there are more than %d published tables and margins to protect together"),
                       DISCLOSE_TABLES_MOST);
    }
    to->statuses[at] = arena_alloc(arena, layout->size + 1);
    if (to->statuses[at] == NULL) {
      return error_memory(error);
    }
    memset(to->statuses[at], DISCLOSE_ABSENT, layout->size);
    to->tables[at] = entry->laid[subset];
    to->tables[at].earlier = to->statuses[at];
    to->sizes[at] = layout->size;
    to->count++;
  }
  merge(to->statuses[at], layout);
  return OK;
}

enum status lattice_ledger_add(const struct cube_lattice *lattice, const struct disclose_table *table,
                               struct released_tables *to, struct arena *arena, struct error *error) {
  unsigned own = axes_of(table);
  size_t first = to->count;
  enum status status = OK;
  for (size_t i = 0; i < lattice->ledger->count && status == OK; i++) {
    struct entry *entry = &lattice->ledger->entries[i];
    bool finer = entry->matters || (own & ~axes_of(&entry->laid[0])) == 0;
    for (size_t s = 0; s < entry->subsets && status == OK; s++) {
      if (finer || (axes_of(&entry->laid[s]) & ~own) == 0) {
        status = tell(lattice, entry, error);
        status = status == OK ? add(lattice, entry, s, first, to, arena, error) : status;
      }
    }
  }
  return status;
}
