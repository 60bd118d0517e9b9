/* What a ministry decides about linking beside its rules: which plans, which roles stay apart, what is sealed, and
 * which values survive. Read from the file that `link:` of puente.yaml names. Owned by its maker, freed by policy_free.
 */
#ifndef PUENTE_RESOLVE_POLICY_H
#define PUENTE_RESOLVE_POLICY_H

#include "core/base/arena.h"
#include "core/link/link.h"
#include "core/model/model.h"

enum survival { SURVIVAL_PRECEDENCE, SURVIVAL_RECENT, SURVIVAL_COMPLETE, SURVIVAL_FREQUENT, SURVIVAL_COUNT };
extern const char *const survival_names[SURVIVAL_COUNT];

enum { SEALED_MOST = 8, CODES_MOST = 8, TOGETHER_MOST = 16 };

/* A field of an entity, and the codes of it that matter; no code: any value does. */
struct policy_field {
  const struct entity *entity;
  const struct field *field;
  const char *codes[CODES_MOST];
  size_t code_count;
};

struct survivorship {
  const struct entity *entity;
  enum survival *rules; /* by field of the entity */
  const int *lead;      /* by field: the field whose winner's record is asked first, or -1 */
};

struct policy {
  struct arena *arena;
  struct link_plan *persons, *cases;
  const char *start[2]; /* by enum cluster_kind: file of the model for stores with few records; NULL: none */
  struct policy_field apart;
  struct policy_field sealed[SEALED_MOST];
  size_t sealed_count;
  struct survivorship person, one_case;
  const struct approved_texts *texts; /* which text of a file counts; the caller's; NULL: the files */
  int approvals;                      /* persons who have to agree before a waiting pair is accepted: 1 or 2 */
  struct sha256 digest;               /* of the four files */
};

/* `texts` stay the caller's, longer than the policy. */
enum status policy_load(const char *path, const struct approved_texts *texts, const struct model *model,
                        struct policy **policy, struct error *error) MUST_CHECK;
void policy_free(struct policy *policy);
/* Position of the code that the cell holds, -1: none that matters. */
int policy_match(const struct policy_field *field, const struct cell *cells);

#endif
