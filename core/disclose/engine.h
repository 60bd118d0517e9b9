/* One tier of tables at work: worlds are found until every hidden cell is protected. Private to core/disclose. */
#ifndef PUENTE_DISCLOSE_ENGINE_H
#define PUENTE_DISCLOSE_ENGINE_H

#include "core/disclose/system.h"

struct engine {
  struct system system;
  const struct lower *lower; /* NULL: there is no lower tier */
  struct programme *programme;
  struct world *worlds;
  size_t count, capacity;
  int64_t *moved;                 /* by place */
  int64_t *swing;                 /* by cell: what a world moves it */
  bool *keep[DISCLOSE_AXES_MOST]; /* by class: the box that a programme is confined to */
  bool *kept;                     /* by place */
};

/* Whether a hidden cell is not protected yet. */
bool engine_needs(const struct cell *cell);
/* Solves; a world that is possible is taken, and hides what it moves. */
enum status engine_solve(struct engine *engine, struct programme *programme, bool *reached,
                         struct error *error) MUST_CHECK;
/* Finds the worlds of the lower tier again among places that are told apart more finely (carry.c). */
enum status carry_worlds(struct engine *engine, struct error *error) MUST_CHECK;

#endif
