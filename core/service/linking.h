/* Linking and consolidation as one call. */
#ifndef PUENTE_SERVICE_LINKING_H
#define PUENTE_SERVICE_LINKING_H

#include "core/resolve/resolve.h"
#include "core/service/workspace.h"

struct linking {
  const char *purpose; /* may be NULL */
  bool train;          /* learn weights anew */
  bool full;           /* link all rows, also where few have changed */
};
enum status service_link(struct workspace *workspace, const struct linking *linking, const struct progress *progress,
                         struct resolve_result *result, struct error *error) MUST_CHECK;

#endif
