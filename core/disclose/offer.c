#include "core/disclose/disclose.h"

#include <stdlib.h>

enum status disclose_margins(const struct disclose_table *table, struct disclose_table *tables, size_t *count,
                             struct error *error) {
  size_t all = (size_t)1 << table->level_count;
  for (size_t chosen = 0; chosen + 1 < all; chosen++) {
    struct disclose_table margin = {.name = table->name};
    bool filtered = true;
    for (size_t i = 0; i < table->level_count; i++) {
      bool kept = (chosen >> i & 1) != 0;
      filtered = filtered && (kept || table->levels[i].groups > 1);
      if (kept) {
        margin.levels[margin.level_count++] = table->levels[i];
      }
    }
    if (!filtered) {
      continue;
    }
    if (*count == DISCLOSE_TABLES_MOST) {
      return error_set(error, ERR_LIMIT, _("disclosure control: more than %d tables, or too many rows"),
                       DISCLOSE_TABLES_MOST);
    }
    tables[(*count)++] = margin;
  }
  return OK;
}

/* The level grouped as the coarsening says; false: a group of the level would be cut. */
static bool coarsen_level(const struct disclose_problem *problem, const struct disclose_coarsening *way,
                          const struct disclose_level *level, struct disclose_level *coarse) {
  uint32_t atoms = problem->axes[level->axis];
  for (uint32_t a = 0; level->group != NULL && a < atoms; a++) {
    for (uint32_t b = 0; b < a; b++) {
      if (level->group[a] == level->group[b] && way->group[a] != way->group[b]) {
        return false;
      }
    }
  }
  *coarse = (struct disclose_level){.axis = level->axis, .groups = way->groups, .group = way->group};
  return true;
}

static void coarsen_table(const struct disclose_problem *problem, const struct disclose_coarsening *way,
                          struct disclose_table *table) {
  size_t kept = 0;
  for (size_t i = 0; i < table->level_count; i++) {
    struct disclose_level level = table->levels[i];
    bool meant = level.axis == way->axis && level.groups > 1 && table->earlier == NULL;
    if (meant && way->group == NULL) {
      continue;
    }
    if (meant) {
      (void)coarsen_level(problem, way, &table->levels[i], &level);
    }
    table->levels[kept++] = level;
  }
  table->level_count = kept;
}

static void count_finest(const struct disclose_problem *problem, const struct disclose_result *result,
                         struct disclose_coarsening *way) {
  size_t finest = 0;
  for (size_t t = 1; t < problem->table_count; t++) {
    bool finer = problem->tables[t].level_count > problem->tables[finest].level_count;
    finest = problem->tables[finest].earlier != NULL || (problem->tables[t].earlier == NULL && finer) ? t : finest;
  }
  way->cells = way->shown = 0;
  for (size_t i = 0; problem->table_count > 0 && i < result->tables[finest].size; i++) {
    way->cells += result->tables[finest].counts[i] > 0;
    way->shown += result->tables[finest].counts[i] > 0 && result->tables[finest].status[i] == DISCLOSE_SHOWN;
  }
  way->units = result->units;
  way->seen = result->seen;
}

static int by_worth(const void *a, const void *b) {
  const struct disclose_coarsening *left = a, *right = b;
  bool x = left->shown == left->cells, y = right->shown == right->cells;
  if (x != y) {
    return x ? -1 : 1;
  }
  if (left->seen != right->seen && !x) {
    return left->seen > right->seen ? -1 : 1;
  }
  return left->cells != right->cells ? (left->cells > right->cells ? -1 : 1) : 0;
}

static enum status try_way(const struct disclose_problem *problem, struct disclose_table *tables,
                           struct disclose_coarsening *way, struct error *error) {
  struct disclose_problem coarse = *problem;
  struct disclose_result result;
  struct arena *arena = arena_new(0);
  if (arena == NULL) {
    return error_memory(error);
  }
  for (size_t t = 0; t < problem->table_count; t++) {
    tables[t] = problem->tables[t];
    coarsen_table(problem, way, &tables[t]);
  }
  coarse.tables = tables;
  enum status status = disclose_run(&coarse, arena, &result, error);
  if (status == OK) {
    count_finest(&coarse, &result, way);
  }
  arena_free(arena);
  return status;
}

enum status disclose_offer(const struct disclose_problem *problem, struct disclose_coarsening *ways, size_t count,
                           struct error *error) {
  struct disclose_table *tables = calloc(problem->table_count + 1, sizeof *tables);
  enum status status = tables == NULL ? error_memory(error) : OK;
  for (size_t i = 0; i < count && status == OK; i++) {
    status = try_way(problem, tables, &ways[i], error);
  }
  free(tables);
  if (status == OK && count > 1) {
    qsort(ways, count, sizeof *ways, by_worth);
  }
  return status;
}
