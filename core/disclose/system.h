/* What the engine knows of a problem: cells that are not zero, and the places that units may lie in. Private to
 * core/disclose.
 *
 * A place is one class of each axis, a class being atoms that no table tells apart. A unit with one place is loose: in
 * another world it may lie elsewhere. A unit with several is fixed. */
#ifndef PUENTE_DISCLOSE_SYSTEM_H
#define PUENTE_DISCLOSE_SYSTEM_H

#include "core/disclose/disclose.h"

enum { PLACES_MOST = 60000, PLACES_TRIED_MOST = 4000000, ENTRIES_MOST = 3000000 };

struct cell {
  uint32_t table;
  size_t place; /* in the table */
  int64_t count;
  int64_t fixed; /* of fixed units */
  int64_t floor; /* what a hidden one is known to count at least: 1, in a quiet table 0 */
  struct disclose_room room;
  int64_t least, most; /* over the worlds found, the true one among them */
  double cost;         /* of moving it by one while it is shown */
  uint8_t status;
  bool known;   /* shown earlier: cannot be hidden */
  bool held;    /* shown by a lower tier: to be hidden only where nothing else will do */
  bool guarded; /* has to be protected as a small one */
  bool exposed;
  bool modest; /* of a quiet table of this publication */
};

/* A place's units, and the cells that it lies in: columns[starts[i]..starts[i+1]). */
struct system {
  const struct disclose_problem *problem;
  struct arena *arena;
  struct disclose_result *result;
  int64_t k, width;
  uint32_t classes[DISCLOSE_AXES_MOST];
  uint32_t *class_of[DISCLOSE_AXES_MOST];  /* by atom */
  uint32_t *(*groups)[DISCLOSE_AXES_MOST]; /* by table and level: the group of a class */
  uint32_t **cell_at;                      /* by table and place: the cell, DISCLOSE_NONE where it is zero */
  struct cell *cells;
  size_t cell_count;
  uint64_t *keys; /* of places */
  int64_t *loose; /* by place: its loose units */
  size_t place_count;
  int *starts, *columns;
};

/* Another set of units: how many loose units each place has more or fewer. */
struct move {
  uint32_t place;
  int64_t by;
};
struct world {
  struct move *moves;
  size_t count;
  bool dropped;
};

/* What a tier leaves to the next: statuses by table and cell (NULL: a table that is new, or an earlier one), and the
 * worlds that prove them, over the places that its tables told apart. */
struct lower {
  const uint8_t **begun;
  uint32_t classes[DISCLOSE_AXES_MOST];
  const uint32_t *class_of[DISCLOSE_AXES_MOST]; /* by atom */
  const uint64_t *keys;                         /* of those places */
  const struct world *worlds;
  size_t count;
};
/* `lower` NULL: there is no lower tier. */
enum status system_make(const struct disclose_problem *problem, const struct lower *lower, struct arena *arena,
                        struct disclose_result *result, struct system *system, struct error *error) MUST_CHECK;
/* Protects the tables of one tier with those of the lower ones, and fills `left` but for `begun`. */
enum status tier_run(const struct disclose_problem *problem, const struct lower *lower, struct arena *arena,
                     struct disclose_result *result, struct lower *left, struct error *error) MUST_CHECK;
/* Fills system->keys, loose, starts, columns. `seen` are the keys of the places that units lie in, ascending and
 * without repeats, `loose` their loose units. */
enum status places_make(struct system *system, const uint64_t *seen, const int64_t *loose, size_t count,
                        struct error *error) MUST_CHECK;
void key_split(const struct system *system, uint64_t key, uint32_t *classes);
/* The place of a table's cell that the classes lie in; SIZE_MAX: in none. */
size_t table_place(const struct system *system, size_t table, const uint32_t *classes);
size_t table_size(const struct disclose_table *table); /* SIZE_MAX: too many cells */

/* ---- the programme ---- */

struct programme;
/* Of the places kept (NULL: of all). */
enum status programme_new(const struct system *system, const bool *kept, struct programme **made,
                          struct error *error) MUST_CHECK;
void programme_free(struct programme *programme);
/* Nothing aimed at, at the costs of now. What does not move: known cells, those that a lower tier shows too, all that
 * are shown. */
enum hold { HOLD_KNOWN, HOLD_LOWER, HOLD_SHOWN };
void programme_begin(struct programme *programme, enum hold hold);
/* Whether a place of the programme lies in the cell. */
bool programme_has(const struct programme *programme, size_t cell);
/* The cell has to move by at least that; false: it cannot. */
bool programme_aim(struct programme *programme, size_t cell, int64_t by, bool up);
/* The cell may move by at most that, and the more the better, by `much` a step. */
void programme_wish(struct programme *programme, size_t cell, int64_t by, bool up, double much);
/* The world of least cost, by place, in whole numbers. False where there is none, or none was found. It may move shown
 * cells: they have to be hidden then. */
bool programme_solve(struct programme *programme, int64_t *moved);

#endif
