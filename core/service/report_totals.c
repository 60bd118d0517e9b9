#include "core/service/report.h"
#include "core/service/totals.h"

#include <string.h>

static void add_checks(const struct totals *totals, const struct report_request *request, struct report *report) {
  report_column(report, "source", _("source"), REPORT_TEXT);
  report_column(report, "check", _("what has to add up"), REPORT_TEXT);
  report_column(report, "compared", _("blocks compared"), REPORT_COUNT);
  report_column(report, "wrong", _("do not"), REPORT_COUNT);
  report_column(report, "skipped", _("incomplete"), REPORT_COUNT);
  for (size_t i = 0; i < totals->count; i++) {
    const struct totals_check *check = &totals->checks[i];
    report_text(report, slice_of(check->source));
    report_code(report, check->name, request->spanish ? check->label_es : check->label_en);
    report_count(report, check->compared);
    report_count(report, (int64_t)check->miss_count);
    report_count(report, check->skipped);
  }
  report_note(report, "%s", _("`puente report totals --by block` names the blocks that do not add up."));
}

static void add_blocks(const struct totals *totals, const struct report_request *request, struct report *report) {
  report_column(report, "source", _("source"), REPORT_TEXT);
  report_column(report, "check", _("what has to add up"), REPORT_TEXT);
  report_column(report, "block", _("block"), REPORT_TEXT);
  report_column(report, "parts", _("parts together"), REPORT_COUNT);
  report_column(report, "total", _("printed total"), REPORT_COUNT);
  for (size_t i = 0; i < totals->count; i++) {
    const struct totals_check *check = &totals->checks[i];
    for (size_t j = 0; j < check->miss_count; j++) {
      report_text(report, slice_of(check->source));
      report_code(report, check->name, request->spanish ? check->label_es : check->label_en);
      report_text(report, slice_of(check->misses[j].block));
      report_count(report, check->misses[j].parts);
      report_count(report, check->misses[j].total);
    }
  }
}

enum status report_totals(const struct workspace *workspace, const struct report_request *request,
                          struct report *report, struct error *error) {
  bool by_block = request->by_count == 1 && strcmp(request->by[0], "block") == 0;
  if (request->by_count > 0 && !by_block) {
    error_set(error, ERR_USAGE, _("the report totals cannot be broken down by '%s'"), request->by[0]);
    error_hint(error, "%s", _("--by block, or nothing"));
    return ERR_USAGE;
  }
  struct totals totals;
  enum status status = totals_run(workspace, request->source, &totals, error);
  if (status != OK) {
    return status;
  }
  report->title = _("Published tables against their own totals");
  if (by_block) {
    add_blocks(&totals, request, report);
  } else {
    add_checks(&totals, request, report);
  }
  report_note(report, "%s",
              _("What does not add up is reported as it was published; a missing total or part is no zero."));
  totals_free(&totals);
  return OK;
}
