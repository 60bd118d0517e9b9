#include "core/base/date.h"
#include "core/service/overview.h"
#include "core/service/report.h"

#include <stdio.h>

/* UTC, to the minute. */
static void add_moment(struct report *report, int64_t micros) {
  char text[TIMESTAMP_TEXT_SIZE];
  if (micros == 0) {
    report_null(report);
    return;
  }
  clock_format(micros, text);
  text[10] = ' ';
  report_text(report, slice_make(text, 16));
}

/* Four different things, and none of them is the number zero: refused or unreachable, replaced, nothing to report,
 * never asked. */
static void add_state(struct report *report, const struct source_overview *source) {
  static const struct {
    const char *state, *label;
  } labels[] = {{"ok", N_("ok")},
                {"empty", N_("ok, nothing to report")},
                {"never", N_("never pulled")},
                {"failed", N_("FAILED")},
                {"running", N_("running")},
                {"interrupted", N_("interrupted")},
                {"paused", N_("paused")},
                {"retired", N_("retired")}};
  const char *state = source->state;
  if (strcmp(state, "ok") == 0 && source->complete != 0 && source->total == 0) {
    state = "empty";
  }
  for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
    if (strcmp(labels[i].state, state) == 0) {
      report_code(report, state, gettext(labels[i].label));
      return;
    }
  }
  report_text(report, slice_of(state));
}

enum status report_sources(const struct workspace *workspace, const struct report_request *request,
                           struct report *report, struct error *error) {
  struct overview overview;
  enum status status = overview_read(workspace, &overview, error);
  if (status != OK) {
    return status;
  }
  report->title = _("Sources");
  report_column(report, "source", _("source"), REPORT_TEXT);
  report_column(report, "institution", _("institution"), REPORT_TEXT);
  report_column(report, "unit", _("counts"), REPORT_TEXT);
  report_column(report, "state", _("state"), REPORT_TEXT);
  report_column(report, "complete", _("last complete (UTC)"), REPORT_TEXT);
  report_column(report, "records", _("records"), REPORT_COUNT);
  report_column(report, "mapped", _("mapped"), REPORT_COUNT);
  report_column(report, "quarantined", _("quarantine"), REPORT_COUNT);
  report_column(report, "withheld", _("withheld"), REPORT_COUNT);
  report_column(report, "contact", _("contact"), REPORT_TEXT);
  for (size_t i = 0; i < overview.source_count; i++) {
    const struct source_overview *source = &overview.sources[i];
    if (request->source != NULL && strcmp(request->source, source->source->code) != 0) {
      continue;
    }
    report_text(report, slice_of(source->source->code));
    report_text(report, slice_of(source->source->institution));
    report_text(report, slice_of(source->source->unit));
    add_state(report, source);
    add_moment(report, source->complete);
    report_count(report, source->total);
    report_count(report, source->mapped);
    report_count(report, source->quarantined);
    report_count(report, source->withheld);
    report_text(report, slice_of(source->source->contact));
  }
  report_note(report, "%s", _("Units differ: records of different sources are not added up."));
  overview_free(&overview);
  return OK;
}

/* ---- balance ---- */

static const char *const RUN_COLUMNS[] = {"run_id", "source",      "kind",      "state",    "pulled",
                                          "fresh",  "changed",     "unchanged", "repeated", "rejected",
                                          "mapped", "quarantined", "withheld",  "deleted",  "source_count"};
enum { RUN_ID, RUN_SOURCE, RUN_KIND, RUN_STATE_TEXT, RUN_PULLED, RUN_COLUMN_COUNT = 15 };

static struct counts counts_of(const struct result *result) {
  return (struct counts){.pulled = result_integer(result, RUN_PULLED),
                         .fresh = result_integer(result, RUN_PULLED + 1),
                         .changed = result_integer(result, RUN_PULLED + 2),
                         .unchanged = result_integer(result, RUN_PULLED + 3),
                         .repeated = result_integer(result, RUN_PULLED + 4),
                         .rejected = result_integer(result, RUN_PULLED + 5),
                         .mapped = result_integer(result, RUN_PULLED + 6),
                         .quarantined = result_integer(result, RUN_PULLED + 7),
                         .withheld = result_integer(result, RUN_PULLED + 8),
                         .deleted = result_integer(result, RUN_PULLED + 9),
                         .source_count = result_integer(result, RUN_PULLED + 10)};
}

static void add_run(struct report *report, const struct result *result) {
  const struct counts counts = counts_of(result);
  char words[160];
  /* The source's own count is of what a complete pass brings; a pass after a watermark brings only what is new. */
  bool balanced = counts_balance(&counts, false, words);
  report_count(report, result_integer(result, RUN_ID));
  report_text(report, result_text(result, RUN_SOURCE));
  report_text(report, result_text(result, RUN_KIND));
  report_text(report, result_text(result, RUN_STATE_TEXT));
  for (size_t i = RUN_PULLED; i + 1 < RUN_COLUMN_COUNT; i++) {
    report_count(report, result_integer(result, i));
  }
  if (counts.source_count < 0) {
    report_null(report);
  } else {
    report_count(report, counts.source_count);
  }
  report_code(report, balanced ? "yes" : "no", balanced ? _("yes") : _("NO"));
  if (!balanced) {
    report_note(report, _("Run %lld: %s"), (long long)result_integer(result, RUN_ID), words);
  }
}

enum status report_balance(const struct workspace *workspace, const struct report_request *request,
                           struct report *report, struct error *error) {
  static const char *const titles[] = {N_("run"),      N_("source"),   N_("kind"),       N_("state"),
                                       N_("pulled"),   N_("new"),      N_("changed"),    N_("unchanged"),
                                       N_("repeated"), N_("rejected"), N_("mapped"),     N_("quarantine"),
                                       N_("withheld"), N_("deleted"),  N_("source says")};
  const struct filter filter = {.column = "source", .text = request->source};
  const struct selection selection = {.view = "runs",
                                      .columns = RUN_COLUMNS,
                                      .column_count = RUN_COLUMN_COUNT,
                                      .filters = &filter,
                                      .filter_count = request->source == NULL ? 0 : 1,
                                      .order = "run_id"};
  struct result *result = NULL;
  enum status status = store_select(workspace->store, &selection, &result, error);
  if (status != OK) {
    return status;
  }
  report->title = _("Balance of runs");
  for (size_t i = 0; i < RUN_COLUMN_COUNT; i++) {
    bool number = i == RUN_ID || i >= RUN_PULLED;
    report_column(report, i == RUN_ID ? "run" : RUN_COLUMNS[i], gettext(titles[i]),
                  number ? REPORT_COUNT : REPORT_TEXT);
  }
  report_column(report, "balanced", _("balances"), REPORT_TEXT);
  while ((status = result_next(result, error)) == OK) {
    if (!result_null(result, RUN_SOURCE)) {
      add_run(report, result);
    }
  }
  result_free(result);
  report_note(report, "%s",
              _("pulled = new + changed + unchanged + repeated + rejected;"
                " new + changed = mapped + quarantine + withheld"));
  return status == END ? OK : status;
}
