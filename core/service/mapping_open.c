#include "core/base/file.h"
#include "core/config.h"
#include "core/service/maptest.h"

#include <unistd.h>

static enum status open_with(const char *model, const char *const *folders, size_t count, struct mapping_bench *bench,
                             struct error *error) {
  enum status status = model_load(model, &bench->model, error);
  if (status == OK) {
    status = codelists_load(folders, count, &bench->lists, error);
  }
  if (status != OK) {
    mapping_bench_close(bench);
  }
  return status;
}

static enum status open_own(struct mapping_bench *bench, struct error *error) {
  struct arena *arena = arena_new(0);
  char *model = arena == NULL ? NULL : path_join(arena, path_data(), "config/model");
  char *lists = arena == NULL ? NULL : path_join(arena, path_data(), "config/codelists");
  const char *folders[] = {lists};
  enum status status =
      model == NULL || lists == NULL ? error_memory(error) : open_with(model, folders, 1, bench, error);
  arena_free(arena);
  return status;
}

enum status mapping_bench_open(const char *path, struct mapping_bench *bench, struct error *error) {
  *bench = (struct mapping_bench){0};
  if (path == NULL) {
    return open_own(bench, error);
  }
  struct config *config = NULL;
  enum status status = config_load(path, &config, error);
  if (status != OK) {
    return status;
  }
  const char *folders[2];
  size_t count = 0;
  for (int i = 0; i < 2; i++) {
    if (config->codelist_folders[i] != NULL) {
      folders[count++] = config->codelist_folders[i];
    }
  }
  status = open_with(config->model_folder, folders, count, bench, error);
  config_free(config);
  return status;
}

void mapping_bench_close(struct mapping_bench *bench) {
  codelists_free(bench->lists);
  model_free(bench->model);
  *bench = (struct mapping_bench){0};
}
