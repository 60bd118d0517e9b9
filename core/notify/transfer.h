/* One bounded transfer by libcurl for the ways of core/notify. Plain libcurl and not connectors/http, whose messages,
 * limits and retries are those of a source and know no SMTP; what it says of addresses is used. Private to core/notify.
 */
#ifndef PUENTE_NOTIFY_TRANSFER_H
#define PUENTE_NOTIFY_TRANSFER_H

#include "core/notify/notify.h"

#include <curl/curl.h>

/* What a server said, where somebody wants to know. */
struct transfer_answer {
  char line[200]; /* the last good reply of a mail server */
  char etag[120];
  long status;
  struct buffer body; /* the owner's; fails past its limit */
};

struct transfer {
  CURL *curl;
  const struct notify_limits *limits;
  const atomic_bool *stop;
  char detail[CURL_ERROR_SIZE]; /* curl's own words; looked at, never shown */
  bool mail;
  struct transfer_answer *answer; /* NULL: what is said is dropped */
};

/* `ca_file` NULL: the system's authorities. Certificates are always verified. */
enum status transfer_open(struct transfer *transfer, const struct notify_limits *limits, const char *ca_file,
                          const atomic_bool *stop, struct error *error) MUST_CHECK;
void transfer_close(struct transfer *transfer);
/* Once, or as often as the limits allow while what goes wrong passes by itself. ERR_NETWORK, ERR_AUTH, ERR_REMOTE,
 * ERR_CONFIG, ERR_INTERRUPTED. */
enum status transfer_run(struct transfer *transfer, struct error *error) MUST_CHECK;

/* A message by each way. `error` after OK: what went wrong by the way, code OK where nothing. `answer`: NULL allowed.
 */
struct mail_route {
  const char *const *to;
  size_t to_count;
  struct transfer_answer *answer;
};
enum status mail_send(const struct config *config, const struct mail_route *route, const struct notify_message *message,
                      const struct notify_limits *limits, const atomic_bool *stop, struct error *error) MUST_CHECK;
enum status webhook_send(const struct config *config, const struct webhook_config *webhook,
                         struct transfer_answer *answer, const struct notify_message *message,
                         const struct notify_limits *limits, const atomic_bool *stop, struct error *error) MUST_CHECK;

#endif
