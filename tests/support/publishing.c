#include "tests/support/publishing.h"

#include "tests/support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

char *publishing_say(const char *folder, int *code, const char *arguments) {
  return shell_output(code, "LANGUAGE=en PUENTE_ACTOR=rosa %s/puente --config %s/puente.yaml %s 2>&1 </dev/null",
                      build_folder(), folder, arguments);
}

void publishing_says(const char *folder, int wanted, const char *arguments, const char *text) {
  int code = 0;
  char *said = publishing_say(folder, &code, arguments);
  if (code != wanted || strstr(said, text) == NULL) {
    fail_msg("%s: %d: %s\nwanted: %s", arguments, code, said, text);
  }
  free(said);
}

char *publishing_workspace(const struct peru *peru, const char *name, const char *store, const char *settings,
                           const struct publishing *releases) {
  char *folder = peru_workspace(peru, name, store), *yaml = NULL, path[128];
  if (asprintf(&yaml, "name: %s\nstore: %s\nreleases: releases\n%s", name, store, settings) < 0) {
    abort();
  }
  program_write(folder, "puente.yaml", yaml);
  free(yaml);
  shell("mkdir %s/releases %s/codelists", folder, folder);
  for (; releases->name != NULL; releases++) {
    snprintf(path, sizeof path, "releases/%s.yaml", releases->name);
    program_write(folder, path, releases->text);
  }
  publishing_says(folder, 0, "run --quiet", "");
  return folder;
}
