/* Keys that tell who somebody is: where a source's mapping reads a key from the path of an identifier, it is shown by a
 * keyed digest, unless values are revealed. `puente check` warns of such keys. */
#ifndef PUENTE_SERVICE_TELLING_H
#define PUENTE_SERVICE_TELLING_H

#include "core/service/workspace.h"

#include <jansson.h>

/* `source`: its code. A login with a role is shown what the database shows it. Text is the key's, or the arena's. */
struct slice telling_text(struct workspace *workspace, struct arena *arena, bool reveal, const char *source,
                          struct slice key);
/* The same for an answer; NULL: no memory. */
json_t *telling_key(struct workspace *workspace, struct arena *arena, bool reveal, const char *source,
                    struct slice key);

#endif
