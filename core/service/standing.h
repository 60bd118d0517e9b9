/* HOW A SOURCE STANDS: one state, since when, why, whom to call and what to do, from its configuration, its health in
 * the store, its schedule and the clock. The only place that decides it: status, notices, metrics and the daemon ask
 * here. */
#ifndef PUENTE_SERVICE_STANDING_H
#define PUENTE_SERVICE_STANDING_H

#include "core/service/workspace.h"
#include "core/store/watch.h"

/* In the order of who needs a person first. */
enum standing {
  STANDING_FAILED,  /* our own side: configuration, disk, store */
  STANDING_REFUSED, /* the source refuses: credentials, certificate, permission */
  STANDING_CHANGED, /* its schema no longer fits the mapping */
  STANDING_UNREACHABLE,
  STANDING_LATE,  /* no sync succeeded since it was due, or ever */
  STANDING_EMPTY, /* reached, and it has nothing to report */
  STANDING_NEVER, /* not pulled yet, and not due */
  STANDING_OK,
  STANDING_PAUSED,
  STANDING_RETIRED
};
extern const char *const standing_names[];           /* "failed", "refused", "changed", … */
const char *standing_label(enum standing standing);  /* translated */
const char *standing_advice(enum standing standing); /* what to do, translated; "" for nothing */
bool standing_needs_person(enum standing standing);  /* failed, refused, changed, unreachable, late */

struct source_standing {
  enum standing standing;
  int64_t since;   /* 0: unknown */
  int64_t due;     /* next due moment; INT64_MAX: none */
  int64_t overdue; /* the due moment that was missed; 0: none */
  int64_t retry;   /* next try of a failed source; 0: none; INT64_MAX: at the next due moment */
  bool circuit_open;
};
/* `known`: since when the store knows the source (0: not told). One that never was pulled is late once a moment that
 * was due since then has passed. */
struct source_standing standing_of(const struct config *config, size_t position, const struct source_health *health,
                                   int64_t known, int64_t now);

/* What expires, with a warning at 30, 14 and 3 days: certificates (own and the source's), passwords and keys whose end
 * is declared. Sorted by time. */
struct expiry {
  const char *source; /* NULL: the store's or the mail's */
  const char *what;   /* "client_certificate", "server_certificate", "token_server_certificate", "password" */
  int64_t at;
  int days;  /* left; negative: it has ended */
  int level; /* 30, 14, 3 or 0 (ended); -1: not yet to be told of */
};
/* When the first certificate of a PEM file ends, in microseconds; 0: it cannot be read as one. */
int64_t certificate_ends(const char *path);
int expiry_level(int64_t at, int64_t now);
const char *expiry_label(const char *what); /* translated; a name of the configuration's own as it is */
/* From configuration and certificate files alone; certificates that servers show come from the store, where the daily
 * duty "expiries" keeps them. In the arena. */
enum status expiries_read(const struct workspace *workspace, struct arena *arena, int64_t now, struct expiry **expiries,
                          size_t *count, struct error *error) MUST_CHECK;
/* Asks the servers of all active sources for their certificates and keeps in the store when these end. What a source
 * that cannot be asked showed last stays; its next sync tells why. Only a store that fails, or `stop`, is an error. */
enum status expiries_watch(struct workspace *workspace, const atomic_bool *stop, struct error *error) MUST_CHECK;

#endif
