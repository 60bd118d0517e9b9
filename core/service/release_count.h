/* Tables of a release, counted as the store stood after a run and protected together: with each other, with their
 * margins, and with every table that was published before. What may be shown is core/disclose's to say.
 *
 * Figures of one unit and role are protected together, whatever their indicators: their fields, and the conditions of
 * indicators and tables, are its axes. Persons and cases, and persons of two roles, are counted apart. */
#ifndef PUENTE_SERVICE_RELEASE_COUNT_H
#define PUENTE_SERVICE_RELEASE_COUNT_H

#include "core/disclose/disclose.h"
#include "core/service/release_plan.h"
#include "core/service/workspace.h"
#include "core/store/ledger.h"

enum { RELEASE_SUBSETS = 1 << RELEASE_FIELDS_MOST };

#define RELEASE_NOT_RECORDED "not_recorded"
#define RELEASE_TOTAL "total"

/* A table that was published. */
struct release_before {
  const struct release_table_plan *table;
  int64_t run;
  const struct ledger_cell *cells; /* those with a figure or hidden; any other counted nobody */
  size_t cell_count;
};

struct release_request {
  const struct workspace *workspace;
  int64_t as_of_run;
  struct disclosure_config settings;
  const struct release_table_plan *const *tables;
  size_t count;
  const struct release_before *before; /* in the order of their publication; none where figures are rounded */
  size_t before_count;
  const atomic_bool *stop; /* NULL: none */
  bool first;              /* not out yet: what would give away hidden figures is refused */
};

/* One subset of a table's fields: the cell of values v is at the sum of v[f] · strides[f]. */
struct release_figures {
  size_t strides[RELEASE_FIELDS_MOST]; /* 0 of a field that is left out */
  const int64_t *counts;               /* rounded, where the settings have a base */
  const uint8_t *status;               /* enum disclose_status */
};
/* A table counted; in the arena of the request's caller. */
struct release_counted {
  const char *const *values[RELEASE_FIELDS_MOST]; /* by field, in order; the last is RELEASE_NOT_RECORDED */
  size_t sizes[RELEASE_FIELDS_MOST];
  const char *codelists[RELEASE_FIELDS_MOST];      /* of the values' labels; NULL: they speak for themselves */
  struct release_figures subsets[RELEASE_SUBSETS]; /* by the bits of the fields that are left out */
};

/* Fills `counted`, one for each table. ERR_LIMIT where the tables and those before use more fields than can be
 * protected together; ERR_INPUT where, with what was published before, they would give away hidden figures. */
enum status release_count(const struct release_request *request, struct arena *arena, struct release_counted *counted,
                          struct error *error) MUST_CHECK;

/* ---- rounding (release_round.c) ---- */

/* Rounded figures in the place of a table's counts, each with the number that reports give it (rounding.h). */
enum status release_round(const struct release_request *request, const struct release_table_plan *table,
                          struct arena *arena, struct release_counted *counted, struct error *error) MUST_CHECK;
/* One cell's figure, rounded so: `values` by field, RELEASE_TOTAL where it is left out. */
enum status release_round_cell(const struct workspace *workspace, const struct release_table_plan *table, int64_t run,
                               const char *const *values, int base, int64_t *figure, struct error *error) MUST_CHECK;
/* The base that a release's settings have; 0: it suppresses. ERR_STORE where they cannot be read. */
enum status release_base_read(const char *settings, struct arena *arena, int *base, struct error *error) MUST_CHECK;

#endif
