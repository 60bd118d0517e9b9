/* What sync, remap, retry and run have in common: pulling through the service and telling what came of each source. */
#ifndef PUENTE_COMMAND_PULL_H
#define PUENTE_COMMAND_PULL_H

#include "core/command/command.h"
#include "core/service/pull.h"

/* Runs the request with a meter and prints an aligned line for each source, or a JSON document. `codes`: the sources
 * named, NULL-terminated. Gives the exit code. */
int command_pull(const struct globals *globals, struct workspace *workspace, const struct pull_request *wanted);

/* Opens the workspace for writing, has `work` (command_pull, or what does more) pull the sources that arguments_read
 * left in argv[1 …], and closes it. Gives the exit code. */
typedef int command_pull_work(const struct globals *globals, struct workspace *workspace,
                              const struct pull_request *wanted);
int command_pull_named(const struct globals *globals, char **argv, const struct pull_request *wanted,
                       command_pull_work *work);

#endif
