/* What changed between two texts, line by line: fewest lines. */
#ifndef PUENTE_SERVICE_TEXTDIFF_H
#define PUENTE_SERVICE_TEXTDIFF_H

#include "core/base/error.h"
#include "core/base/slice.h"

#include <jansson.h>

/* Appends {"sign": "-" or "+", "line": its number in the text that has it, "text"} to `list`, in the order of the
 * texts. ERR_LIMIT where more than 4000 lines changed. */
enum status textdiff(struct slice before, struct slice after, json_t *list, struct error *error) MUST_CHECK;

#endif
