/* `export crosswalk`: to an institution its own case numbers, with those that others have for the same cases as far as
 * their terms (`shown_to`, `purposes`) and the consent of the persons allow. What they do not allow is a count. */
#ifndef PUENTE_SERVICE_CROSSWALK_H
#define PUENTE_SERVICE_CROSSWALK_H

#include "core/service/outbound.h"

struct crosswalk_made {
  char path[512];
  int64_t cases, numbers; /* numbers: own rows */
  int64_t shared, held;   /* numbers of others, by own row */
};

/* Writes `folder`/crosswalk.csv: one row for each own number and number of another institution; or crosswalk.jsonl
 * (request.json): one object for each own number. Mode 0600, whole or not at all. Rights: outbound_sight.h. */
enum status service_crosswalk(struct workspace *workspace, const struct export_request *request,
                              struct crosswalk_made *made, struct error *error) MUST_CHECK;

#endif
