#include "core/service/cube_fields.h"
#include "core/service/cube_told.h"

/* Steps of a chain: 0 its atoms, then the finest field and so on. */
static int rank_of(const char *name) {
  int rank = 1;
  if (name[0] == TOLD_ATOMS) {
    return 0;
  }
  for (const char *step = cube_finest_field(name); step != NULL && strcmp(step, name) != 0; rank++) {
    step = cube_coarser_field(step);
  }
  return rank;
}

/* Whether a table by the one tells that by the other. Months and provinces do not tell years and departments: some are
 * recorded as these alone. */
static bool covers(const struct told_level *fine, const struct told_level *coarse) {
  int own = rank_of(fine->name), other = rank_of(coarse->name);
  if (own == other) {
    return strcmp(fine->name, coarse->name) == 0 && strcmp(fine->params, coarse->params) == 0;
  }
  return own < other && strcmp(fine->name, "month") != 0 && strcmp(fine->name, "province") != 0;
}

static bool is_covered(const struct told_node *nodes, size_t count, const struct told_level *by) {
  for (size_t n = 0; n < count; n++) {
    for (size_t i = 0; i < nodes[n].level_count; i++) {
      const struct told_level *level = &nodes[n].levels[i];
      if (level->field == by->field && !covers(by, level)) {
        return false;
      }
    }
  }
  return true;
}

static bool is_closed(const struct told_node *nodes, size_t count, size_t field) {
  for (size_t n = 1; n < count; n++) {
    const struct told_node *node = &nodes[n];
    if (node->open && node->level_count == 1 && node->levels[0].field == field
        && is_covered(nodes, count, &node->levels[0])) {
      return true;
    }
  }
  return false;
}

/* The fields that shared ones lead to from the first node's, by any but `barred`. */
static uint64_t reach(const struct told_node *nodes, size_t count, uint64_t barred) {
  uint64_t reached = nodes[0].fields & ~barred;
  for (bool more = true; more;) {
    more = false;
    for (size_t n = 0; n < count; n++) {
      uint64_t own = nodes[n].fields & ~barred;
      if (nodes[n].matters && (own & reached) != 0 && (own & ~reached) != 0) {
        reached |= own;
        more = true;
      }
    }
  }
  return reached;
}

/* Tables by the barred field alone stay: they are what separates. */
static void part(struct told_node *nodes, size_t count, uint64_t barred) {
  uint64_t reached = reach(nodes, count, barred);
  for (size_t n = 1; n < count; n++) {
    nodes[n].matters = nodes[n].matters && ((nodes[n].fields & ~barred) == 0 || (nodes[n].fields & reached) != 0);
  }
}

void told_choose(struct told_node *nodes, size_t count) {
  bool totalled = false;
  for (size_t n = 0; n < count; n++) {
    nodes[n].matters = true;
    totalled = totalled || (n > 0 && nodes[n].open && nodes[n].level_count == 0);
  }
  if (totalled && nodes[0].fields != 0) {
    part(nodes, count, 0);
  }
  for (size_t field = 0; field < TOLD_FIELDS_MOST; field++) {
    uint64_t own = (uint64_t)1 << field;
    if ((nodes[0].fields & ~own) != 0 && is_closed(nodes, count, field)) {
      part(nodes, count, own);
    }
  }
}
