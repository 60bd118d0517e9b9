#include "core/service/cube_overlap.h"

#include "core/disclose/disclose.h"
#include "core/service/cube_fields.h"

#include <stdio.h>
#include <stdlib.h>

enum { YEAR, DEPARTMENT, FIELDS };
enum { PAIRS, SETS, AXES };       /* of the problem: a year and department together, and sources */
enum { CROSSTABS = 1 << FIELDS }; /* in all, by year, by department, by both: bits of their fields */
enum { TURNS_MOST = 6 };
static const char *const NAMES[FIELDS] = {"year", "department"};

/* `several` and `one` are the halves of one table. */
enum content { CONTENT_SPLIT, CONTENT_ONLY, CONTENT_SOURCE };
struct part {
  bool whole; /* by year; else by year and department */
  enum content content;
  size_t source; /* of CONTENT_SOURCE */
};

/* A crosstab's cells: by pair its group, by group what is shown of it. */
struct crosstab {
  uint32_t *group, groups;
  uint8_t *status;
  int64_t *shown; /* -1: hidden */
};

struct overlapping {
  const struct cube_request *request;
  bool suppress;
  struct condition rest[CUBE_CONDITIONS_MOST]; /* filters of other fields */
  size_t rest_count, source_count;
  const char *wanted[FIELDS]; /* of the filters by year and department; NULL: none */
  struct cube_rows read;
  struct map *values[FIELDS]; /* by text; the first is what is not recorded */
  struct map *pairs, *sets;   /* atoms: values of both fields; sources by bit */
  uint64_t all;               /* sources that have anybody */
  uint32_t counts[AXES];
  struct disclose_row *rows;
  struct crosstab crosstabs[CROSSTABS];
  uint32_t *lines[2]; /* by pair, of departments and of years; DISCLOSE_NONE: not published */
  struct part parts[DISCLOSE_TABLES_MOST];
  struct disclose_table tables[DISCLOSE_TABLES_MOST]; /* crosstabs, then parts */
  size_t table_count;
  struct disclose_result result;
};

/* ---- units ---- */

/* The sources of records: of a person's by row id, of a case's by case id. */
struct sources {
  struct map *ids;
  uint64_t *sets; /* by position in `ids` */
};

static uint64_t source_bit(const struct config *config, struct slice code) {
  for (size_t i = 0; i < config->source_count; i++) {
    if (slice_is(code, config->sources[i].code)) {
      return UINT64_C(1) << i;
    }
  }
  return 0;
}

static enum status sources_read(const struct overlapping *overlapping, struct sources *sources, struct error *error) {
  const struct workspace *workspace = overlapping->request->workspace;
  bool persons = overlapping->request->indicator->unit == UNIT_PERSON;
  const char *const names[] = {persons ? "row_id" : "case_id", "source"};
  struct grid grid = {0};
  sources->ids = map_new();
  enum status status = sources->ids == NULL ? error_memory(error)
                                            : grid_load(workspace->store, persons ? "involvements" : "case_records",
                                                        names, 2, (struct grid_scope){0}, sources->ids, &grid, error);
  sources->sets = status == OK ? calloc(map_count(sources->ids) + 1, sizeof *sources->sets) : NULL;
  if (status == OK && sources->sets == NULL) {
    status = error_memory(error);
  }
  for (size_t i = 0; i < grid.count && status == OK; i++) {
    uint32_t id = grid_value(&grid, i, 0), source = grid_value(&grid, i, 1);
    if (id != MAP_NONE && source != MAP_NONE) {
      sources->sets[id] |= source_bit(workspace->config, map_key(sources->ids, source));
    }
  }
  grid_free(&grid);
  return status;
}

static uint64_t set_of(const struct sources *sources, struct slice id) {
  uint32_t at = map_get(sources->ids, id);
  return at == MAP_NONE ? 0 : sources->sets[at];
}

static uint64_t set_of_row(const struct overlapping *overlapping, const struct sources *sources,
                           const struct cube_row *row) {
  char text[24];
  uint64_t set = 0;
  if (overlapping->request->indicator->unit == UNIT_CASE) {
    return set_of(sources, map_key(overlapping->read.dictionary, row->unit));
  }
  for (uint32_t i = 0; i < row->part_count; i++) {
    int len = snprintf(text, sizeof text, "%lld", (long long)overlapping->read.parts[row->part + i]);
    set |= set_of(sources, slice_make(text, (size_t)len));
  }
  return set;
}

static int by_unit_and_year(const void *a, const void *b) {
  const struct cube_row *left = a, *right = b;
  if (left->unit != right->unit) {
    return left->unit < right->unit ? -1 : 1;
  }
  return left->values[YEAR] < right->values[YEAR] ? -1 : left->values[YEAR] > right->values[YEAR];
}

/* Rows of a unit and year have one set: whose records are behind any of them. */
static enum status make_sets(struct overlapping *overlapping, const struct sources *sources, struct error *error) {
  struct cube_rows *read = &overlapping->read;
  qsort(read->rows, read->count, sizeof *read->rows, by_unit_and_year);
  for (size_t from = 0, to; from < read->count; from = to) {
    uint64_t set = 0;
    for (to = from; to < read->count && by_unit_and_year(&read->rows[to], &read->rows[from]) == 0; to++) {
      set |= set_of_row(overlapping, sources, &read->rows[to]);
    }
    overlapping->all |= set;
    uint32_t atom = map_intern(overlapping->sets, slice_make((const char *)&set, sizeof set));
    if (atom == MAP_NONE) {
      return error_memory(error);
    }
    for (size_t i = from; i < to; i++) {
      overlapping->rows[i].unit = read->rows[i].unit;
      overlapping->rows[i].atoms[SETS] = atom;
    }
  }
  overlapping->counts[SETS] = map_count(overlapping->sets);
  return OK;
}

static enum status make_values(struct overlapping *overlapping, struct error *error) {
  const struct cube_rows *read = &overlapping->read;
  for (size_t field = 0; field < FIELDS; field++) {
    overlapping->values[field] = map_new();
    if (overlapping->values[field] == NULL || map_intern(overlapping->values[field], slice_of("")) == MAP_NONE) {
      return error_memory(error);
    }
  }
  for (size_t i = 0; i < read->count; i++) {
    uint32_t pair[FIELDS];
    for (size_t field = 0; field < FIELDS; field++) {
      uint32_t value = read->rows[i].values[field];
      pair[field] = value == MAP_NONE ? 0 : map_intern(overlapping->values[field], map_key(read->dictionary, value));
      if (pair[field] == MAP_NONE) {
        return error_memory(error);
      }
    }
    uint32_t atom = map_intern(overlapping->pairs, slice_make((const char *)pair, sizeof pair));
    if (atom == MAP_NONE) {
      return error_memory(error);
    }
    overlapping->rows[i].atoms[PAIRS] = atom;
  }
  overlapping->counts[PAIRS] = map_count(overlapping->pairs);
  return OK;
}

static uint32_t value_of(const struct overlapping *overlapping, uint32_t pair, size_t field) {
  uint32_t values[FIELDS];
  memcpy(values, map_key(overlapping->pairs, pair).data, sizeof values);
  return values[field];
}

static struct cube_request ask(const struct overlapping *overlapping) {
  return (struct cube_request){.workspace = overlapping->request->workspace,
                               .indicator = overlapping->request->indicator,
                               .by = NAMES,
                               .by_count = FIELDS,
                               .conditions = overlapping->rest,
                               .condition_count = overlapping->rest_count};
}

static enum status read_units(struct overlapping *overlapping, struct error *error) {
  const struct cube_request asked = ask(overlapping);
  struct sources sources = {0};
  enum status status = cube_rows_read(&asked, &overlapping->read, error);
  if (status == OK) {
    overlapping->rows = calloc(overlapping->read.count + 1, sizeof *overlapping->rows);
    overlapping->sets = map_new();
    overlapping->pairs = map_new();
    status =
        overlapping->rows == NULL || overlapping->sets == NULL || overlapping->pairs == NULL ? error_memory(error) : OK;
  }
  status = status == OK ? sources_read(overlapping, &sources, error) : status;
  status = status == OK ? make_sets(overlapping, &sources, error) : status;
  status = status == OK ? make_values(overlapping, error) : status;
  map_free(sources.ids);
  free(sources.sets);
  return status;
}

/* ---- what a crosstab shows ---- */

static enum status make_crosstab(struct overlapping *overlapping, uint32_t chosen, struct arena *arena,
                                 struct error *error) {
  struct crosstab *crosstab = &overlapping->crosstabs[chosen];
  uint32_t pairs = overlapping->counts[PAIRS];
  crosstab->groups = chosen == 0                 ? 1
                     : chosen == 1 << YEAR       ? map_count(overlapping->values[YEAR])
                     : chosen == 1 << DEPARTMENT ? map_count(overlapping->values[DEPARTMENT])
                                                 : pairs;
  crosstab->group = arena_array(arena, pairs, sizeof *crosstab->group);
  crosstab->status = arena_array(arena, crosstab->groups, sizeof *crosstab->status);
  crosstab->shown = arena_array(arena, crosstab->groups, sizeof *crosstab->shown);
  if (crosstab->group == NULL || crosstab->status == NULL || crosstab->shown == NULL) {
    return error_memory(error);
  }
  for (uint32_t pair = 0; pair < pairs; pair++) {
    crosstab->group[pair] = chosen == 0                 ? 0
                            : chosen == 1 << YEAR       ? value_of(overlapping, pair, YEAR)
                            : chosen == 1 << DEPARTMENT ? value_of(overlapping, pair, DEPARTMENT)
                                                        : pair;
  }
  memset(crosstab->status, DISCLOSE_ABSENT, crosstab->groups);
  memset(crosstab->shown, 0xff, crosstab->groups * sizeof *crosstab->shown);
  return OK;
}

/* The group of a cell by the chosen fields; MAP_NONE: of none. */
static uint32_t group_of_cell(const struct overlapping *overlapping, uint32_t chosen, const struct cube *cube,
                              const struct cube_cell *cell) {
  uint32_t pair[FIELDS] = {0}, at = 0;
  for (size_t field = 0; field < FIELDS; field++) {
    if ((chosen >> field & 1) != 0) {
      uint32_t value = cell->values[at++];
      pair[field] = value == MAP_NONE ? 0 : map_get(overlapping->values[field], map_key(cube->dictionary, value));
    }
  }
  return chosen == 0                 ? 0
         : chosen == 1 << YEAR       ? pair[YEAR]
         : chosen == 1 << DEPARTMENT ? pair[DEPARTMENT]
                                     : map_get(overlapping->pairs, slice_make((const char *)pair, sizeof pair));
}

static enum status run_crosstab(struct overlapping *overlapping, uint32_t chosen, struct error *error) {
  struct crosstab *crosstab = &overlapping->crosstabs[chosen];
  struct cube_request asked = ask(overlapping);
  const char *by[FIELDS];
  struct cube cube;
  asked.guard = true;
  asked.by = by;
  asked.by_count = 0;
  for (size_t field = 0; field < FIELDS; field++) {
    if ((chosen >> field & 1) != 0) {
      by[asked.by_count++] = NAMES[field];
    }
  }
  enum status status = cube_run(&asked, &cube, error);
  if (status != OK) {
    return status;
  }
  const struct cube_cell total = {.extent = cube.total};
  for (size_t i = 0; i < (chosen == 0 ? 1 : cube.count); i++) {
    const struct cube_cell *cell = chosen == 0 ? &total : &cube.cells[i];
    uint32_t group = group_of_cell(overlapping, chosen, &cube, cell);
    if (group != MAP_NONE) {
      crosstab->status[group] = cell->extent.hidden ? DISCLOSE_SMALL : DISCLOSE_SHOWN;
      crosstab->shown[group] = cell->extent.hidden ? -1 : cell->extent.figure;
    }
  }
  cube_free(&cube);
  return OK;
}

/* ---- tables ---- */

/* Lines of parts: all; or where small ones are to be hidden only years, of which a crosstab shows that many. */
static void make_lines(struct overlapping *overlapping, int64_t least) {
  const struct crosstab *years = &overlapping->crosstabs[1 << YEAR];
  for (uint32_t pair = 0; pair < overlapping->counts[PAIRS]; pair++) {
    uint32_t year = value_of(overlapping, pair, YEAR);
    bool open = !overlapping->suppress || years->shown[year] >= least;
    overlapping->lines[true][pair] = open ? year : DISCLOSE_NONE;
    overlapping->lines[false][pair] = overlapping->suppress ? DISCLOSE_NONE : pair;
  }
}

/* What a set counts as; DISCLOSE_NONE: the table does not count it. */
static uint32_t group_of(const struct part *part, uint64_t set) {
  bool several = (set & (set - 1)) != 0;
  if (part->content == CONTENT_SOURCE) {
    return (set >> part->source & 1) == 0; /* whom it does not have follows from whom it has */
  }
  if (part->content == CONTENT_SPLIT) {
    return several ? OVERLAP_SEVERAL : OVERLAP_ONE;
  }
  return several || set == 0 ? DISCLOSE_NONE : (uint32_t)__builtin_ctzll(set);
}

static enum status add_part(struct overlapping *overlapping, const struct part *part, struct arena *arena,
                            struct error *error) {
  uint32_t sets = overlapping->counts[SETS], *group = arena_array(arena, sets, sizeof *group);
  uint32_t years = map_count(overlapping->values[YEAR]);
  if (group == NULL) {
    return error_memory(error);
  }
  for (uint32_t atom = 0; atom < sets; atom++) {
    uint64_t set;
    memcpy(&set, map_key(overlapping->sets, atom).data, sizeof set);
    group[atom] = group_of(part, set);
  }
  uint32_t groups = part->content == CONTENT_ONLY ? (uint32_t)overlapping->source_count : 2;
  overlapping->parts[overlapping->table_count] = *part;
  overlapping->tables[overlapping->table_count++] =
      (struct disclose_table){.name = overlapping->request->indicator->name,
                              .levels = {{.axis = PAIRS,
                                          .groups = part->whole ? years : overlapping->counts[PAIRS],
                                          .group = overlapping->lines[part->whole]},
                                         {.axis = SETS, .groups = groups, .group = group}},
                              .level_count = 2};
  return OK;
}

static enum status make_tables(struct overlapping *overlapping, struct arena *arena, struct error *error) {
  enum status status = OK;
  overlapping->table_count = 0;
  for (size_t i = 0; i < CROSSTABS; i++) {
    const struct crosstab *crosstab = &overlapping->crosstabs[i];
    overlapping->tables[overlapping->table_count++] =
        (struct disclose_table){.name = overlapping->request->indicator->name,
                                .levels = {{.axis = PAIRS, .groups = crosstab->groups, .group = crosstab->group}},
                                .level_count = 1,
                                .earlier = overlapping->suppress ? crosstab->status : NULL};
  }
  for (int whole = 0; whole < 2 && status == OK; whole++) {
    for (size_t i = 0; i < overlapping->source_count + 2 && status == OK; i++) {
      const struct part part = {.whole = whole == 1,
                                .content = i == 0   ? CONTENT_SPLIT
                                           : i == 1 ? CONTENT_ONLY
                                                    : CONTENT_SOURCE,
                                .source = i < 2 ? 0 : i - 2};
      status = part.content == CONTENT_ONLY && overlapping->suppress ? OK : add_part(overlapping, &part, arena, error);
    }
  }
  return status;
}

static enum status prepare(struct overlapping *overlapping, struct arena *arena, struct error *error) {
  enum status status = OK;
  for (uint32_t chosen = 0; chosen < CROSSTABS && status == OK; chosen++) {
    status = make_crosstab(overlapping, chosen, arena, error);
    status = status == OK && overlapping->suppress ? run_crosstab(overlapping, chosen, error) : status;
  }
  for (int i = 0; i < 2 && status == OK; i++) {
    overlapping->lines[i] = arena_array(arena, overlapping->counts[PAIRS], sizeof **overlapping->lines);
    status = overlapping->lines[i] == NULL ? error_memory(error) : OK;
  }
  return status;
}

/* With fewer and larger years until what a crosstab shows gives nothing away. */
static enum status decide(struct overlapping *overlapping, struct arena *arena, struct error *error) {
  const struct disclosure_config *settings = &overlapping->request->workspace->config->disclosure;
  bool suppress = overlapping->suppress;
  int64_t least = (int64_t)settings->k * 2;
  enum status status = prepare(overlapping, arena, error);
  for (int turn = 0; turn <= TURNS_MOST && status == OK; turn++, least *= 2) {
    make_lines(overlapping, turn == TURNS_MOST ? INT64_MAX : least);
    status = make_tables(overlapping, arena, error);
    const struct disclose_problem problem = {
        .settings = {.k = suppress ? settings->k : 1, .width = suppress ? settings->width : 0},
        .axes = overlapping->counts,
        .axis_count = AXES,
        .rows = overlapping->rows,
        .row_count = overlapping->read.count,
        .tables = overlapping->tables,
        .table_count = overlapping->table_count};
    status = status == OK ? disclose_run(&problem, arena, &overlapping->result, error) : status;
    if (status == OK && overlapping->result.exposed == 0) {
      return OK;
    }
  }
  return status;
}

/* ---- the outcome ---- */

static bool is_wanted(const struct overlapping *overlapping, uint32_t pair, size_t field) {
  const char *wanted = overlapping->wanted[field];
  return wanted == NULL || slice_is(map_key(overlapping->values[field], value_of(overlapping, pair, field)), wanted);
}

static enum status add_figure(const struct overlapping *overlapping, size_t at, uint32_t pair, uint32_t group,
                              struct arena *arena, struct overlap *overlap, struct error *error) {
  const struct part *part = &overlapping->parts[at];
  const struct disclose_table *table = &overlapping->tables[at];
  const struct disclose_figures *figures = &overlapping->result.tables[at];
  uint32_t line = overlapping->lines[part->whole][pair];
  uint32_t year = value_of(overlapping, pair, YEAR), department = value_of(overlapping, pair, DEPARTMENT);
  bool published = line != DISCLOSE_NONE;
  struct overlap_figure *figure = &overlap->figures[overlap->count];
  *figure = (struct overlap_figure){
      .whole = part->whole, .source = part->content == CONTENT_ONLY ? group : part->source, .hidden = !published};
  if (published) {
    size_t place = disclose_place(table, (uint32_t[]){line, group});
    figure->count = figures->counts[place];
    figure->hidden = figure->count > 0 && !disclose_is_shown(figures->status[place]);
  }
  figure->kind = part->content == CONTENT_SPLIT  ? (enum overlap_kind)group
                 : part->content == CONTENT_ONLY ? OVERLAP_ONLY
                                                 : OVERLAP_SOURCE;
  figure->year = year == 0 ? NULL : arena_text(arena, map_key(overlapping->values[YEAR], year));
  figure->department = department == 0 ? NULL : arena_text(arena, map_key(overlapping->values[DEPARTMENT], department));
  if ((year != 0 && figure->year == NULL) || (department != 0 && figure->department == NULL)) {
    return error_memory(error);
  }
  overlap->count++;
  if (overlapping->wanted[DEPARTMENT] != NULL) { /* the department that was asked for is all */
    overlap->figures[overlap->count] = *figure;
    overlap->figures[overlap->count++].whole = true;
  }
  return OK;
}

/* Sources that have nobody at all have no figures. */
static bool has_anybody(const struct overlapping *overlapping, const struct part *part, uint32_t group) {
  size_t source = part->content == CONTENT_ONLY ? group : part->source;
  return part->content == CONTENT_SPLIT || (overlapping->all >> source & 1) != 0;
}

/* A row for a year and department that no crosstab lists would tell that there is somebody. */
static bool is_asked(const struct overlapping *overlapping, const struct part *part, uint32_t pair) {
  bool listed =
      part->whole || !overlapping->suppress || overlapping->crosstabs[CROSSTABS - 1].status[pair] != DISCLOSE_ABSENT;
  return listed && is_wanted(overlapping, pair, YEAR) && is_wanted(overlapping, pair, DEPARTMENT);
}

static enum status tell(const struct overlapping *overlapping, struct arena *arena, struct overlap *overlap,
                        struct error *error) {
  uint32_t pairs = overlapping->counts[PAIRS];
  size_t most = (size_t)pairs * 4 * (overlapping->source_count * 2 + 2);
  overlap->figures = arena_array(arena, most + 1, sizeof *overlap->figures);
  enum status status = overlap->figures == NULL ? error_memory(error) : OK;
  for (size_t t = CROSSTABS; t < overlapping->table_count && status == OK; t++) {
    const struct part *part = &overlapping->parts[t];
    bool asked = !part->whole || overlapping->wanted[DEPARTMENT] == NULL;
    for (uint32_t pair = 0; pair < pairs && asked && status == OK; pair++) {
      if (!is_asked(overlapping, part, pair)) {
        continue;
      }
      for (uint32_t group = 0; group < overlapping->tables[t].levels[1].groups && status == OK; group++) {
        bool beside = part->content == CONTENT_SOURCE && group != 0;
        if (!beside && has_anybody(overlapping, part, group)) {
          status = add_figure(overlapping, t, pair, group, arena, overlap, error);
        }
      }
    }
  }
  return status;
}

static enum status count(struct overlapping *overlapping, struct arena *arena, struct overlap *overlap,
                         struct error *error) {
  struct arena *own = arena_new(0);
  enum status status = own == NULL ? error_memory(error) : read_units(overlapping, error);
  if (status == OK && overlapping->read.count > 0) {
    status = decide(overlapping, own, error);
    status = status == OK ? tell(overlapping, arena, overlap, error) : status;
  }
  arena_free(own);
  return status;
}

/* The first filter by year or department picks lines; all others pick units. A label that is asked for is its code. */
static enum status read_filters(struct overlapping *overlapping, struct error *error) {
  const struct cube_request *request = overlapping->request;
  struct cube_plan plan;
  enum status status = cube_plan_make(request, &plan, error);
  for (size_t i = 0; i < request->condition_count && status == OK; i++) {
    size_t field = 0;
    while (field < FIELDS
           && (strcmp(request->conditions[i].field, NAMES[field]) != 0 || overlapping->wanted[field] != NULL)) {
      field++;
    }
    if (field < FIELDS) {
      overlapping->wanted[field] = plan.wanted[request->indicator->condition_count + i];
    } else {
      overlapping->rest[overlapping->rest_count++] = request->conditions[i];
    }
  }
  return status;
}

enum status overlap_run(const struct cube_request *request, struct arena *arena, struct overlap *overlap,
                        struct error *error) {
  struct overlapping *overlapping = calloc(1, sizeof *overlapping);
  *overlap = (struct overlap){.count = 0};
  if (overlapping == NULL) {
    return error_memory(error);
  }
  overlapping->request = request;
  overlapping->suppress = request->guard && request->workspace->config->disclosure.k > 1;
  overlapping->source_count = request->workspace->config->source_count;
  enum status status = OK;
  if (overlapping->source_count > OVERLAP_SOURCES_MOST) {
    status = error_set(error, ERR_LIMIT, _("more than %d sources cannot be laid side by side"), OVERLAP_SOURCES_MOST);
  }
  status = status == OK ? read_filters(overlapping, error) : status;
  overlap->withheld =
      request->guard
      && (request->workspace->config->disclosure.base > 0 || (overlapping->suppress && overlapping->rest_count > 0));
  status = status == OK && !overlap->withheld ? count(overlapping, arena, overlap, error) : status;
  for (size_t field = 0; field < FIELDS; field++) {
    map_free(overlapping->values[field]);
  }
  map_free(overlapping->pairs);
  map_free(overlapping->sets);
  cube_rows_free(&overlapping->read);
  free(overlapping->rows);
  free(overlapping);
  return status;
}
