/* One command over a small workspace, again and again: each time another call of Puente's own fails. After each, what
 * the failure may not have done is checked, and the same command without disturbance must come to the content that it
 * has in a workspace where nothing failed. */
#ifndef PUENTE_TESTS_TORTURE_TORTURE_H
#define PUENTE_TESTS_TORTURE_TORTURE_H

#include <stdbool.h>

struct scenario {
  const char *name;
  const char *prepare[12]; /* commands before, in the base; "$ …" is the shell's */
  const char *command; /* arguments of puente, parted by spaces; '…' keeps them. "other: …" another person gives */
  const char *again;   /* what makes up for a failure; NULL: the command itself */
  const char *writes;  /* a file whose bytes are content, too */
  int stays;           /* descriptors that the process keeps on purpose until its end */
  bool postgres;       /* the store is a database of the test's server */
  bool slow;           /* not in the quick run */
  bool once;           /* done again it is refused (the pair is decided already); only the content counts */
};

/* Runs each by a process of its own, $TORTURE_JOBS at a time; tells counts, and where a promise did not hold which,
 * and from where the call came. The number of scenarios that went wrong. */
unsigned torture_run(const struct scenario *const *scenarios, unsigned count);

#endif
