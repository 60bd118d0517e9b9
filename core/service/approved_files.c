#include "core/service/approved_files.h"

#include "core/base/file.h"
#include "core/base/folder.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH_MOST = 3, NAME_LONGEST = 200 };
static const char LINK_ROOT[] = "link", LIST_SUFFIX[] = ".yaml";

bool approved_kind(const char *word, enum text_kind *kind) {
  for (int i = 0; i < TEXT_KINDS; i++) {
    if (strcmp(word, text_kind_names[i]) == 0) {
      *kind = (enum text_kind)i;
      return true;
    }
  }
  return false;
}

/* Also where the folder is gone: what was approved goes on acting. */
static const char *list_path(const struct config *config, const char *name, struct arena *arena) {
  char file[NAME_LONGEST + sizeof LIST_SUFFIX];
  int len = snprintf(file, sizeof file, "%s%s", name, LIST_SUFFIX);
  const char *own = config->codelist_folders[1];
  const char *folder = own == NULL ? path_join(arena, config->folder, "codelists") : own;
  return folder == NULL || len < 0 || (size_t)len >= sizeof file ? NULL : path_join(arena, folder, file);
}

const char *approved_path(const struct config *config, enum text_kind kind, const char *name, struct arena *arena) {
  const struct source_config *source = kind == TEXT_MAPPING ? config_source(config, name) : NULL;
  if (kind == TEXT_MAPPING) {
    return source == NULL ? NULL : source->mapping;
  }
  if (kind == TEXT_CODELIST) {
    return list_path(config, name, arena);
  }
  if (strcmp(name, LINK_ROOT) == 0) {
    return config->link_file;
  }
  const char *folder = path_folder(arena, config->link_file);
  return folder == NULL ? NULL : path_join(arena, folder, name);
}

enum status approved_take(struct approved_files *files, enum text_kind kind, const char *name, const char *path,
                          struct error *error) {
  const char *own = arena_text(files->arena, slice_of(name));
  const char *kept = arena_text(files->arena, slice_of(path));
  if (own == NULL || kept == NULL) {
    return error_memory(error);
  }
  if (files->count == APPROVED_WAITING_MOST) {
    return error_set(error, ERR_LIMIT, _("more than %d files need approval"), APPROVED_WAITING_MOST);
  }
  files->items[files->count++] = (struct approved_file){.kind = kind, .name = own, .path = kept};
  return OK;
}

static bool known(const struct approved_files *files, const char *path) {
  for (size_t i = 0; i < files->count; i++) {
    if (files->items[i].kind == TEXT_LINK && strcmp(files->items[i].path, path) == 0) {
      return true;
    }
  }
  return false;
}

static enum status take_link(struct approved_files *files, const char *folder, const char *name, const char *path,
                             int depth, struct error *error);

/* Scalars of a link file that name a file beside it. */
static enum status take_named(struct approved_files *files, const struct yaml *node, const char *folder, int depth,
                              struct error *error) {
  enum status status = OK;
  if (node->kind == YAML_SCALAR && strchr(node->text, '.') != NULL && strlen(node->text) < NAME_LONGEST) {
    const char *path = path_join(files->arena, folder, node->text);
    bool there = path != NULL && access(path, R_OK) == 0 && !known(files, path);
    status = path == NULL ? error_memory(error)
             : there      ? take_link(files, folder, node->text, path, depth + 1, error)
                          : OK;
  }
  for (size_t i = 0; i < node->count && node->kind != YAML_SCALAR && status == OK; i++) {
    status = take_named(files, &node->children[i], folder, depth, error);
  }
  return status;
}

/* A file that is no YAML names nothing: what is wrong with it is told where it is proposed. */
static enum status take_link(struct approved_files *files, const char *folder, const char *name, const char *path,
                             int depth, struct error *error) {
  struct yaml *root = NULL;
  struct error ignored;
  size_t len = strlen(path);
  enum status status = approved_take(files, TEXT_LINK, name, path, error);
  bool reads = depth < DEPTH_MOST && len > 5 && strcmp(path + len - 5, ".yaml") == 0
               && yaml_load(path, files->arena, &root, &ignored) == OK;
  return status == OK && reads ? take_named(files, root, folder, depth, error) : status;
}

static enum status take_lists(struct approved_files *files, const char *folder, struct error *error) {
  const char *const *paths = NULL;
  size_t count = 0;
  enum status status = folder == NULL ? OK : folder_list(folder, LIST_SUFFIX, files->arena, &paths, &count, error);
  for (size_t i = 0; i < count && status == OK; i++) {
    const char *name = folder_stem(files->arena, paths[i]);
    status = name == NULL ? error_memory(error) : approved_take(files, TEXT_CODELIST, name, paths[i], error);
  }
  return status;
}

enum status approved_collect(const struct config *config, struct arena *arena, struct approved_files **files,
                             struct error *error) {
  struct approved_files *made = arena_alloc(arena, sizeof *made);
  const char *folder = path_folder(arena, config->link_file);
  *files = made;
  if (made == NULL || folder == NULL) {
    return error_memory(error);
  }
  made->arena = arena;
  made->count = 0;
  enum status status = OK;
  for (size_t i = 0; i < config->source_count && config->approval[TEXT_MAPPING] && status == OK; i++) {
    if (config->sources[i].state != SOURCE_RETIRED) {
      status = approved_take(made, TEXT_MAPPING, config->sources[i].code, config->sources[i].mapping, error);
    }
  }
  if (status == OK && config->approval[TEXT_CODELIST]) {
    status = take_lists(made, config->codelist_folders[1], error);
  }
  if (status == OK && config->approval[TEXT_LINK]) {
    status = take_link(made, folder, LINK_ROOT, config->link_file, 0, error);
  }
  return status;
}

enum status approved_copy(struct arena *arena, const struct approval *from, struct approval *to, struct error *error) {
  const char *const texts[] = {from->kind,     from->name,        from->proposed_by, from->reason,
                               from->document, from->approved_by, from->remark,      from->fault};
  const char **const places[] = {&to->kind,     &to->name,        &to->proposed_by, &to->reason,
                                 &to->document, &to->approved_by, &to->remark,      &to->fault};
  *to = *from;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    *places[i] = texts[i] == NULL ? NULL : arena_text(arena, slice_of(texts[i]));
    if (*places[i] == NULL && texts[i] != NULL) {
      return error_memory(error);
    }
  }
  to->body = arena_copy(arena, from->body);
  return to->body.data == NULL && from->body.len > 0 ? error_memory(error) : OK;
}
