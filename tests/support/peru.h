/* The five simulated registries of Peru, and workspaces that read them, for tests. A failure of the harness ends the
 * test program. Programs are those of $BUILD (default build/sanitized). */
#ifndef PUENTE_TESTS_SUPPORT_PERU_H
#define PUENTE_TESTS_SUPPORT_PERU_H

#include <stdint.h>
#include <sys/types.h>

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

/* A workspace NAME in the folder, with examples/peru/config, its secrets, and a key; `store` is the YAML of
 * puente.yaml's store block ("{sqlite: puente.db}"). Text of the file in `edit` (a sed script, may be NULL) changes
 * sources/. */
void peru_workspace(const struct peru *peru, const char *name, const char *store, const char *edit);
/* Makes a key with fixed bytes, so that two workspaces of one key can be compared. */
void workspace_key(const char *folder);

/* Runs `puente --config FOLDER/NAME/puente.yaml ARGUMENTS` and waits: the exit code; standard output is in `*output`
 * (allocated, the caller frees), standard error goes on. NULL: not wanted. */
int peru_puente(const struct peru *peru, const char *name, const char *arguments, char **output);
/* The same without waiting, for a test that kills it. */
pid_t peru_puente_start(const struct peru *peru, const char *name, const char *arguments);
/* A single number that a query gives. */
int64_t peru_number(const struct peru *peru, const char *name, const char *sql);

/* Runs a shell command, formatted as printf does; a failure of it ends the test. */
void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Standard output of a shell command, allocated. */
char *shell_output(int *code, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
