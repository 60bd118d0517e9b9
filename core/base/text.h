/* Text: UTF-8 checks, transcoding by the WHATWG tables, folding, shapes, nearest names. */
#ifndef PUENTE_BASE_TEXT_H
#define PUENTE_BASE_TEXT_H

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/slice.h"

enum encoding { ENCODING_UTF8, ENCODING_WINDOWS_1252, ENCODING_LATIN1 };

/* "utf-8", "windows-1252", "cp1252", "latin-1", "iso-8859-1", … in any case; false if unknown. */
bool encoding_parse(struct slice name, enum encoding *encoding);
const char *encoding_name(enum encoding encoding);
bool utf8_valid(struct slice text);
/* The text as UTF-8: `text` itself where nothing changes, else a copy in the arena (data NULL: out of memory).
 * Windows-1252 and Latin-1 both use the WHATWG windows-1252 table, in which every byte has a meaning, except that
 * strict Latin-1 keeps C1 controls. */
struct slice text_to_utf8(struct arena *arena, struct slice text, enum encoding encoding);
/* Undoes UTF-8 read as Windows-1252 and encoded again, once or twice; the text itself where that does not apply. */
struct slice text_repair_double(struct arena *arena, struct slice text);

/* Folds for comparison: upper case, accents removed; ñ kept as Ñ when keep_enye, else N (ICU for what is not ASCII
 * or Latin-1). */
struct slice text_fold(struct arena *arena, struct slice text, bool keep_enye);
struct slice text_upper(struct arena *arena, struct slice text);
struct slice text_lower(struct arena *arena, struct slice text);
/* Runs of white space to one space, trimmed. */
struct slice text_squeeze(struct arena *arena, struct slice text);

/* What may be shown of a personal value: a digit becomes 9, a run of letters AAAA, Aaaa or aaaa whatever its length,
 * and up to three digits alone a single 9, since the length of a short code tells which it is. At most `most`
 * characters. */
struct slice text_shape(struct arena *arena, struct slice text, size_t most);

/* The candidate nearest to `name` by Damerau-Levenshtein distance, at most a third of its length away; else NULL. */
const char *text_nearest(struct slice name, const char *const *candidates, size_t count);

/* Whole text as a number; false on anything else, overflow included. */
bool text_to_int64(struct slice text, int64_t *value);

#endif
