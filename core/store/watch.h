/* What the store remembers about sources and work that runs by itself: leases that end with their holder, duties, the
 * health of sources, their fields, what expires, notices. Format 6.
 *
 * Texts given back are in the caller's arena; those that a visitor gets are valid until it returns. */
#ifndef PUENTE_STORE_WATCH_H
#define PUENTE_STORE_WATCH_H

#include "core/base/arena.h"
#include "core/store/store.h"

/* ---- holds: a name that one handle of all processes and hosts has ---- */

/* Held as long as this handle is open and connected, or until store_unhold; ERR_BUSY where another one holds it.
 * PostgreSQL: an advisory lock of the session; SQLite: a lock on a byte of FILE-hold beside the database. The kernel,
 * or the server, lets go of it when its process ends. What a hold guards is fenced besides by store_lease's token. */
enum status store_hold(struct store *store, const char *name, struct error *error) MUST_CHECK;
void store_unhold(struct store *store, const char *name);
/* Whether another handle has it; takes nothing, and needs no right to write. */
enum status store_held(struct store *store, const char *name, bool *held, struct error *error) MUST_CHECK;

/* ---- duties: scheduled work, so that a missed one is made up once ----
 *
 * Named "sync:CODE", "link", "digest", "expiries", "backup" (ended: the last one that was read back), "restore" (the
 * last restore that was tried): status shows the last two. */

struct duty {
  int64_t due;          /* last due moment that was handled; 0: never. Microseconds, as all times here */
  int64_t began, ended; /* of the last time; ended 0: it runs, or its process was killed */
  enum status outcome;
};
/* A duty that was never handled gives zeros. */
enum status store_duty(struct store *store, const char *name, struct duty *duty, struct error *error) MUST_CHECK;
/* In a transaction of its own where none is open. */
enum status store_duty_save(struct store *store, const char *name, const struct duty *duty,
                            struct error *error) MUST_CHECK;

/* Since when the store knows a source (a duty "source:CODE"); 0: since before that was noted. */
enum status store_source_known(struct store *store, const char *code, int64_t *since, struct error *error) MUST_CHECK;

/* ---- health: what the last tries of a source say ---- */

enum health {
  HEALTH_UNKNOWN,
  HEALTH_OK,
  HEALTH_UNREACHABLE,
  HEALTH_REFUSED,
  HEALTH_CHANGED,
  HEALTH_EMPTY,
  HEALTH_FAILED
};
extern const char *const health_names[]; /* "unknown", "ok", "unreachable", "refused", "changed", "empty", "failed" */
struct source_health {
  enum health health;
  int64_t since; /* when this health began */
  int failures;  /* tries that failed in a row; 0 after one that succeeded */
  int64_t tried, succeeded;
  enum status error;                  /* of the last try */
  const char *message, *place, *hint; /* of the last failed one; NULL: none */
};
enum status store_health(struct store *store, int source_id, struct arena *arena, struct source_health *health,
                         struct error *error) MUST_CHECK;
enum status store_health_save(struct store *store, int source_id, const struct source_health *health,
                              struct error *error) MUST_CHECK;

/* ---- volume: what former syncs of a source brought ---- */

struct past_sync {
  int64_t run, started;
  int64_t pulled, mapped, quarantined;
};
typedef enum status past_visitor(void *context, const struct past_sync *past, struct error *error);
/* Complete syncs of the source before `run` that began at or after `since`, newest first, at most `most`. */
enum status store_visit_past(struct store *store, int source_id, int64_t run, int64_t since, size_t most,
                             past_visitor *visit, void *context, struct error *error) MUST_CHECK;
/* Whether the source ever was given something to remember: its passes then bring only what is new. */
enum status store_has_memory(struct store *store, int source_id, bool *any, struct error *error) MUST_CHECK;

/* ---- fields: the shape of what a source sends, and how it changed ---- */

/* Kinds of values, a bit each. */
enum { KIND_NULL = 1, KIND_BOOLEAN = 2, KIND_NUMBER = 4, KIND_TEXT = 8, KIND_LIST = 16, KIND_OBJECT = 32 };
struct field_seen {
  struct slice path; /* as the mapping writes it; members of lists without a position */
  int kinds;         /* all that were seen */
  int64_t records;   /* of `looked`, those that had it */
  int64_t looked;    /* objects that could have had it and were looked at lately: records, members of a list */
  int64_t first_run, last_run;
};
typedef enum status field_visitor(void *context, const struct field_seen *field, struct error *error);
/* By path. */
enum status store_visit_fields(struct store *store, int source_id, field_visitor *visit, void *context,
                               struct error *error) MUST_CHECK;
/* Upserts by path. */
enum status store_save_fields(struct store *store, int source_id, const struct field_seen *fields, size_t count,
                              struct error *error) MUST_CHECK;

enum drift_kind { DRIFT_NEW, DRIFT_MISSING, DRIFT_RETYPED };
extern const char *const drift_names[]; /* "new", "missing", "retyped" */
struct drift {
  struct slice path;
  enum drift_kind kind;
  bool mapped; /* the mapping reads it */
  int was, is; /* kinds of values */
  int64_t run; /* that found it */
  int64_t since;
  int64_t closed; /* when it was as before again, or was accepted; 0: open */
};
typedef enum status drift_visitor(void *context, const struct drift *drift, struct error *error);
/* Open ones, by path. */
enum status store_visit_drift(struct store *store, int source_id, drift_visitor *visit, void *context,
                              struct error *error) MUST_CHECK;
/* Closes those that were found before the plan was first used: a person has adapted the mapping to them. */
enum status store_settle_drift(struct store *store, int source_id, int64_t plan_id, struct error *error) MUST_CHECK;
/* Closes those that stand, of one field or of all (`path` NULL): a person says that it may stay so. */
enum status store_accept_drift(struct store *store, int source_id, const char *path, struct error *error) MUST_CHECK;
/* The open findings of a source become these: those that are no more are closed, those that stand keep `since`. */
enum status store_replace_drift(struct store *store, int source_id, const struct drift *drifts, size_t count,
                                struct error *error) MUST_CHECK;

/* ---- expiries: what servers showed of their certificates ---- */

struct expiry_seen {
  int source_id;
  const char *what; /* "server_certificate", "token_server_certificate" */
  int64_t at, seen; /* when it ends; when that was seen */
};
typedef enum status expiry_visitor(void *context, const struct expiry_seen *expiry, struct error *error);
/* By source and name. */
enum status store_visit_expiries(struct store *store, expiry_visitor *visit, void *context,
                                 struct error *error) MUST_CHECK;
/* Upserts by source and name. In a transaction of its own where none is open. */
enum status store_expiry_save(struct store *store, const struct expiry_seen *expiry, struct error *error) MUST_CHECK;

/* ---- notices: what people were told, so that they are told once ---- */

struct notice {
  const char *name;    /* what it is about: "source:reta:unreachable", "expiry:reta:client_certificate:14" */
  int64_t since, sent; /* sent 0: not yet */
  int64_t closed;      /* 0: it stands */
  int64_t level;       /* what it was told at: days left, records in quarantine */
};
typedef enum status notice_visitor(void *context, const struct notice *notice, struct error *error);
/* Those that stand, by name. */
enum status store_visit_notices(struct store *store, notice_visitor *visit, void *context,
                                struct error *error) MUST_CHECK;
/* Upserts by name. In a transaction of its own where none is open. */
enum status store_notice_save(struct store *store, const struct notice *notice, struct error *error) MUST_CHECK;

#endif
