/* Secrets that a configuration names freely, for placeholders: `secrets: {ruc: env:PIDE_RUC}`. */
#ifndef PUENTE_CONNECTORS_HTTP_SECRETS_H
#define PUENTE_CONNECTORS_HTTP_SECRETS_H

#include "connectors/http/template.h"
#include "connectors/options.h"

struct secrets {
  const struct option_map *map; /* names; borrowed */
  char **values;                /* `count` of them are read */
  size_t count;
};

/* Reads every reference; a file: needs an absolute path. secrets_close is to be called also after an error. */
enum status secrets_open(struct secrets *secrets, const struct option_map *map, struct error *error) MUST_CHECK;
void secrets_close(struct secrets *secrets); /* wipes */
/* Adds them to a list of at most `most` placeholders. */
enum status secrets_name(const struct secrets *secrets, struct placeholder *list, size_t *count, size_t most,
                         struct error *error) MUST_CHECK;
/* Frees a buffer after wiping it. */
void buffer_wipe(struct buffer *buffer);

#endif
