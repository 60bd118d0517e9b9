/* What a mapping makes of an input, written so that a person and a test can read it. */
#include "core/base/text.h"
#include "core/service/maptest.h"

#include <stdio.h>

struct show {
  const struct plan *plan;
  const struct model *model;
  struct batch batch;
  struct arena *arena;
  struct splitter *splitter;
  struct decoder *decoder;
  struct buffer *out;
  bool reveal;
  uint32_t record;
};

static void put_text(struct show *show, const struct field *field, struct slice text) {
  if (!show->reveal && field->sensitivity != SENSITIVITY_OPEN) {
    text = field_mask(field, show->arena, text, 60);
  }
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] == '\n') {
      buffer_text(show->out, "\\n");
    } else if (text.data[i] != '\r') {
      buffer_char(show->out, text.data[i]);
    }
  }
}

static void put_integer(struct show *show, const struct field *field, int64_t value) {
  char text[24];
  int len = snprintf(text, sizeof text, "%lld", (long long)value);
  if (field->type == FIELD_BOOLEAN) {
    put_text(show, field, slice_of(value != 0 ? "true" : "false"));
  } else {
    put_text(show, field, slice_make(text, (size_t)len));
  }
}

static void put_field(struct show *show, const struct field *field, const struct cell *cells) {
  const struct cell *cell = &cells[field->column], *own = field->type == FIELD_CODE ? cell + 1 : NULL;
  bool has_own = own != NULL && own->kind == CELL_TEXT;
  if (cell->kind == CELL_NULL && cell->missing == MISSING_UNSTATED && !has_own) {
    return;
  }
  buffer_printf(show->out, "  %s: ", field->name);
  if (cell->kind == CELL_NULL) {
    buffer_printf(show->out, "(%s)", missing_name((enum missing)cell->missing));
  } else if (cell->kind == CELL_TEXT) {
    put_text(show, field, slice_make(cell->text, cell->len));
  } else {
    put_integer(show, field, cell->integer);
  }
  if (has_own) {
    buffer_text(show->out, " <- ");
    put_text(show, field, slice_make(own->text, own->len));
  }
  buffer_char(show->out, '\n');
}

static void put_rows(struct show *show, const struct entity *entity) {
  const struct rows *rows = &show->batch.rows[entity->index];
  for (size_t i = 0; i < rows->count; i++) {
    const struct row_head *head = &rows->heads[i];
    buffer_printf(show->out, "%s %.*s", entity->name, SLICE_ARG(head->key));
    if (head->case_key.len > 0) {
      buffer_printf(show->out, " case=%.*s", SLICE_ARG(head->case_key));
    }
    if (head->person_key.len > 0) {
      buffer_printf(show->out, " person=%.*s", SLICE_ARG(head->person_key));
    }
    buffer_char(show->out, '\n');
    for (size_t f = 0; f < entity->field_count; f++) {
      put_field(show, &entity->fields[f], rows_cells(rows, i));
    }
  }
}

/* Cases, persons and their involvement first, then the others as the model lists them. */
static void put_batch(struct show *show) {
  static const char *const first[] = {"case", "person", "involvement"};
  for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
    const struct entity *entity = model_entity(show->model, first[i]);
    if (entity != NULL) {
      put_rows(show, entity);
    }
  }
  for (size_t i = 0; i < show->model->entity_count; i++) {
    const struct entity *entity = &show->model->entities[i];
    bool shown = false;
    for (size_t f = 0; f < sizeof first / sizeof *first; f++) {
      shown = shown || strcmp(entity->name, first[f]) == 0;
    }
    if (!shown) {
      put_rows(show, entity);
    }
  }
  for (size_t i = 0; i < show->batch.issue_count; i++) {
    const struct issue *issue = &show->batch.issues[i];
    buffer_printf(show->out, "%s %s %s", issue->level == ISSUE_ERROR ? "error" : "warning", issue->field,
                  issue->reason);
    if (issue->shape.len > 0) {
      buffer_printf(show->out, " %.*s", SLICE_ARG(issue->shape));
    }
    buffer_char(show->out, '\n');
  }
}

static enum status show_word(struct show *show, const char *word, const char *reason, struct error *error) {
  buffer_printf(show->out, "record %u %s%s%s\n", show->record, word, reason[0] == '\0' ? "" : ": ", reason);
  return buffer_check(show->out, "shown records", error);
}

static enum status show_record(struct show *show, const struct raw *raw, struct error *error) {
  static const char *const words[] = {"mapped", "quarantined", "withheld", "refused"};
  struct node *root;
  show->record++;
  if (raw->fault != RECORD_FINE) {
    return show_word(show, "broken", raw->reason, error);
  }
  arena_reset(show->arena);
  batch_reset(&show->batch);
  struct slice bytes = arena_copy(show->arena, raw->bytes);
  if (bytes.data == NULL && raw->bytes.len > 0) {
    return error_memory(error);
  }
  enum status parsed = plan_format(show->plan)->parse(show->decoder, bytes, show->arena, &root, error);
  if (parsed == ERR_MEMORY) {
    return parsed;
  }
  if (parsed != OK) {
    char reason[sizeof error->message];
    memcpy(reason, error->message, sizeof reason);
    return show_word(show, "broken", reason, error);
  }
  enum outcome outcome;
  if (plan_refuses(show->plan, &show->batch, root)) {
    return show_word(show, "refused", "", error);
  }
  if (plan_deletes(show->plan, &show->batch, root)) {
    return show_word(show, "deleted", "", error);
  }
  enum status status = plan_apply(show->plan, &show->batch, root, show->record, &outcome, error);
  if (status != OK) {
    return status;
  }
  if (outcome != OUTCOME_MAPPED) {
    buffer_printf(show->out, "record %u %s\n", show->record, words[outcome]);
  }
  put_batch(show);
  return buffer_check(show->out, "shown records", error);
}

static enum status show_all(struct show *show, struct slice input, struct error *error) {
  const struct format *format = plan_format(show->plan);
  struct raw raw;
  format->begin(show->splitter);
  enum status status = format->feed(show->splitter, input, true, error);
  while (status == OK && (status = format->next(show->splitter, &raw, error)) == OK) {
    if (show->decoder == NULL) {
      status = format->decoder_new(format->context(show->splitter), &show->decoder, error);
    }
    status = status == OK ? show_record(show, &raw, error) : status;
  }
  return status == END ? OK : status;
}

enum status mapping_show(const struct plan *plan, const struct model *model, struct slice input, bool reveal,
                         struct buffer *out, struct error *error) {
  struct show show = {.plan = plan, .model = model, .out = out, .reveal = reveal, .arena = arena_new(0)};
  const struct format *format = plan_format(plan);
  enum status status = show.arena == NULL ? error_memory(error) : batch_init(&show.batch, model, error);
  if (status == OK) {
    status = format->splitter_new(plan_format_options(plan), &show.splitter, error);
  }
  if (status == OK) {
    status = show_all(&show, input, error);
  }
  if (show.decoder != NULL) {
    format->decoder_free(show.decoder);
  }
  if (show.splitter != NULL) {
    format->splitter_free(show.splitter);
  }
  batch_free(&show.batch);
  arena_free(show.arena);
  return status;
}
