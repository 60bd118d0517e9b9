#include "core/service/key_log.h"

#include "core/audit/audit.h"
#include "core/service/access.h"
#include "core/store/access.h"

enum status key_log(struct workspace *workspace, const char *purpose, const char *body, struct error *error) {
  const struct audit_event event = {.event = "key", .actor = workspace->actor, .purpose = purpose, .body = body};
  if (access_restricted(workspace)) {
    return store_key_entry(workspace->store, purpose, body, error);
  }
  enum status status = store_begin(workspace->store, error);
  if (status != OK) {
    return status;
  }
  status = audit_append(workspace->store, &event, error);
  if (status == OK) {
    return store_commit(workspace->store, error);
  }
  store_rollback(workspace->store);
  return status;
}
