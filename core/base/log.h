/* What the program says to its operator, on standard error: text for a person, JSON lines where asked. No function
 * here takes a value of a record; places are sources, keys of runs, fields. */
#ifndef PUENTE_BASE_LOG_H
#define PUENTE_BASE_LOG_H

#include "core/base/error.h"

enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG };

void log_configure(enum log_level level, bool json);
void log_message(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);
/* "error: message", then "  at: place" and "  hint: hint" where they are set. */
void log_error(enum log_level level, const struct error *error);

#endif
