/* `export htcds --reveal`: to an institution its own records in the fields of HTCDS, with names, documents and where
 * people are: the rows that its sources reported, and nothing of another's. */
#ifndef PUENTE_SERVICE_OUTBOUND_REVEAL_H
#define PUENTE_SERVICE_OUTBOUND_REVEAL_H

#include "core/service/outbound.h"

/* Writes `folder`/ENTITY.csv (request.json: .jsonl) for each entity that speaks HTCDS, mode 0600; all of them or none.
 * case_id and person_id are the institution's pseudonyms of the consolidated ones. Rights: outbound_sight.h; the entry
 * `exported` has the SHA-256 of the files one after the other. */
enum status service_reveal(struct workspace *workspace, const struct export_request *request, export_report *report,
                           void *context, struct error *error) MUST_CHECK;

#endif
