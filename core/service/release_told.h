/* What a table that was published tells of figures of today. Internal to core/service. */
#ifndef PUENTE_SERVICE_RELEASE_TOLD_H
#define PUENTE_SERVICE_RELEASE_TOLD_H

#include "core/service/release_axes.h"
#include "core/service/release_count.h"

/* A subset of its fields as a table of the suppressor: the cell of values v is at the sum of v[f] · strides[f]. */
struct release_layout {
  size_t strides[RELEASE_FIELDS_MOST]; /* 0 of a field that is left out */
  const int64_t *now;                  /* counts of today */
  size_t size;
  uint8_t *earlier; /* statuses that were published (enum disclose_status): those that the table tells are set, others
                     * stay. Two subsets may have one array */
};

/* `fields` are the levels of the table's fields among today's units; `layouts` stand by the bits of the fields that are
 * left out. `k` is the smallest count that is shown today. */
enum status release_told(const struct workspace *workspace, const struct release_before *before,
                         const struct release_level *fields, const struct release_layout *layouts, int k,
                         struct arena *arena, struct error *error) MUST_CHECK;

#endif
