#include "core/service/founding.h"

#include "core/base/digest.h"
#include "core/base/file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_LIMIT = 1 << 20 };

static const char IGNORED[] = "# What must not go into version control: the key, and everything that holds records.\n"
                              "puente.key\n*.db\n*.db-*\n*.secret\nincoming/\nbackups/\n";

static enum status make_folder(struct arena *arena, const char *base, const char *name, struct error *error) {
  const char *path = path_join(arena, base, name);
  if (path == NULL) {
    return error_memory(error);
  }
  if (mkdir(path, 0755) == 0 || errno == EEXIST) {
    return OK;
  }
  int cause = errno;
  error_set(error, cause == ENOSPC ? ERR_FULL : ERR_IO, _("cannot make the folder: %s"), strerror(cause));
  error_place(error, "%s", path);
  return error->code;
}

/* Nothing that is there is written over. */
static enum status write_absent(const char *path, struct slice text, struct error *error) {
  return access(path, F_OK) == 0 ? OK : file_write(path, text, 0644, error);
}

/* A file of the program's data; with `name`, that of the workspace stands in its line "name:". */
static enum status copy_file(struct arena *arena, const char *from, const char *folder, const char *to,
                             const char *name, struct error *error) {
  struct buffer text, out;
  const char *source = path_join(arena, path_data(), from), *target = path_join(arena, folder, to);
  if (source == NULL || target == NULL) {
    return error_memory(error);
  }
  enum status status = file_read(source, FILE_LIMIT, &text, error);
  if (status != OK) {
    return status;
  }
  buffer_init(&out, (size_t)2 * FILE_LIMIT);
  const char *line = name == NULL ? NULL : strstr(text.data, "\nname:");
  const char *end = line == NULL ? NULL : strchr(line + 1, '\n');
  if (end == NULL) {
    buffer_slice(&out, buffer_view(&text));
  } else {
    buffer_append(&out, text.data, (size_t)(line - text.data));
    buffer_text(&out, "\nname: ");
    buffer_json(&out, slice_of(name));
    buffer_text(&out, end);
  }
  status = buffer_check(&out, _("the file"), error);
  if (status == OK) {
    status = write_absent(target, buffer_view(&out), error);
  }
  buffer_free(&text);
  buffer_free(&out);
  return status;
}

static const char *folder_name(struct arena *arena, const char *folder) {
  char *absolute = realpath(folder, NULL);
  const char *slash = absolute == NULL ? NULL : strrchr(absolute, '/');
  const char *name = slash == NULL || slash[1] == '\0' ? "puente" : arena_text(arena, slice_of(slash + 1));
  free(absolute);
  return name;
}

static enum status refuse_present(struct arena *arena, const char *folder, struct error *error) {
  const char *path = path_join(arena, folder, "puente.yaml");
  if (path == NULL) {
    return error_memory(error);
  }
  if (access(path, F_OK) != 0) {
    return OK;
  }
  error_set(error, ERR_CONFIG, _("there is a workspace already"));
  error_place(error, "%s", path);
  error_hint(error, _("`puente check --config %s/puente.yaml` looks at it; choose another folder for a new one"),
             folder);
  return ERR_CONFIG;
}

/* A key that is there is kept: of an attempt that did not come to its end, or from a backup. */
static enum status make_key(const char *path, struct error *error) {
  struct key *key = NULL;
  if (access(path, F_OK) != 0) {
    return key_create(path, error);
  }
  enum status status = key_load(path, &key, error);
  key_free(key);
  return status;
}

static enum status fill(struct arena *arena, const char *folder, const char *name, struct error *error) {
  static const char *const folders[] = {"", "sources", "mappings", "incoming"};
  enum status status = OK;
  for (size_t i = 0; i < sizeof folders / sizeof *folders && status == OK; i++) {
    status = make_folder(arena, folder, folders[i], error);
  }
  if (status == OK && name == NULL) {
    name = folder_name(arena, folder);
  }
  const char *key = path_join(arena, folder, "puente.key"), *ignore = path_join(arena, folder, ".gitignore");
  if (status == OK && (name == NULL || key == NULL || ignore == NULL)) {
    return error_memory(error);
  }
  status = status == OK ? make_key(key, error) : status;
  status = status == OK ? write_absent(ignore, slice_of(IGNORED), error) : status;
  status = status == OK
               ? copy_file(arena, "config/sources/example.yaml", folder, "sources/example.yaml.txt", NULL, error)
               : status;
  status = status == OK
               ? copy_file(arena, "config/mappings/example.yaml", folder, "mappings/example.yaml.txt", NULL, error)
               : status;
  /* Last: what makes it a workspace. */
  return status == OK ? copy_file(arena, "config/puente.yaml", folder, "puente.yaml", name, error) : status;
}

enum status workspace_found(const char *folder, const char *name, struct error *error) {
  struct arena *arena = arena_new(0);
  if (arena == NULL) {
    return error_memory(error);
  }
  enum status status = refuse_present(arena, folder, error);
  if (status == OK) {
    status = fill(arena, folder, name, error);
  }
  arena_free(arena);
  return status;
}
