#include "core/service/matter.h"

#include <stdio.h>

const char *const matter_names[] = {"failure", "drift",      "quarantine", "expiry", "linking",
                                    "backup",  "checkpoint", "reload",     NULL};

/* A source that is asked again so soon may have mended by then. */
#define SOON INT64_C(1800000000)

struct list {
  struct arena *arena;
  struct matter *items;
  size_t count;
};

static bool add(struct list *list, struct matter matter) {
  const char *code = matter.source != NULL   ? matter.source->source->code
                     : matter.expiry != NULL ? matter.expiry->source
                                             : NULL;
  const char *kind = matter_names[matter.kind];
  matter.name = matter.expiry != NULL
                    ? arena_printf(list->arena, "%s:%s:%s", kind, code != NULL ? code : "", matter.expiry->what)
                : code != NULL ? arena_printf(list->arena, "%s:%s", kind, code)
                               : kind;
  list->items[list->count++] = matter;
  return matter.name != NULL;
}

/* Refused, changed and failed are mended by a person alone; a source that does not answer is told of after a second
 * try, unless that is far. */
static bool is_ripe(const struct source_overview *source, int64_t now) {
  int64_t retry = source->standing.retry;
  bool soon = retry > 0 && retry != INT64_MAX && retry - now < SOON;
  return source->standing.standing != STANDING_UNREACHABLE || source->health.failures > 1 || !soon;
}

static bool add_source(struct list *list, const struct config *config, const struct source_overview *source,
                       int64_t now) {
  const struct source_standing *standing = &source->standing;
  bool good = true;
  if (source->source->state != SOURCE_ACTIVE) {
    return true;
  }
  if (standing_needs_person(standing->standing)) {
    good = add(list, (struct matter){.kind = MATTER_FAILURE,
                                     .source = source,
                                     .since = standing->standing == STANDING_LATE ? 0 : standing->since,
                                     .level = standing->standing,
                                     .ripe = is_ripe(source, now)});
  }
  if (good && source->drift > 0) {
    good = add(list, (struct matter){.kind = MATTER_DRIFT, .source = source, .level = source->drift, .ripe = true});
  }
  if (good && source->quarantined > 0) {
    const struct notify_config *notify = &config->notify;
    bool much = source->total > 0 && (double)source->quarantined > notify->quarantine_share * (double)source->total;
    good = add(list, (struct matter){.kind = MATTER_QUARANTINE,
                                     .source = source,
                                     .level = source->quarantined,
                                     .ripe = much || source->quarantined >= notify->quarantine_records});
  }
  return good;
}

/* Of several that end the one that ends first has the name. */
static bool add_expiry(struct list *list, const struct expiry *expiry) {
  const char *code = expiry->source != NULL ? expiry->source : "";
  for (size_t i = 0; i < list->count; i++) {
    struct matter *other = &list->items[i];
    if (other->expiry != NULL && strcmp(other->expiry->what, expiry->what) == 0
        && strcmp(other->expiry->source != NULL ? other->expiry->source : "", code) == 0) {
      other->expiry = expiry->at < other->expiry->at ? expiry : other->expiry;
      other->level = other->expiry->level;
      return true;
    }
  }
  return add(list, (struct matter){.kind = MATTER_EXPIRY, .expiry = expiry, .level = expiry->level, .ripe = true});
}

static bool add_backup(struct list *list, const struct overview *overview) {
  if (!overview->backup_failed && !overview->backup_old) {
    return true;
  }
  return add(list, (struct matter){.kind = MATTER_BACKUP,
                                   .since = overview->backup,
                                   .level = overview->backup_failed ? 1 : 0,
                                   .ripe = true});
}

enum status matters_read(const struct workspace *workspace, const struct overview *overview, struct arena *arena,
                         int64_t now, struct matter **matters, size_t *count, struct error *error) {
  struct list list = {.arena = arena};
  list.items = arena_array(arena, 3 * overview->source_count + overview->expiry_count + 3, sizeof *list.items);
  bool good = list.items != NULL;
  for (size_t i = 0; good && i < overview->source_count; i++) {
    good = add_source(&list, workspace->config, &overview->sources[i], now);
  }
  for (size_t i = 0; good && i < overview->expiry_count; i++) {
    good = overview->expiries[i].level < 0 || add_expiry(&list, &overview->expiries[i]);
  }
  if (good && overview->link_message != NULL) {
    good = add(&list, (struct matter){.kind = MATTER_LINKING, .ripe = true});
  }
  if (good && overview->holders.alarming) {
    good = add(&list, (struct matter){.kind = MATTER_HOLDERS, .since = overview->holders.last, .ripe = true});
  }
  if (!good || !add_backup(&list, overview)) {
    return error_memory(error);
  }
  *matters = list.items;
  *count = list.count;
  return OK;
}

bool matter_worse(const struct config *config, const struct matter *matter, int64_t level) {
  switch (matter->kind) {
  case MATTER_FAILURE: /* from "does not answer" to what only a person mends */
    return matter->level != level && matter->level <= STANDING_CHANGED;
  case MATTER_DRIFT:
    return matter->level > level;
  case MATTER_QUARANTINE:
    return matter->level - level >= config->notify.quarantine_records;
  case MATTER_EXPIRY:
    return matter->level < level;
  default:
    return false;
  }
}
