/* Hints of issues in the language of the reader: they are kept in that of the run that found the issue. */
#ifndef PUENTE_SERVICE_HINT_H
#define PUENTE_SERVICE_HINT_H

#include "core/base/catalog.h"

struct hints {
  struct catalog *spanish; /* NULL: there is none */
};
enum status hints_open(struct hints *hints, struct error *error) MUST_CHECK;
void hints_close(struct hints *hints);
/* The reason's own hint in the program's language; `stored` itself where it holds more than that, such as the nearest
 * code. */
const char *hint_read(const struct hints *hints, const char *reason, const char *stored);

#endif
