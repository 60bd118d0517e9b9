/* A FIGURE AND WHAT IS BEHIND IT: the persons or cases that an indicator counts under conditions, as one cell of a
 * report does. A figure is named by what a report prints: the indicator, and a value for each field of its cell and of
 * its --where ("" : not recorded). */
#ifndef PUENTE_SERVICE_FIGURE_H
#define PUENTE_SERVICE_FIGURE_H

#include "core/service/cube.h"
#include "core/service/explain.h"
#include "core/service/releasing.h"

enum { FIGURE_CONDITIONS_MOST = 12 };

struct figure_request {
  const char *indicator;
  struct condition conditions[FIGURE_CONDITIONS_MOST];
  size_t condition_count;
  bool exact; /* a hidden figure too: needs a purpose, and is logged before anything is read */
  struct explain_request sight;
  int64_t as_of_run; /* as the store stood after it; 0: now */
  /* A cell of a released table, as the store stood after the release's run; NULL: of the indicator, now. */
  const struct released *release;
  const struct release_table_plan *table;
};

/* One unit in one case. */
struct figure_unit {
  int64_t id, case_id;
  int64_t *rows; /* involvements */
  size_t row_count;
  struct cube_origin *origins; /* by condition of the figure, the indicator's first */
};
struct figure {
  struct arena *arena;
  struct indicator indicator;
  size_t condition_count; /* the indicator's and the request's */
  const char *fields[CUBE_CONDITIONS_MOST], *wanted[CUBE_CONDITIONS_MOST];
  struct figure_unit *units; /* by id, then case */
  size_t count, capacity;
  struct extent extent; /* as the report's cell */
  int64_t as_of_run;    /* 0: now */
};

/* Counts. ERR_AUTH for a figure that a report by those fields hides, for itself or for another's sake, or rounds, and
 * that was not asked for exactly; ERR_USAGE as the report has it. An exact or revealed one is in the log before
 * anything is read. The caller frees the figure, also after an error. */
enum status figure_find(struct workspace *workspace, const struct figure_request *request, struct figure *figure,
                        struct error *error) MUST_CHECK;
void figure_free(struct figure *figure);
/* That a figure is hidden in its table, in the same words whyever it is, or rounded there (base > 0): ERR_AUTH. */
enum status figure_hidden(int base, struct error *error);

/* Adds conditions from "year=2022,department=15", or from a row of `puente report … --json`: its texts are values, null
 * is "not recorded", the indicator's own figures are passed over. The text has to outlive the request. ERR_USAGE. */
enum status figure_conditions(struct figure_request *request, const char *text, struct arena *arena,
                              struct error *error) MUST_CHECK;

/* The conditions as a canonical JSON object for the log: codes as they are, any other value as a keyed digest. */
void figure_where(const struct workspace *workspace, const struct figure_request *request, struct buffer *out);

/* Ids of units, each once, ascending: `*ids` in the figure's arena. */
enum status figure_ids(struct figure *figure, int64_t **ids, size_t *count, struct error *error) MUST_CHECK;

/* {"kind": "figure", "indicator", "label_en", "label_es", "unit": "person" or "case", "where": [{"field", "value"}],
 * "figure", "least", "records", "units": [ as figure_unit_json has it ]} */
enum status explain_figure(struct workspace *workspace, const struct figure_request *request, json_t **answer,
                           struct error *error) MUST_CHECK;
/* The figure of a cell of a released table: `request` names the table in place of the indicator, and the cell by the
 * codes that were published; a field that is not named is the total. `reference` is the release's name or number. Adds
 * "release": {"id", "name", "made", "run", "digest", "table", "table_digest", "cell", "rounded": base or 0,
 * "published": figure or null where it is hidden, "same": whether the release's run still gives it, or null}; where it
 * does not, "erased": records that were taken out since, "changed": settings that are others now, or null, "findings":
 * [{"cell" or null, "frozen", "now"}] of `release verify` about the cell or the whole. No "least": what waits is known
 * of today alone. ERR_USAGE with what is nearest where the table has no such cell, ERR_AUTH where it is hidden or
 * rounded. */
enum status explain_released(struct workspace *workspace, const char *reference, const struct figure_request *request,
                             json_t **answer, struct error *error) MUST_CHECK;
/* A figure's own answer, as explain_figure has it. */
enum status figure_json(struct workspace *workspace, const struct figure *figure, const struct explain_request *sight,
                        json_t **answer, struct error *error) MUST_CHECK;
/* {"id", "case_id" or null, "rows": [{"row_id", "record_id", "source", "institution", "plan"}], "values": [{"field",
 * "value", "from": "involvement", "person", "case", "proceeding" or null, "column", "was": the value that it was made
 * from, or its shape, "row_id", "record_id", "source", "institution", "rule", "plan"}]} */
enum status figure_unit_json(struct workspace *workspace, const struct figure *figure, const struct figure_unit *unit,
                             const struct explain_request *sight, struct arena *arena, json_t **answer,
                             struct error *error) MUST_CHECK;

#endif
