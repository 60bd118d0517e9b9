/* PostgreSQL's own programs, run on the store's database; the password goes by the environment. */
#ifndef PUENTE_STORE_POSTGRES_PROGRAM_H
#define PUENTE_STORE_POSTGRES_PROGRAM_H

#include "core/store/postgres/postgres.h"

#include <sys/types.h>

struct program {
  const char *name;
  pid_t child;
  int output; /* what it prints; the caller may read it, or take it over by setting -1 */
  int errors; /* a file in memory */
};
enum status program_start(const char *password, char *const *arguments, struct program *program,
                          struct error *error) MUST_CHECK;
/* Waits for its end; ERR_FULL, ERR_CONFIG or ERR_STORE where it failed. With `stop`, ends it as soon as that is set:
 * ERR_INTERRUPTED. */
enum status program_end(struct program *program, const atomic_bool *stop, struct error *error) MUST_CHECK;

#endif
