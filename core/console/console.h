/* The daemon's window for machines, on a loopback address: GET /healthz (the process turns), /readyz (the store answers
 * and no reload failed), /metrics (Prometheus text: sources, runs, records, quarantine, expiry, memory; codes of
 * sources as labels, nothing of a person). libmicrohttpd; its own thread; bounded connections. */
#ifndef PUENTE_CONSOLE_CONSOLE_H
#define PUENTE_CONSOLE_CONSOLE_H

#include "core/service/overview.h"

/* What is shown: a snapshot that the daemon replaces after each run and each minute, so that a slow reader or a flood
 * of requests never touches the store. A daemon that has not shown anything for ten minutes is not well: /healthz says
 * so by 503. */
struct console;
/* ERR_CONFIG for an address that other machines reach; ERR_BUSY where the port is taken. Port 0: a free one. */
enum status console_start(const char *address, int port, struct console **console, struct error *error) MUST_CHECK;
void console_stop(struct console *console); /* NULL allowed */
int console_port(const struct console *console);
/* Renders the metrics of an overview and shows them from now on; `ready` with words why not (NULL: none). Not from two
 * threads at once. `overview` NULL: the store did not answer; what was shown stays, and it is not ready. */
enum status console_show(struct console *console, const struct workspace *workspace, const struct overview *overview,
                         bool ready, const char *words, struct error *error) MUST_CHECK;

#endif
