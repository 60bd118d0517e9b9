#include "core/service/escrow.h"

#include "core/base/file.h"
#include "core/service/access.h"
#include "core/service/key_log.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

enum { BODY_MOST = 1024 };

/* ---- splitting ---- */

static enum status note(struct workspace *workspace, const struct share *share, struct error *error) {
  char body[128], split[2 * SHARE_SPLIT + 1];
  hex_format(share->split, SHARE_SPLIT, split);
  snprintf(body, sizeof body, "{\"needed\":%d,\"shares\":%d,\"split\":\"%s\",\"step\":\"split\"}", share->needed,
           share->shares, split);
  return key_log(workspace, NULL, body, error);
}

static enum status name_share(char path[PATH_MAX], const char *folder, const struct share *share, struct error *error) {
  int len = snprintf(path, PATH_MAX, "%s/share-%d-of-%d.txt", folder, share->number, share->shares);
  return len < PATH_MAX ? OK : error_set(error, ERR_USAGE, "%s", _("the name of the folder is too long"));
}

static enum status write_shares(const struct share *shares, int count, const char *folder, struct error *error) {
  char path[PATH_MAX];
  struct error ignored;
  enum status status = OK;
  int written = 0;
  while (status == OK && written < count) {
    status = name_share(path, folder, &shares[written], error);
    status = status == OK ? share_write(&shares[written], path, error) : status;
    written += status == OK;
  }
  for (int i = 0; i < written && status != OK; i++) {
    if (name_share(path, folder, &shares[i], &ignored) == OK) {
      unlink(path);
    }
  }
  return status;
}

enum status service_split_key(struct workspace *workspace, const char *folder, int shares, int needed,
                              struct error *error) {
  struct share made[SHARES_MOST];
  enum status status = access_require(workspace, RIGHT_KEYS, error);
  status = status == OK ? access_person(workspace, error) : status;
  status = status == OK ? shares_make(workspace->key, workspace->config->name, shares, needed, made, error) : status;
  if (status != OK) {
    return status;
  }
  status = note(workspace, &made[0], error);
  status = status == OK ? write_shares(made, shares, folder, error) : status;
  shares_wipe(made, SHARES_MOST);
  return status;
}

/* ---- joining ---- */

static enum status open_store(const struct workspace *workspace, struct key *key, struct error *error) {
  struct store_options options;
  struct store *store = NULL;
  char *password = NULL;
  enum status status = workspace_store_options(workspace, &options, &password, error);
  if (status == OK) {
    options.key = key;
    options.read_only = true;
    status = store_open(&options, &store, error);
  }
  store_close(store);
  secret_free(password);
  return status;
}

/* Whether the store opens with this key; one that is not there says nothing of keys. ERR_CONFIG of one that opens
 * without a key is its refusal of this one. */
static enum status ask_store(const struct workspace *workspace, struct key *key, bool *known, struct error *error) {
  *known = false;
  enum status status = open_store(workspace, NULL, error);
  if (status != OK) {
    return status == ERR_NOT_FOUND ? OK : status;
  }
  status = open_store(workspace, key, error);
  *known = status == OK || status == ERR_CONFIG;
  if (status == ERR_CONFIG) {
    error_set(error, ERR_CONFIG, "%s", _("the key of these shares is not the one of this workspace's store"));
    error_hint(
        error, "%s",
        _("shares of before the key was replaced, or of another workspace, do not open it; nothing was written"));
  }
  return status;
}

static enum status read_shares(char *const *paths, size_t count, struct share *shares, struct error *error) {
  enum status status = OK;
  if (count == 0 || count > SHARES_MOST) {
    return error_set(error, ERR_USAGE, _("between 1 and %d shares are expected"), SHARES_MOST);
  }
  for (size_t i = 0; i < count && status == OK; i++) {
    status = share_read(paths[i], &shares[i], error);
  }
  return status == OK ? shares_agree(shares, count, error) : status;
}

enum status service_check_shares(const struct workspace *workspace, char *const *paths, size_t count,
                                 struct escrow_check *check, struct error *error) {
  struct share shares[SHARES_MOST];
  struct key *key = NULL;
  *check = (struct escrow_check){.given = count};
  enum status status = read_shares(paths, count, shares, error);
  if (status == OK && count >= (size_t)shares[0].needed) {
    status = shares_join(shares, count, &key, error);
  }
  if (status == OK) {
    check->first = shares[0];
    check->enough = key != NULL;
    check->file_known = workspace->key != NULL;
  }
  if (check->file_known) {
    struct keyed_digest mark = share_mark(workspace->key);
    check->file = memcmp(&mark, &check->first.mark, sizeof mark) == 0;
  }
  if (status == OK && key != NULL) {
    status = ask_store(workspace, key, &check->store_known, error);
    check->store = status == OK;
    status = check->store_known ? OK : status; /* a refusal is what was asked for */
  }
  key_free(key);
  memset(check->first.bytes, 0, sizeof check->first.bytes);
  shares_wipe(shares, SHARES_MOST);
  return status;
}

enum status service_join_key(const struct workspace *workspace, char *const *paths, size_t count, const char *out,
                             bool *asked, struct error *error) {
  struct share shares[SHARES_MOST];
  struct key *key = NULL;
  *asked = false;
  enum status status = access_person(workspace, error);
  status = status == OK ? read_shares(paths, count, shares, error) : status;
  status = status == OK ? shares_join(shares, count, &key, error) : status;
  status = status == OK ? ask_store(workspace, key, asked, error) : status;
  status = status == OK ? key_write(out, key_bytes(key), error) : status;
  key_free(key);
  shares_wipe(shares, SHARES_MOST);
  return status;
}

/* ---- the linkage key ---- */

enum status service_give_linkage_key(struct workspace *workspace, const struct linkage_gift *gift,
                                     char mark[LINKAGE_MARK + 1], struct error *error) {
  struct linkage_key key = {.workspace = ""};
  struct buffer body;
  enum status status = access_require(workspace, RIGHT_KEYS, error);
  status = status == OK ? access_person(workspace, error) : status;
  if (status == OK && access(gift->path, F_OK) == 0) {
    status = error_set(error, ERR_USAGE, "%s", _("a file of this name is there already"));
    error_place(error, "%s", gift->path);
  }
  if (status != OK) {
    return status;
  }
  linkage_key_make(workspace->key, workspace->config->name, &key);
  buffer_init(&body, BODY_MOST);
  buffer_text(&body, "{\"for\":");
  buffer_json(&body, slice_of(gift->institution));
  buffer_printf(&body, ",\"key\":\"%s\",\"step\":\"linkage\"}", key.mark);
  status = buffer_check(&body, _("the entry of the log"), error);
  status = status == OK ? key_log(workspace, gift->reason, body.data, error) : status;
  status = status == OK ? linkage_key_write(&key, gift->path, error) : status;
  memcpy(mark, key.mark, LINKAGE_MARK + 1);
  sodium_memzero(&key, sizeof key);
  buffer_free(&body);
  return status;
}
