#include "core/service/tongue.h"

enum status tongue_open(const struct config *config, struct tongue *tongue, struct error *error) {
  *tongue = (struct tongue){.own = config->notify.lang != NULL};
  return tongue->own ? catalog_open(config->notify.lang, &tongue->catalog, error) : OK;
}

void tongue_close(struct tongue *tongue) {
  catalog_close(tongue->catalog);
  *tongue = (struct tongue){.own = false};
}
