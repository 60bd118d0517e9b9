#include "core/disclose/disclose.h"
#include "core/service/report.h"

#include <stdlib.h>

/* Counts alone are taken; identifiers are decoded to see whether they are there, which is in the log before it is done,
 * and no value goes further.
 *
 * How many records of a source have a field, or lack it for a reason, may tell of few: each field's counts are parts of
 * the source's records, and small ones are hidden with as many others as it takes. */

#define PER_CENT 100.0

struct tally {
  int64_t filled, missing[MISSING_COUNT];
};
struct gathering {
  const struct entity *entity;
  struct tally *tallies; /* by source position, then field */
  int64_t *rows;         /* by source position */
  const struct workspace *workspace;
};

static size_t position_of(const struct workspace *workspace, int source_id) {
  size_t i = 0;
  while (i < workspace->config->source_count && workspace->source_ids[i] != source_id) {
    i++;
  }
  return i;
}

static enum status gather(void *context, const struct row *row, struct error *error) {
  struct gathering *gathering = context;
  size_t source = position_of(gathering->workspace, row->source_id);
  (void)error;
  if (source == gathering->workspace->config->source_count) {
    return OK; /* of a source that the configuration no longer names */
  }
  gathering->rows[source]++;
  for (size_t i = 0; i < gathering->entity->field_count; i++) {
    const struct cell *cell = &row->cells[gathering->entity->fields[i].column];
    struct tally *tally = &gathering->tallies[source * gathering->entity->field_count + i];
    if (cell->kind != CELL_NULL) {
      tally->filled++;
    } else {
      tally->missing[cell->missing < MISSING_COUNT ? cell->missing : MISSING_UNSTATED]++;
    }
  }
  return OK;
}

/* Parts of a whole that is shown: filled, then each reason. Hidden parts are at least 1 each, so that one of n of them
 * can be anything from 1 to their sum less n-1: that has to reach k. A whole that is too small for that, were all of
 * its parts hidden, is hidden with them. */
enum { PARTS = MISSING_COUNT + 1 };
static bool is_few(int64_t whole, int k) {
  return k > 1 && whole < k + PARTS - 1;
}

static void hide_parts(const int64_t parts[PARTS], int64_t whole, int k, bool hidden[PARTS]) {
  int64_t sum = 0, count = 0;
  for (size_t i = 0; i < PARTS; i++) {
    hidden[i] = parts[i] > 0 && (parts[i] < k || is_few(whole, k));
    sum += hidden[i] ? parts[i] : 0;
    count += hidden[i];
  }
  while (count > 0 && sum - (count - 1) < k) {
    size_t least = PARTS;
    for (size_t i = 0; i < PARTS; i++) {
      bool smaller = least == PARTS || parts[i] < parts[least];
      least = parts[i] > 0 && !hidden[i] && smaller ? i : least;
    }
    if (least == PARTS) {
      return;
    }
    hidden[least] = true;
    sum += parts[least];
    count++;
  }
}

/* Of a hidden count in steps of 5 %: one more than k, so that the first step has room for a count of k. */
static void add_share(struct report *report, int64_t filled, int64_t rows, bool hidden, int k) {
  int step = hidden ? disclose_share(filled, rows, k + 1) : 0;
  if (!hidden) {
    report_share(report, rows == 0 ? 0 : (double)filled / (double)rows);
  } else if (step >= 0) {
    report_share(report, step / PER_CENT);
  } else {
    report_hidden(report);
  }
}

static void add_field(const struct gathering *gathering, size_t source, size_t field, bool spanish,
                      struct report *report) {
  const struct field *of = &gathering->entity->fields[field];
  const struct tally *tally = &gathering->tallies[source * gathering->entity->field_count + field];
  int64_t rows = gathering->rows[source], parts[PARTS] = {tally->filled};
  int k = report->guarded ? gathering->workspace->config->disclosure.k : 1;
  bool hidden[PARTS];
  memcpy(parts + 1, tally->missing, sizeof tally->missing);
  hide_parts(parts, rows, k, hidden);
  report_text(report, slice_of(gathering->workspace->config->sources[source].code));
  report_code(report, gathering->entity->name, spanish ? gathering->entity->label_es : gathering->entity->label_en);
  report_code(report, of->name, spanish ? of->label_es : of->label_en);
  report_guarded(report, rows, is_few(rows, k));
  report_guarded(report, tally->filled, hidden[0]);
  add_share(report, tally->filled, rows, hidden[0], k);
  for (int i = 0; i < MISSING_COUNT; i++) {
    report_guarded(report, tally->missing[i], hidden[i + 1]);
  }
}

/* A field that a source never fills and never explains is not one that it has. */
static bool is_known(const struct tally *tally, int64_t rows) {
  return tally->filled > 0 || tally->missing[MISSING_UNSTATED] < rows;
}

static void add_entity(const struct gathering *gathering, const struct report_request *request, struct report *report) {
  const struct config *config = gathering->workspace->config;
  for (size_t s = 0; s < config->source_count; s++) {
    if (gathering->rows[s] == 0 || (request->source != NULL && strcmp(request->source, config->sources[s].code) != 0)) {
      continue;
    }
    for (size_t f = 0; f < gathering->entity->field_count; f++) {
      if (is_known(&gathering->tallies[s * gathering->entity->field_count + f], gathering->rows[s])) {
        add_field(gathering, s, f, request->spanish, report);
      }
    }
  }
}

static enum status report_entity(const struct workspace *workspace, const struct entity *entity,
                                 const struct report_request *request, struct report *report, struct error *error) {
  size_t sources = workspace->config->source_count;
  const struct row_filter filter = {.identity = workspace->key != NULL};
  struct gathering gathering = {.entity = entity,
                                .workspace = workspace,
                                .tallies = calloc(sources * entity->field_count + 1, sizeof(struct tally)),
                                .rows = calloc(sources + 1, sizeof(int64_t))};
  enum status status = gathering.tallies == NULL || gathering.rows == NULL
                           ? error_memory(error)
                           : store_visit_rows(workspace->store, entity, &filter, gather, &gathering, error);
  if (status == OK) {
    add_entity(&gathering, request, report);
  }
  free(gathering.tallies);
  free(gathering.rows);
  return status;
}

enum status report_completeness(const struct workspace *workspace, const struct report_request *request,
                                struct report *report, struct error *error) {
  const struct codelist *reasons = codelists_find(workspace->lists, "missing");
  report->title = _("Completeness by source and field");
  report_column(report, "source", _("source"), REPORT_TEXT);
  report_column(report, "entity", _("entity"), REPORT_TEXT);
  report_column(report, "field", _("field"), REPORT_TEXT);
  report_column(report, "rows", _("rows"), REPORT_COUNT);
  report_column(report, "filled", _("filled"), REPORT_COUNT);
  report_column(report, "share", _("share"), REPORT_SHARE);
  for (int i = 0; i < MISSING_COUNT; i++) {
    const char *name = missing_name((enum missing)i);
    const struct code *code = reasons == NULL ? NULL : codelist_code(reasons, slice_of(name));
    const char *title = code == NULL ? name : request->spanish ? code->label_es : code->label_en;
    report_column(report, name, title, REPORT_COUNT);
    report_optional(report);
  }
  enum status status = OK;
  for (size_t e = 0; e < workspace->model->entity_count && status == OK; e++) {
    status = report_entity(workspace, &workspace->model->entities[e], request, report, error);
  }
  report_note(report, "%s", _("Fields that a source neither fills nor explains are left out."));
  if (report->concealed > 0) {
    report_note(report, "%s", _("The share of a hidden count is told in steps of 5 %, rounded down."));
  }
  return status;
}
