/* A small workspace with two sources of persons who share names and documents, and a search for what may be in its
 * store no more. A failure of the harness ends the test program. */
#ifndef PUENTE_TESTS_SUPPORT_TERMS_H
#define PUENTE_TESTS_SUPPORT_TERMS_H

#include <stdbool.h>

struct terms_ground {
  char *folder;       /* owned */
  const char *schema; /* NULL: sqlite */
};

/* Sources `ngo` (one person a record, with consent) and `reta` (several persons a record); `terms` is appended to the
 * file of ngo (NULL: nothing). Nothing is landed. */
void terms_begin(struct terms_ground *ground, const char *schema, const char *terms);
void terms_end(struct terms_ground *ground);
/* A page of a source, in a file of its own name: lines of JSON. */
void terms_page(const struct terms_ground *ground, const char *source, const char *name, const char *lines);
/* Runs the program; fails the test where the exit code is another. Its output lives until the next call. */
const char *terms_run(const struct terms_ground *ground, int code, const char *arguments);
/* Whether what pg_dump writes of the ground's schemas holds the text in clear, or its bytes as hexadecimal digits. */
bool terms_dumped(const struct terms_ground *ground, const char *text);
/* Where a text stands in the store: in the database's files (sqlite), in any column, in any landed chunk, in any
 * identity. NULL: nowhere; else a name of the place. */
const char *terms_found(const struct terms_ground *ground, const char *text);

#endif
