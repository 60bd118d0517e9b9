#include "core/resolve/learned.h"

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/store/approval.h"

#include <stdlib.h>

#define MODEL_LIMIT ((size_t)1 << 30)

static const struct link_plan *plan_of(const struct policy *policy, enum cluster_kind kind) {
  return kind == CLUSTER_PERSON ? policy->persons : policy->cases;
}

/* The model in the text, unless it is for other comparisons. */
static enum status read_text(const struct policy *policy, enum cluster_kind kind, const struct buffer *text,
                             struct link_model **model, const char **why, struct error *error) {
  struct error other;
  enum status status = link_model_read("link_model", buffer_view(text), model, error);
  *why = NULL;
  if (status == OK && link_model_matches(*model, plan_of(policy, kind), &other) != OK) {
    *why = _("the link model is one for other comparisons");
    link_model_free(*model);
    *model = NULL;
  }
  return status;
}

enum status learned_model(struct store *store, const struct policy *policy, enum cluster_kind kind,
                          struct link_model **model, struct sha256 *digest, const char **why, struct error *error) {
  const struct approved_texts *texts = policy->texts;
  bool governed = approved_texts_govern(texts, TEXT_LINK);
  struct buffer text;
  struct link_model_kept kept = {0};
  *model = NULL;
  *why = governed ? _("no link model has been approved yet") : _("there is no link model yet");
  if (governed && texts->weights_fault != NULL) {
    error_set(error, ERR_CONFIG, "%s", texts->weights_fault);
    error_hint(error, "%s", _("have the log verified (`puente audit verify`), then learn anew: `puente link --train`"));
    return ERR_CONFIG;
  }
  if (governed && !texts->weighed) {
    return OK;
  }
  buffer_init(&text, MODEL_LIMIT);
  enum status status = governed ? store_model_of(store, kind, &texts->weights[kind], &text, &kept, error)
                                : store_model(store, kind, &text, &kept, error);
  status = status == OK ? read_text(policy, kind, &text, model, why, error) : status;
  buffer_free(&text);
  if (digest != NULL) {
    *digest = kept.digest;
  }
  return status == ERR_NOT_FOUND && !governed ? OK : status;
}

enum status learned_newest(struct store *store, const struct policy *policy, enum cluster_kind kind,
                           struct link_model **model, struct sha256 *digest, struct error *error) {
  struct buffer text;
  struct link_model_kept kept = {0};
  const char *why = NULL;
  *model = NULL;
  buffer_init(&text, MODEL_LIMIT);
  enum status status = store_model_of(store, kind, NULL, &text, &kept, error);
  status = status == OK ? read_text(policy, kind, &text, model, &why, error) : status;
  buffer_free(&text);
  *digest = kept.digest;
  return status == ERR_NOT_FOUND ? OK : status;
}

enum status learned_of(struct store *store, const struct policy *policy, enum cluster_kind kind,
                       const struct sha256 *digest, struct link_model **model, struct error *error) {
  struct buffer text;
  const char *why = NULL;
  *model = NULL;
  buffer_init(&text, MODEL_LIMIT);
  enum status status = store_model_of(store, kind, digest, &text, NULL, error);
  status = status == OK ? read_text(policy, kind, &text, model, &why, error) : status;
  buffer_free(&text);
  return status == OK && *model == NULL ? error_set(error, ERR_CONFIG, "%s", why) : status;
}

enum status learned_start(const struct policy *policy, enum cluster_kind kind, struct link_model **model,
                          struct sha256 *digest, struct error *error) {
  const char *path = policy->start[kind];
  struct buffer text;
  *model = NULL;
  if (path == NULL) {
    return OK;
  }
  enum status status = approved_texts_read(policy->texts, TEXT_LINK, path, MODEL_LIMIT, &text, error);
  if (status != OK) {
    error->code = status == ERR_NOT_FOUND ? ERR_CONFIG : status;
    return error->code;
  }
  status = link_model_read(path, buffer_view(&text), model, error);
  if (digest != NULL) {
    *digest = sha256_of(buffer_view(&text));
  }
  buffer_free(&text);
  if (status == OK && link_model_matches(*model, plan_of(policy, kind), error) != OK) {
    /* Whoever edits the comparisons of config/link need not have a model at hand. */
    log_error(LEVEL_WARNING, error);
    link_model_free(*model);
    *model = NULL;
  }
  return status;
}

static void free_both(struct link_model *models[2]) {
  for (int kind = 0; kind < 2; kind++) {
    link_model_free(models[kind]);
    models[kind] = NULL;
  }
}

enum status learned_acting(struct store *store, const struct policy *policy, struct link_model *models[2],
                           struct sha256 digests[2], bool *approved, const char **why, struct error *error) {
  const char *whys[2] = {NULL, NULL};
  enum status status = OK;
  models[0] = models[1] = NULL;
  for (int kind = 0; kind < 2 && status == OK; kind++) {
    status = learned_model(store, policy, (enum cluster_kind)kind, &models[kind], &digests[kind], &whys[kind], error);
  }
  *approved = status == OK && models[0] != NULL && models[1] != NULL;
  *why = whys[0] != NULL ? whys[0] : whys[1];
  if (status != OK || *approved) {
    return status;
  }
  free_both(models);
  for (int kind = 0; kind < 2 && status == OK; kind++) {
    status = learned_start(policy, (enum cluster_kind)kind, &models[kind], &digests[kind], error);
  }
  if (status == OK && (models[0] == NULL || models[1] == NULL)) {
    free_both(models);
  }
  return status;
}

/* Once; anew where what is kept of that digest was changed. */
static enum status keep_aside(struct store *store, enum cluster_kind kind, int64_t run, struct slice text,
                              const struct sha256 *digest, struct error *error) {
  struct buffer kept;
  buffer_init(&kept, MODEL_LIMIT);
  enum status status = store_model_of(store, kind, digest, &kept, NULL, error);
  buffer_free(&kept);
  return status == ERR_NOT_FOUND || status == ERR_CONFIG ? store_keep_model(store, kind, run, text, error) : status;
}

enum status learned_keep(struct store *store, enum cluster_kind kind, int64_t run, const struct link_model *model,
                         bool act, struct sha256 *digest, struct error *error) {
  struct buffer text;
  buffer_init(&text, MODEL_LIMIT);
  enum status status = link_model_write(model, &text, error);
  if (status == OK) {
    *digest = sha256_of(buffer_view(&text));
    status = act ? store_write_model(store, kind, run, buffer_view(&text), error)
                 : keep_aside(store, kind, run, buffer_view(&text), digest, error);
  }
  buffer_free(&text);
  return status;
}

struct taking {
  struct staged_rows *rows;
  struct link_decision *decisions;
  size_t count, capacity;
  int64_t *records; /* of the rows, sorted; NULL: not asked for yet */
  size_t lost;      /* decisions on rows that records which are there do not have */
};

static int by_record(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a;
  int64_t y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* Whether a decision names a row that is not there, of a record that is: another mapping may have given it a new key.
 */
static enum status note_lost(struct taking *taking, const struct review_decision *decision, bool has_a, bool has_b,
                             struct error *error) {
  size_t count = taking->rows->count;
  if (taking->records == NULL && count > 0) {
    taking->records = malloc(count * sizeof *taking->records);
    if (taking->records == NULL) {
      return error_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
      taking->records[i] = record_of(taking->rows->row_id[i]);
    }
    qsort(taking->records, count, sizeof *taking->records, by_record);
  }
  const int64_t *lost[2] = {has_a ? NULL : &decision->record_a, has_b ? NULL : &decision->record_b};
  for (int i = 0; i < 2; i++) {
    if (count > 0 && lost[i] != NULL
        && bsearch(lost[i], taking->records, count, sizeof *taking->records, by_record) != NULL) {
      taking->lost++;
      break;
    }
  }
  return OK;
}

static void warn_lost(const struct taking *taking) {
  struct error warning;
  if (taking->lost > 0) {
    error_set(&warning, OK, _("%zu decisions speak of rows that their records no longer have, and cannot hold"),
              taking->lost);
    error_hint(&warning, "%s", _("where a mapping gave rows other keys, decide these pairs again"));
    log_error(LEVEL_WARNING, &warning);
  }
}

static enum status take_decision(void *context, const struct review_decision *decision, struct error *error) {
  struct taking *taking = context;
  uint32_t a = staged_find(taking->rows, decision->record_a, decision->key_a);
  uint32_t b = staged_find(taking->rows, decision->record_b, decision->key_b);
  if (a == LINK_MISSING || b == LINK_MISSING || a == b) { /* deleted, no longer linked, or lost */
    return note_lost(taking, decision, a != LINK_MISSING, b != LINK_MISSING, error);
  }
  if (taking->count == taking->capacity) {
    size_t capacity = taking->capacity == 0 ? 64 : taking->capacity * 2;
    struct link_decision *grown = realloc(taking->decisions, capacity * sizeof *grown);
    if (grown == NULL) {
      return error_memory(error);
    }
    taking->decisions = grown;
    taking->capacity = capacity;
  }
  taking->decisions[taking->count++] = (struct link_decision){.a = a, .b = b, .same = decision->same};
  if (decision->same && taking->rows->role[a] != taking->rows->role[b]) {
    taking->rows->role[a] = taking->rows->role[b] = 0;
  }
  return OK;
}

enum status learned_decisions(struct store *store, enum cluster_kind kind, struct staged_rows *rows,
                              struct link_decision **decisions, size_t *count, struct error *error) {
  struct taking taking = {.rows = rows};
  enum status status = store_visit_decisions(store, kind, take_decision, &taking, error);
  free(taking.records);
  warn_lost(&taking);
  *decisions = taking.decisions;
  *count = taking.count;
  return status;
}
