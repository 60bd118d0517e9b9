/* Keys that tell who somebody is: where a source's mapping reads a key from the path of an identifier, it is shown by a
 * keyed digest, unless values are revealed. `puente check` warns of such keys. */
#ifndef PUENTE_SERVICE_TELLING_H
#define PUENTE_SERVICE_TELLING_H

#include "core/service/workspace.h"

#include <jansson.h>

/* Reads the mappings of all sources, once, before keys are shown. A mapping that is missing or wrong is no error. */
enum status telling_look(struct workspace *workspace, bool reveal, struct error *error) MUST_CHECK;

/* `source`: its code; without telling_look its keys are not shown. A login with a role is shown what the database shows
 * it. Text is the key's, or the arena's. */
struct slice telling_text(const struct workspace *workspace, struct arena *arena, bool reveal, const char *source,
                          struct slice key);
/* The same for an answer; NULL: no memory. */
json_t *telling_key(const struct workspace *workspace, struct arena *arena, bool reveal, const char *source,
                    struct slice key);

#endif
