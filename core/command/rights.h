/* What each command needs of a login with roles (core/service/access.h). A command that is not in the table is the
 * service's alone. */
#ifndef PUENTE_COMMAND_RIGHTS_H
#define PUENTE_COMMAND_RIGHTS_H

#include "core/service/access.h"

/* Rights by bit, any of which does. A word like `list` right after the command has rights of its own; one that stands
 * later, perhaps an option's value, can only take away. */
unsigned rights_of_command(const char *command, int argc, char *const *argv);

#endif
