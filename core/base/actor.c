#include "core/base/actor.h"

#include "core/base/catalog.h"
#include "core/base/text.h"

#include <limits.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>
#include <unistd.h>

enum { FOLD_LIMIT = 64 << 10 };

static char login[LOGIN_NAME_MAX];

static void read_login(void) {
  const struct passwd *user = getpwuid(geteuid());
  snprintf(login, sizeof login, "%s", user != NULL ? user->pw_name : "?");
}

const char *actor_read(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  const char *named = getenv("PUENTE_ACTOR");
  if (named != NULL) {
    return named;
  }
  named = getenv("SUDO_USER");
  if (named != NULL && named[0] != '\0') {
    return named;
  }
  pthread_once(&once, read_login);
  return login;
}

/* What makes two names look like one, or moves the text around them. */
static bool is_hidden(UChar32 sign) {
  return sign < 0 || !u_isprint(sign) || (u_isUWhiteSpace(sign) && sign != ' ');
}

const char *actor_fault(const char *name) {
  size_t len = strnlen(name, ACTOR_MOST + 1);
  bool says = false;
  if (len == 0) {
    return _("it is empty");
  }
  if (len > ACTOR_MOST) {
    return _("it is too long");
  }
  if (!utf8_valid(slice_make(name, len))) {
    return _("it is no UTF-8 text");
  }
  for (int32_t at = 0; at < (int32_t)len;) {
    UChar32 sign;
    U8_NEXT(name, at, (int32_t)len, sign);
    if (is_hidden(sign)) {
      return _("it holds a control character or an invisible one");
    }
    says = says || u_isalnum(sign);
  }
  if (name[0] == ' ' || name[len - 1] == ' ') {
    return _("it begins or ends with a space");
  }
  return says ? NULL : _("it holds no letter and no digit");
}

bool actor_same(const char *one, const char *other) {
  if (strcasecmp(one, other) == 0) {
    return true;
  }
  struct arena *arena = arena_new(FOLD_LIMIT);
  if (arena == NULL) {
    return false;
  }
  struct slice left = text_squeeze(arena, text_fold(arena, slice_of(one), false));
  struct slice right = text_squeeze(arena, text_fold(arena, slice_of(other), false));
  bool same = left.data != NULL && right.data != NULL && slice_equal(left, right);
  arena_free(arena);
  return same;
}
