#include "core/service/granting.h"

#include "core/audit/audit.h"
#include "core/base/buffer.h"
#include "core/service/access.h"
#include "core/sync/sharing.h"

enum { BODY_LIMIT = 4096, REGION_MOST = 6 };

static enum status may(struct workspace *workspace, struct error *error) {
  enum status status = access_require(workspace, RIGHT_ACCESS, error);
  return status == OK ? access_person(workspace, error) : status;
}

/* The entry, and the end of the transaction. */
static enum status finish(struct workspace *workspace, enum status status, const char *event, const struct buffer *body,
                          struct error *error) {
  const struct audit_event entry = {.event = event, .actor = workspace->actor, .body = body->data};
  status = status == OK ? buffer_check(body, "audit entry", error) : status;
  status = status == OK ? audit_append(workspace->store, &entry, error) : status;
  status = status == OK ? store_commit(workspace->store, error) : status;
  if (status != OK) {
    store_rollback(workspace->store);
  }
  return status;
}

static enum status set_up(struct workspace *workspace, struct error *error) {
  const struct config *config = workspace->config;
  enum status status = store_roles_setup(workspace->store, error);
  for (size_t i = 0; i < config->source_count && status == OK; i++) {
    if (workspace->source_ids[i] != 0) {
      status = sharing_write(workspace->store, &config->sources[i], workspace->source_ids[i], error);
    }
  }
  return status;
}

enum status granting_setup(struct workspace *workspace, struct error *error) {
  struct buffer body;
  enum status status = may(workspace, error);
  status = status == OK ? store_begin(workspace->store, error) : status;
  if (status != OK) {
    return status;
  }
  buffer_init(&body, BODY_LIMIT);
  buffer_text(&body, "{}");
  status = finish(workspace, set_up(workspace, error), "roles", &body, error);
  buffer_free(&body);
  return status;
}

static void add_member(struct buffer *body, const char *name, const char *text) {
  if (text != NULL) {
    buffer_printf(body, "%s\"%s\":", body->len > 1 ? "," : "", name);
    buffer_json(body, slice_of(text));
  }
}

static enum status check_scope(const struct workspace *workspace, const struct granted *granted, struct error *error) {
  bool scoped = granted->institution != NULL || granted->region != NULL;
  if (granted->role != ROLE_OFFICER) {
    return scoped ? error_set(error, ERR_USAGE, "%s", _("--institution and --region are for the role officer")) : OK;
  }
  if (granted->institution == NULL) {
    error_set(error, ERR_USAGE, "%s", _("an officer sees the rows of one institution: --institution is needed"));
    error_hint(error, "%s", _("--institution PE/MP, as in the files of sources/"));
    return ERR_USAGE;
  }
  const struct codelist *list = codelists_find(workspace->lists, "institution");
  if (list != NULL && codelist_code(list, slice_of(granted->institution)) == NULL) {
    error_set(error, ERR_USAGE, _("code list '%s' has no code '%s'"), "institution", granted->institution);
    error_hint(error, _("`puente codelist list %s` shows them; a list of the workspace may add one"), "institution");
    return ERR_USAGE;
  }
  if (granted->region != NULL
      && (granted->region[0] == '\0' || strlen(granted->region) > REGION_MOST
          || strspn(granted->region, "0123456789") != strlen(granted->region))) {
    error_set(error, ERR_USAGE, "%s", _("--region: the beginning of a place's code is expected"));
    error_hint(error, "%s", _("--region 15 for the department of Lima, --region 1501 for its province"));
    return ERR_USAGE;
  }
  return OK;
}

enum status granting_grant(struct workspace *workspace, const struct granted *granted, struct error *error) {
  struct buffer body;
  struct granted whole = *granted;
  whole.granted_by = workspace->actor;
  enum status status = may(workspace, error);
  status = status == OK ? check_scope(workspace, granted, error) : status;
  status = status == OK ? store_begin(workspace->store, error) : status;
  if (status != OK) {
    return status;
  }
  buffer_init(&body, BODY_LIMIT);
  buffer_char(&body, '{');
  add_member(&body, "institution", granted->institution);
  add_member(&body, "login", granted->login);
  add_member(&body, "region", granted->region);
  add_member(&body, "role", role_name(granted->role));
  buffer_char(&body, '}');
  status = finish(workspace, store_grant(workspace->store, &whole, error), "grant", &body, error);
  buffer_free(&body);
  return status;
}

enum status granting_revoke(struct workspace *workspace, const char *login, enum store_role role, struct error *error) {
  struct buffer body;
  enum status status = may(workspace, error);
  status = status == OK ? store_begin(workspace->store, error) : status;
  if (status != OK) {
    return status;
  }
  buffer_init(&body, BODY_LIMIT);
  buffer_char(&body, '{');
  add_member(&body, "login", login);
  add_member(&body, "role", role_name(role));
  buffer_char(&body, '}');
  status = finish(workspace, store_revoke(workspace->store, login, role, error), "revoke", &body, error);
  buffer_free(&body);
  return status;
}

enum status granting_visit(struct workspace *workspace, granted_visitor *visit, void *context, struct error *error) {
  return store_visit_granted(workspace->store, visit, context, error);
}
