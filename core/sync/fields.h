/* What of a record `terms: fields:` does not allow, as paths that a format can cut (mapping/format/format.h). */
#ifndef PUENTE_SYNC_FIELDS_H
#define PUENTE_SYNC_FIELDS_H

#include "core/base/node.h"
#include "core/config_terms.h"

enum { FIELDS_MOST = 4096 };

/* Each path once, in the arena. An allowed path allows all below it; a list is no level of its own. `whole`: the paths
 * are all that there is; false where they are more than FIELDS_MOST, or where the record itself is a value. */
enum status fields_forbidden(const struct terms_config *terms, const struct node *root, struct arena *arena,
                             const char ***paths, size_t *count, bool *whole, struct error *error) MUST_CHECK;

/* Whether a path may be kept; only where `fields` is there. */
bool fields_allow(const struct terms_config *terms, const char *path);

#endif
