/* Reads one file of config/model. Internal to core/model. */
#ifndef PUENTE_MODEL_READ_H
#define PUENTE_MODEL_READ_H

#include "core/base/arena.h"
#include "core/base/folder.h"
#include "core/model/model.h"

/* Fills `entity` (its index is kept); everything lives in the arena. `digest` is the file's. */
enum status entity_read(const char *path, struct arena *arena, struct entity *entity, struct sha256 *digest,
                        struct error *error) MUST_CHECK;

#endif
