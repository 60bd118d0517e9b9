/* THE DAEMON: one process that pulls each source when it is due, then links, and does the other duties that a clock
 * asks for. Stands above the services and below the commands.
 *
 * The main thread waits for the next due moment or a signal; each sync runs in a thread with a workspace of its own, so
 * that a source that hangs holds up no other one, and passwords are read anew at each run. What was handled is kept in
 * the store (store_duty), so that a restart, a pause of the machine or another host makes a missed run up once and no
 * run twice. */
#ifndef PUENTE_SERVE_SERVE_H
#define PUENTE_SERVE_SERVE_H

#include "core/service/workspace.h"

struct serve_request {
  const char *config;
  bool once;               /* what is due now, then the end: for cron and systemd timers */
  const atomic_bool *stop; /* SIGTERM, SIGINT: syncs end after their page */
  atomic_bool *reload;     /* SIGHUP: set by the handler, cleared here; NULL: never */
  int signals;             /* readable once a signal came; -1: none */
};
struct serve_summary {
  int64_t done, failed, skipped; /* runs of sources; skipped: another host was at it; failed: also linkings, and what
                                    could not begin */
  enum status worst;             /* of the failed ones: the first error's code, or OK */
  int64_t linked, duties;
  int left; /* runs that hang and did not end for `stop`: the caller has to end the process by _exit */
};

/* Until `stop` (OK), or with `once` until what was due is done. A configuration that cannot be read at the start is the
 * error; on a reload it is logged and told, and the old one goes on. A store that cannot be reached is waited for. */
enum status serve_run(const struct serve_request *request, struct serve_summary *summary,
                      struct error *error) MUST_CHECK;

#endif
