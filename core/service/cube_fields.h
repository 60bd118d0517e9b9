/* Which columns of which view a count needs. Internal to core/service/cube*.c. */
#ifndef PUENTE_SERVICE_CUBE_FIELDS_H
#define PUENTE_SERVICE_CUBE_FIELDS_H

#include "core/service/cube.h"
#include "core/service/grid.h"

/* Columns of one grid: fixed ones first, then those that fields ask for. */
struct columns {
  const char *names[GRID_COLUMNS_MOST];
  size_t count;
};

/* Fixed columns, by grid. A consolidated case has a number of records in the place of its row. */
enum { PART_PERSON, PART_CASE, PART_ROW, PART_RECORD, PART_SOURCE, PART_ROLE, PART_AGE, PART_FIXED };
enum { WHO_PERSON, WHO_BIRTH, WHO_RESIDENCE, WHO_FIXED };
enum {
  CASE_ID,
  CASE_ROW,
  CASE_RECORDS = CASE_ROW,
  CASE_RECORD,
  CASE_PLACE,
  CASE_FACTS,
  CASE_FILING,
  CASE_REGISTRATION,
  CASE_FIXED
};

struct cube_plan {
  const struct cube_request *request;
  struct columns parts, people, cases; /* involvements, persons, cases */
  struct cube_field by[CUBE_AXES_MOST];
  struct cube_field conditions[CUBE_CONDITIONS_MOST];
  const char *wanted[CUBE_CONDITIONS_MOST]; /* "": not recorded */
  size_t condition_count;
};

/* ERR_USAGE with the nearest name for a field that the indicator's unit does not have. */
enum status cube_plan_make(const struct cube_request *request, struct cube_plan *plan, struct error *error) MUST_CHECK;

/* Whether a field or a condition is of that kind. */
bool cube_plan_has(const struct cube_plan *plan, enum cube_kind kind);

/* The first of ';'-joined values, taken off the front. */
struct slice cube_next_value(struct slice *text);
/* The ancestor of a place, or the place itself: level 0 the department, 1 the province; NULL: it lies above. */
const char *cube_ancestor(const struct codelist *places, struct slice place, int level);
/* What a year, department or purposes are as period, region, or groups of purposes, as dictionary values. A code
 * without a group is not recorded: MAP_NONE, and among several purposes an empty text in front. */
uint32_t cube_coarser(const struct cube_request *request, const struct cube_field *field, struct map *dictionary,
                      uint32_t value);

/* The field one step coarser (province, department, region; month, year, period; purposes, purpose_group; age,
 * age_band), NULL: there is none; and the finest of its steps. Fields that have steps in common have the same finest
 * one, any other is its own. */
const char *cube_coarser_field(const char *field);
const char *cube_finest_field(const char *field);

/* How far each case got and what was decided, by dictionary value of its case_id: the furthest stage on record as a
 * position in the list, or -1 (a rescue is an intervention); decisions as bits of their positions. */
struct cube_progress {
  const struct codelist *stages, *decisions;
  int *furthest;
  uint64_t *decided;
  size_t count;
};
enum status cube_progress_load(const struct cube_request *request, struct map *dictionary,
                               struct cube_progress *progress, struct error *error) MUST_CHECK;
void cube_progress_free(struct cube_progress *progress);
/* Codes as dictionary values: one stage; decisions joined by ';', MAP_NONE where there are none. */
uint32_t cube_stage(const struct cube_progress *progress, struct map *dictionary, uint32_t id);
uint32_t cube_decisions(const struct cube_progress *progress, struct map *dictionary, uint32_t id);

#endif
