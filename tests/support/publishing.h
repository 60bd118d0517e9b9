/* Releases as whoever publishes makes them, over the simulated registries. */
#ifndef PUENTE_TESTS_SUPPORT_PUBLISHING_H
#define PUENTE_TESTS_SUPPORT_PUBLISHING_H

#include "tests/support/peru.h"

/* The file releases/NAME.yaml. */
struct publishing {
  const char *name, *text;
};

/* What the program says to rosa, errors too; freed by the caller. */
char *publishing_say(const char *folder, int *code, const char *arguments);
/* Fails the test where it ends with another code or does not say `text`. */
void publishing_says(const char *folder, int wanted, const char *arguments, const char *text);
/* A workspace of peru's with these releases (a NULL name ends them), an empty folder codelists, and `settings` more in
 * puente.yaml; synced and linked. The path is allocated. */
char *publishing_workspace(const struct peru *peru, const char *name, const char *store, const char *settings,
                           const struct publishing *releases);

#endif
