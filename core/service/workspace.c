#include "core/service/workspace.h"

#include "core/base/actor.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/service/access.h"
#include "core/service/approved.h"
#include "core/service/backup.h"
#include "core/service/config_log.h"

#include <stdlib.h>
#include <unistd.h>

/* A reader can do without the key: identities stay sealed then. */
static enum status open_key(struct workspace *workspace, enum workspace_mode mode, struct error *error) {
  const char *path = workspace->config->key_file;
  if (mode == WORKSPACE_RELEASES) {
    return OK;
  }
  if (mode != WORKSPACE_WRITE && access(path, R_OK) != 0) {
    return OK;
  }
  return key_load(path, &workspace->key, error);
}

/* A store that is not there though copies of it are is gone: its disk is not mounted, or somebody moved it. One made in
 * its place would hold no decision of anybody, and its copies would soon push out those of the one that is gone. */
static enum status never_had_one(const struct store_options *options, const struct workspace *workspace,
                                 struct error *error) {
  struct buffer copy;
  enum status status = service_newest_copy(workspace, &copy, error);
  if (status == OK && copy.len > 0) {
    status =
        error_set(error, ERR_STORE, _("the store is gone, while copies of it are there, the newest %s"), copy.data);
    error_place(error, "%s", options->kind == STORE_SQLITE ? options->path : options->schema);
    error_hint(
        error, "%s",
        _("mount its disk, or put a copy back: `puente store restore`; a new one is made by `puente store init`"));
  }
  buffer_free(&copy);
  return status;
}

/* A workspace's first sync makes its store. */
static enum status make_store(const struct store_options *options, struct workspace *workspace, struct error *error) {
  enum status status = never_had_one(options, workspace, error);
  status = status == OK ? store_create(options, error) : status;
  if (status == OK) {
    log_message(LEVEL_INFO, _("made the store %s"),
                options->kind == STORE_SQLITE ? options->path : workspace->config->store_dsn);
    status = store_open(options, &workspace->store, error);
  }
  return status;
}

enum status workspace_store_options(const struct workspace *workspace, struct store_options *options, char **password,
                                    struct error *error) {
  const struct config *config = workspace->config;
  *password = NULL;
  *options = (struct store_options){.kind = config->store,
                                    .path = config->store_path,
                                    .dsn = config->store_dsn,
                                    .schema = config->store_schema,
                                    .folder = config->folder,
                                    .model = workspace->model,
                                    .key = workspace->key,
                                    .key_file = config->key_file};
  if (config->store_password == NULL) {
    return OK;
  }
  enum status status = secret_read(config->store_password, config->folder, password, error);
  options->password = *password;
  return status;
}

static enum status open_store(struct workspace *workspace, const struct workspace_opening *opening,
                              struct error *error) {
  struct store_options options;
  char *password;
  enum status status = workspace_store_options(workspace, &options, &password, error);
  if (status != OK) {
    return status;
  }
  options.read_only = opening->mode != WORKSPACE_WRITE;
  options.views_only = opening->mode == WORKSPACE_RELEASES;
  options.stop = opening->stop;
  status = store_open(&options, &workspace->store, error);
  if (status == ERR_NOT_FOUND && opening->mode == WORKSPACE_WRITE) {
    status = make_store(&options, workspace, error);
  }
  secret_free(password);
  return status;
}

static enum status register_sources(struct workspace *workspace, struct error *error) {
  const struct config *config = workspace->config;
  bool same = false;
  enum status status =
      store_sources_stand(workspace->store, config->sources, config->source_count, workspace->source_ids, &same, error);
  if (status != OK || same) {
    return status;
  }
  status = store_begin(workspace->store, error);
  if (status == OK) {
    status = store_sources(workspace->store, config->sources, config->source_count, workspace->source_ids, error);
  }
  if (status == OK) {
    status = store_commit(workspace->store, error);
  }
  if (status != OK) {
    store_rollback(workspace->store);
  }
  return status;
}

static void note_source(struct workspace *workspace, struct slice code, int id) {
  for (size_t i = 0; i < workspace->config->source_count; i++) {
    if (slice_is(code, workspace->config->sources[i].code)) {
      workspace->source_ids[i] = id;
    }
  }
}

static enum status read_sources(struct workspace *workspace, struct error *error) {
  static const char *const columns[] = {"source_id", "code"};
  struct selection selection = {.view = "sources", .columns = columns, .column_count = 2};
  struct result *result = NULL;
  enum status status = store_select(workspace->store, &selection, &result, error);
  if (status != OK) {
    return status;
  }
  while ((status = result_next(result, error)) == OK) {
    note_source(workspace, result_text(result, 1), (int)result_integer(result, 0));
  }
  result_free(result);
  return status == END ? OK : status;
}

static enum status enter_store(struct workspace *workspace, const struct workspace_opening *opening,
                               struct error *error) {
  enum status status = open_store(workspace, opening, error);
  status = status == OK ? access_enter(workspace, error) : status;
  if (status != OK || opening->mode == WORKSPACE_RELEASES) {
    return status;
  }
  bool writes = opening->mode == WORKSPACE_WRITE && !access_restricted(workspace);
  status = writes ? register_sources(workspace, error) : read_sources(workspace, error);
  status = status == OK ? approved_read(workspace, error) : status;
  status = status == OK && !opening->bare ? approved_lists(workspace, error) : status;
  return status == OK && writes ? config_log(workspace, error) : status;
}

static enum status open_parts(struct workspace *workspace, const struct workspace_opening *opening,
                              struct error *error) {
  enum workspace_mode mode = opening->mode;
  const struct config *config = workspace->config;
  /* Where they need approval, a mistake in a file that waits does no harm. */
  bool later = config->approval[TEXT_CODELIST] && (mode == WORKSPACE_READ || mode == WORKSPACE_WRITE);
  enum status status = model_load(config->model_folder, &workspace->model, error);
  if (status == OK && !later && !opening->bare) {
    status = codelists_load(config->codelist_folders, 2, &workspace->lists, error);
  }
  if (status == OK) {
    status = open_key(workspace, mode, error);
  }
  workspace->source_ids = calloc(config->source_count + 1, sizeof *workspace->source_ids);
  if (status == OK && workspace->source_ids == NULL) {
    status = error_memory(error);
  }
  if (status == OK && mode != WORKSPACE_CONFIG) {
    status = enter_store(workspace, opening, error);
  }
  return status;
}

/* It goes into the log of whatever is done; its bytes are not shown again. */
static enum status check_actor(struct error *error) {
  const char *named = getenv("PUENTE_ACTOR"), *fault = named == NULL ? NULL : actor_fault(named);
  if (fault == NULL) {
    return OK;
  }
  error_set(error, ERR_USAGE, _("PUENTE_ACTOR is no name of who acts: %s"), fault);
  error_hint(error, "%s", _("set it to your own name or login, or unset it"));
  return ERR_USAGE;
}

enum status workspace_open(const char *config_path, enum workspace_mode mode, struct workspace *workspace,
                           struct error *error) {
  const struct workspace_opening opening = {.path = config_path, .mode = mode};
  return workspace_open_as(&opening, workspace, error);
}

enum status workspace_open_bare(const char *config_path, enum workspace_mode mode, struct workspace *workspace,
                                struct error *error) {
  const struct workspace_opening opening = {.path = config_path, .mode = mode, .bare = true};
  return workspace_open_as(&opening, workspace, error);
}

enum status workspace_open_as(const struct workspace_opening *opening, struct workspace *workspace,
                              struct error *error) {
  *workspace = (struct workspace){.actor = actor_read(), .config = opening->config, .lent = opening->config != NULL};
  enum status status = check_actor(error);
  if (status == OK && !workspace->lent) {
    status = config_load(opening->path, &workspace->config, error);
  }
  if (status == OK) {
    status = open_parts(workspace, opening, error);
  }
  if (status != OK) {
    workspace_close(workspace);
  }
  return status;
}

void workspace_close(struct workspace *workspace) {
  store_close(workspace->store);
  approved_texts_free(workspace->texts);
  key_free(workspace->key);
  codelists_free(workspace->lists);
  model_free(workspace->model);
  if (!workspace->lent) {
    config_free(workspace->config);
  }
  free(workspace->source_ids);
  free(workspace->telling);
  *workspace = (struct workspace){.config = NULL};
}

struct workbench workspace_bench(const struct workspace *workspace) {
  return (struct workbench){.store = workspace->store,
                            .config = workspace->config,
                            .model = workspace->model,
                            .lists = workspace->lists,
                            .key = workspace->key,
                            .texts = workspace->texts};
}
