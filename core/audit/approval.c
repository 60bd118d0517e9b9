#include "core/audit/approval.h"

#include "core/audit/audit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *hex_json(const struct sha256 *digest) {
  static const struct sha256 none;
  char hex[2 * SHA256_SIZE + 1];
  hex_format(digest->bytes, SHA256_SIZE, hex);
  return memcmp(digest->bytes, none.bytes, SHA256_SIZE) == 0 ? json_null() : json_string(hex);
}

enum status audit_approval(struct store *store, const struct approval *approval, const struct sha256 *former,
                           const char *state, const char *actor, const char *reason, struct error *error) {
  json_t *made = json_pack("{so ss? so sI ss ss ss}", "digest", hex_json(&approval->digest), "document",
                           approval->document, "former", hex_json(former), "id", (json_int_t)approval->id, "kind",
                           approval->kind, "name", approval->name, "state", state);
  bool whole = made != NULL;
  if (whole && !approval->changed && strcmp(approval->kind, text_kind_names[TEXT_WEIGHTS]) == 0) {
    /* The text of weights is the digests of the models, and nothing else. */
    json_t *models = json_loadb(approval->body.len == 0 ? "" : approval->body.data, approval->body.len, 0, NULL);
    whole = models == NULL || json_object_set_new(made, "models", models) == 0;
  }
  char *body = !whole ? NULL : json_dumps(made, JSON_COMPACT | JSON_SORT_KEYS);
  const struct audit_event event = {.event = "approval",
                                    .source = strcmp(approval->kind, "mapping") == 0 ? approval->name : NULL,
                                    .actor = actor,
                                    .purpose = reason,
                                    .body = body};
  enum status status = body == NULL ? error_memory(error) : audit_append(store, &event, error);
  json_decref(made);
  free(body);
  return status;
}
