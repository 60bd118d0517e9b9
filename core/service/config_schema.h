/* The configuration as JSON Schemas (draft 2020-12), so that editors complete and check it: puente.yaml, and a file of
 * a source with the options of each connector from its table. */
#ifndef PUENTE_SERVICE_CONFIG_SCHEMA_H
#define PUENTE_SERVICE_CONFIG_SCHEMA_H

#include "core/base/buffer.h"

enum status config_schema(struct buffer *out, struct error *error) MUST_CHECK;
enum status source_schema(struct buffer *out, struct error *error) MUST_CHECK;

#endif
