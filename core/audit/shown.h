/* WHOM A SIGHT OF MANY SHOWS: the numbers of its persons as a text, which is kept beside the log (core/store/shown.h)
 * and committed with the entry; the entry's body holds its digest: {"persons":N, …, "shown":"HEX"}.
 *
 * The text: the numbers, ascending, as distances: of each run of numbers without a gap the distance of its first from
 * the last of the run before (from 0), and "+" with how many more it has where it has more than one; a space between
 * runs. 1, 2, 3, 7 is "1+2 4". So a whole store is a few bytes, and the worst of a million persons one or two each. */
#ifndef PUENTE_AUDIT_SHOWN_H
#define PUENTE_AUDIT_SHOWN_H

#include "core/base/buffer.h"
#include "core/store/shown.h"

/* Made by shown_init, filled, finished; freed by its owner also after an error. */
struct shown {
  struct buffer ids;
  int64_t persons, last, more; /* more: of the run at hand, that are not in the text yet */
  struct sha256 digest;
  char hex[2 * SHA256_SIZE + 1];
};
void shown_init(struct shown *shown);
/* Ascending; ERR_INTERNAL where it is not. */
enum status shown_add(struct shown *shown, int64_t id, struct error *error) MUST_CHECK;
enum status shown_finish(struct shown *shown, struct error *error) MUST_CHECK; /* sets digest and hex */
void shown_free(struct shown *shown);

/* Whether one of the numbers stands in the text of a list. */
bool shown_has(struct slice ids, const int64_t *numbers, size_t count);
/* Whether the body of an entry names a list, and which. */
bool shown_named(const char *body, struct sha256 *digest);

#endif
