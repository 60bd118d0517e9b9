/* Several sources one after the other: pulled, mapped again, or retried. One that fails does not hold up the others. */
#ifndef PUENTE_SERVICE_PULL_H
#define PUENTE_SERVICE_PULL_H

#include "core/service/workspace.h"

enum pull_kind { PULL_SYNC, PULL_REMAP, PULL_RETRY };

struct pull_outcome {
  const struct source_config *source;
  enum status status; /* OK, or the error's code */
  bool skipped;       /* paused or retired, and not named on the command line */
  struct sync_result result;
  struct error error;
  int64_t microseconds;
  const struct remap_report *remapped; /* of a remap or a retry that was done, until `report` returns; else NULL */
};
typedef void pull_report(void *context, const struct pull_outcome *outcome);

struct pull_request {
  enum pull_kind kind;
  const char *const *codes; /* NULL-terminated; empty: every active source */
  struct sync_options options;
  bool then_links;     /* linking follows: no hint at it is needed */
  pull_report *report; /* after each source; NULL allowed */
  void *context;
};
struct pull_summary {
  size_t done, failed, skipped;
  int64_t freed, stay; /* of a retry: records that are mapped or withheld now, and that stay in quarantine */
  bool nothing_new;    /* no source brought anything */
  int64_t revoked;     /* records that consent took out, or took somebody out of */
  enum status worst;   /* of the failed ones: the first error's code, or OK */
};

/* What consent took out leaves the store's files, too, at the end; where a reader holds them, a warning tells.
 * ERR_USAGE for a source that is not declared, before anything is pulled. A failed source is told of by `report` and
 * in the summary; the return value is of the whole only. */
enum status service_pull(struct workspace *workspace, const struct pull_request *request, struct pull_summary *summary,
                         struct error *error) MUST_CHECK;
/* 0, 3 where some failed, the code of the failure where all did. */
int pull_exit_code(const struct pull_summary *summary);

#endif
