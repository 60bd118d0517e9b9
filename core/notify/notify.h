/* TELLING PEOPLE: one message by mail (SMTP by libcurl) and to webhooks. Knows no store; what is told, and that it is
 * told once, is core/service/notices.h. A message holds codes of sources, counts, states and hints, and nothing of a
 * person. */
#ifndef PUENTE_NOTIFY_NOTIFY_H
#define PUENTE_NOTIFY_NOTIFY_H

#include "core/config.h"

enum notify_kind {
  NOTIFY_FAILURE,
  NOTIFY_RECOVERY,
  NOTIFY_DRIFT,
  NOTIFY_QUARANTINE,
  NOTIFY_EXPIRY,
  NOTIFY_DIGEST,
  NOTIFY_TEST
};
extern const char *const notify_names[]; /* "failure", "recovery", … as webhooks get them */

struct notify_message {
  enum notify_kind kind;
  const char *source;  /* code, or NULL: of the whole */
  const char *subject; /* one line */
  const char *text;    /* plain text: what failed, since when, whom to call, what to do */
  int64_t at;
};

/* By every way that is configured; secrets are read now. A way that fails does not hold up the others: the error is the
 * first one's, the rest is logged. `*told` counts ways that took it; OK with 0 where none is configured. */
enum status notify_send(const struct config *config, const struct notify_message *message, const atomic_bool *stop,
                        size_t *told, struct error *error) MUST_CHECK;

/* What one try may take, in microseconds, and how many there are; the pause between them doubles. */
struct notify_limits {
  int64_t connect, whole, pause;
  int tries;
};
extern const struct notify_limits notify_limits;
/* Once for each way, in their order, after all have ended: "mail by smtp.example.org:587", "webhook
 * https://example.org". `error` after OK: what went wrong by the way (a recipient who was refused), code OK if nothing
 * did. */
typedef void notify_report(void *context, const char *way, enum status status, const struct error *error);
/* As notify_send, and reports; limits NULL: notify_limits. Ways run side by side. */
enum status notify_send_each(const struct config *config, const struct notify_message *message,
                             const struct notify_limits *limits, const atomic_bool *stop, notify_report *report,
                             void *context, struct error *error) MUST_CHECK;

#endif
