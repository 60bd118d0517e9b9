#include "core/service/cube.h"
#include "core/service/overview.h"
#include "core/service/report.h"

#include <stdio.h>
#include <stdlib.h>

/* Cells of `cases by cohort by stage`, the stage last, turned so that each cohort is one row. */

static void add_columns(const struct cube *cube, const struct codelist *stages, bool spanish, struct report *report) {
  for (size_t i = 0; i + 1 < cube->field_count; i++) {
    report_column(report, cube->fields[i].name, report_field_title(&cube->fields[i], spanish), REPORT_TEXT);
  }
  report_column(report, "cases", _("cases"), REPORT_COUNT);
  report_bounds(report, BOUNDS_ALL);
  for (size_t i = 0; i < codelist_size(stages); i++) {
    const struct code *code = codelist_at(stages, i);
    const char *title = i == 0 ? _("no later record") : spanish ? code->label_es : code->label_en;
    report_column(report, i == 0 ? "no_later_record" : code->code, title, REPORT_COUNT);
    report_bounds(report, BOUNDS_LEAST);
  }
}

/* Whether a cell is of that cohort of `whole`. */
static bool is_of(const struct cube *cube, const struct cube_cell *cell, const struct cube *whole, size_t cohort) {
  for (size_t f = 0; f + 1 < cube->field_count; f++) {
    uint32_t value = whole->cells[cohort].values[f];
    value = value == MAP_NONE ? MAP_NONE : map_get(cube->dictionary, map_key(whole->dictionary, value));
    if (cell->values[f] != value) {
      return false;
    }
  }
  return true;
}

/* What a table of cohorts stands on: cases by cohort and stage, and room for one cohort, by stage. */
struct cohorts {
  const struct cube *cells;
  const struct codelist *stages;
  const struct workspace *workspace;
  bool spanish;
  struct extent *extents;
};

static void add_cohort(const struct cohorts *cohorts, size_t from, size_t to, const struct cube *whole, size_t cohort,
                       struct report *report) {
  const struct cube *cube = cohorts->cells;
  size_t stage = cube->field_count - 1, count = codelist_size(cohorts->stages);
  for (size_t i = 0; i < count; i++) { /* of what is withheld it is not told which are empty */
    cohorts->extents[i] = (struct extent){.hidden = cube->withheld, .unlinkable = cube->withheld ? -1 : 0};
  }
  for (size_t i = from; i < to; i++) {
    const struct code *code = codelist_code(cohorts->stages, map_key(cube->dictionary, cube->cells[i].values[stage]));
    cohorts->extents[code - codelist_at(cohorts->stages, 0)] = cube->cells[i].extent;
  }
  for (size_t i = 0; i < stage; i++) {
    char room[128];
    uint32_t value = whole->cells[cohort].values[i];
    const char *label = cube_label(whole, cohorts->workspace->lists, i, value, cohorts->spanish, room);
    struct slice text = value == MAP_NONE ? slice_of("") : map_key(whole->dictionary, value);
    const char *code = value == MAP_NONE ? NULL : arena_text(report->arena, text);
    report_code(report, code, label);
  }
  report_figure(report, &whole->cells[cohort].extent);
  for (size_t i = 0; i < count; i++) {
    report_figure(report, &cohorts->extents[i]);
  }
}

/* What is connected decides how far a case can be seen to get. */
static enum status add_connected(const struct workspace *workspace, struct report *report, struct error *error) {
  struct overview overview;
  enum status status = overview_read(workspace, &overview, error);
  if (status != OK) {
    return status;
  }
  report_note(report, "%s",
              _("No later record is not desertion: the next institution may not be connected, or time may"
                " not have passed. Connected:"));
  for (size_t i = 0; i < overview.source_count; i++) {
    const struct source_overview *source = &overview.sources[i];
    report_note(report, "  %s (%s): %s, %lld", source->source->institution, source->source->code, source->state,
                (long long)source->total);
  }
  overview_free(&overview);
  return OK;
}

static enum status add_cohorts(const struct cube_request *asked, const struct cube *cube, const struct codelist *stages,
                               bool spanish, struct report *report, struct error *error) {
  struct cube whole; /* by cohort alone: a waiting pair may join cases of two stages */
  struct cube_request cohort = *asked;
  cohort.by_count--;
  enum status status = cube_run(&cohort, &whole, error);
  if (status != OK) {
    return status;
  }
  struct cohorts cohorts = {.cells = cube,
                            .stages = stages,
                            .workspace = asked->workspace,
                            .spanish = spanish,
                            .extents = calloc(codelist_size(stages) + 1, sizeof *cohorts.extents)};
  if (cohorts.extents == NULL) {
    status = error_memory(error);
  }
  for (size_t at = 0, next = 0; at < whole.count && status == OK; at++) {
    size_t from = next, to;
    while (from < cube->count && !is_of(cube, &cube->cells[from], &whole, at)) {
      from++;
    }
    for (to = from; to < cube->count && is_of(cube, &cube->cells[to], &whole, at);) {
      to++;
    }
    next = to > from ? to : next;
    add_cohort(&cohorts, from, to, &whole, at, report);
  }
  free(cohorts.extents);
  cube_free(&whole);
  return status;
}

enum status report_stages(const struct workspace *workspace, const struct report_request *request,
                          struct report *report, struct error *error) {
  struct indicator indicator;
  struct condition conditions[REPORT_FILTERS_MOST];
  struct cube cube;
  const char *by[CUBE_FIELDS_MOST] = {"year"};
  size_t by_count = 1;
  const char *const folders[2] = {workspace->config->indicator_folders[0], workspace->config->indicator_folders[1]};
  const char *name = request->indicator == NULL ? "cases" : request->indicator;
  const struct codelist *stages = codelists_find(workspace->lists, "stage");
  enum status status = indicator_load(folders, name, report->arena, &indicator, error);
  if (status == OK && (indicator.unit != UNIT_CASE || stages == NULL || request->by_count > CUBE_FIELDS_MOST - 2)) {
    status = error_set(error, ERR_USAGE, "%s", _("stages are told of cases, by year and at most two further fields"));
  }
  if (status != OK) {
    return status;
  }
  for (size_t i = 0; i < request->by_count; i++) {
    by[by_count++] = request->by[i];
  }
  by[by_count++] = "stage";
  for (size_t i = 0; i < request->filter_count; i++) {
    conditions[i] = (struct condition){.field = request->filters[i].field, .value = request->filters[i].value};
  }
  const struct cube_request asked = {.workspace = workspace,
                                     .indicator = &indicator,
                                     .guard = report->guarded,
                                     .by = by,
                                     .by_count = by_count,
                                     .conditions = conditions,
                                     .condition_count = request->filter_count};
  status = cube_run(&asked, &cube, error);
  if (status != OK) {
    return status;
  }
  report->title = _("How far cases got, by the year of their cohort: the furthest stage on record");
  add_columns(&cube, stages, request->spanish, report);
  status = add_cohorts(&asked, &cube, stages, request->spanish, report, error);
  report_total(report, &cube.total, cube.waiting, true);
  report_shown(report, &cube.shown);
  report_rounded(report, cube.rounded);
  status = status == OK ? report_none(&asked, &cube, report, error) : status;
  cube_free(&cube);
  return status == OK ? add_connected(workspace, report, error) : status;
}
