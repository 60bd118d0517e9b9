/* Columns that linkage computes for itself: what cases say of their persons, and persons of their cases. Private to
 * core/resolve. */
#ifndef PUENTE_RESOLVE_EVIDENCE_H
#define PUENTE_RESOLVE_EVIDENCE_H

#include "core/resolve/staged.h"

/* Names of the computed columns in config/link. */
#define EVIDENCE_CASE "case_cluster"  /* of a person: the cluster of the record's own case */
#define EVIDENCE_PEOPLE "case_people" /* of a case: the clusters of its persons, joined by ';' */

/* Values by row, freed by evidence_free. A cluster is named by the least row id of its members. */
struct evidence {
  uint32_t *values;
  struct map *dictionary;
};
enum status evidence_none(size_t count, struct evidence *evidence, struct error *error) MUST_CHECK;
enum status evidence_of_cases(const struct staged_rows *persons, const struct staged_rows *cases,
                              const uint32_t *case_cluster, struct evidence *evidence, struct error *error) MUST_CHECK;
enum status evidence_of_people(const struct staged_rows *persons, const struct staged_rows *cases,
                               const uint32_t *person_cluster, struct evidence *evidence,
                               struct error *error) MUST_CHECK;
void evidence_free(struct evidence *evidence);

#endif
