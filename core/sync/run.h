/* The frame of a run over one source, of whatever kind: lease, run row, connector options, plan, and the end of it. */
#ifndef PUENTE_SYNC_RUN_H
#define PUENTE_SYNC_RUN_H

#include "core/sync/sync.h"

struct run_frame {
  /* in */
  const struct workbench *bench;
  const struct source_config *source;
  int source_id;
  const struct sync_options *options;
  /* out */
  void *connector_options; /* with secrets read; NULL where the run does not pull */
  struct plan *plan;
  int64_t run, plan_id; /* 0 in a dry run */
  struct lease lease;
  bool pulls, held, gateway_held, leased;
  enum status failed; /* why the run did */
};

/* Takes the holds of the source and, where it pulls, of its gateway (ERR_BUSY: another process has one), then the
 * lease; records the run, reads options (only where it `pulls`) and mapping. Whatever the result,
 * run_frame_end is called; after a failure run_frame_fail before it. */
enum status run_frame_open(struct run_frame *frame, const char *kind, bool pulls, struct error *error) MUST_CHECK;
/* In the last transaction of the run: its end, the health of the source, and the audit entry. */
enum status run_frame_close(struct run_frame *frame, enum run_state state, const struct counts *counts,
                            const char *message, struct error *error) MUST_CHECK;
/* Records the run as failed, or interrupted, in a transaction of its own, and puts the source before error's place. */
void run_frame_fail(struct run_frame *frame, const struct counts *counts, struct error *error);
void run_frame_end(struct run_frame *frame);

#endif
