/* Short forms of Spanish given names, and the abbreviations that registers write: Pepe is José, Ma. is María. A short
 * form may stand for several names. Private to core/link. */
#ifndef PUENTE_LINK_DIMINUTIVES_H
#define PUENTE_LINK_DIMINUTIVES_H

#include "core/base/slice.h"

#include <stdint.h>

struct diminutives;
struct diminutives *diminutives_new(void); /* NULL: no memory */
void diminutives_free(struct diminutives *diminutives);
/* The class of a folded token, from 1; 0: the table does not know it. */
uint16_t diminutives_find(const struct diminutives *diminutives, struct slice token);
/* Whether two tokens of these classes can be one name. For many threads. */
bool diminutives_meet(const struct diminutives *diminutives, uint16_t a, uint16_t b);
/* Whether `text` is `name` with -ito, -ita, -cito, -cita, -itos: Juanito of Juan, Rosita of Rosa, Carlitos of Carlos.
 */
bool diminutives_suffixed(struct slice text, struct slice name);
bool diminutives_has_suffix(struct slice text);

#endif
