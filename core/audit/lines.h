/* Entries of the log as JSON lines, one object an entry: sequence, at (microseconds), run, event, source, actor,
 * purpose, body (a string, so that its bytes stay), outcomes, previous, hash (hexadecimal), in this order. */
#ifndef PUENTE_AUDIT_LINES_H
#define PUENTE_AUDIT_LINES_H

#include "core/audit/audit.h"
#include "core/base/arena.h"

enum { AUDIT_LINE_LIMIT = 64 << 20 };

void audit_line_write(const struct audit_row *row, struct buffer *out);
/* Text of the row is in the arena. ERR_INPUT where the line is no entry: which member is missing or wrong. */
enum status audit_line_read(struct slice text, struct arena *arena, struct audit_row *row,
                            struct error *error) MUST_CHECK;

#endif
