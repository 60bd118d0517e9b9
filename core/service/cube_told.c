#include "core/service/cube_told.h"

#include "core/base/text.h"
#include "core/service/cube_fields.h"

#include <stdlib.h>

/* ---- reading ---- */

static bool same_units(const struct indicator *a, const struct indicator *b) {
  return a->unit == b->unit
         && (a->role == NULL || b->role == NULL ? a->role == b->role : strcmp(a->role, b->role) == 0);
}

static enum status damaged(struct error *error) {
  return error_set(error, ERR_STORE, "%s", _("what a report told (table `told`) cannot be read"));
}

/* {"quiet":0,"open":1,"cells":[[["female","08"],12],[["male","08"],-1,…]]} */
static enum status read_row(struct cube_lattice *lattice, const struct told_row *row, struct told_table *table,
                            struct error *error) {
  struct node *root = NULL;
  table->plan.name = "told";
  enum status status = release_table_read(slice_of(row->definition), lattice->arena, &table->plan, error);
  status = status == OK ? json_read(slice_of(row->cells), lattice->arena, &root, error) : status;
  if (status != OK) {
    return status;
  }
  const struct node *open = node_at(root, "open"), *quiet = node_at(root, "quiet"), *cells = node_at(root, "cells");
  if (open == NULL || quiet == NULL || cells == NULL) {
    return damaged(error);
  }
  table->cells = cells;
  table->open = slice_is(open->text, "1");
  table->quiet = slice_is(quiet->text, "1");
  for (size_t f = 0; f < table->plan.by_count; f++) {
    table->atoms[f] = table->plan.by[f][0] == TOLD_ATOMS;
    table->plan.by[f] += table->atoms[f];
  }
  return OK;
}

enum status lattice_told_read(struct cube_lattice *lattice, struct error *error) {
  struct lattice_told *told = lattice->told = arena_alloc(lattice->arena, sizeof *told);
  struct told_row *rows = NULL;
  size_t count = 0;
  if (told == NULL) {
    return error_memory(error);
  }
  enum status status = OK;
  if (lattice->tells) {
    status = store_told_state(lattice->workspace->store, &told->state, error);
  }
  status = status == OK ? store_told(lattice->workspace->store, lattice->arena, &rows, &count, error) : status;
  told->tables = arena_array(lattice->arena, count + 1, sizeof *told->tables);
  if (status == OK && told->tables == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < count && status == OK; i++) {
    struct told_table *table = &told->tables[told->count];
    status = read_row(lattice, &rows[i], table, error);
    told->count += status == OK && same_units(&table->plan.indicator, lattice->indicator);
  }
  return status;
}

/* ---- what matters ---- */

/* Fields as they are axes: what months mean hangs on the indicator. */
struct naming {
  struct {
    const char *finest;
    int meaning;
  } fields[TOLD_FIELDS_MOST];
  size_t count;
};

static int meaning_of(const char *finest, const struct indicator *indicator) {
  return strcmp(finest, "month") == 0      ? (int)indicator->date
         : strcmp(finest, "province") == 0 ? (int)indicator->place
         : strcmp(finest, "age") == 0      ? (int)indicator->age
                                           : 0;
}

static size_t number_of(struct naming *naming, const char *field, const struct indicator *indicator) {
  const char *finest = cube_finest_field(field);
  int meaning = meaning_of(finest, indicator);
  size_t at = 0;
  while (at < naming->count
         && (strcmp(naming->fields[at].finest, finest) != 0 || naming->fields[at].meaning != meaning)) {
    at++;
  }
  if (at == naming->count && at < TOLD_FIELDS_MOST) {
    naming->fields[naming->count].finest = finest;
    naming->fields[naming->count++].meaning = meaning;
  }
  return at;
}

/* NULL: out of memory. */
static const char *params_of(const struct release_table_plan *plan, const char *field, struct arena *arena) {
  const struct release_grouping *grouping = release_grouping_of(plan, field);
  const char *text = "";
  if (strcmp(field, "period") == 0) {
    return arena_printf(arena, "%d", plan->indicator.period);
  }
  for (size_t i = 0; strcmp(field, "age_band") == 0 && i < plan->indicator.band_count && text != NULL; i++) {
    text = arena_printf(arena, "%s,%s", text, plan->indicator.bands[i].name);
  }
  for (size_t g = 0; grouping != NULL && g < grouping->count && text != NULL; g++) {
    text = arena_printf(arena, "%s;%s", text, grouping->groups[g].code);
    for (size_t m = 0; m < grouping->groups[g].count && text != NULL; m++) {
      text = arena_printf(arena, "%s,%s", text, grouping->groups[g].members[m]);
    }
  }
  return text;
}

struct choosing {
  struct cube_lattice *lattice;
  struct naming naming;
  struct told_node *nodes;
  bool lost; /* more fields than can be told apart */
};

static enum status add_level(struct choosing *choosing, struct told_node *node, const struct release_table_plan *plan,
                             const char *field, bool atoms, struct error *error) {
  struct arena *arena = choosing->lattice->arena;
  size_t number = number_of(&choosing->naming, field, &plan->indicator);
  if (number == TOLD_FIELDS_MOST) {
    choosing->lost = true;
    return OK;
  }
  struct told_level *level = &node->levels[node->level_count++];
  *level = (struct told_level){.field = number,
                               .name = atoms ? arena_printf(arena, "%c%s", TOLD_ATOMS, field) : field,
                               .params = params_of(plan, field, arena)};
  node->fields |= (uint64_t)1 << number;
  return level->name == NULL || level->params == NULL ? error_memory(error) : OK;
}

static enum status add_node(struct choosing *choosing, struct told_node *node, const struct release_table_plan *plan,
                            const bool *atoms, struct error *error) {
  enum status status = OK;
  for (size_t f = 0; f < plan->by_count && status == OK; f++) {
    status = add_level(choosing, node, plan, plan->by[f], atoms != NULL && atoms[f], error);
  }
  for (size_t i = 0; i < plan->indicator.condition_count && status == OK; i++) {
    status = add_level(choosing, node, plan, plan->indicator.conditions[i].field, false, error);
  }
  return status;
}

/* What is asked for, by every step of its chains, and as finely as each may be told apart. */
static enum status add_asked(struct choosing *choosing, struct error *error) {
  struct cube_lattice *lattice = choosing->lattice;
  enum status status = OK;
  for (size_t c = 0; c < lattice->chain_count && status == OK; c++) {
    const struct lattice_chain *chain = &lattice->chains[c];
    const char *first = chain->steps[0].field;
    for (size_t i = 0; i < chain->count && status == OK; i++) {
      struct release_table_plan *plan = NULL;
      status = cube_lattice_plan(lattice, chain->steps[i].field, &plan, error);
      status = status == OK ? add_level(choosing, choosing->nodes, plan, chain->steps[i].field, false, error) : status;
      if (status == OK && i == 0 && (strcmp(first, "month") == 0 || strcmp(first, "province") == 0)) {
        status = add_level(choosing, choosing->nodes, plan, first, true, error);
      }
    }
  }
  return status;
}

static size_t count_bits(uint64_t bits) {
  size_t count = 0;
  for (; bits != 0; bits &= bits - 1) {
    count++;
  }
  return count;
}

/* Tables that do not matter are laid out too where they need no further axis, to be told again as they were. */
static enum status use(struct choosing *choosing, uint64_t axes, const struct told_node *nodes, struct error *error) {
  struct lattice_told *told = choosing->lattice->told;
  enum status status = OK;
  uint64_t all = axes;
  for (size_t i = 0; i < told->count; i++) {
    all |= nodes[i].matters ? nodes[i].fields : 0;
  }
  told->crowded = choosing->lost || count_bits(all) > DISCLOSE_AXES_MOST;
  all = told->crowded ? axes : all;
  for (size_t i = 0; i < told->count && status == OK; i++) {
    struct told_table *table = &told->tables[i];
    table->matters = nodes[i].matters;
    table->used = (nodes[i].fields & ~all) == 0;
    for (size_t f = 0; f < table->plan.by_count && table->used && status == OK; f++) {
      const char *field = table->atoms[f] ? table->plan.by[f] : cube_finest_field(table->plan.by[f]);
      status = release_axes_add(&choosing->lattice->axes, field, &table->plan.indicator, error);
    }
  }
  return status;
}

enum status lattice_told_choose(struct cube_lattice *lattice, const struct release_table_plan *const *released,
                                bool *matters, size_t count, struct error *error) {
  struct lattice_told *told = lattice->told;
  size_t all = 1 + count + told->count;
  struct choosing choosing = {.lattice = lattice, .nodes = arena_array(lattice->arena, all, sizeof *choosing.nodes)};
  if (choosing.nodes == NULL) {
    return error_memory(error);
  }
  enum status status = add_asked(&choosing, error);
  uint64_t axes = choosing.nodes[0].fields;
  for (size_t i = 0; i < count && status == OK; i++) {
    status = add_node(&choosing, &choosing.nodes[1 + i], released[i], NULL, error);
    axes |= choosing.nodes[1 + i].fields;
  }
  for (size_t i = 0; i < told->count && status == OK; i++) {
    struct told_node *node = &choosing.nodes[1 + count + i];
    status = add_node(&choosing, node, &told->tables[i].plan, told->tables[i].atoms, error);
    node->open = told->tables[i].open;
  }
  if (status != OK) {
    return status;
  }
  told_choose(choosing.nodes, all);
  for (size_t i = 0; i < count; i++) {
    matters[i] = choosing.nodes[1 + i].matters;
  }
  return use(&choosing, axes, choosing.nodes + 1 + count, error);
}

/* ---- laying out ---- */

static enum status lay(struct cube_lattice *lattice, struct told_table *table, struct error *error) {
  enum status status = OK;
  table->laid = (struct disclose_table){.name = lattice->indicator->name, .level_count = table->plan.by_count};
  for (size_t f = 0; f < table->plan.by_count && status == OK; f++) {
    struct release_level *level = &table->fields[f];
    status = release_level_make(&lattice->axes, table->plan.by[f], &table->plan, level, error);
    if (status == OK && table->atoms[f]) {
      status = cube_lattice_atoms(lattice, level->axis, level, error);
    }
  }
  table->size = 1;
  for (size_t f = 0; f < table->plan.by_count && status == OK; f++) {
    const struct release_level *level = &table->fields[f];
    table->laid.levels[f] = (struct disclose_level){.axis = level->axis, .groups = level->count, .group = level->group};
    table->size *= level->count;
    if (table->size > DISCLOSE_CELLS_MOST) {
      return error_set(error, ERR_LIMIT, _("table '%s' has more than %d cells"), table->laid.name, DISCLOSE_CELLS_MOST);
    }
  }
  cube_lattice_sort(&table->laid);
  table->told = status == OK ? arena_alloc(lattice->arena, table->size + 1) : NULL;
  table->room = status == OK && table->quiet ? arena_array(lattice->arena, table->size, sizeof *table->room) : NULL;
  return status != OK                                                   ? status
         : table->told == NULL || (table->quiet && table->room == NULL) ? error_memory(error)
                                                                        : OK;
}

/* SIZE_MAX: no unit of today has these values. */
static size_t place_of(const struct told_table *table, const struct node *values) {
  uint32_t at[DISCLOSE_AXES_MOST] = {0};
  for (size_t f = 0; f < table->plan.by_count; f++) {
    const struct release_level *level = &table->fields[f];
    struct slice text = values->children[f].text;
    uint32_t value = 0;
    while (value < level->count
           && !slice_is(text, level->values[value] == NULL ? RELEASE_NOT_RECORDED : level->values[value])) {
      value++;
    }
    if (value == level->count) {
      return SIZE_MAX;
    }
    for (size_t i = 0; i < table->laid.level_count; i++) {
      at[i] = table->laid.levels[i].axis == level->axis ? value : at[i];
    }
  }
  return disclose_place(&table->laid, at);
}

/* As of a release (release_told.c): whoever compares knows a figure of today as well as he knows that less than k came
 * and went since. Of a hidden figure it is known how many times k it had. */
static uint8_t told_now(int64_t figure, int64_t times, int64_t now, int k) {
  bool hidden = figure < 0;
  if (!hidden) {
    bool near = figure - now < k && now - figure < k;
    return figure == now || (near && now >= k) ? DISCLOSE_SHOWN : DISCLOSE_ABSENT;
  }
  bool near = now < (times + 2) * k - 1 && now > (times - 1) * k;
  return now == 0 || (now >= k && !near) ? DISCLOSE_ABSENT : DISCLOSE_SMALL;
}

static bool number_at(const struct node *cell, uint32_t child, int64_t *number) {
  return child < cell->count && text_to_int64(cell->children[child].text, number);
}

/* `listed` by cell: whether it is in the row. */
static enum status take_cell(const struct cube_lattice *lattice, struct told_table *table, const struct node *cell,
                             const int64_t *now, uint8_t *listed, struct error *error) {
  int k = lattice->workspace->config->disclosure.k;
  int64_t figure, times = 0, most = k, width = 0;
  bool whole = cell->count > 1 && cell->children[0].count == table->plan.by_count && number_at(cell, 1, &figure);
  whole = whole && (figure >= 0 || number_at(cell, 2, &times));
  whole = whole && (figure >= 0 || !table->quiet || (number_at(cell, 3, &most) && number_at(cell, 4, &width)));
  if (!whole) {
    return damaged(error);
  }
  size_t place = place_of(table, &cell->children[0]);
  if (place == SIZE_MAX) {
    table->same = false;
    return OK;
  }
  listed[place] = 1;
  table->told[place] = told_now(figure, times, now[place], k);
  table->same = table->same && (figure >= 0 ? now[place] == figure : table->told[place] == DISCLOSE_SMALL);
  if (table->quiet && figure < 0) {
    table->room[place] = (struct disclose_room){.most = most, .width = width};
  }
  return OK;
}

/* What is not listed was told to count nobody; of a quiet table nothing was told of it. */
static enum status take_cells(const struct cube_lattice *lattice, struct told_table *table, const int64_t *now,
                              struct error *error) {
  uint8_t *listed = calloc(table->size + 1, 1);
  enum status status = listed == NULL ? error_memory(error) : OK;
  table->same = true;
  memset(table->told, DISCLOSE_ABSENT, table->size);
  for (uint32_t i = 0; i < table->cells->count && status == OK; i++) {
    status = take_cell(lattice, table, &table->cells->children[i], now, listed, error);
  }
  for (size_t place = 0; place < table->size && status == OK; place++) {
    if (listed[place] == 0) {
      table->told[place] = now[place] == 0 && !table->quiet ? DISCLOSE_SHOWN : DISCLOSE_ABSENT;
      table->same = table->same && now[place] == 0;
    }
  }
  free(listed);
  return status;
}

enum status lattice_told_lay(struct cube_lattice *lattice, struct error *error) {
  struct lattice_told *told = lattice->told;
  struct disclose_table *tables = arena_array(lattice->arena, told->count + 1, sizeof *tables);
  struct disclose_result now;
  size_t count = 0;
  enum status status = tables == NULL ? error_memory(error) : OK;
  for (size_t i = 0; i < told->count && status == OK; i++) {
    if (told->tables[i].used && count < DISCLOSE_TABLES_MOST) {
      status = lay(lattice, &told->tables[i], error);
      tables[count++] = told->tables[i].laid;
    } else {
      told->crowded = told->crowded || told->tables[i].used;
      told->tables[i].used = false;
    }
  }
  struct arena *arena = arena_new(0);
  if (status == OK && arena == NULL) {
    status = error_memory(error);
  }
  if (status == OK && count > 0) {
    const struct disclose_problem problem = {.settings = {.k = 1},
                                             .axes = lattice->counts,
                                             .axis_count = lattice->axes.count,
                                             .rows = lattice->axes.rows,
                                             .row_count = lattice->axes.row_count,
                                             .tables = tables,
                                             .table_count = count};
    status = disclose_run(&problem, arena, &now, error);
  }
  for (size_t i = 0, at = 0; i < told->count && status == OK; i++) {
    if (told->tables[i].used) {
      status = take_cells(lattice, &told->tables[i], now.tables[at++].counts, error);
    }
  }
  arena_free(arena);
  return status;
}

/* ---- what they tell ---- */

bool lattice_told_same(const struct cube_lattice *lattice, const struct disclose_table *laid,
                       struct lattice_table *table) {
  for (size_t i = 0; i < lattice->told->count; i++) {
    const struct told_table *told = &lattice->told->tables[i];
    if (told->used && told->same && cube_lattice_alike(lattice, &told->laid, laid)) {
      table->quiet = told->quiet;
      table->room = told->room;
      table->status = told->told;
      return true;
    }
  }
  return false;
}

void lattice_told_tell(const struct cube_lattice *lattice, const struct disclose_table *laid, uint8_t *told) {
  for (size_t i = 0; i < lattice->told->count; i++) {
    const struct told_table *table = &lattice->told->tables[i];
    bool tells = table->used && table->same && cube_lattice_alike(lattice, &table->laid, laid);
    for (size_t c = 0; tells && c < table->size; c++) {
      told[c] = told[c] == DISCLOSE_ABSENT || table->told[c] == DISCLOSE_SHOWN ? table->told[c] : told[c];
    }
  }
}

enum status lattice_told_add(const struct cube_lattice *lattice, struct released_tables *to, struct error *error) {
  for (size_t i = 0; i < lattice->told->count; i++) {
    const struct told_table *told = &lattice->told->tables[i];
    bool there = !told->used || !told->matters;
    for (size_t t = 1; t < to->count && !there; t++) { /* as it is shown now, too */
      there = told->same && cube_lattice_alike(lattice, &told->laid, &to->tables[t]);
    }
    if (there) {
      continue;
    }
    if (to->count == DISCLOSE_TABLES_MOST) {
      return error_set(error, ERR_LIMIT, _("there are more than %d published tables and margins to protect together"),
                       DISCLOSE_TABLES_MOST);
    }
    to->tables[to->count] = told->laid;
    to->tables[to->count].earlier = told->told;
    to->tables[to->count].quiet = told->quiet;
    to->tables[to->count].room = told->room;
    to->sizes[to->count++] = told->size;
  }
  return OK;
}
