/* The entry of the log of each step of an approval. */
#ifndef PUENTE_AUDIT_APPROVAL_H
#define PUENTE_AUDIT_APPROVAL_H

#include "core/store/approval.h"

/* `state`: "proposed", "approved" or "rejected"; `reason`: of who does it; `former`: digest of the text approved
 * before, zeros: none. Called between store_begin and store_commit. */
enum status audit_approval(struct store *store, const struct approval *approval, const struct sha256 *former,
                           const char *state, const char *actor, const char *reason, struct error *error) MUST_CHECK;

#endif
