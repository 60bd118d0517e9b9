/* The first steps of `puente check --live`, alike for every HTTP source: name, connection, certificate, clock. */
#ifndef PUENTE_CONNECTORS_HTTP_PROBE_H
#define PUENTE_CONNECTORS_HTTP_PROBE_H

#include "connectors/http/http.h"

/* Reports "dns", "tls" (or "connect" without TLS) and "clock". No credentials are sent. The first failure ends it and
 * is returned; a clock that differs, or is not told, is reported and goes on. */
enum status http_probe(struct http *http, const char *url, probe_report *report, void *context,
                       struct error *error) MUST_CHECK;
/* When the certificate of the server at `url` ends, in microseconds; 0: no TLS. Connects for https alone. */
enum status http_certificate(struct http *http, const char *url, int64_t *ends, struct error *error) MUST_CHECK;
/* Reports a failed step with its hint; returns the error's code. */
enum status http_probe_failed(const char *step, probe_report *report, void *context, const struct error *error);

#endif
