/* What the parts of standard.h share. Private to them. */
#ifndef PUENTE_LINK_STANDARD_PARTS_H
#define PUENTE_LINK_STANDARD_PARTS_H

#include "core/link/standard.h"

/* The text folded, in `arena`, read as windows-1252 where it is no UTF-8; data NULL: no memory. */
struct slice standard_fold(struct arena *arena, struct slice text, bool keep_enye);
/* The number of a token; of a written form, which is only ever compared by its number, if not `folded`. At most 255
 * bytes. MAP_NONE: no memory. */
uint32_t standard_intern(struct standard *standard, struct slice text, bool folded);

#endif
