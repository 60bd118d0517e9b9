/* The language of what people are told: that of `notify: lang`, else the program's. */
#ifndef PUENTE_SERVICE_TONGUE_H
#define PUENTE_SERVICE_TONGUE_H

#include "core/base/catalog.h"
#include "core/config.h"

struct tongue {
  bool own; /* another language than the program's may be */
  struct catalog *catalog;
};
enum status tongue_open(const struct config *config, struct tongue *tongue, struct error *error) MUST_CHECK;
void tongue_close(struct tongue *tongue);

static inline __attribute__((format_arg(2))) const char *words(const struct tongue *tongue, const char *text) {
  return tongue->own ? catalog_text(tongue->catalog, text) : gettext(text);
}

#endif
