#include "tests/support/temp.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char *temp_make(void) {
  const char *base = getenv("TMPDIR");
  char *path = NULL;
  if (asprintf(&path, "%s/puente-XXXXXX", base == NULL || base[0] == '\0' ? P_tmpdir : base) < 0)
    abort();
  if (mkdtemp(path) == NULL) {
    perror(path);
    abort();
  }
  return path;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where) {
  (void)about;
  (void)kind;
  (void)where;
  return remove(path) == 0 ? 0 : -1;
}

void temp_remove(char *path) {
  if (path == NULL)
    return;
  if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
    perror(path);
  free(path);
}
