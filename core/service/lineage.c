#include "core/service/lineage.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { RUNS_MOST = 10000000 };

static void copy(char *to, size_t size, struct slice text) {
  snprintf(to, size, "%.*s", SLICE_ARG(text));
}

static int64_t count_in(const struct result *result, size_t column) {
  int64_t count = result_null(result, column) ? 0 : result_integer(result, column);
  return count < 0 ? 0 : count;
}

static enum status add_run(struct lineage *lineage, const struct result *result, struct error *error) {
  if (lineage->count == lineage->capacity) {
    size_t capacity = lineage->capacity == 0 ? 256 : 2 * lineage->capacity;
    struct lineage_run *more = realloc(lineage->runs, capacity * sizeof *more);
    if (more == NULL) {
      return error_memory(error);
    }
    lineage->runs = more;
    lineage->capacity = capacity;
  }
  struct lineage_run *run = &lineage->runs[lineage->count++];
  *run = (struct lineage_run){.id = result_integer(result, 0),
                              .pulled = count_in(result, 7),
                              .fresh = count_in(result, 8),
                              .changed = count_in(result, 9),
                              .mapped = count_in(result, 10),
                              .quarantined = count_in(result, 11),
                              .deleted = count_in(result, 12)};
  copy(run->kind, sizeof run->kind, result_text(result, 1));
  copy(run->source, sizeof run->source, result_text(result, 2));
  copy(run->actor, sizeof run->actor, result_text(result, 3));
  copy(run->started, sizeof run->started, result_text(result, 4));
  copy(run->ended, sizeof run->ended, result_text(result, 5));
  copy(run->state, sizeof run->state, result_text(result, 6));
  return OK;
}

static int by_id(const void *key, const void *item) {
  int64_t id = *(const int64_t *)key, other = ((const struct lineage_run *)item)->id;
  return id < other ? -1 : id > other;
}

/* What the log says of a run: the digest of its plan, and its last entry. */
static enum status take_entry(void *context, const struct audit_row *row, struct error *error) {
  struct lineage *lineage = context;
  struct lineage_run *run = bsearch(&row->run, lineage->runs, lineage->count, sizeof *lineage->runs, by_id);
  (void)error;
  if (row->run == 0 || run == NULL) {
    return OK;
  }
  run->sequence = row->sequence;
  run->hash = row->hash;
  if (strcmp(row->event, "run") == 0) {
    json_t *body = json_loads(row->body, 0, NULL);
    const char *plan = json_string_value(json_object_get(body, "plan"));
    snprintf(run->plan, sizeof run->plan, "%s", plan == NULL ? "" : plan);
    json_decref(body);
  }
  return OK;
}

enum status lineage_read(struct workspace *workspace, struct lineage *lineage, struct error *error) {
  static const char *const columns[] = {"run_id", "kind",  "source",  "actor",  "started",     "ended",  "state",
                                        "pulled", "fresh", "changed", "mapped", "quarantined", "deleted"};
  const struct selection selection = {.view = "runs",
                                      .columns = columns,
                                      .column_count = sizeof columns / sizeof *columns,
                                      .order = "run_id",
                                      .most = RUNS_MOST};
  struct result *result = NULL;
  *lineage = (struct lineage){.runs = NULL};
  enum status status = store_select(workspace->store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    status = add_run(lineage, result, error);
  }
  result_free(result);
  status = status == END ? OK : status;
  return status == OK ? store_visit_audit(workspace->store, 1, take_entry, lineage, error) : status;
}

void lineage_free(struct lineage *lineage) {
  free(lineage->runs);
  *lineage = (struct lineage){.runs = NULL};
}
