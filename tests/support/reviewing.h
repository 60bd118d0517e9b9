/* A workspace of one source whose four persons are linked to nobody, with pairs that wait for a person. Owned by the
 * caller, freed by reviewing_close. A failure of the harness ends the test program. */
#ifndef PUENTE_TESTS_SUPPORT_REVIEWING_H
#define PUENTE_TESTS_SUPPORT_REVIEWING_H

#include <stdint.h>

enum { REVIEWED = 4 };

struct reviewing {
  char *folder;
  char config[512];          /* path of puente.yaml */
  int64_t persons[REVIEWED]; /* their staged rows, ascending */
  int64_t cases[REVIEWED];   /* and those of their cases */
};

/* Persons 0-1 wait with weight 6.5, 0-2 with 2 by a rule, 1-3 are apart; cases 0-1 wait with weight 4. `approvals` is
 * what the link configuration asks for; 0: nothing about it. */
void reviewing_open(struct reviewing *reviewing, int approvals);
void reviewing_close(struct reviewing *reviewing);

#endif
