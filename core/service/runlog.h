/* The log's words about runs: begin and end, with counts as fields. Codes of sources and counts only. */
#ifndef PUENTE_SERVICE_RUNLOG_H
#define PUENTE_SERVICE_RUNLOG_H

#include "core/service/pull.h"

/* Event "sync_begin" of a source. */
void runlog_begin(const struct source_config *source);
/* Event "sync_done", "sync_failed" or "sync_interrupted", and "sync_warning" where the run left one. */
void runlog_end(const struct pull_outcome *outcome);

#endif
