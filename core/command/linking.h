/* What link and run have in common. */
#ifndef PUENTE_COMMAND_LINKING_H
#define PUENTE_COMMAND_LINKING_H

#include "core/command/command.h"
#include "core/service/linking.h"

/* Links and prints what came of it; gives the exit code. */
int command_linking(const struct globals *globals, struct workspace *workspace, const struct linking *linking);

#endif
