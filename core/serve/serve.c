#include "core/base/date.h"
#include "core/base/log.h"
#include "core/serve/daemon.h"
#include "core/serve/systemd.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SECOND INT64_C(1000000)
/* The wall clock may be moved and the machine may sleep: what is due is reckoned anew after this. */
#define LOOK_ROUND (10 * SECOND)
#define BACKOFF_MOST (60 * SECOND)
/* Syncs that do not end for a signal, in a call to a source or the store that hangs, are left to the kernel. */
#define GRACE (20 * SECOND)

static bool asked(const struct daemon *daemon) {
  return atomic_load(daemon->request->stop);
}

/* ---- what machines see ---- */

static struct item *watch_of(struct daemon *daemon) {
  size_t i = 0;
  while (duty_table[i].name != NULL && duty_table[i].every == 0) {
    i++;
  }
  return &daemon->duties[i];
}

/* The console of the present configuration. A port that is taken is no reason to pull nothing. */
static void settle_console(struct daemon *daemon) {
  const struct serve_config *serve = &daemon->settings->config->serve;
  struct error error;
  if (daemon->request->once || daemon->console_of == daemon->settings || watch_of(daemon)->running) {
    return;
  }
  console_stop(daemon->console);
  daemon->console = NULL;
  daemon->console_of = daemon->settings;
  if (serve->address != NULL && console_start(serve->address, serve->port, &daemon->console, &error) != OK) {
    log_error(LEVEL_WARNING, &error);
    daemon->console = NULL;
  }
  watch_of(daemon)->again = 0;
}

static void show_absence(struct daemon *daemon, const struct error *cause) {
  struct error error;
  if (daemon->console != NULL && !watch_of(daemon)->running
      && console_show(daemon->console, NULL, NULL, false, cause->message, &error) != OK) {
    log_error(LEVEL_WARNING, &error);
  }
}

/* ---- the store ---- */

/* Without the store nothing is started; it is looked for again at growing intervals. */
static void miss_store(struct daemon *daemon, const struct error *error) {
  int64_t pause = SECOND;
  for (int i = 0; i < daemon->troubles && pause < BACKOFF_MOST; i++) {
    pause *= 2;
  }
  pause = pause < BACKOFF_MOST ? pause : BACKOFF_MOST;
  if (daemon->troubles++ == 0 || strcmp(daemon->trouble, error->message) != 0) {
    log_error(LEVEL_ERROR, error);
    log_message(LEVEL_WARNING, _("the store does not answer: syncs wait until it does"));
    memcpy(daemon->trouble, error->message, sizeof daemon->trouble);
  }
  show_absence(daemon, error);
  systemd_status(_("waits for the store: %s"), error->message);
  daemon->looked = false;
  daemon->look_at = clock_monotonic() + pause;
}

/* At the start a mistake that waiting does not mend ends the daemon. */
static bool store_may_come(enum status status) {
  return status == ERR_STORE || status == ERR_NETWORK || status == ERR_BUSY;
}

static void take_states(struct daemon *daemon, const struct job *job) {
  size_t count = daemon->source_count;
  for (size_t i = 0; i < count; i++) {
    daemon->sources[i].state = job->states[i];
  }
  for (size_t i = 0; duty_table[i].name != NULL; i++) {
    if (!daemon->duties[i].running) {
      daemon->duties[i].state = job->states[count + i];
    }
  }
  if (!daemon->began) {
    items_want(daemon, AFTER_NEWS); /* what came before the start */
  }
  daemon->began = true;
  daemon->looked = true;
  daemon->look_at = 0;
}

static void look_ended(struct daemon *daemon, const struct job *job) {
  daemon->looking = false;
  if (job->end == JOB_RAN && job->settings == daemon->settings) {
    if (daemon->troubles > 0) {
      log_message(LEVEL_INFO, _("the store answers"));
    }
    take_states(daemon, job);
  } else if (job->end == JOB_RAN) { /* of the configuration before a reload */
    daemon->look_at = clock_monotonic();
  } else if (daemon->request->once || (!daemon->began && !store_may_come(job->status))) {
    daemon->failed = true;
    daemon->failure = job->error;
  } else {
    miss_store(daemon, &job->error);
  }
}

static void start_look(struct daemon *daemon) {
  const struct job job = {.kind = JOB_LOOK};
  daemon->looking = job_start(daemon, &job);
  daemon->look_at = daemon->looking ? 0 : clock_monotonic() + SECOND;
  if (!daemon->looking && daemon->request->once) { /* a daemon waits for memory, what is done once ends */
    daemon->failed = true;
    error_memory(&daemon->failure);
  }
}

/* ---- the configuration ---- */

static void start_reload(struct daemon *daemon) {
  const struct job job = {.kind = JOB_RELOAD};
  systemd_reloading();
  daemon->reloading = job_start(daemon, &job);
  if (daemon->reloading) {
    atomic_store(daemon->request->reload, false);
  } else {
    systemd_ready();
  }
}

static struct settings *settings_new(struct config *config) {
  struct settings *settings = malloc(sizeof *settings);
  if (settings != NULL) {
    *settings = (struct settings){.config = config, .uses = 1};
  }
  return settings;
}

static void reload_ended(struct daemon *daemon, struct job *job) {
  struct error error = job->error;
  enum status status = job->status;
  struct settings *settings = NULL;
  daemon->reloading = false;
  if (status == OK && (settings = settings_new(job->config)) == NULL) {
    status = error_memory(&error);
  }
  if (status == OK) {
    status = items_make(daemon, job->config, &error);
  }
  if (status == OK) {
    job->config = NULL;
    settings_drop(daemon->settings);
    daemon->settings = settings;
    daemon->console_of = NULL;
    daemon->looked = false;
    daemon->look_at = clock_monotonic();
    daemon->refused[0] = '\0';
    error.code = OK;
    log_message(LEVEL_INFO, _("the configuration was loaded again"));
  } else {
    free(settings);
    log_message(LEVEL_ERROR, _("the configuration is refused: the one before it goes on"));
    memcpy(daemon->refused, error.message, sizeof daemon->refused);
  }
  watch_of(daemon)->again = 0;
  const struct job telling = {.kind = JOB_TELL, .error = error};
  if (!job_start(daemon, &telling)) {
    log_message(LEVEL_WARNING, _("no thread could be started"));
  }
  systemd_ready();
}

/* ---- the loop ---- */

static void take_ended(struct daemon *daemon) {
  uint64_t count;
  struct job *job;
  (void)!read(daemon->wake, &count, sizeof count);
  while ((job = job_take(daemon)) != NULL) {
    switch (job->kind) {
    case JOB_LOOK:
      look_ended(daemon, job);
      break;
    case JOB_RELOAD:
      reload_ended(daemon, job);
      break;
    case JOB_TELL:
      break;
    case JOB_SYNC:
    case JOB_DUTY:
      items_ended(daemon, job);
      if (job->end == JOB_NO_STORE && !asked(daemon)) {
        miss_store(daemon, &job->error);
      } else if (job->end == JOB_RAN) {
        daemon->troubles = 0;
      }
      break;
    }
    job_free(job);
    if (daemon->jobs == 0) { /* what the threads used goes back to the machine until the next are due */
      malloc_trim(0);
    }
  }
}

static void wait_for_more(const struct daemon *daemon, int64_t until) {
  int64_t most = clock_monotonic() + LOOK_ROUND;
  until = until < most ? until : most;
  until = daemon->alive_at != 0 && daemon->alive_at < until ? daemon->alive_at : until;
  int64_t left = until - clock_monotonic();
  struct pollfd files[] = {{.fd = daemon->wake, .events = POLLIN}, {.fd = daemon->request->signals, .events = POLLIN}};
  if (left <= 0 || poll(files, 2, (int)((left + 999) / 1000)) <= 0) {
    return;
  }
  uint64_t count;
  if ((files[1].revents & POLLIN) != 0) {
    (void)!read(files[1].fd, &count, sizeof count);
  }
}

static void stay_alive(struct daemon *daemon) {
  if (daemon->watchdog > 0 && clock_monotonic() >= daemon->alive_at) {
    systemd_alive();
    daemon->alive_at = clock_monotonic() + daemon->watchdog;
  }
}

static void tell_status(struct daemon *daemon) {
  if (daemon->looked && daemon->told_jobs != daemon->jobs) {
    daemon->told_jobs = daemon->jobs;
    systemd_status(_("%d sources are being pulled, %d runs in hand"), daemon->syncs, daemon->jobs);
  }
}

/* Once: nothing runs any more, and nothing was left to start. */
static bool is_over(const struct daemon *daemon) {
  return daemon->failed || (daemon->request->once && daemon->looked && daemon->jobs == 0);
}

static void turn(struct daemon *daemon) {
  while (!asked(daemon)) {
    int64_t until = INT64_MAX;
    take_ended(daemon);
    if (daemon->request->reload != NULL && atomic_load(daemon->request->reload) && !daemon->reloading) {
      start_reload(daemon);
    }
    if (daemon->look_at != 0 && !daemon->looking) {
      until = daemon->look_at;
      if (clock_monotonic() >= until) {
        start_look(daemon);
      }
    } else if (daemon->looked) {
      settle_console(daemon);
      until = items_start(daemon);
    }
    if (is_over(daemon)) {
      return;
    }
    stay_alive(daemon);
    tell_status(daemon);
    wait_for_more(daemon, until);
  }
}

/* Syncs end after their page. */
static void end(struct daemon *daemon) {
  int64_t until = clock_monotonic() + GRACE;
  if (!daemon->request->once || daemon->jobs > 0) {
    systemd_stopping();
  }
  while (daemon->jobs > 0 && clock_monotonic() < until) {
    take_ended(daemon);
    stay_alive(daemon);
    if (daemon->jobs > 0) {
      wait_for_more(daemon, until);
    }
  }
  daemon->summary->left = daemon->jobs;
  if (daemon->jobs > 0) {
    log_message(LEVEL_WARNING,
                _("%d runs did not end in time and are cut off: the next ones go on from where they are"),
                daemon->jobs);
  }
}

static enum status begin(struct daemon *daemon, struct error *error) {
  struct config *config = NULL;
  daemon->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (daemon->wake < 0) {
    return error_set(error, ERR_IO, _("no descriptor could be made: %s"), strerror(errno));
  }
  enum status status = config_load(daemon->request->config, &config, error);
  if (status == OK && (daemon->settings = settings_new(config)) == NULL) {
    config_free(config);
    status = error_memory(error);
  }
  if (status == OK) {
    status = items_make(daemon, config, error);
  }
  return status;
}

static void daemon_free(struct daemon *daemon) {
  console_stop(daemon->console);
  items_free(daemon->sources, daemon->source_count);
  settings_drop(daemon->settings);
  close(daemon->wake);
  pthread_mutex_destroy(&daemon->lock);
  free(daemon);
}

enum status serve_run(const struct serve_request *request, struct serve_summary *summary, struct error *error) {
  struct daemon *daemon = calloc(1, sizeof *daemon);
  *summary = (struct serve_summary){.worst = OK};
  if (daemon == NULL) {
    return error_memory(error);
  }
  *daemon = (struct daemon){.request = request, .summary = summary, .wake = -1, .told_jobs = -1};
  pthread_mutex_init(&daemon->lock, NULL);
  enum status status = begin(daemon, error);
  if (status == OK) {
    daemon->watchdog = systemd_watchdog();
    daemon->alive_at = daemon->watchdog > 0 ? clock_monotonic() : 0;
    daemon->look_at = clock_monotonic();
    systemd_ready();
    turn(daemon);
    end(daemon);
  }
  if (status == OK && daemon->failed) {
    *error = daemon->failure;
    status = error->code;
  }
  if (summary->left == 0) { /* else threads are at work still; the caller ends the process */
    daemon_free(daemon);
  }
  return status;
}
