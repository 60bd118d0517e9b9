/* HTTP for the connectors that speak it: one request, the answer in memory. TLS is always verified; a redirect is
 * followed on the same host only; the answer is bounded after decompression; failures that pass are retried with
 * growing, jittered pauses, and `Retry-After` is honoured.
 *
 * The caller owns settings (which must outlive the handle), requests and responses. No message made here holds a query
 * string, a header, a body, or a secret. A handle is used by one thread. */
#ifndef PUENTE_CONNECTORS_HTTP_HTTP_H
#define PUENTE_CONNECTORS_HTTP_HTTP_H

#include "connectors/connector.h"

#include <stdatomic.h>
#include <stdint.h>

/* Options that every HTTP connector has; a member named `http` of its own struct, see HTTP_OPTION_ROWS. */
struct http_settings {
  const char *ca_file; /* PEM; NULL: the system's */
  const char *client_certificate, *client_key;
  char *client_key_password;
  int64_t connect_timeout, timeout, stall_timeout; /* microseconds */
  int64_t retries;
  int64_t rate;                                      /* requests a minute; 0: no limit */
  int64_t backoff, backoff_limit, retry_after_limit; /* microseconds */
  int64_t page_limit;                                /* bytes of an answer, decompressed */
  int proxy;                                         /* enum http_proxy */
  bool plain_http;                                   /* http:// also to another machine */
};

enum http_proxy { HTTP_PROXY_NONE, HTTP_PROXY_ENVIRONMENT };
extern const char *const http_proxies[];

/* An answer. Where `memory` is set, only so many bytes of it stand in `body`, the rest in an unnamed file: read those
 * by http_body_read or http_give_piece. */
struct http_response {
  int status;         /* 200 … */
  struct buffer body; /* its limit, set by http_response_init, bounds the whole answer */
  size_t memory;      /* 0: all of it */
  size_t spilled;     /* bytes in the file */
  int file, file_error;
  struct buffer link; /* `Link` headers, joined by ", " */
  char content_type[128];
  int64_t date;        /* the server's clock, microseconds; -1: not told */
  int64_t retry_after; /* microseconds from now; -1: not told */
  int64_t attempts;    /* requests made for it */
};

struct http_request {
  const char *url;
  const char *const *headers; /* "Name: value", `header_count` of them */
  size_t header_count;
  bool post;
  bool head;                       /* no body is wanted */
  struct slice body;               /* of a POST; borrowed until http_send returns */
  const char *username, *password; /* Basic; NULL: none */
  /* Whether a 5xx answer is the source's final word (a SOAP fault), and no try again; NULL: never. */
  bool (*final)(const struct http_response *response);
  /* Makes the body anew before a further try, since a nonce is good for one request; NULL: the same body again. */
  enum status (*refresh)(void *context, struct slice *body, struct error *error);
  void *context;
};

struct http;

enum status http_open(const struct http_settings *settings, const atomic_bool *stop, struct http **http,
                      struct error *error) MUST_CHECK;
void http_close(struct http *http); /* NULL allowed */

void http_response_init(struct http_response *response, size_t limit);
void http_response_free(struct http_response *response); /* wipes */

/* OK: an answer of any status, after retries where the status asked for them. Errors: ERR_NETWORK (after retries),
 * ERR_AUTH (certificates), ERR_LIMIT, ERR_REMOTE (a redirect to elsewhere, a wait past retry_after_limit), ERR_CONFIG,
 * ERR_INTERRUPTED. */
enum status http_send(struct http *http, const struct http_request *request, struct http_response *response,
                      struct error *error) MUST_CHECK;
/* OK for 2xx; else ERR_AUTH for 401 and 403, ERR_REMOTE for the rest, with what to do. */
enum status http_check_status(const struct http_response *response, struct error *error) MUST_CHECK;

size_t http_body_length(const struct http_response *response);
/* At most `*size` bytes from there, and how many: 0 at the end. */
enum status http_body_read(const struct http_response *response, size_t offset, char *out, size_t *size,
                           struct error *error) MUST_CHECK;
/* Appends the next piece of the body to a page, and says whether it begins and ends the document. */
enum status http_give_piece(const struct http_response *response, size_t *sent, struct page *page,
                            struct error *error) MUST_CHECK;

/* The body in UTF-8, where the Content-Type names another charset (JSON has no other, but some services send Latin-1
 * and say so). */
enum status http_to_utf8(struct http_response *response, struct error *error) MUST_CHECK;
struct slice http_charset(const struct http_response *response); /* of its Content-Type; empty where none */
/* A web page (an error page of a gateway, a login form) where data was asked for. */
bool http_is_html(const struct http_response *response);

/* Connects, shakes hands and hangs up: `*ends` is when the server's certificate does, in microseconds (INT64_MAX: no
 * TLS). After an error `*connected` tells whether it was the handshake that failed. */
enum status http_handshake(struct http *http, const char *url, int64_t *ends, bool *connected,
                           struct error *error) MUST_CHECK;

/* ERR_CONFIG unless url is https, or http where that is allowed, with a host and without user, password, fragment. */
enum status http_check_url(const struct http_settings *settings, const char *name, const char *url,
                           struct error *error) MUST_CHECK;

/* Waits; ERR_INTERRUPTED as soon as `stop` is set. */
enum status http_wait(int64_t micros, const atomic_bool *stop, struct error *error) MUST_CHECK;

#define HTTP_OPTION_ROWS(owner, limit)                                                                                 \
  {.name = "ca_file",                                                                                                  \
   .type = OPTION_PATH,                                                                                                \
   .description = N_("certificates (PEM) that sign the source's, instead of the system's"),                            \
   .offset = offsetof(owner, http.ca_file)},                                                                           \
      {.name = "client_certificate",                                                                                   \
       .type = OPTION_PATH,                                                                                            \
       .description = N_("own certificate (PEM), for a source that asks for one"),                                     \
       .offset = offsetof(owner, http.client_certificate)},                                                            \
      {.name = "client_key",                                                                                           \
       .type = OPTION_PATH,                                                                                            \
       .description = N_("private key (PEM) of the own certificate"),                                                  \
       .offset = offsetof(owner, http.client_key)},                                                                    \
      {.name = "client_key_password",                                                                                  \
       .type = OPTION_SECRET,                                                                                          \
       .description = N_("password of the private key"),                                                               \
       .offset = offsetof(owner, http.client_key_password)},                                                           \
      {.name = "connect_timeout",                                                                                      \
       .type = OPTION_DURATION,                                                                                        \
       .otherwise = "20s",                                                                                             \
       .least = 1000,                                                                                                  \
       .most = INT64_MAX,                                                                                              \
       .description = N_("longest wait for a connection"),                                                             \
       .offset = offsetof(owner, http.connect_timeout)},                                                               \
      {.name = "timeout",                                                                                              \
       .type = OPTION_DURATION,                                                                                        \
       .otherwise = "10m",                                                                                             \
       .least = 1000,                                                                                                  \
       .most = INT64_MAX,                                                                                              \
       .description = N_("longest time for one whole answer"),                                                         \
       .offset = offsetof(owner, http.timeout)},                                                                       \
      {.name = "stall_timeout",                                                                                        \
       .type = OPTION_DURATION,                                                                                        \
       .otherwise = "1m",                                                                                              \
       .least = 1000,                                                                                                  \
       .most = INT64_MAX,                                                                                              \
       .description = N_("longest silence within an answer"),                                                          \
       .offset = offsetof(owner, http.stall_timeout)},                                                                 \
      {.name = "retries",                                                                                              \
       .type = OPTION_INTEGER,                                                                                         \
       .otherwise = "4",                                                                                               \
       .least = 0,                                                                                                     \
       .most = 20,                                                                                                     \
       .description = N_("further tries after 429, 5xx, or a broken connection"),                                      \
       .offset = offsetof(owner, http.retries)},                                                                       \
      {.name = "backoff",                                                                                              \
       .type = OPTION_DURATION,                                                                                        \
       .otherwise = "1s",                                                                                              \
       .description = N_("first pause before a further try; it doubles each time"),                                    \
       .offset = offsetof(owner, http.backoff)},                                                                       \
      {.name = "backoff_limit",                                                                                        \
       .type = OPTION_DURATION,                                                                                        \
       .otherwise = "1m",                                                                                              \
       .description = N_("longest pause before a further try"),                                                        \
       .offset = offsetof(owner, http.backoff_limit)},                                                                 \
      {.name = "retry_after_limit",                                                                                    \
       .type = OPTION_DURATION,                                                                                        \
       .otherwise = "5m",                                                                                              \
       .description = N_("longest pause that the source may ask for by Retry-After"),                                  \
       .offset = offsetof(owner, http.retry_after_limit)},                                                             \
      {.name = "rate",                                                                                                 \
       .type = OPTION_INTEGER,                                                                                         \
       .otherwise = "0",                                                                                               \
       .least = 0,                                                                                                     \
       .most = 60000,                                                                                                  \
       .description = N_("most requests a minute, further tries included; 0: no limit"),                               \
       .offset = offsetof(owner, http.rate)},                                                                          \
      {.name = "page_limit",                                                                                           \
       .type = OPTION_SIZE,                                                                                            \
       .otherwise = limit,                                                                                             \
       .least = 1024,                                                                                                  \
       .most = INT64_C(1) << 40,                                                                                       \
       .description = N_("most bytes of one answer, decompressed"),                                                    \
       .offset = offsetof(owner, http.page_limit)},                                                                    \
      {.name = "proxy",                                                                                                \
       .type = OPTION_CHOICE,                                                                                          \
       .otherwise = "none",                                                                                            \
       .choices = http_proxies,                                                                                        \
       .description = N_("'environment': the proxy of https_proxy and no_proxy"),                                      \
       .offset = offsetof(owner, http.proxy)},                                                                         \
  {                                                                                                                    \
    .name = "plain_http", .type = OPTION_BOOLEAN, .otherwise = "false",                                                \
    .description = N_("allow http:// to another machine: secrets and records travel in clear"),                        \
    .offset = offsetof(owner, http.plain_http)                                                                         \
  }

#endif
