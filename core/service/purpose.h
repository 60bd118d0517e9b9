/* WHAT FOR identified data may be seen: `terms: purposes:` of every source that it comes from. */
#ifndef PUENTE_SERVICE_PURPOSE_H
#define PUENTE_SERVICE_PURPOSE_H

#include "core/service/workspace.h"

/* A purpose is a code of the list purpose_of_use, or a code and words: "follow_up: case 12". ERR_AUTH where the terms
 * of the source (0: of any source) do not name it. One that is missing is for the caller to refuse. */
enum status purpose_require(const struct workspace *workspace, int source_id, const char *purpose,
                            struct error *error) MUST_CHECK;
/* The same for the sources of all records of a consolidated person or case. */
enum status purpose_require_cluster(const struct workspace *workspace, const char *kind, int64_t id,
                                    const char *purpose, struct error *error) MUST_CHECK;

#endif
