#include "core/service/telling.h"

#include "core/service/access.h"
#include "core/service/explain.h"

#include <stdlib.h>

enum { TELLING, HARMLESS, DIGITS = 16 };

/* A mapping that is missing or wrong says nothing of its keys: they are not shown. */
static enum status look(const struct workspace *workspace, const struct source_config *source, char *found,
                        struct error *error) {
  struct plan *plan = NULL;
  const char *field = NULL;
  int line = 0;
  *found = TELLING;
  enum status status =
      plan_load_approved(source->mapping, workspace->texts, workspace->model, workspace->lists, &plan, NULL, error);
  if (status == OK) {
    *found = plan_telling_key(plan, &field, &line) == NULL ? HARMLESS : TELLING;
    plan_free(plan);
  }
  bool broken = status == ERR_MEMORY || status == ERR_IO; /* the machine, and not the mapping */
  return broken ? status : OK;
}

enum status telling_look(struct workspace *workspace, bool reveal, struct error *error) {
  const struct config *config = workspace->config;
  if (reveal || access_restricted(workspace) || workspace->telling != NULL) {
    return OK;
  }
  char *found = calloc(config->source_count + 1, 1);
  enum status status = found == NULL ? error_memory(error) : OK;
  for (size_t i = 0; i < config->source_count && status == OK; i++) {
    status = look(workspace, &config->sources[i], &found[i], error);
  }
  if (status != OK) {
    free(found);
    return status;
  }
  workspace->telling = found;
  return OK;
}

static bool is_telling(const struct workspace *workspace, const char *code) {
  const struct config *config = workspace->config;
  for (size_t i = 0; i < config->source_count && workspace->telling != NULL; i++) {
    if (strcmp(config->sources[i].code, code) == 0) {
      return workspace->telling[i] == TELLING;
    }
  }
  return true;
}

struct slice telling_text(const struct workspace *workspace, struct arena *arena, bool reveal, const char *source,
                          struct slice key) {
  char hex[2 * KEYED_SIZE + 1];
  if (reveal || access_restricted(workspace) || !is_telling(workspace, source)) {
    return key;
  }
  if (workspace->key == NULL) {
    return slice_of("keyed");
  }
  struct keyed_digest digest = key_digest(workspace->key, "shown-key", key);
  hex_format(digest.bytes, KEYED_SIZE, hex);
  const char *text = arena_printf(arena, "keyed:%.*s", DIGITS, hex);
  return slice_of(text == NULL ? "keyed" : text);
}

json_t *telling_key(const struct workspace *workspace, struct arena *arena, bool reveal, const char *source,
                    struct slice key) {
  return explain_slice(arena, true, telling_text(workspace, arena, reveal, source, key));
}
