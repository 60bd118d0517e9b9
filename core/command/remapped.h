/* What a mapping that changed changes, for people. */
#ifndef PUENTE_COMMAND_REMAPPED_H
#define PUENTE_COMMAND_REMAPPED_H

#include "core/sync/remap_report.h"

/* Plans, quarantine by reason, rows and fields with their most frequent changes; nothing where nothing was looked at
 * anew. `shown` tells whether something was printed. */
enum status remapped_print(const struct remap_report *report, bool *shown, struct error *error) MUST_CHECK;

#endif
