/* A new workspace: configuration, folders, key. */
#ifndef PUENTE_SERVICE_FOUNDING_H
#define PUENTE_SERVICE_FOUNDING_H

#include "core/base/error.h"

/* Makes `folder` (its parent must exist) with puente.yaml, sources/, mappings/, .gitignore and a key of mode 0600. A
 * workspace that is there already is left untouched: ERR_CONFIG. `name`: of the workspace; NULL: that of the folder. */
enum status workspace_found(const char *folder, const char *name, struct error *error) MUST_CHECK;

#endif
