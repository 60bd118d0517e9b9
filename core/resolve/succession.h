/* Versions of a source that stand side by side, each replacing an older one: what `succeeds` of the sources says, by
 * source id. Versions of one source are a family and count as one source: what they call alike is one. Private to
 * core/resolve. */
#ifndef PUENTE_RESOLVE_SUCCESSION_H
#define PUENTE_RESOLVE_SUCCESSION_H

#include "core/config.h"

enum { SUCCESSION_SOURCES_MOST = 2048 }; /* source ids have 11 bits */

struct succession {
  int family[SUCCESSION_SOURCES_MOST];  /* id of the oldest version; its own where a source has no other */
  int before[SUCCESSION_SOURCES_MOST];  /* id of the version that it replaces; 0: none */
  bool shared[SUCCESSION_SOURCES_MOST]; /* it has another version */
};

/* `ids` are those of the configuration's sources, in their order; 0: the store does not have it. */
void succession_make(const struct config *config, const int *ids, struct succession *succession);
/* Whether the one replaces the other, directly or by versions between them. */
bool succession_replaces(const struct succession *succession, uint32_t newer, uint32_t older);

#endif
