/* An overview as Prometheus' text exposition format 0.0.4. Names are stable: dashboards and alarms of a ministry rest
 * on them. Moments are seconds since the epoch, so that `time() - x` stays right between two snapshots. */
#ifndef PUENTE_CONSOLE_METRICS_H
#define PUENTE_CONSOLE_METRICS_H

#include "core/base/buffer.h"
#include "core/service/overview.h"

/* Runs of a source by how they ended, counted once each. */
enum { RUN_RESULTS = 3 };
struct run_tally {
  int64_t counted;                 /* all runs up to this one are in `settled` */
  int64_t (*settled)[RUN_RESULTS]; /* by position of the source: done, failed, interrupted */
  int64_t (*ended)[RUN_RESULTS];   /* with those that came after */
  size_t sources;
};
/* Counts what has ended since the last call. */
enum status run_tally_read(struct run_tally *tally, const struct workspace *workspace, struct error *error) MUST_CHECK;
void run_tally_free(struct run_tally *tally);

/* Everything of a snapshot; `tally` as run_tally_read left it. */
void metrics_put(struct buffer *out, const struct workspace *workspace, const struct overview *overview,
                 const struct run_tally *tally, bool ready);
/* What the process is now: memory, descriptors, threads, processor time. */
void metrics_put_process(struct buffer *out);

#endif
