#include "core/service/outbound_sight.h"

#include "core/service/access.h"
#include "core/service/outbound.h"
#include "core/service/purpose.h"
#include "core/service/showing.h"
#include "core/store/access.h"

#include <stdio.h>

enum { BODY_SIZE = 512 };
static const size_t IDS_LIMIT = (size_t)1 << 30;

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

/* ---- the entry ---- */

struct cases {
  struct buffer ids; /* int64_t */
  struct buffer text;
};

static enum status take_case(void *context, int64_t id, struct error *error) {
  struct cases *cases = context;
  buffer_append(&cases->ids, &id, sizeof id);
  buffer_printf(&cases->text, "%lld\n", (long long)id);
  enum status status = buffer_check(&cases->ids, _("a list of cases"), error);
  return status == OK ? buffer_check(&cases->text, _("a list of cases"), error) : status;
}

/* Numbers of cases leave: a sight of whoever is involved in them. */
static enum status log_cases(struct workspace *workspace, const struct outbound_sight *sight, struct shown *shown,
                             char *body, struct error *error) {
  struct cases cases;
  char hex[2 * SHA256_SIZE + 1];
  buffer_init(&cases.ids, IDS_LIMIT);
  buffer_init(&cases.text, IDS_LIMIT);
  buffer_text(&cases.ids, "");
  buffer_text(&cases.text, "");
  enum status status = store_visit_own(workspace->store, CLUSTER_CASE, sight->institution, take_case, &cases, error);
  size_t count = cases.ids.len / sizeof(int64_t);
  status = status == OK
               ? showing_involved(workspace, (const int64_t *)(const void *)cases.ids.data, count, shown, error)
               : status;
  if (status == OK) {
    struct sha256 digest = sha256_of(buffer_view(&cases.text));
    hex_format(digest.bytes, SHA256_SIZE, hex);
    snprintf(body, BODY_SIZE,
             "{\"cases\":%zu,\"crosswalk\":\"%s\",\"digest\":\"%s\",\"persons\":%lld,\"shown\":\"%s\"}", count,
             sight->institution, hex, (long long)shown->persons, shown->hex);
  }
  buffer_free(&cases.ids);
  buffer_free(&cases.text);
  return status;
}

static enum status log_persons(struct workspace *workspace, const struct outbound_sight *sight, struct shown *shown,
                               char *body, struct error *error) {
  enum status status = showing_own(workspace, sight->institution, shown, error);
  if (status == OK) {
    snprintf(body, BODY_SIZE, "{\"htcds\":\"%s\",\"persons\":%lld,\"shown\":\"%s\"}", sight->institution,
             (long long)shown->persons, shown->hex);
  }
  return status;
}

enum status outbound_sight_begin(struct workspace *workspace, struct outbound_sight *sight, struct error *error) {
  char body[BODY_SIZE];
  struct shown shown;
  sight->number = 0;
  enum status status = check(workspace, sight, error);
  if (status == OK && access_restricted(workspace)) {
    return store_sight_all(workspace->store, sight->form, sight->institution, sight->purpose, &sight->number, error);
  }
  status = status == OK ? access_person(workspace, error) : status;
  if (status != OK) {
    return status;
  }
  shown_init(&shown);
  status = strcmp(sight->form, "crosswalk") == 0 ? log_cases(workspace, sight, &shown, body, error)
                                                 : log_persons(workspace, sight, &shown, body, error);
  status = status == OK ? outbound_log(workspace, "reveal", sight->purpose, body, &shown, error) : status;
  shown_free(&shown);
  return status;
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
  return outbound_log(workspace, "exported", sight->purpose, body, NULL, error);
}
