/* LEARNED WEIGHTS UNDER APPROVAL (`approval: {required: [link]}`): what was learned from the store is kept sealed in
 * table `link_model` and acts only once a second person has approved it. What is approved is a text that names the two
 * models, of persons and of cases, by the SHA-256 of theirs: they were learned together, and go together. */
#ifndef PUENTE_RESOLVE_WEIGHTS_H
#define PUENTE_RESOLVE_WEIGHTS_H

#include "core/config.h"
#include "core/store/store.h"

enum { WEIGHTS_TEXT = 2 * (2 * SHA256_SIZE) + 40 };
extern const char WEIGHTS_NAME[]; /* of their approvals */

/* By enum cluster_kind: {"cases":"…","persons":"…"} */
void weights_text(const struct sha256 models[2], char text[WEIGHTS_TEXT]);
bool weights_read(struct slice text, struct sha256 models[2]); /* false: not such a text */

/* A level's weight, log2(m/u) in bits, as it acts and as proposed. */
struct weights_level {
  enum cluster_kind kind;
  const char *comparison, *level; /* NULL: the prior, log2(lambda / (1 - lambda)) */
  bool acts;                      /* there is a model that acts: */
  double now, then;
};
typedef enum status weights_visitor(void *context, const struct weights_level *level, struct error *error);
/* All levels but "missing", in the order of the plan; `visit` NULL: only checked. ERR_NOT_FOUND where a model is not in
 * the store, ERR_CONFIG where its text is not what its digest says, or it is one for other comparisons. */
enum status weights_compare(struct store *store, const struct config *config, const struct approved_texts *texts,
                            const struct model *model, const struct sha256 proposed[2], weights_visitor *visit,
                            void *context, struct error *error) MUST_CHECK;

/* What proposed weights would change, of one kind: how many pairs, by their outcome (PAIR_JOINED, …) with the weights
 * that act and with those proposed; those that neither keeps are apart in both, and not counted. */
struct weights_effect {
  bool acts;
  int64_t now, then; /* persons, or cases */
  int64_t pairs[PAIR_APART + 1][PAIR_APART + 1];
};
/* Links all rows in memory with either, and writes nothing: it takes as long as two linkings do, and as much memory.
 * Where no weights act, `now` is 0 and all pairs are apart. Errors as weights_compare has them. */
enum status weights_try(struct store *store, const struct config *config, const struct approved_texts *texts,
                        const struct model *model, const struct sha256 proposed[2], struct weights_effect effects[2],
                        struct error *error) MUST_CHECK;

#endif
