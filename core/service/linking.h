/* Linking and consolidation as one call. */
#ifndef PUENTE_SERVICE_LINKING_H
#define PUENTE_SERVICE_LINKING_H

#include "core/resolve/resolve.h"
#include "core/service/workspace.h"

enum status service_link(struct workspace *workspace, const struct progress *progress, const char *purpose,
                         struct resolve_result *result, struct error *error) MUST_CHECK;

#endif
