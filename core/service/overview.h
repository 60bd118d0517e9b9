/* How the workspace stands: each source, the store, linking, and what needs a person. */
#ifndef PUENTE_SERVICE_OVERVIEW_H
#define PUENTE_SERVICE_OVERVIEW_H

#include "core/service/approved.h"
#include "core/service/holders.h"
#include "core/service/linked.h"
#include "core/service/standing.h"
#include "core/service/workspace.h"

struct source_overview {
  const struct source_config *source;
  const char *state;           /* "ok", "never", "failed", "interrupted", "running", "paused", "retired" */
  int64_t run, started, ended; /* of the last sync; 0: none. Microseconds since the epoch */
  int64_t complete_run;        /* that completed a pass last; 0: never */
  int64_t complete;            /* when it ended; 0: never */
  bool under_way;              /* a pass was begun and has not ended: the next sync goes on with it */
  const char *watermark;       /* NULL: none */
  struct counts counts;        /* of the last sync */
  int64_t mapped, quarantined, withheld, total; /* records that are current now; total: with dismissed ones */
  int plans; /* more than one: some were mapped before the mapping, a code list or the program changed */
  const char *message, *place, *hint; /* of a failed run, or a remark of a done one; NULL: none */
  bool running;                       /* now, in some process; its counts are those so far */
  struct source_health health;
  struct source_standing standing;
  const struct drift *drifts; /* open findings about its fields, those that the mapping reads first */
  int64_t drift;
};

/* A source whose records are in the store and whose file is not in the configuration any more. */
struct astray {
  const char *code;
  int source_id;
  int64_t records; /* current now */
};

struct overview {
  bool made;               /* there is a store; without, only sources are known */
  const char *newest_copy; /* where there is no store but copies of one, which is gone therefore; NULL else */
  int version;
  struct source_overview *sources;
  size_t source_count;
  struct astray *astray;
  size_t astray_count, astray_capacity;
  int64_t persons, cases;
  struct linked last;                   /* what the last linking counted */
  int64_t link_run, linked;             /* last linking: its run and when it ended; 0: never */
  int64_t waiting;                      /* records new, changed or deleted since */
  int64_t review, decided;              /* pairs that wait for a person; with a decision not yet applied */
  const char *link_message, *link_hint; /* of a linking that failed since; NULL: none */
  struct expiry *expiries;              /* those to be told of come first */
  size_t expiry_count;
  struct waiting_text *texts; /* files that wait for `puente approve` */
  size_t text_count;
  int64_t now;
  int64_t backup, restored; /* last backup that was read back; last restore that was tried; 0: never */
  bool backup_failed;       /* the one by the clock, and none succeeded since */
  bool backup_old;          /* there are any, and none of the last eight days */
  struct holders_standing holders;
  struct arena *memory;
};

/* Both are the caller's to close and to free; where it fails nothing is left open, and to do so does no harm. */
enum status service_overview(const char *config_path, struct workspace *workspace, struct overview *overview,
                             struct error *error) MUST_CHECK;
/* Whether a person has to look soon: a source that fails or is late, or whose file is gone, something that expires, a
 * failed linking, no checkpoint outside for long, no backup where there should be
 * one, a store that is gone. Records in quarantine and pairs to review are
 * the daily work. */
bool overview_alarms(const struct overview *overview);
/* The same of a workspace that is open; without a store only sources are known. */
enum status overview_read(const struct workspace *workspace, struct overview *overview, struct error *error) MUST_CHECK;
void overview_free(struct overview *overview);

#endif
