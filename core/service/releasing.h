/* Releases: tables counted as the store stood after a run, protected with all that was published before, and frozen.
 *
 * Reading a release needs nothing but the views released_tables and released_cells: no key, no other table. */
#ifndef PUENTE_SERVICE_RELEASING_H
#define PUENTE_SERVICE_RELEASING_H

#include "core/service/release_plan.h"
#include "core/service/workspace.h"

/* A table, or a text beside the figures, as it is frozen. In the arena of who read it. */
struct released_table {
  int64_t number;
  const char *name;
  const char *fields;   /* NULL: a text */
  const char *settings; /* NULL: a text */
  struct slice body;
  const char *digest; /* hexadecimal */
};
struct released {
  int64_t id, run, replaces;
  const char *name, *made, *settings, *digest;
  struct released_table *tables;
  size_t count;
};
enum { RELEASED_TABLES_MOST = RELEASE_TABLES_MOST + 8 };

/* A body taken apart: `fields` row by row after those of the head. */
struct released_rows {
  const char **head, **fields;
  const char **lines; /* the row's bytes without its end */
  size_t columns, count;
};
enum status released_rows_read(struct slice body, struct arena *arena, struct released_rows *rows,
                               struct error *error) MUST_CHECK;
/* The table of that name; NULL with ERR_USAGE and the nearest name. `name` NULL: the first. */
const struct released_table *released_table(const struct released *released, const char *name, struct error *error);

/* The newest release of a name, or that of a number; ERR_NOT_FOUND. */
enum status releasing_open(const struct workspace *workspace, const char *reference, struct arena *arena,
                           struct released *released, struct error *error) MUST_CHECK;
/* All, oldest first, without the bodies. */
enum status releasing_list(const struct workspace *workspace, struct arena *arena, struct released **releases,
                           size_t *count, struct error *error) MUST_CHECK;

/* The last run before the first of those that go on: nothing that it or an earlier one wrote will change. */
enum status releasing_run(const struct workspace *workspace, int64_t *run, struct error *error) MUST_CHECK;
/* Publishes the release that is declared by that name, all of it in one transaction with its entry in the log. Needs
 * RIGHT_PUBLISH and a named person; one at a time. ERR_CONFIG where releases of another method or base are published:
 * rounded figures tell about hidden ones, and to two bases more than to one. ERR_INTERRUPTED, and nothing published,
 * once `stop` (NULL: none) is set before all is counted. */
struct releasing_made {
  int64_t id, run, replaces;
  size_t tables, shown, hidden, restated; /* cells; lines of the restatements */
  int rounded;                            /* to that base; 0: what is shown is exact */
  char digest[65];
};
enum status releasing_create(struct workspace *workspace, const char *name, const char *purpose,
                             const atomic_bool *stop, struct releasing_made *made, struct error *error) MUST_CHECK;

/* Whether what is frozen is what was published, and whether the store still makes it. */
enum releasing_finding_kind {
  FINDING_BODY,    /* a text is not the one that its digest was made of */
  FINDING_CELL,    /* a cell of the views is not that of the text */
  FINDING_RELEASE, /* the release's own digest is not that of its tables */
  FINDING_LOG,     /* the log has no such release, or another digest of it */
  FINDING_STORE    /* the store as it stood after the run gives another figure */
};
struct releasing_finding {
  enum releasing_finding_kind kind;
  const char *table;        /* NULL: of the release */
  const char *cell;         /* "year=2022;department=08"; NULL: of the table */
  const char *frozen, *now; /* "hidden", "" for nobody, or a figure; NULL: of no cell */
};
struct releasing_check {
  struct releasing_finding *findings; /* in the arena */
  size_t count;
  size_t made_again;   /* tables and texts */
  const char *changed; /* of the settings, what is another one now, "codelists,sources"; NULL: nothing */
};
enum { FINDINGS_MOST = 100 };
enum status releasing_verify(struct workspace *workspace, const struct released *released, struct arena *arena,
                             struct releasing_check *check, struct error *error) MUST_CHECK;

/* Writes one CSV a table and text, and release.json with the digests, into a folder that is made, or empty. */
enum status releasing_export(const struct released *released, const char *folder, struct arena *arena,
                             struct error *error) MUST_CHECK;

#endif
