#include "core/command/pull.h"

#include "core/base/log.h"
#include "core/command/arguments.h"
#include "core/command/meter.h"
#include "core/command/remapped.h"
#include "core/command/stop.h"
#include "core/service/remapped.h"
#include "core/service/runlog.h"

#include <jansson.h>
#include <stdio.h>

struct printing {
  const struct globals *globals;
  const struct pull_request *request;
  struct meter meter;
  json_t *sources;
  bool headed;
  bool lacks; /* something that was done could not be shown */
};

static json_t *counts_object(const struct counts *counts) {
  return json_pack(
      "{sI sI sI sI sI sI sI sI sI sI sI sI}", "pulled", (json_int_t)counts->pulled, "new", (json_int_t)counts->fresh,
      "changed", (json_int_t)counts->changed, "unchanged", (json_int_t)counts->unchanged, "repeated",
      (json_int_t)counts->repeated, "rejected", (json_int_t)counts->rejected, "mapped", (json_int_t)counts->mapped,
      "quarantined", (json_int_t)counts->quarantined, "withheld", (json_int_t)counts->withheld, "deleted",
      (json_int_t)counts->deleted, "cut", (json_int_t)counts->cut, "warnings", (json_int_t)counts->warnings);
}

static const char *outcome_word(const struct pull_outcome *outcome) {
  if (outcome->skipped) {
    return "skipped";
  }
  return outcome->status == OK ? "done" : outcome->status == ERR_INTERRUPTED ? "interrupted" : "failed";
}

static void report_json(struct printing *printing, const struct pull_outcome *outcome) {
  json_t *item =
      json_pack("{ss ss sI so sb sf}", "source", outcome->source->code, "state", outcome_word(outcome), "run",
                (json_int_t)outcome->result.run, "counts", counts_object(&outcome->result.counts), "nothing_new",
                (int)outcome->result.nothing_new, "seconds", (double)outcome->microseconds / 1e6);
  if (outcome->status != OK) {
    json_object_set_new(item, "error",
                        json_pack("{ss ss ss ss}", "status", status_name(outcome->status), "message",
                                  outcome->error.message, "place", outcome->error.place, "hint", outcome->error.hint));
  }
  if (outcome->result.warning[0] != '\0') {
    json_object_set_new(item, "warning", json_string(outcome->result.warning));
  }
  if (outcome->remapped != NULL) {
    json_object_set_new(item, "changes", remapped_json(outcome->remapped));
  }
  json_array_append_new(printing->sources, item);
}

/* Columns of the text table; widths fit counts of millions. */
static void report_head(struct printing *printing) {
  if (printing->headed) {
    return;
  }
  printing->headed = true;
  printf("%-12s %9s %9s %9s %9s %9s %9s %9s %9s\n", _("source"), _("pulled"), _("new"), _("changed"), _("unchanged"),
         _("repeated"), _("rejected"), _("quarant."), _("deleted"));
}

static const char *outcome_mark(const struct pull_outcome *outcome) {
  if (outcome->status == OK) {
    return "";
  }
  return outcome->status == ERR_INTERRUPTED ? _("  stopped") : _("  FAILED");
}

static void report_line(struct printing *printing, const struct pull_outcome *outcome) {
  const struct counts *counts = &outcome->result.counts;
  report_head(printing);
  if (outcome->skipped) {
    printf("%-12s %s\n", outcome->source->code,
           outcome->source->state == SOURCE_RETIRED ? _("retired: not pulled") : _("paused: not pulled"));
    return;
  }
  printf("%-12s %9lld %9lld %9lld %9lld %9lld %9lld %9lld %9lld%s\n", outcome->source->code, (long long)counts->pulled,
         (long long)counts->fresh, (long long)counts->changed, (long long)counts->unchanged,
         (long long)counts->repeated, (long long)counts->rejected, (long long)counts->quarantined,
         (long long)counts->deleted, outcome_mark(outcome));
  struct error error;
  bool shown = false;
  if (outcome->remapped != NULL && remapped_print(outcome->remapped, &shown, &error) != OK) {
    log_error(LEVEL_ERROR, &error);
    printing->lacks = true;
  }
  printing->headed = !shown;
}

static void report(void *context, const struct pull_outcome *outcome) {
  struct printing *printing = context;
  meter_clear(&printing->meter);
  if (printing->globals->json) {
    report_json(printing, outcome);
  } else if (!printing->globals->quiet) {
    report_line(printing, outcome);
    fflush(stdout);
  }
  if (log_form() != LOG_TEXT && !outcome->skipped) {
    runlog_end(outcome);
    return;
  }
  if (outcome->status != OK) {
    log_error(outcome->status == ERR_INTERRUPTED ? LEVEL_WARNING : LEVEL_ERROR, &outcome->error);
    if (outcome->source->contact[0] != '\0'
        && (outcome->status == ERR_NETWORK || outcome->status == ERR_AUTH || outcome->status == ERR_REMOTE)) {
      log_message(LEVEL_INFO, _("  contact of %s: %s"), outcome->source->code, outcome->source->contact);
    }
  }
  if (outcome->result.warning[0] != '\0') {
    log_message(LEVEL_WARNING, _("source %s: %s"), outcome->source->code, outcome->result.warning);
  }
}

static void print_revoked(const struct printing *printing, const struct pull_summary *summary) {
  if (summary->revoked > 0 && !printing->globals->quiet && !printing->globals->json) {
    printf(_("taken out for want of consent: %lld records, or somebody in them (`puente erase list`)\n"),
           (long long)summary->revoked);
  }
}

static void print_end(const struct printing *printing, const struct pull_summary *summary) {
  if (printing->globals->json) {
    json_t *root = json_pack("{sO sb sI sI sI}", "sources", printing->sources, "nothing_new", (int)summary->nothing_new,
                             "done", (json_int_t)summary->done, "failed", (json_int_t)summary->failed, "skipped",
                             (json_int_t)summary->skipped);
    json_dumpf(root, stdout, JSON_INDENT(2));
    puts("");
    json_decref(root);
    return;
  }
  if (printing->globals->quiet) {
    return;
  }
  if (summary->done + summary->failed + summary->skipped == 0) {
    puts(_("this workspace has no source yet: copy sources/example.yaml.txt to sources/CODE.yaml and fill it in"));
  } else if (printing->request->options.dry_run) {
    puts(printing->request->kind == PULL_SYNC ? _("dry run: nothing was landed") : _("dry run: nothing was written"));
  } else if (printing->request->kind == PULL_RETRY) {
    printf(_("freed: %lld; still in quarantine: %lld\n"), (long long)summary->freed, (long long)summary->stay);
  } else if (summary->nothing_new && summary->failed == 0) {
    puts(_("nothing new: the store is as it was"));
  } else if (summary->done > 0 && !summary->nothing_new && printing->request->kind == PULL_SYNC
             && !printing->request->then_links) {
    puts(_("next: `puente link` joins what is the same person and the same case"));
  }
}

int command_pull(const struct globals *globals, struct workspace *workspace, const struct pull_request *wanted) {
  struct pull_request request = *wanted;
  struct printing printing = {.globals = globals, .request = &request, .sources = json_array()};
  struct pull_summary summary;
  struct error error;
  meter_init(&printing.meter, globals);
  request.options.actor = workspace->actor;
  request.options.progress = &printing.meter.progress;
  request.options.stop = stop_flag();
  request.report = report;
  request.context = &printing;
  enum status status = service_pull(workspace, &request, &summary, &error);
  if (status == OK) {
    print_revoked(&printing, &summary);
    print_end(&printing, &summary);
  } else if (globals->json) {
    puts("null");
  }
  json_decref(printing.sources);
  int exit_code = status == OK ? pull_exit_code(&summary) : command_fail(&error);
  return exit_code == 0 && printing.lacks ? 3 : exit_code;
}

int command_pull_named(const struct globals *globals, char **argv, const struct pull_request *wanted,
                       command_pull_work *work) {
  struct workspace workspace;
  struct error error;
  const struct workspace_opening opening = {.path = globals->config, .mode = WORKSPACE_WRITE, .stop = stop_flag()};
  if (workspace_open_as(&opening, &workspace, &error) != OK) {
    return command_fail(&error);
  }
  struct pull_request request = *wanted;
  request.codes = (const char *const *)argv + 1;
  int exit_code = work(globals, &workspace, &request);
  workspace_close(&workspace);
  return exit_code;
}
