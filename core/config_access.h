/* What `access:` of puente.yaml says: who are the persons behind what is done by hand. Part of struct config, which
 * owns it. */
#ifndef PUENTE_CONFIG_ACCESS_H
#define PUENTE_CONFIG_ACCESS_H

#include "core/base/yaml.h"

struct config;

struct access_config {
  const char *const *shared; /* further accounts that several persons use */
  size_t shared_count;
  const char *const *people; /* the only ones who may act by hand; none: whoever is named and not shared */
  size_t people_count;
};

/* Names that `access:` may hold (NULL-terminated). */
extern const char *const config_access_keys[];

/* An account that several use: one of `shared`, or one that is so everywhere (root, puente, admin, …). */
bool config_is_shared(const struct access_config *access, const char *actor);
/* True where nobody is listed. */
bool config_is_listed(const struct access_config *access, const char *actor);

/* Reads the block into config->access; untouched where it is NULL. */
enum status config_access_read(const struct yaml *block, struct config *config, struct arena *arena,
                               struct error *error) MUST_CHECK;

#endif
