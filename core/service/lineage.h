/* WHAT MADE WHAT, in the words of others: the runs of the store and the entries of the log as OpenLineage run events
 * (https://openlineage.io/spec/2-0-2/OpenLineage.json) and as one W3C PROV document (PROV-JSON, member submission of
 * 24 April 2013). Counts, codes of sources, names of actors; nothing of a record, no purpose: free text stays in the
 * log. The same store gives the same bytes. */
#ifndef PUENTE_SERVICE_LINEAGE_H
#define PUENTE_SERVICE_LINEAGE_H

#include "core/service/workspace.h"

enum { LINEAGE_TEXT = 64, LINEAGE_NAME = 256 };

struct lineage_run {
  int64_t id;
  char kind[LINEAGE_TEXT], state[LINEAGE_TEXT];    /* "sync", …; "done", "failed", "interrupted", "running" */
  char started[LINEAGE_TEXT], ended[LINEAGE_TEXT]; /* ISO 8601, UTC; ended "": still running */
  char source[LINEAGE_NAME], actor[LINEAGE_NAME];  /* "" where there is none */
  int64_t pulled, fresh, changed, mapped, quarantined, deleted; /* 0 where the kind of run counts nothing */
  char plan[2 * SHA256_SIZE + 1];                               /* of its mapping; "": none */
  int64_t sequence;   /* of the last entry of the log that is the run's; 0: none */
  struct sha256 hash; /* of that entry */
};
struct lineage {
  struct lineage_run *runs; /* ascending */
  size_t count, capacity;
};

enum status lineage_read(struct workspace *workspace, struct lineage *lineage, struct error *error) MUST_CHECK;
void lineage_free(struct lineage *lineage);

/* Takes one line, or the whole document, with its line feed. */
typedef enum status lineage_sink(void *context, struct slice text, struct error *error);
/* One event a line: START and, once it ended, COMPLETE, FAIL or ABORT of each run. `written` counts them. */
enum status lineage_openlineage(struct workspace *workspace, lineage_sink *sink, void *context, int64_t *written,
                                struct error *error) MUST_CHECK;
/* The document; `written` counts its activities: runs, and entries that no run has. */
enum status lineage_prov(struct workspace *workspace, lineage_sink *sink, void *context, int64_t *written,
                         struct error *error) MUST_CHECK;

#endif
