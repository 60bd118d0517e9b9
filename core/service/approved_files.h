/* The files that `approval:` governs, as the configuration names them. Private to core/service/approv*.c. */
#ifndef PUENTE_SERVICE_APPROVED_FILES_H
#define PUENTE_SERVICE_APPROVED_FILES_H

#include "core/service/approved.h"

struct approved_file {
  enum text_kind kind;
  const char *name, *path;
};
struct approved_files {
  struct arena *arena;
  struct approved_file items[APPROVED_WAITING_MOST];
  size_t count;
};

/* Mappings by the code of their source; code lists of the workspace by their name (the program's come with its version,
 * as its transforms do); of link files "link" is the one that puente.yaml names, the others go by their
 * path as it names them. Files of kinds that are not required are left out. */
enum status approved_collect(const struct config *config, struct arena *arena, struct approved_files **files,
                             struct error *error) MUST_CHECK;
enum status approved_take(struct approved_files *files, enum text_kind kind, const char *name, const char *path,
                          struct error *error) MUST_CHECK;
/* The path of an approved name, in the arena; NULL: the configuration has no such file any more, or no memory. */
const char *approved_path(const struct config *config, enum text_kind kind, const char *name, struct arena *arena);
bool approved_kind(const char *word, enum text_kind *kind);
/* A copy that lives in the arena. */
enum status approved_copy(struct arena *arena, const struct approval *from, struct approval *to,
                          struct error *error) MUST_CHECK;

#endif
