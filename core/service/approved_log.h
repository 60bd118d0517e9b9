/* WHETHER AN APPROVAL IS WHAT THE LOG SAYS OF IT: whoever can write to table `approval` can make a row whose body and
 * digest agree; it does not count unless the log has who proposed it, who approved it, and nothing approved later. */
#ifndef PUENTE_SERVICE_APPROVED_LOG_H
#define PUENTE_SERVICE_APPROVED_LOG_H

#include "core/audit/audit.h"
#include "core/store/approval.h"

/* An entry of event "approval". */
struct approval_entry {
  int64_t sequence, at, id;
  const char *state, *kind, *name, *digest,
      *document; /* state: "proposed", "approved", "rejected"; digest: hexadecimal */
  const char *actor, *reason;
};
struct approval_log {
  struct approval_entry *entries; /* by sequence */
  size_t count, capacity;
  struct arena *arena;
};
/* Everything lives in the arena. */
enum status approval_log_read(struct store *store, struct arena *arena, struct approval_log **log,
                              struct error *error) MUST_CHECK;
/* The last entry of that state and text (hexadecimal); NULL: none. */
const struct approval_entry *approval_log_find(const struct approval_log *log, const char *state, const char *kind,
                                               const char *name, const char *digest);
/* The same by the number of the proposal. */
const struct approval_entry *approval_log_of(const struct approval_log *log, int64_t id, const char *state);

/* As store_visit_approvals, with `fault` set, and `changed` wherever there is a fault. */
enum status approvals_visit(struct store *store, int64_t id, approval_visitor *visit, void *context,
                            struct error *error) MUST_CHECK;
/* The first proposal of the log that the store has no row of any more; 0: none. */
enum status approvals_lost(struct store *store, int64_t *id, int64_t *entry, struct error *error) MUST_CHECK;

#endif
