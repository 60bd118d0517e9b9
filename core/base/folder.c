#include "core/base/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES_MOST = 4096 };

static bool ends_with(const char *name, const char *suffix) {
  size_t len = strlen(name), tail = strlen(suffix);
  return name[0] != '.' && len > tail && strcmp(name + len - tail, suffix) == 0;
}

static enum status unreadable(const char *path, struct error *error) {
  error_set(error, ERR_IO, _("folder cannot be read: %s"), strerror(errno));
  error_place(error, "%s", path);
  return ERR_IO;
}

/* A file that went away since, or a link to none, is no file; one that cannot be looked at is not passed over. */
static enum status is_file(const char *path, bool *file, struct error *error) {
  struct stat found;
  bool there = stat(path, &found) == 0;
  *file = there && S_ISREG(found.st_mode);
  return there || errno == ENOENT ? OK : unreadable(path, error);
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum status collect(DIR *open, const char *folder, const char *suffix, struct arena *arena, const char **paths,
                           size_t *count, struct error *error) {
  const struct dirent *entry;
  bool file = false;
  *count = 0;
  while ((errno = 0, entry = readdir(open)) != NULL) {
    if (!ends_with(entry->d_name, suffix)) {
      continue;
    }
    if (*count == FILES_MOST) {
      error_set(error, ERR_LIMIT, _("more than %d files in one folder"), FILES_MOST);
      error_place(error, "%s", folder);
      return ERR_LIMIT;
    }
    const char *path = arena_printf(arena, "%s/%s", folder, entry->d_name);
    if (path == NULL) {
      return error_memory(error);
    }
    enum status status = is_file(path, &file, error);
    if (status != OK) {
      return status;
    }
    if (file) {
      paths[(*count)++] = path;
    }
  }
  return errno == 0 ? OK : unreadable(folder, error);
}

enum status folder_list(const char *folder, const char *suffix, struct arena *arena, const char *const **paths,
                        size_t *count, struct error *error) {
  const char **found = arena_array(arena, FILES_MOST, sizeof *found);
  *count = 0;
  if (found == NULL) {
    return error_memory(error);
  }
  DIR *open = opendir(folder);
  if (open == NULL) {
    enum status code = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    error_set(error, code, _("folder cannot be read: %s"), strerror(errno));
    error_place(error, "%s", folder);
    return code;
  }
  enum status status = collect(open, folder, suffix, arena, found, count, error);
  closedir(open);
  if (status == OK) {
    qsort(found, *count, sizeof *found, by_name);
    *paths = found;
  }
  return status;
}

const char *folder_stem(struct arena *arena, const char *path) {
  const char *slash = strrchr(path, '/');
  const char *name = slash == NULL ? path : slash + 1;
  const char *dot = strrchr(name, '.');
  size_t len = dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name);
  return arena_text(arena, slice_make(name, len));
}
