/* THE KEY IN OTHER HANDS: split into shares for holders, tried, and put back from them (core/base/share.h); and the
 * linkage key for institutions that encode by themselves (core/link/linkage_key.h). */
#ifndef PUENTE_SERVICE_ESCROW_H
#define PUENTE_SERVICE_ESCROW_H

#include "core/base/share.h"
#include "core/link/linkage_key.h"
#include "core/service/workspace.h"

/* Writes FOLDER/share-1-of-3.txt … of the workspace's key; all or none. For a named person with the right, on a
 * workspace opened for writing: that it was split stands in the log before a share leaves. */
enum status service_split_key(struct workspace *workspace, const char *folder, int shares, int needed,
                              struct error *error) MUST_CHECK;

/* What shares are good for. */
struct escrow_check {
  struct share first; /* its bytes are wiped */
  size_t given;
  bool enough;             /* they were joined in memory, and gave the key that they name */
  bool file_known, file;   /* the workspace's key file could be read; it is the key of these shares */
  bool store_known, store; /* the store is there, and was asked with the joined key; it opens */
};
/* The next two: on a workspace of WORKSPACE_CONFIG, up to SHARES_MOST paths. Writes nothing. Where the store is
 * there and cannot be asked, that is the error, and `check` holds what was found out before. */
enum status service_check_shares(const struct workspace *workspace, char *const *paths, size_t count,
                                 struct escrow_check *check, struct error *error) MUST_CHECK;
/* Writes the key to a new file of mode 0600. An error, and nothing written, where the store is there and is another
 * key's, or cannot be asked; `asked`: it was there. */
enum status service_join_key(const struct workspace *workspace, char *const *paths, size_t count, const char *out,
                             bool *asked, struct error *error) MUST_CHECK;

struct linkage_gift {
  const char *path, *institution, *reason; /* for whom, and why, as the log has them */
};
/* Writes the linkage key to a new file. For a named person with the right, on a workspace opened for writing; for whom
 * it is, why, and its mark stand in the log before the file does. */
enum status service_give_linkage_key(struct workspace *workspace, const struct linkage_gift *gift,
                                     char mark[LINKAGE_MARK + 1], struct error *error) MUST_CHECK;

#endif
