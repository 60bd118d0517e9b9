#include "core/sync/remap_report.h"

#include "core/base/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { SHAPE_MOST = 40, NUMBER_SIZE = 24 };

enum status remap_report_init(struct remap_report *report, const struct model *model, struct error *error) {
  *report = (struct remap_report){.entity_count = model->entity_count, .scratch = arena_new(0)};
  report->entities = calloc(model->entity_count, sizeof *report->entities);
  bool fine = report->scratch != NULL && report->entities != NULL;
  for (size_t e = 0; fine && e < model->entity_count; e++) {
    const struct entity *entity = &model->entities[e];
    struct remap_entity *one = &report->entities[e];
    one->entity = entity;
    one->fields = calloc(entity->column_count, sizeof *one->fields);
    fine = one->fields != NULL;
    for (size_t i = 0; fine && i < entity->column_count; i++) {
      const struct column *column = &entity->columns[i];
      bool coded = column->field->type == FIELD_CODE && !column->own;
      bool shown = (coded || column->field->sensitivity == SENSITIVITY_OPEN) && !column->field->local;
      one->fields[i] = (struct remap_field){.column = column, .masked = !shown};
    }
  }
  if (!fine) {
    remap_report_free(report);
    return error_memory(error);
  }
  return OK;
}

void remap_report_free(struct remap_report *report) {
  for (size_t e = 0; report->entities != NULL && e < report->entity_count; e++) {
    struct remap_entity *one = &report->entities[e];
    for (size_t i = 0; one->fields != NULL && i < one->entity->column_count; i++) {
      free(one->fields[i].transitions);
    }
    free(one->fields);
  }
  free(report->entities);
  arena_free(report->scratch);
  *report = (struct remap_report){.entities = NULL};
}

/* ---- quarantine ---- */

static struct remap_reason *reason_of(struct remap_report *report, struct slice code) {
  for (size_t i = 0; i < report->reason_count; i++) {
    if (slice_is(code, report->reasons[i].code)) {
      return &report->reasons[i];
    }
  }
  if (report->reason_count == REMAP_REASONS) {
    return &report->reasons[REMAP_REASONS - 1];
  }
  struct remap_reason *reason = &report->reasons[report->reason_count++];
  bool last = report->reason_count == REMAP_REASONS;
  *reason = (struct remap_reason){.last_before = -1, .last_after = -1};
  snprintf(reason->code, sizeof reason->code, "%.*s", SLICE_ARG(last ? slice_of("…") : code));
  return reason;
}

enum status remap_report_begin(struct remap_report *report, struct store *store, const char *source, int64_t record_id,
                               const struct plan *plan, struct error *error) {
  static const char *const columns[] = {"raw_id", "reason"};
  char number[NUMBER_SIZE], hex[2 * SHA256_SIZE + 1];
  snprintf(number, sizeof number, "%lld", (long long)record_id);
  struct sha256 digest = plan_digest(plan);
  hex_format(digest.bytes, SHA256_SIZE, hex);
  snprintf(report->plan, sizeof report->plan, "%.*s", REMAP_DIGEST - 1, hex);
  const struct filter filters[] = {{.column = "source", .text = source}, {.column = "record_id", .text = number}};
  const struct selection selection = {.view = "quarantine",
                                      .columns = columns,
                                      .column_count = sizeof columns / sizeof *columns,
                                      .filters = filters,
                                      .filter_count = record_id != 0 ? 2 : 1,
                                      .order = "raw_id"};
  struct result *result = NULL;
  enum status status = store_select(store, &selection, &result, error);
  int64_t last = -1;
  while (status == OK && (status = result_next(result, error)) == OK) {
    int64_t raw_id = result_integer(result, 0);
    struct remap_reason *reason = reason_of(report, result_text(result, 1));
    reason->before += reason->last_before != raw_id;
    reason->last_before = raw_id;
    report->quarantined_before += raw_id != last;
    last = raw_id;
  }
  result_free(result);
  return status == END ? OK : status;
}

/* Issues stand in the order of their records. */
static void count_issues(struct remap_report *report, const struct batch *batch, size_t records) {
  int64_t last = -1;
  for (size_t i = 0; i < batch->issue_count; i++) {
    const struct issue *issue = &batch->issues[i];
    if (issue->level != ISSUE_ERROR) {
      continue;
    }
    int64_t record = report->counted + issue->record;
    struct remap_reason *reason = reason_of(report, slice_of(issue->reason));
    reason->after += reason->last_after != record;
    reason->last_after = record;
    report->quarantined_after += record != last;
    last = record;
  }
  report->counted += (int64_t)records;
}

/* ---- plans ---- */

void remap_report_former(struct remap_report *report, int64_t plan_id) {
  for (size_t i = 0; i < report->former_count; i++) {
    if (report->former[i].plan_id == plan_id) {
      report->former[i].records++;
      return;
    }
  }
  if (report->former_count < REMAP_PLANS) {
    report->former[report->former_count++] = (struct remap_plan){.plan_id = plan_id, .records = 1};
    return;
  }
  report->former[REMAP_PLANS - 1].plan_id = 0;
  report->former[REMAP_PLANS - 1].records++;
}

typedef void plan_teller(void *context, int64_t plan_id, struct slice digest);

static enum status tell_plans(struct store *store, const char *source, plan_teller *tell, void *context,
                              struct error *error) {
  static const char *const columns[] = {"plan_id", "digest"};
  const struct filter filter = {.column = "source", .text = source};
  const struct selection selection = {
      .view = "plans", .columns = columns, .column_count = 2, .filters = &filter, .filter_count = 1};
  struct result *result = NULL;
  enum status status = store_select(store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    tell(context, result_integer(result, 0), result_text(result, 1));
  }
  result_free(result);
  return status == END ? OK : status;
}

static void tell_former(void *context, int64_t plan_id, struct slice digest) {
  struct remap_report *report = context;
  for (size_t i = 0; i < report->former_count; i++) {
    struct remap_plan *former = &report->former[i];
    if (former->plan_id == plan_id && digest.len >= REMAP_DIGEST) {
      snprintf(former->digest, sizeof former->digest, "%.*s", REMAP_DIGEST - 1, digest.data);
    }
  }
}

struct plan_wanted {
  char hex[2 * SHA256_SIZE + 1];
  int64_t plan_id;
};

static void tell_known(void *context, int64_t plan_id, struct slice digest) {
  struct plan_wanted *wanted = context;
  if (slice_is(digest, wanted->hex)) {
    wanted->plan_id = plan_id;
  }
}

enum status remap_plan_known(struct store *store, const char *source, const struct plan *plan, int64_t *plan_id,
                             struct error *error) {
  struct plan_wanted wanted = {.plan_id = 0};
  struct sha256 digest = plan_digest(plan);
  hex_format(digest.bytes, SHA256_SIZE, wanted.hex);
  enum status status = tell_plans(store, source, tell_known, &wanted, error);
  *plan_id = wanted.plan_id;
  return status;
}

/* ---- values ---- */

static struct slice cell_written(const struct cell *cell, char number[NUMBER_SIZE]) {
  if (cell->kind != CELL_INTEGER) {
    return cell->kind == CELL_NULL ? slice_of("") : slice_make(cell->text, cell->len);
  }
  int length = snprintf(number, NUMBER_SIZE, "%lld", (long long)cell->integer);
  return slice_make(number, (size_t)length);
}

static bool cell_same(const struct cell *a, const struct cell *b) {
  char left[NUMBER_SIZE], right[NUMBER_SIZE];
  if ((a->kind == CELL_NULL) != (b->kind == CELL_NULL)) {
    return false;
  }
  return a->kind == CELL_NULL ? a->missing == b->missing : slice_equal(cell_written(a, left), cell_written(b, right));
}

/* A long value is cut between two characters. */
static enum status show_cell(struct arena *arena, const struct cell *cell, bool masked, struct remap_value *shown,
                             struct error *error) {
  char number[NUMBER_SIZE];
  *shown = (struct remap_value){.empty = cell->kind == CELL_NULL};
  struct slice text = shown->empty ? slice_of(missing_name((enum missing)cell->missing)) : cell_written(cell, number);
  if (shown->empty && cell->missing == MISSING_UNSTATED) {
    return OK;
  }
  if (!shown->empty && (masked || !utf8_valid(text))) {
    size_t wanted = text.len;
    text = text_shape(arena, text, SHAPE_MOST);
    if (text.data == NULL && wanted > 0) {
      return error_memory(error);
    }
  }
  size_t len = text.len, most = sizeof shown->text - sizeof "…";
  if (len > most) {
    for (len = most; len > 0 && ((unsigned char)text.data[len] & 0xC0) == 0x80; len--) {
    }
  }
  snprintf(shown->text, sizeof shown->text, "%.*s%s", (int)len, text.data, len < text.len ? "…" : "");
  return OK;
}

static bool value_equal(const struct remap_value *a, const struct remap_value *b) {
  return a->empty == b->empty && strcmp(a->text, b->text) == 0;
}

/* The space-saving count of Metwally et al. (2005): a new transition takes the place of the rarest one, and what that
 * was counted at is taken off again when the report ends. */
static enum status count_transition(struct remap_field *field, const struct remap_value *from,
                                    const struct remap_value *to, struct error *error) {
  if (field->transitions == NULL) {
    field->transitions = calloc(REMAP_KEPT, sizeof *field->transitions);
    if (field->transitions == NULL) {
      return error_memory(error);
    }
  }
  struct remap_transition *rarest = &field->transitions[0];
  for (size_t i = 0; i < field->transition_count; i++) {
    struct remap_transition *one = &field->transitions[i];
    if (value_equal(&one->from, from) && value_equal(&one->to, to)) {
      one->rows++;
      return OK;
    }
    rarest = one->rows < rarest->rows ? one : rarest;
  }
  if (field->transition_count < REMAP_KEPT) {
    field->transitions[field->transition_count++] = (struct remap_transition){.from = *from, .to = *to, .rows = 1};
    return OK;
  }
  field->crowded = true;
  *rarest = (struct remap_transition){.from = *from, .to = *to, .rows = rarest->rows + 1, .over = rarest->rows};
  return OK;
}

static int by_rows(const void *a, const void *b) {
  const struct remap_transition *left = a, *right = b;
  if (left->rows != right->rows) {
    return left->rows > right->rows ? -1 : 1;
  }
  int order = strcmp(left->from.text, right->from.text);
  return order != 0 ? order : strcmp(left->to.text, right->to.text);
}

enum status remap_report_end(struct remap_report *report, struct store *store, const char *source,
                             struct error *error) {
  for (size_t e = 0; e < report->entity_count; e++) {
    struct remap_entity *one = &report->entities[e];
    for (size_t i = 0; i < one->entity->column_count; i++) {
      struct remap_field *field = &one->fields[i];
      for (size_t t = 0; t < field->transition_count; t++) {
        field->transitions[t].rows -= field->transitions[t].over;
        field->transitions[t].over = 0;
      }
      if (field->transition_count > 0) {
        qsort(field->transitions, field->transition_count, sizeof *field->transitions, by_rows);
      }
    }
  }
  return tell_plans(store, source, tell_former, report, error);
}

/* ---- rows ---- */

/* Where a record's rows stand in the batch. */
struct met_record {
  int64_t record_id;
  size_t first, count;
};
struct meeting {
  struct remap_report *report;
  struct remap_entity *entity;
  const struct rows *rows;
  bool rekeyed;
  struct met_record *records; /* by id */
  size_t count;
  bool *met; /* by row */
};

static int by_id(const void *a, const void *b) {
  int64_t left = ((const struct met_record *)a)->record_id, right = ((const struct met_record *)b)->record_id;
  return left < right ? -1 : left > right;
}

static enum status compare_cells(struct meeting *meeting, const struct cell *before, const struct cell *after,
                                 bool *differs, struct error *error) {
  struct remap_entity *entity = meeting->entity;
  enum status status = OK;
  for (size_t i = 0; i < entity->entity->column_count && status == OK; i++) {
    struct remap_field *field = &entity->fields[i];
    struct remap_value from, to;
    if (cell_same(&before[i], &after[i])) {
      continue;
    }
    *differs = true;
    bool was = before[i].kind != CELL_NULL, is = after[i].kind != CELL_NULL;
    *(was == is ? &field->changed : is ? &field->appeared : &field->vanished) += 1;
    status = show_cell(meeting->report->scratch, &before[i], field->masked, &from, error);
    status = status == OK ? show_cell(meeting->report->scratch, &after[i], field->masked, &to, error) : status;
    status = status == OK ? count_transition(field, &from, &to, error) : status;
  }
  return status;
}

/* The row of the batch that a staged one becomes; SIZE_MAX: none. */
static size_t meeting_row(const struct meeting *meeting, const struct row *row) {
  struct met_record wanted = {.record_id = record_of(row->row_id)};
  const struct met_record *record = bsearch(&wanted, meeting->records, meeting->count, sizeof wanted, by_id);
  size_t other = SIZE_MAX;
  for (size_t i = 0; record != NULL && i < record->count; i++) {
    size_t at = record->first + i;
    if (meeting->met[at]) {
      continue;
    }
    if (slice_equal(row->key, meeting->rows->heads[at].key)) {
      return at;
    }
    other = other == SIZE_MAX && meeting->rekeyed ? at : other;
  }
  return other;
}

static enum status meet_row(void *context, const struct row *row, struct error *error) {
  struct meeting *meeting = context;
  size_t at = meeting_row(meeting, row);
  if (at == SIZE_MAX) {
    meeting->entity->vanished++;
    return OK;
  }
  const struct row_head *head = &meeting->rows->heads[at];
  meeting->met[at] = true;
  bool differs = !slice_equal(row->key, head->key) || !slice_equal(row->case_key, head->case_key)
                 || !slice_equal(row->person_key, head->person_key);
  enum status status = compare_cells(meeting, row->cells, rows_cells(meeting->rows, at), &differs, error);
  *(differs ? &meeting->entity->changed : &meeting->entity->same) += 1;
  return status;
}

/* Rows stand in the order of their records. */
static void place_rows(struct meeting *meeting, const int64_t *records) {
  size_t row = 0;
  for (size_t i = 0; i < meeting->count; i++) {
    size_t first = row;
    for (; row < meeting->rows->count && meeting->rows->heads[row].record == i; row++) {
    }
    meeting->records[i] = (struct met_record){.record_id = records[i], .first = first, .count = row - first};
  }
  qsort(meeting->records, meeting->count, sizeof *meeting->records, by_id);
}

static enum status compare_entity(struct remap_report *report, struct store *store, const struct rows *rows,
                                  const int64_t *records, size_t count, bool rekeyed, struct error *error) {
  struct meeting meeting = {.report = report,
                            .entity = &report->entities[rows->entity->index],
                            .rows = rows,
                            .rekeyed = rekeyed,
                            .records = arena_array(report->scratch, count, sizeof *meeting.records),
                            .count = count,
                            .met = arena_array(report->scratch, rows->count + 1, sizeof *meeting.met)};
  if (meeting.records == NULL || meeting.met == NULL) {
    return error_memory(error);
  }
  place_rows(&meeting, records);
  /* Identifiers are compared too; the report shows no more than their shape. */
  const struct row_filter filter = {.identity = true, .records = records, .count = count};
  enum status status = store_visit_rows(store, rows->entity, &filter, meet_row, &meeting, error);
  for (size_t i = 0; i < rows->count; i++) {
    meeting.entity->appeared += !meeting.met[i];
  }
  return status;
}

enum status remap_report_compare(struct remap_report *report, struct store *store, const struct batch *batch,
                                 const int64_t *records, size_t count, bool rekeyed, struct error *error) {
  enum status status = OK;
  for (size_t e = 0; e < report->entity_count && status == OK && count > 0; e++) {
    arena_reset(report->scratch);
    status = compare_entity(report, store, &batch->rows[e], records, count, rekeyed, error);
  }
  count_issues(report, batch, count);
  report->rekeyed += rekeyed ? (int64_t)count : 0;
  return status;
}
