#include "core/service/cube.h"
#include "core/service/cube_lattice.h"
#include "core/service/definitions.h"
#include "core/service/report.h"

/* Conditions of the request, in the cube's terms. */
static size_t conditions_of(const struct report_request *request, struct condition *conditions) {
  for (size_t i = 0; i < request->filter_count; i++) {
    conditions[i] = (struct condition){.field = request->filters[i].field, .value = request->filters[i].value};
  }
  return request->filter_count;
}

const char *report_field_title(const struct cube_field *field, bool spanish) {
  static const struct {
    enum cube_kind kind;
    const char *title;
  } titles[] = {
      {CUBE_YEAR, N_("Year")},         {CUBE_MONTH, N_("Month")},      {CUBE_DEPARTMENT, N_("Department")},
      {CUBE_PROVINCE, N_("Province")}, {CUBE_STAGE, N_("Stage")},      {CUBE_DECISION, N_("Decision")},
      {CUBE_PERIOD, N_("Period")},     {CUBE_REGION, N_("Region")},    {CUBE_PURPOSE_GROUP, N_("Group of purposes")},
      {CUBE_AGE, N_("Age")},           {CUBE_AGE_BAND, N_("Age band")}};
  for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
    if (titles[i].kind == field->kind) {
      return gettext(titles[i].title);
    }
  }
  return spanish ? field->field->label_es : field->field->label_en;
}

static void add_value(const struct cube *cube, const struct workspace *workspace, bool spanish, size_t field,
                      uint32_t value, struct report *report) {
  char room[128];
  const char *label = cube_label(cube, workspace->lists, field, value, spanish, room);
  const char *code = value == MAP_NONE ? NULL : arena_text(report->arena, map_key(cube->dictionary, value));
  report_code(report, code, label);
}

/* ---- one row a cell ---- */

static void add_cells(const struct cube *cube, const struct workspace *workspace, const struct report_request *request,
                      const struct indicator *indicator, struct report *report) {
  report_column(report, indicator->name, request->spanish ? indicator->label_es : indicator->label_en, REPORT_COUNT);
  report_bounds(report, BOUNDS_ALL);
  if (cube->field_count == 0) {
    report_figure(report, &cube->total);
  }
  for (size_t i = 0; cube->field_count > 0 && i < cube->count; i++) {
    for (size_t f = 0; f < cube->field_count; f++) {
      add_value(cube, workspace, request->spanish, f, cube->cells[i].values[f], report);
    }
    report_figure(report, &cube->cells[i].extent);
  }
}

/* ---- the last field across ---- */

/* A table with figures of three counts: cells, rows and columns; the margins count each person once. */
struct across {
  const struct cube *cells, *rows, *columns;
  const struct workspace *workspace;
  bool spanish;
};

/* The value of another count in this one's dictionary. */
static uint32_t same_value(const struct cube *cube, const struct cube *other, uint32_t value) {
  return value == MAP_NONE ? MAP_NONE : map_get(cube->dictionary, map_key(other->dictionary, value));
}

static void add_heads(const struct across *across, struct report *report) {
  for (size_t i = 0; i < across->columns->count; i++) {
    char room[128];
    uint32_t value = across->columns->cells[i].values[0];
    const char *label = cube_label(across->columns, across->workspace->lists, 0, value, across->spanish, room);
    const char *name =
        value == MAP_NONE ? "not_recorded" : arena_text(report->arena, map_key(across->columns->dictionary, value));
    report_column(report, name == NULL ? "" : name, label, REPORT_COUNT);
    report_bounds(report, BOUNDS_LEAST);
    report_found(report);
  }
  report_column(report, "total", _("Total"), REPORT_COUNT);
  report_bounds(report, BOUNDS_ALL);
}

static bool is_at(const struct across *across, size_t cell, size_t row, uint32_t column) {
  const struct cube *cells = across->cells;
  size_t last = cells->field_count - 1;
  bool here = cells->cells[cell].values[last] == column;
  for (size_t f = 0; f < last && here; f++) {
    here = cells->cells[cell].values[f] == same_value(cells, across->rows, across->rows->cells[row].values[f]);
  }
  return here;
}

/* Cells stand in the order of rows, those of a row in the order of columns; but of what is withheld some are missing,
 * and so may be the row or column of one that is there. */
static const struct extent *extent_at(const struct across *across, size_t row, uint32_t column, size_t *from) {
  static const struct extent none = {.figure = 0}, unknown = {.hidden = true, .unlinkable = -1};
  const struct cube *cells = across->cells;
  size_t most = cells->withheld ? cells->count : *from + 1;
  for (size_t cell = *from; cell < most && cell < cells->count; cell++) {
    if (is_at(across, cell, row, column)) {
      *from = cell + 1;
      return &cells->cells[cell].extent;
    }
  }
  return cells->withheld ? &unknown : &none;
}

static void add_line(const struct across *across, size_t row, size_t *cell, struct report *report) {
  const struct cube *cells = across->cells;
  for (size_t f = 0; f + 1 < cells->field_count; f++) {
    add_value(across->rows, across->workspace, across->spanish, f, across->rows->cells[row].values[f], report);
  }
  for (size_t i = 0; i < across->columns->count; i++) {
    uint32_t value = same_value(cells, across->columns, across->columns->cells[i].values[0]);
    report_figure(report, extent_at(across, row, value, cell));
  }
  report_figure(report, &across->rows->cells[row].extent);
}

static void add_across(const struct across *across, struct report *report) {
  size_t cell = 0;
  add_heads(across, report);
  for (size_t row = 0; row < across->rows->count; row++) {
    add_line(across, row, &cell, report);
  }
  for (size_t f = 0; f + 1 < across->cells->field_count; f++) {
    report_code(report, f == 0 ? "all" : NULL, f == 0 ? _("(all)") : "");
  }
  for (size_t i = 0; i < across->columns->count; i++) {
    report_figure(report, &across->columns->cells[i].extent);
  }
  report_figure(report, &across->cells->total);
}

/* Runs the two margins and turns the cells. */
static enum status turn(const struct cube_request *asked, const struct cube *cube, bool spanish, struct report *report,
                        struct error *error) {
  struct cube_request margin = *asked;
  struct cube rows = {0}, columns = {0};
  margin.by_count = asked->by_count - 1;
  enum status status = cube_run(&margin, &rows, error);
  if (status == OK) {
    margin.by = asked->by + margin.by_count;
    margin.by_count = 1;
    status = cube_run(&margin, &columns, error);
  }
  if (status == OK) {
    const struct across across = {
        .cells = cube, .rows = &rows, .columns = &columns, .workspace = asked->workspace, .spanish = spanish};
    add_across(&across, report);
  }
  cube_free(&rows);
  cube_free(&columns);
  return status;
}

/* ---- both ---- */

static void add_notes(const struct indicator *indicator, const struct cube *cube, struct report *report) {
  static const char *const places[] = {N_("place of the facts"), N_("usual residence")};
  report_note(report, _("Axes: %s; %s."), definitions_date(COUNTS_FACTS + indicator->date),
              gettext(places[indicator->place]));
  if (indicator->unit == UNIT_PERSON && cube->field_count > 0) {
    report_note(
        report, "%s",
        _("A person who is in two cells is counted in each; the total counts each once: cells are not added up."));
  }
  if (cube->unlinked > 0) {
    report_note(report, _("Not counted: %lld records of sources that are not linked."), (long long)cube->unlinked);
  }
}

static enum status count(const struct workspace *workspace, const struct report_request *request,
                         const struct indicator *indicator, struct report *report, struct error *error) {
  struct condition conditions[REPORT_FILTERS_MOST];
  const char *by[REPORT_FIELDS_MOST + 1];
  struct cube cube;
  memcpy(by, request->by, sizeof request->by);
  by[request->by_count] = request->across;
  struct cube_request asked = {.workspace = workspace,
                               .indicator = indicator,
                               .guard = report->guarded,
                               .by = by,
                               .by_count = request->by_count + (request->across != NULL),
                               .conditions = conditions,
                               .condition_count = conditions_of(request, conditions)};
  enum status status = OK;
  if (report->guarded && workspace->config->disclosure.base == 0) {
    status = cube_lattice_open(&asked, &asked.lattice, error);
  }
  status = status == OK ? cube_run(&asked, &cube, error) : status;
  if (status != OK) {
    cube_lattice_close(asked.lattice);
    return status;
  }
  for (size_t i = 0; i < request->by_count; i++) {
    report_column(report, cube.fields[i].name, report_field_title(&cube.fields[i], request->spanish), REPORT_TEXT);
  }
  if (request->across != NULL) {
    status = turn(&asked, &cube, request->spanish, report, error);
  } else {
    add_cells(&cube, workspace, request, indicator, report);
  }
  report_total(report, &cube.total, cube.waiting, indicator->unit == UNIT_CASE);
  add_notes(indicator, &cube, report);
  report_shown(report, &cube.shown);
  report_rounded(report, cube.rounded);
  status = status == OK ? report_none(&asked, &cube, report, error) : status;
  status = status == OK ? report_offer(&asked, request, &cube.shown, report, error) : status;
  status = status == OK && asked.lattice != NULL ? cube_lattice_tell(asked.lattice, error) : status;
  cube_lattice_close(asked.lattice);
  cube_free(&cube);
  return status;
}

enum status report_crosstab(const struct workspace *workspace, const struct report_request *request,
                            struct report *report, struct error *error) {
  struct indicator indicator;
  const char *const folders[2] = {workspace->config->indicator_folders[0], workspace->config->indicator_folders[1]};
  const char *name = request->indicator == NULL ? "victims" : request->indicator;
  enum status status = indicator_load(folders, name, report->arena, &indicator, error);
  if (status == OK && request->across != NULL && request->by_count == 0) {
    error_set(error, ERR_USAGE, _("--columns needs at least one field for the rows"));
    error_hint(error, "%s", _("for example --by department --columns year"));
    return ERR_USAGE;
  }
  if (status == OK) {
    report->title = request->spanish ? indicator.label_es : indicator.label_en;
    status = count(workspace, request, &indicator, report, error);
  }
  return status;
}
