#include "core/service/rewrap.h"

#include "core/audit/audit.h"
#include "core/base/file.h"
#include "core/base/seal.h"
#include "core/service/access.h"
#include "core/store/reseal.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

enum { MARK = 8, BODY = 160 };

struct replacing {
  struct workspace *workspace;
  struct replaced_key *replaced;
  char fresh_path[PATH_MAX];
  struct key *fresh; /* NULL: the file is the new one already */
};

/* The beginning of what names a file's key in the store, and tells nothing of it. */
static void mark_of(const struct key *key, char text[2 * MARK + 1]) {
  struct subkey wrapping = key_wrapping(key);
  struct keyed_digest wrapper = seal_wrapper(&wrapping);
  hex_format(wrapper.bytes, MARK, text);
  sodium_memzero(&wrapping, sizeof wrapping);
}

static enum status io_failed(const char *path, int cause, struct error *error) {
  error_set(error, cause == ENOSPC ? ERR_FULL : ERR_IO, _("cannot replace the key file: %s"), strerror(cause));
  error_place(error, "%s", path);
  return error->code;
}

/* ---- the two transactions ---- */

static enum status note(struct replacing *replacing, const char *step, struct error *error) {
  struct workspace *workspace = replacing->workspace;
  char body[BODY], mark[2 * MARK + 1];
  mark_of(replacing->fresh != NULL ? replacing->fresh : workspace->key, mark);
  snprintf(body, sizeof body, "{\"key\":\"%s\",\"step\":\"%s\"}", mark, step);
  const struct audit_event event = {.event = "key", .actor = workspace->actor, .body = body};
  return audit_append(workspace->store, &event, error);
}

static enum status in_transaction(struct replacing *replacing, bool drop, struct error *error) {
  struct store *store = replacing->workspace->store;
  const struct key *kept = replacing->fresh != NULL ? replacing->fresh : replacing->workspace->key;
  enum status status = store_begin(store, error);
  if (status != OK) {
    return status;
  }
  status = drop ? store_drop_wrappings(store, kept, error) : store_wrap_keys(store, kept, error);
  status = status == OK ? note(replacing, drop ? "replaced" : "wrapped", error) : status;
  if (status == OK) {
    return store_commit(store, error);
  }
  store_rollback(store);
  return status;
}

/* ---- the files ---- */

/* FILE.new: one that is there is used, since a run that ended early may have wrapped keys under it. */
static enum status name_fresh(struct replacing *replacing, struct error *error) {
  const char *path = replacing->workspace->config->key_file;
  int len = snprintf(replacing->fresh_path, sizeof replacing->fresh_path, "%s.new", path);
  if (len < 0 || (size_t)len >= sizeof replacing->fresh_path) {
    return io_failed(path, ENAMETOOLONG, error);
  }
  return OK;
}

static enum status keep_former(struct replacing *replacing, struct error *error) {
  const struct workspace *workspace = replacing->workspace;
  char *former = replacing->replaced->former, mark[2 * MARK + 1];
  struct key *kept = NULL;
  mark_of(workspace->key, mark);
  int len = snprintf(former, PATH_MAX, "%s.former-%.8s", workspace->config->key_file, mark);
  if (len < 0 || len >= PATH_MAX) {
    return io_failed(workspace->config->key_file, ENAMETOOLONG, error);
  }
  if (access(former, F_OK) != 0) {
    enum status status = key_write(former, key_bytes(workspace->key), error);
    file_sync_folder(former);
    return status;
  }
  enum status status = key_load(former, &kept, error);
  if (status == OK && memcmp(key_bytes(kept), key_bytes(workspace->key), KEY_SIZE) != 0) {
    status = io_failed(former, EEXIST, error);
  }
  key_free(kept);
  return status;
}

static enum status take_name(struct replacing *replacing, struct error *error) {
  const char *path = replacing->workspace->config->key_file;
  enum status status = keep_former(replacing, error);
  if (status != OK) {
    return status;
  }
  if (rename(replacing->fresh_path, path) != 0) {
    return io_failed(path, errno, error);
  }
  file_sync_folder(path);
  return OK;
}

/* ---- the steps ---- */

/* `count`: how many files the store opens with. */
static enum status run_steps(struct replacing *replacing, int64_t count, struct error *error) {
  bool there = access(replacing->fresh_path, F_OK) == 0;
  enum status status = OK;
  if (count > 1 && !there) {
    return in_transaction(replacing, true, error);
  }
  if (!there) {
    status = key_create(replacing->fresh_path, error);
    file_sync_folder(replacing->fresh_path);
  }
  status = status == OK ? key_load(replacing->fresh_path, &replacing->fresh, error) : status;
  if (status == OK && count <= 1) {
    status = in_transaction(replacing, false, error);
  }
  status = status == OK ? take_name(replacing, error) : status;
  return status == OK ? in_transaction(replacing, true, error) : status;
}

enum status service_replace_key(struct workspace *workspace, struct replaced_key *replaced, struct error *error) {
  struct replacing replacing = {.workspace = workspace, .replaced = replaced};
  int64_t count = 0;
  replaced->former[0] = '\0';
  enum status status = access_require(workspace, RIGHT_SEAL, error);
  status = status == OK ? access_person(workspace, error) : status;
  status = status == OK ? name_fresh(&replacing, error) : status;
  status = status == OK ? store_count_wrappings(workspace->store, &count, error) : status;
  status = status == OK ? run_steps(&replacing, count, error) : status;
  key_free(replacing.fresh);
  return status;
}
