/* ROUNDING, the other method of `disclosure:`: every figure to base 3 or 5 (core/disclose/disclose.h, disclose_round).
 * A cell is named by what it counts, not by its table: unit, role, and the value of each field and condition, with the
 * date, place or age that the field is made of. So it has the same number in every report and release, whatever the
 * name of the indicator and whether a value is a row of the table or a filter of it; nobody finds out more from two. */
#ifndef PUENTE_SERVICE_ROUNDING_H
#define PUENTE_SERVICE_ROUNDING_H

#include "core/service/cube.h"

struct rounding_part {
  const char *field;
  enum cube_kind kind;
  const struct indicator *axes; /* whose dates, places and ages */
  struct slice value;           /* the code; empty: not recorded */
};
enum { ROUNDING_PARTS_MOST = CUBE_AXES_MOST + CUBE_CONDITIONS_MOST };

/* To `base`, 3 or 5. `source`: of a source's own figure; NULL: consolidated. The draw is keyed by the workspace's root
 * key, which stays for the life of the store. Zero stays zero; ERR_CONFIG without a key. */
enum status rounding_round(const struct workspace *workspace, const struct indicator *indicator, const char *source,
                           const struct rounding_part *parts, size_t count, int base, int64_t *figure,
                           struct error *error) MUST_CHECK;

#endif
