/* What the store keeps of linkage beside pairs: models, and what people decided. Private to core/resolve. */
#ifndef PUENTE_RESOLVE_LEARNED_H
#define PUENTE_RESOLVE_LEARNED_H

#include "core/link/model.h"
#include "core/resolve/staged.h"

/* The model that acts, or NULL where there is none, or one for other comparisons than the plan's: `*why` then says so.
 * It is the approved one where linkage is under approval, else the active one. `digest` of its text may be NULL, here
 * and below. */
enum status learned_model(struct store *store, const struct policy *policy, enum cluster_kind kind,
                          struct link_model **model, struct sha256 *digest, const char **why,
                          struct error *error) MUST_CHECK;
/* The one learned last, acting or not; NULL as above. */
enum status learned_newest(struct store *store, const struct policy *policy, enum cluster_kind kind,
                           struct link_model **model, struct sha256 *digest, struct error *error) MUST_CHECK;
/* Of both kinds, where linkage is under approval: the approved ones where both will do (`*approved`), else those to
 * start with where both are there, else none. Freed by the caller, also after an error. */
enum status learned_acting(struct store *store, const struct policy *policy, struct link_model *models[2],
                           struct sha256 digests[2], bool *approved, const char **why, struct error *error) MUST_CHECK;
/* The one of a digest. ERR_NOT_FOUND where there is none, ERR_CONFIG where it is for other comparisons, or its text is
 * not what the digest says. */
enum status learned_of(struct store *store, const struct policy *policy, enum cluster_kind kind,
                       const struct sha256 *digest, struct link_model **model, struct error *error) MUST_CHECK;
/* The model that a policy gives for stores with few records, or NULL where it gives none, or one for other comparisons
 * (a warning). ERR_CONFIG where the file is missing or damaged. */
enum status learned_start(const struct policy *policy, enum cluster_kind kind, struct link_model **model,
                          struct sha256 *digest, struct error *error) MUST_CHECK;
/* Keeps it, and makes it the active one if `act`. `digest` is that of its text. */
enum status learned_keep(struct store *store, enum cluster_kind kind, int64_t run, const struct link_model *model,
                         bool act, struct sha256 *digest, struct error *error) MUST_CHECK;

/* The decisions that stand, of records that are there; freed by the caller. Two records of two roles that a person
 * called one have a role no more: they keep nobody of their clusters apart. */
enum status learned_decisions(struct store *store, enum cluster_kind kind, struct staged_rows *rows,
                              struct link_decision **decisions, size_t *count, struct error *error) MUST_CHECK;

#endif
