/* A workspace on either store in which several people act by the program. Any failure of its own ends the test
 * program. */
#ifndef PUENTE_TESTS_SUPPORT_OFFICE_H
#define PUENTE_TESTS_SUPPORT_OFFICE_H

#include "tests/support/program.h"

/* sources/CODE.yaml of a source of files in the folder PATH. */
#define OFFICE_SOURCE(code, path)                                                                                      \
  "source: " code "\ntitle: Demo\ninstitution: PE/MP\ncontact: help desk 1234\nunit: denuncia\n"                       \
  "connector: file\noptions: {path: " path ", settle: 0s}\n"

struct office {
  char *folder;
  const char *dsn; /* of PostgreSQL, in a schema of its own; NULL: SQLite */
  char schema[32];
};

/* `settings` are further lines of puente.yaml. */
void office_open(struct office *office, const char *dsn, const char *settings);
void office_close(struct office *office);
/* Writes puente.yaml anew. */
void office_configure(const struct office *office, const char *settings);
/* A folder for files. */
void office_folder(const struct office *office, const char *name);
/* Statements without rows against the store, behind the program's back. */
void office_tamper(const struct office *office, const char *sql);

/* What `actor` does; it must end with 0. */
#define office_done(office, actor, arguments) office_must(program_run_as((office)->folder, actor, arguments), __LINE__)
struct said office_must(struct said said, int line);

#endif
