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
  NOTIFY_CHECKPOINT,
  NOTIFY_TEST
};
extern const char *const notify_names[]; /* "failure", "recovery", … as webhooks get them */

/* What goes with a message: a part of the mail; an entry {name, text} or {name, base64} of "files" for a webhook. */
struct notify_file {
  const char *name, *type; /* "peru-12.checkpoint", "text/plain" */
  struct slice bytes;
  bool text; /* ASCII without zeros */
};

struct notify_message {
  enum notify_kind kind;
  const char *source;  /* code, or NULL: of the whole */
  const char *subject; /* one line */
  const char *text;    /* plain text: what failed, since when, whom to call, what to do */
  int64_t at;
  const struct notify_file *files;
  size_t file_count;
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
/* To one alone: a webhook, else a mail address by the configured server. `answer` is what the receiver said, in one
 * line of printable ASCII: "250 2.0.0 Ok: queued as 4F2"; "HTTP 201, ETag …, SHA-256 of the answer …". */
enum { NOTIFY_ANSWER_SIZE = 512 };
struct notify_target {
  const struct webhook_config *webhook;
  const char *mail;
};
enum status notify_deliver(const struct config *config, const struct notify_target *target,
                           const struct notify_message *message, const struct notify_limits *limits,
                           const atomic_bool *stop, char answer[NOTIFY_ANSWER_SIZE], struct error *error) MUST_CHECK;
/* Posts bytes and appends the answer's body to `out`, whose limit holds; limits NULL: notify_limits. */
enum status notify_post(const char *url, const char *type, struct slice body, const struct notify_limits *limits,
                        const atomic_bool *stop, struct buffer *out, struct error *error) MUST_CHECK;

/* Once for each way, in their order, after all have ended: "mail by smtp.example.org:587", "webhook
 * https://example.org". `error` after OK: what went wrong by the way (a recipient who was refused), code OK if nothing
 * did. */
typedef void notify_report(void *context, const char *way, enum status status, const struct error *error);
/* As notify_send, and reports; limits NULL: notify_limits. Ways run side by side. */
enum status notify_send_each(const struct config *config, const struct notify_message *message,
                             const struct notify_limits *limits, const atomic_bool *stop, notify_report *report,
                             void *context, struct error *error) MUST_CHECK;

#endif
