/* The fixed scheme by which two kinds of entity teach each other, no evidence twice:
 *
 *   persons by their own attributes  →  cases, with the persons that they share  →  persons, with their cases
 *
 * What persons learn of cases is the partition of the same case pairs without the evidence of shared persons, so that
 * no person is joined because persons were joined. Numbers of a denuncia or a carpeta are evidence of cases and reach
 * persons through them. While training all steps learn; the frozen models are then applied from the beginning, so that
 * a later run on the same rows gives the same. Private to core/resolve. */
#ifndef PUENTE_RESOLVE_TWOPASS_H
#define PUENTE_RESOLVE_TWOPASS_H

#include "core/resolve/evidence.h"
#include "core/resolve/learned.h"
#include "core/sync/progress.h"

/* Rows of one kind with what is known of them, and what came of it. */
struct twopass_side {
  const struct link_plan *plan;
  const struct staged_rows *rows;
  const uint8_t *unique;           /* by row; NULL: none */
  const struct progress *progress; /* may be NULL */
  const char *what;                /* the work as progress tells it */
  struct link_decision *decisions;
  size_t decision_count;
  bool passing;             /* while training: the model is a step towards another */
  struct link_model *model; /* in: frozen, or NULL; out: the one used. The caller frees it */
  struct link_result result;
  struct link_result
      early; /* of the step before it, without what the other kind says: its pairs, and blocks outgrown */
};
struct twopass {
  struct twopass_side persons, cases;
  bool trained;
};
/* Trains both kinds where one of them has no model. Results are freed by twopass_free, also after an error. */
enum status twopass_run(struct twopass *twopass, struct error *error) MUST_CHECK;
/* Trains both kinds, and leaves the models to the sides. */
enum status twopass_train(struct twopass *twopass, struct error *error) MUST_CHECK;
void twopass_free(struct twopass *twopass); /* results, models and decisions */

/* The records of a side as the linker wants them, and the columns to be freed by columns_free. */
enum status twopass_records(const struct twopass_side *side, const struct staged_rows *cases,
                            const struct evidence *evidence, struct link_records *records,
                            struct error *error) MUST_CHECK;
/* The clusters of cases without the evidence of shared persons, and of persons without that of cases, by their models;
 * `*cluster` is freed by the caller. */
enum status twopass_cases_alone(struct twopass *twopass, uint32_t **cluster, struct error *error) MUST_CHECK;
enum status twopass_persons_alone(struct twopass *twopass, uint32_t **cluster, struct error *error) MUST_CHECK;

#endif
