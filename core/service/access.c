#include "core/service/access.h"

#include "core/base/catalog.h"

#include <string.h>
#include <strings.h>

enum status access_require(struct workspace *workspace, enum access_right right, struct error *error) {
  (void)workspace;
  (void)right;
  (void)error;
  return OK;
}

static bool is_shared(const char *actor) {
  static const char *const SHARED[] = {"root",     "puente", "postgres", "admin", "administrator", "administrador",
                                       "operator", "nobody", "daemon",   "guest", "user",          "usuario"};
  for (size_t i = 0; i < sizeof SHARED / sizeof *SHARED; i++) {
    if (strcasecmp(actor, SHARED[i]) == 0) {
      return true;
    }
  }
  return false;
}

enum status access_person(const struct workspace *workspace, struct error *error) {
  if (!is_shared(workspace->actor)) {
    return OK;
  }
  error_set(error, ERR_AUTH, _("'%s' is an account that several persons may use: this is for a named person"),
            workspace->actor);
  error_hint(error, "%s", _("set PUENTE_ACTOR to your own name or login"));
  return ERR_AUTH;
}
