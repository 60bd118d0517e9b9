#include "core/base/file.h"
#include "core/base/folder.h"
#include "core/service/releasing.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A release as files: what may leave the house. */

static enum status make_folder(const char *folder, struct arena *arena, struct error *error) {
  const char *const *paths = NULL;
  size_t count = 0;
  if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
    int cause = errno;
    error_set(error, ERR_IO, _("the folder cannot be made: %s"), strerror(cause));
    error_place(error, "%s", folder);
    file_hint(cause, error);
    return ERR_IO;
  }
  enum status status = folder_list(folder, "", arena, &paths, &count, error);
  if (status == OK && count > 0) {
    error_set(error, ERR_USAGE, "%s", _("the folder is not empty"));
    error_place(error, "%s", folder);
    error_hint(error, "%s", _("name a new one: nothing is written over"));
    status = ERR_USAGE;
  }
  return status;
}

static void put_release(const struct released *released, struct buffer *out) {
  buffer_printf(out, "{\"release\":");
  buffer_json(out, slice_of(released->name));
  buffer_printf(out, ",\"number\":%lld,\"made\":\"%s\",\"snapshot_run\":%lld,\"digest\":\"%s\",\"settings\":%s,",
                (long long)released->id, released->made, (long long)released->run, released->digest,
                released->settings);
  buffer_text(out, "\"files\":[");
  for (size_t i = 0; i < released->count; i++) {
    const struct released_table *table = &released->tables[i];
    buffer_printf(out, "%s\n{\"file\":\"%s.csv\",\"sha256\":\"%s\",\"settings\":%s}", i == 0 ? "" : ",", table->name,
                  table->digest, table->settings == NULL ? "null" : table->settings);
  }
  buffer_text(out, "\n]}\n");
}

static enum status write_all_files(const struct released *released, const char *folder, struct arena *arena,
                                   struct error *error) {
  struct buffer text;
  buffer_init(&text, 1 << 24);
  enum status status = OK;
  for (size_t i = 0; i < released->count && status == OK; i++) {
    const char *path = arena_printf(arena, "%s/%s.csv", folder, released->tables[i].name);
    status = path == NULL ? error_memory(error) : file_write(path, released->tables[i].body, 0644, error);
  }
  put_release(released, &text);
  status = status == OK ? buffer_check(&text, "release.json", error) : status;
  const char *path = arena_printf(arena, "%s/release.json", folder);
  if (status == OK) {
    status = path == NULL ? error_memory(error) : file_write(path, buffer_view(&text), 0644, error);
  }
  buffer_free(&text);
  return status;
}

/* Half a release is none; the folder was empty before. */
static void take_back(const struct released *released, const char *folder) {
  char path[PATH_MAX];
  for (size_t i = 0; i < released->count; i++) {
    snprintf(path, sizeof path, "%s/%s.csv", folder, released->tables[i].name);
    unlink(path);
  }
  snprintf(path, sizeof path, "%s/release.json", folder);
  unlink(path);
}

enum status releasing_export(const struct released *released, const char *folder, struct arena *arena,
                             struct error *error) {
  enum status status = make_folder(folder, arena, error);
  if (status != OK) {
    return status;
  }
  status = write_all_files(released, folder, arena, error);
  if (status != OK) {
    take_back(released, folder);
  }
  return status;
}
