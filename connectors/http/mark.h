/* Marks of change: the highest `updated` value seen, and dates as a source writes them in a request. */
#ifndef PUENTE_CONNECTORS_HTTP_MARK_H
#define PUENTE_CONNECTORS_HTTP_MARK_H

#include "core/base/buffer.h"

/* Replaces `mark` by `candidate` where that is later. With a format (strptime) both are read by it and the mark is
 * kept as RFC 3339 text; without, RFC 3339 compares as time, whole numbers as numbers, other text by bytes. ERR_INPUT
 * where the candidate does not fit the format. */
enum status mark_raise(struct buffer *mark, struct slice candidate, const char *format, struct error *error) MUST_CHECK;
/* The mark as the source wants it in a request: by `format` (strftime) where the mark is RFC 3339 or a date and a
 * format is given, else as it is. What is written is the mark's own wall clock; or that of `zone` ("-05:00"), for a
 * source that stamps in one zone and filters in another. */
enum status mark_write(const char *mark, const char *format, const char *zone, struct buffer *out,
                       struct error *error) MUST_CHECK;
/* The same of an end that is included: a date alone is written as the last second of its day. */
enum status mark_write_end(const char *mark, const char *format, const char *zone, struct buffer *out,
                           struct error *error) MUST_CHECK;
/* A date alone, as a person gives it, in the form of a mark of the source that has a time: its first second, or its
 * last
 * (`end`), in that mark's zone. Anything else, or a `form` (NULL allowed) that is no date and time, stays as it is. */
enum status mark_widen(const char *date, const char *form, bool end, struct buffer *out,
                       struct error *error) MUST_CHECK;
/* "Z", "+05:30", "-05:00" in seconds. */
bool zone_parse(struct slice text, int64_t *seconds);

#endif
