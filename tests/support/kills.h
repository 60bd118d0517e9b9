/* SIGKILL at random moments of what the program does to a store, on both stores: after it ran again the store has to
 * equal the one of an undisturbed run in every table (dump.h tells what is set aside), its audit chain has to verify,
 * and no run may be told as running.
 *
 * A moment is a share of an undisturbed run's duration, drawn from a seed that is printed. One that finds the program
 * ended already is drawn again, so that each moment counted is a kill of a running program; now and then the program
 * that goes on is killed as well. */
#ifndef PUENTE_TESTS_SUPPORT_KILLS_H
#define PUENTE_TESTS_SUPPORT_KILLS_H

#include <stdint.h>

struct kills_wanted {
  unsigned population; /* of the simulated registries */
  uint64_t seed;
  int runs;   /* moments of `puente run`, half in each of two rounds; each is tried on SQLite and on PostgreSQL */
  int others; /* of each of link, link --full, remap, quarantine retry, store backup, on each store */
};
struct kills_count {
  int kills, identical; /* moments of `puente run`; those after which both stores were identical */
  int other_kills, other_identical;
  int again; /* kills of a program that went on after a kill */
  int drawn_again;
};
/* Prints what it counted as notes. Any failure of the harness ends the test program. */
struct kills_count kills_do(const struct kills_wanted *wanted);

#endif
