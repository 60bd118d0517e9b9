#include "core/service/access.h"

#include "core/base/actor.h"
#include "core/base/catalog.h"

enum status access_require(struct workspace *workspace, enum access_right right, struct error *error) {
  (void)workspace;
  (void)right;
  (void)error;
  return OK;
}

enum status access_person(const struct workspace *workspace, struct error *error) {
  const char *actor = workspace->actor, *fault = actor_fault(actor);
  const struct access_config *access = &workspace->config->access;
  if (fault != NULL) {
    error_set(error, ERR_AUTH, _("who acts is not known by name: %s"), fault);
  } else if (config_is_shared(access, actor)) {
    error_set(error, ERR_AUTH, _("'%s' is an account that several persons may use: this is for a named person"), actor);
  } else if (!config_is_listed(access, actor)) {
    error_set(error, ERR_AUTH, _("'%s' is not listed among the persons who may do this"), actor);
    error_hint(error, "%s", _("`access: people:` of puente.yaml lists them"));
    return ERR_AUTH;
  } else {
    return OK;
  }
  error_hint(error, "%s", _("set PUENTE_ACTOR to your own name or login"));
  return ERR_AUTH;
}
