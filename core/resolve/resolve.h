/* Brings store and link together: staged rows to columns, clusters to stable ids with history, clusters to consolidated
 * persons and cases by survivorship rules. */
#ifndef PUENTE_RESOLVE_RESOLVE_H
#define PUENTE_RESOLVE_RESOLVE_H

#include "core/config.h"
#include "core/link/link.h"
#include "core/store/store.h"
#include "core/sync/progress.h"

struct resolve_counts {
  int64_t rows, clusters;
  int64_t accepted; /* clusters if every waiting pair were accepted */
  int64_t created, absorbed, merged, split, dissolved;
  int64_t pairs, waiting; /* pairs kept; those that wait for a person */
  int64_t unlinkable;     /* rows that are sealed, or that no blocking rule can find */
};
struct resolve_options {
  const char *actor, *purpose;
  const struct approved_texts *texts; /* which text of link files counts; NULL: the files */
  bool train;                         /* learn the models anew */
  bool full;                          /* link all rows, also where few have changed */
  const struct progress *progress;    /* may be NULL */
};
struct resolve_result {
  int64_t run;
  struct resolve_counts persons, cases;
  bool trained;            /* models were learned in this run */
  const char *why_trained; /* where nobody asked for it; NULL: models were there */
  bool incremental;        /* only rows that changes touch were linked; counts are still those of the whole store */
  const char *why_full;    /* where nobody asked for all: why all rows were linked; NULL: a first linking */
  int64_t touched;         /* rows that were linked again, if incremental */
  bool governed;           /* linkage is under approval: */
  int64_t proposal;        /* learned weights that wait; 0: none. They do not act */
  bool proposed;           /* they were proposed in this run */
  bool unlinked;           /* nothing was linked: no weights may act yet */
  bool nothing_new;        /* nothing staged since the last linking: nothing was done */
};
/* Persons and cases in two passes (twopass.h), then consolidation, in one transaction with its audit entry. Ids: a
 * cluster without former ids creates one, with one keeps it, with several keeps that of most members (tie: the oldest)
 * and redirects the others; a split keeps the id with its largest part. Where few rows changed since the last linking,
 * and nothing else did, only what they touch is linked again (touched.h), with the same result. A linking that fails
 * leaves everything as it was, and a failed run that says why. */
enum status resolve_run(struct store *store, const struct config *config, const struct model *model,
                        const struct resolve_options *options, struct resolve_result *result,
                        struct error *error) MUST_CHECK;

/* Why two staged rows, of persons or of cases, are or are not one, by the rules and the model as they are now. Valid
 * during the call. */
struct resolve_pair {
  const struct link_explanation *explanation;
  const char *block, *verdict; /* rule that proposes it, rule above weights; NULL: none */
  /* Of either side, by comparison and its columns; empty: missing. */
  struct slice values[2][LINK_COMPARISONS_MOST][LINK_FROM_MOST];
  bool encoded; /* one of them has a code instead of a name, and the other a code, or a name to make one of */
  double dice;  /* of the codes */
};
typedef enum status resolve_told(void *context, const struct resolve_pair *pair);
/* ERR_NOT_FOUND where a row is not current, or nothing was linked yet. The caller has logged the purpose. */
enum status resolve_explain(struct store *store, const struct config *config, const struct approved_texts *texts,
                            const struct model *model, enum cluster_kind kind, int64_t row_a, int64_t row_b,
                            resolve_told *told, void *context, struct error *error) MUST_CHECK;

#endif
