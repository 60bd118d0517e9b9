/* A batch: rows and issues of some records, kept in memory that is used again after each reset. */
#include "mapping/plan_internal.h"

#include "core/base/text.h"

#include <stdlib.h>

enum status batch_init(struct batch *batch, const struct model *model, struct error *error) {
  *batch = (struct batch){0};
  batch->arena = arena_new(0);
  batch->scratch = scratch_new();
  if (batch->arena == NULL || batch->scratch == NULL) {
    batch_free(batch);
    return error_memory(error);
  }
  for (size_t i = 0; i < model->entity_count && i < MODEL_ENTITIES_MOST; i++) {
    batch->rows[model->entities[i].index].entity = &model->entities[i];
  }
  return OK;
}

void batch_reset(struct batch *batch) {
  for (size_t i = 0; i < MODEL_ENTITIES_MOST; i++) {
    batch->rows[i].count = 0;
  }
  batch->issue_count = 0;
  arena_reset(batch->arena);
  scratch_reset(batch->scratch);
}

void batch_free(struct batch *batch) {
  if (batch == NULL) {
    return;
  }
  for (size_t i = 0; i < MODEL_ENTITIES_MOST; i++) {
    free(batch->rows[i].heads);
    free(batch->rows[i].cells);
  }
  free(batch->issues);
  arena_free(batch->arena);
  scratch_free(batch->scratch);
  *batch = (struct batch){0};
}

/* What each reason asks the official to do. */
static const struct {
  const char *reason, *hint;
} hints[] = {
    {"key_missing", N_("every record needs its own key at the source")},
    {"key_repeated", N_("two different rows of the record have the same key: name more paths under key")},
    {"key_too_long", N_("a key has at most 512 bytes")},
    {"reference_missing", N_("say under case or person which row it belongs to")},
    {"value_required", N_("the mapping says that this value is required")},
    {"value_too_long", N_("a value has at most 64 KiB")},
    {"text_unreadable", N_("the text holds a zero byte")},
    {"encoding_unreadable", N_("codes of names are \"clk1:\" and 256 hexadecimal digits")},
    {"date_unreadable", N_("add the format under date, or the value under missing")},
    {"date_impossible", N_("there is no such day: correct it at the source")},
    {"date_range", N_("dates go from 1900 to 2100: correct it at the source, or name the value under missing")},
    {"number_unreadable", N_("check decimal in the mapping, or name the value under missing")},
    {"number_range", N_("the value is outside the bounds of the field in config/model")},
    {"boolean_unreadable", N_("say under values what it means")},
    {"phone_unreadable", N_("a telephone number has 6 to 15 digits")},
    {"code_unknown", N_("add it under values, or to the code list")},
    {"ubigeo_unknown", N_("check which system the source writes: inei or reniec")},
    {"ubigeo_partial", N_("import the full district list: puente codelist import ubigeo FILE")},
    {"dni_check", N_("the check character does not fit the number; valid exceptions exist")},
    {"document_length", N_("a DNI has 8 digits, a carné de extranjería 9")},
    {"several_values", N_("the field takes one value; the first was taken")},
    {"issues_limit", N_("further issues of the record are left out")},
    {"rows_limit", N_("a record makes at most 100,000 rows")},
    {"no_consent", N_("nothing of it is kept; a later record with consent is taken")},
    {"withdrawn", N_("consent was withdrawn: what was there is taken out; a later record with consent is taken")},
};

const char *plan_hint(const char *reason) {
  for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
    if (strcmp(hints[i].reason, reason) == 0) {
      return hints[i].hint;
    }
  }
  return "";
}

const char *issue_hint(const char *reason) {
  const char *hint = plan_hint(reason);
  return hint[0] == '\0' ? "" : _(hint);
}

static struct issue *issue_slot(struct batch *batch) {
  if (batch->issue_count == batch->issue_capacity) {
    size_t capacity = batch->issue_capacity == 0 ? 64 : batch->issue_capacity * 2;
    struct issue *issues = realloc(batch->issues, capacity * sizeof *issues);
    if (issues == NULL) {
      return NULL;
    }
    batch->issues = issues;
    batch->issue_capacity = capacity;
  }
  return &batch->issues[batch->issue_count++];
}

/* What may be shown of the value; several ones stand apart by ';'. */
static struct slice shape_of(struct arena *arena, struct slice value) {
  if (value.len == 0) {
    return slice_of("");
  }
  if (memchr(value.data, VALUE_SEPARATOR, value.len) == NULL) {
    return text_shape(arena, value, 40);
  }
  char *bytes = arena_text(arena, value);
  for (size_t i = 0; bytes != NULL && i < value.len; i++) {
    bytes[i] = bytes[i] == VALUE_SEPARATOR ? ';' : bytes[i];
  }
  return bytes == NULL ? slice_none() : text_shape(arena, slice_make(bytes, value.len), 40);
}

bool issue_add(struct run *run, enum issue_level level, const char *field, const char *reason, const char *path,
               struct slice value, const char *hint, int line) {
  struct batch *batch = run->batch;
  run->quarantined = run->quarantined || level == ISSUE_ERROR;
  size_t so_far = batch->issue_count - run->scratch->first_issue;
  if (so_far > RECORD_ISSUES_MOST) {
    return true;
  }
  if (so_far == RECORD_ISSUES_MOST) {
    reason = "issues_limit";
    hint = NULL;
  }
  struct slice shape = shape_of(batch->arena, value);
  struct issue *issue = issue_slot(batch);
  if (issue == NULL || shape.data == NULL) {
    run->failed = ERR_MEMORY;
    return false;
  }
  *issue = (struct issue){.record = run->record,
                          .level = level,
                          .field = field,
                          .reason = reason,
                          .path = path,
                          .shape = shape,
                          .hint = hint == NULL ? issue_hint(reason) : hint,
                          .line = line};
  return true;
}
