/* What was taken out, and copies of the store that were made before: a copy that is put back would bring it back.
 *
 * The folder of copies holds NAME.erasures beside them, written anew with each taking out and each copy: JSON lines of
 * keyed digests, record numbers, times, causes, who, reason and document; no value of a person. A restore takes what
 * the store that it replaces knows and what these files know, and takes it out again. */
#ifndef PUENTE_SERVICE_REAPPLY_H
#define PUENTE_SERVICE_REAPPLY_H

#include "core/service/workspace.h"
#include "core/store/erase.h"

struct erasures {
  struct erasure *items; /* texts in `arena` */
  size_t count, capacity;
  struct arena *arena;
};
enum status erasures_init(struct erasures *erasures, struct error *error) MUST_CHECK;
void erasures_free(struct erasures *erasures);
/* Adds those of a store; of a file that erasures_keep wrote into the folder, where there is one. */
enum status erasures_read_store(struct erasures *erasures, struct store *store, struct error *error) MUST_CHECK;
enum status erasures_read_folder(struct erasures *erasures, const struct workspace *workspace, const char *folder,
                                 struct error *error) MUST_CHECK;
/* Takes out of `store`, which was restored, what it does not know as taken out; one transaction, with its run and its
 * entries of the log. `applied`: records. */
enum status erasures_apply(const struct erasures *erasures, const char *actor, const struct store_options *options,
                           struct store *store, int64_t *applied, struct error *error) MUST_CHECK;
/* Writes the file into a folder that is there (NULL: that of the workspace's copies). That it cannot be is a warning.
 */
void erasures_keep(const struct workspace *workspace, struct store *store, const char *folder);
/* The folder of the workspace's copies, in the arena. */
char *copies_folder(const struct config *config, struct arena *arena);

#endif
