#include "connectors/http/result.h"

#include <ctype.h>
#include <string.h>

static bool listed(const struct option_list *list, struct slice code) {
  for (size_t i = 0; i < list->count; i++) {
    if (slice_is(code, list->items[i])) {
      return true;
    }
  }
  return false;
}

void result_show(struct slice code, char shown[48]) {
  size_t kept = 0;
  for (size_t i = 0; i < code.len && kept < 40; i++) {
    unsigned char c = (unsigned char)code.data[i];
    if (isalnum(c) || c == '.' || c == '-' || c == '_' || c == ':') {
      shown[kept++] = (char)c;
    }
  }
  shown[kept] = '\0';
}

enum status result_check(const struct result_settings *settings, struct slice code, bool *empty, struct error *error) {
  char shown[48];
  const char *meaning = "";
  code = slice_trim(code);
  *empty = listed(&settings->empty, code);
  if (*empty || listed(&settings->ok, code)) {
    return OK;
  }
  result_show(code, shown);
  for (size_t i = 0; i < settings->meanings.count; i++) {
    if (slice_is(code, settings->meanings.names[i])) {
      meaning = settings->meanings.values[i];
    }
  }
  if (listed(&settings->credentials, code)) {
    error_set(error, ERR_AUTH, _("the source refused the credentials (result code %s%s%s)"), shown,
              meaning[0] != '\0' ? ": " : "", meaning);
    error_hint(error, "%s", _("check user and password, and whether they have expired"));
    return ERR_AUTH;
  }
  error_set(error, ERR_REMOTE, _("the source answered with result code %s%s%s"), shown, meaning[0] != '\0' ? ": " : "",
            meaning);
  error_hint(error, "%s", _("ask the source what it means, and list it under `result_meanings`, or under `result_ok`"));
  return ERR_REMOTE;
}
