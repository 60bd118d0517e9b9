#include "core/base/text.h"
#include "core/service/grid.h"
#include "core/service/release_text.h"

#include <stdlib.h>
#include <string.h>

/* Which source gave records of cases for which department and year. */

enum { COLUMN_SOURCE, COLUMN_PLACE, COLUMN_DATE, COLUMNS };

struct coverage {
  const struct release_facts *facts;
  const struct codelist *places;
  struct map *dictionary, *sources, *departments; /* to numbers, departments by their place in the list */
  int first, last;                                /* years; first > last: none */
  int64_t *records;                               /* by source, department and year */
  size_t years;
  int64_t least; /* records that a year or its gap is told of */
};

static const char *department_of(const struct coverage *coverage, struct slice place) {
  const struct code *code = coverage->places == NULL ? NULL : codelist_code(coverage->places, place);
  for (int i = 0; i < 8 && code != NULL && code->parent != NULL; i++) {
    code = codelist_code(coverage->places, slice_of(code->parent));
  }
  return code == NULL ? NULL : code->code;
}

static int year_of(struct slice date) {
  int64_t year = 0;
  return date.len >= 4 && text_to_int64(slice_make(date.data, 4), &year) ? (int)year : 0;
}

static bool row_at(const struct coverage *coverage, const struct grid *grid, size_t row, uint32_t *source,
                   uint32_t *department, int *year) {
  uint32_t values[COLUMNS];
  for (size_t c = 0; c < COLUMNS; c++) {
    values[c] = grid_value(grid, row, c);
    if (values[c] == MAP_NONE) {
      return false;
    }
  }
  const char *code = department_of(coverage, map_key(coverage->dictionary, values[COLUMN_PLACE]));
  *source = map_intern(coverage->sources, map_key(coverage->dictionary, values[COLUMN_SOURCE]));
  *department = code == NULL ? MAP_NONE : map_get(coverage->departments, slice_of(code));
  *year = year_of(map_key(coverage->dictionary, values[COLUMN_DATE]));
  return *source != MAP_NONE && *department != MAP_NONE && *year > 0;
}

static size_t cell_of(const struct coverage *coverage, uint32_t source, uint32_t department, int year) {
  return ((size_t)source * map_count(coverage->departments) + department) * coverage->years
         + (size_t)(year - coverage->first);
}

static enum status count(struct coverage *coverage, const struct grid *grid, struct error *error) {
  uint32_t source, department;
  int year;
  for (size_t i = 0; coverage->places != NULL && i < codelist_size(coverage->places); i++) {
    const struct code *code = codelist_at(coverage->places, i);
    if (code->parent == NULL && map_intern(coverage->departments, slice_of(code->code)) == MAP_NONE) {
      return error_memory(error);
    }
  }
  coverage->first = 10000;
  for (size_t i = 0; i < grid->count; i++) {
    if (row_at(coverage, grid, i, &source, &department, &year)) {
      coverage->first = year < coverage->first ? year : coverage->first;
      coverage->last = year > coverage->last ? year : coverage->last;
    }
  }
  coverage->years = coverage->last < coverage->first ? 0 : (size_t)(coverage->last - coverage->first) + 1;
  size_t cells = coverage->years * map_count(coverage->departments) * map_count(coverage->sources);
  coverage->records = calloc(cells + 1, sizeof *coverage->records);
  if (coverage->records == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < grid->count && cells > 0; i++) {
    if (row_at(coverage, grid, i, &source, &department, &year)) {
      coverage->records[cell_of(coverage, source, department, year)]++;
    }
  }
  return OK;
}

static int by_text(const void *a, const void *b, void *context) {
  const struct map *map = context;
  return slice_compare(map_key(map, *(const uint32_t *)a), map_key(map, *(const uint32_t *)b));
}

static void put_row(const struct coverage *coverage, struct slice source, uint32_t department, int from, int to,
                    const char *records, struct buffer *out) {
  struct slice code = map_key(coverage->departments, department);
  buffer_printf(out, "%.*s,%.*s,%d,%d,%s\n", SLICE_ARG(source), SLICE_ARG(code), from, to, records);
}

static void put_source(const struct coverage *coverage, uint32_t source, struct buffer *out) {
  for (uint32_t d = 0; d < map_count(coverage->departments); d++) {
    int from = 0, to = 0;
    int64_t records = 0;
    for (int year = coverage->first; year <= coverage->last; year++) {
      int64_t here = coverage->records[cell_of(coverage, source, d, year)];
      records += here;
      from = from == 0 && here >= coverage->least ? year : from;
      to = here >= coverage->least ? year : to;
    }
    if (from > 0 && records >= coverage->facts->k) {
      put_row(coverage, map_key(coverage->sources, source), d, from, to, "enough", out);
    } else if (records > 0 && coverage->facts->base == 0) { /* of few records not even the years */
      put_row(coverage, map_key(coverage->sources, source), d, coverage->first, coverage->last, "few", out);
    }
  }
}

static bool has_source(const struct coverage *coverage, uint32_t department, int year) {
  int64_t records = 0;
  for (uint32_t s = 0; s < map_count(coverage->sources); s++) {
    records += coverage->records[cell_of(coverage, s, department, year)];
  }
  return records >= coverage->least;
}

/* Whether any department has a source in the year; rounded, a year of few is told no more than a figure of few. */
static bool is_told(const struct coverage *coverage, int year) {
  bool told = coverage->facts->base == 0;
  for (uint32_t d = 0; !told && d < map_count(coverage->departments); d++) {
    told = has_source(coverage, d, year);
  }
  return told;
}

static void put_gaps(const struct coverage *coverage, struct buffer *out) {
  int first = coverage->first, last = coverage->last;
  while (first <= last && !is_told(coverage, first)) {
    first++;
  }
  while (first <= last && !is_told(coverage, last)) {
    last--;
  }
  for (uint32_t d = 0; d < map_count(coverage->departments); d++) {
    for (int from = first, to; from <= last; from = to + 1) {
      for (to = from; to <= last && !has_source(coverage, d, to);) {
        to++;
      }
      if (to > from) {
        put_row(coverage, slice_of("no_source"), d, from, to - 1, coverage->facts->base > 0 ? "few" : "none", out);
      }
    }
  }
}

static enum status put(const struct coverage *coverage, struct buffer *out, struct error *error) {
  uint32_t known = map_count(coverage->sources);
  uint32_t *order = calloc(known + 1, sizeof *order);
  if (order == NULL) {
    return error_memory(error);
  }
  for (uint32_t i = 0; i < known; i++) {
    order[i] = i;
  }
  qsort_r(order, known, sizeof *order, by_text, coverage->sources);
  buffer_text(out, "source,department,from,to,records\n");
  for (uint32_t i = 0; i < known; i++) {
    put_source(coverage, order[i], out);
  }
  put_gaps(coverage, out);
  free(order);
  return OK;
}

enum status release_text_coverage(const struct release_facts *facts, struct arena *arena, struct ledger_table *table,
                                  struct error *error) {
  static const char *const dates[] = {"facts_on", "reported_on", "registered_on"};
  const char *const columns[COLUMNS] = {"source", "place", dates[facts->plan->tables[0].indicator.date]};
  struct coverage coverage = {.facts = facts,
                              .places = codelists_find(facts->workspace->lists, "place"),
                              .dictionary = map_new(),
                              .sources = map_new(),
                              .departments = map_new(),
                              .least = facts->base == 0         ? 1
                                       : facts->k > facts->base ? facts->k
                                                                : facts->base};
  struct grid grid = {0};
  struct buffer body;
  buffer_init(&body, RELEASE_TEXT_LIMIT);
  enum status status = OK;
  if (coverage.dictionary == NULL || coverage.sources == NULL || coverage.departments == NULL) {
    status = error_memory(error);
  }
  if (status == OK) {
    status = grid_load(facts->workspace->store, "case_records", columns, COLUMNS,
                       (struct grid_scope){.as_of_run = facts->run}, coverage.dictionary, &grid, error);
  }
  status = status == OK ? count(&coverage, &grid, error) : status;
  status = status == OK ? put(&coverage, &body, error) : status;
  if (status == OK) {
    status = release_text_finish(&body, "coverage", arena, table, error);
  } else {
    buffer_free(&body);
  }
  grid_free(&grid);
  free(coverage.records);
  map_free(coverage.dictionary);
  map_free(coverage.sources);
  map_free(coverage.departments);
  return status;
}
