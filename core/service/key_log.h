/* What was done with a key, in the log before it has an effect outside the store. */
#ifndef PUENTE_SERVICE_KEY_LOG_H
#define PUENTE_SERVICE_KEY_LOG_H

#include "core/service/workspace.h"

/* One entry "key", in a transaction of its own. `body`: a canonical JSON object; `purpose` may be NULL. */
enum status key_log(struct workspace *workspace, const char *purpose, const char *body, struct error *error) MUST_CHECK;

#endif
