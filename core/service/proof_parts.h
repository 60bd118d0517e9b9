/* Private to core/service/proof*.c. */
#ifndef PUENTE_SERVICE_PROOF_PARTS_H
#define PUENTE_SERVICE_PROOF_PARTS_H

#include "core/base/map.h"
#include "core/service/proof.h"

#include <jansson.h>

enum { LINEAGE_BATCH = 256 };

struct known_plan {
  int64_t id, entry; /* of the log that has its digests; 0: none */
  const char *source;
  char digest[2 * SHA256_SIZE + 1], logged[2 * SHA256_SIZE + 1], mapping[2 * SHA256_SIZE + 1]; /* as hexadecimal */
  struct sha256 bytes;
  bool tried, exact; /* compiled once; to the digest that it had */
  struct plan *plan; /* NULL: it does not compile any more */
};

/* An entry of the log over outcomes of records. */
struct covering {
  int64_t sequence, run;
  int source_id;
  int64_t chunk_first, chunk_last, raw_first, raw_last, records; /* chunk 0: mapped again */
  struct sha256 root;
  struct merkle merkle;
  bool tried, right;
};
struct linking {
  int64_t sequence, run;
  struct sha256 root;
  struct merkle merkle;
};
struct dismissal_logged {
  int64_t run, raw_id;
};

struct proof {
  struct workspace *workspace;
  struct arena *arena;
  struct known_plan *plans;
  size_t plan_count;
  struct covering *entries; /* by sequence */
  size_t entry_count, entry_capacity;
  struct linking *linkings;
  size_t linking_count, linking_capacity;
  struct map *erased; /* run and record of what was taken out */
  struct dismissal_logged *dismissed;
  size_t dismissed_count, dismissed_capacity;
  int64_t unnamed;
  struct proof_decisions *decisions; /* NULL: no entry of a review yet */
  struct subkey record_key;
  struct batch batch; /* of one plan at a time */
  bool batch_made;
};

const char *proof_code(const struct workspace *workspace, int source_id);
struct known_plan *proof_plan(struct proof *proof, int64_t plan_id);
/* The first fault is kept, later ones are not. */
void proof_wrong(struct proof_fault *fault, const char *place, const char *format, ...) PRINTF_LIKE(3, 4);
/* Text and digest of a plan against the log, once; compiles it. */
enum status lineage_plan_check(struct proof *proof, struct known_plan *plan, struct proof_fault *fault,
                               struct error *error) MUST_CHECK;
/* An entry `review`; false: memory is short. */
bool proof_take_review(struct proof *proof, const struct audit_row *row, const json_t *body);
/* Each decision about a pair against the entries that told what it became. */
enum status proof_reviews(struct proof *proof, struct proof_fault *fault, struct error *error) MUST_CHECK;
void proof_reviews_free(struct proof *proof);
/* Current versions of a source: bytes and rows. */
enum status proof_rows(struct proof *proof, int source_id, struct proof_counts *counts, struct proof_fault *fault,
                       struct error *error) MUST_CHECK;
enum status lineage_version(struct proof *proof, int64_t raw_id, int64_t *chunk_id, struct proof_counts *counts,
                            struct proof_fault *fault, struct error *error) MUST_CHECK;

#endif
