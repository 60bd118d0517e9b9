/* Work handed on, piece by piece, to a thread of its own: while it works on one, the next is made ready. The caller
 * owns the pieces and leaves one alone until the next was handed on, or relay_wait has returned. */
#ifndef PUENTE_SERVICE_RELAY_H
#define PUENTE_SERVICE_RELAY_H

#include "core/base/error.h"

#include <stdbool.h>

struct relay;
typedef enum status relay_work(void *context, void *piece);

/* `alone`, or where no thread can be had: works at once, on the caller's thread. NULL: no memory. */
struct relay *relay_new(relay_work *work, void *context, bool alone);
/* Waits for the piece before; not OK: what work said of it, or of one before that. */
enum status relay_hand(struct relay *relay, void *piece) MUST_CHECK;
enum status relay_wait(struct relay *relay) MUST_CHECK;
/* Waits for what is under way. */
void relay_free(struct relay *relay);

#endif
