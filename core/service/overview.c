#include "core/service/overview.h"

#include "core/base/date.h"
#include "core/service/backup.h"
#include "core/store/backup.h"

#include <stdio.h>
#include <stdlib.h>

#define BACKUP_OLD (8 * INT64_C(86400000000)) /* a week and a day */

/* A column of a result, by name; SIZE_MAX where the view has none. */
static size_t column(const struct result *result, const char *name) {
  for (size_t i = 0; i < result_columns(result); i++) {
    if (strcmp(result_name(result, i), name) == 0) {
      return i;
    }
  }
  return SIZE_MAX;
}

static struct slice text_of(const struct result *result, const char *name) {
  size_t at = column(result, name);
  return at == SIZE_MAX || result_null(result, at) ? slice_make(NULL, 0) : result_text(result, at);
}

static int64_t integer_of(const struct result *result, const char *name) {
  size_t at = column(result, name);
  return at == SIZE_MAX || result_null(result, at) ? 0 : result_integer(result, at);
}

static int64_t time_of(const struct result *result, const char *name) {
  int64_t micros = 0;
  return clock_parse(text_of(result, name), &micros) ? micros : 0;
}

static struct source_overview *find_source(struct overview *overview, struct slice code) {
  for (size_t i = 0; i < overview->source_count; i++) {
    if (slice_is(code, overview->sources[i].source->code)) {
      return &overview->sources[i];
    }
  }
  return NULL;
}

typedef enum status take_row(struct overview *overview, const struct result *result, struct error *error);

static enum status read_view(struct store *store, const char *view, const char *order, take_row *take,
                             struct overview *overview, struct error *error) {
  const struct selection selection = {.view = view, .order = order};
  struct result *result = NULL;
  enum status status = store_select(store, &selection, &result, error);
  if (status != OK) {
    return status;
  }
  while ((status = result_next(result, error)) == OK) {
    if ((status = take(overview, result, error)) != OK) {
      break;
    }
  }
  result_free(result);
  return status == END ? OK : status;
}

static enum status take_astray(struct overview *overview, const struct result *result, struct error *error) {
  if (overview->astray_count == overview->astray_capacity) {
    size_t grown = overview->astray_capacity * 2 + 4;
    struct astray *list = arena_array(overview->memory, grown, sizeof *list);
    if (list == NULL) {
      return error_memory(error);
    }
    if (overview->astray_count > 0) {
      memcpy(list, overview->astray, overview->astray_count * sizeof *list);
    }
    overview->astray = list;
    overview->astray_capacity = grown;
  }
  const char *code = arena_text(overview->memory, text_of(result, "code"));
  overview->astray[overview->astray_count++] =
      (struct astray){.code = code, .source_id = (int)integer_of(result, "source_id")};
  return code == NULL ? error_memory(error) : OK;
}

static enum status take_source(struct overview *overview, const struct result *result, struct error *error) {
  struct source_overview *source = find_source(overview, text_of(result, "code"));
  if (source == NULL) {
    return take_astray(overview, result, error);
  }
  struct slice watermark = text_of(result, "watermark");
  source->watermark = watermark.data == NULL ? NULL : arena_text(overview->memory, watermark);
  source->under_way = integer_of(result, "pass_run") != 0;
  source->complete_run = integer_of(result, "complete_run");
  return OK;
}

/* Message, place and hint stand on lines of their own. */
struct told {
  const char *message, *place, *hint;
};

/* The message of a run: what, where and what to do, a line each. */
static struct told take_message(struct overview *overview, struct slice text) {
  char *copy = text.len == 0 ? NULL : arena_text(overview->memory, text);
  if (copy == NULL) {
    return (struct told){.message = NULL};
  }
  char *place = strchr(copy, '\n');
  char *hint = place == NULL ? NULL : strchr(place + 1, '\n');
  if (place != NULL) {
    *place++ = '\0';
  }
  if (hint != NULL) {
    *hint++ = '\0';
  }
  return (struct told){.message = copy, .place = place, .hint = hint};
}

static void take_counts(struct counts *counts, const struct result *result) {
  counts->pulled = integer_of(result, "pulled");
  counts->fresh = integer_of(result, "fresh");
  counts->changed = integer_of(result, "changed");
  counts->unchanged = integer_of(result, "unchanged");
  counts->repeated = integer_of(result, "repeated");
  counts->rejected = integer_of(result, "rejected");
  counts->mapped = integer_of(result, "mapped");
  counts->quarantined = integer_of(result, "quarantined");
  counts->withheld = integer_of(result, "withheld");
  counts->deleted = integer_of(result, "deleted");
  counts->cut = integer_of(result, "cut");
  counts->warnings = integer_of(result, "warnings");
  counts->source_count = integer_of(result, "source_count");
}

static void take_sync(struct overview *overview, struct source_overview *source, const struct result *result) {
  struct slice state = text_of(result, "state");
  bool done = slice_is(state, "done");
  if (source->complete_run != 0 && integer_of(result, "run_id") == source->complete_run) {
    source->complete = time_of(result, "ended");
  }
  if (source->run != 0) {
    return;
  }
  source->run = integer_of(result, "run_id");
  source->started = time_of(result, "started");
  source->ended = time_of(result, "ended");
  source->state = done ? "ok" : arena_text(overview->memory, state);
  take_counts(&source->counts, result);
  struct told told = take_message(overview, text_of(result, "message"));
  source->message = told.message;
  source->place = told.place;
  source->hint = told.hint;
}

static void take_link(struct overview *overview, const struct result *result) {
  if (overview->link_run == 0 && slice_is(text_of(result, "state"), "done")) {
    overview->link_run = integer_of(result, "run_id");
    overview->linked = time_of(result, "ended");
  } else if (overview->link_run == 0 && overview->link_message == NULL) {
    struct told told = take_message(overview, text_of(result, "message"));
    overview->link_message = told.message;
    overview->link_hint = told.hint;
  }
}

/* Newest first. */
static enum status take_run(struct overview *overview, const struct result *result, struct error *error) {
  struct slice kind = text_of(result, "kind");
  (void)error;
  if (slice_is(kind, "link")) {
    take_link(overview, result);
    return OK;
  }
  struct source_overview *source = find_source(overview, text_of(result, "source"));
  if (source == NULL) {
    return OK;
  }
  if (overview->link_run == 0 && source->source->linked) {
    overview->waiting += integer_of(result, "fresh") + integer_of(result, "changed") + integer_of(result, "deleted");
  }
  if (slice_is(kind, "sync")) {
    take_sync(overview, source, result);
  }
  return OK;
}

static int64_t current_of(const struct record_tally *tally) {
  return tally->records[RECORD_MAPPED] + tally->records[RECORD_QUARANTINED] + tally->records[RECORD_WITHHELD]
         + tally->records[RECORD_DISMISSED];
}

/* Those of which nothing is left need nobody. */
static enum status tally_astray(const struct workspace *workspace, struct overview *overview, struct error *error) {
  struct record_tally tally;
  enum status status = OK;
  size_t kept = 0;
  for (size_t i = 0; i < overview->astray_count && status == OK; i++) {
    struct astray astray = overview->astray[i];
    status = store_tally(workspace->store, astray.source_id, &tally, error);
    astray.records = status == OK ? current_of(&tally) : 0;
    if (astray.records > 0) {
      overview->astray[kept++] = astray;
    }
  }
  overview->astray_count = kept;
  return status;
}

static enum status take_tallies(const struct workspace *workspace, struct overview *overview, struct error *error) {
  struct record_tally tally;
  enum status status = OK;
  for (size_t i = 0; i < overview->source_count && status == OK; i++) {
    struct source_overview *source = &overview->sources[i];
    if (workspace->source_ids[i] == 0) {
      continue;
    }
    status = store_tally(workspace->store, workspace->source_ids[i], &tally, error);
    if (status == OK) {
      source->mapped = tally.records[RECORD_MAPPED];
      source->quarantined = tally.records[RECORD_QUARANTINED];
      source->withheld = tally.records[RECORD_WITHHELD];
      source->total = current_of(&tally);
      source->plans = tally.plans;
    }
  }
  if (status == OK) {
    status = store_tally(workspace->store, 0, &tally, error);
    overview->persons = status == OK ? tally.persons : 0;
    overview->cases = status == OK ? tally.cases : 0;
  }
  return status;
}

static enum status count_review(const struct workspace *workspace, struct overview *overview, struct error *error) {
  enum status status = OK;
  for (int kind = CLUSTER_PERSON; kind <= CLUSTER_CASE && status == OK; kind++) {
    int64_t waiting = 0;
    int64_t decided = 0;
    status = store_count_waiting(workspace->store, (enum cluster_kind)kind, &waiting, &decided, error);
    overview->review += waiting;
    overview->decided += decided;
  }
  return status;
}

/* ---- how it stands ---- */

struct drift_list {
  struct arena *arena;
  struct drift *drifts;
  size_t count, capacity;
};

static enum status take_drift(void *context, const struct drift *drift, struct error *error) {
  struct drift_list *list = context;
  if (list->count == list->capacity) {
    size_t capacity = list->capacity == 0 ? 16 : list->capacity * 2;
    struct drift *more = arena_array(list->arena, capacity, sizeof *more);
    if (more == NULL) {
      return error_memory(error);
    }
    if (list->count > 0) {
      memcpy(more, list->drifts, list->count * sizeof *more);
    }
    list->drifts = more;
    list->capacity = capacity;
  }
  list->drifts[list->count] = *drift;
  list->drifts[list->count].path = arena_copy(list->arena, drift->path);
  return list->drifts[list->count++].path.data == NULL ? error_memory(error) : OK;
}

static int mapped_first(const void *a, const void *b) {
  const struct drift *left = a, *right = b;
  if (left->mapped != right->mapped) {
    return left->mapped ? -1 : 1;
  }
  return slice_compare(left->path, right->path);
}

/* A run whose process was killed says "running" for ever; what it held tells. */
static enum status look_at_run(struct store *store, struct source_overview *source, struct error *error) {
  char name[160];
  if (strcmp(source->state, "running") != 0) {
    return OK;
  }
  snprintf(name, sizeof name, "sync:%s", source->source->code);
  enum status status = store_held(store, name, &source->running, error);
  if (status == OK && !source->running) {
    source->state = "interrupted";
  }
  return status;
}

/* A source that was pulled before its health was kept. */
static void health_of_runs(struct source_overview *source) {
  if (source->health.health != HEALTH_UNKNOWN || source->run == 0) {
    return;
  }
  bool failed = strcmp(source->state, "failed") == 0;
  if (failed || source->complete != 0) {
    source->health.health = failed ? HEALTH_FAILED : HEALTH_OK;
    source->health.since = failed ? source->ended : source->complete;
    source->health.tried = source->ended;
    source->health.succeeded = source->complete;
    source->health.message = failed ? source->message : NULL;
    source->health.hint = failed ? source->hint : NULL;
  }
}

static enum status read_standing(const struct workspace *workspace, struct overview *overview, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < overview->source_count && status == OK; i++) {
    struct source_overview *source = &overview->sources[i];
    struct drift_list list = {.arena = overview->memory};
    int64_t known = 0;
    int source_id = workspace->store == NULL ? 0 : workspace->source_ids[i];
    if (source_id != 0) {
      status = look_at_run(workspace->store, source, error);
      status = status == OK ? store_source_known(workspace->store, source->source->code, &known, error) : status;
      status =
          status == OK ? store_health(workspace->store, source_id, overview->memory, &source->health, error) : status;
      status = status == OK ? store_visit_drift(workspace->store, source_id, take_drift, &list, error) : status;
    }
    if (status == OK) {
      health_of_runs(source);
      source->standing = standing_of(workspace->config, i, &source->health, known, overview->now);
      source->drifts = list.drifts;
      source->drift = (int64_t)list.count;
      if (list.count > 1) {
        qsort(list.drifts, list.count, sizeof *list.drifts, mapped_first);
      }
    }
  }
  return status;
}

/* The daemon's last one, or a later one by hand. */
static enum status last_copy(struct store *store, const char *what, struct duty *duty, int64_t *at,
                             struct error *error) {
  *duty = (struct duty){.ended = 0};
  enum status status = store_noted_copy(store, what, at, NULL, error);
  status = status == OK ? store_duty(store, what, duty, error) : status;
  if (status == OK && duty->outcome == OK && duty->ended > *at) {
    *at = duty->ended;
  }
  return status;
}

static enum status read_copies(const struct workspace *workspace, struct overview *overview, struct error *error) {
  struct duty backup, restore;
  enum status status = last_copy(workspace->store, "backup", &backup, &overview->backup, error);
  status = status == OK ? last_copy(workspace->store, "restore", &restore, &overview->restored, error) : status;
  if (status == OK) {
    bool wrong = backup.outcome != OK && backup.outcome != ERR_INTERRUPTED;
    overview->backup_failed = !workspace->config->serve.backup.manual && wrong && backup.ended > overview->backup;
    overview->backup_old = overview->backup > 0 && overview->now - overview->backup > BACKUP_OLD;
  }
  return status;
}

bool overview_alarms(const struct overview *overview) {
  bool alarms = overview->link_message != NULL || (overview->expiry_count > 0 && overview->expiries[0].level >= 0)
                || overview->holders.alarming || overview->astray_count > 0 || overview->newest_copy != NULL
                || overview->backup_failed || overview->backup_old;
  for (size_t i = 0; i < overview->source_count; i++) {
    alarms = alarms || standing_needs_person(overview->sources[i].standing.standing);
  }
  return alarms;
}

static enum status read_store(const struct workspace *workspace, struct overview *overview, struct error *error) {
  overview->made = true;
  overview->version = store_version(workspace->store);
  enum status status = read_view(workspace->store, "sources", NULL, take_source, overview, error);
  if (status == OK) {
    status = read_view(workspace->store, "runs", "-run_id", take_run, overview, error);
  }
  status = status == OK ? take_tallies(workspace, overview, error) : status;
  status = status == OK ? tally_astray(workspace, overview, error) : status;
  status = status == OK ? count_review(workspace, overview, error) : status;
  status = status == OK ? read_copies(workspace, overview, error) : status;
  return status == OK ? linked_read(workspace->store, overview->memory, &overview->last, error) : status;
}

static enum status list_sources(const struct config *config, struct overview *overview, struct error *error) {
  overview->source_count = config->source_count;
  overview->sources = arena_array(overview->memory, config->source_count + 1, sizeof *overview->sources);
  if (overview->sources == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < config->source_count; i++) {
    overview->sources[i].source = &config->sources[i];
    overview->sources[i].state = "never";
  }
  return OK;
}

static enum status look_for_copies(const struct workspace *workspace, struct overview *overview, struct error *error) {
  struct buffer copy;
  enum status status = service_newest_copy(workspace, &copy, error);
  if (status == OK && copy.len > 0) {
    overview->newest_copy = arena_text(overview->memory, buffer_view(&copy));
    status = overview->newest_copy == NULL ? error_memory(error) : OK;
  }
  buffer_free(&copy);
  return status;
}

/* What was decided about a source stands before what happened to it. */
static void settle_states(struct overview *overview) {
  for (size_t i = 0; i < overview->source_count; i++) {
    struct source_overview *source = &overview->sources[i];
    if (source->source->state == SOURCE_PAUSED) {
      source->state = "paused";
    } else if (source->source->state == SOURCE_RETIRED) {
      source->state = "retired";
    }
  }
}

enum status overview_read(const struct workspace *workspace, struct overview *overview, struct error *error) {
  *overview = (struct overview){.memory = arena_new(0), .now = clock_now()};
  if (overview->memory == NULL) {
    return error_memory(error);
  }
  enum status status = list_sources(workspace->config, overview, error);
  if (status == OK && workspace->store != NULL) {
    status = read_store(workspace, overview, error);
  } else if (status == OK) {
    status = look_for_copies(workspace, overview, error);
  }
  status = status == OK ? read_standing(workspace, overview, error) : status;
  if (status == OK) {
    status =
        expiries_read(workspace, overview->memory, overview->now, &overview->expiries, &overview->expiry_count, error);
  }
  status = status == OK ? holders_read(workspace, overview->now, &overview->holders, error) : status;
  if (status == OK) {
    status = approved_waiting(workspace, overview->memory, &overview->texts, &overview->text_count, error);
  }
  if (status == OK) {
    settle_states(overview);
  } else {
    overview_free(overview);
  }
  return status;
}

enum status service_overview(const char *config_path, struct workspace *workspace, struct overview *overview,
                             struct error *error) {
  *overview = (struct overview){.memory = NULL};
  enum status status = workspace_open_bare(config_path, WORKSPACE_READ, workspace, error);
  if (status == ERR_NOT_FOUND) {
    status = workspace_open_bare(config_path, WORKSPACE_CONFIG, workspace, error);
  }
  status = status == OK ? overview_read(workspace, overview, error) : status;
  if (status != OK) {
    workspace_close(workspace);
  }
  return status;
}

void overview_free(struct overview *overview) {
  arena_free(overview->memory);
  *overview = (struct overview){.memory = NULL};
}
