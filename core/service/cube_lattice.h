/* What may be shown of tables by some fields, by coarser ones, or by fewer. Internal to core/service/cube*.c.
 *
 * Each field is a step of a chain that ends with leaving it out: province, department, region, none; month, year,
 * period, none; age, age_band, none; purposes, purpose_group, none; any other field, none. The fields of filters and of
 * the indicator's conditions are fields of the table like any other. A table's ANCESTORS are all others by the same or
 * coarser steps of its chains.
 *
 * What is hidden in a table hangs on the table alone, not on who asks for it with what: it is protected (core/disclose)
 * with all its ancestors, each as it is shown itself, so that the same cell is shown or hidden wherever it is asked
 * for, and no table can be subtracted from one that it is comparable with. What releases have published is known too:
 * of a table that was released the published cells are shown and hidden as they were published, any other is protected
 * with the released tables that have only fields of its chains, or all of them.
 *
 * Margins are shown first, and cannot be hidden for a finer table's sake. So where its hidden cells cannot be protected
 * with the empty ones told, it is quiet: it lists what it shows, and of all other cells it is not told which are empty.
 * Where even that would not do, since its ancestors together or a release beside them give something away, or where to
 * find out would take too long, nothing of it is told but what was published.
 *
 * Not protected with each other, where `disclosure: {reports: single}`: tables each of which has a field that the other
 * has not; tables of indicators with other dates, places or ages, periods or bands. With `reports: ledger` every table
 * is protected so by itself first, and told so where that gives nothing away beside what reports told before
 * (cube_told.h), else with less shown, else not; then it is written down. What is shown hangs on that too, then. */
#ifndef PUENTE_SERVICE_CUBE_LATTICE_H
#define PUENTE_SERVICE_CUBE_LATTICE_H

#include "core/service/cube.h"
#include "core/service/release_axes.h"

enum { LATTICE_CHAINS_MOST = 5, LATTICE_STEPS_MOST = 4, LATTICE_TABLES_MOST = DISCLOSE_TABLES_MOST };
enum { LATTICE_WORK_MOST = 1500000 }; /* so that a report takes seconds: cells, by those that have to be protected */
enum { LATTICE_TOLD_MOST = 100000 };  /* likewise, beside what reports told: places, by those */

struct lattice_step {
  const char *field; /* NULL: months and provinces, told apart too by year and department where they are not recorded */
  struct release_level level;
};
struct lattice_chain {
  const char *finest;                            /* its name */
  struct lattice_step steps[LATTICE_STEPS_MOST]; /* from the finest that is there; the last one, left out, is not */
  size_t count;
};
struct lattice_table {
  bool known;    /* the rest is filled */
  bool quiet;    /* its shown cells are told, and of the others not which are empty */
  bool fresh;    /* protected here: not told before */
  bool withheld; /* of some cells nothing is told, not even that they are empty: DISCLOSE_ABSENT */
  size_t size;
  int64_t *counts;
  uint8_t *status;
  struct disclose_room *room; /* of a quiet table; else NULL */
};

struct lattice_ledger; /* what was released */
struct lattice_told;   /* what reports told (cube_told.h) */
struct cube_lattice {
  const struct workspace *workspace;
  const struct indicator *indicator;
  struct arena *arena;
  struct release_axes axes;
  struct lattice_chain chains[LATTICE_CHAINS_MOST]; /* in the order of their names */
  size_t chain_count;
  uint32_t counts[DISCLOSE_AXES_MOST]; /* atoms, by axis */
  struct lattice_table *tables;        /* by number */
  size_t table_count;
  struct lattice_ledger *ledger;
  struct lattice_told *told; /* NULL: reports are single */
  bool tells;                /* what is found will be told */
};

/* For tables of the request's indicator by its fields, those of its filters, and coarser ones. The indicator and the
 * workspace are borrowed. ERR_LIMIT where there are too many to be protected together. */
enum status cube_lattice_open(const struct cube_request *request, struct cube_lattice **lattice,
                              struct error *error) MUST_CHECK;
void cube_lattice_close(struct cube_lattice *lattice); /* NULL allowed */

/* By chain the step of a table, chain.count: left out. */
struct lattice_steps {
  size_t at[LATTICE_CHAINS_MOST];
};
/* The table by these fields; of two of one chain the finer. Found out when it is asked for first. */
enum status cube_lattice_table(struct cube_lattice *lattice, const struct lattice_steps *steps,
                               const struct lattice_table **table, struct error *error) MUST_CHECK;
/* The chain and the step of a field; false: it has none. */
bool cube_lattice_step(const struct cube_lattice *lattice, const char *field, size_t *chain, size_t *step);
/* The step at which the cells of both can be told; they may be the same one. */
size_t cube_lattice_both(const struct cube_lattice *lattice, size_t chain, size_t a, size_t b);
/* As the suppressor has it. */
struct disclose_table cube_lattice_laid(const struct cube_lattice *lattice, const struct lattice_steps *steps);
/* Writes down every table that was found here and was not told before, with its entry in the log; to be called before
 * anything of them is told. ERR_BUSY where another report or release came in between. */
enum status cube_lattice_tell(struct cube_lattice *lattice, struct error *error) MUST_CHECK;

/* ---- for the files cube_l*.c and cube_t*.c ---- */

/* A table by one field of the indicator, with today's groups; a list that groups nothing leaves all in one. */
enum status cube_lattice_plan(const struct cube_lattice *lattice, const char *field, struct release_table_plan **plan,
                              struct error *error) MUST_CHECK;
/* Each atom of the axis by itself. */
enum status cube_lattice_atoms(const struct cube_lattice *lattice, uint32_t axis, struct release_level *level,
                               struct error *error) MUST_CHECK;
/* Levels into the order of their axes. */
void cube_lattice_sort(struct disclose_table *table);
bool cube_lattice_alike(const struct cube_lattice *lattice, const struct disclose_table *a,
                        const struct disclose_table *b);
struct lattice_steps cube_lattice_steps(const struct cube_lattice *lattice, size_t number);

/* ---- what was released (cube_ledger.c) ---- */

/* Reads the tables of all releases that count the same units, and adds their axes. */
enum status lattice_ledger_read(struct cube_lattice *lattice, struct error *error) MUST_CHECK;
/* After the axes are counted. */
enum status lattice_ledger_lay(struct cube_lattice *lattice, struct error *error) MUST_CHECK;
/* Tables of a problem; those that are out with their statuses. */
struct released_tables {
  struct disclose_table tables[DISCLOSE_TABLES_MOST];
  uint8_t *statuses[DISCLOSE_TABLES_MOST];
  size_t sizes[DISCLOSE_TABLES_MOST];
  size_t count;
};
/* Whether a table was released that is laid out like this one. */
bool lattice_ledger_has(const struct cube_lattice *lattice, const struct disclose_table *table);
/* Appends the released tables that `table` has to be protected with, statuses in the arena. */
enum status lattice_ledger_add(const struct cube_lattice *lattice, const struct disclose_table *table,
                               struct released_tables *to, struct arena *arena, struct error *error) MUST_CHECK;
/* By cell of the table what it was published as, DISCLOSE_ABSENT where it was not. */
enum status lattice_ledger_tell(const struct cube_lattice *lattice, const struct disclose_table *table, uint8_t *told,
                                size_t size, struct error *error) MUST_CHECK;

#endif
