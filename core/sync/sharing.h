/* What a source's institution lets others see by name (`terms: shown_to:`), as the store's own guards ask for it. */
#ifndef PUENTE_SYNC_SHARING_H
#define PUENTE_SYNC_SHARING_H

#include "core/config.h"
#include "core/store/store.h"

/* Writes the source's lines anew, in the caller's transaction. */
enum status sharing_write(struct store *store, const struct source_config *source, int source_id,
                          struct error *error) MUST_CHECK;

#endif
