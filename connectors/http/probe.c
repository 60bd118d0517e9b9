#include "connectors/http/probe.h"
#include "connectors/http/url.h"
#include "core/base/date.h"

#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>

enum { WORDS = 900, CLOCK_TOLERANCE_SECONDS = 120, CERTIFICATE_WARNING_DAYS = 30 };

enum status http_probe_failed(const char *step, probe_report *report, void *context, const struct error *error) {
  char words[WORDS];
  snprintf(words, sizeof words, "%s%s%s", error->message, error->hint[0] != '\0' ? "; " : "", error->hint);
  report(context, step, error->code, words);
  return error->code;
}

static enum status probe_name(const char *host, const char *port, probe_report *report, void *context,
                              struct error *error) {
  struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM};
  char words[WORDS];
  int code = getaddrinfo(host, port, &hints, &found);
  if (code != 0) {
    error_set(error, ERR_NETWORK, _("%s cannot be resolved: %s"), host, gai_strerror(code));
    error_hint(error, "%s", _("check the host in `url`, and the name server of this machine"));
    return http_probe_failed("dns", report, context, error);
  }
  int count = 0;
  for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
    count++;
  }
  freeaddrinfo(found);
  snprintf(words, sizeof words, ngettext("%s has %d address", "%s has %d addresses", (unsigned long)count), host,
           count);
  report(context, "dns", OK, words);
  return OK;
}

static enum status probe_handshake(struct http *http, const char *url, probe_report *report, void *context,
                                   struct error *error) {
  int64_t ends = 0;
  bool connected = false;
  char words[WORDS];
  if (http_handshake(http, url, &ends, &connected, error) != OK) {
    return http_probe_failed(connected ? "tls" : "connect", report, context, error);
  }
  int64_t days = (ends - clock_now()) / (INT64_C(86400) * 1000000);
  if (ends == INT64_MAX) {
    report(context, "connect", OK, _("connected, without TLS"));
  } else if (days < CERTIFICATE_WARNING_DAYS) {
    snprintf(words, sizeof words,
             _("connected; the certificate is trusted, but ends in %" PRId64 " days: call the source's contact"), days);
    report(context, "tls", OK, words);
  } else {
    snprintf(words, sizeof words, _("connected; the certificate is trusted, and valid for %" PRId64 " days more"),
             days);
    report(context, "tls", OK, words);
  }
  return OK;
}

static bool is_final(const struct http_response *response) {
  (void)response;
  return true;
}

/* Where the server does not like to be asked for nothing, the steps after this one tell more. */
static enum status probe_clock(struct http *http, const char *url, probe_report *report, void *context,
                               struct error *error) {
  struct http_response response;
  char words[WORDS];
  http_response_init(&response, 65536);
  enum status status =
      http_send(http, &(struct http_request){.url = url, .head = true, .final = is_final}, &response, error);
  if (status == ERR_MEMORY) {
    http_probe_failed("clock", report, context, error);
  } else if (status != OK || response.date < 0) {
    report(context, "clock", OK, _("the source does not tell its time"));
  } else {
    int64_t off = (clock_now() - response.date) / 1000000;
    bool good = off <= CLOCK_TOLERANCE_SECONDS && off >= -CLOCK_TOLERANCE_SECONDS;
    snprintf(words, sizeof words,
             good ? _("this machine's clock and the source's differ by %" PRId64 " s")
                  : _("this machine's clock and the source's differ by %" PRId64
                      " s: tokens and time stamps may be refused; check the time service here, or tell the contact"),
             off);
    report(context, "clock", good ? OK : ERR_REMOTE, words);
  }
  http_response_free(&response);
  return status == ERR_MEMORY ? status : OK;
}

enum { ORIGIN = 256 + 32 };

static enum status origin_of(const char *url, char host[256], char port[8], char origin[ORIGIN], struct error *error) {
  if (!url_host(url, host, port)) {
    return error_set(error, ERR_CONFIG, "%s", _("`url` is no address"));
  }
  snprintf(origin, ORIGIN, "%s://%s%s%s:%s/", strncmp(url, "https", 5) == 0 ? "https" : "http",
           strchr(host, ':') != NULL ? "[" : "", host, strchr(host, ':') != NULL ? "]" : "", port);
  return OK;
}

enum status http_certificate(struct http *http, const char *url, int64_t *ends, struct error *error) {
  char host[256], port[8], origin[ORIGIN];
  bool connected = false;
  *ends = 0;
  enum status status = origin_of(url, host, port, origin, error);
  if (status != OK || strncmp(origin, "https", 5) != 0) {
    return status;
  }
  status = http_handshake(http, origin, ends, &connected, error);
  *ends = status == OK && *ends != INT64_MAX ? *ends : 0;
  return status;
}

enum status http_probe(struct http *http, const char *url, probe_report *report, void *context, struct error *error) {
  char host[256], port[8], origin[ORIGIN];
  enum status status = origin_of(url, host, port, origin, error);
  if (status != OK) {
    return status;
  }
  status = probe_name(host, port, report, context, error);
  status = status == OK ? probe_handshake(http, origin, report, context, error) : status;
  return status == OK ? probe_clock(http, origin, report, context, error) : status;
}
