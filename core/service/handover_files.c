#include "core/service/handover_files.h"

#include "core/base/file.h"
#include "core/base/folder.h"
#include "core/base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static bool known(const char *const *paths, size_t count, const char *path) {
  for (size_t i = 0; i < count; i++) {
    if (strcmp(paths[i], path) == 0) {
      return true;
    }
  }
  return false;
}

static enum status add(struct arena *arena, const char **paths, size_t *count, const char *path, struct error *error) {
  if (known(paths, *count, path)) {
    return OK;
  }
  if (*count == HANDOVER_FILES_MOST) {
    return error_set(error, ERR_LIMIT, _("more than %d files of configuration"), HANDOVER_FILES_MOST);
  }
  paths[*count] = arena_text(arena, slice_of(path));
  return paths[(*count)++] == NULL ? error_memory(error) : OK;
}

/* "https://user:password@host": the checks refuse it, but it may stand there all the same. */
static bool holds_login(const char *text) {
  for (const char *at = text; (at = strstr(at, "://")) != NULL;) {
    at += 3;
    size_t length = strcspn(at, "@/?# \t\r\n\"'<>");
    if (at[length] == '@' && memchr(at, ':', length) != NULL) {
      return true;
    }
  }
  return false;
}

/* "password: value", "token=value" in the rest of a line: what is neither a reference nor the day when it ends. */
static bool tells_secret(const char *comment) {
  static const char *const words[] = {"password", "passwd",  "passphrase", "secret", "token",
                                      "api_key",  "api-key", "contraseña", "clave",  NULL};
  for (const char *at = comment; *at != '\0' && *at != '\n'; at++) {
    for (size_t i = 0; words[i] != NULL; i++) {
      if (strncasecmp(at, words[i], strlen(words[i])) != 0) {
        continue;
      }
      const char *end = at + strlen(words[i]);
      end += strspn(end, "\"' \t");
      const char *value = *end == ':' || *end == '=' ? end + 1 + strspn(end + 1, "\"' \t") : "";
      if (strcspn(value, "\r\n") > 0 && strncmp(value, "env:", 4) != 0 && strncmp(value, "file:", 5) != 0
          && strspn(value, "0123456789-") != strlen("2026-12-01")) {
        return true;
      }
    }
  }
  return false;
}

/* What the checks refuse to read as an option may stand in a comment. */
static bool comments_secret(const char *text) {
  bool comment = false;
  for (const char *at = text; (at = strchr(at, '#')) != NULL; at += comment ? strcspn(at, "\n") : 1) {
    comment = at == text || strchr(" \t\r\n", at[-1]) != NULL;
    if (comment && tells_secret(at)) {
      return true;
    }
  }
  return false;
}

static enum status unseen(const char *path, int cause, struct error *error) {
  error_set(error, ERR_IO, _("cannot read the file: %s"), strerror(cause));
  error_place(error, "%s", path);
  return ERR_IO;
}

/* The path behind all links, for the caller to free: NULL where nothing is there, or nothing that this user may see.
 * What cannot be told for the moment must not be taken for that. */
static enum status resolve(const char *path, char **real, struct error *error) {
  *real = path == NULL ? NULL : realpath(path, NULL);
  int cause = *real == NULL && path != NULL ? errno : 0;
  if (cause == ENOMEM) {
    return error_memory(error);
  }
  bool gone = cause == 0 || cause == ENOENT || cause == ENOTDIR || cause == ELOOP || cause == EACCES;
  return gone ? OK : unseen(path, cause, error);
}

/* Text that can stand in the document, and holds neither a private key nor a password in an address or a comment. */
static enum status is_text(const char *path, bool *text, struct error *error) {
  struct buffer bytes;
  enum status status = file_read(path, HANDOVER_FILE_LIMIT, &bytes, error);
  *text = false;
  if (status != OK) {
    return status == ERR_LIMIT || access(path, R_OK) != 0 ? OK : status;
  }
  *text = memchr(bytes.data, 0, bytes.len) == NULL && utf8_valid(buffer_view(&bytes))
          && strstr(bytes.data, "PRIVATE KEY") == NULL && !holds_login(bytes.data) && !comments_secret(bytes.data);
  buffer_free(&bytes);
  return OK;
}

/* The file of a secret, whatever path leads to it. */
static enum status is_secret(const struct handover_files *files, const struct stat *info, bool *found,
                             struct error *error) {
  *found = false;
  for (size_t i = 0; i < files->secret_count && !*found; i++) {
    const char *path = files->secrets[i].file;
    struct stat secret;
    bool there = path != NULL && stat(path, &secret) == 0;
    if (path != NULL && !there && errno != ENOENT && errno != ENOTDIR && errno != EACCES) {
      return unseen(path, errno, error);
    }
    *found = there && secret.st_dev == info->st_dev && secret.st_ino == info->st_ino;
  }
  return OK;
}

/* The path below the workspace's folder; NULL where it lies elsewhere. */
static const char *below(const struct handover_files *files, const char *path) {
  size_t len = strlen(files->root);
  return strncmp(path, files->root, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

static enum status take_real(struct handover_files *files, const char *real, struct error *error) {
  struct stat info;
  bool secret = false, text = false;
  if (stat(real, &info) != 0) {
    return unseen(real, errno, error);
  }
  enum status status = is_secret(files, &info, &secret, error);
  if (status != OK || secret || !S_ISREG(info.st_mode)) {
    return status; /* the table of secrets has it */
  }
  const char *relative = below(files, real);
  status = relative == NULL ? OK : is_text(real, &text, error);
  if (status != OK) {
    return status;
  }
  return text ? add(files->arena, files->paths, &files->count, relative, error)
              : add(files->arena, files->outside, &files->outside_count, real, error);
}

static enum status take(struct handover_files *files, const char *path, struct error *error) {
  char *real;
  enum status status = resolve(path, &real, error);
  if (status == OK && real == NULL && path != NULL) {
    return add(files->arena, files->missing, &files->missing_count, path, error);
  }
  status = status == OK && real != NULL ? take_real(files, real, error) : status;
  free(real);
  return status;
}

static enum status take_folder(struct handover_files *files, const char *folder, struct error *error) {
  const char *const *paths = NULL;
  size_t count = 0;
  char *real;
  enum status status = resolve(folder, &real, error);
  bool own = real != NULL && below(files, real) != NULL;
  free(real);
  if (status != OK || !own) {
    return status; /* else the program's */
  }
  status = folder_list(folder, ".yaml", files->arena, &paths, &count, error);
  for (size_t i = 0; i < count && status == OK; i++) {
    status = take(files, paths[i], error);
  }
  return status;
}

static enum status take_linked(struct handover_files *files, const char *path, int depth, struct error *error);

/* Names of files among the scalars of a link file. */
static enum status take_named(struct handover_files *files, const struct yaml *node, const char *folder, int depth,
                              struct error *error) {
  enum status status = OK;
  if (node->kind == YAML_SCALAR && strchr(node->text, '.') != NULL && strlen(node->text) < NAME_MAX) {
    const char *path = path_join(files->arena, folder, node->text);
    status = path == NULL ? error_memory(error) : take_linked(files, path, depth + 1, error);
  }
  for (size_t i = 0; i < node->count && node->kind != YAML_SCALAR && status == OK; i++) {
    status = take_named(files, &node->children[i], folder, depth, error);
  }
  return status;
}

static enum status take_linked(struct handover_files *files, const char *path, int depth, struct error *error) {
  struct yaml *root = NULL;
  char *real;
  enum status status = resolve(path, &real, error);
  const char *relative = real == NULL ? NULL : below(files, real);
  bool fresh = relative != NULL && !known(files->paths, files->count, relative);
  free(real);
  status = fresh ? take(files, path, error) : status;
  size_t len = strlen(path);
  if (!fresh || status != OK || depth > 3 || len < 5 || strcmp(path + len - 5, ".yaml") != 0) {
    return status;
  }
  const char *folder = path_folder(files->arena, path);
  status = folder == NULL ? error_memory(error) : yaml_load(path, files->arena, &root, error);
  return status == OK ? take_named(files, root, folder, depth, error) : status;
}

/* Of the paths among a connector's options, those of configuration: not of data, not of keys. */
static enum status take_options(struct handover_files *files, const struct config *config,
                                const struct source_config *source, struct error *error) {
  static const char *const names[] = {"body_file", "request_file", "sslrootcert", "sslcert", "ca_file", NULL};
  enum status status = OK;
  for (const struct option *option = source->connector->options; option->name != NULL && status == OK; option++) {
    const char *text = option->type == OPTION_PATH ? yaml_text(source->options_yaml, option->name, NULL) : NULL;
    for (size_t i = 0; names[i] != NULL && text != NULL && status == OK; i++) {
      if (strcmp(names[i], option->name) == 0) {
        const char *path = path_join(files->arena, config->folder, text);
        status = path == NULL ? error_memory(error) : take(files, path, error);
      }
    }
  }
  return status;
}

static enum status take_sources(struct handover_files *files, const struct config *config, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < config->source_count && status == OK; i++) {
    size_t missing = files->missing_count;
    status = take(files, config->sources[i].file, error);
    status = status == OK ? take(files, config->sources[i].mapping, error) : status;
    status = status == OK ? take_options(files, config, &config->sources[i], error) : status;
    if (config->sources[i].state == SOURCE_RETIRED) {
      files->missing_count = missing; /* nothing pulls it any more */
    }
  }
  return status;
}

static enum status take_folders(struct handover_files *files, const struct config *config, struct error *error) {
  const char *const folders[] = {config->codelist_folders[1], config->indicator_folders[1], config->release_folders[1],
                                 config->model_folder};
  enum status status = OK;
  for (size_t i = 0; i < sizeof folders / sizeof *folders && status == OK; i++) {
    status = take_folder(files, folders[i], error);
  }
  return status;
}

enum status handover_collect(const struct config *config, struct arena *arena, struct handover_files *files,
                             struct error *error) {
  char *root;
  enum status status = resolve(config->folder, &root, error);
  *files = (struct handover_files){.arena = arena,
                                   .root = root == NULL ? NULL : arena_text(arena, slice_of(root)),
                                   .paths = arena_array(arena, HANDOVER_FILES_MOST, sizeof *files->paths),
                                   .outside = arena_array(arena, HANDOVER_FILES_MOST, sizeof *files->outside),
                                   .missing = arena_array(arena, HANDOVER_FILES_MOST, sizeof *files->missing)};
  bool gone = root == NULL;
  free(root);
  if (status != OK || gone) {
    return status != OK ? status : unseen(config->folder, ENOENT, error);
  }
  if (files->root == NULL || files->paths == NULL || files->outside == NULL || files->missing == NULL) {
    return error_memory(error);
  }
  status = secrets_list(config, arena, &files->secrets, &files->secret_count, error);
  status = status == OK ? take(files, config->path, error) : status;
  status = status == OK ? take_sources(files, config, error) : status;
  status = status == OK ? take_folders(files, config, error) : status;
  return status == OK ? take_linked(files, config->link_file, 0, error) : status;
}
