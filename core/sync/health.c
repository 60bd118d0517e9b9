#include "core/sync/health.h"

#include "core/base/date.h"

#include <stdio.h>
#include <stdlib.h>

enum { PASSES_COMPARED = 9, PASSES_LEAST = 3, WEEKS = 5, WEEKS_LEAST = 3, USUAL_LEAST = 20, RUNS_MOST = 4000 };
enum { JUDGED_LEAST = 4 /* records of a run that say something about all */, FORMER_RUNS = 5 };
#define WEEK_MICROSECONDS (INT64_C(7) * 24 * 3600 * 1000000)

enum health health_of(const struct error *error) {
  switch (error->code) {
  case ERR_NETWORK:
  case ERR_NOT_FOUND: /* a file or folder that is not there */
    return HEALTH_UNREACHABLE;
  case ERR_AUTH:
  case ERR_REMOTE:
    return HEALTH_REFUSED;
  case ERR_INPUT:
    return HEALTH_CHANGED;
  default:
    return HEALTH_FAILED;
  }
}

/* ---- what a run that succeeded says ---- */

static bool mostly_quarantined(int64_t mapped, int64_t quarantined) {
  return quarantined + mapped >= JUDGED_LEAST && quarantined > mapped;
}

static enum status take_former(void *context, const struct past_sync *past, struct error *error) {
  (void)error;
  bool *fine = context;
  *fine = *fine || (past->mapped > 0 && past->mapped >= past->quarantined);
  return OK;
}

static enum status take_drift(void *context, const struct drift *drift, struct error *error) {
  (void)error;
  struct drift *worst = context;
  if (drift->mapped && drift->kind != DRIFT_NEW && worst->path.data == NULL) {
    *worst = *drift;
    worst->path = slice_make("", 0); /* its text ends with the visit; the finding is shown by its own list */
  }
  return OK;
}

/* What the present state says, in the order of what a person has to know. */
struct verdict {
  enum health health;
  char message[HEALTH_WORDS];
  const char *hint;
};

static enum status judge_drift(struct store *store, int source_id, struct verdict *verdict, struct error *error) {
  struct drift worst = {.path = {NULL, 0}};
  enum status status = store_visit_drift(store, source_id, take_drift, &worst, error);
  if (status != OK || worst.path.data == NULL) {
    return status;
  }
  verdict->health = HEALTH_CHANGED;
  snprintf(verdict->message, sizeof verdict->message, "%s",
           worst.kind == DRIFT_MISSING ? _("a field that the mapping reads is missing")
                                       : _("a field that the mapping reads comes in another form"));
  verdict->hint = _("ask the source what it changed, adapt the mapping, then run `puente remap`");
  return OK;
}

static enum status judge_quarantine(struct store *store, int source_id, const struct health_try *attempt,
                                    struct verdict *verdict, struct error *error) {
  const struct counts *counts = attempt->counts;
  bool fine = false;
  if (!attempt->pulled || !mostly_quarantined(counts->mapped, counts->quarantined)) {
    return OK;
  }
  enum status status = store_visit_past(store, source_id, attempt->run, 0, FORMER_RUNS, take_former, &fine, error);
  if (status == OK && fine) {
    verdict->health = HEALTH_CHANGED;
    snprintf(verdict->message, sizeof verdict->message,
             _("%lld of %lld records of the run went to quarantine, as was never so before"),
             (long long)counts->quarantined, (long long)(counts->mapped + counts->quarantined));
    verdict->hint = _("see `puente quarantine list`, adapt the mapping, then run `puente remap`");
  }
  return status;
}

static enum status judge_empty(struct store *store, int source_id, const struct health_try *attempt,
                               struct verdict *verdict, struct error *error) {
  bool any = true;
  if (!attempt->pulled || attempt->counts->pulled > 0) {
    return OK;
  }
  enum status status = store_holds_records(store, source_id, &any, error);
  if (status == OK && !any) {
    verdict->health = HEALTH_EMPTY;
  }
  return status;
}

/* A run that landed nothing cannot take back that the one before was mostly set aside. */
static bool says_nothing(const struct health_try *attempt) {
  return attempt->pulled && attempt->counts->mapped + attempt->counts->quarantined == 0;
}

static enum status judge(struct store *store, int source_id, const struct health_try *attempt,
                         const struct source_health *former, struct verdict *verdict, struct error *error) {
  enum status status = judge_drift(store, source_id, verdict, error);
  if (status == OK && verdict->health == HEALTH_OK) {
    status = judge_quarantine(store, source_id, attempt, verdict, error);
  }
  if (status == OK && verdict->health == HEALTH_OK) {
    status = judge_empty(store, source_id, attempt, verdict, error);
  }
  struct record_tally tally = {.persons = 0};
  if (status != OK || verdict->health != HEALTH_OK || former->health != HEALTH_CHANGED || former->failures > 0
      || !says_nothing(attempt)) {
    return status;
  }
  status = store_tally(store, source_id, &tally, error);
  if (status == OK && tally.records[RECORD_QUARANTINED] > 0 && former->message != NULL) {
    verdict->health = HEALTH_CHANGED;
    snprintf(verdict->message, sizeof verdict->message, "%s", former->message);
    verdict->hint = former->hint;
  }
  return status;
}

static enum status observe_success(struct store *store, int source_id, const struct health_try *attempt,
                                   struct source_health *health, struct error *error) {
  struct verdict verdict = {.health = HEALTH_OK};
  int64_t now = clock_now();
  if (!attempt->pulled && (health->health != HEALTH_CHANGED || health->failures > 0)) {
    return OK;
  }
  enum status status = judge(store, source_id, attempt, health, &verdict, error);
  if (status != OK) {
    return status;
  }
  struct source_health after = {.health = verdict.health,
                                .since = verdict.health == health->health ? health->since : now,
                                .tried = attempt->pulled ? now : health->tried,
                                .succeeded = attempt->pulled ? now : health->succeeded,
                                .message = verdict.message[0] != '\0' ? verdict.message : NULL,
                                .hint = verdict.hint};
  return store_health_save(store, source_id, &after, error);
}

static enum status observe_failure(struct store *store, int source_id, const struct health_try *attempt,
                                   const struct source_health *health, struct error *error) {
  const struct error *failure = attempt->failure;
  enum health kind = health_of(failure);
  struct source_health after = *health;
  int64_t now = clock_now();
  bool asked_wrong = attempt->ranged && (failure->code == ERR_REMOTE || failure->code == ERR_USAGE);
  if (!attempt->pulled || failure->code == ERR_INTERRUPTED || asked_wrong) {
    return OK;
  }
  after.health = kind;
  after.since = kind == health->health ? health->since : now;
  after.failures = health->failures + 1;
  after.tried = now;
  after.error = failure->code;
  after.message = failure->message;
  after.place = failure->place;
  after.hint = failure->hint;
  return store_health_save(store, source_id, &after, error);
}

enum status health_observe(struct store *store, int source_id, const struct health_try *attempt, struct error *error) {
  struct source_health health;
  struct arena *arena = arena_new(0);
  if (arena == NULL) {
    return error_memory(error);
  }
  enum status status = store_health(store, source_id, arena, &health, error);
  if (status == OK) {
    status = attempt->failure == NULL ? observe_success(store, source_id, attempt, &health, error)
                                      : observe_failure(store, source_id, attempt, &health, error);
  }
  arena_free(arena);
  return status;
}

/* ---- volume ---- */

static int by_size(const void *a, const void *b) {
  int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
  return (left > right) - (left < right);
}

/* The lower of the two in the middle: a warning must be sure. */
static int64_t median(int64_t *values, size_t count) {
  qsort(values, count, sizeof *values, by_size);
  return values[(count - 1) / 2];
}

static bool is_little(int64_t brought, int64_t usual) {
  return usual >= USUAL_LEAST && brought < usual / 2;
}

struct passes {
  int64_t pulled[PASSES_COMPARED];
  size_t count;
};

static enum status take_pass(void *context, const struct past_sync *past, struct error *error) {
  (void)error;
  struct passes *passes = context;
  passes->pulled[passes->count++] = past->pulled;
  return OK;
}

static enum status volume_whole(struct store *store, int source_id, int64_t run, const struct counts *counts,
                                char words[HEALTH_WORDS], struct error *error) {
  struct passes passes = {.count = 0};
  enum status status = store_visit_past(store, source_id, run, 0, PASSES_COMPARED, take_pass, &passes, error);
  if (status != OK || passes.count < PASSES_LEAST) {
    return status;
  }
  int64_t usual = median(passes.pulled, passes.count);
  if (is_little(counts->pulled, usual)) {
    snprintf(words, HEALTH_WORDS, _("the source gave %lld records, where %lld are usual: nothing was deleted for it"),
             (long long)counts->pulled, (long long)usual);
  }
  return OK;
}

struct weeks {
  int64_t now, pulled[WEEKS];
  bool any[WEEKS];
};

static enum status take_week(void *context, const struct past_sync *past, struct error *error) {
  (void)error;
  struct weeks *weeks = context;
  int64_t week = (weeks->now - past->started) / WEEK_MICROSECONDS;
  if (week >= 0 && week < WEEKS) {
    weeks->pulled[week] += past->pulled;
    weeks->any[week] = true;
  }
  return OK;
}

static enum status volume_of_weeks(struct store *store, int source_id, int64_t run, const struct counts *counts,
                                   char words[HEALTH_WORDS], struct error *error) {
  struct weeks weeks = {.now = clock_now(), .pulled = {counts->pulled}};
  enum status status = store_visit_past(store, source_id, run, weeks.now - WEEKS * WEEK_MICROSECONDS, RUNS_MOST,
                                        take_week, &weeks, error);
  int64_t former[WEEKS];
  size_t count = 0;
  for (int i = 1; i < WEEKS; i++) {
    if (weeks.any[i]) {
      former[count++] = weeks.pulled[i];
    }
  }
  if (status != OK || count < WEEKS_LEAST) {
    return status;
  }
  int64_t usual = median(former, count);
  if (is_little(weeks.pulled[0], usual)) {
    snprintf(words, HEALTH_WORDS, _("the source gave %lld records in the last seven days, where %lld a week are usual"),
             (long long)weeks.pulled[0], (long long)usual);
  }
  return OK;
}

enum status health_volume(struct store *store, int source_id, int64_t run, bool whole, const struct counts *counts,
                          char words[HEALTH_WORDS], struct error *error) {
  bool remembers = false;
  words[0] = '\0';
  enum status status = store_has_memory(store, source_id, &remembers, error);
  if (status != OK) {
    return status;
  }
  return whole && !remembers ? volume_whole(store, source_id, run, counts, words, error)
                             : volume_of_weeks(store, source_id, run, counts, words, error);
}
