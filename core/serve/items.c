#include "core/base/date.h"
#include "core/base/log.h"
#include "core/serve/daemon.h"

#include <stdio.h>
#include <stdlib.h>

/* What follows runs waits until none is under way, but no longer than this; what another process is at is looked at
 * again after that. Microseconds of the monotonic clock. */
#define FOLLOW_MOST (INT64_C(30) * 1000000)
#define REST (INT64_C(1) * 1000000)

static const struct timetable NEVER = {.manual = true};

struct agenda_entry entry_of_source(const struct config *config, size_t position, const char *name) {
  return (struct agenda_entry){
      .name = name, .timetable = &config->serve.sources[position].timetable, .retry = &config->serve.retry};
}

struct agenda_entry entry_of_duty(const struct config *config, size_t position, const char *name) {
  const struct duty_row *row = &duty_table[position];
  const struct timetable *timetable = row->timetable == NULL ? NULL : row->timetable(config);
  return (struct agenda_entry){
      .name = name, .timetable = timetable == NULL ? &NEVER : timetable, .retry = &config->serve.retry};
}

/* ---- making ---- */

void items_free(struct item *items, size_t count) {
  for (size_t i = 0; items != NULL && i < count; i++) {
    free(items[i].name);
  }
  free(items);
}

static struct item *item_of_source(struct daemon *daemon, const char *code) {
  for (size_t i = 0; i < daemon->source_count; i++) {
    if (strcmp(daemon->sources[i].name + strlen("sync:"), code) == 0) {
      return &daemon->sources[i];
    }
  }
  return NULL;
}

enum status items_make(struct daemon *daemon, const struct config *config, struct error *error) {
  struct item *made = calloc(config->source_count + 1, sizeof *made);
  for (size_t i = 0; made != NULL && i < config->source_count; i++) {
    const struct item *former = item_of_source(daemon, config->sources[i].code);
    if (former != NULL) {
      made[i] = *former;
    }
    if (asprintf(&made[i].name, "sync:%s", config->sources[i].code) < 0) {
      made[i].name = NULL;
      items_free(made, i);
      made = NULL;
      break;
    }
  }
  if (made == NULL) {
    return error_memory(error);
  }
  items_free(daemon->sources, daemon->source_count);
  daemon->sources = made;
  daemon->source_count = config->source_count;
  return OK;
}

/* ---- starting ---- */

static bool gateway_is_taken(const struct daemon *daemon, const char *gateway) {
  const struct config *config = daemon->settings->config;
  for (size_t i = 0; gateway != NULL && i < daemon->source_count; i++) {
    const char *other = config->sources[i].gateway;
    if (daemon->sources[i].running && other != NULL && strcmp(other, gateway) == 0) {
      return true;
    }
  }
  return false;
}

/* The moment of the monotonic clock for one of the wall clock that is ahead. */
static int64_t monotonic_of(int64_t moment, int64_t now, int64_t monotonic) {
  int64_t ahead = moment == INT64_MAX ? INT64_MAX : (int64_t)((double)(moment - now) / clock_rate());
  return ahead > INT64_MAX - monotonic ? INT64_MAX : monotonic + ahead;
}

static void sooner(int64_t *at, int64_t moment) {
  if (moment < *at) {
    *at = moment;
  }
}

static bool has_had_its_turn(const struct daemon *daemon, const struct item *item) {
  return item->running || (daemon->request->once && item->done);
}

/* The source that has been due for longest and may start; SIZE_MAX: none. `at`: when another one may. */
static size_t next_source(const struct daemon *daemon, int64_t now, int64_t monotonic, int64_t *at) {
  const struct config *config = daemon->settings->config;
  bool full = config->serve.parallel > 0 && daemon->syncs >= config->serve.parallel;
  size_t next = SIZE_MAX;
  int64_t first = INT64_MAX;
  for (size_t i = 0; i < daemon->source_count; i++) {
    const struct item *item = &daemon->sources[i];
    if (config->sources[i].state != SOURCE_ACTIVE || has_had_its_turn(daemon, item)) {
      continue;
    }
    const struct agenda_entry entry = entry_of_source(config, i, item->name);
    int64_t from = agenda_from(&entry, &item->state, now);
    if (from > now || item->rests > monotonic) {
      int64_t begins = monotonic_of(from, now, monotonic);
      sooner(at, begins > item->rests ? begins : item->rests);
    } else if (from < first && !full && !gateway_is_taken(daemon, config->sources[i].gateway)) {
      first = from;
      next = i;
    }
  }
  return next;
}

static void count_failed(struct daemon *daemon, enum status status) {
  daemon->summary->failed++;
  daemon->summary->worst = daemon->summary->worst == OK ? status : daemon->summary->worst;
}

/* No memory for a job or no thread: a daemon tries it again, and what is done once has failed. */
static void not_started(struct daemon *daemon, struct item *item, const char *name, int64_t monotonic, int64_t *at) {
  item->rests = monotonic + REST;
  sooner(at, item->rests);
  if (daemon->request->once && !item->done) {
    struct error error;
    item->done = true;
    error_set(&error, ERR_MEMORY, "%s", _("no thread could be started"));
    error_place(&error, "%s", name);
    error_hint(&error, "%s", _("this machine is short of memory or threads: the next run makes it up"));
    log_error(LEVEL_ERROR, &error);
    count_failed(daemon, ERR_MEMORY);
  }
}

static void start_sources(struct daemon *daemon, int64_t now, int64_t monotonic, int64_t *at) {
  for (size_t i; (i = next_source(daemon, now, monotonic, at)) != SIZE_MAX;) {
    struct item *item = &daemon->sources[i];
    const struct job job = {.kind = JOB_SYNC, .position = i};
    if (!job_start(daemon, &job)) {
      not_started(daemon, item, item->name, monotonic, at);
      continue;
    }
    item->running = true;
  }
}

/* From when on a duty that is to follow runs may: when nothing is under way, or after a while all the same; a failed
 * one by its retry. */
static int64_t follows_from(const struct item *item, const struct agenda_entry *entry, bool waits, int64_t now,
                            int64_t monotonic) {
  if (item->wanted == 0) {
    return INT64_MAX;
  }
  int64_t from = waits ? item->wanted + FOLLOW_MOST : monotonic;
  int64_t retry = agenda_retry(entry, &item->state, now);
  int64_t again = retry == INT64_MAX || retry <= now ? monotonic : monotonic_of(retry, now, monotonic);
  return again > from ? again : from;
}

static void start_duties(struct daemon *daemon, int64_t now, int64_t monotonic, int64_t *at) {
  const struct config *config = daemon->settings->config;
  for (size_t i = 0; duty_table[i].name != NULL; i++) {
    struct item *item = &daemon->duties[i];
    const struct duty_row *row = &duty_table[i];
    if (item->running) {
      continue;
    }
    const struct agenda_entry entry = entry_of_duty(config, i, row->name);
    if (row->every > 0 && monotonic >= item->again && !daemon->request->once) {
      item->wanted = 1;
      item->again = monotonic + row->every;
    }
    enum duty_after after = row->after == NULL ? AFTER_NOTHING : row->after(config);
    bool waits = after == AFTER_RUNS ? daemon->jobs > 0 : daemon->syncs > 0;
    int64_t follows = follows_from(item, &entry, waits, now, monotonic);
    int64_t from = daemon->request->once && item->done ? INT64_MAX : agenda_from(&entry, &item->state, now);
    int64_t begins = from <= now ? monotonic : monotonic_of(from, now, monotonic);
    sooner(&begins, follows);
    begins = begins > item->rests ? begins : item->rests;
    const struct job job = {.kind = JOB_DUTY, .position = i, .asked = follows <= monotonic, .state = item->state};
    if (row->every > 0) {
      sooner(at, item->again);
    }
    if (begins > monotonic) {
      sooner(at, begins);
    } else if (job_start(daemon, &job)) {
      item->running = true;
      item->wanted = 0;
    } else {
      not_started(daemon, item, row->name, monotonic, at);
    }
  }
}

int64_t items_start(struct daemon *daemon) {
  int64_t at = INT64_MAX, now = clock_now(), monotonic = clock_monotonic();
  start_sources(daemon, now, monotonic, &at);
  start_duties(daemon, now, monotonic, &at);
  return at;
}

/* ---- ends ---- */

void items_want(struct daemon *daemon, enum duty_after after) {
  const struct config *config = daemon->settings->config;
  for (size_t i = 0; duty_table[i].name != NULL; i++) {
    bool follows = duty_table[i].after != NULL && duty_table[i].after(config) == after;
    if (follows && daemon->duties[i].wanted == 0) {
      daemon->duties[i].wanted = clock_monotonic();
    }
  }
}

static bool has_failed(const struct job *job) {
  return job->end == JOB_NO_STORE || (job->end == JOB_RAN && job->status != OK);
}

static void count_sync(struct daemon *daemon, const struct job *job) {
  if (has_failed(job)) {
    count_failed(daemon, job->status);
  } else if (job->end == JOB_RAN) {
    daemon->summary->done++;
  } else {
    daemon->summary->skipped++;
  }
}

static void sync_ended(struct daemon *daemon, const struct job *job) {
  count_sync(daemon, job);
  if (job->brought) {
    items_want(daemon, AFTER_NEWS);
  }
  if (job->end == JOB_RAN) {
    items_want(daemon, AFTER_RUNS);
  }
}

static void count_duty(struct daemon *daemon, const struct job *job, bool link) {
  bool done = job->end == JOB_RAN && job->status == OK;
  daemon->summary->duties += done && !link && duty_table[job->position].every == 0;
  daemon->summary->linked += done && link;
  if (link && has_failed(job)) {
    count_failed(daemon, job->status);
  }
}

static void duty_ended(struct daemon *daemon, struct item *item, const struct job *job) {
  const char *name = duty_table[job->position].name;
  bool link = strcmp(name, "link") == 0;
  bool again = job->end != JOB_RAN || job->status != OK, always = duty_table[job->position].every > 0;
  count_duty(daemon, job, link);
  if (job->asked && again && !always && job->end != JOB_HANDLED && item->wanted == 0) {
    bool mends =
        job->end != JOB_RAN || retry_at(&daemon->settings->config->serve.retry, name, 1, job->status, 0) != INT64_MAX;
    item->wanted = mends && !daemon->request->once ? clock_monotonic() : 0;
  }
  if (link && job->end == JOB_RAN) {
    items_want(daemon, AFTER_RUNS);
  }
}

void items_ended(struct daemon *daemon, const struct job *job) {
  struct item *item = job->kind == JOB_DUTY
                          ? &daemon->duties[job->position]
                          : item_of_source(daemon, job->settings->config->sources[job->position].code);
  if (item != NULL) { /* else a reload took the source away while it ran */
    item->running = false;
    item->done = true;
    item->rests = job->end == JOB_ELSEWHERE ? clock_monotonic() + REST : 0;
    if (job->end == JOB_RAN || job->end == JOB_HANDLED) {
      item->state = job->state;
    }
  }
  if (job->kind == JOB_SYNC) {
    sync_ended(daemon, job);
  } else {
    duty_ended(daemon, item, job);
  }
}
