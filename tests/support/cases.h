/* Cases as text: one a line, fields parted by " | ", '#' begins a comment line. Any mistake in the file ends the test.
 */
#ifndef PUENTE_TESTS_SUPPORT_CASES_H
#define PUENTE_TESTS_SUPPORT_CASES_H

#include <stddef.h>

enum { CASE_FIELDS_MOST = 8 };

struct case_line {
  const char *path;
  int line;
  const char *fields[CASE_FIELDS_MOST]; /* "" where there are fewer */
  size_t count;
};
/* Calls `run` with each case; returns how many there were. Fails the test where there is none. */
size_t cases_run(const char *path, void (*run)(const struct case_line *one));

#endif
