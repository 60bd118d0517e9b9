#include "core/service/standing.h"

#include <stdio.h>

const char *const standing_names[] = {"failed", "refused", "changed", "unreachable", "late", "empty",
                                      "never",  "ok",      "paused",  "retired",     NULL};

const char *standing_label(enum standing standing) {
  static const char *const labels[] = {N_("FAILED"), N_("REFUSED"), N_("CHANGED"),      N_("UNREACHABLE"),
                                       N_("LATE"),   N_("empty"),   N_("never pulled"), N_("ok"),
                                       N_("paused"), N_("retired")};
  return gettext(labels[standing]);
}

const char *standing_advice(enum standing standing) {
  static const char *const advice[] = {
      [STANDING_FAILED] = N_("this side failed: mend what the message names; the next run goes on from there"),
      [STANDING_REFUSED] =
          N_("ask the contact for valid credentials or the permission; put the new secret in its file, "
             "no restart is needed"),
      [STANDING_CHANGED] = N_("ask the contact what changed, adapt the mapping, then run `puente remap`"),
      [STANDING_UNREACHABLE] = N_("it is tried again by itself; call the contact if it lasts"),
      [STANDING_LATE] = N_("check that `puente serve` runs, or run `puente sync`"),
      [STANDING_EMPTY] = N_("it was reached and has nothing to report"),
      [STANDING_NEVER] = N_("run `puente sync`"),
      [STANDING_OK] = "",
      [STANDING_PAUSED] = "",
      [STANDING_RETIRED] = ""};
  return advice[standing][0] == '\0' ? "" : _(advice[standing]);
}

bool standing_needs_person(enum standing standing) {
  return standing <= STANDING_LATE;
}

/* The due moment after `since` that no sync has followed in time; 0: none. */
static int64_t overdue(const struct source_schedule *schedule, const char *name, int64_t since, int64_t now) {
  if (schedule->timetable.manual || since == 0) {
    return 0;
  }
  if (clock_ahead(since, now)) { /* a wrong clock dated it: nobody knows whether it was in time */
    struct due last = timetable_last(&schedule->timetable, name, now);
    return last.at == INT64_MIN ? 0 : last.from;
  }
  struct due missed = timetable_next(&schedule->timetable, name, since);
  bool late = missed.from != INT64_MAX && missed.from <= now && now - missed.from > schedule->late_after;
  return late ? missed.from : 0;
}

static enum standing by_health(const struct source_health *health) {
  switch (health->health) {
  case HEALTH_FAILED:
    return STANDING_FAILED;
  case HEALTH_REFUSED:
    return STANDING_REFUSED;
  case HEALTH_CHANGED:
    return STANDING_CHANGED;
  case HEALTH_UNREACHABLE:
    return STANDING_UNREACHABLE;
  case HEALTH_EMPTY:
    return STANDING_EMPTY;
  case HEALTH_OK:
    return STANDING_OK;
  case HEALTH_UNKNOWN:
    break;
  }
  return STANDING_NEVER;
}

struct source_standing standing_of(const struct config *config, size_t position, const struct source_health *health,
                                   int64_t known, int64_t now) {
  const struct source_config *source = &config->sources[position];
  const struct source_schedule *schedule = config->serve.sources == NULL ? NULL : &config->serve.sources[position];
  struct source_standing standing = {.standing = by_health(health), .since = health->since, .due = INT64_MAX};
  char name[128];
  snprintf(name, sizeof name, "sync:%s", source->code);
  if (source->state != SOURCE_ACTIVE) {
    standing.standing = source->state == SOURCE_RETIRED ? STANDING_RETIRED : STANDING_PAUSED;
    standing.since = 0;
    return standing;
  }
  if (schedule == NULL || schedule->timetable.manual) {
    return standing;
  }
  standing.due = timetable_next(&schedule->timetable, name, now).from;
  standing.overdue = overdue(schedule, name, health->succeeded != 0 ? health->succeeded : known, now);
  if (standing.overdue != 0 && !standing_needs_person(standing.standing)) {
    standing.standing = STANDING_LATE;
    standing.since = standing.overdue;
  }
  if (health->failures > 0) {
    const struct retry_policy *policy = &config->serve.retry;
    standing.retry = retry_at(policy, name, health->failures, health->error, health->tried);
    standing.circuit_open = retry_circuit(policy, health->failures, standing.retry, now) == CIRCUIT_OPEN;
  }
  return standing;
}
