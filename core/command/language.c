#include "core/command/language.h"

#include "core/base/file.h"

#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Beside the program when it runs from where it was built, else share/locale. */
static void bind_catalogs(void) {
  char program[PATH_MAX] = "", folder[PATH_MAX + 32];
  ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  char *slash = length > 0 ? strrchr(program, '/') : NULL;
  if (slash != NULL) {
    *slash = '\0';
  }
  snprintf(folder, sizeof folder, "%s/locale", program);
  if (access(folder, R_OK | X_OK) != 0) {
    snprintf(folder, sizeof folder, "%s/../locale", path_data());
  }
  bindtextdomain("puente", folder);
  bind_textdomain_codeset("puente", "UTF-8");
  textdomain("puente");
}

void language_start(void) {
  setlocale(LC_CTYPE, "");
  setlocale(LC_MESSAGES, "");
  bind_catalogs();
}

void language_set(const char *lang) {
  /* gettext looks at LANGUAGE only where the locale is another one than C. */
  setenv("LANGUAGE", lang, 1);
  const char *present = setlocale(LC_MESSAGES, NULL);
  if (present == NULL || strcmp(present, "C") == 0 || strcmp(present, "POSIX") == 0) {
    setlocale(LC_MESSAGES, "C.UTF-8");
  }
  if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
    setlocale(LC_CTYPE, "C.UTF-8");
  }
}
