#include "core/command/label.h"

#include "core/base/error.h"

#include <stdlib.h>
#include <string.h>

bool speaks_spanish(void) {
  /* --lang and the configuration's lang: set it; see language.c. */
  const char *chosen = getenv("LANGUAGE");
  if (chosen != NULL && chosen[0] != '\0') {
    return strncmp(chosen, "es", 2) == 0;
  }
  /* Translators: the code of the language that you translate to, as "es". */
  return strcmp(_("language code en"), "es") == 0;
}

const char *label_of(const char *en, const char *es) {
  return speaks_spanish() ? es : en;
}
