#include "core/disclose/disclose.h"
#include "core/service/report_linkage.h"

#include <stdlib.h>

/* Besides what is printed: the records linked with others of their own source alone, which follow from two parts. */
enum { WITHIN = LINKAGE_PARTS, SPLITS, GROUPS = 3 };
/* What linking did with a record, as far as it can be: whoever is with a record of another source is with any. */
enum { ALONE, WITH_OWN, WITH_OTHERS, STATES, STATE_BITS = 2, STATES_ALL = STATES << STATE_BITS };
enum { TABLES = (LINKAGE_FIELDS + 1) * SPLITS };

struct guarding {
  const struct linkage_told *told; /* by person */
  size_t count;
  struct arena *arena;
  int k;
  uint32_t axes[LINKAGE_AXES];
  uint32_t flags[SPLITS][STATES_ALL]; /* 0: what the part counts */
  struct disclose_table tables[2 * TABLES];
  size_t table_count;
};

static int by_person(const void *a, const void *b) {
  int64_t x = ((const struct linkage_told *)a)->person, y = ((const struct linkage_told *)b)->person;
  return (x > y) - (x < y);
}

static bool has(uint32_t flags, size_t part) {
  return (flags >> (part - 1) & 1) != 0;
}

static uint32_t state_of(uint32_t flags) {
  uint32_t with = has(flags, LINKAGE_ACROSS) ? WITH_OTHERS : has(flags, LINKAGE_LINKED) ? WITH_OWN : ALONE;
  return with << STATE_BITS | (uint32_t)has(flags, LINKAGE_WAITING) << 1 | has(flags, LINKAGE_UNLINKABLE);
}

/* What follows by subtraction is a cell, too: each part with the rest of the records. */
static void make_groups(struct guarding *guarding) {
  for (uint32_t state = 0; state < STATES_ALL; state++) {
    uint32_t with = state >> STATE_BITS;
    guarding->flags[LINKAGE_ACROSS][state] = with != WITH_OTHERS;
    guarding->flags[LINKAGE_LINKED][state] = with == ALONE;
    guarding->flags[LINKAGE_WAITING][state] = (state & 2) == 0;
    guarding->flags[LINKAGE_UNLINKABLE][state] = (state & 1) == 0;
    guarding->flags[WITHIN][state] = with;
  }
}

static uint32_t groups_of(size_t split) {
  return split == LINKAGE_RECORDS ? 1 : split == WITHIN ? GROUPS : 2;
}

static void make_tables(struct guarding *guarding) {
  make_groups(guarding);
  for (uint32_t field = 0; field <= LINKAGE_FIELDS; field++) {
    for (size_t split = 0; split < SPLITS; split++) {
      struct disclose_table *table = &guarding->tables[guarding->table_count++];
      *table = (struct disclose_table){.name = "linkage"};
      if (field < LINKAGE_FIELDS) {
        table->levels[table->level_count++] = (struct disclose_level){.axis = field, .groups = guarding->axes[field]};
      }
      if (split != LINKAGE_RECORDS) {
        table->levels[table->level_count++] = (struct disclose_level){
            .axis = LINKAGE_FIELDS, .groups = groups_of(split), .group = guarding->flags[split]};
      }
    }
  }
}

/* Cells of k records and more that are of fewer persons are given as hidden by an earlier table, which guards them. */
static enum status add_few(struct guarding *guarding, size_t field, size_t split, struct error *error) {
  size_t size = (field < LINKAGE_FIELDS ? guarding->axes[field] : 1) * groups_of(split);
  int64_t records[LINKAGE_ATOMS_MOST * GROUPS] = {0}, persons[LINKAGE_ATOMS_MOST * GROUPS] = {0};
  int64_t last[LINKAGE_ATOMS_MOST * GROUPS] = {0};
  uint8_t *earlier = arena_alloc(guarding->arena, size);
  bool few = false;
  if (earlier == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < guarding->count; i++) {
    const struct linkage_told *told = &guarding->told[i];
    uint32_t place = (field < LINKAGE_FIELDS ? told->atoms[field] : 0) * groups_of(split)
                     + guarding->flags[split][state_of(told->atoms[LINKAGE_FIELDS])];
    persons[place] += records[place] == 0 || last[place] != told->person;
    records[place]++;
    last[place] = told->person;
  }
  for (size_t i = 0; i < size; i++) {
    earlier[i] = records[i] >= guarding->k && persons[i] < guarding->k ? DISCLOSE_SMALL : DISCLOSE_ABSENT;
    few = few || earlier[i] == DISCLOSE_SMALL;
  }
  if (few) {
    struct disclose_table *table = &guarding->tables[guarding->table_count++];
    *table = guarding->tables[field * SPLITS + split];
    table->earlier = earlier;
  }
  return OK;
}

static enum status run(struct guarding *guarding, int width, struct linkage_hidden *hidden, struct error *error) {
  struct disclose_result result;
  struct disclose_row *rows = arena_array(guarding->arena, guarding->count + 1, sizeof *rows);
  if (rows == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < guarding->count; i++) {
    rows[i].unit = (uint32_t)i;
    memcpy(rows[i].atoms, guarding->told[i].atoms, sizeof guarding->told[i].atoms);
    rows[i].atoms[LINKAGE_FIELDS] = state_of(guarding->told[i].atoms[LINKAGE_FIELDS]);
  }
  const struct disclose_problem problem = {.settings = {.k = guarding->k, .width = width},
                                           .axes = guarding->axes,
                                           .axis_count = LINKAGE_AXES,
                                           .rows = rows,
                                           .row_count = guarding->count,
                                           .tables = guarding->tables,
                                           .table_count = guarding->table_count};
  enum status status = disclose_run(&problem, guarding->arena, &result, error);
  for (size_t t = 0; t < TABLES && status == OK; t++) {
    size_t split = t % SPLITS;
    for (size_t i = 0; split < LINKAGE_PARTS && i < result.tables[t].size; i += groups_of(split)) {
      hidden->hidden[t / SPLITS][i / groups_of(split)][split] = !disclose_is_shown(result.tables[t].status[i]);
    }
  }
  return status;
}

static enum status guard(struct guarding *guarding, const struct disclosure_config *settings,
                         struct linkage_hidden *hidden, struct error *error) {
  enum status status = OK;
  for (size_t axis = 0; axis < LINKAGE_FIELDS; axis++) {
    guarding->axes[axis] = 1;
    for (size_t i = 0; i < guarding->count; i++) {
      uint32_t atom = guarding->told[i].atoms[axis] + 1;
      guarding->axes[axis] = atom > guarding->axes[axis] ? atom : guarding->axes[axis];
    }
  }
  guarding->axes[LINKAGE_FIELDS] = STATES_ALL;
  make_tables(guarding);
  for (size_t t = 0; t < TABLES && status == OK; t++) {
    status = add_few(guarding, t / SPLITS, t % SPLITS, error);
  }
  return status == OK ? run(guarding, settings->width, hidden, error) : status;
}

enum status linkage_guard(const struct workspace *workspace, struct linkage_told *told, size_t count,
                          struct linkage_hidden *hidden, struct error *error) {
  const struct disclosure_config *settings = &workspace->config->disclosure;
  struct arena *arena = arena_new(0);
  struct guarding *guarding = arena == NULL ? NULL : arena_array(arena, 1, sizeof *guarding);
  if (guarding == NULL) {
    arena_free(arena);
    return error_memory(error);
  }
  *guarding = (struct guarding){.told = told, .count = count, .arena = arena, .k = settings->k};
  if (count > 0) {
    qsort(told, count, sizeof *told, by_person);
  }
  enum status status = guard(guarding, settings, hidden, error);
  arena_free(arena);
  return status;
}
