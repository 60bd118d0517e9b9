/* Fields of tables as axes of the suppressor: one for all tables that ask for the same thing, as finely as any of them
 * does. A coarse field (period, region, purpose_group) is a grouping of the finer one's atoms, by the table's own
 * frozen groups, so that the suppressor knows it for a union of finer cells, in whatever release. Internal to
 * core/service/release_*.c. */
#ifndef PUENTE_SERVICE_RELEASE_AXES_H
#define PUENTE_SERVICE_RELEASE_AXES_H

#include "core/service/cube.h"
#include "core/service/release_count.h"

struct release_axis {
  const char *field;                 /* of the cube; the finest that is asked for: month rather than year */
  const struct indicator *indicator; /* whose dates, places and ages */
  uint32_t *atom;                    /* by position in the dictionary; the last atom is what is not recorded */
  const char **texts;                /* by atom; NULL: not recorded */
  uint32_t atoms;
  const char *codelist;
  bool boolean; /* a field of yes and no: "1", "0" */
};
struct release_axes {
  const struct workspace *workspace;
  struct arena *arena;
  struct release_axis axes[DISCLOSE_AXES_MOST];
  size_t count;
  struct disclose_row *rows;
  size_t row_count;
};

/* The axis of a field as an indicator means it, added where it is not there yet; before release_axes_count. ERR_LIMIT.
 */
enum status release_axes_add(struct release_axes *axes, const char *field, const struct indicator *indicator,
                             struct error *error) MUST_CHECK;
/* An order that does not hang on that in which they were added; before release_axes_count. */
void release_axes_sort(struct release_axes *axes);
/* Counts persons of the role, or cases, as they stood after the run: rows and atoms. */
enum status release_axes_count(struct release_axes *axes, const struct indicator *base, int64_t as_of_run,
                               struct error *error) MUST_CHECK;

/* A field's values in a table: `group` by atom, `values` in order, the last one RELEASE_NOT_RECORDED. */
struct release_level {
  uint32_t axis;
  const uint32_t *group;
  const char *const *values;
  uint32_t count;
  const char *codelist;
};
enum status release_level_make(const struct release_axes *axes, const char *field,
                               const struct release_table_plan *table, struct release_level *level,
                               struct error *error) MUST_CHECK;
/* The level of a condition: one group of what meets it, the other atoms in none. */
enum status release_filter_make(const struct release_axes *axes, const struct condition *condition,
                                const struct release_table_plan *table, struct release_level *level,
                                struct error *error) MUST_CHECK;

#endif
