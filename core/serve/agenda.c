#include "core/serve/agenda.h"

#include "core/base/date.h"

/* Long ago. */
enum { ONCE = 1 };

/* What a wrong clock dated ahead was handled nobody knows when: it is made up for once, with the right date. Taken for
 * now, it would be so at each look, and nothing would be due until then. */
static int64_t in_time(int64_t moment, int64_t now) {
  return clock_ahead(moment, now) ? ONCE : moment;
}

/* A run that a signal ended, or whose process was killed, has not handled its due moment. */
static int64_t handled(const struct agenda_state *state, int64_t now) {
  const struct duty *duty = &state->duty;
  if (duty->due == 0) {
    return in_time(state->succeeded, now);
  }
  bool cut = duty->ended < duty->began || duty->outcome == ERR_INTERRUPTED;
  return in_time(duty->due, now) - cut;
}

static int64_t first_due(const struct agenda_entry *entry, const struct agenda_state *state, int64_t now) {
  int64_t after = handled(state, now);
  if (after != 0) {
    return timetable_next(entry->timetable, entry->name, after).from;
  }
  struct due last = timetable_last(entry->timetable, entry->name, now);
  return last.at != INT64_MIN ? now : timetable_next(entry->timetable, entry->name, now).from;
}

int64_t agenda_retry(const struct agenda_entry *entry, const struct agenda_state *state, int64_t now) {
  if (state->failures == 0) {
    return INT64_MAX;
  }
  return retry_at(entry->retry, entry->name, state->failures, state->failure, in_time(state->failed_at, now));
}

int64_t agenda_from(const struct agenda_entry *entry, const struct agenda_state *state, int64_t now) {
  if (entry->timetable->manual) {
    return INT64_MAX;
  }
  int64_t from = first_due(entry, state, now);
  if (state->failures > 0) {
    int64_t retry = agenda_retry(entry, state, now);
    bool broken = retry_circuit(entry->retry, state->failures, retry, now) != CIRCUIT_CLOSED;
    from = retry == INT64_MAX ? from : broken || retry < from ? retry : from;
  }
  if (from == INT64_MAX) {
    return from;
  }
  int64_t begin = from > now ? from : now, until = begin;
  if (!timetable_blackout(entry->timetable, begin, &until) || until == INT64_MAX) {
    return until == INT64_MAX ? until : from;
  }
  return entry->timetable->jitter > 0 ? until + timetable_scatter(entry->name, until, entry->timetable->jitter) : until;
}

int64_t agenda_due(const struct agenda_entry *entry, const struct agenda_state *state, int64_t now) {
  int64_t after = handled(state, now);
  struct due last = timetable_last(entry->timetable, entry->name, now);
  if (last.at != INT64_MIN && last.from > now) {
    last = timetable_last(entry->timetable, entry->name, last.at - 1);
  }
  if (last.at == INT64_MIN || last.at <= after) {
    return state->duty.due != 0 && !clock_ahead(state->duty.due, now) ? state->duty.due : now;
  }
  return last.at;
}
