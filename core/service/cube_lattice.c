#include "core/service/cube_lattice.h"

#include "core/service/cube_fields.h"
#include "core/service/cube_told.h"

#include <stdlib.h>
#include <string.h>

/* ---- chains ---- */

static size_t find_chain(const struct cube_lattice *lattice, const char *finest) {
  size_t at = 0;
  while (at < lattice->chain_count && strcmp(lattice->chains[at].finest, finest) != 0) {
    at++;
  }
  return at;
}

/* A chain begins at the finest field that is asked for; `chain.count` is its steps, their levels come later. */
static enum status add_field(struct cube_lattice *lattice, const char *field, struct error *error) {
  const char *finest = cube_finest_field(field);
  size_t at = find_chain(lattice, finest), steps = 0;
  if (at == LATTICE_CHAINS_MOST) {
    error_set(error, ERR_LIMIT,
              _("at most %d fields, those of filters and of the indicator among them, can be protected"
                " together"),
              LATTICE_CHAINS_MOST);
    error_hint(error, "%s", _("leave a field or a filter out"));
    return ERR_LIMIT;
  }
  struct lattice_chain *chain = &lattice->chains[at];
  if (at == lattice->chain_count) {
    *chain = (struct lattice_chain){.finest = finest};
    lattice->chain_count++;
  }
  for (const char *step = field; step != NULL; step = cube_coarser_field(step)) {
    steps++;
  }
  if (steps > chain->count) {
    chain->count = 0;
    for (const char *step = field; step != NULL; step = cube_coarser_field(step)) {
      chain->steps[chain->count++] = (struct lattice_step){.field = step};
    }
  }
  return OK;
}

static int by_name(const void *a, const void *b) {
  const struct lattice_chain *left = a, *right = b;
  return strcmp(left->finest, right->finest);
}

static enum status choose_chains(struct cube_lattice *lattice, const struct cube_request *request,
                                 struct error *error) {
  const struct indicator *indicator = request->indicator;
  enum status status = OK;
  for (size_t i = 0; i < request->by_count && status == OK; i++) {
    status = add_field(lattice, request->by[i], error);
  }
  for (size_t i = 0; i < request->condition_count && status == OK; i++) {
    status = add_field(lattice, request->conditions[i].field, error);
  }
  for (size_t i = 0; i < indicator->condition_count && status == OK; i++) {
    status = add_field(lattice, indicator->conditions[i].field, error);
  }
  qsort(lattice->chains, lattice->chain_count, sizeof *lattice->chains, by_name);
  return status;
}

/* ---- levels ---- */

enum status cube_lattice_plan(const struct cube_lattice *lattice, const char *field, struct release_table_plan **plan,
                              struct error *error) {
  struct release_table_plan *made = *plan = arena_alloc(lattice->arena, sizeof *made);
  struct error unused;
  if (made == NULL) {
    return error_memory(error);
  }
  made->name = lattice->indicator->name;
  made->indicator = *lattice->indicator;
  made->indicator.condition_count = 0;
  made->by[made->by_count++] = field;
  enum status status = release_grouping_take(lattice->workspace, lattice->arena, made, &unused);
  if (status != OK) {
    made->grouping_count = 0;
  }
  return status == ERR_MEMORY ? error_memory(error) : OK;
}

static enum status make_level(struct cube_lattice *lattice, struct lattice_step *step, struct error *error) {
  struct release_table_plan *plan = NULL;
  enum status status = cube_lattice_plan(lattice, step->field, &plan, error);
  return status == OK ? release_level_make(&lattice->axes, step->field, plan, &step->level, error) : status;
}

enum status cube_lattice_atoms(const struct cube_lattice *lattice, uint32_t axis, struct release_level *level,
                               struct error *error) {
  const struct release_axis *of = &lattice->axes.axes[axis];
  uint32_t *group = arena_array(lattice->arena, of->atoms, sizeof *group);
  if (group == NULL) {
    return error_memory(error);
  }
  for (uint32_t atom = 0; atom < of->atoms; atom++) {
    group[atom] = atom;
  }
  *level = (struct release_level){.axis = axis, .group = group, .values = of->texts, .count = of->atoms};
  return OK;
}

/* Each atom by itself, where that tells more apart than the chain's first step does. */
static enum status add_atoms(struct cube_lattice *lattice, struct lattice_chain *chain, struct error *error) {
  const struct release_level *first = &chain->steps[0].level;
  const struct release_axis *axis = &lattice->axes.axes[first->axis];
  bool partial = strcmp(chain->steps[0].field, "month") == 0 || strcmp(chain->steps[0].field, "province") == 0;
  if (!partial || first->count == axis->atoms) {
    return OK;
  }
  struct release_level level;
  enum status status = cube_lattice_atoms(lattice, first->axis, &level, error);
  memmove(chain->steps + 1, chain->steps, chain->count * sizeof *chain->steps);
  chain->count++;
  chain->steps[0] = (struct lattice_step){.level = level};
  return status;
}

static enum status make_levels(struct cube_lattice *lattice, struct error *error) {
  enum status status = OK;
  lattice->table_count = 1;
  for (size_t c = 0; c < lattice->chain_count && status == OK; c++) {
    struct lattice_chain *chain = &lattice->chains[c];
    for (size_t i = 0; i < chain->count && status == OK; i++) {
      status = make_level(lattice, &chain->steps[i], error);
    }
    status = status == OK ? add_atoms(lattice, chain, error) : status;
    lattice->table_count *= chain->count + 1;
  }
  return status;
}

/* The finest field of each chain, in the order of their names whatever was asked for. */
static enum status count_units(struct cube_lattice *lattice, struct error *error) {
  enum status status = lattice_ledger_read(lattice, error);
  for (size_t c = 0; c < lattice->chain_count && status == OK; c++) {
    status = release_axes_add(&lattice->axes, lattice->chains[c].finest, lattice->indicator, error);
  }
  if (status == OK) {
    release_axes_sort(&lattice->axes);
    status = release_axes_count(&lattice->axes, lattice->indicator, 0, error);
  }
  for (size_t i = 0; i < lattice->axes.count && status == OK; i++) {
    lattice->counts[i] = lattice->axes.axes[i].atoms;
  }
  return status;
}

/* ---- tables by number ---- */

static size_t number_of(const struct cube_lattice *lattice, const struct lattice_steps *steps) {
  size_t number = 0;
  for (size_t c = 0; c < lattice->chain_count; c++) {
    number = number * (lattice->chains[c].count + 1) + lattice->chains[c].count - steps->at[c];
  }
  return number;
}

struct lattice_steps cube_lattice_steps(const struct cube_lattice *lattice, size_t number) {
  struct lattice_steps steps = {{0}};
  for (size_t c = lattice->chain_count; c-- > 0;) {
    size_t count = lattice->chains[c].count;
    steps.at[c] = count - number % (count + 1);
    number /= count + 1;
  }
  return steps;
}

static bool is_ancestor(const struct cube_lattice *lattice, const struct lattice_steps *of,
                        const struct lattice_steps *steps) {
  for (size_t c = 0; c < lattice->chain_count; c++) {
    if (steps->at[c] < of->at[c]) {
      return false;
    }
  }
  return memcmp(of, steps, sizeof *of) != 0;
}

static int by_axis(const void *a, const void *b) {
  const struct disclose_level *left = a, *right = b;
  return left->axis < right->axis ? -1 : left->axis > right->axis;
}

void cube_lattice_sort(struct disclose_table *table) {
  qsort(table->levels, table->level_count, sizeof *table->levels, by_axis);
}

bool cube_lattice_alike(const struct cube_lattice *lattice, const struct disclose_table *a,
                        const struct disclose_table *b) {
  bool same = a->level_count == b->level_count;
  for (size_t i = 0; i < a->level_count && same; i++) {
    const struct disclose_level *left = &a->levels[i], *right = &b->levels[i];
    same = left->axis == right->axis && left->groups == right->groups
           && memcmp(left->group, right->group, lattice->counts[left->axis] * sizeof *left->group) == 0;
  }
  return same;
}

struct disclose_table cube_lattice_laid(const struct cube_lattice *lattice, const struct lattice_steps *steps) {
  struct disclose_table table = {.name = lattice->indicator->name};
  for (size_t c = 0; c < lattice->chain_count; c++) {
    if (steps->at[c] < lattice->chains[c].count) {
      const struct release_level *level = &lattice->chains[c].steps[steps->at[c]].level;
      table.levels[table.level_count++] =
          (struct disclose_level){.axis = level->axis, .groups = level->count, .group = level->group};
    }
  }
  cube_lattice_sort(&table);
  return table;
}

bool cube_lattice_step(const struct cube_lattice *lattice, const char *field, size_t *chain, size_t *step) {
  *chain = find_chain(lattice, cube_finest_field(field));
  for (*step = 0; *chain < lattice->chain_count && *step < lattice->chains[*chain].count; ++*step) {
    const char *name = lattice->chains[*chain].steps[*step].field;
    if (name != NULL && strcmp(name, field) == 0) {
      return true;
    }
  }
  return false;
}

size_t cube_lattice_both(const struct cube_lattice *lattice, size_t chain, size_t a, size_t b) {
  size_t finer = a < b ? a : b;
  bool apart = a != b && finer == 1 && lattice->chains[chain].steps[0].field == NULL
               && (a < b ? b : a) < lattice->chains[chain].count;
  return apart ? 0 : finer;
}

/* ---- what is shown ---- */

static enum status ancestors_known(struct cube_lattice *lattice, const struct lattice_steps *steps,
                                   struct error *error) {
  enum status status = OK;
  const struct lattice_table *unused;
  for (size_t number = 0; number < lattice->table_count && status == OK; number++) {
    const struct lattice_steps other = cube_lattice_steps(lattice, number);
    status = is_ancestor(lattice, steps, &other) ? cube_lattice_table(lattice, &other, &unused, error) : OK;
  }
  return status;
}

/* What was found here will be told, comparable or not. */
static bool is_told_too(const struct cube_lattice *lattice, size_t number) {
  return lattice->told != NULL && lattice->tables[number].fresh;
}

static enum status list_tables(const struct cube_lattice *lattice, const struct lattice_steps *steps, bool told,
                               struct released_tables *list, struct arena *arena, struct error *error) {
  list->tables[0] = cube_lattice_laid(lattice, steps);
  list->count = 1;
  for (size_t number = 0; number < lattice->table_count; number++) {
    const struct lattice_steps other = cube_lattice_steps(lattice, number);
    if (list->count < DISCLOSE_TABLES_MOST
        && (is_ancestor(lattice, steps, &other) || (told && is_told_too(lattice, number)))) {
      list->tables[list->count] = cube_lattice_laid(lattice, &other);
      list->tables[list->count].quiet = lattice->tables[number].quiet;
      list->tables[list->count].room = lattice->tables[number].room;
      list->sizes[list->count] = lattice->tables[number].size;
      list->tables[list->count++].earlier = lattice->tables[number].status;
    }
  }
  enum status status = told ? lattice_told_add(lattice, list, error) : OK;
  return status == OK ? lattice_ledger_add(lattice, &list->tables[0], list, arena, error) : status;
}

static enum status run(const struct cube_lattice *lattice, const struct released_tables *list, bool strict,
                       struct arena *arena, struct disclose_result *result, struct error *error) {
  const struct disclosure_config *settings = &lattice->workspace->config->disclosure;
  const struct disclose_problem problem = {.settings = {.k = strict ? settings->k : 1, .width = settings->width},
                                           .axes = lattice->counts,
                                           .axis_count = lattice->axes.count,
                                           .rows = lattice->axes.rows,
                                           .row_count = lattice->axes.row_count,
                                           .tables = list->tables,
                                           .table_count = list->count,
                                           .strict = strict};
  return disclose_run(&problem, arena, result, error);
}

static enum status keep(struct cube_lattice *lattice, struct lattice_table *table,
                        const struct disclose_figures *figures, const uint8_t *statuses, struct error *error) {
  table->size = figures->size;
  table->counts = arena_array(lattice->arena, figures->size, sizeof *table->counts);
  table->status = arena_array(lattice->arena, figures->size, sizeof *table->status);
  if (table->counts == NULL || table->status == NULL) {
    return error_memory(error);
  }
  memcpy(table->counts, figures->counts, figures->size * sizeof *table->counts);
  memcpy(table->status, statuses, figures->size);
  for (size_t i = 0; i < figures->size; i++) {
    table->withheld = table->withheld || table->quiet || table->status[i] == DISCLOSE_ABSENT;
  }
  table->known = true;
  return OK;
}

/* All that counts anybody was published: nothing is left to decide. */
static bool is_told(const struct disclose_figures *figures, const uint8_t *told) {
  for (size_t i = 0; i < figures->size; i++) {
    if (told[i] == DISCLOSE_ABSENT) {
      return false;
    }
  }
  return true;
}

static enum status keep_room(const struct cube_lattice *lattice, struct lattice_table *table,
                             const struct disclose_figures *figures, struct error *error) {
  table->room = arena_array(lattice->arena, figures->size, sizeof *table->room);
  if (table->room == NULL) {
    return error_memory(error);
  }
  memcpy(table->room, figures->room, figures->size * sizeof *table->room);
  return OK;
}

/* Proofs that it takes, at most, by the cells that each of them goes through. */
static bool is_too_much(const struct cube_lattice *lattice, const struct released_tables *list,
                        const struct disclose_figures *own) {
  size_t cells = 0, hidden = 0;
  for (size_t i = 0; i < own->size; i++) {
    cells += own->counts[i] > 0;
    hidden += own->counts[i] > 0 && own->counts[i] < lattice->workspace->config->disclosure.k;
  }
  for (size_t t = 1; t < list->count; t++) {
    for (size_t i = 0; i < list->sizes[t]; i++) {
      uint8_t status = list->tables[t].earlier[i];
      cells += status != DISCLOSE_ABSENT;
      hidden += status == DISCLOSE_SMALL || status == DISCLOSE_BESIDE;
    }
  }
  return cells * hidden > LATTICE_WORK_MOST;
}

/* Telling which cells are empty, else not. `can`: one of both will do. */
static enum status find_shown(const struct cube_lattice *lattice, struct released_tables *list, struct arena *arena,
                              struct lattice_table *table, struct disclose_result *result, bool *can,
                              struct error *error) {
  list->tables[0].quiet = table->quiet = false;
  enum status status = run(lattice, list, true, arena, result, error);
  if (status == OK && result->exposed > 0) {
    list->tables[0].quiet = true;
    status = run(lattice, list, true, arena, result, error);
    table->quiet = status == OK && result->exposed == 0;
  }
  *can = status == OK && result->exposed == 0;
  return status == OK && table->quiet ? keep_room(lattice, table, &result->tables[0], error) : status;
}

/* Places that units may lie in, by the hidden cells that each need a proof: a table of three fields or four small ones
 * takes a second. */
static bool is_too_wide(const struct cube_lattice *lattice, const struct released_tables *list) {
  uint64_t groups[DISCLOSE_AXES_MOST] = {0}, work = 1;
  for (size_t t = 0; t < list->count; t++) {
    for (size_t i = 0; i < list->tables[t].level_count; i++) {
      const struct disclose_level *level = &list->tables[t].levels[i];
      groups[level->axis] = level->groups > groups[level->axis] ? level->groups : groups[level->axis];
    }
    for (size_t i = 0; i < list->sizes[t]; i++) {
      uint8_t status = list->tables[t].earlier[i];
      work += status == DISCLOSE_SMALL || status == DISCLOSE_BESIDE;
    }
  }
  for (size_t axis = 0; axis < lattice->axes.count && work <= LATTICE_TOLD_MOST; axis++) {
    work *= groups[axis] > 0 ? groups[axis] : 1;
  }
  return work > LATTICE_TOLD_MOST;
}

/* Whether what would be shown gives nothing away beside what reports told; else whether something less does not. */
static enum status protect_told(const struct cube_lattice *lattice, const struct lattice_steps *steps,
                                struct arena *arena, struct lattice_table *table, struct disclose_result *result,
                                bool *can, struct error *error) {
  struct released_tables *list = arena_alloc(arena, sizeof *list);
  struct disclose_result check;
  enum status status = list == NULL ? error_memory(error) : list_tables(lattice, steps, true, list, arena, error);
  if (status != OK) {
    return status;
  }
  list->tables[0].earlier = result->tables[0].status;
  list->tables[0].quiet = table->quiet;
  list->tables[0].room = table->room;
  list->sizes[0] = result->tables[0].size;
  *can = !lattice->told->crowded && list->tables[0].level_count <= RELEASE_FIELDS_MOST && !is_too_wide(lattice, list);
  if (*can) {
    status = run(lattice, list, true, arena, &check, error);
  }
  if (*can && status == OK && check.exposed > 0) {
    list->tables[0].earlier = NULL;
    list->tables[0].room = NULL;
    status = find_shown(lattice, list, arena, table, result, can, error);
  }
  table->fresh = status == OK && *can;
  return status;
}

/* With all that it has to be protected with. */
static enum status protect(struct cube_lattice *lattice, const struct lattice_steps *steps, struct arena *arena,
                           struct lattice_table *table, struct disclose_result *result, bool *can,
                           struct error *error) {
  struct released_tables *list = arena_alloc(arena, sizeof *list);
  enum status status = list == NULL ? error_memory(error) : ancestors_known(lattice, steps, error);
  status = status == OK ? list_tables(lattice, steps, false, list, arena, error) : status;
  *can = status == OK && !is_too_much(lattice, list, &result->tables[0]);
  if (*can) {
    status = find_shown(lattice, list, arena, table, result, can, error);
  }
  return status == OK && *can && lattice->told != NULL ? protect_told(lattice, steps, arena, table, result, can, error)
                                                       : status;
}

/* Where something would be given away, what was published of the table is all that is shown of it. */
static enum status decide(struct cube_lattice *lattice, const struct lattice_steps *steps, struct lattice_table *table,
                          struct arena *arena, struct error *error) {
  struct released_tables *alone = arena_alloc(arena, sizeof *alone);
  struct disclose_result result;
  bool can = false;
  if (alone == NULL) {
    return error_memory(error);
  }
  alone->tables[0] = cube_lattice_laid(lattice, steps);
  alone->count = 1;
  enum status status = run(lattice, alone, false, arena, &result, error);
  if (status != OK || lattice->workspace->config->disclosure.k <= 1) {
    return status == OK ? keep(lattice, table, &result.tables[0], result.tables[0].status, error) : status;
  }
  if (lattice->told != NULL && !lattice_ledger_has(lattice, &alone->tables[0])
      && lattice_told_same(lattice, &alone->tables[0], table)) {
    return keep(lattice, table, &result.tables[0], table->status, error);
  }
  uint8_t *told = arena_alloc(arena, result.tables[0].size + 1);
  status = told == NULL ? error_memory(error)
                        : lattice_ledger_tell(lattice, &alone->tables[0], told, result.tables[0].size, error);
  if (status == OK && !is_told(&result.tables[0], told)) {
    status = protect(lattice, steps, arena, table, &result, &can, error);
    table->quiet = table->quiet && can;
    table->room = can ? table->room : NULL;
  }
  return status == OK ? keep(lattice, table, &result.tables[0], can ? result.tables[0].status : told, error) : status;
}

enum status cube_lattice_table(struct cube_lattice *lattice, const struct lattice_steps *steps,
                               const struct lattice_table **table, struct error *error) {
  struct lattice_table *found = &lattice->tables[number_of(lattice, steps)];
  *table = found;
  if (found->known) {
    return OK;
  }
  struct arena *arena = arena_new(0);
  enum status status = arena == NULL ? error_memory(error) : decide(lattice, steps, found, arena, error);
  arena_free(arena);
  return status;
}

enum status cube_lattice_open(const struct cube_request *request, struct cube_lattice **lattice, struct error *error) {
  struct cube_lattice *made = *lattice = calloc(1, sizeof *made);
  if (made == NULL) {
    return error_memory(error);
  }
  made->workspace = request->workspace;
  made->indicator = request->indicator;
  made->tells = request->guard;
  made->arena = arena_new(0);
  made->axes = (struct release_axes){.workspace = request->workspace, .arena = made->arena};
  enum status status = made->arena == NULL ? error_memory(error) : choose_chains(made, request, error);
  status = status == OK ? count_units(made, error) : status;
  status = status == OK ? make_levels(made, error) : status;
  status = status == OK ? lattice_ledger_lay(made, error) : status;
  status = status == OK && made->told != NULL ? lattice_told_lay(made, error) : status;
  if (status == OK && made->table_count > LATTICE_TABLES_MOST) {
    error_set(error, ERR_LIMIT, _("disclosure control: more than %d tables, or too many rows"), LATTICE_TABLES_MOST);
    error_hint(error, "%s", _("leave a field or a filter out"));
    status = ERR_LIMIT;
  }
  made->tables = status == OK ? arena_array(made->arena, made->table_count, sizeof *made->tables) : NULL;
  if (status == OK && made->tables == NULL) {
    status = error_memory(error);
  }
  if (status != OK) {
    cube_lattice_close(made);
    *lattice = NULL;
  }
  return status;
}

void cube_lattice_close(struct cube_lattice *lattice) {
  if (lattice != NULL) {
    arena_free(lattice->arena);
    free(lattice);
  }
}
