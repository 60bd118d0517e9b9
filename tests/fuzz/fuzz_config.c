/* puente.yaml and a source's file, parted by a zero byte: read, or refused with its place. */
#include "core/config.h"
#include "tests/fuzz/fuzz.h"

static void check_whole(const struct config *config) {
  promise(config->path != NULL && config->folder != NULL && config->key_file != NULL, "a configuration is whole");
  for (size_t i = 0; i < config->source_count; i++) {
    const struct source_config *source = &config->sources[i];
    promise(source->code != NULL && source->connector != NULL && source->mapping != NULL, "a source is whole");
    promise(source->max_drop >= 0 && source->max_drop <= 1 && source->overlap >= 0, "a source is within its bounds");
    promise(config_source(config, source->code) == source, "a source is found by its code");
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct slice input = slice_make((const char *)data, size);
  struct error error = {.code = OK};
  struct config *config = NULL;
  const char *path = fuzz_file("puente.yaml", fuzz_part(&input));
  fuzz_file("sources/one.yaml", input);
  fuzz_file("mappings/one.yaml", slice_of("source: one\n"));
  enum status status = config_load(path, &config, &error);
  if (status == OK) {
    check_whole(config);
    config_free(config);
  } else {
    promise_error(status, &error);
    promise(error.place[0] != '\0', "a mistake has a place");
  }
  return 0;
}
