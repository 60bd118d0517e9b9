/* What came between two releases beside records and links: sharing terms that are others, and what was taken out.
 * Internal to core/service/release*.c. */
#ifndef PUENTE_SERVICE_RELEASE_BETWEEN_H
#define PUENTE_SERVICE_RELEASE_BETWEEN_H

#include "core/service/release_make.h"
#include "core/store/erase.h"

enum { RELEASE_SOURCES_MOST = 64 };

struct release_between {
  bool terms[RELEASE_SOURCES_MOST]; /* by position of the source, modulo */
  bool taken[ERASE_CAUSES];         /* by a run after the earlier release's, up to this one's */
  int64_t *remaps;                  /* all runs that mapped anew, ascending; in the arena */
  size_t remap_count, remap_capacity;
};
/* Of two releases' frozen settings and the log: the same again, whatever the configuration says now. */
enum status release_between_read(const struct release_restating *restating, struct arena *arena,
                                 struct release_between *between, struct error *error) MUST_CHECK;

bool release_between_mapped(const struct release_between *between, int64_t run);

/* "terms":{"ngo":"…"}: SHA-256 of what the terms of a source say of what is landed and how long it stays; of those that
 * say anything. Appended. */
enum status release_terms_write(const struct config *config, struct buffer *out, struct error *error) MUST_CHECK;

#endif
