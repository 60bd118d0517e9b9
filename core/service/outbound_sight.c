#include "core/service/outbound_sight.h"

#include "core/service/access.h"
#include "core/service/outbound.h"
#include "core/service/purpose.h"
#include "core/store/access.h"
#include "core/store/crosswalk.h"

#include <stdio.h>

enum { BODY_SIZE = 256 };

static enum status check(struct workspace *workspace, const struct outbound_sight *sight, struct error *error) {
  if (sight->purpose == NULL || sight->purpose[0] == '\0') {
    error_set(error, ERR_USAGE, "%s", _("a purpose is needed to export identified data"));
    error_hint(error, _("--purpose \"what they are for\": the log records it"));
    return ERR_USAGE;
  }
  if (sight->institution == NULL) {
    error_set(error, ERR_USAGE, "%s", _("an institution gets its own back: --for is needed"));
    error_hint(error, "%s", _("--for PE/MP, as in the files of sources/"));
    return ERR_USAGE;
  }
  enum status status = access_require(workspace, RIGHT_SIGHT, error);
  status = status == OK ? outbound_recipient(workspace, sight->institution, error) : status;
  const struct config *config = workspace->config;
  for (size_t i = 0; i < config->source_count && status == OK; i++) {
    bool own = strcmp(config->sources[i].institution, sight->institution) == 0;
    status = own && workspace->source_ids[i] != 0
                 ? purpose_require(workspace, workspace->source_ids[i], sight->purpose, error)
                 : OK;
  }
  return status;
}

enum status outbound_sight_begin(struct workspace *workspace, struct outbound_sight *sight, struct error *error) {
  bool cases = strcmp(sight->form, "crosswalk") == 0;
  char body[BODY_SIZE], hex[2 * SHA256_SIZE + 1];
  struct sha256 digest;
  int64_t count = 0;
  sight->number = 0;
  enum status status = check(workspace, sight, error);
  if (status == OK && access_restricted(workspace)) {
    return store_sight_all(workspace->store, sight->form, sight->institution, sight->purpose, &sight->number, error);
  }
  status = status == OK ? access_person(workspace, error) : status;
  status = status == OK ? store_count_own(workspace->store, cases ? CLUSTER_CASE : CLUSTER_PERSON, sight->institution,
                                          &count, &digest, error)
                        : status;
  if (status != OK) {
    return status;
  }
  hex_format(digest.bytes, SHA256_SIZE, hex);
  snprintf(body, sizeof body,
           cases ? "{\"cases\":%1$lld,\"crosswalk\":\"%2$s\",\"digest\":\"%3$s\"}"
                 : "{\"digest\":\"%3$s\",\"htcds\":\"%2$s\",\"persons\":%1$lld}",
           (long long)count, sight->institution, hex);
  return outbound_log(workspace, "reveal", sight->purpose, body, error);
}

enum status outbound_sight_taken(struct workspace *workspace, const struct outbound_sight *sight, int64_t rows,
                                 const struct sha256 *digest, struct error *error) {
  char body[BODY_SIZE], hex[2 * SHA256_SIZE + 1];
  if (sight->number != 0) {
    return store_sight_taken(workspace->store, sight->number, rows, digest, error);
  }
  hex_format(digest->bytes, SHA256_SIZE, hex);
  snprintf(body, sizeof body, "{\"digest\":\"%s\",\"for\":\"%s\",\"form\":\"%s\",\"rows\":%lld}", hex,
           sight->institution, sight->form, (long long)rows);
  return outbound_log(workspace, "exported", sight->purpose, body, error);
}
