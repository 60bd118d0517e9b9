/* The files of a folder, in byte order of their names, so that every run reads them alike. */
#ifndef PUENTE_BASE_FOLDER_H
#define PUENTE_BASE_FOLDER_H

#include "core/base/arena.h"
#include "core/base/error.h"

/* Full paths of the regular files whose names end with `suffix` and begin with no dot, sorted; in the arena.
 * ERR_NOT_FOUND where the folder does not exist, ERR_LIMIT past 4,096 files. */
enum status folder_list(const char *folder, const char *suffix, struct arena *arena, const char *const **paths,
                        size_t *count, struct error *error) MUST_CHECK;
/* "case" of "config/model/case.yaml": the file's name without folder and last suffix; in the arena, NULL if out of
 * memory. */
const char *folder_stem(struct arena *arena, const char *path);

#endif
