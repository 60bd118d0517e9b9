/* What a mapping that changed changes, as JSON: for `puente remap`, and for whoever is to approve a mapping. */
#ifndef PUENTE_SERVICE_REMAPPED_H
#define PUENTE_SERVICE_REMAPPED_H

#include "core/sync/remap_report.h"

#include <jansson.h>

/* {"plan", "former": [{"plan", "records"}], "rekeyed", "quarantine": {"before", "after", "reasons": [{"reason",
 * "before", "after"}]}, "entities": [{"entity", "changed", "appeared", "vanished", "unchanged", "fields": [{"field",
 * "masked", "crowded", "changed", "appeared", "vanished", "most_frequent": [{"from", "from_missing", "to",
 * "to_missing", "rows"}]}]}]}; entities and fields in which something differs. NULL: out of memory. */
json_t *remapped_json(const struct remap_report *report);

/* Whether rows of the entity differ, or values of the field. */
bool remapped_entity_differs(const struct remap_entity *entity);
bool remapped_field_differs(const struct remap_field *field);

#endif
