/* Options of a command as a table. `--name VALUE`, `--name=VALUE`, flags, `--help`, and `--` before what only looks
 * like an option. */
#ifndef PUENTE_COMMAND_ARGUMENTS_H
#define PUENTE_COMMAND_ARGUMENTS_H

#include "core/command/command.h"

#include <stddef.h>

/* Values of an option that may stand several times, in their order. */
struct argument_list {
  const char **items; /* room for `most` */
  size_t count, most;
};

struct argument {
  const char *name;           /* "since" */
  const char **text;          /* takes a value */
  bool *flag;                 /* takes none */
  struct argument_list *list; /* takes a value each time it stands */
};

/* Fills the table's targets and leaves in argv[1 …], NULL-terminated, what is no option; `*argc` counts it with
 * argv[0]. END: --help was asked for and has been printed. ERR_USAGE: the error has the nearest name as its hint. The
 * table ends with a row whose name is NULL. */
enum status arguments_read(const struct command *command, const struct argument *table, int *argc, char **argv,
                           struct error *error) MUST_CHECK;
/* The same for a command to begin with: true where nothing is left to do but to return `*exit_code`. */
bool arguments_done(const struct command *command, const struct argument *table, int *argc, char **argv,
                    int *exit_code);
/* Prints a command's help. */
void arguments_help(const struct command *command);
/* Logs the error and gives its exit code. */
int command_fail(const struct error *error);
/* ERR_USAGE with the command's synopsis as the hint, logged; gives the exit code. */
int command_misused(const struct command *command, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
