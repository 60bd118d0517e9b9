#include "core/schedule/retry.h"

#include "core/schedule/timetable.h"

/* A failure that is mended by a person, not by asking again. */
static bool needs_person(enum status failure) {
  switch (failure) {
  case ERR_USAGE:
  case ERR_CONFIG:
  case ERR_INPUT:
  case ERR_LIMIT:
  case ERR_AUTH:
  case ERR_VERSION:
  case ERR_INTERNAL:
    return true;
  default:
    return false;
  }
}

static int64_t pause_of(const struct retry_policy *policy, int failures) {
  if (policy->breaks > 0 && failures >= policy->breaks) {
    return policy->open;
  }
  int64_t pause = policy->first;
  for (int i = 1; i < failures && pause < policy->most; i++) {
    pause = pause > policy->most / 2 ? policy->most : pause * 2;
  }
  return pause < policy->most ? pause : policy->most;
}

int64_t retry_at(const struct retry_policy *policy, const char *name, int failures, enum status failure,
                 int64_t failed_at) {
  if (failures < 1 || needs_person(failure)) {
    return INT64_MAX;
  }
  int64_t pause = pause_of(policy, failures), half = pause / 2;
  return failed_at + half + timetable_scatter(name, failures, pause - half + 1);
}

enum circuit retry_circuit(const struct retry_policy *policy, int failures, int64_t retry_at, int64_t now) {
  if (policy->breaks <= 0 || failures < policy->breaks) {
    return CIRCUIT_CLOSED;
  }
  return now < retry_at ? CIRCUIT_OPEN : CIRCUIT_HALF_OPEN;
}
