#include "core/service/indicator.h"
#include "core/service/report.h"

#include <stdio.h>

static void add_conditions(const struct indicator *indicator, struct report *report) {
  char text[512] = "";
  size_t used = 0;
  for (size_t i = 0; i < indicator->condition_count && used + 1 < sizeof text; i++) {
    int len = snprintf(text + used, sizeof text - used, "%s%s=%s", i == 0 ? "" : ", ", indicator->conditions[i].field,
                       indicator->conditions[i].value);
    used += len > 0 ? (size_t)len : 0;
  }
  report_text(report, slice_of(text));
}

enum status report_indicators(const struct workspace *workspace, const struct report_request *request,
                              struct report *report, struct error *error) {
  static const char *const units[] = {"person", "case"}, *const dates[] = {"facts", "filing", "registration"};
  static const char *const places[] = {"facts", "residence"};
  const char *const folders[2] = {workspace->config->indicator_folders[0], workspace->config->indicator_folders[1]};
  const char **names;
  size_t count;
  enum status status = indicator_names(folders, report->arena, &names, &count, error);
  report_column(report, "indicator", _("indicator"), REPORT_TEXT);
  report_column(report, "label", _("what it counts"), REPORT_TEXT);
  report_column(report, "unit", _("unit"), REPORT_TEXT);
  report_column(report, "role", _("role"), REPORT_TEXT);
  report_column(report, "date", _("date of"), REPORT_TEXT);
  report_column(report, "place", _("place of"), REPORT_TEXT);
  report_column(report, "where", _("only where"), REPORT_TEXT);
  for (size_t i = 0; i < count && status == OK; i++) {
    struct indicator indicator;
    status = indicator_load(folders, names[i], report->arena, &indicator, error);
    if (status == OK) {
      report_text(report, slice_of(indicator.name));
      report_text(report, slice_of(request->spanish ? indicator.label_es : indicator.label_en));
      report_text(report, slice_of(units[indicator.unit]));
      report_text(report, slice_of(indicator.role));
      report_text(report, slice_of(dates[indicator.date]));
      report_text(report, slice_of(places[indicator.place]));
      add_conditions(&indicator, report);
    }
  }
  return status;
}
