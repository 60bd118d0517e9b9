#include "core/service/cube.h"
#include "core/service/report.h"

/* Conditions of the request, in the cube's terms. */
static size_t conditions_of(const struct report_request *request, struct condition *conditions) {
  for (size_t i = 0; i < request->filter_count; i++) {
    conditions[i] = (struct condition){.field = request->filters[i].field, .value = request->filters[i].value};
  }
  return request->filter_count;
}

static const char *field_title(const struct cube_field *field, bool spanish) {
  static const struct {
    enum cube_kind kind;
    const char *title;
  } titles[] = {{CUBE_YEAR, N_("year")},         {CUBE_MONTH, N_("month")}, {CUBE_DEPARTMENT, N_("department")},
                {CUBE_PROVINCE, N_("province")}, {CUBE_STAGE, N_("stage")}, {CUBE_AGE, N_("age")},
                {CUBE_AGE_BAND, N_("age band")}};
  for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
    if (titles[i].kind == field->kind) {
      return gettext(titles[i].title);
    }
  }
  return spanish ? field->field->label_es : field->field->label_en;
}

static void add_cell(const struct cube *cube, const struct workspace *workspace, bool spanish,
                     const struct cube_cell *cell, struct report *report) {
  for (size_t i = 0; i < cube->field_count; i++) {
    char room[128], code[128];
    const char *label = cube_label(cube, workspace->lists, i, cell->values[i], spanish, room);
    if (cell->values[i] == MAP_NONE) {
      report_code(report, NULL, label);
    } else {
      struct slice text = map_key(cube->dictionary, cell->values[i]);
      size_t len = text.len < sizeof code - 1 ? text.len : sizeof code - 1;
      memcpy(code, text.data, len);
      code[len] = '\0';
      report_code(report, code, label);
    }
  }
  report_figure(report, cell->figure);
}

static void add_notes(const struct indicator *indicator, const struct cube *cube, struct report *report) {
  static const char *const dates[] = {N_("date of the facts"), N_("date of the complaint"), N_("date of registration")};
  static const char *const places[] = {N_("place of the facts"), N_("usual residence")};
  report_note(report, _("Axes: %s; %s."), gettext(dates[indicator->date]), gettext(places[indicator->place]));
  if (indicator->unit == UNIT_PERSON && cube->field_count > 0) {
    report_note(
        report, "%s",
        _("A person who is in two cells is counted in each; the total counts each once: cells are not added up."));
  }
  if (cube->unlinked > 0) {
    report_note(report, _("Not counted: %lld records of sources that are not linked."), (long long)cube->unlinked);
  }
}

enum status report_crosstab(const struct workspace *workspace, const struct report_request *request,
                            struct report *report, struct error *error) {
  struct indicator indicator;
  struct condition conditions[REPORT_FILTERS_MOST];
  struct cube cube;
  const char *const folders[2] = {workspace->config->indicator_folders[0], workspace->config->indicator_folders[1]};
  const char *name = request->indicator == NULL ? "victims" : request->indicator;
  enum status status = indicator_load(folders, name, report->arena, &indicator, error);
  if (status != OK) {
    return status;
  }
  const struct cube_request asked = {.workspace = workspace,
                                     .indicator = &indicator,
                                     .by = request->by,
                                     .by_count = request->by_count,
                                     .conditions = conditions,
                                     .condition_count = conditions_of(request, conditions)};
  status = cube_run(&asked, &cube, error);
  if (status != OK) {
    return status;
  }
  const char *label = request->spanish ? indicator.label_es : indicator.label_en;
  report->title = label;
  for (size_t i = 0; i < cube.field_count; i++) {
    report_column(report, cube.fields[i].name, field_title(&cube.fields[i], request->spanish), REPORT_TEXT);
  }
  report_column(report, indicator.name, label, REPORT_COUNT);
  for (size_t i = 0; i < cube.count && cube.field_count > 0; i++) {
    add_cell(&cube, workspace, request->spanish, &cube.cells[i], report);
  }
  if (cube.field_count == 0) {
    report_figure(report, cube.total);
  } else {
    report_total(report, cube.total);
  }
  add_notes(&indicator, &cube, report);
  cube_free(&cube);
  return OK;
}
