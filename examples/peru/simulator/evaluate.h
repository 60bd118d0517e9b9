/* How well a linking found the truth. */
#ifndef PUENTE_EXAMPLES_EVALUATE_H
#define PUENTE_EXAMPLES_EVALUATE_H

#include <stdbool.h>

/* Reads truth.csv and the SQLite store of a workspace, and prints lines "KIND records=N … precision=0.NNN recall=0.NNN
 * f1=0.NNN", pairwise over the staged records that the truth knows:
 *   persons   all of them; pairs that no program may join count as missed. The floors are for these.
 *   joinable  without protected records that have a key instead of a name, and no pair of a victim and an accused
 *   kin       of these, persons with a brother, sister or twin in their case, or with a document that two have shown
 *   cases     all of them
 * Exit code: 0, or 1 below the floors, or 2 where a file cannot be read. */
int evaluate_run(const char *truth, const char *store, double precision_floor, double recall_floor);

#endif
