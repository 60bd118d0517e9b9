#include "core/disclose/system.h"

#include <coin/Clp_C_Interface.h>
#include <math.h>
#include <stdlib.h>

/* Columns: the ways up and down of each place, then of each cell of several places, which has a row: what its places
 * move is what it moves. A cell of one place needs neither, its place's columns stand for it. Hidden cells move almost
 * for nothing, shown ones at their cost, known ones not at all. */

#define FAR 1e6
#define NEARLY 1e-6
#define FREE 1e-3 /* of the cost of a cell that is hidden already: worlds stay small */
enum { DIVES_MOST = 200, ITERATIONS_MOST = 200000 }; /* not a time: the same tables hide the same cells everywhere */

struct programme {
  Clp_Simplex *model;
  const struct system *system;
  size_t places, cells, rows, columns;
  uint32_t *place;  /* the system's, that may move */
  uint32_t *cell;   /* the system's, that have such a place */
  uint32_t *number; /* by the system's cell: its position in `cell` */
  uint32_t *row_of; /* by position; DISCLOSE_NONE: its place stands for it */
  uint32_t *alone;  /* by position: its place */
  double *lower, *upper, *cost;
};

static size_t way(const struct programme *programme, size_t at, bool up) {
  if (programme->row_of[at] == DISCLOSE_NONE) {
    return programme->alone[at] * 2 + !up;
  }
  return (programme->places + programme->row_of[at]) * 2 + !up;
}

static bool is_fast(const struct cell *cell, enum hold hold) {
  bool shown = cell->status == DISCLOSE_SHOWN;
  return cell->known || (shown && (hold == HOLD_SHOWN || (hold == HOLD_LOWER && cell->held)));
}

void programme_begin(struct programme *programme, enum hold hold) {
  const struct system *system = programme->system;
  for (size_t i = 0; i < programme->places; i++) {
    programme->lower[2 * i] = programme->lower[2 * i + 1] = 0;
    programme->upper[2 * i] = FAR;
    programme->upper[2 * i + 1] = (double)system->loose[programme->place[i]];
    programme->cost[2 * i] = programme->cost[2 * i + 1] = FREE / 10;
  }
  for (size_t i = 0; i < programme->cells; i++) {
    const struct cell *cell = &system->cells[programme->cell[i]];
    size_t up = way(programme, i, true), down = way(programme, i, false);
    bool shown = cell->status == DISCLOSE_SHOWN, fast = is_fast(cell, hold);
    double most = (double)(cell->count - cell->floor);
    bool alone = programme->row_of[i] == DISCLOSE_NONE;
    programme->lower[up] = programme->lower[down] = 0;
    programme->upper[up] = fast ? 0 : FAR;
    programme->upper[down] = fast ? 0 : alone && programme->upper[down] < most ? programme->upper[down] : most;
    programme->cost[up] = programme->cost[down] = cell->cost * (shown ? 1 : FREE);
  }
}

bool programme_has(const struct programme *programme, size_t cell) {
  return programme->number[cell] != DISCLOSE_NONE;
}

bool programme_aim(struct programme *programme, size_t cell, int64_t by, bool up) {
  uint32_t at = programme->number[cell];
  if (at == DISCLOSE_NONE) { /* none of its places is among those that were kept */
    return false;
  }
  size_t column = way(programme, at, up);
  if ((double)by > programme->upper[column]) {
    return false;
  }
  programme->lower[column] = (double)by;
  programme->upper[way(programme, at, !up)] = 0;
  return true;
}

void programme_wish(struct programme *programme, size_t cell, int64_t by, bool up, double much) {
  size_t column = way(programme, programme->number[cell], up);
  programme->cost[column] = -much;
  programme->upper[column] = (double)by < programme->upper[column] ? (double)by : programme->upper[column];
}

/* ---- the matrix ---- */

/* Which places, and which cells with them: `alone` gets each cell's last place, `row_of` how many it has. */
static void choose(struct programme *programme, const bool *kept) {
  const struct system *system = programme->system;
  memset(programme->number, 0xff, system->cell_count * sizeof *programme->number);
  for (size_t i = 0; i < system->place_count; i++) {
    bool in = kept == NULL || kept[i];
    for (int at = system->starts[i]; in && at < system->starts[i + 1]; at++) {
      uint32_t *number = &programme->number[system->columns[at]];
      if (*number == DISCLOSE_NONE) {
        *number = (uint32_t)programme->cells;
        programme->cell[programme->cells++] = (uint32_t)system->columns[at];
      }
      programme->row_of[*number]++;
      programme->alone[*number] = (uint32_t)programme->places;
    }
    if (in) {
      programme->place[programme->places++] = (uint32_t)i;
    }
  }
}

/* A cell of one place stands by its place, one for each place; the others get rows. */
static enum status number_rows(struct programme *programme, const bool *kept, struct error *error) {
  const struct system *system = programme->system;
  size_t cells = system->cell_count + 1, places = system->place_count + 1;
  bool *taken = calloc(places, sizeof *taken);
  programme->place = calloc(places, sizeof *programme->place);
  programme->cell = calloc(cells, sizeof *programme->cell);
  programme->number = calloc(cells, sizeof *programme->number);
  programme->row_of = calloc(cells, sizeof *programme->row_of);
  programme->alone = calloc(cells, sizeof *programme->alone);
  if (taken == NULL || programme->place == NULL || programme->cell == NULL || programme->number == NULL
      || programme->row_of == NULL || programme->alone == NULL) {
    free(taken);
    return error_memory(error);
  }
  choose(programme, kept);
  for (size_t i = 0; i < programme->cells; i++) {
    bool stands = programme->row_of[i] == 1 && !taken[programme->alone[i]];
    taken[programme->alone[i]] = taken[programme->alone[i]] || stands;
    programme->row_of[i] = stands ? DISCLOSE_NONE : (uint32_t)programme->rows++;
  }
  free(taken);
  return OK;
}

static void fill(const struct programme *programme, CoinBigIndex *starts, int *rows, double *values) {
  const struct system *system = programme->system;
  CoinBigIndex used = 0;
  for (size_t i = 0; i < programme->columns; i++) {
    double sign = i % 2 == 0 ? 1 : -1;
    starts[i] = used;
    if (i >= programme->places * 2) {
      rows[used] = (int)(i / 2 - programme->places);
      values[used++] = -sign;
      continue;
    }
    uint32_t place = programme->place[i / 2];
    for (int at = system->starts[place]; at < system->starts[place + 1]; at++) {
      uint32_t row = programme->row_of[programme->number[system->columns[at]]];
      if (row != DISCLOSE_NONE) {
        rows[used] = (int)row;
        values[used++] = sign;
      }
    }
  }
  starts[programme->columns] = used;
}

static enum status load(struct programme *programme, struct error *error) {
  const struct system *system = programme->system;
  programme->columns = (programme->places + programme->rows) * 2;
  size_t count = programme->columns + 1, entries = programme->rows * 2 + 1;
  for (size_t i = 0; i < programme->places; i++) { /* places lie in different numbers of cells */
    entries += 2 * (size_t)(system->starts[programme->place[i] + 1] - system->starts[programme->place[i]]);
  }
  programme->lower = calloc(count, sizeof(double));
  programme->upper = calloc(count, sizeof(double));
  programme->cost = calloc(count, sizeof(double));
  CoinBigIndex *starts = calloc(count + 1, sizeof *starts);
  int *rows = calloc(entries, sizeof *rows);
  double *values = calloc(entries, sizeof *values), *zeros = calloc(programme->rows + 1, sizeof *zeros);
  if (programme->lower != NULL && programme->upper != NULL && programme->cost != NULL && starts != NULL && rows != NULL
      && values != NULL && zeros != NULL) {
    programme->model = Clp_newModel();
  }
  if (programme->model != NULL) {
    programme_begin(programme, HOLD_KNOWN);
    fill(programme, starts, rows, values);
    Clp_setLogLevel(programme->model, 0);
    Clp_loadProblem(programme->model, (int)programme->columns, (int)programme->rows, starts, rows, values,
                    programme->lower, programme->upper, programme->cost, zeros, zeros);
  }
  free(starts);
  free(rows);
  free(values);
  free(zeros);
  return programme->model == NULL ? error_memory(error) : OK;
}

enum status programme_new(const struct system *system, const bool *kept, struct programme **made, struct error *error) {
  struct programme *programme = calloc(1, sizeof *programme);
  *made = NULL;
  if (programme == NULL) {
    return error_memory(error);
  }
  programme->system = system;
  enum status status = number_rows(programme, kept, error);
  status = status == OK ? load(programme, error) : status;
  if (status != OK) {
    programme_free(programme);
    return status;
  }
  *made = programme;
  return OK;
}

void programme_free(struct programme *programme) {
  if (programme != NULL) {
    if (programme->model != NULL) {
      Clp_deleteModel(programme->model);
    }
    free(programme->place);
    free(programme->cell);
    free(programme->number);
    free(programme->row_of);
    free(programme->alone);
    free(programme->lower);
    free(programme->upper);
    free(programme->cost);
    free(programme);
  }
}

/* ---- solving ---- */

static bool solve(struct programme *programme) {
  Clp_setMaximumIterations(programme->model, ITERATIONS_MOST);
  Clp_chgColumnLower(programme->model, programme->lower);
  Clp_chgColumnUpper(programme->model, programme->upper);
  Clp_dual(programme->model, 0);
  return Clp_status(programme->model) == 0;
}

/* The column of a place that is furthest from a whole number; the count of such columns: all are whole. */
static size_t least_whole(const struct programme *programme, const double *solution) {
  size_t worst = programme->places * 2;
  double most = NEARLY;
  for (size_t i = 0; i < programme->places * 2; i++) {
    double off = fabs(solution[i] - nearbyint(solution[i]));
    if (off > most) {
      most = off;
      worst = i;
    }
  }
  return worst;
}

/* Holds one place after the other at a whole number until all are. */
static bool dive(struct programme *programme) {
  for (int depth = 0; depth < DIVES_MOST; depth++) {
    const double *solution = Clp_primalColumnSolution(programme->model);
    size_t column = least_whole(programme, solution);
    if (column == programme->places * 2) {
      return true;
    }
    double value = solution[column], lower = programme->lower[column], upper = programme->upper[column];
    bool down = value - floor(value) < 0.5, solved = false;
    for (int attempt = 0; attempt < 2 && !solved; attempt++, down = !down) {
      programme->lower[column] = down ? lower : ceil(value);
      programme->upper[column] = down ? floor(value) : upper;
      solved = solve(programme);
    }
    if (!solved) {
      return false;
    }
  }
  return false;
}

bool programme_solve(struct programme *programme, int64_t *moved) {
  Clp_chgObjCoefficients(programme->model, programme->cost);
  if (!solve(programme) || !dive(programme)) {
    return false;
  }
  const double *solution = Clp_primalColumnSolution(programme->model);
  memset(moved, 0, programme->system->place_count * sizeof *moved);
  for (size_t i = 0; i < programme->places; i++) {
    moved[programme->place[i]] = (int64_t)(nearbyint(solution[2 * i]) - nearbyint(solution[2 * i + 1]));
  }
  return true;
}
