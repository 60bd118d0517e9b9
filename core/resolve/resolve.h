/* Brings store and link together: staged rows to columns, clusters to stable ids with history, clusters to consolidated
 * persons and cases by survivorship rules. */
#ifndef PUENTE_RESOLVE_RESOLVE_H
#define PUENTE_RESOLVE_RESOLVE_H

#include "core/config.h"
#include "core/simple/link.h"
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
 * a split keeps the id with its largest part. A linking that fails leaves everything as it was, and a failed run that
 * says why. */
enum status resolve_run(struct store *store, const struct config *config, const struct model *model,
                        const struct resolve_options *options, struct resolve_result *result,
                        struct error *error) MUST_CHECK;

/* Why two staged rows, of persons or of cases, are or are not one by the rules as they are now. `compared` is called
 * for each comparison with the values of its columns, which are valid during the call (empty: missing). ERR_NOT_FOUND
 * where a row is not current. The caller has logged the purpose. */
struct resolve_pair {
  char rule[160]; /* that joins them, or "" */
  bool apart;     /* roles, sealing, or being two people of one case keep them apart whatever a rule says */
};
typedef enum status resolve_compared(void *context, const struct link_comparison *comparison, const struct slice *a,
                                     const struct slice *b);
enum status resolve_explain(struct store *store, const struct config *config, const struct model *model,
                            enum cluster_kind kind, int64_t row_a, int64_t row_b, resolve_compared *compared,
                            void *context, struct resolve_pair *pair, struct error *error) MUST_CHECK;

#endif
