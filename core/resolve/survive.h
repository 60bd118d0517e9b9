/* Survivorship: one consolidated row from the rows of a cluster, each value with the row that it came from. Private to
 * core/resolve. */
#ifndef PUENTE_RESOLVE_SURVIVE_H
#define PUENTE_RESOLVE_SURVIVE_H

#include "core/resolve/policy.h"
#include "core/resolve/staged.h"

/* `members` are positions in rows; cells and origins live in the arena, texts in the rows' dictionaries.
 * `precedence` is by source id, lower wins (config_turn). What a source says counts only where no newer version of it
 * says anything.
 */
enum status survive(const struct survivorship *rules, const struct staged_rows *rows, const int *precedence,
                    const struct succession *succession, const uint32_t *members, size_t count, struct arena *arena,
                    struct consolidated *out, struct error *error) MUST_CHECK;

#endif
