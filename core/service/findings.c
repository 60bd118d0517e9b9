#include "core/service/findings.h"

#include "core/audit/audit.h"
#include "core/service/access.h"
#include "core/sync/health.h"

#include <stdio.h>

enum { BODY_LIMIT = 1 << 20, HOLD_SIZE = 160 };

struct taking {
  const char *path; /* NULL: all */
  struct buffer body;
  int64_t count;
  bool weighs; /* one of them alone makes a source `changed` */
};

static enum status take(void *context, const struct drift *drift, struct error *error) {
  struct taking *taking = context;
  if (taking->path != NULL && !slice_is(drift->path, taking->path)) {
    return OK;
  }
  buffer_text(&taking->body, taking->count == 0 ? "{\"findings\":[" : ",");
  buffer_text(&taking->body, "{\"field\":");
  buffer_json(&taking->body, drift->path);
  buffer_printf(&taking->body, ",\"kind\":\"%s\"}", drift_names[drift->kind]);
  taking->count++;
  taking->weighs = taking->weighs || (drift->mapped && drift->kind != DRIFT_NEW);
  return buffer_check(&taking->body, _("an audit entry"), error);
}

static enum status none(const struct finding_acceptance *acceptance, struct error *error) {
  if (acceptance->path != NULL) {
    error_set(error, ERR_NOT_FOUND, _("no finding stands about the field \"%s\""), acceptance->path);
  } else {
    error_set(error, ERR_NOT_FOUND, "%s", _("no finding stands about the fields of this source"));
  }
  error_place(error, _("source %s"), acceptance->source);
  error_hint(error, "%s", _("`puente drift list` shows those that do"));
  return ERR_NOT_FOUND;
}

/* What is said of the source once nothing more is wrong with a field that the mapping reads. */
static enum status observe(struct store *store, int source_id, struct error *error) {
  const struct counts counts = {.pulled = 0};
  const struct health_try attempt = {.pulled = false, .counts = &counts};
  return health_observe(store, source_id, &attempt, error);
}

static enum status accept(struct workspace *workspace, const struct finding_acceptance *acceptance, int source_id,
                          struct taking *taking, struct error *error) {
  struct store *store = workspace->store;
  enum status status = store_visit_drift(store, source_id, take, taking, error);
  if (status == OK && taking->count == 0) {
    return none(acceptance, error);
  }
  buffer_text(&taking->body, "]}");
  status = status == OK ? buffer_check(&taking->body, _("an audit entry"), error) : status;
  status = status == OK ? store_accept_drift(store, source_id, acceptance->path, error) : status;
  if (status == OK && taking->weighs) {
    status = observe(store, source_id, error);
  }
  const struct audit_event event = {.event = "drift",
                                    .source = acceptance->source,
                                    .actor = workspace->actor,
                                    .purpose = acceptance->reason,
                                    .body = taking->body.data};
  return status == OK ? audit_append(store, &event, error) : status;
}

static enum status accept_held(struct workspace *workspace, const struct finding_acceptance *acceptance, int source_id,
                               int64_t *accepted, struct error *error) {
  struct taking taking = {.path = acceptance->path};
  buffer_init(&taking.body, BODY_LIMIT);
  enum status status = store_begin(workspace->store, error);
  status = status == OK ? accept(workspace, acceptance, source_id, &taking, error) : status;
  status = status == OK ? store_commit(workspace->store, error) : status;
  if (status != OK) {
    store_rollback(workspace->store);
  }
  *accepted = status == OK ? taking.count : 0;
  buffer_free(&taking.body);
  return status;
}

static enum status find_source(const struct workspace *workspace, const char *code, int *source_id,
                               struct error *error) {
  for (size_t i = 0; i < workspace->config->source_count; i++) {
    if (strcmp(workspace->config->sources[i].code, code) == 0) {
      *source_id = workspace->source_ids[i];
      return OK;
    }
  }
  return error_set(error, ERR_USAGE, _("there is no source \"%s\""), code);
}

/* A pass that ends meanwhile would write its own findings over what is accepted here. */
enum status findings_accept(struct workspace *workspace, const struct finding_acceptance *acceptance, int64_t *accepted,
                            struct error *error) {
  char hold[HOLD_SIZE];
  int source_id = 0;
  *accepted = 0;
  if (acceptance->reason == NULL || acceptance->reason[0] == '\0') {
    return error_set(error, ERR_USAGE, "%s", _("a reason is needed: --reason TEXT"));
  }
  enum status status = access_require(workspace, RIGHT_DECIDE, error);
  status = status == OK ? access_person(workspace, error) : status;
  status = status == OK ? find_source(workspace, acceptance->source, &source_id, error) : status;
  if (status != OK) {
    return status;
  }
  snprintf(hold, sizeof hold, "sync:%s", acceptance->source);
  status = store_hold(workspace->store, hold, error);
  if (status != OK) {
    return status == ERR_BUSY ? store_leased(workspace->store, source_id, error) : status;
  }
  status = accept_held(workspace, acceptance, source_id, accepted, error);
  store_unhold(workspace->store, hold);
  return status;
}
