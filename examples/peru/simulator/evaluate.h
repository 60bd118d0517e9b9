/* How well a linking found the truth. */
#ifndef PUENTE_EXAMPLES_EVALUATE_H
#define PUENTE_EXAMPLES_EVALUATE_H

#include <stdbool.h>

/* Reads truth.csv and the SQLite store of a workspace, and prints for persons and for cases a line "KIND records=N …
 * precision=0.NNN recall=0.NNN f1=0.NNN". The floors are for persons.
 * Pairwise over all staged records that the truth knows: also those that no program may join (protected persons,
 * a victim and an accused) count as missed. Exit code: 0, or 1 below the floors, or 2 where a file cannot be read. */
int evaluate_run(const char *truth, const char *store, double precision_floor, double recall_floor);

#endif
