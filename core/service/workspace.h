/* What commands, and later daemon and console, stand on: a configuration opened with its model, code lists, key and
 * store, and who acts. Services take a workspace and give typed results; commands print them. */
#ifndef PUENTE_SERVICE_WORKSPACE_H
#define PUENTE_SERVICE_WORKSPACE_H

#include "core/sync/sync.h"

enum workspace_mode {
  WORKSPACE_CONFIG,   /* configuration, model and code lists only */
  WORKSPACE_RELEASES, /* and of the store what was published: no key, no table but the views of releases */
  WORKSPACE_READ,     /* and the store, read-only */
  WORKSPACE_WRITE
};

struct workspace {
  struct config *config;
  struct model *model;
  struct codelists *lists; /* NULL where it was opened bare */
  struct error unfit; /* why the approved code lists cannot be used; code OK: they can. `lists` has the program's */
  struct approved_texts *texts; /* which texts count where `approval:` requires a second person; NULL: the files */
  struct key *key;
  struct store *store;
  int *source_ids;   /* by position in config->sources; 0 in WORKSPACE_READ where the store knows it not yet */
  char *telling;     /* core/service/telling.c's, by position in config->sources; NULL: not looked at yet */
  const char *actor; /* as actor_read of core/base/actor.h tells */
  bool lent;         /* the configuration is the opener's */
};

enum status workspace_open(const char *config_path, enum workspace_mode mode, struct workspace *workspace,
                           struct error *error) MUST_CHECK;
/* The same without code lists, for what reads no mapping and labels no code: they are half of what opening costs, and a
 * mistake in one does not keep such a command from its work. */
enum status workspace_open_bare(const char *config_path, enum workspace_mode mode, struct workspace *workspace,
                                struct error *error) MUST_CHECK;
/* The same for work that may wait, and for the daemon's threads, which share a configuration. */
struct workspace_opening {
  const char *path;      /* of puente.yaml, where `config` is NULL */
  struct config *config; /* read already; stays the caller's, longer than the workspace */
  enum workspace_mode mode;
  bool bare;               /* without code lists: `lists` stays NULL */
  const atomic_bool *stop; /* another writer of the store is waited for until it is set; NULL: for half a minute */
};
enum status workspace_open_as(const struct workspace_opening *opening, struct workspace *workspace,
                              struct error *error) MUST_CHECK;
void workspace_close(struct workspace *workspace);
/* How the configured store is opened; `*password` is the caller's, to be given to secret_free after use. */
enum status workspace_store_options(const struct workspace *workspace, struct store_options *options, char **password,
                                    struct error *error) MUST_CHECK;
struct workbench workspace_bench(const struct workspace *workspace);

#endif
