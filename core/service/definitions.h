/* What figures that are laid side by side mean, and in which of it they differ, in words: unit, definition, date of the
 * period, coverage. Borrows all text. */
#ifndef PUENTE_SERVICE_DEFINITIONS_H
#define PUENTE_SERVICE_DEFINITIONS_H

#include "core/service/report.h"

enum { MEANING_UNIT, MEANING_DEFINITION, MEANING_DATE, MEANING_COVERAGE, MEANING_ASPECTS };

/* Of one column; an aspect that is NULL is not stated. */
struct meaning {
  const char *column;
  const char *aspects[MEANING_ASPECTS];
};

/* The words for a date of the indicator or of published figures, translated; NULL for COUNTS_NOT_STATED. */
const char *definitions_date(enum counts_date date);
/* Notes of the report: for each aspect in which the columns differ a line for each value with its columns, then what is
 * the same in all, and what nobody states. */
enum status definitions_note(const struct meaning *columns, size_t count, struct report *report,
                             struct error *error) MUST_CHECK;

#endif
