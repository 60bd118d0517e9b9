#include "core/service/pull.h"

#include "core/base/date.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/service/approved.h"
#include "core/service/reapply.h"
#include "core/sync/remap_report.h"

enum { SOURCES_HINTED = 64 };

static enum status unknown_source(const struct config *config, const char *code, struct error *error) {
  const char *names[SOURCES_HINTED];
  size_t count = 0;
  for (; count < config->source_count && count < SOURCES_HINTED; count++) {
    names[count] = config->sources[count].code;
  }
  error_set(error, ERR_USAGE, _("there is no source \"%s\""), code);
  const char *nearest = text_nearest(slice_of(code), names, count);
  if (nearest != NULL) {
    error_hint(error, _("did you mean \"%s\"?"), nearest);
  } else {
    error_hint(error, _("`puente status` lists the sources of this workspace"));
  }
  return ERR_USAGE;
}

static bool named(const char *const *codes, const char *code) {
  for (; codes != NULL && *codes != NULL; codes++) {
    if (strcmp(*codes, code) == 0) {
      return true;
    }
  }
  return false;
}

static enum status pull_one(struct workspace *workspace, const struct pull_request *request, size_t position,
                            struct remap_report *remapped, struct pull_outcome *outcome) {
  struct workbench bench = workspace_bench(workspace);
  const struct source_config *source = &workspace->config->sources[position];
  int source_id = workspace->source_ids[position];
  if (request->kind == PULL_SYNC) {
    return sync_source(&bench, source, source_id, &request->options, &outcome->result, &outcome->error);
  }
  int state = request->kind == PULL_RETRY ? RECORD_QUARANTINED : -1;
  struct sync_options options = request->options;
  enum status status = remap_report_init(remapped, bench.model, &outcome->error);
  options.report = remapped;
  if (status == OK) {
    status = sync_remap(&bench, source, source_id, state, &options, &outcome->result, &outcome->error);
  }
  outcome->remapped = status == OK ? remapped : NULL;
  return status;
}

static void pull_count(const struct pull_outcome *outcome, struct pull_summary *summary) {
  if (outcome->skipped) {
    summary->skipped++;
    return;
  }
  const struct counts *counts = &outcome->result.counts;
  summary->freed += counts->mapped + counts->withheld;
  summary->stay += counts->quarantined;
  summary->revoked += outcome->result.revoked;
  summary->nothing_new = summary->nothing_new && outcome->result.nothing_new;
  if (outcome->status == OK) {
    summary->done++;
    return;
  }
  summary->failed++;
  if (summary->worst == OK) {
    summary->worst = outcome->status;
  }
}

/* What consent took out leaves the files too. */
static void purge(struct workspace *workspace, const struct pull_summary *summary) {
  struct error lingers;
  if (summary->revoked > 0) {
    erasures_keep(workspace, workspace->store, NULL);
  }
  if (summary->revoked > 0 && store_purge(workspace->store, &lingers) != OK) {
    log_error(LEVEL_WARNING, &lingers);
  }
}

enum status service_pull(struct workspace *workspace, const struct pull_request *request, struct pull_summary *summary,
                         struct error *error) {
  const struct config *config = workspace->config;
  *summary = (struct pull_summary){.nothing_new = true};
  if (workspace->unfit.code != OK) {
    *error = workspace->unfit;
    return error->code;
  }
  approved_lists_tell(workspace);
  bool all = request->codes == NULL || request->codes[0] == NULL;
  for (const char *const *code = request->codes; !all && *code != NULL; code++) {
    if (config_source(config, *code) == NULL) {
      return unknown_source(config, *code, error);
    }
  }
  for (size_t i = 0; i < config->source_count; i++) {
    const struct source_config *source = &config->sources[i];
    if (!all && !named(request->codes, source->code)) {
      continue;
    }
    struct pull_outcome outcome = {.source = source};
    struct remap_report remapped = {.entities = NULL};
    bool pulls = request->kind == PULL_SYNC;
    outcome.skipped = pulls && (source->state == SOURCE_RETIRED || (all && source->state == SOURCE_PAUSED));
    if (!outcome.skipped) {
      int64_t began = clock_monotonic();
      outcome.status = pull_one(workspace, request, i, &remapped, &outcome);
      outcome.microseconds = clock_monotonic() - began;
    }
    pull_count(&outcome, summary);
    if (request->report != NULL) {
      request->report(request->context, &outcome);
    }
    remap_report_free(&remapped);
    if (outcome.status == ERR_INTERRUPTED) {
      break;
    }
  }
  purge(workspace, summary);
  return OK;
}

int pull_exit_code(const struct pull_summary *summary) {
  if (summary->failed == 0) {
    return 0;
  }
  return summary->done > 0 ? 3 : status_exit_code(summary->worst);
}
