#include "core/config_access.h"

#include "core/base/actor.h"
#include "core/base/catalog.h"
#include "core/config.h"

enum { NAMES_MOST = 10000 };

const char *const config_access_keys[] = {"shared", "people", NULL};

/* Accounts that nobody is by name, on any machine. */
static const char *const SHARED[] = {"root",     "puente", "postgres", "admin",    "administrator", "administrador",
                                     "operator", "nobody", "daemon",   "guest",    "invitado",      "operador",
                                     "user",     "system", "sistema",  "www-data", "usuario",       NULL};

bool config_is_shared(const struct access_config *access, const char *actor) {
  for (size_t i = 0; SHARED[i] != NULL; i++) {
    if (actor_same(SHARED[i], actor)) {
      return true;
    }
  }
  for (size_t i = 0; i < access->shared_count; i++) {
    if (actor_same(access->shared[i], actor)) {
      return true;
    }
  }
  return false;
}

bool config_is_listed(const struct access_config *access, const char *actor) {
  for (size_t i = 0; i < access->people_count; i++) {
    if (strcmp(access->people[i], actor) == 0) {
      return true;
    }
  }
  return access->people_count == 0;
}

static enum status read_names(const struct yaml *block, const char *key, struct arena *arena, const char *const **names,
                              size_t *count, struct error *error) {
  const struct yaml *node = yaml_get(block, key);
  const char **texts = NULL;
  enum status status = yaml_texts(block, key, arena, &texts, count, error);
  *names = texts;
  if (status == OK && *count > NAMES_MOST) {
    return yaml_error(node, error, _("%s: more than %d names"), key, NAMES_MOST);
  }
  for (size_t i = 0; status == OK && i < *count; i++) {
    const char *fault = actor_fault(texts[i]);
    if (fault != NULL) {
      yaml_error(node->kind == YAML_LIST ? &node->children[i] : node, error,
                 _("%s: this cannot be the name of who acts: %s"), key, fault);
      error_hint(error, "%s", _("a name or login as PUENTE_ACTOR or the system gives it"));
      status = ERR_CONFIG;
    }
  }
  return status;
}

enum status config_access_read(const struct yaml *block, struct config *config, struct arena *arena,
                               struct error *error) {
  struct access_config *access = &config->access;
  if (block == NULL) {
    return OK;
  }
  enum status status = yaml_check_keys(block, config_access_keys, error);
  status = status == OK ? read_names(block, "shared", arena, &access->shared, &access->shared_count, error) : status;
  status = status == OK ? read_names(block, "people", arena, &access->people, &access->people_count, error) : status;
  const struct yaml *node = yaml_get(block, "people");
  for (size_t i = 0; status == OK && i < access->people_count; i++) {
    if (config_is_shared(access, access->people[i])) {
      yaml_error(node->kind == YAML_LIST ? &node->children[i] : node, error,
                 _("people: '%s' is an account that several persons use"), access->people[i]);
      error_hint(error, "%s", _("list each of them by a login of their own"));
      status = ERR_CONFIG;
    }
  }
  return status;
}
