/* What people are told, once each: failures and recoveries of sources, drift, growing quarantine, what expires, and a
 * quiet daily digest. What was told is kept in the store, so that a restart repeats nothing; a message that no way took
 * is tried again the next time. Texts are in the language of `notify: lang`, and name sources, counts and states only.
 */
#ifndef PUENTE_SERVICE_NOTICES_H
#define PUENTE_SERVICE_NOTICES_H

#include "core/notify/notify.h"
#include "core/service/overview.h"

struct notices_summary {
  int64_t told, failed, standing;
};
/* After each run and now and then: compares how things stand with what was told, and tells the difference. A message
 * that no way took is logged and counted, and is no error. */
enum status notices_tell(struct workspace *workspace, const struct overview *overview, const atomic_bool *stop,
                         struct notices_summary *summary, struct error *error) MUST_CHECK;
/* The digest of the day: one message, "nothing to do" included. */
enum status notices_digest(struct workspace *workspace, const struct overview *overview, const atomic_bool *stop,
                           struct error *error) MUST_CHECK;
/* After a reload of the configuration: `refused` tells why it was not taken, NULL: it was. */
enum status notices_reload(struct workspace *workspace, const struct error *refused, const atomic_bool *stop,
                           struct error *error) MUST_CHECK;
/* A test message by every way that is configured. */
enum status notices_test(const struct config *config, const atomic_bool *stop, notify_report *report, void *context,
                         struct error *error) MUST_CHECK;

#endif
