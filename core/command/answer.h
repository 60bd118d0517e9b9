/* Whether JSON that a command prints is whole: jansson leaves out what it has no memory for, and its callers do not
 * look at each member. */
#ifndef PUENTE_COMMAND_ANSWER_H
#define PUENTE_COMMAND_ANSWER_H

#include <stdbool.h>

/* Once, before jansson is used. */
void answer_watch(void);
/* False where jansson was refused memory since then: what was printed may lack members. */
bool answer_whole(void);

#endif
