/* Which calls of a run are to fail. $TORTURE=paths: the first call of every path through the program that no scenario
 * before came by; $TORTURE=all: every call; $TORTURE=N: so many, spread; without it a few. */
#ifndef PUENTE_TESTS_TORTURE_CHOOSE_H
#define PUENTE_TESTS_TORTURE_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

struct call {
  uint64_t path; /* 0: this call counts by itself, whatever led to it */
  unsigned nth;  /* from 1 */
};

/* Once, before processes are forked that share what failed already. */
void choose_begin(void);
/* Out of `count` calls with their `paths`, in the order of calls; allocated. `distinct` is the number of paths. */
struct call *choose(const uint64_t *paths, unsigned count, unsigned *chosen, unsigned *distinct);
/* True the first time that somebody asks for this path in the same pass, whose number `pass` is from 1. */
bool choose_new(const struct call *call, uint64_t pass);

#endif
