/* One statement of a person's over the documented views: exact figures and rows about single persons and cases. So it
 * needs a purpose and a named person, and is in the log before it runs. */
#ifndef PUENTE_SERVICE_ASK_H
#define PUENTE_SERVICE_ASK_H

#include "core/service/workspace.h"

/* Writes the entry `query`, with a keyed digest of the statement, whose conditions may hold what nobody may read in the
 * log. The workspace is WORKSPACE_WRITE; ERR_USAGE without a purpose, ERR_AUTH for a shared account and for a
 * purpose that the terms of a source do not allow. */
enum status ask_begin(struct workspace *workspace, const char *sql, const char *purpose,
                      struct error *error) MUST_CHECK;

#endif
