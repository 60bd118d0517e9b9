/* Statistical disclosure control: which cells of tables that are published together may be shown, so that no reader
 * finds out a small count. Knows no store: rows of units and tables come in, a status for each cell goes out.
 *
 * A UNIT (person, case) has one or several rows; a row gives one ATOM for each AXIS (a finest value: one department,
 * one year of age, one purpose, or "not recorded"). A TABLE is a choice of axes, each with a grouping of its atoms, so
 * that tables share margins, age bands that do not nest meet in the exact age, and a filter is an axis with one group.
 * A unit is counted once in each cell that one of its rows lies in, so cells may add up to more than their margin.
 *
 * Hidden are counts of 1 to k-1 (primary), and as many others (complementary) as it takes that of every hidden cell,
 * after all that is shown is put together,
 *   - a count of k or more stays possible, and
 *   - two possible counts lie at least `width` apart (k-1 unless set).
 * Zero is shown, as an empty cell, but for tables that are quiet: these hide more, and so may show more. A reader may
 * not be told whether a cell is hidden by itself or for another.
 *
 * Method: "possible" is proved, not estimated. For each hidden cell a world is built: another set of units, in whole
 * numbers, that gives every shown figure exactly and the hidden cell another count; it is checked in integer
 * arithmetic against every shown cell, so that neither rounding of the solver nor an attack that uses whole numbers can
 * overturn it. Worlds differ from the truth in units with one place only: whoever knows everything about the units with
 * several places still learns nothing. What is proved so holds for any reader who knows less. The worlds come from a
 * linear programme that moves a cell at least cost, the cost being that of the shown cells that would have to be hidden
 * with it (Kelly, Golden & Assad, Networks 22, 1992; Fischetti & Salazar, Management Science 47, 2001; Hundepool et
 * al., Statistical Disclosure Control, Wiley 2012, ch. 4). Solver: Clp (COIN-OR). Tables of a lower tier are protected
 * first, by themselves; then those of the next with them, what was shown so far held as it is wherever that can be.
 *
 * Earlier tables: a cell that was shown is known (with its figure of today, the worst case: nothing else changed) and
 * cannot be hidden any more; a cell that was hidden then is protected now as if it were small, whatever it counts.
 *
 * Not protected against: a reader who knows some of the units in a cell from elsewhere; tables that were not given. */
#ifndef PUENTE_DISCLOSE_DISCLOSE_H
#define PUENTE_DISCLOSE_DISCLOSE_H

#include "core/base/arena.h"
#include "core/base/error.h"

#include <stdatomic.h>

enum {
  DISCLOSE_K = 11,
  DISCLOSE_K_MOST = 1000,
  DISCLOSE_AXES_MOST = 8,
  DISCLOSE_ATOMS_MOST = 20000, /* of one axis */
  DISCLOSE_TABLES_MOST = 256,
  DISCLOSE_CELLS_MOST = 1000000, /* of all tables, empty ones counted */
  DISCLOSE_ROWS_MOST = 50000000
};
#define DISCLOSE_NONE UINT32_MAX

struct disclose_settings {
  int k;     /* smallest count that is shown; 1: everything is */
  int width; /* 0: k-1 */
};

struct disclose_row {
  uint32_t unit; /* any number that is the same for the rows of one unit */
  uint32_t atoms[DISCLOSE_AXES_MOST];
};

struct disclose_level {
  uint32_t axis;
  uint32_t groups;       /* values in the table */
  const uint32_t *group; /* by atom; DISCLOSE_NONE: not in this table. NULL: each atom is a value, groups = atoms */
};

/* What the reader sees of a cell: shown, or hidden. The two kinds of hidden are for tests and counts alone. */
enum disclose_status {
  DISCLOSE_SHOWN,
  DISCLOSE_SMALL,  /* hidden: 1..k-1, or hidden earlier */
  DISCLOSE_BESIDE, /* hidden for another's sake */
  DISCLOSE_ABSENT  /* nothing is told: in an earlier table, was not published; in a quiet one, empty */
};

/* What has to stay possible of a hidden cell. */
struct disclose_room {
  int64_t most;  /* a count of that, or more */
  int64_t width; /* two counts so far apart */
};

/* Cells are in row-major order: the first level moves slowest. Without levels: the one cell of all units. A table whose
 * margins are printed needs them as tables of their own. */
struct disclose_table {
  const char *name; /* for messages */
  struct disclose_level levels[DISCLOSE_AXES_MOST];
  size_t level_count;
  const uint8_t *earlier; /* statuses of a table that is out already, by cell; NULL: of this publication */
  bool quiet; /* it lists shown cells alone, and not which of the others are empty: they may be, for all a reader knows.
               * Where what was shown before leaves a cell less room than is asked for, it keeps that */
  const struct disclose_room
      *room;     /* by cell, where less than the settings ask has to stay; NULL: as the settings ask */
  unsigned tier; /* what is hidden for another's sake is hidden in tables of the highest tier that will do; within a
                  * tier, cells of few levels are spared most. An earlier table is looked at from its tier on */
};

/* The caller owns all of it. */
struct disclose_problem {
  struct disclose_settings settings;
  const uint32_t *axes; /* atoms of each */
  size_t axis_count;
  const struct disclose_row *rows;
  size_t row_count;
  const struct disclose_table *tables;
  size_t table_count;
  bool strict;             /* ends at the first cell that cannot be protected: then `exposed` alone is told */
  const atomic_bool *stop; /* ERR_INTERRUPTED soon after it is set; NULL: never */
};

struct disclose_figures {
  size_t size;
  int64_t *counts;            /* the true ones */
  uint8_t *status;            /* enum disclose_status; of an earlier table too: hidden stays hidden */
  struct disclose_room *room; /* of a quiet table: what is possible, as far as is asked for; else NULL */
};

/* In the arena given. */
struct disclose_result {
  struct disclose_figures *tables; /* as many as the problem's */
  size_t filled;                   /* cells of this publication that are not zero */
  size_t small, beside;            /* of those, hidden */
  size_t exposed; /* hidden cells that what was shown earlier gives away: nothing here can protect them */
  size_t solved;  /* programmes, over all tiers: the work that it was */
  size_t worlds;  /* proved, in the end */
  int64_t units;  /* counted in any table of this publication */
  int64_t seen;   /* of those, in a shown cell of the tables with most levels */
};

/* ERR_INPUT for a settings, axis, atom, or group out of bounds; ERR_LIMIT for what is too large. */
enum status disclose_run(const struct disclose_problem *problem, struct arena *arena, struct disclose_result *result,
                         struct error *error) MUST_CHECK;

/* The place of a cell; values by level. */
size_t disclose_place(const struct disclose_table *table, const uint32_t *values);

/* A share, quotient or difference may be shown where every figure that it is made of is. */
static inline bool disclose_is_shown(uint8_t status) {
  return status == DISCLOSE_SHOWN;
}

/* ---- rounding, the other method ---- */

/* To base (3 or 5), up or down with the chances that keep the mean, by a keyed digest of the cell's name and its
 * count: the same count in the same cell always gives the same number, in every table and release. Each cell is rounded
 * by itself, totals too, so that parts need not add up to them; a number is at most base-1 from the truth. `cell` names
 * the cell by its content ("victims|department=08|year=2020", fields sorted), not by its table. Zero stays zero. */
int64_t disclose_round(const uint8_t seed[32], const char *cell, int64_t count, int base);

/* Shares of persons tell counts when they are exact: rounded down to a step of 5 %, and -1 (not told) where fewer than
 * 20 times k units are counted, so that a step is never less than k units. */
int disclose_share(int64_t seen, int64_t units, int k);

#endif
