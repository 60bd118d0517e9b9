#include "core/service/setaside.h"

#include "core/audit/audit.h"
#include "core/audit/state.h"
#include "core/service/access.h"

#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_SIZE = 24, AT_ONCE = 500, BODY_LIMIT = 1 << 16, DISMISSED_MOST = 10000000 };

/* ---- one record to be tried again ---- */

enum status setaside_find(struct workspace *workspace, const char *reference, int64_t *record_id,
                          const struct source_config **source, struct error *error) {
  static const char *const columns[] = {"raw_id"};
  char number[NUMBER_SIZE];
  enum status status = store_record_id(workspace->store, reference, record_id, error);
  if (status != OK) {
    return status;
  }
  *source = NULL;
  for (size_t i = 0; i < workspace->config->source_count; i++) {
    if (workspace->source_ids[i] == source_of_record(*record_id)) {
      *source = &workspace->config->sources[i];
    }
  }
  snprintf(number, sizeof number, "%lld", (long long)*record_id);
  const struct filter filter = {.column = "record_id", .text = number};
  const struct selection selection = {
      .view = "quarantine", .columns = columns, .column_count = 1, .filters = &filter, .filter_count = 1, .most = 1};
  struct result *result = NULL;
  status = store_select(workspace->store, &selection, &result, error);
  if (status == OK) {
    status = result_next(result, error);
  }
  result_free(result);
  if (status == END || (status == OK && *source == NULL)) {
    error_set(error, ERR_NOT_FOUND, "%s", _("this record is not in quarantine, or its source is not declared"));
    error_hint(error, "%s", _("`puente quarantine list` shows what is"));
    return ERR_NOT_FOUND;
  }
  return status;
}

/* ---- letting it rest ---- */

/* The source's code, also of one that is no longer declared. */
static enum status source_code(struct workspace *workspace, int source_id, char code[256], struct error *error) {
  static const char *const columns[] = {"code"};
  char number[NUMBER_SIZE];
  snprintf(number, sizeof number, "%d", source_id);
  const struct filter filter = {.column = "source_id", .text = number};
  const struct selection selection = {
      .view = "sources", .columns = columns, .column_count = 1, .filters = &filter, .filter_count = 1};
  struct result *result = NULL;
  code[0] = '\0';
  enum status status = store_select(workspace->store, &selection, &result, error);
  if (status == OK && (status = result_next(result, error)) == OK) {
    snprintf(code, 256, "%.*s", SLICE_ARG(result_text(result, 0)));
  }
  result_free(result);
  return status == END ? OK : status;
}

struct noted {
  const int64_t *raw_ids;
  size_t count;
  char before[STATE_TEXT + 1], after[STATE_TEXT + 1];
};

static enum status note_dismissal(struct store *store, struct audit_event *event, const struct dismissal *dismissal,
                                  const struct noted *noted, struct error *error) {
  struct buffer body;
  buffer_init(&body, BODY_LIMIT);
  buffer_printf(&body, "{\"after\":\"%s\",", noted->after);
  if (dismissal->because != NULL) {
    buffer_text(&body, "\"because\":");
    buffer_json(&body, slice_of(dismissal->because));
    buffer_text(&body, ",");
  }
  buffer_printf(&body, "\"before\":\"%s\"", noted->before);
  for (size_t i = 0; i < noted->count; i++) {
    buffer_printf(&body, "%s%lld", i == 0 ? ",\"raw_ids\":[" : ",", (long long)noted->raw_ids[i]);
  }
  buffer_text(&body, "]}");
  enum status status = buffer_check(&body, _("an audit entry"), error);
  event->body = body.data;
  status = status == OK ? audit_append(store, event, error) : status;
  buffer_free(&body);
  return status;
}

/* One transaction: a run, the records of one source, and the entry of the log. */
static enum status dismiss_some(struct workspace *workspace, const struct dismissal *dismissal, const int64_t *raw_ids,
                                size_t count, struct error *error) {
  struct store *store = workspace->store;
  int source_id = source_of_record(record_of(raw_ids[0]));
  struct counts counts = {.source_count = -1};
  struct state state;
  struct noted noted = {.raw_ids = raw_ids, .count = count};
  char code[256];
  int64_t run = 0;
  enum status status = state_init(&state, workspace->key, error);
  status = status == OK ? state_of_versions(&state, store, raw_ids, count, noted.before, error) : status;
  if (status == OK) {
    status = source_code(workspace, source_id, code, error);
  }
  if (status == OK) {
    status = store_run_begin(store, "dismiss", source_id, workspace->actor, dismissal->reason, &run, error);
  }
  for (size_t i = 0; i < count && status == OK; i++) {
    status = store_dismiss(store, raw_ids[i], run, dismissal->reason, error);
  }
  if (status == OK) {
    status = store_run_end(store, run, RUN_DONE, &counts, NULL, error);
  }
  status = status == OK ? state_of_versions(&state, store, raw_ids, count, noted.after, error) : status;
  if (status == OK) {
    struct audit_event event = {.event = "dismiss",
                                .source = code[0] != '\0' ? code : NULL,
                                .actor = workspace->actor,
                                .purpose = dismissal->reason,
                                .run = run};
    status = note_dismissal(store, &event, dismissal, &noted, error);
  }
  state_free(&state);
  return status;
}

static enum status dismiss_all(struct workspace *workspace, const struct dismissal *dismissal, const int64_t *raw_ids,
                               size_t count, struct dismissed *dismissed, struct error *error) {
  enum status status = OK;
  for (size_t from = 0; from < count && status == OK;) {
    size_t some = 1;
    int source_id = source_of_record(record_of(raw_ids[from]));
    while (from + some < count && some < AT_ONCE && source_of_record(record_of(raw_ids[from + some])) == source_id) {
      some++;
    }
    status = store_begin(workspace->store, error);
    if (status == OK) {
      status = dismiss_some(workspace, dismissal, raw_ids + from, some, error);
    }
    if (status == OK) {
      status = store_commit(workspace->store, error);
    }
    if (status != OK) {
      store_rollback(workspace->store);
      break;
    }
    dismissed->records += (int64_t)some;
    from += some;
  }
  return status;
}

/* Record versions of a source that are set aside for one reason alone. */
struct picking {
  const char *because;
  int64_t *raw_ids;
  size_t count, capacity;
  int64_t at, left; /* the version at hand */
  bool has, others;
};

static enum status pick(struct picking *picking, struct error *error) {
  picking->left += picking->has && picking->others;
  if (!picking->has || picking->others) {
    return OK;
  }
  if (picking->count == picking->capacity) {
    size_t capacity = picking->capacity == 0 ? 256 : picking->capacity * 2;
    int64_t *grown = capacity > DISMISSED_MOST ? NULL : realloc(picking->raw_ids, capacity * sizeof *grown);
    if (grown == NULL) {
      return error_memory(error);
    }
    picking->raw_ids = grown;
    picking->capacity = capacity;
  }
  picking->raw_ids[picking->count++] = picking->at;
  return OK;
}

static enum status pick_all(struct workspace *workspace, const struct dismissal *dismissal, struct picking *picking,
                            struct error *error) {
  static const char *const columns[] = {"raw_id", "reason"};
  const struct filter filter = {.column = "source", .text = dismissal->source};
  const struct selection selection = {.view = "quarantine",
                                      .columns = columns,
                                      .column_count = 2,
                                      .filters = &filter,
                                      .filter_count = 1,
                                      .order = "raw_id"};
  struct result *result = NULL;
  enum status status = store_select(workspace->store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    int64_t raw_id = result_integer(result, 0);
    if (raw_id != picking->at) {
      status = pick(picking, error);
      picking->at = raw_id;
      picking->has = picking->others = false;
    }
    bool wanted = slice_is(result_text(result, 1), picking->because);
    *(wanted ? &picking->has : &picking->others) = true;
  }
  result_free(result);
  return status == END ? pick(picking, error) : status;
}

enum status setaside_dismiss(struct workspace *workspace, const struct dismissal *dismissal,
                             struct dismissed *dismissed, struct error *error) {
  enum status status = access_person(workspace, error);
  *dismissed = (struct dismissed){.records = 0};
  if (status != OK) {
    return status;
  }
  if (dismissal->because == NULL) {
    return dismiss_all(workspace, dismissal, dismissal->raw_ids, dismissal->count, dismissed, error);
  }
  struct picking picking = {.because = dismissal->because};
  status = pick_all(workspace, dismissal, &picking, error);
  dismissed->left = picking.left;
  if (status == OK && picking.count == 0 && picking.left == 0) {
    error_set(error, ERR_NOT_FOUND, _("no record of %s is in quarantine with the reason \"%s\""), dismissal->source,
              dismissal->because);
    error_hint(error, "%s", _("`puente quarantine list` shows what is"));
    status = ERR_NOT_FOUND;
  }
  if (status == OK) {
    status = dismiss_all(workspace, dismissal, picking.raw_ids, picking.count, dismissed, error);
  }
  free(picking.raw_ids);
  return status;
}
