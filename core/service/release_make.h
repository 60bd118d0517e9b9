/* A release made from the store and what was published before it. Internal to core/service/release*.c. */
#ifndef PUENTE_SERVICE_RELEASE_MAKE_H
#define PUENTE_SERVICE_RELEASE_MAKE_H

#include "core/service/release_count.h"
#include "core/service/releasing.h"

struct release_making {
  struct workspace *workspace;
  const struct release_plan *plan;
  int64_t run;
  struct disclosure_config settings;
  const char *frozen;      /* what release_settings_write made of all this when it was published */
  int64_t before;          /* of all releases those with a smaller number; 0: all */
  const char *replaces;    /* reference of the release of that name before it; NULL: none */
  bool linkage;            /* what is not settled now, too */
  const atomic_bool *stop; /* NULL: none */
};
struct release_made {
  struct ledger_table *tables; /* of the plan first, then the texts */
  size_t count;
  size_t restated;
};
enum status release_make(const struct release_making *making, struct arena *arena, struct release_made *made,
                         struct error *error) MUST_CHECK;

/* The tables of releases, in the order of their publication: of those with a smaller number than `before`, 0: of all.
 * In the arena. */
enum status release_ledger_read(const struct workspace *workspace, int64_t before, struct arena *arena,
                                struct release_before **tables, size_t *count, struct error *error) MUST_CHECK;

/* Everything that a release's figures depend on but for the store, as canonical JSON, appended. */
enum status release_settings_write(const struct workspace *workspace, const struct release_plan *plan, int64_t run,
                                   struct disclosure_config disclosure, struct buffer *out,
                                   struct error *error) MUST_CHECK;
/* The digest of a release: over its settings and the names and digests of its tables. */
enum status release_digest(const char *settings, const struct ledger_table *tables, size_t count, struct sha256 *digest,
                           struct error *error) MUST_CHECK;

/* Cells of a released table as the views have them. */
enum status release_cells_read(const struct workspace *workspace, int64_t release_id,
                               const struct released_table *table, struct arena *arena, struct ledger_cell **cells,
                               size_t *count, struct error *error) MUST_CHECK;
/* "year=2022;department=08". */
const char *release_cell_name(const struct release_table_plan *plan, const struct ledger_cell *cell,
                              struct arena *arena);
/* The same values; those of fewer fields are NULL. */
bool release_cell_same(const struct ledger_cell *a, const struct ledger_cell *b);

/* The text "restatements" of tables of an earlier release against those made now. `restated` counts its lines. */
struct release_restating {
  const struct workspace *workspace;
  const struct release_plan *plan;
  const struct ledger_table *tables; /* made now, by table of the plan */
  int64_t run;
  const char *settings;           /* as the release freezes them */
  bool rounded;                   /* then no cause is told: it would tell of persons in a figure that rounds to zero */
  const struct released *earlier; /* NULL: there is none */
};
enum status release_restate(const struct release_restating *restating, struct arena *arena, struct ledger_table *table,
                            size_t *restated, struct error *error) MUST_CHECK;

#endif
