/* Where a value comes from: the records behind a person or a case, what the mapping made of a record, why two records
 * were joined. Answers are JSON objects, which commands print and the API gives as they are; the caller frees them by
 * json_decref.
 *
 * Values of people are shapes unless revealed; a reveal is an entry of the audit log, with its purpose, that is
 * committed before anything is read. */
#ifndef PUENTE_SERVICE_EXPLAIN_H
#define PUENTE_SERVICE_EXPLAIN_H

#include "core/audit/shown.h"
#include "core/service/workspace.h"

#include <jansson.h>

struct explain_request {
  bool reveal;
  bool exact;          /* in place of values a figure that its table does not show is revealed */
  const char *purpose; /* needed to reveal */
};

/* {"kind", "id", "merged_into", "dissolved", "members": [{"row_id", "record_id", "source", "institution", "key",
 * "run", "plan"}], "values": [{"field", "label_en", "label_es", "value", "source", "institution", "record_id",
 * "rule", "plan", "others": [{"value", "source", "record_id"}]}], "pairs": [{"row_a", "row_b", "weight", "rule",
 * "joined", "outcome", "reason", "verdict", "since"}], "history": [{"run", "event": "joined" or "left", "row_id"} or
 * {"run", "event": "merged_from", "merged_into" or "dissolved", "id"}], "erased": […]}; pairs with members of others
 * too; what was taken out of any record that is or was joined in it (explain_erased). */
enum status explain_cluster(struct workspace *workspace, enum cluster_kind kind, int64_t id,
                            const struct explain_request *request, json_t **answer, struct error *error) MUST_CHECK;

/* `reference` is "source:key" or the number of a record. {"kind": "record", "record_id", "source", "institution",
 * "versions": [{"raw_id", "state", "plan", "from_run", "to_run", "bytes", "page", "chunk", "offset"}], "issues": […],
 * "rows": [{"entity", "key", "row_id"}], "plan", "plan_is_current", "recomputed", "log_entry": that covers its landing,
 * or null, "wrong": {"at", "what"} where bytes, mapping, rows or outcome are not what the log says (proof.h), or null,
 * "trace": [{"entity", "key", "field", "path", "input", "transforms", "output", "line"}], "erased": […]} */
enum status explain_record(struct workspace *workspace, const char *reference, const struct explain_request *request,
                           json_t **answer, struct error *error) MUST_CHECK;

/* Two staged rows, of persons or of cases. {"kind": "pair", "rows", "of", "ids", "same", "rule", "kept_apart",
 * "comparisons": [{"comparison", "level", "needed", "values": [{"field", "a", "b"}]}]}; with weights, where the rules
 * have them: "weights" as core/service/weights.h makes it. */
enum status explain_pair(struct workspace *workspace, int64_t row_a, int64_t row_b,
                         const struct explain_request *request, json_t **answer, struct error *error) MUST_CHECK;

/* ---- shared by the three ---- */

/* Commits the audit entry of a reveal; ERR_USAGE without a purpose. `body` is canonical JSON, which has the digest of
 * `shown` (NULL: it names whom it shows). */
enum status explain_log(struct workspace *workspace, const struct explain_request *request, const char *body,
                        const struct shown *shown, struct error *error) MUST_CHECK;
/* The value, or its shape where the field is not open and nothing is revealed. */
json_t *explain_value(struct arena *arena, const struct explain_request *request, const struct field *field,
                      const struct cell *cell);
json_t *explain_slice(struct arena *arena, bool reveal, struct slice text);
/* The same of a field's value; NULL: a field that is not known. */
json_t *explain_of(struct arena *arena, bool reveal, const struct field *field, struct slice text);
/* Sets "erased" of the answer: [{"record_id", "what": "record" or "person", "at", "cause", "by", "reason", "document",
 * "run"}], the last taking out of each record; empty for roles that may not see it. */
enum status explain_erased(struct workspace *workspace, const int64_t *records, size_t count, json_t *answer,
                           struct error *error) MUST_CHECK;
/* Whether two cells hold the same; an empty one is as a null one. */
bool explain_same_cell(const struct cell *a, const struct cell *b);
/* First 12 digits of a plan's digest; "" where it is unknown. */
enum status explain_plan(struct workspace *workspace, struct arena *arena, int64_t plan_id, const char **digest,
                         struct error *error) MUST_CHECK;

#endif
