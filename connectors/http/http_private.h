/* Shared by the files of connectors/http alone. */
#ifndef PUENTE_CONNECTORS_HTTP_PRIVATE_H
#define PUENTE_CONNECTORS_HTTP_PRIVATE_H

#include "connectors/http/http.h"

#include <curl/curl.h>

enum { URL_LENGTH_MOST = 16384 };

struct http {
  CURL *curl;
  const struct http_settings *settings;
  const atomic_bool *stop;
  struct http_response *response; /* of the request under way */
  char retry_after[64];           /* read once the headers are complete: it is relative to `Date` */
  curl_off_t moved;               /* bytes of the transfer under way */
  int64_t moved_at;               /* clock_monotonic when they last grew */
  bool stalled;
  int64_t next_at;              /* clock_monotonic before which no request is made; 0: none yet */
  char detail[CURL_ERROR_SIZE]; /* curl's own words; looked at, never shown */
};

/* What a failed transfer means; `*transient`: another try may help. */
enum status http_explain(struct http *http, CURLcode code, bool *transient, struct error *error);
/* Adds the number of tries to an error that another try did not mend; returns its code. */
enum status http_give_up(int64_t attempts, struct error *error);
enum status http_refuse_wait(const struct http_settings *settings, const struct http_response *response,
                             struct error *error);
enum status http_check_redirect(const struct http_request *request, const char *target, bool more, int status,
                                struct error *error);
/* Takes bytes of a body; false: past the limit, or no room, as body.failed and file_error say. */
bool http_take(struct http_response *response, const char *data, size_t len);
void http_body_drop(struct http_response *response); /* closes the file */
int64_t http_certificate_ends(struct http *http);

#endif
