/* Watermarks: text as the source writes it; times among them can be moved back by an overlap. */
#ifndef PUENTE_SYNC_MARK_H
#define PUENTE_SYNC_MARK_H

#include "core/base/buffer.h"

/* The mark less `overlap` microseconds, in the same form: a date, or a date and time with any separator, fraction and
 * zone. A mark that is no such time is given back as it is, and so is one less than a second's overlap. Appends to
 * `out`; false when out of memory. */
bool mark_back(struct slice mark, int64_t overlap, struct buffer *out);
/* Whether `a` is after `b`: numbers by value, everything else by bytes. */
bool mark_after(struct slice a, struct slice b);

#endif
