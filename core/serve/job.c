#include "core/base/date.h"
#include "core/base/log.h"
#include "core/serve/daemon.h"
#include "core/service/checkup.h"
#include "core/service/notices.h"
#include "core/service/pull.h"
#include "core/service/runlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NAME_SIZE = 128 };

/* ---- what the store remembers ---- */

static enum status read_source(struct store *store, const char *name, int source_id, struct agenda_state *state,
                               struct error *error) {
  struct source_health health = {.failures = 0};
  struct arena *arena = arena_new(0);
  *state = (struct agenda_state){.failure = OK};
  enum status status = arena == NULL ? error_memory(error) : store_duty(store, name, &state->duty, error);
  if (status == OK) {
    status = store_health(store, source_id, arena, &health, error);
  }
  state->succeeded = health.succeeded;
  state->failures = health.failures;
  state->failure = health.error;
  state->failed_at = health.tried;
  arena_free(arena);
  return status;
}

/* Failures in a row of a duty are counted by the daemon alone: a restart begins with one. */
static enum status read_duty(struct store *store, const char *name, int failures, struct agenda_state *state,
                             struct error *error) {
  *state = (struct agenda_state){.failure = OK};
  enum status status = store_duty(store, name, &state->duty, error);
  const struct duty *duty = &state->duty;
  if (status == OK && duty->outcome != OK && duty->outcome != ERR_INTERRUPTED) {
    state->failures = failures > 0 ? failures : 1;
    state->failure = duty->outcome;
    state->failed_at = duty->ended;
  }
  return status;
}

static bool open_store(struct job *job, struct workspace *workspace) {
  const struct workspace_opening opening = {
      .config = job->settings->config, .mode = WORKSPACE_WRITE, .stop = job->stop};
  job->status = workspace_open_as(&opening, workspace, &job->error);
  if (job->status != OK) {
    job->end = JOB_NO_STORE;
  }
  return job->status == OK;
}

static void look(struct job *job) {
  struct workspace workspace;
  const struct config *config = job->settings->config;
  char name[NAME_SIZE];
  if (!open_store(job, &workspace)) {
    return;
  }
  job->states = calloc(config->source_count + DUTIES_MOST, sizeof *job->states);
  enum status status = job->states == NULL ? error_memory(&job->error) : OK;
  for (size_t i = 0; i < config->source_count && status == OK; i++) {
    snprintf(name, sizeof name, "sync:%s", config->sources[i].code);
    status = read_source(workspace.store, name, workspace.source_ids[i], &job->states[i], &job->error);
  }
  for (size_t i = 0; duty_table[i].name != NULL && status == OK; i++) {
    struct agenda_state *state = &job->states[config->source_count + i];
    status = read_duty(workspace.store, duty_table[i].name, 0, state, &job->error);
  }
  job->end = status == OK ? JOB_RAN : JOB_NO_STORE;
  job->status = status;
  workspace_close(&workspace);
}

/* ---- a source, a duty: taken, done, noted ---- */

/* Whether it is due still, by what the store holds now, and this process alone is at it. `hold` is let go of where it
 * is not. */
static bool claim(struct job *job, struct store *store, const char *hold, const struct agenda_entry *entry,
                  int source_id, struct duty *duty) {
  enum status status = store_hold(store, hold, &job->error);
  if (status != OK) {
    job->end = status == ERR_BUSY ? JOB_ELSEWHERE : JOB_NO_STORE;
    job->status = status;
    return false;
  }
  status = source_id != 0 ? read_source(store, entry->name, source_id, &job->state, &job->error)
                          : read_duty(store, entry->name, job->state.failures, &job->state, &job->error);
  int64_t now = clock_now();
  bool due = status == OK && (job->asked || agenda_from(entry, &job->state, now) <= now);
  if (!due) {
    job->end = status == OK ? JOB_HANDLED : JOB_NO_STORE;
    job->status = status;
    store_unhold(store, hold);
    return false;
  }
  *duty = (struct duty){
      .due = entry->timetable == NULL || entry->timetable->manual ? now : agenda_due(entry, &job->state, now),
      .began = now};
  return true;
}

/* The outcome goes to the store; without that the due moment stays open. */
static void note(struct job *job, struct store *store, const struct agenda_entry *entry, int source_id,
                 struct duty *duty) {
  struct error error;
  duty->ended = clock_now();
  duty->outcome = job->status;
  int failures = job->state.failures + 1;
  enum status status = store_duty_save(store, entry->name, duty, &error);
  if (status == OK) {
    status = source_id != 0 ? read_source(store, entry->name, source_id, &job->state, &error)
                            : read_duty(store, entry->name, failures, &job->state, &error);
  }
  job->end = JOB_RAN;
  if (status != OK) {
    job->end = JOB_NO_STORE;
    job->error = error;
  }
}

/* ---- one source ---- */

static void take_outcome(void *context, const struct pull_outcome *outcome) {
  *(struct pull_outcome *)context = *outcome;
}

static void pull(struct job *job, struct workspace *workspace, struct pull_outcome *outcome) {
  const char *const codes[] = {job->settings->config->sources[job->position].code, NULL};
  const struct pull_request request = {.kind = PULL_SYNC,
                                       .codes = codes,
                                       .options = {.actor = workspace->actor, .stop = job->stop},
                                       .then_links = true,
                                       .report = take_outcome,
                                       .context = outcome};
  struct pull_summary summary;
  runlog_begin(outcome->source);
  job->status = service_pull(workspace, &request, &summary, &job->error);
  if (job->status == OK) {
    job->status = outcome->status;
    job->error = outcome->error;
  } else {
    outcome->status = job->status;
    outcome->error = job->error;
  }
}

static void sync_one(struct job *job) {
  struct workspace workspace;
  const struct config *config = job->settings->config;
  const char *code = config->sources[job->position].code;
  char name[NAME_SIZE], hold[NAME_SIZE + 8];
  struct duty duty;
  if (!open_store(job, &workspace)) {
    return;
  }
  snprintf(name, sizeof name, "sync:%s", code);
  snprintf(hold, sizeof hold, "due:%s", name);
  int source_id = workspace.source_ids[job->position];
  const struct agenda_entry entry = entry_of_source(config, job->position, name);
  if (claim(job, workspace.store, hold, &entry, source_id, &duty)) {
    struct pull_outcome outcome = {.source = &config->sources[job->position], .status = OK};
    pull(job, &workspace, &outcome);
    if (job->status == ERR_BUSY && outcome.result.run == 0) {
      job->end = JOB_ELSEWHERE;
    } else {
      runlog_end(&outcome);
      job->brought = outcome.result.run != 0 && !outcome.result.nothing_new;
      note(job, workspace.store, &entry, source_id, &duty);
    }
  }
  workspace_close(&workspace);
}

/* ---- one duty ---- */

static void do_duty(struct job *job) {
  struct workspace workspace;
  const struct duty_row *row = &duty_table[job->position];
  const struct duty_work doing = {
      .workspace = &workspace, .stop = job->stop, .console = job->console, .refused = job->refused};
  char hold[NAME_SIZE];
  struct duty duty;
  if (!open_store(job, &workspace)) {
    return;
  }
  if (row->every > 0) {
    job->status = row->run(&doing, &job->error);
    job->end = JOB_RAN;
    if (job->status != OK && job->status != ERR_INTERRUPTED) {
      log_error(LEVEL_WARNING, &job->error);
    }
    workspace_close(&workspace);
    return;
  }
  snprintf(hold, sizeof hold, "duty:%s", row->name);
  const struct agenda_entry entry = entry_of_duty(job->settings->config, job->position, row->name);
  if (claim(job, workspace.store, hold, &entry, 0, &duty)) {
    job->status = row->run(&doing, &job->error);
    if (job->status == ERR_BUSY) {
      job->end = JOB_ELSEWHERE;
    } else {
      if (job->status != OK) {
        log_error(job->status == ERR_INTERRUPTED ? LEVEL_WARNING : LEVEL_ERROR, &job->error);
      }
      note(job, workspace.store, &entry, 0, &duty);
    }
  }
  workspace_close(&workspace);
}

/* ---- a reload ---- */

static void take_step(void *context, const struct check_step *step) {
  struct error *first = context, error;
  if (step->status == OK) {
    return;
  }
  error_set(&error, step->status, "%s: %s", step->subject, step->words);
  error_place(&error, "%s", step->place);
  error_hint(&error, "%s", step->hint);
  log_error(LEVEL_ERROR, &error);
  if (first->code == OK) {
    *first = error;
  }
}

static void reload(struct job *job) {
  const char *path = job->settings->config->path;
  job->end = JOB_RAN;
  job->error.code = OK;
  job->status = service_check_offline(path, take_step, &job->error);
  if (job->status == OK) {
    job->status = config_load(path, &job->config, &job->error);
    if (job->status != OK) {
      log_error(LEVEL_ERROR, &job->error);
    }
  }
}

static void tell_reload(struct job *job) {
  struct workspace workspace;
  struct error refusal = job->error;
  if (!open_store(job, &workspace)) {
    return;
  }
  job->end = JOB_RAN;
  job->status = notices_reload(&workspace, refusal.code == OK ? NULL : &refusal, job->stop, &job->error);
  if (job->status != OK && job->status != ERR_INTERRUPTED) {
    log_error(LEVEL_WARNING, &job->error);
  }
  workspace_close(&workspace);
}

/* ---- threads ---- */

static void *work(void *context) {
  static void (*const works[])(struct job *) = {
      [JOB_LOOK] = look, [JOB_SYNC] = sync_one, [JOB_DUTY] = do_duty, [JOB_RELOAD] = reload, [JOB_TELL] = tell_reload};
  struct job *job = context;
  struct daemon *daemon = job->daemon;
  works[job->kind](job);
  pthread_mutex_lock(&daemon->lock);
  job->next = daemon->ended;
  daemon->ended = job;
  pthread_mutex_unlock(&daemon->lock);
  const uint64_t one = 1;
  (void)!write(daemon->wake, &one, sizeof one);
  return NULL;
}

bool job_start(struct daemon *daemon, const struct job *wanted) {
  struct job *job = malloc(sizeof *job);
  if (job == NULL) {
    return false;
  }
  *job = *wanted;
  job->daemon = daemon;
  job->settings = daemon->settings;
  job->stop = daemon->request->stop;
  job->console = daemon->console;
  memcpy(job->refused, daemon->refused, sizeof job->refused);
  if (pthread_create(&job->thread, NULL, work, job) != 0) {
    free(job);
    return false;
  }
  daemon->settings->uses++;
  daemon->jobs++;
  daemon->syncs += job->kind == JOB_SYNC;
  return true;
}

struct job *job_take(struct daemon *daemon) {
  pthread_mutex_lock(&daemon->lock);
  struct job *job = daemon->ended;
  if (job != NULL) {
    daemon->ended = job->next;
  }
  pthread_mutex_unlock(&daemon->lock);
  if (job != NULL) {
    pthread_join(job->thread, NULL);
    daemon->jobs--;
    daemon->syncs -= job->kind == JOB_SYNC;
  }
  return job;
}

void job_free(struct job *job) {
  settings_drop(job->settings);
  config_free(job->config);
  free(job->states);
  free(job);
}

void settings_drop(struct settings *settings) {
  if (settings != NULL && --settings->uses == 0) {
    config_free(settings->config);
    free(settings);
  }
}
