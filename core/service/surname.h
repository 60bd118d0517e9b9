/* Whether a surname is of Andean (Quechua, Aymara) origin, by its letters and a list of the configuration: to see
 * whether linkage fails its bearers more often than others. It says nothing of a person. One thread. */
#ifndef PUENTE_SERVICE_SURNAME_H
#define PUENTE_SERVICE_SURNAME_H

#include "core/base/error.h"
#include "core/base/slice.h"

struct surnames;
enum surname { SURNAME_NONE, SURNAME_ANDEAN, SURNAME_OTHER };

/* The list: a name a line, '*' for the rest of a word, '#' begins a comment. */
enum status surnames_read(const char *path, struct surnames **surnames, struct error *error) MUST_CHECK;
void surnames_free(struct surnames *surnames); /* NULL allowed */
/* Of the words of a text: Andean where one of them is. */
enum status surname_of(struct surnames *surnames, struct slice text, enum surname *kind,
                       struct error *error) MUST_CHECK;

#endif
