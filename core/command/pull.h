/* What sync, remap, retry and run have in common: pulling through the service and telling what came of each source. */
#ifndef PUENTE_COMMAND_PULL_H
#define PUENTE_COMMAND_PULL_H

#include "core/command/command.h"
#include "core/service/pull.h"

/* Runs the request with a meter and prints an aligned line for each source, or a JSON document. `codes`: the sources
 * named, NULL-terminated. Gives the exit code. */
int command_pull(const struct globals *globals, struct workspace *workspace, const struct pull_request *wanted);

#endif
