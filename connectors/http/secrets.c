#include "connectors/http/secrets.h"
#include "core/base/file.h"

#include <sodium.h>
#include <stdlib.h>

enum status secrets_open(struct secrets *secrets, const struct option_map *map, struct error *error) {
  *secrets = (struct secrets){.map = map};
  if (map->count == 0) {
    return OK;
  }
  secrets->values = calloc(map->count, sizeof *secrets->values);
  if (secrets->values == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < map->count; i++) {
    enum status status = secret_read(map->values[i], "/", &secrets->values[i], error);
    if (status != OK) {
      error_place(error, "secrets: %s", map->names[i]);
      return status;
    }
    secrets->count++;
  }
  return OK;
}

void secrets_close(struct secrets *secrets) {
  for (size_t i = 0; i < secrets->count; i++) {
    secret_free(secrets->values[i]);
  }
  free(secrets->values);
  *secrets = (struct secrets){0};
}

enum status secrets_name(const struct secrets *secrets, struct placeholder *list, size_t *count, size_t most,
                         struct error *error) {
  if (secrets->count > most - *count) {
    return error_set(error, ERR_CONFIG, "%s", _("too many `secrets`"));
  }
  for (size_t i = 0; i < secrets->count; i++) {
    list[(*count)++] = (struct placeholder){.name = secrets->map->names[i], .value = secrets->values[i]};
  }
  return OK;
}

void buffer_wipe(struct buffer *buffer) {
  if (buffer->data != NULL) {
    sodium_memzero(buffer->data, buffer->capacity);
  }
  buffer_free(buffer);
}
