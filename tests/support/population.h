/* Made-up persons with slips of the pen, as columns for linkage, and a plan for them. The same seed gives the same
 * people. */
#ifndef PUENTE_TESTS_SUPPORT_POPULATION_H
#define PUENTE_TESTS_SUPPORT_POPULATION_H

#include "core/link/link.h"

enum { POPULATION_COLUMNS = 6 };

struct population {
  struct link_records records; /* given_names, paternal_surname, maternal_surname, birth_date, city, document */
  struct link_column columns[POPULATION_COLUMNS];
  uint32_t *truth; /* by record: its person */
  uint32_t *order; /* by record: its number in the order of making */
};

/* `count` records of about half as many persons, in the order that `shuffle` draws; 0: as made. */
struct population *population_make(size_t count, uint64_t seed, uint64_t shuffle);
void population_free(struct population *population);
/* Gives a record another value; NULL: none. */
void population_set(struct population *population, size_t record, const char *column, const char *value);

/* The plan of these columns; `more` is YAML that follows it (rules, band, train …). */
struct link_plan *population_plan(const char *more);
struct link_plan *population_plan_of(const char *text); /* any plan; fails the test where it cannot be read */

/* Pairs of one cluster: found, and those that are right; and all that there are to find. */
struct population_score {
  uint64_t found, right, there;
};
struct population_score population_score(const struct population *population, const uint32_t *cluster);

#endif
