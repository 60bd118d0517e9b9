#include "core/service/rotation.h"

#include "core/audit/audit.h"
#include "core/service/access.h"

#include <stdio.h>
#include <time.h>

enum { PAUSE_NANOSECONDS = 5000000, PASSES_MOST = 1000 };

static enum status finish(struct store *store, enum status status, struct error *error) {
  if (status == OK) {
    return store_commit(store, error);
  }
  store_rollback(store);
  return status;
}

static enum status note(struct workspace *workspace, const char *step, int64_t count, struct error *error) {
  char body[96];
  snprintf(body, sizeof body, "{\"bodies\":%lld,\"step\":\"%s\"}", (long long)count, step);
  const struct audit_event event = {.event = "key", .actor = workspace->actor, .body = body};
  return audit_append(workspace->store, &event, error);
}

static enum status make_key(struct workspace *workspace, struct error *error) {
  enum status status = store_begin(workspace->store, error);
  if (status != OK) {
    return status;
  }
  status = store_new_data_key(workspace->store, error);
  status = status == OK ? note(workspace, "made", 0, error) : status;
  return finish(workspace->store, status, error);
}

/* A pause between two transactions lets those who wait for the store have it. */
static enum status pass_once(struct workspace *workspace, const atomic_bool *stop, int64_t *sealed,
                             struct error *error) {
  struct resealing pass = {.part = 0};
  enum status status = OK;
  for (bool done = false; status == OK && !done;) {
    if (stop != NULL && atomic_load(stop)) {
      status = error_set(error, ERR_INTERRUPTED, "%s", _("the rotation was interrupted; nothing is lost"));
      error_hint(error, "%s", _("`puente key rotate --resume` goes on with it"));
      break;
    }
    status = store_begin(workspace->store, error);
    if (status == OK) {
      status = finish(workspace->store, store_reseal(workspace->store, &pass, &done, error), error);
    }
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_NANOSECONDS}, NULL);
  }
  *sealed += pass.sealed;
  return status;
}

static enum status retire(struct workspace *workspace, int64_t sealed, int64_t *retired, bool *left,
                          struct error *error) {
  enum status status = store_begin(workspace->store, error);
  if (status != OK) {
    return status;
  }
  status = store_retire_data_keys(workspace->store, retired, left, error);
  if (status == OK && *retired > 0) {
    status = note(workspace, "retired", sealed, error);
  }
  return finish(workspace->store, status, error);
}

enum status service_rotate(struct workspace *workspace, bool resume, const atomic_bool *stop,
                           struct rotation_done *done, struct error *error) {
  bool left = true;
  *done = (struct rotation_done){.sealed = 0};
  enum status status = access_require(workspace, RIGHT_SEAL, error);
  status = status == OK ? access_person(workspace, error) : status;
  if (status == OK && !resume) {
    status = make_key(workspace, error);
  }
  for (int i = 0; i < PASSES_MOST && status == OK && left; i++) {
    status = pass_once(workspace, stop, &done->sealed, error);
    status = status == OK ? retire(workspace, done->sealed, &done->retired, &left, error) : status;
  }
  return status;
}
