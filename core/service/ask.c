#include "core/service/ask.h"

#include "core/service/access.h"
#include "core/service/outbound.h"
#include "core/service/purpose.h"

#include <stdio.h>

enum { BODY_SIZE = 64 };

enum status ask_begin(struct workspace *workspace, const char *sql, const char *purpose, struct error *error) {
  char body[BODY_SIZE], hex[2 * KEYED_SIZE + 1];
  if (purpose == NULL || purpose[0] == '\0') {
    error_set(error, ERR_USAGE, "%s", _("a purpose is needed to ask for rows and exact figures"));
    error_hint(error, "%s", _("--purpose \"what they are for\": the log records it"));
    return ERR_USAGE;
  }
  enum status status = access_require(workspace, RIGHT_EXACT, error);
  status = status == OK ? access_person(workspace, error) : status;
  status = status == OK ? purpose_require(workspace, 0, purpose, error) : status; /* of whatever source the rows are */
  if (status != OK) {
    return status;
  }
  struct keyed_digest digest = key_digest(workspace->key, "query", slice_of(sql));
  hex_format(digest.bytes, KEYED_SIZE, hex);
  snprintf(body, sizeof body, "{\"statement\":\"keyed:%s\"}", hex);
  return outbound_log(workspace, "query", purpose, body, NULL, error);
}
