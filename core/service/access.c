#include "core/service/access.h"

#include "core/base/actor.h"
#include "core/base/catalog.h"
#include "core/store/access.h"

/* What roles may; the service may all of it. Some rights no role has: its login alone. */
static const unsigned ROLE_RIGHTS[ROLE_COUNT] = {[ROLE_OPERATOR] = 1 << RIGHT_WATCH,
                                                 [ROLE_ANALYST] = 1 << RIGHT_FIGURES,
                                                 [ROLE_OFFICER] = 1 << RIGHT_SIGHT,
                                                 [ROLE_AUDITOR] = 1 << RIGHT_LOG | 1 << RIGHT_FIGURES,
                                                 [ROLE_KEYS] = 1 << RIGHT_KEYS};

/* As entries of the log name them. */
static const char *const RIGHT_NAMES[RIGHT_COUNT] = {
    [RIGHT_RUN] = "run",         [RIGHT_WATCH] = "watch",   [RIGHT_FIGURES] = "figures", [RIGHT_EXACT] = "exact",
    [RIGHT_SIGHT] = "sight",     [RIGHT_DECIDE] = "decide", [RIGHT_APPROVE] = "approve", [RIGHT_LOG] = "log",
    [RIGHT_PUBLISH] = "publish", [RIGHT_KEYS] = "keys",     [RIGHT_SEAL] = "seal",       [RIGHT_ACCESS] = "access"};

static unsigned expected = 1 << RIGHT_RUN;

bool access_restricted(const struct workspace *workspace) {
  return workspace->store != NULL && store_roles(workspace->store) != ROLES_SERVICE;
}

static unsigned rights_of(unsigned roles) {
  unsigned rights = 0;
  for (int role = 0; role < ROLE_COUNT; role++) {
    rights |= (roles >> role & 1) != 0 ? ROLE_RIGHTS[role] : 0;
  }
  return rights;
}

static enum status refuse(struct workspace *workspace, unsigned rights, struct error *error) {
  const char *roles[ROLE_COUNT] = {NULL};
  size_t count = 0;
  int first = 0;
  while ((rights >> first & 1) == 0 && first < RIGHT_COUNT - 1) {
    first++;
  }
  enum status logged = store_refused(workspace->store, RIGHT_NAMES[first], error);
  if (logged != OK) {
    return logged;
  }
  for (int role = 0; role < ROLE_COUNT; role++) {
    if ((ROLE_RIGHTS[role] & rights) != 0) {
      roles[count++] = role_name((enum store_role)role);
    }
  }
  if (count == 0) {
    error_set(error, ERR_AUTH, "%s", _("your role may not do this: it is the service's, whose login owns the store"));
  } else if (count == 1) {
    error_set(error, ERR_AUTH, _("your role may not do this: it needs the role %s"), roles[0]);
  } else {
    error_set(error, ERR_AUTH, _("your role may not do this: it needs the role %s or %s"), roles[0], roles[1]);
  }
  error_hint(error, "%s", _("ask who administers the store; the refusal is in the audit log"));
  return ERR_AUTH;
}

enum status access_require_any(struct workspace *workspace, unsigned rights, struct error *error) {
  if (!access_restricted(workspace) || (rights_of(store_roles(workspace->store)) & rights) != 0) {
    return OK;
  }
  return refuse(workspace, rights, error);
}

enum status access_require(struct workspace *workspace, enum access_right right, struct error *error) {
  return access_require_any(workspace, 1U << right, error);
}

void access_expect(unsigned rights) {
  expected = rights;
}

enum status access_enter(struct workspace *workspace, struct error *error) {
  return access_require_any(workspace, expected, error);
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
