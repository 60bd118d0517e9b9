/* The language of config/link as a JSON Schema (draft 2020-12), so that editors complete and check it; kept as
 * config/schema/link.schema.json. */
#ifndef PUENTE_LINK_SCHEMA_H
#define PUENTE_LINK_SCHEMA_H

#include "core/base/buffer.h"

enum status link_schema(struct buffer *out, struct error *error) MUST_CHECK;

#endif
