#include "core/resolve/learned.h"

#include "core/base/file.h"
#include "core/base/log.h"

#include <stdlib.h>

#define MODEL_LIMIT ((size_t)1 << 30)

enum status learned_model(struct store *store, enum cluster_kind kind, const struct link_plan *plan,
                          struct link_model **model, struct sha256 *digest, const char **why, struct error *error) {
  struct buffer text;
  struct link_model_kept kept = {0};
  struct link_model *found = NULL;
  *model = NULL;
  *why = _("there is no link model yet");
  buffer_init(&text, MODEL_LIMIT);
  enum status status = store_model(store, kind, &text, &kept, error);
  if (status == OK) {
    status = link_model_read("link_model", buffer_view(&text), &found, error);
  }
  buffer_free(&text);
  *why = status == OK ? NULL : *why;
  if (digest != NULL) {
    *digest = kept.digest;
  }
  if (status == OK && link_model_matches(found, plan, error) != OK) {
    *why = _("the link model is one for other comparisons");
    link_model_free(found);
    found = NULL;
  }
  *model = found;
  return status == ERR_NOT_FOUND ? OK : status;
}

enum status learned_start(const struct policy *policy, enum cluster_kind kind, struct link_model **model,
                          struct sha256 *digest, struct error *error) {
  const char *path = policy->start[kind];
  struct buffer text;
  *model = NULL;
  if (path == NULL) {
    return OK;
  }
  enum status status = file_read(path, MODEL_LIMIT, &text, error);
  if (status != OK) {
    error->code = status == ERR_NOT_FOUND ? ERR_CONFIG : status;
    return error->code;
  }
  status = link_model_read(path, buffer_view(&text), model, error);
  if (digest != NULL) {
    *digest = sha256_of(buffer_view(&text));
  }
  buffer_free(&text);
  const struct link_plan *plan = kind == CLUSTER_PERSON ? policy->persons : policy->cases;
  if (status == OK && link_model_matches(*model, plan, error) != OK) {
    /* Whoever edits the comparisons of config/link need not have a model at hand. */
    log_error(LEVEL_WARNING, error);
    link_model_free(*model);
    *model = NULL;
  }
  return status;
}

enum status learned_keep(struct store *store, enum cluster_kind kind, int64_t run, const struct link_model *model,
                         struct sha256 *digest, struct error *error) {
  struct buffer text;
  buffer_init(&text, MODEL_LIMIT);
  enum status status = link_model_write(model, &text, error);
  if (status == OK) {
    *digest = sha256_of(buffer_view(&text));
    status = store_write_model(store, kind, run, buffer_view(&text), error);
  }
  buffer_free(&text);
  return status;
}

struct taking {
  const struct staged_rows *rows;
  struct link_decision *decisions;
  size_t count, capacity;
};

static enum status take_decision(void *context, const struct review_decision *decision, struct error *error) {
  struct taking *taking = context;
  uint32_t a = staged_find(taking->rows, decision->record_a, decision->key_a);
  uint32_t b = staged_find(taking->rows, decision->record_b, decision->key_b);
  if (a == LINK_MISSING || b == LINK_MISSING || a == b) {
    return OK; /* a record that was deleted, or is no longer linked */
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
  return OK;
}

enum status learned_decisions(struct store *store, enum cluster_kind kind, const struct staged_rows *rows,
                              struct link_decision **decisions, size_t *count, struct error *error) {
  struct taking taking = {.rows = rows};
  enum status status = store_visit_decisions(store, kind, take_decision, &taking, error);
  *decisions = taking.decisions;
  *count = taking.count;
  return status;
}
