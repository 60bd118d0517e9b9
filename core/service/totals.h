/* Published tables checked against themselves: parts that have to make their total, in each block of a form (a station
 * and month, say). Declared in the folder checks/ of the workspace; computed from what is staged; reported and never
 * repaired. A total that is missing, or a part that is, leaves its block out: missing is not zero.
 *
 *   source: pnp                  whose rows
 *   entity: aggregate
 *   group: [period, station]     fields whose values name a block
 *   figure: breakdown            field that names a figure within its block
 *   value: value                 field that holds it
 *   checks:
 *     education: {label: {en: Education, es: Instrucción}, parts: "P3_*", total: P3_TOTAL}
 *
 * `parts` is one pattern or several ('*' stands for any run); the total itself is no part. */
#ifndef PUENTE_SERVICE_TOTALS_H
#define PUENTE_SERVICE_TOTALS_H

#include "core/service/workspace.h"

struct totals_miss {
  const char *block; /* values of the group's fields, joined by " · " */
  int64_t parts, total;
};

struct totals_check {
  const char *source, *name, *label_en, *label_es;
  int64_t compared; /* blocks whose total and parts are all there */
  int64_t skipped;  /* blocks that lack the total, a part, or all parts */
  struct totals_miss *misses;
  size_t miss_count;
};

/* Owned by `arena`, which totals_free frees. */
struct totals {
  struct arena *arena;
  struct totals_check *checks;
  size_t count;
};

/* The checks of all files, or of one source's (`source` NULL: all). The workspace is open for reading. No folder
 * checks/: an empty result. Errors: ERR_CONFIG with file, line and column; those of the store. */
enum status totals_run(const struct workspace *workspace, const char *source, struct totals *totals,
                       struct error *error) MUST_CHECK;
void totals_free(struct totals *totals);

#endif
