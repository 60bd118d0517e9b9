/* The five simulated registries of Peru, and workspaces that read them. A failure of the harness ends the test program.
 */
#ifndef PUENTE_TESTS_SUPPORT_PERU_H
#define PUENTE_TESTS_SUPPORT_PERU_H

#include "tests/support/workspace.h"

#include <stdbool.h>

struct peru {
  char *folder; /* owned; removed by peru_stop */
  pid_t simulator;
  int port, round;
};

/* Makes a population and serves it. `more` are further arguments of the simulator, or NULL. */
void peru_start(struct peru *peru, unsigned population, uint64_t seed, const char *more);
/* The next round: changes only. Returns when all registries show it. */
void peru_advance(struct peru *peru);
void peru_stop(struct peru *peru);

/* Makes the folder NAME in peru's as a workspace with examples/peru/config, its secrets and a key of fixed bytes.
 * `store` is the YAML of puente.yaml's store block ("{sqlite: puente.db}"). The path is allocated. */
char *peru_workspace(const struct peru *peru, const char *name, const char *store);
/* Precision and recall over persons of an SQLite workspace, as `puente-simulator evaluate` tells them; its exit code.
 */
int peru_evaluate(const struct peru *peru, const char *folder, double precision, double recall, char **line);

/* Whether two workspaces of one key hold the same: records, quarantine, staged rows, members, consolidated persons and
 * cases with the origin of each value; `counts`: their runs, too. Prints what differs. */
bool peru_same(const char *left, const char *right, bool counts);

#endif
