/* What drift found of a source's fields, accepted by a person who knows that it may stay so: the mapping is not
 * touched, and nothing is pulled. The next pass compares with what was accepted. */
#ifndef PUENTE_SERVICE_FINDINGS_H
#define PUENTE_SERVICE_FINDINGS_H

#include "core/service/workspace.h"

struct finding_acceptance {
  const char *source; /* code */
  const char *path;   /* of the field, as `puente drift list` shows it; NULL: all that stand */
  const char *reason; /* needed */
};
/* One transaction: the findings are closed, a source that was `changed` by nothing else is ok again, and the log has an
 * entry "drift" with actor, reason and fields. RIGHT_DECIDE, of a named person. ERR_NOT_FOUND where no such finding
 * stands, ERR_BUSY while the source is pulled or mapped, ERR_USAGE without a reason or for an unknown source. */
enum status findings_accept(struct workspace *workspace, const struct finding_acceptance *acceptance, int64_t *accepted,
                            struct error *error) MUST_CHECK;

#endif
