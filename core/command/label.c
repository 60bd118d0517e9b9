#include "core/command/label.h"

#include "core/base/error.h"

#include <string.h>

bool speaks_spanish(void) {
  /* Translators: the code of the language that you translate to, as "es". */
  return strcmp(_("language code en"), "es") == 0;
}

const char *label_of(const char *en, const char *es) {
  return speaks_spanish() ? es : en;
}
