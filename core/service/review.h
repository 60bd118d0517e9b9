/* The review queue: pairs that linking leaves for a person, both records side by side, and what people decide. A
 * decision is followed by the next linking and holds for every later one, until a newer one about the pair. */
#ifndef PUENTE_SERVICE_REVIEW_H
#define PUENTE_SERVICE_REVIEW_H

#include "core/service/explain.h"

/* Text in the list's arena. */
struct review_side {
  int64_t row_id;
  const char *source, *key; /* source "?": the configuration no longer has it */
};
struct review_item {
  enum cluster_kind kind;
  struct review_side a, b;
  double weight, probability;
  const char *rule, *verdict, *reason; /* as in struct link_pair_row; "" for none */
  int64_t since;                       /* microseconds; 0: unknown */
  bool proposed;                       /* one person has accepted it, a second one has to */
};
struct review_list {
  struct review_item *items; /* highest weight first */
  size_t count;
  int64_t waiting; /* in all */
  int64_t decided; /* pairs whose decision the next linking follows */
  struct arena *memory;
};
/* `kind` -1: of both; at most `most` pairs. */
enum status review_read(struct workspace *workspace, int kind, size_t most, struct review_list *list,
                        struct error *error) MUST_CHECK;
void review_free(struct review_list *list);

/* The answer of explain_pair with "kind": "review" and these: "id", "records": [{"row_id", "record_id", "source",
 * "key"}], "fields": [{"field", "label_en", "label_es", "a", "b"}] without what only one institution may see, "pair"
 * (null where linking did not keep it): {"weight", "probability", "rule", "verdict", "outcome", "reason"}, and
 * "decisions": [{"id", "decision", "state", "actor", "at", "reason", "approved_by", "approved_at", "revoked_at"}],
 * oldest first. */
enum status review_show(struct workspace *workspace, int64_t row_a, int64_t row_b,
                        const struct explain_request *request, json_t **answer, struct error *error) MUST_CHECK;

/* Writes the actor's decision with its entry of the log. Where the policy asks for two persons, the first one's accept
 * is a proposal; rejecting needs one. ERR_NOT_FOUND where the rows are no two current persons or cases. */
struct review_decided {
  int64_t id;
  enum cluster_kind kind;
  enum decision_state state; /* proposed or standing */
};
enum status review_decide(struct workspace *workspace, int64_t row_a, int64_t row_b, bool same, const char *reason,
                          struct review_decided *decided, struct error *error) MUST_CHECK;

#endif
