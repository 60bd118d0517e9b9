/* Reads one file of the workspace's sources. Internal to core/config*.c. */
#ifndef PUENTE_CONFIG_SOURCE_H
#define PUENTE_CONFIG_SOURCE_H

#include "core/base/folder.h"
#include "core/config.h"

/* Fills `source`, whose `precedence` holds its default; everything lives in the arena. */
enum status source_read(const char *path, const char *folder, struct arena *arena, struct source_config *source,
                        struct error *error) MUST_CHECK;

#endif
