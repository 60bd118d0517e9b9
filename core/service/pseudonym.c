#include "core/service/pseudonym.h"

#include <stdio.h>

enum { PURPOSE_SIZE = 160, NAMED_SIZE = 64 };

struct subkey pseudonym_key(const struct key *key, const char *institution, enum pseudonym_files files) {
  char purpose[PURPOSE_SIZE];
  snprintf(purpose, sizeof purpose, "%s/%s", files == PSEUDONYM_NAMED ? "pseudonym-named" : "pseudonym", institution);
  return key_subkey(key, purpose);
}

void pseudonym_write(const struct subkey *subkey, const char *kind, int64_t id, char text[PSEUDONYM_SIZE]) {
  char named[NAMED_SIZE];
  int len = snprintf(named, sizeof named, "%s/%lld", kind, (long long)id);
  struct keyed_digest digest = subkey_digest(subkey, slice_make(named, (size_t)len));
  hex_format(digest.bytes, sizeof digest.bytes, text);
}
