/* What people are told, once each: failures and recoveries of sources, drift, growing quarantine, what expires, and a
 * quiet daily digest. What was told is kept in the store, so that a restart repeats nothing; a message that no way took
 * is tried again the next time. */
#ifndef PUENTE_SERVICE_NOTICES_H
#define PUENTE_SERVICE_NOTICES_H

#include "core/service/overview.h"

struct notices_summary {
  int64_t told, failed, standing;
};
/* After each run and now and then: compares how things stand with what was told, and tells the difference. */
enum status notices_tell(struct workspace *workspace, const struct overview *overview, const atomic_bool *stop,
                         struct notices_summary *summary, struct error *error) MUST_CHECK;
/* The digest of the day: one message, "nothing to do" included. */
enum status notices_digest(struct workspace *workspace, const struct overview *overview, const atomic_bool *stop,
                           struct error *error) MUST_CHECK;

#endif
