/* What reports told before: the ledger of reports, as the lattice knows it. Internal to core/service/cube_lattice.c and
 * cube_ledger.c.
 *
 * A table is protected with all that was told of the same units, but for what cannot tell anything of it:
 *   - tables that no chain of shared fields leads to, where the total is told: they have nothing in common but that;
 *   - tables that a single CLOSED field leads to. A field is closed where a table by it alone was told with no cell
 *     hidden, as finely as any of these tables has it.
 * For the first: let V be the closed field, A the tables on this side of it, B those on the other, which have no field
 * in common but V. What is possible of A keeps the table by V, which is in A: so does what is possible of B. Take a
 * world of A and any of B. In both as many units have each set of V's values: those with several values are fixed, and
 * of the others the table by V tells how many have each. So the units of one can be paired with the units of the other
 * that have the same set, and what each pair has in A's and in B's fields is put together value by value of V: a world
 * of both. All that is possible by A alone is possible beside B. Likewise without any common field, of the total.
 * A reader who knows those who have several places in one side's tables knows there what this side tells of them.
 *
 * Where what is left has more fields than the suppressor takes, or takes too long, nothing new is told. */
#ifndef PUENTE_SERVICE_CUBE_TOLD_H
#define PUENTE_SERVICE_CUBE_TOLD_H

#include "core/base/node.h"
#include "core/service/cube_lattice.h"
#include "core/store/told.h"

enum { TOLD_FIELDS_MOST = 64 };
#define TOLD_ATOMS '=' /* before a field's name: its atoms, as the lattice's step without a name has them */

/* A field, as finely as a table has it. */
struct told_level {
  size_t field;       /* number of the axis */
  const char *name;   /* TOLD_ATOMS in front: its atoms */
  const char *params; /* bands, years of a period, groups: what the name alone does not tell */
};
/* What is known of a table before anything is counted. */
struct told_node {
  struct told_level levels[RELEASE_FIELDS_MOST + INDICATOR_CONDITIONS_MOST + LATTICE_CHAINS_MOST * LATTICE_STEPS_MOST];
  size_t level_count;
  uint64_t fields; /* by bit */
  bool open;       /* shown whole: every cell */
  bool matters;    /* out */
};
/* Sets `matters` of each node. The first is the table that is asked for. */
void told_choose(struct told_node *nodes, size_t count);

/* ---- reading and writing (cube_told.c) ---- */

/* A table that was told, among the axes of the lattice. */
struct told_table {
  struct release_table_plan plan; /* fields without TOLD_ATOMS */
  bool atoms[RELEASE_FIELDS_MOST];
  const struct node *cells;
  bool open, quiet;
  bool matters;
  bool used; /* laid out: it matters, or all its fields are axes anyway */
  struct release_level fields[RELEASE_FIELDS_MOST];
  struct disclose_table laid;
  size_t size;
  uint8_t *told;              /* what it tells of figures of today, by cell */
  struct disclose_room *room; /* of a quiet one */
  bool same;                  /* every figure is what it was */
};
struct lattice_told {
  struct told_table *tables;
  size_t count;
  struct told_state state;
  bool crowded; /* what matters is too much: nothing new is told */
};

/* Reads what was told of the same units. */
enum status lattice_told_read(struct cube_lattice *lattice, struct error *error) MUST_CHECK;
/* Before the axes are counted: adds those of what matters. `released` are the releases' tables, of which it sets
 * `matters` by position. */
enum status lattice_told_choose(struct cube_lattice *lattice, const struct release_table_plan *const *released,
                                bool *matters, size_t count, struct error *error) MUST_CHECK;
/* After they are counted. */
enum status lattice_told_lay(struct cube_lattice *lattice, struct error *error) MUST_CHECK;

/* The table as it was told, where none of its figures has changed; false: it was not, or some have. */
bool lattice_told_same(const struct cube_lattice *lattice, const struct disclose_table *laid,
                       struct lattice_table *table);
/* Appends those that matter, but for what the list has. */
enum status lattice_told_add(const struct cube_lattice *lattice, struct released_tables *to,
                             struct error *error) MUST_CHECK;
/* By cell what was told of the table, where none of its figures has changed, over what is there already. */
void lattice_told_tell(const struct cube_lattice *lattice, const struct disclose_table *laid, uint8_t *told);

#endif
