/* Brings store and link together: staged rows to columns, clusters to stable ids with history, clusters to consolidated
 * persons and cases by survivorship rules. */
#ifndef PUENTE_RESOLVE_RESOLVE_H
#define PUENTE_RESOLVE_RESOLVE_H

#include "core/config.h"
#include "core/link/link.h"
#include "core/store/store.h"
#include "core/sync/progress.h"

struct resolve_counts {
  int64_t rows, clusters, created, absorbed, merged, split, dissolved, pairs, unlinkable;
};
struct resolve_options {
  const char *actor, *purpose;
  const struct progress *progress; /* may be NULL */
};
struct resolve_result {
  int64_t run;
  struct resolve_counts persons, cases;
  bool nothing_new; /* nothing staged since the last linking: nothing was done */
};
/* Persons, then cases, then consolidation, in one transaction with its audit entry. Ids: a cluster without former ids
 * creates one, with one keeps it, with several keeps that of most members (tie: the oldest) and redirects the others;
 * a split keeps the id with its largest part. */
enum status resolve_run(struct store *store, const struct config *config, const struct model *model,
                        const struct resolve_options *options, struct resolve_result *result,
                        struct error *error) MUST_CHECK;

#endif
