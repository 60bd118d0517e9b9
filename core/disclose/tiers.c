#include "core/disclose/system.h"

#include <stdlib.h>

/* Tables tier by tier: those of the lowest are protected as if there were no others, and so give up least. */

/* The lowest tier above one, or the lowest of all; false: there is none. */
static bool next_tier(const struct disclose_problem *problem, bool first, unsigned *tier) {
  unsigned before = *tier;
  bool found = false;
  for (size_t t = 0; t < problem->table_count; t++) {
    unsigned own = problem->tables[t].tier;
    if ((first || own > before) && (!found || own < *tier)) {
      *tier = own;
      found = true;
    }
  }
  return found;
}

/* The tables up to a tier. `left` is what the lower tiers left, by table of the whole; and then
 * what this one leaves. Programmes are added to `solved`. */
static enum status run_part(const struct disclose_problem *problem, unsigned tier, bool first, struct arena *arena,
                            struct lower *left, size_t *solved, struct error *error) {
  struct disclose_problem part = *problem;
  struct disclose_result result;
  struct lower lower = *left;
  struct disclose_table *tables = arena_array(arena, problem->table_count, sizeof *tables);
  size_t *chosen = arena_array(arena, problem->table_count, sizeof *chosen), count = 0;
  lower.begun = arena_array(arena, problem->table_count, sizeof *lower.begun);
  if (tables == NULL || chosen == NULL || lower.begun == NULL) {
    return error_memory(error);
  }
  for (size_t t = 0; t < problem->table_count; t++) {
    if (problem->tables[t].tier <= tier) {
      tables[count] = problem->tables[t];
      lower.begun[count] = left->begun[t];
      chosen[count++] = t;
    }
  }
  part.tables = tables;
  part.table_count = count;
  *left = (struct lower){.begun = left->begun};
  enum status status = tier_run(&part, first ? NULL : &lower, arena, &result, left, error);
  *solved += status == OK ? result.solved : 0;
  for (size_t i = 0; i < count && status == OK; i++) {
    left->begun[chosen[i]] = tables[i].earlier == NULL ? result.tables[i].status : NULL;
  }
  return status;
}

enum status disclose_run(const struct disclose_problem *problem, struct arena *arena, struct disclose_result *result,
                         struct error *error) {
  struct lower left = {.count = 0}, unused = {.count = 0};
  unsigned tier = 0, next;
  size_t solved = 0;
  bool first = true, any = problem->settings.k > 1 && next_tier(problem, true, &tier);
  next = tier;
  if (!any || !next_tier(problem, false, &next)) {
    return tier_run(problem, NULL, arena, result, &unused, error);
  }
  left.begun = arena_array(arena, problem->table_count, sizeof *left.begun);
  enum status status = left.begun == NULL ? error_memory(error) : OK;
  for (bool more = true; more && status == OK; first = false) {
    status = run_part(problem, tier, first, arena, &left, &solved, error);
    tier = next;
    more = next_tier(problem, false, &next);
  }
  status = status == OK ? tier_run(problem, &left, arena, result, &unused, error) : status;
  result->solved += status == OK ? solved : 0;
  return status;
}
