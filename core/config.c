#include "core/config.h"

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/config_parts.h"
#include "core/config_source.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

enum { SOURCES_SHOWN = 256 }; /* among which the nearest name is looked for */

/* The configuration as its users see it, and the memory behind it. */
struct owned_config {
  struct config config;
  struct arena *arena;
};

const char *const config_keys[] = {"name",      "lang",       "store",      "key",         "model",      "link",
                                   "codelists", "indicators", "releases",   "sources",     "page_limit", "serve",
                                   "notify",    "access",     "disclosure", "checkpoints", "approval",   NULL};
const char *const config_store_keys[] = {"sqlite", "postgres", "password", "schema", NULL};
static const char *const LANGUAGES[] = {"es", "en", NULL};

static enum status join(struct arena *arena, const char *folder, const char *path, const char **joined,
                        struct error *error) {
  *joined = path_join(arena, folder, path);
  return *joined == NULL ? error_memory(error) : OK;
}

/* The path under `key`, or `otherwise` of the program's own data, or NULL where that is NULL. */
static enum status read_path(const struct yaml *root, const char *key, struct owned_config *owned,
                             const char *otherwise, const char **path, struct error *error) {
  const char *named = yaml_text(root, key, NULL);
  if (named != NULL) {
    return join(owned->arena, owned->config.folder, named, path, error);
  }
  return otherwise == NULL ? OK : join(owned->arena, path_data(), otherwise, path, error);
}

/* Program's folder first, then the workspace's: the one it names, or `key` itself beside puente.yaml where it is. */
static enum status read_folders(const struct yaml *root, const char *key, const char *program,
                                struct owned_config *owned, const char *folders[2], struct error *error) {
  const char *own = NULL;
  enum status status = join(owned->arena, path_data(), program, &folders[0], error);
  if (status == OK) {
    status = join(owned->arena, owned->config.folder, yaml_text(root, key, key), &own, error);
  }
  if (status != OK) {
    return status;
  }
  bool there = access(own, R_OK | X_OK) == 0;
  if (!there && yaml_get(root, key) != NULL) {
    yaml_error(yaml_get(root, key), error, _("%s: there is no such folder"), key);
    error_hint(error, _("make %s, or remove the line"), own);
    return ERR_CONFIG;
  }
  folders[1] = there && strcmp(own, folders[0]) != 0 ? own : NULL;
  return OK;
}

/* libpq lets spaces stand before the sign; sslpassword holds a secret too. */
static bool holds_password(const char *dsn) {
  for (const char *at = dsn; (at = strstr(at, "password")) != NULL;) {
    at += strlen("password");
    if (at[strspn(at, " \t\r\n\f\v")] == '=') {
      return true;
    }
  }
  return false;
}

static enum status read_postgres(const struct yaml *store, struct config *config, struct error *error) {
  config->store = STORE_POSTGRES;
  config->store_dsn = yaml_text(store, "postgres", "");
  config->store_password = yaml_text(store, "password", NULL);
  config->store_schema = yaml_text(store, "schema", "puente");
  if (holds_password(config->store_dsn) || strstr(config->store_dsn, "://") != NULL) {
    yaml_error(yaml_get(store, "postgres"), error, "%s",
               _("postgres: a connection string of name=value pairs without a password is expected here"));
    error_hint(error, "%s", _("write password: env:NAME, or password: file:PATH, on a line of its own"));
    return ERR_CONFIG;
  }
  if (config->store_password != NULL && strncmp(config->store_password, "env:", 4) != 0
      && strncmp(config->store_password, "file:", 5) != 0) {
    yaml_error(yaml_get(store, "password"), error, "%s",
               _("password: a secret does not stand in a configuration file"));
    error_hint(error, "%s", _("write env:NAME, or file:PATH with a file of mode 0600"));
    return ERR_CONFIG;
  }
  return OK;
}

static enum status read_store(const struct yaml *root, struct owned_config *owned, struct error *error) {
  const struct yaml *store = yaml_get(root, "store");
  enum status status = store == NULL ? OK : yaml_check_keys(store, config_store_keys, error);
  if (status != OK) {
    return status;
  }
  bool postgres = yaml_get(store, "postgres") != NULL;
  if (postgres && yaml_get(store, "sqlite") != NULL) {
    yaml_error(store, error, "%s", _("store: sqlite and postgres are both named"));
    error_hint(error, "%s", _("a workspace has one store: remove one of them"));
    return ERR_CONFIG;
  }
  if (postgres) {
    return read_postgres(store, &owned->config, error);
  }
  owned->config.store = STORE_SQLITE;
  return join(owned->arena, owned->config.folder, yaml_text(store, "sqlite", "puente.db"), &owned->config.store_path,
              error);
}

static enum status read_sources(const struct yaml *root, struct owned_config *owned, struct error *error) {
  struct config *config = &owned->config;
  const char *folder = NULL;
  const char *const *paths = NULL;
  size_t count = 0;
  enum status status = join(owned->arena, config->folder, yaml_text(root, "sources", "sources"), &folder, error);
  if (status == OK) {
    status = folder_list(folder, ".yaml", owned->arena, &paths, &count, error);
  }
  if (status == ERR_NOT_FOUND && yaml_get(root, "sources") == NULL) {
    return OK; /* a workspace that has no source yet */
  }
  if (status != OK) {
    return status;
  }
  config->sources = arena_array(owned->arena, count + 1, sizeof *config->sources);
  if (config->sources == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < count && status == OK; i++) {
    config->sources[i].precedence = (int)i + 1;
    status = source_read(paths[i], config->folder, owned->arena, &config->sources[i], error);
    config->source_count = i + 1;
  }
  return status;
}

enum status config_unknown_source(const struct config *config, const char *code, struct error *error) {
  const char *codes[SOURCES_SHOWN];
  size_t count = config->source_count < SOURCES_SHOWN ? config->source_count : SOURCES_SHOWN;
  for (size_t i = 0; i < count; i++) {
    codes[i] = config->sources[i].code;
  }
  const char *nearest = text_nearest(slice_of(code), codes, count);
  error_set(error, ERR_CONFIG, _("there is no source \"%s\""), code);
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  } else {
    error_hint(error, "%s", _("a source is a file of the folder sources: sources/CODE.yaml"));
  }
  return ERR_CONFIG;
}

/* A source that succeeds another one; no chain of them comes back to where it began. */
static enum status check_successors(const struct config *config, struct error *error) {
  for (size_t i = 0; i < config->source_count; i++) {
    const struct source_config *source = &config->sources[i], *at = source;
    const struct yaml *node = yaml_get(source->root, "succeeds");
    for (size_t steps = 0; at->succeeds != NULL; steps++) {
      const struct source_config *before = config_source(config, at->succeeds);
      if (before == NULL && at == source) {
        config_unknown_source(config, source->succeeds, error);
        error_place(error, "%s:%d:%d", node->file, node->line, node->column);
        return ERR_CONFIG;
      }
      if (before == source) {
        yaml_error(node, error, _("succeeds: source '%s' would succeed itself"), source->code);
        error_hint(error, "%s", _("the newer source names the older one, and the older one none"));
        return ERR_CONFIG;
      }
      if (before == NULL || steps == config->source_count) {
        break; /* told of where that one stands */
      }
      at = before;
    }
  }
  return OK;
}

int config_turn(const struct config *config, const struct source_config *source) {
  enum { VERSIONS_MOST = 2048 }; /* above the sources of a store */
  int precedence = source->precedence;
  int versions = 0;
  while (source->succeeds != NULL && (source = config_source(config, source->succeeds)) != NULL
         && versions < VERSIONS_MOST - 1) {
    precedence = source->precedence < precedence ? source->precedence : precedence;
    versions++;
  }
  return precedence * VERSIONS_MOST - versions;
}

/* Sizes are options elsewhere; here one row of such a table reads the one that this file has. */
static enum status read_page_limit(const struct yaml *root, struct owned_config *owned, struct error *error) {
  static const struct option table[] = {{.name = "page_limit",
                                         .type = OPTION_SIZE,
                                         .otherwise = "64MiB",
                                         .least = 64 << 10,
                                         .most = INT64_C(4) << 30,
                                         .description = N_("bytes of one page")},
                                        {.name = NULL}};
  const struct yaml *node = yaml_get(root, "page_limit");
  struct yaml entry = {.kind = YAML_MAP};
  if (node != NULL) {
    entry = *node;
  }
  const struct yaml map = {.kind = YAML_MAP, .children = &entry, .count = node == NULL ? 0 : 1, .file = root->file};
  return options_check(table, &map, owned->config.folder, owned->arena, &owned->config.page_limit, error);
}

/* Each folder is the program's and, where there is one, the workspace's. */
static enum status read_all_folders(const struct yaml *root, struct owned_config *owned, struct error *error) {
  struct config *config = &owned->config;
  enum status status = read_folders(root, "codelists", "config/codelists", owned, config->codelist_folders, error);
  if (status == OK) {
    status = read_folders(root, "indicators", "config/indicators", owned, config->indicator_folders, error);
  }
  if (status == OK) {
    status = read_folders(root, "releases", "config/releases", owned, config->release_folders, error);
  }
  return status;
}

/* Who may act, what needs a second person, and who keeps heads of the log. */
static enum status read_trust(const struct yaml *root, struct owned_config *owned, struct error *error) {
  struct config *config = &owned->config;
  enum status status = config_approval_read(yaml_get(root, "approval"), config, error);
  status = status == OK ? config_access_read(yaml_get(root, "access"), config, owned->arena, error) : status;
  return status == OK ? config_checkpoints_read(yaml_get(root, "checkpoints"), config, owned->arena, error) : status;
}

static enum status read_root(const struct yaml *root, struct owned_config *owned, struct error *error) {
  struct config *config = &owned->config;
  int language = -1;
  enum status status = yaml_check_keys(root, config_keys, error);
  status = status == OK ? yaml_choice(root, "lang", LANGUAGES, &language, error) : status;
  if (status != OK) {
    return status;
  }
  config->name = yaml_text(root, "name", "puente");
  config->lang = language < 0 ? NULL : LANGUAGES[language];
  status = read_store(root, owned, error);
  status = status == OK
               ? join(owned->arena, config->folder, yaml_text(root, "key", "puente.key"), &config->key_file, error)
               : status;
  status = status == OK ? read_path(root, "model", owned, "config/model", &config->model_folder, error) : status;
  status =
      status == OK ? read_path(root, "link", owned, "config/link/default.yaml", &config->link_file, error) : status;
  status = status == OK ? read_all_folders(root, owned, error) : status;
  status = status == OK ? read_page_limit(root, owned, error) : status;
  status = status == OK ? read_sources(root, owned, error) : status;
  status = status == OK ? check_successors(config, error) : status;
  status = status == OK ? config_serve_read(root, config, owned->arena, error) : status;
  status = status == OK ? config_disclosure_read(yaml_get(root, "disclosure"), config, error) : status;
  return status == OK ? read_trust(root, owned, error) : status;
}

static enum status load(const char *path, struct owned_config *owned, struct error *error) {
  struct yaml *root = NULL;
  char *absolute = realpath(path, NULL);
  if (absolute == NULL) {
    error_set(error, ERR_CONFIG, "%s", _("there is no configuration"));
    error_place(error, "%s", path);
    error_hint(error, "%s", _("`puente init FOLDER` makes one; --config FILE or PUENTE_CONFIG names another"));
    return ERR_CONFIG;
  }
  owned->config.path = arena_text(owned->arena, slice_of(absolute));
  free(absolute);
  if (owned->config.path == NULL) {
    return error_memory(error);
  }
  owned->config.folder = path_folder(owned->arena, owned->config.path);
  if (owned->config.folder == NULL) {
    return error_memory(error);
  }
  enum status status = yaml_load(owned->config.path, owned->arena, &root, error);
  return status == OK ? read_root(root, owned, error) : status;
}

enum status config_load(const char *path, struct config **config, struct error *error) {
  struct arena *arena = arena_new(64 << 20);
  struct owned_config *owned = arena == NULL ? NULL : arena_alloc(arena, sizeof *owned);
  *config = NULL;
  if (owned == NULL) {
    arena_free(arena);
    return error_memory(error);
  }
  owned->arena = arena;
  enum status status = load(path, owned, error);
  if (status != OK) {
    arena_free(arena);
    return status;
  }
  *config = &owned->config;
  return OK;
}

void config_free(struct config *config) {
  if (config != NULL) {
    struct owned_config *owned = (struct owned_config *)config;
    arena_free(owned->arena);
  }
}

const struct source_config *config_source(const struct config *config, const char *code) {
  for (size_t i = 0; i < config->source_count; i++) {
    if (strcmp(config->sources[i].code, code) == 0) {
      return &config->sources[i];
    }
  }
  return NULL;
}

/* Options with their secrets, and the arena behind their text. `body` is what connectors see. */
struct owned_options {
  struct arena *arena;
  _Alignas(max_align_t) char body[];
};

enum status config_options(const struct config *config, const struct source_config *source, void **options,
                           struct error *error) {
  struct owned_options *owned = calloc(1, sizeof *owned + source->connector->options_size);
  *options = NULL;
  if (owned != NULL) {
    owned->arena = arena_new(1 << 20);
  }
  if (owned == NULL || owned->arena == NULL) {
    free(owned);
    return error_memory(error);
  }
  enum status status =
      options_parse(source->connector->options, source->options_yaml, config->folder, owned->arena, owned->body, error);
  if (status != OK) {
    arena_free(owned->arena);
    free(owned);
    return status;
  }
  *options = owned->body;
  /* cppcheck-suppress memleak ; config_options_free finds `owned` from its body */
  return OK;
}

void config_options_free(const struct source_config *source, void *options) {
  if (options != NULL) {
    struct owned_options *owned = (struct owned_options *)((char *)options - offsetof(struct owned_options, body));
    options_wipe(source->connector->options, options);
    arena_free(owned->arena);
    free(owned);
  }
}
