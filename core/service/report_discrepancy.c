#include "core/base/text.h"
#include "core/service/cube_overlap.h"
#include "core/service/definitions.h"
#include "core/service/grid.h"
#include "core/service/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* The same figure for each year and department, side by side: what each source's own records give, what they give
 * consolidated, how much of that several sources have or one alone, and what was published; and in which of what they
 * mean these columns differ. Nothing is added up across columns, and no winner is picked. */

enum { COLUMNS_MOST = 96, KEY_MOST = 64 };
static const int64_t NONE = -1, HIDDEN = -2;

/* How exactly a published figure fits; the best fit alone is shown, lesser ones are sums of its parts. */
enum fit { FIT_NONE, FIT_STATION_MONTH, FIT_STATION_YEAR, FIT_MONTH, FIT_YEAR };

struct column_head {
  const char *name, *title;
  const struct source_config *source; /* NULL: consolidated, and parts of it */
  bool part;                          /* of the consolidated figure: means what that means */
  const char *aspects[MEANING_ASPECTS];
};
struct comparison {
  const struct workspace *workspace;
  const struct report_request *request;
  const struct indicator *indicator;
  struct map *rows; /* "2019|15", "2019|" for the whole year */
  int64_t (*figures)[COLUMNS_MOST];
  struct extent *consolidated; /* by row: what the consolidated figure rests on */
  uint8_t (*fits)[COLUMNS_MOST];
  size_t capacity;
  struct column_head heads[COLUMNS_MOST];
  bool used[COLUMNS_MOST];
  size_t count;        /* of columns */
  struct extent total; /* consolidated */
  int64_t waiting;     /* pairs between what it counts */
  int rounded;         /* base of the figures of records; published ones are as they were published */
  bool guarded, by_source, withheld, unlisted; /* unlisted: figures that are not there may be hidden */
  size_t consolidated_at;                      /* column; then in several, in one, and by source only there */
};

static enum status row_of(struct comparison *comparison, struct slice key, size_t *row, struct error *error) {
  uint32_t position = map_intern(comparison->rows, key);
  if (position == MAP_NONE) {
    return error_memory(error);
  }
  *row = position;
  if (*row < comparison->capacity) {
    return OK;
  }
  size_t capacity = comparison->capacity == 0 ? 256 : comparison->capacity * 2;
  void *figures = realloc(comparison->figures, capacity * sizeof *comparison->figures);
  if (figures == NULL) {
    return error_memory(error);
  }
  comparison->figures = figures;
  void *fits = realloc(comparison->fits, capacity * sizeof *comparison->fits);
  if (fits == NULL) {
    return error_memory(error);
  }
  comparison->fits = fits;
  struct extent *consolidated = realloc(comparison->consolidated, capacity * sizeof *consolidated);
  if (consolidated == NULL) {
    return error_memory(error);
  }
  comparison->consolidated = consolidated;
  for (size_t i = comparison->capacity; i < capacity; i++) {
    for (size_t c = 0; c < COLUMNS_MOST; c++) {
      comparison->figures[i][c] = NONE;
      comparison->fits[i][c] = FIT_NONE;
    }
  }
  comparison->capacity = capacity;
  return OK;
}

static size_t make_key(char key[KEY_MOST], struct slice year, struct slice department) {
  int len = snprintf(key, KEY_MOST, "%.*s|%.*s", SLICE_ARG(year), SLICE_ARG(department));
  return len < KEY_MOST ? (size_t)len : KEY_MOST - 1;
}

/* ---- records ---- */

/* What is not recorded sorts last and is not "the whole". */
static struct slice value_text(const struct cube *cube, uint32_t value) {
  return value == MAP_NONE ? slice_of("~") : map_key(cube->dictionary, value);
}

static enum status put(struct comparison *comparison, struct slice year, struct slice department, size_t column,
                       int64_t figure, size_t *row, struct error *error) {
  char key[KEY_MOST];
  size_t len = make_key(key, year, department);
  enum status status = row_of(comparison, slice_make(key, len), row, error);
  if (status == OK) {
    comparison->figures[*row][column] = figure;
  }
  return status;
}

static enum status add_cube(struct comparison *comparison, struct cube_request asked, size_t by_count,
                            struct error *error) {
  static const char *const by[] = {"year", "department"};
  struct cube cube;
  asked.by = by;
  asked.by_count = by_count;
  enum status status = cube_run(&asked, &cube, error);
  if (status != OK) {
    return status;
  }
  for (size_t i = 0; i < cube.count && status == OK; i++) {
    const struct cube_cell *cell = &cube.cells[i];
    if (cube.rounded > 0 && cell->extent.figure == 0) {
      continue; /* blank, as where there is nobody */
    }
    struct slice department = by_count == 1 ? slice_of("") : value_text(&cube, cell->values[1]);
    size_t row = 0;
    status = put(comparison, value_text(&cube, cell->values[0]), department, comparison->consolidated_at,
                 cell->extent.hidden ? HIDDEN : cell->extent.figure, &row, error);
    if (status == OK) {
      comparison->consolidated[row] = cell->extent;
    }
  }
  comparison->rounded = cube.rounded;
  comparison->unlisted = cube.withheld;
  comparison->total = cube.total;
  comparison->waiting = cube.waiting;
  cube_free(&cube);
  return status;
}

static size_t overlap_column(const struct comparison *comparison, const struct overlap_figure *figure) {
  switch (figure->kind) {
  case OVERLAP_SOURCE:
    return figure->source;
  case OVERLAP_SEVERAL:
    return comparison->consolidated_at + 1;
  case OVERLAP_ONE:
    return comparison->consolidated_at + 2;
  default:
    return comparison->consolidated_at + 3 + figure->source;
  }
}

/* All parts of the consolidated figures are hidden. */
static void withhold(struct comparison *comparison) {
  for (size_t row = 0; row < map_count(comparison->rows); row++) {
    for (size_t c = 0; c < comparison->count; c++) {
      bool known = comparison->figures[row][comparison->consolidated_at] != NONE;
      bool linked = comparison->heads[c].source != NULL && comparison->heads[c].source->linked;
      if (known && (linked || comparison->heads[c].part)) {
        comparison->figures[row][c] = HIDDEN;
      }
    }
  }
}

static enum status add_overlap(struct comparison *comparison, const struct cube_request *asked, struct arena *arena,
                               struct error *error) {
  struct overlap overlap;
  enum status status = overlap_run(asked, arena, &overlap, error);
  for (size_t i = 0; i < overlap.count && status == OK; i++) {
    const struct overlap_figure *figure = &overlap.figures[i];
    size_t row = 0;
    if (figure->kind != OVERLAP_ONLY || comparison->by_source) {
      status = put(comparison, slice_of(figure->year == NULL ? "~" : figure->year),
                   slice_of(figure->whole                ? ""
                            : figure->department == NULL ? "~"
                                                         : figure->department),
                   overlap_column(comparison, figure), figure->hidden ? HIDDEN : figure->count, &row, error);
    }
  }
  comparison->withheld = overlap.withheld;
  if (overlap.withheld) {
    withhold(comparison);
  }
  return status;
}

/* A code in words. */
static const char *code_label(const struct comparison *comparison, const char *list, const char *code) {
  const struct codelist *codes = codelists_find(comparison->workspace->lists, list);
  const struct code *found = codes == NULL ? NULL : codelist_code(codes, slice_of(code));
  return found == NULL ? code : comparison->request->spanish ? found->label_es : found->label_en;
}

static const char *own_unit(const struct indicator *indicator) {
  return indicator->unit == UNIT_CASE ? "case" : indicator->role == NULL ? "person" : indicator->role;
}

/* NULL: none, or out of memory. */
static const char *linked_sources(const struct config *config, struct arena *arena) {
  const char *text = NULL;
  for (size_t i = 0; i < config->source_count; i++) {
    if (config->sources[i].linked) {
      text = text == NULL ? config->sources[i].code : arena_printf(arena, "%s, %s", text, config->sources[i].code);
    }
  }
  return text;
}

/* Columns of the sources, then of the consolidated figure and its parts. */
static enum status make_heads(struct comparison *comparison, struct arena *arena, struct error *error) {
  const struct indicator *indicator = comparison->indicator;
  const struct config *config = comparison->workspace->config;
  const char *date = definitions_date(COUNTS_FACTS + indicator->date);
  struct column_head *heads = comparison->heads;
  size_t parts = comparison->by_source ? config->source_count : 0, at = config->source_count;
  if (at + parts + 3 > COLUMNS_MOST) {
    return error_set(error, ERR_LIMIT, _("more than %d sources and publications"), COLUMNS_MOST);
  }
  for (size_t i = 0; i < config->source_count; i++) {
    const struct source_config *source = &config->sources[i];
    heads[i] = (struct column_head){.name = source->code,
                                    .title = source->code,
                                    .source = source,
                                    .aspects = {code_label(comparison, "unit", source->unit), source->counts.definition,
                                                date, source->counts.coverage}};
    heads[at + 3 + i * (parts > 0)] = (struct column_head){.name = arena_printf(arena, "only_%s", source->code),
                                                           .title = arena_printf(arena, _("only %s"), source->code),
                                                           .part = true};
  }
  heads[at] =
      (struct column_head){.name = "consolidated",
                           .title = _("consolidated"),
                           .aspects = {code_label(comparison, "unit", own_unit(indicator)),
                                       arena_printf(arena, _("each once, as the indicator %s counts"), indicator->name),
                                       date, linked_sources(config, arena)}};
  heads[at + 1] = (struct column_head){.name = "several", .title = _("in several sources"), .part = true};
  heads[at + 2] = (struct column_head){.name = "one", .title = _("in one only"), .part = true};
  comparison->consolidated_at = at;
  comparison->count = at + 3 + parts;
  return OK;
}

static enum status add_records(struct comparison *comparison, struct arena *arena, struct error *error) {
  struct condition conditions[REPORT_FILTERS_MOST];
  for (size_t i = 0; i < comparison->request->filter_count; i++) {
    const struct report_filter *filter = &comparison->request->filters[i];
    conditions[i] = (struct condition){.field = filter->field, .value = filter->value};
  }
  const struct cube_request asked = {.workspace = comparison->workspace,
                                     .indicator = comparison->indicator,
                                     .guard = comparison->guarded,
                                     .conditions = conditions,
                                     .condition_count = comparison->request->filter_count};
  enum status status = make_heads(comparison, arena, error);
  status = status == OK ? add_cube(comparison, asked, 1, error) : status;
  status = status == OK ? add_cube(comparison, asked, 2, error) : status;
  return status == OK ? add_overlap(comparison, &asked, arena, error) : status;
}

/* ---- published figures ---- */

enum {
  AGG_SOURCE,
  AGG_PUBLISHER,
  AGG_UNIT,
  AGG_PERIOD,
  AGG_PLACE,
  AGG_STATION,
  AGG_CATEGORY,
  AGG_BREAKDOWN,
  AGG_SEX,
  AGG_BAND,
  AGG_VALUE,
  AGG_SNAPSHOT,
  AGG_POPULATION,
  AGG_COLUMNS
};

struct published {
  struct slice values[AGG_COLUMNS];
};

/* "F1_TOTAL", not "EF_SUB TOTAL". */
static bool has_total(struct slice text) {
  if (text.len < 5) {
    return false;
  }
  bool ends = strncasecmp(text.data + text.len - 5, "total", 5) == 0;
  bool part = ends && text.len >= 9 && strncasecmp(text.data + text.len - 9, "sub", 3) == 0;
  return !part && (ends || strncasecmp(text.data, "total", 5) == 0);
}

/* The figure that names a total, of a whole publication or of one section of a form. */
static struct slice total_name(const struct published *row) {
  return row->values[AGG_BREAKDOWN].len > 0 ? row->values[AGG_BREAKDOWN] : row->values[AGG_CATEGORY];
}

static bool is_total(const struct published *row) {
  struct slice name = total_name(row);
  return (name.len == 0 || has_total(name)) && row->values[AGG_SEX].len == 0 && row->values[AGG_BAND].len == 0;
}

/* What may stand beside the indicator's own unit, with the difference told: who was assisted beside the victims, what
 * institutions call a case. */
static bool is_comparable(const struct indicator *indicator, struct slice unit) {
  if (indicator->unit == UNIT_PERSON) {
    const char *role = indicator->role == NULL ? "person" : indicator->role;
    return slice_is(unit, role) || slice_is(unit, "person")
           || (strcmp(role, "victim") == 0 && slice_is(unit, "assistance"));
  }
  return slice_is(unit, "case") || slice_is(unit, "denuncia") || slice_is(unit, "carpeta");
}

static enum fit fit_of(const struct published *row) {
  bool station = row->values[AGG_STATION].len > 0, month = row->values[AGG_PERIOD].len >= 7;
  return station ? (month ? FIT_STATION_MONTH : FIT_STATION_YEAR) : month ? FIT_MONTH : FIT_YEAR;
}

static enum status column_of(struct comparison *comparison, const struct published *row, struct arena *arena,
                             size_t *column, struct error *error) {
  struct slice unit = row->values[AGG_UNIT], population = row->values[AGG_POPULATION];
  if (slice_is(unit, own_unit(comparison->indicator))) {
    unit = slice_of("");
  }
  const struct slice parts[] = {row->values[AGG_PUBLISHER], row->values[AGG_SNAPSHOT], total_name(row), unit};
  const char *name = "";
  for (size_t i = 0; i < sizeof parts / sizeof *parts && name != NULL; i++) {
    const char *space = name[0] == '\0' || parts[i].len == 0 ? "" : " ";
    name = arena_printf(arena, "%s%s%.*s", name, space, SLICE_ARG(parts[i]));
  }
  if (name == NULL) {
    return error_memory(error);
  }
  for (*column = 0; *column < comparison->count; (*column)++) {
    if (strcmp(name, comparison->heads[*column].name) == 0) {
      return OK;
    }
  }
  const char *counted = arena_text(arena, row->values[AGG_UNIT]), *code = arena_text(arena, row->values[AGG_SOURCE]),
             *covers = population.len == 0 ? NULL : arena_text(arena, population);
  if (counted == NULL || code == NULL) {
    return error_memory(error);
  }
  if (comparison->count == COLUMNS_MOST) {
    return error_set(error, ERR_LIMIT, _("more than %d sources and publications"), COLUMNS_MOST);
  }
  const struct source_config *source = config_source(comparison->workspace->config, code);
  const struct counts_config none = {.date = COUNTS_NOT_STATED}, *counts = source == NULL ? &none : &source->counts;
  comparison->heads[comparison->count++] = (struct column_head){
      .name = name,
      .title = name,
      .source = source,
      .aspects = {code_label(comparison, "unit", counted), counts->definition,
                  definitions_date((enum counts_date)counts->date), covers == NULL ? counts->coverage : covers}};
  return OK;
}

/* The department of a place; "" where it is the whole country. */
static struct slice department_of(const struct workspace *workspace, struct slice place) {
  const struct codelist *places = codelists_find(workspace->lists, "place");
  const struct code *code = places == NULL || place.len == 0 ? NULL : codelist_code(places, place);
  for (int depth = 0; code != NULL && code->parent != NULL && depth < 8; depth++) {
    code = codelist_code(places, slice_of(code->parent));
  }
  return code == NULL ? place : slice_of(code->code);
}

static enum status add_published(struct comparison *comparison, const struct published *row, struct arena *arena,
                                 struct error *error) {
  int64_t value = 0;
  size_t column = 0, at = 0;
  char key[KEY_MOST];
  if (!is_comparable(comparison->indicator, row->values[AGG_UNIT]) || !is_total(row) || row->values[AGG_PERIOD].len < 4
      || !text_to_int64(row->values[AGG_VALUE], &value)) {
    return OK;
  }
  enum status status = column_of(comparison, row, arena, &column, error);
  if (status != OK) {
    return status;
  }
  size_t len = make_key(key, slice_make(row->values[AGG_PERIOD].data, 4),
                        department_of(comparison->workspace, row->values[AGG_PLACE]));
  status = row_of(comparison, slice_make(key, len), &at, error);
  if (status == OK) {
    enum fit fit = fit_of(row);
    if (fit > comparison->fits[at][column]) {
      comparison->fits[at][column] = (uint8_t)fit;
      comparison->figures[at][column] = value;
    } else if (fit == comparison->fits[at][column]) {
      comparison->figures[at][column] += value;
    }
  }
  return status;
}

static enum status add_publications(struct comparison *comparison, struct arena *arena, struct error *error) {
  static const char *const names[] = {"source",  "publisher",     "unit",      "period", "place",
                                      "station", "category",      "breakdown", "sex",    "age_band",
                                      "value",   "snapshot_date", "population"};
  struct map *dictionary = map_new();
  struct grid grid = {0};
  enum status status = dictionary == NULL ? error_memory(error)
                                          : grid_load(comparison->workspace->store, "aggregates", names, AGG_COLUMNS,
                                                      (struct grid_scope){0}, dictionary, &grid, error);
  for (size_t i = 0; i < grid.count && status == OK; i++) {
    struct published row;
    for (size_t c = 0; c < AGG_COLUMNS; c++) {
      uint32_t value = grid_value(&grid, i, c);
      row.values[c] = value == MAP_NONE ? slice_of("") : map_key(dictionary, value);
    }
    status = add_published(comparison, &row, arena, error);
  }
  grid_free(&grid);
  map_free(dictionary);
  return status;
}

/* ---- the report ---- */

static int by_key(const void *a, const void *b, void *context) {
  const struct comparison *comparison = context;
  return slice_compare(map_key(comparison->rows, *(const uint32_t *)a),
                       map_key(comparison->rows, *(const uint32_t *)b));
}

/* Whether a column has any figure: a source that knows nothing of what is asked is named below instead. */
static bool is_used(const struct comparison *comparison, size_t column) {
  for (size_t row = 0; row < map_count(comparison->rows); row++) {
    if (comparison->figures[row][column] != NONE) {
      return true;
    }
  }
  return false;
}

/* Whether the column's source has figures in another one. */
static bool publishes(const struct comparison *comparison, size_t column) {
  const struct source_config *source = comparison->heads[column].source;
  for (size_t c = column + 1; c < comparison->count && source != NULL; c++) {
    if (comparison->heads[c].source == source) {
      return true;
    }
  }
  return false;
}

/* Its column stands after those of the sources. */
static bool is_consolidated(const struct comparison *comparison, size_t column) {
  return column == comparison->consolidated_at;
}

static void add_figure(const struct comparison *comparison, uint32_t row, size_t column, bool part,
                       struct report *report) {
  static const struct extent unknown = {.hidden = true, .unlinkable = -1};
  int64_t figure = comparison->figures[row][column];
  const struct extent own = {.figure = figure, .hidden = figure == HIDDEN};
  if (figure == NONE && is_consolidated(comparison, column) && comparison->unlisted && part) {
    report_figure(report, &unknown);
  } else if (figure == NONE) {
    report_null(report);
  } else {
    report_figure(report, is_consolidated(comparison, column) ? &comparison->consolidated[row] : &own);
  }
}

static void add_row(const struct comparison *comparison, uint32_t row, struct report *report) {
  struct slice key = map_key(comparison->rows, row);
  const char *bar = memchr(key.data, '|', key.len);
  struct slice year = slice_make(key.data, (size_t)(bar - key.data));
  struct slice department = slice_make(bar + 1, key.len - year.len - 1);
  const struct codelist *places = codelists_find(comparison->workspace->lists, "place");
  const struct code *code = places == NULL ? NULL : codelist_code(places, department);
  const char *year_text = arena_text(report->arena, year), *text = arena_text(report->arena, department);
  if (year_text == NULL || text == NULL) {
    report->failed = ERR_MEMORY;
    return;
  }
  bool no_year = slice_is(year, "~"), no_place = slice_is(department, "~");
  report_code(report, no_year ? NULL : year_text, no_year ? _("not recorded") : year_text);
  if (department.len == 0) {
    report_code(report, "all", _("(all)"));
  } else if (no_place) {
    report_code(report, NULL, _("not recorded"));
  } else {
    report_code(report, text, code == NULL ? text : comparison->request->spanish ? code->label_es : code->label_en);
  }
  for (size_t c = 0; c < comparison->count; c++) {
    if (comparison->used[c]) {
      add_figure(comparison, row, c, department.len > 0, report);
    }
  }
}

static enum status note_meanings(const struct comparison *comparison, struct report *report, struct error *error) {
  struct meaning meanings[COLUMNS_MOST];
  size_t count = 0;
  for (size_t c = 0; c < comparison->count; c++) {
    if (comparison->used[c] && !comparison->heads[c].part) {
      meanings[count].column = comparison->heads[c].title;
      memcpy(meanings[count++].aspects, comparison->heads[c].aspects, sizeof meanings->aspects);
    }
  }
  return definitions_note(meanings, count, report, error);
}

static enum status add_rows(struct comparison *comparison, struct report *report, struct error *error) {
  size_t count = map_count(comparison->rows);
  uint32_t *order = malloc((count + 1) * sizeof *order);
  if (order == NULL) {
    return error_memory(error);
  }
  for (uint32_t i = 0; i < count; i++) {
    order[i] = i;
  }
  qsort_r(order, count, sizeof *order, by_key, comparison);
  report_column(report, "year", _("Year"), REPORT_TEXT);
  report_column(report, "department", _("Department"), REPORT_TEXT);
  for (size_t c = 0; c < comparison->count; c++) {
    comparison->used[c] = is_used(comparison, c);
    const struct column_head *head = &comparison->heads[c];
    if (comparison->used[c]) {
      report_column(report, head->name, head->title, REPORT_COUNT);
      report_bounds(report, is_consolidated(comparison, c) ? BOUNDS_ALL : BOUNDS_NONE);
    } else if (!head->part && !publishes(comparison, c)) {
      report_note(report, _("%s: no record of this"), head->title);
    }
  }
  for (size_t i = 0; i < count; i++) {
    add_row(comparison, order[i], report);
  }
  free(order);
  return note_meanings(comparison, report, error);
}

static enum status gather(struct comparison *comparison, struct report *report, struct error *error) {
  enum status status = add_records(comparison, report->arena, error);
  status = status == OK ? add_publications(comparison, report->arena, error) : status;
  return status == OK ? add_rows(comparison, report, error) : status;
}

/* So many small figures would hide most others. */
static enum status read_by(const struct report_request *request, bool *by_source, struct error *error) {
  *by_source = request->by_count == 1 && strcmp(request->by[0], "source") == 0;
  if (request->by_count == 0 || (*by_source && request->exact)) {
    return OK;
  }
  if (*by_source) {
    error_set(error, ERR_USAGE, "%s", _("which source alone has a person is told in exact figures only"));
    error_hint(error, "%s", _("--exact --purpose \"what they are for\": the log records it"));
    return ERR_USAGE;
  }
  error_set(error, ERR_USAGE, _("the report discrepancy cannot be broken down by '%s'"), request->by[0]);
  error_hint(error, "%s", _("--by source, or nothing: it is by year and department"));
  return ERR_USAGE;
}

enum status report_discrepancy(const struct workspace *workspace, const struct report_request *request,
                               struct report *report, struct error *error) {
  struct indicator indicator;
  const char *const folders[2] = {workspace->config->indicator_folders[0], workspace->config->indicator_folders[1]};
  const char *name = request->indicator == NULL ? "victims" : request->indicator;
  enum status status = indicator_load(folders, name, report->arena, &indicator, error);
  bool by_source = false;
  status = status == OK ? read_by(request, &by_source, error) : status;
  if (status != OK) {
    return status;
  }
  struct comparison comparison = {.workspace = workspace,
                                  .request = request,
                                  .indicator = &indicator,
                                  .rows = map_new(),
                                  .guarded = report->guarded,
                                  .by_source = by_source};
  report->title = request->spanish ? indicator.label_es : indicator.label_en;
  status = comparison.rows == NULL ? error_memory(error) : gather(&comparison, report, error);
  if (status == OK) {
    report_rounded(report, comparison.rounded);
  }
  if (status == OK && comparison.used[comparison.consolidated_at]) {
    report_total(report, &comparison.total, comparison.waiting, indicator.unit == UNIT_CASE);
    report->total_title = _("Consolidated");
    report_note(
        report, "%s",
        _("A source's figure is what it has of the consolidated one; in several sources and in one only make it."));
  }
  if (status == OK && comparison.withheld) {
    report_note(report, "%s",
                _("Sources are hidden: they are protected by year and department, not with other filters, and are not "
                  "rounded."));
  }
  if (status == OK) {
    if (comparison.unlisted) {
      report->concealed++;
      report_note(report, "%s", _("What is not listed counts nobody, or is hidden: that too would tell too much."));
    }
    report_note(report, "%s", _("Columns are never added up. Blank: no record there, or nothing published."));
  }
  map_free(comparison.rows);
  free(comparison.figures);
  free(comparison.fits);
  free(comparison.consolidated);
  return status;
}
