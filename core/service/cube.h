/* Counting: an indicator's figure by up to four fields, over consolidated persons or cases, or over the rows of one
 * source as that source would count them.
 *
 * Every figure comes with the records behind it, what it would be if every waiting pair were accepted, and the records
 * that cannot be linked; a source's own figure has no such doubt.
 *
 * A person is counted once in each cell, whatever the number of records, sources and cases; the total counts each once.
 * Where sources differ on a person's part in a case, the first of them by config_turn speaks. */
#ifndef PUENTE_SERVICE_CUBE_H
#define PUENTE_SERVICE_CUBE_H

#include "core/base/map.h"
#include "core/service/doubt.h"
#include "core/service/indicator.h"
#include "core/service/workspace.h"

enum { CUBE_FIELDS_MOST = 4, CUBE_AXES_MOST = 8, CUBE_CONDITIONS_MOST = 16 };

/* Names that are computed; every other one is a field of involvement, person or case, the first that has a value. */
enum cube_kind {
  CUBE_FIELD,
  CUBE_YEAR,
  CUBE_PERIOD, /* of years, as long as the indicator says */
  CUBE_MONTH,
  CUBE_REGION, /* the group of the department */
  CUBE_DEPARTMENT,
  CUBE_PROVINCE,
  CUBE_AGE,
  CUBE_AGE_BAND,
  CUBE_STAGE,
  CUBE_DECISION,
  CUBE_PURPOSE_GROUP /* groups of `purposes` */
};

struct cube_field {
  const char *name;
  enum cube_kind kind;
  const struct field *field;       /* of CUBE_FIELD; else NULL */
  bool many;                       /* several values, ';'-joined */
  const char *codelist;            /* for labels; NULL: values speak for themselves */
  const struct indicator *axes;    /* whose dates, places and ages */
  int involvement, person, record; /* column of each grid; -1: none */
};

/* Where a value of a unit came from: a field of the involvement `row_id`, of the person or of the case; entity NULL: it
 * is not recorded. Stage and decision come from all "proceeding"s and "event"s of the case: then `field` is NULL. */
struct cube_origin {
  const char *entity, *field;
  int64_t row_id;
};
/* One unit as the rows of one case tell it; what is counted once may be told several times. */
struct cube_unit {
  int64_t id;          /* of the person or the case; of a source's own figure, the row */
  int64_t case_id;     /* 0: none */
  const int64_t *rows; /* involvements; none of a case */
  size_t row_count;
  const struct cube_field *fields; /* of the conditions, the indicator's first */
  const struct cube_origin *origins;
  const struct slice *values; /* NULL data: not recorded */
  size_t count;
};
/* Borrowed while the visit lasts; the store is free for other questions meanwhile. */
typedef enum status cube_visitor(void *context, const struct cube_unit *unit, struct error *error);

/* The group of a code in a grouping that was frozen: of a field "region" or "purpose_group"; NULL: it has none. */
typedef const char *cube_grouper(const void *groups, const char *field, struct slice code);

struct cube_request {
  const struct workspace *workspace;
  const struct indicator *indicator;
  const char *const *by;
  size_t by_count;
  const struct condition *conditions; /* besides the indicator's */
  size_t condition_count;
  const char *source;           /* NULL: consolidated */
  bool suppress;                /* of consolidated figures of now: what may not be shown is hidden (cube_lattice.h) */
  bool guard;                   /* what may not be shown is hidden so, or all is rounded, as `disclosure:` has it; what
                                 * is shown is written down first, where it has that */
  struct cube_lattice *lattice; /* suppress: of the same indicator and at least these fields; NULL: made for this one */
  cube_visitor *visit;          /* told of each unit that meets the conditions; NULL: none */
  void *context;
  bool deepest;      /* months and provinces: where only the year or the department is recorded, that one */
  int64_t as_of_run; /* as the store stood after that run; 0: now. What is not settled is as it is now */
  const struct indicator *const *axes; /* by field: whose dates, places and ages it has; NULL: the indicator's own */
  cube_grouper *group;                 /* with `groups`; NULL: by the code lists of today */
  const void *groups;
};

/* What may be shown of all tables of an indicator by some fields and those of filters, or by coarser and fewer ones, so
 * that what several counts hang on is found out once (cube_lattice.h). */
struct cube_lattice;

struct cube_cell {
  uint32_t values[CUBE_FIELDS_MOST]; /* positions in the dictionary; MAP_NONE: not recorded */
  struct extent extent;
};
/* What may be shown of a table and its margins, as a reader is told it. */
struct cube_shown {
  size_t filled, kept; /* cells that are not empty; of those, shown */
  int share;           /* of the units, in steps of 5 %, still seen in a shown cell of the table; -1: not told */
  bool totalled;       /* how many units there are is shown */
  bool valued;         /* each field has a value that is recorded */
  bool withheld;       /* of some cells nothing is told, not even that they are empty: they are not in `filled` */
};
struct cube {
  struct map *dictionary;
  struct cube_field fields[CUBE_FIELDS_MOST];
  size_t field_count;
  struct cube_cell *cells; /* in the order of codes and text, what is not recorded last */
  size_t count;
  struct extent total;     /* each unit once */
  int64_t waiting;         /* waiting pairs between units of the total */
  size_t hidden;           /* of the cells */
  bool withheld;           /* suppress: cells that are not there may be empty or not */
  int rounded;             /* guard: to that base; 0: what is shown is exact */
  struct cube_shown shown; /* suppress */
  int64_t unlinked;        /* rows that belong to no consolidated person or case: not counted */
};

/* ERR_LIMIT where a table is too large to be protected. */
enum status cube_run(const struct cube_request *request, struct cube *cube, struct error *error) MUST_CHECK;
void cube_free(struct cube *cube);
/* What cube_run would show of that count, without its figures: `suppress` is taken as set. */
enum status cube_show(const struct cube_request *request, struct cube_shown *shown, struct error *error) MUST_CHECK;

/* Units before they are put together into cells: one row for each combination of values that a unit has in a case. */
struct cube_row {
  uint32_t values[CUBE_AXES_MOST]; /* as of a cell */
  uint32_t unit;                   /* position of its id in the dictionary */
  uint32_t part, part_count;       /* involvements that tell it, in `parts`; none of a case */
};
struct cube_rows {
  struct map *dictionary;
  struct cube_field fields[CUBE_AXES_MOST];
  size_t field_count; /* up to CUBE_AXES_MOST */
  struct cube_row *rows;
  size_t count;
  int64_t *parts; /* row ids */
  size_t part_count;
  int64_t unlinked;
};
enum status cube_rows_read(const struct cube_request *request, struct cube_rows *rows, struct error *error) MUST_CHECK;
void cube_rows_free(struct cube_rows *rows);

/* The order of a field's values: by their place in its code list (NULL: it has none) or by text, ages by number; what
 * is not recorded last. */
int cube_compare(const struct map *dictionary, const struct cube_field *field, const struct codelist *list, uint32_t a,
                 uint32_t b);

/* The group of a code in the list: a place's region, of a department; NULL: it has none. */
const char *cube_group(const struct codelists *lists, const char *list, struct slice code);

/* The label of a value in the language asked for; for MAP_NONE the words for "not recorded". `room` is used for text.
 */
const char *cube_label(const struct cube *cube, const struct codelists *lists, size_t field, uint32_t value,
                       bool spanish, char room[128]);

#endif
