/* A SPOOL: all pages of a pass, in a file without a name that is gone with the process. A reload pulls into it first,
 * so that the transaction which swaps old for new waits for no source. Owned by its maker. */
#ifndef PUENTE_SYNC_SPOOL_H
#define PUENTE_SYNC_SPOOL_H

#include "core/config.h"
#include "core/sync/progress.h"

struct spool;

/* The file is made in $TMPDIR, else beside an SQLite store, else in /var/tmp. */
enum status spool_new(const struct config *config, struct spool **spool, struct error *error) MUST_CHECK;
void spool_free(struct spool *spool); /* NULL allowed */

/* Pulls a whole pass: pages are written as they come, memory is one page. What the core remembers of former passes
 * does not count; a content that comes twice in this one is taken once. ERR_FULL names the folder. */
enum status spool_fill(struct spool *spool, const struct connector *connector, const struct pull *pull,
                       size_t page_limit, const struct progress *progress, struct error *error) MUST_CHECK;

/* Gives the pages back, in their order: a connector whose options are the spool. Not in the table of connectors. */
extern const struct connector connector_spooled;

#endif
