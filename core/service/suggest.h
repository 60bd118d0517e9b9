/* A starting configuration for linking a CSV file, from the names and shapes of its columns. */
#ifndef PUENTE_SERVICE_SUGGEST_H
#define PUENTE_SERVICE_SUGGEST_H

#include "core/base/buffer.h"
#include "core/base/text.h"

/* Appends a file in the language of config/link, commented with counts, that `puente link --csv` takes as it is; it
 * holds names of columns and figures, and no value of a record. ERR_INPUT where nothing in the file can be compared. */
enum status suggest_plan(const char *path, enum encoding encoding, struct buffer *out, struct error *error) MUST_CHECK;

#endif
