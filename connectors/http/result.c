#include "connectors/http/result.h"

#include <ctype.h>
#include <string.h>

enum { CODE_LETTERS = 4, CODE_DIGITS = 6 };

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

/* Runs of more letters or digits than codes have, by their shape: a path that leads to a value of somebody's is a
 * mistake that is not to be found in a log. */
static void mask_words(char shown[48]) {
  for (size_t at = 0; shown[at] != '\0';) {
    bool digit = isdigit((unsigned char)shown[at]) != 0;
    size_t length = 0;
    while (digit ? isdigit((unsigned char)shown[at + length]) : isalpha((unsigned char)shown[at + length])) {
      length++;
    }
    for (size_t i = at; length > (digit ? CODE_DIGITS : CODE_LETTERS) && i < at + length; i++) {
      shown[i] = digit ? '9' : isupper((unsigned char)shown[i]) ? 'A' : 'a';
    }
    at += length > 0 ? length : 1;
  }
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
  mask_words(shown);
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
