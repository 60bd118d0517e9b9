/* Texts that a first person proposed and a second one approved or rejected: of mappings, code lists, link files, and
 * the digests of learned weights (core/resolve/weights.h), by kind and name. Of a name one text is approved and at most
 * one waits. Writing functions are called between store_begin and store_commit. */
#ifndef PUENTE_STORE_APPROVAL_H
#define PUENTE_STORE_APPROVAL_H

#include "core/store/store.h"

/* Kept by name: "waiting", "approved", "rejected", "withdrawn" (a newer proposal took its place), "former". */
enum approval_state {
  APPROVAL_WAITING,
  APPROVAL_APPROVED,
  APPROVAL_REJECTED,
  APPROVAL_WITHDRAWN,
  APPROVAL_FORMER,
  APPROVAL_STATES
};
extern const char *const approval_state_names[APPROVAL_STATES];

struct approval {
  int64_t id;
  const char *kind, *name;
  struct sha256 digest; /* of the body */
  struct slice body;    /* the file, whole */
  bool changed;         /* on reading: the body is not what the digest says */
  const char *fault;    /* why it does not count; set by core/service/approved_log.h, NULL: it does */
  enum approval_state state;
  const char *proposed_by, *reason, *document; /* the proposer's; document of weights: of who approved; "": none yet */
  int64_t proposed_at;
  const char *approved_by, *remark; /* of who decided; NULL: nobody yet */
  int64_t approved_at;              /* 0: not approved */
};

/* Id and moment are filled in; a proposal of the same name that waits is withdrawn. */
enum status store_propose(struct store *store, struct approval *approval, struct error *error) MUST_CHECK;
/* Approves (the former text of the name becomes that), or rejects; the row gets the document of `approval`. ERR_USAGE
 * where it does not wait any more. */
enum status store_decide_approval(struct store *store, const struct approval *approval, bool accept, const char *actor,
                                  const char *remark, struct error *error) MUST_CHECK;
typedef enum status approval_visitor(void *context, const struct approval *approval, struct error *error);
/* Ascending by id; `id` 0: all, with a body where they wait or are approved. Valid during the call. */
enum status store_visit_approvals(struct store *store, int64_t id, approval_visitor *visit, void *context,
                                  struct error *error) MUST_CHECK;
/* Records whose rows the last linking placed, and that another link configuration would place anew. */
enum status store_linked_rows(struct store *store, int64_t *rows, struct error *error) MUST_CHECK;

/* ---- link models that wait ---- */

/* Keeps the text without making it the active model; it comes before a former one of the same text. */
enum status store_keep_model(struct store *store, enum cluster_kind kind, int64_t run, struct slice text,
                             struct error *error) MUST_CHECK;
/* A model that is kept becomes the active one. ERR_NOT_FOUND where none of that digest is. */
enum status store_activate_model(struct store *store, enum cluster_kind kind, const struct sha256 *digest,
                                 struct error *error) MUST_CHECK;
/* The one of a digest, or (NULL) the newest, active or not. ERR_CONFIG where its text is not what its digest says. */
enum status store_model_of(struct store *store, enum cluster_kind kind, const struct sha256 *digest,
                           struct buffer *text, struct link_model_kept *kept, struct error *error) MUST_CHECK;

#endif
