#include "core/service/hint.h"

#include "mapping/plan.h"

enum status hints_open(struct hints *hints, struct error *error) {
  return catalog_open("es", &hints->spanish, error);
}

void hints_close(struct hints *hints) {
  catalog_close(hints->spanish);
  hints->spanish = NULL;
}

const char *hint_read(const struct hints *hints, const char *reason, const char *stored) {
  const char *plain = plan_hint(reason);
  bool known = plain[0] != '\0'
               && (strcmp(stored, plain) == 0 || strcmp(stored, gettext(plain)) == 0
                   || strcmp(stored, catalog_text(hints->spanish, plain)) == 0);
  return known ? gettext(plain) : stored;
}
