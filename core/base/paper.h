/* A SECRET ON PAPER: a text file of named lines that can be printed and typed in again. A title, the lines in their
 * order, and a checksum, which is the beginning of the SHA-256 of the lines above it. Lines end with a line feed or
 * both signs; blanks at their end do not count. The caller wipes the values. */
#ifndef PUENTE_BASE_PAPER_H
#define PUENTE_BASE_PAPER_H

#include "core/base/error.h"
#include "core/base/slice.h"

enum { PAPER_LINES = 8, PAPER_VALUE = 160 };

struct paper {
  const char *title;
  const char *names[PAPER_LINES + 1]; /* "workspace", …; NULL-terminated; without the checksum */
};
struct paper_values {
  char of[PAPER_LINES][PAPER_VALUE]; /* in the order of the names */
};

/* A new file of mode 0600, on the disk when it returns; ERR_IO with `*cause` EEXIST where one is there. */
enum status paper_write(const struct paper *paper, const struct paper_values *values, const char *path,
                        int *cause) MUST_CHECK;
enum paper_state { PAPER_WHOLE, PAPER_DAMAGED, PAPER_OTHER };
/* `state`: other than whole, the values are not to be used. The error is of the file alone. */
enum status paper_read(const struct paper *paper, const char *path, struct paper_values *values,
                       enum paper_state *state, struct error *error) MUST_CHECK;

#endif
