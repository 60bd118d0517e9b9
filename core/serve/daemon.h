/* The daemon's own parts: what its main thread knows, and the jobs that its threads do. Only the main thread starts
 * jobs, takes them back, and changes what is here; a job has its own copies and gives its results by the job. */
#ifndef PUENTE_SERVE_DAEMON_H
#define PUENTE_SERVE_DAEMON_H

#include "core/serve/agenda.h"
#include "core/serve/duty.h"
#include "core/serve/serve.h"

#include <pthread.h>

/* A configuration in use, by the daemon and by jobs that began under it. */
struct settings {
  struct config *config;
  int uses;
};
void settings_drop(struct settings *settings); /* NULL allowed */

enum job_kind {
  JOB_LOOK,   /* reads what the store remembers, and makes the store where there is none */
  JOB_SYNC,   /* one source */
  JOB_DUTY,   /* one row of the table */
  JOB_RELOAD, /* reads and checks the configuration */
  JOB_TELL,   /* tells people what became of a reload */
};
enum job_end {
  JOB_RAN,       /* `status` tells how it went */
  JOB_ELSEWHERE, /* another process is at it */
  JOB_HANDLED,   /* another process has done it: nothing is due */
  JOB_NO_STORE,  /* the store could not be opened, or did not keep the outcome */
};

struct job {
  struct job *next; /* in the list of those that ended */
  struct daemon *daemon;
  enum job_kind kind;
  struct settings *settings;
  size_t position; /* of the source, or of the duty */
  bool asked;      /* a duty that follows runs: due whatever the clock says */
  const atomic_bool *stop;
  struct console *console;
  char refused[512]; /* for duties: why the last reload was refused; "": it was not */
  pthread_t thread;
  /* results */
  enum job_end end;
  enum status status;
  struct error error;
  bool brought;                /* something new */
  struct agenda_state state;   /* as it is now; not with JOB_NO_STORE and JOB_ELSEWHERE */
  struct agenda_state *states; /* of a look: of all sources, then of all duties */
  struct config *config;       /* of a reload: the new one */
};

/* What is on the agenda: a source or a duty. */
struct item {
  char *name; /* of a source: "sync:reta", owned */
  struct agenda_state state;
  bool running, done; /* done: with `once`, had its turn */
  int64_t again;      /* monotonic, of a duty that is done all the time: when next */
  int64_t wanted;     /* monotonic, since when it is to follow runs; 0: not */
  int64_t rests;      /* monotonic: not before then, since another process is at it */
};

struct daemon {
  const struct serve_request *request;
  struct serve_summary *summary;
  struct settings *settings;
  struct item *sources; /* by position in the configuration */
  size_t source_count;
  struct item duties[DUTIES_MOST]; /* by position in the table */
  bool began, looked, looking;     /* the store was read once; it is there; it is being read */
  bool reloading;
  int64_t look_at;   /* monotonic: when the store is looked for; 0: not */
  int troubles;      /* with the store, in a row */
  char trouble[512]; /* the last one told */
  bool failed;       /* `failure` ends the daemon */
  struct error failure;
  int syncs, jobs; /* that run */
  int told_jobs;
  struct console *console;           /* NULL: none */
  const struct settings *console_of; /* the configuration that it was started for */
  char refused[512];                 /* why the last reload was refused; "": it was not */
  int64_t watchdog, alive_at;        /* microseconds; monotonic */
  int wake;                          /* eventfd: a job has ended */
  pthread_mutex_t lock;              /* of `ended` */
  struct job *ended;
};

/* Starts a thread that does it and gives it back by daemon->ended; false where there is no thread to be had. */
bool job_start(struct daemon *daemon, const struct job *wanted);
struct job *job_take(struct daemon *daemon); /* one that ended; NULL: none */
void job_free(struct job *job);

/* ---- items.c: what is on the agenda ---- */

struct agenda_entry entry_of_source(const struct config *config, size_t position, const char *name);
struct agenda_entry entry_of_duty(const struct config *config, size_t position, const char *name);
/* Makes the items of a configuration; those of sources that were there before keep what is known of them. */
enum status items_make(struct daemon *daemon, const struct config *config, struct error *error) MUST_CHECK;
void items_free(struct item *items, size_t count);
/* Duties that follow such runs are to be done. */
void items_want(struct daemon *daemon, enum duty_after after);
/* Starts what is due, within the limits; returns the moment of the monotonic clock at which more may be. */
int64_t items_start(struct daemon *daemon);
/* A job of a source or a duty has ended. */
void items_ended(struct daemon *daemon, const struct job *job);

#endif
