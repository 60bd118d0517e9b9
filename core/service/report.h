/* Reports: typed results that a command prints and a console shows. Every figure of persons and cases enters a report
 * by report_figure, the one place where small cells can be told from others. */
#ifndef PUENTE_SERVICE_REPORT_H
#define PUENTE_SERVICE_REPORT_H

#include "core/base/buffer.h"
#include "core/service/doubt.h"
#include "core/service/workspace.h"

enum report_kind { REPORT_TEXT, REPORT_COUNT, REPORT_SHARE };

/* Figures of consolidated persons and cases are given to programs with columns beside them: NAME_least, if every
 * waiting pair were accepted; and for the whole of a row NAME_records and NAME_unlinkable. */
enum bounds { BOUNDS_NONE, BOUNDS_LEAST, BOUNDS_ALL };

struct report_column {
  const char *name, *title; /* for programs; for people, translated */
  enum report_kind kind;
  bool optional;      /* people need not see it where all its cells are zero */
  enum bounds bounds; /* what programs get beside the figure */
  bool found;         /* it is there because somebody is counted in it */
};
struct report_cell {
  bool null;
  bool hidden;       /* a figure that may not be shown: null, too */
  const char *text;  /* REPORT_TEXT: the value for programs */
  const char *label; /* for people; NULL: as the text */
  int64_t count;
  struct extent extent; /* of a column with bounds */
  double share;
};

/* Another table to ask for, where this one hides much. */
struct report_offer {
  const char *command; /* as it is typed */
  size_t filled, kept; /* as those of the report */
  int share;
};

enum { REPORT_OFFERS_MOST = 2 };
enum { REPORT_COLUMNS_MOST = 100, REPORT_NOTES_MOST = 256, REPORT_CELLS_MOST = 4000000 };

struct report {
  struct arena *arena;
  const char *title;
  struct report_column columns[REPORT_COLUMNS_MOST];
  size_t column_count;
  struct report_cell *cells; /* row by row */
  size_t count, capacity;
  bool guarded;        /* small figures are hidden; without, they were asked for exactly */
  size_t concealed;    /* figures that are hidden */
  int rounded;         /* every figure of persons and cases is, to this base; 0: none */
  size_t filled, kept; /* cells of its table and margins that are not zero, or listed; of those, shown. 0: not told */
  int share; /* least of what it counts that is in a shown figure of its finest table, in steps of 5 %; -1: not told */
  struct report_offer offers[REPORT_OFFERS_MOST];
  size_t offer_count;
  bool has_total; /* of figures whose cells cannot be added up: persons may be in several */
  struct extent total;
  int64_t total_waiting;                /* pairs */
  bool total_cases;                     /* of cases, not of persons */
  const char *total_title;              /* what is totalled; NULL: all of the table */
  const char *notes[REPORT_NOTES_MOST]; /* what a reader has to know */
  size_t note_count;
  enum status failed; /* sticks; report_check tells it */
};

enum { REPORT_FIELDS_MOST = 4, REPORT_FILTERS_MOST = 8 };

struct report_request {
  const char *name;
  const char *indicator; /* NULL: the report's own choice */
  const char *by[REPORT_FIELDS_MOST];
  size_t by_count;
  const char *across; /* crosstab: a further field, whose values become columns; NULL: none */
  struct report_filter {
    const char *field, *value;
  } filters[REPORT_FILTERS_MOST];
  size_t filter_count;
  const char *source;  /* NULL: all */
  bool spanish;        /* labels */
  bool exact;          /* nothing hidden: a right, a named person, and in the log before the read */
  const char *purpose; /* of `exact` */
};

struct report_entry {
  const char *name, *summary; /* N_() */
  bool decodes;               /* identifiers, to count them: in the log before they are read */
  enum status (*run)(const struct workspace *workspace, const struct report_request *request, struct report *report,
                     struct error *error);
  bool tells; /* tables of persons or cases, protected with each other */
};

/* Whether the report is written to the log before it reads: the workspace has to be WORKSPACE_WRITE. */
bool report_is_logged(const struct report_request *request);
/* Whether what it shows is written down first (`disclosure: {reports: ledger}`): then, too. */
bool report_is_told(const struct workspace *workspace, const struct report_request *request);
/* ERR_USAGE with the nearest name where there is no such report. The caller frees the report. */
enum status report_run(struct workspace *workspace, const struct report_request *request, struct report *report,
                       struct error *error) MUST_CHECK;
void report_free(struct report *report);

/* ---- filling; for the files report_*.c ---- */

void report_column(struct report *report, const char *name, const char *title, enum report_kind kind);
void report_optional(struct report *report); /* the column added last */
void report_found(struct report *report);    /* likewise */
void report_text(struct report *report, struct slice text);
void report_code(struct report *report, const char *code, const char *label); /* code NULL: nothing recorded */
void report_count(struct report *report, int64_t count);                      /* of records, runs, bytes */
void report_bounds(struct report *report, enum bounds bounds);                /* of the column added last */
void report_figure(struct report *report, const struct extent *extent);       /* of persons and cases */
/* Of all rows together, with the waiting pairs between what is counted. */
void report_total(struct report *report, const struct extent *extent, int64_t waiting, bool cases);
/* A count of records that may tell of few persons. */
void report_guarded(struct report *report, int64_t count, bool hidden);
void report_hidden(struct report *report); /* a share that would tell a hidden count */
void report_share(struct report *report, double share);
void report_null(struct report *report);
void report_note(struct report *report, const char *format, ...) PRINTF_LIKE(2, 3);
enum status report_check(const struct report *report, struct error *error) MUST_CHECK;

/* What of a table of persons or cases is shown, and where something is hidden, a note that says so. */
struct cube_shown;
void report_shown(struct report *report, const struct cube_shown *shown);
/* The figures are rounded to the base (0: they are not). Rows without any figure but zero are left out, and columns
 * that were found: what counts nobody is not there either. After the last cell. */
void report_rounded(struct report *report, int base);
/* For a crosstab of which something is hidden: what to ask for instead, as core/service/cube_offer.h has it. */
struct cube_request;
enum status report_offer(const struct cube_request *asked, const struct report_request *request,
                         const struct cube_shown *shown, struct report *report, struct error *error) MUST_CHECK;
/* Where no unit meets the conditions of what was asked: that, and which values there are, as notes. */
struct cube;
enum status report_none(const struct cube_request *asked, const struct cube *cube, struct report *report,
                        struct error *error) MUST_CHECK;
/* The report as an object beside its rows: {"title", "guarded", "rounded": base or null, "hidden", "shown": {"cells",
 * "of", "share"} or null, "offers": [{"command", "cells", "of", "share"}], "notes": [TEXT]}; a share is a number of per
 * cent, or null. */
enum status report_metadata(const struct report *report, struct buffer *out, struct error *error) MUST_CHECK;

struct cube_field;
const char *report_field_title(const struct cube_field *field, bool spanish);

typedef enum status report_function(const struct workspace *workspace, const struct report_request *request,
                                    struct report *report, struct error *error);
report_function report_sources, report_balance, report_completeness, report_stages, report_discrepancy, report_crosstab,
    report_indicators, report_totals, report_linkage;

#endif
