/* `export ctdc`: one row for each victim, with the columns and age bands of the Counter-Trafficking Data Collaborative
 * (CTDC), as it publishes them: k-anonymous (core/disclose/anonymise.h), k of `disclosure:`, no id, no place below the
 * country. Whoever limited the consent to being counted, or withdrew it, is in no row. */
#ifndef PUENTE_SERVICE_CTDC_H
#define PUENTE_SERVICE_CTDC_H

#include "core/service/outbound.h"

enum { CTDC_FEW = -1 };
struct ctdc_made {
  char path[512];
  int k;
  int64_t rows;     /* in the file */
  int64_t complete; /* of those, with every value that is recorded */
  int64_t left_out; /* of too few alike, whatever is hidden; CTDC_FEW: fewer than k */
  int64_t withheld; /* by consent; so, too */
};

/* Writes `folder`/ctdc.csv (request.json: ctdc.jsonl), ctdc_dictionary.csv and ctdc_coverage.csv, mode 0600. Rights as
 * service_export; the entry `exported` has the SHA-256 of the rows. */
enum status service_ctdc(struct workspace *workspace, const struct export_request *request, struct ctdc_made *made,
                         struct error *error) MUST_CHECK;

/* ---- parts ---- */

struct ctdc_rows {
  struct map *texts; /* of values */
  uint32_t *values;  /* CTDC_COLUMNS a row; MAP_NONE: missing */
  size_t count;
  int64_t withheld;
};
/* Victims as the store stood after the run. Freed by ctdc_rows_free, also after an error. */
enum status ctdc_rows_read(struct workspace *workspace, int64_t run, struct ctdc_rows *rows,
                           struct error *error) MUST_CHECK;
void ctdc_rows_free(struct ctdc_rows *rows);

#endif
