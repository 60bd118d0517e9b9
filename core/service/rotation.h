/* Rotation of the keys that bodies are sealed under (core/store/reseal.h): for a named person who has the right. */
#ifndef PUENTE_SERVICE_ROTATION_H
#define PUENTE_SERVICE_ROTATION_H

#include "core/service/workspace.h"
#include "core/store/reseal.h"

struct rotation_done {
  int64_t sealed, retired; /* bodies; keys */
};
/* On a workspace opened for writing; others go on reading and writing. Interrupted, it goes on when it is asked for
 * again with `resume`, which makes no new key. */
enum status service_rotate(struct workspace *workspace, bool resume, const atomic_bool *stop,
                           struct rotation_done *done, struct error *error) MUST_CHECK;

#endif
